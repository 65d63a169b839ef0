"""What a storyboard template says of itself in the comment it opens with: title, needs, usual length, inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from factory.errors import WrongUsage
from factory.plan.facts import Locale
from factory.plan.layer_parts import PICTURE
from factory.plan.marked_yaml import Problem, YamlRefused, load
from factory.plan.part import hint

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
    step = "open the template with {# title: {zh: ..., en: ...}, description: {zh: ..., en: ...} #}"
    if not (found := _COMMENT.match(source)):
        raise KindUnreadable(f"{path} does not open with a comment that describes it", next_step=step)
    if problems := kind_problems(source):
        first, more = problems[0], len(problems) - 1
        where = f"{path}, line {first.line}: " + (f"{first.where}: " if first.path else "")
        raise KindUnreadable(f"{where}{first.why}" + (f" (and {more} more)" if more else ""), next_step=step)
    return Kind(**{**yaml.safe_load(found[1]), "name": name})


def kind_problems(source: str) -> tuple[Problem, ...]:
    """Return all that is wrong with what a template says of itself, by line."""
    found = _COMMENT.match(source)
    if not found:
        return (
            Problem(1, (), "it does not open with a comment that describes it: {# title: ..., description: ... #}"),
        )
    above = source[: found.start(1)].count("\n")
    try:
        marked, values = load(found[1]), yaml.safe_load(found[1])
        if isinstance(values, dict):
            Kind(**{**{str(key): value for key, value in values.items()}, "name": "x"})
    except YamlRefused as refusal:
        return (replace(refusal.problem, line=refusal.problem.line + above),)
    except yaml.YAMLError as error:
        return (Problem(1 + above, (), str(error).partition("\n")[0]),)
    except ValidationError as error:
        said = [(detail, tuple(detail["loc"])) for detail in error.errors(include_url=False)]
        lines = [Problem(marked.line(path) + above, path, _why(detail)) for detail, path in said]
        return tuple(sorted(lines, key=lambda problem: problem.line))
    return () if isinstance(values, dict) else (Problem(1 + above, (), "its opening comment is no list of key: value"),)


def _why(detail: ErrorDetails) -> str:
    if detail["type"] != "extra_forbidden":
        return detail["msg"][:1].lower() + detail["msg"][1:]
    kinds: dict[int, type[BaseModel]] = {1: Kind, 2: _Words}
    kind = kinds.get(len(detail["loc"]), Input)
    known = [key for key in kind.model_fields if kind is not Kind or key != "name"]
    return f"unknown key {str(detail['loc'][-1])[:60]!r} ({hint(detail['loc'][-1], known, ', '.join(known))})"
