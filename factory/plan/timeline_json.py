"""A timeline as JSON text and back, exactly: the form that is stored, edited in the page and put beside the video.

Fractions travel as `"num/den"`, each layer says its `type` (clip, image, card or color), and the text says its
`version`. What is read may come from a person: every value is typed, every key known, every size bounded.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pydantic import TypeAdapter, ValidationError

from factory.plan.timeline import (
    VERSION,
    CardLayer,
    ClipLayer,
    ColorLayer,
    ImageLayer,
    Layer,
    Timeline,
    TimelineInvalid,
)

LAYER_TYPES: dict[str, type[Layer]] = {"clip": ClipLayer, "image": ImageLayer, "card": CardLayer, "color": ColorLayer}
TYPE_NAMES: dict[type, str] = {kind: name for name, kind in LAYER_TYPES.items()}
MAX_CHARACTERS = 16_000_000

_timeline = TypeAdapter(Timeline)
_layers = {name: TypeAdapter[Layer](kind) for name, kind in LAYER_TYPES.items()}
_FRACTION = re.compile(r"-?[0-9]{1,18}/[0-9]{1,18}")


class TimelineUnreadable(TimelineInvalid):
    """Text that is no timeline of this version."""

    code = "timeline-unreadable"


def to_json(timeline: Timeline) -> str:
    """Return the timeline as indented JSON. `data` and `notes` must be plain JSON values (lists, not tuples)."""
    return json.dumps(_plain(timeline), ensure_ascii=False, indent=1, allow_nan=False)


def from_json(text: str) -> Timeline:
    """Return the timeline that `to_json` wrote; `TimelineUnreadable` names the place where the text is wrong."""
    plain = _parse(text)
    try:
        _revive(plain)
        return _timeline.validate_python(plain, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top"
        raise TimelineUnreadable(f"timeline JSON at {place}: {first['msg']}") from error


def _parse(text: str) -> dict[str, Any]:
    if len(text) > MAX_CHARACTERS:
        raise TimelineUnreadable(f"the timeline has {len(text)} characters; {MAX_CHARACTERS} are allowed")
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TimelineUnreadable(f"the timeline is no JSON: {error}") from error
    if not isinstance(plain, dict):
        raise TimelineUnreadable("the timeline is not a JSON object")
    if plain.get("version") != VERSION:
        raise TimelineUnreadable(
            f"the timeline has version {plain.get('version')!r}; this program reads version {VERSION}",
            next_step="plan the video anew with this program",
        )
    return plain


def _plain(value: object) -> object:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        kind = TYPE_NAMES.get(type(value))
        return {"type": kind, **fields} if kind else fields
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _revive(plain: dict[str, Any]) -> None:
    """Put fractions and layers in place of their text, in the freshly parsed tree."""
    _fraction(plain.get("canvas"), "fps", "canvas")
    for scene_number, scene in enumerate(_items(plain, "scenes", "the timeline")):
        where = f"scenes.{scene_number}"
        layers = _items(scene, "layers", where)
        scene["layers"] = [_layer(layer, f"{where}.layers.{number}") for number, layer in enumerate(layers)]
        for number, line in enumerate(_items(scene, "lines", where)):
            _fraction(line.get("speech"), "seconds", f"{where}.lines.{number}.speech")


def _items(owner: dict[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    items = owner.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise TimelineUnreadable(f"timeline JSON at {where}: {key} is not a list of objects")
    return items


def _layer(plain: dict[str, Any], where: str) -> Layer:
    kind = plain.pop("type", None)
    adapter = _layers.get(kind) if isinstance(kind, str) else None
    if adapter is None:
        raise TimelineUnreadable(f"timeline JSON at {where}: type {kind!r} is none of {', '.join(LAYER_TYPES)}")
    for key in ("source_start", "speed"):
        _fraction(plain, key, where)
    try:
        return adapter.validate_python(plain, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join([where, *(str(part) for part in first["loc"])])
        raise TimelineUnreadable(f"timeline JSON at {place}: {first['msg']}") from error


def _fraction(owner: object, key: str, where: str) -> None:
    if not isinstance(owner, dict) or key not in owner:
        return
    text = owner[key]
    if not isinstance(text, str) or not _FRACTION.fullmatch(text) or int(text.partition("/")[2]) == 0:
        raise TimelineUnreadable(f"timeline JSON at {where}.{key}: {text!r:.60} is not a fraction like 30000/1001")
    owner[key] = Fraction(text)
