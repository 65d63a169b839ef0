"""What every piece of a storyboard is made of: frozen fields, and a refusal of unknown keys that names the nearest."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Seconds = Annotated[float, Field(gt=0, le=600)]
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class Part(BaseModel):
    """A piece of a storyboard. Unknown keys are refused with the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: object) -> object:
        unknown = [str(key)[:60] for key in data if key not in cls.model_fields] if isinstance(data, dict) else []
        if unknown:
            near = hint(unknown[0], cls.model_fields, ", ".join(cls.model_fields))
            raise PydanticCustomError("unknown_key", "unknown key '{key}' ({hint})", {"key": unknown[0], "hint": near})
        return data


def hint(word: object, known: Iterable[str], listed: str) -> str:
    """Return the nearest known word as a question, or all of them (`listed`) where none is near."""
    close = get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known are {listed}"
