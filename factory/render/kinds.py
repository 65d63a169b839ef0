"""What a storyboard template says of itself in the comment it opens with: title, needs, usual length, inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from factory.errors import WrongUsage
from factory.plan.facts import Locale
from factory.plan.layer_parts import PICTURE

_COMMENT = re.compile(r"\A\s*\{#(.*?)#\}", re.DOTALL)


class KindUnreadable(WrongUsage):
    """The opening comment of a storyboard template is missing or wrong."""

    code = "template-undescribed"


class InputRefused(WrongUsage):
    """`--set key=value` that the template does not take."""

    code = "input-refused"


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str
    en: str

    def of(self, locale: Locale) -> str:
        return self.zh if locale == "zh-CN" else self.en


class Input(BaseModel):
    """One typed input. `choices` limits a text; without `default` an empty text or 0 is taken. An image is named as a
    storyboard names it; on the command line by its path."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["text", "integer", "flag", "image"] = "text"
    default: str | int | bool | None = None
    choices: tuple[str, ...] = ()
    maximum: int | None = None
    about: str = ""

    def read(self, key: str, text: str | None) -> str | int | bool:
        """Return the value of `text`, or the default where nothing was given."""
        if text is None:
            empty: dict[str, str | int | bool] = {"text": "", "integer": 0, "flag": False, "image": ""}
            return empty[self.type] if self.default is None else self.default
        if self.type == "integer":
            return self._integer(key, text)
        if self.type == "flag":
            return self._flag(key, text)
        if self.type == "image" and text and not re.fullmatch(PICTURE, text):
            step = "name a PNG, JPEG or WebP of the folder images, or on the command line the path of one"
            raise InputRefused(f"{key} cannot be {text[:80]!r}", next_step=step)
        if self.choices and text not in self.choices:
            raise InputRefused(f"{key} cannot be {text[:80]!r}", next_step=f"use one of: {', '.join(self.choices)}")
        if len(text) > (self.maximum or 200):
            limit = self.maximum or 200
            raise InputRefused(f"{key} has {len(text)} characters, at most {limit}", next_step="shorten it")
        return text

    def _integer(self, key: str, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text.strip()) or (self.maximum is not None and int(text) > self.maximum):
            limit = "" if self.maximum is None else f" up to {self.maximum}"
            raise InputRefused(f"{key} cannot be {text[:80]!r}", next_step=f"give a whole number{limit}")
        return int(text)

    def _flag(self, key: str, text: str) -> bool:
        if text.lower() not in ("yes", "no", "true", "false"):
            raise InputRefused(f"{key} cannot be {text[:80]!r}", next_step="give yes or no")
        return text.lower() in ("yes", "true")


class Kind(BaseModel):
    """A kind of video. `needs` names what the facts must hold; `seconds` is its usual length; `takes_table` says that
    a kind which needs nothing reads the rows of a table itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: _Words
    description: _Words
    needs: Literal["car", "cars", "ranking", "prices", "nothing"] = "nothing"
    seconds: int = Field(default=35, ge=10, le=300)
    takes_table: bool = False
    inputs: dict[str, Input] = Field(default_factory=dict)

    def inputs_from(self, given: Mapping[str, str]) -> dict[str, str | int | bool]:
        """Return every declared input with its value; an undeclared key is refused with the nearest declared one."""
        for key in given:
            if key not in self.inputs:
                near = get_close_matches(key, list(self.inputs), 1)
                known = f"known inputs: {', '.join(self.inputs) or 'none'}"
                raise InputRefused(
                    f"{self.name} has no input {key[:80]!r}", next_step=f"did you mean {near[0]}?" if near else known
                )
        return {key: declared.read(key, given.get(key)) for key, declared in self.inputs.items()}


def read_kind(name: str, source: str, path: str) -> Kind:
    """Read the opening comment of the template `source`; `path` names it in errors."""
    found = _COMMENT.match(source)
    step = "open the template with {# title: {zh: ..., en: ...}, description: {zh: ..., en: ...} #}"
    if not found:
        raise KindUnreadable(f"{path} does not open with a comment that describes it", next_step=step)
    try:
        return Kind(**{**(yaml.safe_load(found[1]) or {}), "name": name})
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        raise KindUnreadable(f"{path}: its opening comment cannot be read: {error}", next_step=step) from error
