"""YAML as plain JSON values, with the line of every one of them.

A subset on purpose: no anchors, no tags, no duplicate keys, and only what JSON has (text, numbers, true, false, null),
so that a date, a `12:30` or a `no` stays the text that was written.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 32

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a line (from 1) and a path of keys and indexes."""

    line: int
    path: Path
    why: str

    @property
    def where(self) -> str:
        return ".".join(str(part)[:60] for part in self.path)


class YamlRefused(ValueError):
    """Text that is no YAML, or more than this subset of it."""

    def __init__(self, line: int, path: Path, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.problem = Problem(line, path, why)


@dataclass(frozen=True, slots=True)
class MarkedYaml:
    """The value, and the line at which each path of it stands."""

    value: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Return the line of a path, or of the nearest thing that holds it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def load(text: str) -> MarkedYaml:
    """Return the one document of `text`; raises `YamlRefused`."""
    if len(text) > MAX_CHARACTERS:
        raise YamlRefused(1, (), f"it has {len(text)} characters; {MAX_CHARACTERS} are allowed")
    try:
        root = yaml.compose(text, Loader=_JsonLike)
    except yaml.YAMLError as error:
        raise YamlRefused(_line_of(error), (), _plain_cause(error)) from error
    except RecursionError as error:
        raise YamlRefused(1, (), f"it is nested deeper than {MAX_DEPTH}") from error
    if root is None:
        raise YamlRefused(1, (), "it is empty")
    lines: dict[Path, int] = {(): root.start_mark.line + 1}
    return MarkedYaml(_value(root, (), lines), lines)


class _JsonLike(yaml.SafeLoader):
    """Composes nodes; plain scalars are resolved as JSON resolves them."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own shape

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML types no events
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not used here", mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(0|[1-9][0-9]{0,17})", "-0123456789"),
    ("float", r"-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?", "-0123456789"),
):
    _JsonLike.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def _value(node: Node, path: Path, lines: dict[Path, int]) -> Any:
    if len(path) > MAX_DEPTH:
        raise YamlRefused(node.start_mark.line + 1, path[:3], f"it is nested deeper than {MAX_DEPTH}")
    if isinstance(node, MappingNode) and node.tag == "tag:yaml.org,2002:map":
        return _mapping(node, path, lines)
    if isinstance(node, SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        return _sequence(node, path, lines)
    if isinstance(node, ScalarNode):
        return _scalar(node, path)
    raise YamlRefused(node.start_mark.line + 1, path, f"the tag {node.tag} is not used here")


def _mapping(node: MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            raise YamlRefused(line, path, "a key must be plain text")
        key = _text(key_node, path)
        if key in mapping:
            raise YamlRefused(line, (*path, key), f"the key {key[:60]!r} stands here twice")
        lines[(*path, key)] = line
        mapping[key] = _value(value_node, (*path, key), lines)
    return mapping


def _sequence(node: SequenceNode, path: Path, lines: dict[Path, int]) -> list[Any]:
    items = []
    for number, item in enumerate(node.value):
        lines[(*path, number)] = item.start_mark.line + 1
        items.append(_value(item, (*path, number), lines))
    return items


_READERS: dict[str, Callable[[str], bool | int | float]] = {
    "bool": {"true": True, "false": False}.__getitem__,
    "int": int,
    "float": float,
}


def _scalar(node: ScalarNode, path: Path) -> Any:
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if kind == "str":
        return _text(node, path)
    if kind == "null":
        return None
    try:
        number = _READERS[kind](node.value)
    except (KeyError, ValueError) as error:  # only a tag written out (!!int x) comes here
        raise YamlRefused(
            node.start_mark.line + 1, path, f"{kind[:60]} {node.value[:60]!r} is not used here"
        ) from error
    if isinstance(number, float) and not math.isfinite(number):
        raise YamlRefused(node.start_mark.line + 1, path, f"{node.value[:60]} is too large a number")
    return number


def _text(node: ScalarNode, path: Path) -> str:
    for character in node.value:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t":
            raise YamlRefused(node.start_mark.line + 1, path, f"the text holds the character U+{ord(character):04X}")
    return str(node.value)


def _line_of(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def _plain_cause(error: yaml.YAMLError) -> str:
    cause = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
    return f"no YAML: {cause}"
