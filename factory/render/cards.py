"""What a card template draws with: the canvas's layout, letter widths, counting numbers, words of both locales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

from factory.plan.facts import Locale
from factory.plan.numbers import exact
from factory.plan.timeline import Canvas
from factory.render import lettering
from factory.render.flow import flow
from factory.render.fonts import FAMILY
from factory.render.layout import layout_for
from factory.render.lettering import drawable
from factory.render.phrases import Phrases

MARKS = 4  # spaces between the marks of an axis, about


def card_tools(canvas: Canvas, locale: Locale, progress: float) -> dict[str, Any]:
    """Return the names that a card template sees beside `data` and `brand`. Texts are measured as they are drawn."""
    return {
        "canvas": canvas,
        "box": layout_for(canvas),
        "family": FAMILY,
        "progress": progress,
        "tr": Phrases(locale).tr,
        "ease": ease,
        "count": count,
        "figure": figure,
        "share": share,
        "largest": largest,
        "ticks": ticks,
        "along": along,
        "text_width": lambda text, size: lettering.text_width(drawable(text), size),
        "fit_size": lambda text, size, max_width, min_size: lettering.fit_size(
            drawable(text), size, max_width, min_size
        ),
        "shorten": lambda text, size, max_width: lettering.shorten(drawable(text), size, max_width),
        "wrap": lambda text, size, max_width, max_lines, balanced=True: lettering.wrap(
            drawable(text), size, max_width, max_lines, balanced=balanced
        ),
        "wrap_beside": lambda text, size, max_width, aside, max_lines: lettering.wrap_beside(
            drawable(text), size, max_width, aside, max_lines
        ),
        "widest": lambda lines, size: max((lettering.text_width(drawable(line), size) for line in lines), default=0.0),
        "flow": flow,
        "min": min,
        "max": max,
        "even": lambda pixels: int(pixels // 2) * 2,
    }


def ease(progress: float) -> float:
    """Fast first, settling at the end: cubic, 0 to 1."""
    return 1.0 - (1.0 - min(max(progress, 0.0), 1.0)) ** 3


def number(value: object) -> Decimal:
    """Return a card's number exactly; anything else is refused."""
    try:
        exact = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"{str(value)[:40]!r} is no number") from error
    if not exact.is_finite():
        raise ValueError(f"{value} is no number that can be shown")
    return exact


def figure(value: object) -> str:
    """Write a number exactly, all its places kept, thousands grouped."""
    return exact(number(value))


def count(value: object, progress: float) -> str:
    """Write how far `value` has counted up: as many places as `value` has, and exactly `value` at progress 1."""
    whole = number(value)
    if progress >= 1:
        return exact(whole)
    return exact((whole * Decimal(str(max(progress, 0.0)))).quantize(whole))


def share(value: object, full: object) -> float:
    """Return `value` as a part of `full` from a common zero, 0 to 1."""
    whole = number(full)
    return float(min(max(number(value) / whole, Decimal(0)), Decimal(1))) if whole > 0 else 0.0


def largest(points: Sequence[Mapping[str, Any]]) -> Decimal:
    """Return the largest `value` of a chart's points."""
    return max((number(point["value"]) for point in points), default=Decimal(0))


def ticks(points: Sequence[Mapping[str, Any]], from_zero: bool) -> list[Decimal]:
    """Return the marks of an axis, evenly spaced round numbers that enclose every `value`; zero too where it is to."""
    values = [number(point["value"]) for point in points] + ([Decimal(0)] if from_zero else [])
    low, high = min(values), max(values)
    least = (high - low) / MARKS or abs(high) or Decimal(1)
    power = Decimal(1).scaleb(least.adjusted())
    step = next(power * size for size in (1, 2, Decimal("2.5"), 5, 10) if power * size >= least)
    first, last = (low / step).to_integral_value(ROUND_FLOOR), (high / step).to_integral_value(ROUND_CEILING)
    return [step * place for place in range(int(first), max(int(last), int(first) + 1) + 1)]


def along(value: object, marks: Sequence[Decimal]) -> float:
    """Return where `value` stands between the first and the last mark of an axis, 0 to 1."""
    low, high = marks[0], marks[-1]
    return float((number(value) - low) / (high - low)) if high > low else 0.5
