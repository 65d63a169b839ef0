"""An order that wants other words gets them from a local model, where they stand the checks; the trace says why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from factory.errors import WrongUsage
from factory.plan.brief import Brief
from factory.plan.facts import Facts
from factory.plan.storyboard import Storyboard
from factory.rewording import reworded
from factory.settings import Settings
from factory.wiring import Parts
from tests.chat_server import ChatServer, Reply, chat_server, content, rewording
from tests.test_storyboard_templates import CARS, board, ranking

FACTS = Facts("x", cars=tuple(CARS), ranking=ranking(6))
BRIEF = Brief(template="ranking", draft_words=True)


@contextmanager
def house(tmp_path: Path, *replies: Any) -> Iterator[tuple[Parts, ChatServer]]:
    with chat_server(*replies) as server:
        settings = Settings(
            home=tmp_path / "home", voice="silent", llm_url=server.url, llm_model="tiny", llm_key=SecretStr("secret")
        )
        yield Parts(settings), server


def draft(parts: Parts, made: Storyboard) -> tuple[list[str], dict[str, Any]]:
    changed, record = reworded(made, FACTS, BRIEF, parts)
    assert record
    assert changed.model_dump(exclude={"scenes"}) == made.model_dump(exclude={"scenes"})
    return [scene.voice.text for scene in changed.scenes if scene.voice], record


def own(made: Storyboard) -> list[str]:
    return [scene.voice.text for scene in made.scenes if scene.voice]


def test_without_the_order_no_model_is_asked(tmp_path: Path) -> None:
    made = board("ranking", about=FACTS)
    with house(tmp_path, Reply(500)) as (parts, server):
        assert reworded(made, FACTS, Brief(template="ranking"), parts) == (made, None)
    assert server.asked == []
    with pytest.raises(WrongUsage, match="no language model is set") as refusal:
        reworded(made, FACTS, BRIEF, Parts(Settings(home=tmp_path)))
    assert "FACTORY_LLM_URL" in refusal.value.next_step


def test_good_words_are_taken_once_and_kept(tmp_path: Path) -> None:
    made = board("ranking", about=FACTS)
    with house(tmp_path, rewording(lambda scene, text: f"好，{text}")) as (parts, server):
        said, record = draft(parts, made)
        assert said == [f"好，{text}" for text in own(made)]
        assert all(line["taken"] for line in record["lines"])
        assert draft(parts, made) == (said, record)
    assert len(server.asked) == 1
    assert server.keys == ["Bearer secret"]


def test_each_wrong_line_falls_back_alone_and_the_trace_says_why(tmp_path: Path) -> None:
    made = board("ranking", about=FACTS)

    def change(scene: str, text: str) -> str:
        return {
            "place-1": "榜首是北风 X5，1.99万辆。",
            "place-2": "Second comes the Lumen.",
            "place-3": text.replace("红隼", "最强红隼"),
            "hook": "好，" + text,
        }.get(scene, text + "🚗")

    with house(tmp_path, rewording(change)) as (parts, _):
        said, record = draft(parts, made)
    assert said == ["好，" + own(made)[0], *own(made)[1:]]
    why = {line["scene"]: line.get("why", "") for line in record["lines"]}
    assert "a number that the line does not" in why["place-1"]
    assert "not written in zh-CN" in why["place-2"]
    assert "'最'" in why["place-3"]
    assert "glyph-missing" in why["table"]
    assert record["model"] == "tiny"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, b"who?"),
        Reply(429, headers={"Retry-After": "999"}),
        Reply(body=b"{}", promise=9),
        content({"lines": 5}),
    ],
)
def test_a_model_that_fails_costs_nothing_but_its_words(reply: Reply, tmp_path: Path) -> None:
    made = board("ranking", about=FACTS)
    with house(tmp_path, reply, reply, reply, rewording(lambda scene, text: text)) as (parts, _):
        said, record = draft(parts, made)
    assert said == own(made)
    assert "failed" in record or all(not line["taken"] and line["why"] for line in record["lines"])
    assert "secret" not in str(record)


def test_an_answer_that_is_none_is_not_kept(tmp_path: Path) -> None:
    made = board("ranking", about=FACTS)
    with house(tmp_path, Reply(401), rewording(lambda scene, text: f"好，{text}")) as (parts, _):
        assert draft(parts, made)[0] == own(made)
        assert draft(parts, made)[0] == [f"好，{text}" for text in own(made)]
