"""The client of the chat protocol against a real local server: every way to fail ends in time and in one sentence."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from factory.render.chat import MOST_BYTES, Chat, ChatFailed
from tests.chat_server import ChatServer, Reply, chat_server, content

MESSAGES = [{"role": "user", "content": "hello"}]
SCHEMA: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": True}
GOOD = content({"a": "b"})


def ask(server: ChatServer, **options: Any) -> tuple[dict[str, Any], list[float]]:
    waits: list[float] = []
    chat = Chat(server.url, "tiny", "secret", **{"seconds": 5.0, "sleep": waits.append, **options})
    return chat.ask(MESSAGES, SCHEMA, seed=3), waits


def failure(server: ChatServer, **options: Any) -> str:
    with pytest.raises(ChatFailed) as refusal:
        ask(server, **options)
    assert "secret" not in refusal.value.cause
    return refusal.value.cause


def test_it_asks_as_the_protocol_says_and_returns_the_object() -> None:
    with chat_server(GOOD) as server:
        assert ask(server) == ({"a": "b"}, [])
    (asked,) = server.asked
    assert asked["path"] == "/v1/chat/completions"
    assert (asked["model"], asked["messages"], asked["seed"]) == ("tiny", MESSAGES, 3)
    assert asked["response_format"]["json_schema"]["strict"] is True
    assert asked["response_format"]["json_schema"]["schema"] == SCHEMA
    assert asked["max_tokens"] == 4000
    assert server.keys == ["Bearer secret"]


def test_a_server_that_is_busy_is_left_alone_as_long_as_it_asks() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    with chat_server(
        Reply(429, headers={"Retry-After": "7"}), Reply(429, headers={"Retry-After": soon}), GOOD
    ) as server:
        answer, waits = ask(server)
    assert answer == {"a": "b"}
    assert waits[0] == 7
    assert 6 < waits[1] <= 9
    with chat_server(Reply(429, headers={"Retry-After": "3600"})) as server:
        assert "3600 s" in failure(server)
    assert len(server.asked) == 1


def test_failures_that_may_pass_are_tried_again_with_growing_waits() -> None:
    for reply in (
        Reply(503),
        Reply(500, b"oops"),
        content('{"a": "b'),
        Reply(body=b'{"choices": ['),
        Reply(body=b"[]"),
    ):
        with chat_server(reply, reply, GOOD) as server:
            assert ask(server) == ({"a": "b"}, [0.5, 1.0])
        with chat_server(reply) as server:
            failure(server)
        assert len(server.asked) == 3


@pytest.mark.parametrize("status", [301, 400, 401, 404])
def test_failures_that_will_not_pass_are_not_tried_again(status: int) -> None:
    with chat_server(Reply(status, b"no such model", {"Location": "http://127.0.0.1:1/"})) as server:
        assert f"status {status}: no such model" in failure(server)
    assert len(server.asked) == 1


def test_an_answer_that_is_cut_off_or_refused_is_none() -> None:
    refusal = Reply(body=b'{"choices": [{"message": {"content": null, "refusal": "no"}, "finish_reason": "stop"}]}')
    for reply, why in (
        (content({"a": "b"}, finish_reason="length"), "not whole"),
        (content("[1]"), "no object"),
        (content("[" * 5000), "no JSON"),
        (Reply(body=GOOD.body[:40], promise=100), "the connection failed"),
        (refusal, "refuses"),
        (Reply(body=b"x" * (MOST_BYTES + 5)), "1 MiB"),
    ):
        with chat_server(reply) as server:
            assert why in failure(server)


def test_a_slow_server_is_not_waited_for() -> None:
    begun = time.monotonic()
    with chat_server(Reply(wait=1.5)) as server:
        assert "within 0.2 s" in failure(server, seconds=0.2, tries=2)
        assert time.monotonic() - begun < 1.4


def test_a_server_that_is_not_there_and_an_address_that_is_none() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = ChatServer(f"http://127.0.0.1:{free.getsockname()[1]}/v1")
    assert "the connection failed" in failure(nobody)
    for url in ("no address", "ftp://x/v1", "http://"):
        failure(ChatServer(url))


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(Chat("http://x", "m", "secret"))
