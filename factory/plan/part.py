"""What every piece of a storyboard is made of: frozen fields, values of the very type, and no key that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def whole(value: object) -> object:
    """Return 3 for 3.0, as JSON Schema does; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Seconds = Annotated[float, Field(gt=0, le=600)]
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Whole = Annotated[int, BeforeValidator(whole)]
Words = Annotated[  # one alone needs no brackets
    tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])
]


class Part(BaseModel):
    """A piece of a storyboard. It is read from JSON and takes what the schema says: a `"3"` is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def hint(word: object, known: Iterable[str], listed: str) -> str:
    """Return the nearest known word as a question, or all of them (`listed`) where none is near."""
    close = get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known are {listed}"
