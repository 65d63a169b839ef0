"""The options that say what is ordered: `make`, `batch` and `preview` take them under the same names."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from factory.cli.console import key_value
from factory.errors import WrongUsage
from factory.plan.brief import Brief
from factory.plan.deadline import read_deadline
from factory.store.columns import utc_now
from factory.store.job import Wishes

Kind = Annotated[str, typer.Argument(help="kind of video")]
Subject = Annotated[str | None, typer.Option(help='car or ranking of the catalogue; several cars as "a, b"')]
Sql = Annotated[str, typer.Option("--sql", help="one SELECT whose answer is the table")]
From = Annotated[str, typer.Option("--from", help="database that is asked: an SQLAlchemy URL, or env:NAME of one")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="input of the template, key=value")]
Language = Annotated[str, typer.Option(help="zh-CN or en-US")]
Seconds = Annotated[int | None, typer.Option(help="wished length")]
Look = Annotated[str, typer.Option(help="brand kit")]
Seed = Annotated[int, typer.Option(help="same seed, same video")]
Aspects = Annotated[list[str] | None, typer.Option(help="16:9, 9:16 or 1:1; repeatable")]
Series = Annotated[str | None, typer.Option(help="series that it belongs to")]
CooldownDays = Annotated[int | None, typer.Option(help="days that a shot rests in its series")]
Draft = Annotated[bool, typer.Option("--draft", help="half size, quick")]
Priority = Annotated[int, typer.Option(min=0, max=9, help="0 to 9; 9 is taken first")]
Deadline = Annotated[str, typer.Option(help="it is not begun after 2026-12-01T09:00+08:00")]
CodecName = Annotated[str, typer.Option(help="h264, h265 or av1")]


def wishes_of(priority: int, deadline: str) -> Wishes:
    """Return when an order is wanted; a deadline that is unclear or over is refused."""
    return Wishes(priority, read_deadline(deadline, utc_now()) if deadline else None)


def brief_of(*, sets: Sequence[str] | None, aspect: Sequence[str] | None, **values: Any) -> Brief:
    """Return the order that options say, or name the option that is wrong."""
    given = dict(key_value(text) for text in sets or ())
    try:
        return Brief(set=given, aspects=tuple(aspect or ("16:9",)), **values)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = "--" + str(first["loc"][0]).replace("aspects", "aspect") if first["loc"] else "the order"
        said = textwrap.shorten(repr(first["input"]), 80, placeholder="...")
        raise WrongUsage(f"{name}: {first['msg']}, not {said}", next_step="see factory make --help") from None
