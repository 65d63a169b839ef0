"""What a template may make of its values, within bounds: nothing long of something short, no number of many digits."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from jinja2.runtime import markup_join
from markupsafe import Markup

MAX_REPEAT = 10_000  # longest sequence that `*` or `range` may make
MAX_JOINED = 200_000  # characters that `~`, `+`, `join` or `replace` may make
MAX_BITS = 4096  # of a whole number
REFUSED_FILTERS = (  # they write markup, chance, or as much as a number says
    *("safe", "random", "center", "pprint", "xmlattr", "urlize"),
    *("format", "indent", "wordwrap", "batch", "slice", "filesizeformat"),
)
REFUSED_METHODS = frozenset(  # of texts: each makes as long a text as it is told to
    ("ljust", "rjust", "center", "zfill", "expandtabs", "format", "format_map", "join", "replace", "translate")
)


class LimitReached(Exception):
    """A template writes or loops more than any storyboard or card needs."""


def calculated(operator: str, left: Any, right: Any) -> None:
    """Raise `LimitReached` where `left operator right` is no plain arithmetic or makes too much."""
    numbers = isinstance(left, int | float | Decimal) and isinstance(right, int | float | Decimal)
    if operator == "+":
        if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
            _room(len(left) + len(right), MAX_JOINED if isinstance(left, str) else MAX_REPEAT)
        return
    if not numbers or (operator == "**" and abs(right) > 64):
        raise LimitReached(f"{operator!r} works on plain numbers only here")
    if operator in ("*", "**") and isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * abs(right) if operator == "**" else left.bit_length() + right.bit_length()
        if bits > MAX_BITS:
            raise LimitReached(f"{operator!r} gives a number of too many digits")


def strung(*values: Any) -> Any:
    """Return what `~` makes of values: their texts in a row."""
    texts = [value if isinstance(value, str) else str(value) for value in values]
    _room(sum(map(len, texts)), MAX_JOINED)
    return markup_join(texts)


def joined_filter(values: Iterable[Any], between: str = "") -> str:
    """`join`: the texts of values with `between` between them; what a macro wrote stays what it is."""
    told = [value if isinstance(value, str) else str(value) for value in values]
    _room(sum(map(len, told)) + len(between) * len(told), MAX_JOINED)
    return Markup(between).join(told) if any(isinstance(text, Markup) for text in told) else between.join(told)  # noqa: S704


def replace_filter(text: str, old: str, new: str) -> str:
    """`replace`: every `old` of a text becomes `new`."""
    _room(len(str(text)) + str(text).count(str(old)) * len(str(new)), MAX_JOINED)
    return str(text).replace(str(old), str(new))


def _room(length: int, most: int) -> None:
    if length > most:
        raise LimitReached(f"it makes something {length} long; {most} is allowed")
