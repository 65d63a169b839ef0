"""A client of the chat-completions protocol (`POST URL/chat/completions`) that answers in JSON of a strict schema.

Bounded on all sides: time, bytes, tokens, tries. Whatever a server sends, the answer is an object or `ChatFailed`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from factory.errors import FactoryError

MOST_BYTES = 1 << 20
MOST_WAIT = 20.0  # seconds; a server that asks for more is not waited for
BACKOFF = 0.5  # seconds before the second try, doubled before each further one


class ChatFailed(FactoryError):
    """No usable answer came, after all tries."""

    code = "chat-failed"
    transient = True


@dataclass(frozen=True, slots=True)
class Chat:
    """One model behind one address. `sleep` and `now` are the clock's, for tests to turn."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    seconds: float = 30.0  # of one try, all in all
    most_tokens: int = 4000
    tries: int = 3
    sleep: Callable[[float], None] = time.sleep

    def ask(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any], *, seed: int = 0) -> dict[str, Any]:
        """Return the object that the model answers with, in the form of `schema`; the caller checks it again.

        Tries again after a lost connection, a timeout, 429 (as long as `Retry-After` says), 5xx and broken JSON.
        """
        body = {
            "model": self.model,
            "messages": list(messages),
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)},
            },
            "max_tokens": self.most_tokens,
            "temperature": 0.7,
            "seed": seed,
        }
        why, wait = "", 0.0
        for number in range(self.tries):
            if number:
                self.sleep(max(wait, BACKOFF * 2 ** (number - 1)))
            try:
                return self._once(body)
            except _TryAgain as again:
                why, wait = again.why, again.wait
                if wait > MOST_WAIT:
                    why = f"{why}, and asks to wait {wait:.0f} s"
                    break
        raise ChatFailed(f"{self.url} gave no answer: {why}", next_step="look at that server, or draft without it")

    def _once(self, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        deadline = time.monotonic() + self.seconds
        try:
            with requests.post(
                f"{self.url.rstrip('/')}/chat/completions",
                json=body,
                headers=headers,
                timeout=self.seconds,
                stream=True,
                allow_redirects=False,  # the key is for this address alone
            ) as answer:
                return _answer(answer.status_code, answer.headers, _bounded(answer, deadline))
        except requests.exceptions.InvalidURL as error:
            raise ChatFailed(f"{self.url[:200]!r} is no address", next_step="mend FACTORY_LLM_URL") from error
        except (requests.Timeout, TimeoutError) as error:
            raise _TryAgain(f"no answer within {self.seconds:g} s") from error
        except (requests.RequestException, OSError) as error:
            raise _TryAgain(f"the connection failed ({type(error).__name__})") from error


class _TryAgain(Exception):
    """A failure that may pass. `wait` is how long the server asks to be left alone, in seconds."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.wait = wait


def _bounded(answer: requests.Response, deadline: float) -> bytes:
    """Read the answer while there is time and room."""
    body = b""
    for piece in answer.iter_content(1 << 14):
        body += piece
        if time.monotonic() > deadline:
            raise TimeoutError
        if len(body) > MOST_BYTES:
            raise ChatFailed("the answer is larger than 1 MiB", next_step="look at that server")
    return body


def _answer(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if status == 429 or status >= 500:
        raise _TryAgain(f"status {status}", _asked_wait(headers.get("Retry-After", "")))
    if status != 200:
        told = body[:200].decode("utf-8", "replace")
        raise ChatFailed(f"status {status}: {told}", next_step="check FACTORY_LLM_URL, FACTORY_LLM_MODEL and the key")
    try:
        choice = json.loads(body)["choices"][0]
        message, ended = choice["message"], choice.get("finish_reason")
        if message.get("refusal"):
            raise ChatFailed("the model refuses to answer", next_step="draft without it")
        content = json.loads(message["content"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _TryAgain("the answer is no JSON of the protocol") from error
    if ended not in (None, "stop") or not isinstance(content, dict):
        raise _TryAgain(f"the answer is not whole ({ended})" if ended != "stop" else "the answer is no object")
    return content


def _asked_wait(header: str) -> float:
    """Return the seconds that a Retry-After header (a number, or a date) asks for, 0 where it says nothing."""
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
