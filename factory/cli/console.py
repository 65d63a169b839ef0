"""What all commands share: the house, answers on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from factory.errors import WrongUsage
from factory.store.db import require_migrated
from factory.wiring import Parts, parts
from understanding.errors import Refused

AsJson = Annotated[bool, typer.Option("--json", help="answer in JSON")]

SOME_REFUSED = 3


def open_house() -> Parts:
    """Return parts over a database that answers and is up to date; refused in one sentence otherwise."""
    house = parts()
    require_migrated(house.sessions.engine)
    return house


def print_json(value: Any) -> None:
    print_line(json.dumps(value, ensure_ascii=False, indent=1))


def print_scores(scores: Mapping[str, Any], *, as_json: bool) -> None:
    print_json(scores) if as_json else print_line("\n".join(f"{name:<16}{value}" for name, value in scores.items()))


def print_line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


@contextmanager
def understood() -> Iterator[None]:
    """Say what the understanding refuses as the factory says it."""
    try:
        yield
    except Refused as refusal:
        wrong = WrongUsage(refusal.cause, next_step=refusal.next_step)
        wrong.code = refusal.code  # type: ignore[misc]  # the code of the understanding is kept
        raise wrong from refusal


def key_value(text: str, option: str = "--set", example: str = "top=5") -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise WrongUsage(f"{option} {text!r} is no key=value", next_step=f"write for example {option} {example}")
    return key.strip(), value


def show_progress(share: float, what: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{share:5.1%}  {what:<40}" + ("\n" if share >= 1 else ""))
        sys.stderr.flush()


def advance(bar: Any, done: int, total: int, name: str) -> None:
    bar.total = total
    bar.set_postfix_str(name)
    bar.update(done - bar.n)
