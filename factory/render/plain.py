"""Values of the factory as plain JSON, and JSON as YAML reads it back: the only way data enters a storyboard."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

_NOT_YAML = re.compile("[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def as_yaml(value: Any) -> str:
    """Return `value` as one line of JSON that YAML 1.1 reads as the same value, whatever its text holds."""
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False)
    return _NOT_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def plain(value: Any) -> Any:
    """Return `value` as JSON knows it: numbers of exact kinds become text, records become objects."""
    match value:
        case None | str() | int():
            return value
        case float():
            return _plain_float(value)
        case Decimal():
            return format(value, "f")
        case Fraction():
            return str(value)
        case BaseModel():
            return plain(value.model_dump())
    return _plain_collection(value)


def _plain_collection(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    raise TypeError(f"a {type(value).__name__} cannot be written into a template")


def _plain_float(value: float) -> float | int:
    """Floats are seconds and sizes: four places are plenty, and no exponent, which YAML would read as text."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number that a storyboard can hold")
    return int(value) if value.is_integer() else round(value, 4)
