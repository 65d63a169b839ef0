"""Numbers with their units as a video writes them: rounded in a sentence, exact on a card, each in its language."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from factory.plan.facts import Locale, Spec
from factory.plan.numbers import UNITS, exact, format_value, unit_name, unit_of

_UNITS_AS_SAID = {
    "km": "公里",
    "km/h": "公里每小时",
    "mm": "毫米",
    "kg": "公斤",
    "s": "秒",
    "min": "分钟",
    "kW": "千瓦",
}
_UNITS_AS_SAID |= {"kWh": "度", "kWh/100km": "度每百公里", "L/100km": "升每百公里", "N·m": "牛米"}


def said(value: Decimal, unit: str, locale: Locale) -> str:
    """Return a number with its unit as a sentence says it: rounded, Chinese with the Chinese name of the unit."""
    spoken = format_value(value, unit, locale).spoken
    name = unit_of(unit)
    if locale == "zh-CN" and name in _UNITS_AS_SAID:
        return spoken.removesuffix(name).rstrip() + _UNITS_AS_SAID[name]
    return spoken


def shown(value: Decimal, unit: str, locale: Locale) -> dict[str, str]:
    """Return number and unit for a card, exact; a Chinese price stands in 万元 where two places are enough for it."""
    kind = UNITS.get(unit_of(unit))
    if locale == "zh-CN" and kind and kind.kind == "money" and kind.scale == 1 and value >= 10_000 and value % 100 == 0:
        return {"value": f"{(value / 10_000).normalize():f}", "unit": f"万{kind.zh}"}
    if locale == "en-US" and kind and kind.scale > 1:
        return shown(value * kind.scale, kind.base, locale)
    return {"value": exact(value), "unit": unit_name(unit, locale, value)}


def shown_alike(values: Sequence[Decimal], unit: str, locale: Locale) -> list[dict[str, str]]:
    """Return numbers for one card in one and the same unit: 189,850 元 beside 174,800 元, not beside 17.48 万元."""
    told = [shown(value, unit, locale) for value in values]
    if len({figure["unit"] for figure in told}) <= 1:
        return told
    return [{"value": exact(value), "unit": unit_name(unit, locale, value)} for value in values]


def is_price(spec: Spec) -> bool:
    """Tell a price from other specs, by its key."""
    return any(word in spec.key.lower() for word in ("price", "msrp"))


def said_spec(spec: Spec, locale: Locale) -> str:
    """Return the value of a car's property as a sentence says it: seats in English without their unit."""
    return str(spec.value) if spec.key == "seats" and locale == "en-US" else said(spec.value, spec.unit, locale)
