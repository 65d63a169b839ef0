"""Numbers with their units in the words of each locale: exact on the screen, rounded as people say them in speech."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from factory.plan.facts import Locale, Spec

_UNITS: dict[str, tuple[str, str]] = {
    "km": ("公里", "km"),
    "km/h": ("公里/小时", "km/h"),
    "m": ("米", "m"),
    "mm": ("毫米", "mm"),
    "cm": ("厘米", "cm"),
    "kg": ("公斤", "kg"),
    "s": ("秒", "s"),
    "kW": ("千瓦", "kW"),
    "kWh": ("千瓦时", "kWh"),
    "kWh/100km": ("千瓦时/百公里", "kWh/100 km"),
    "L/100km": ("升/百公里", "L/100 km"),
    "Nm": ("牛·米", "Nm"),
    "L": ("升", "L"),
    "hp": ("马力", "hp"),
    "CNY": ("元", "yuan"),
    "USD": ("美元", "US dollars"),
    "EUR": ("欧元", "euros"),
    "units": ("辆", "units"),
    "cars": ("辆", "cars"),
    "seats": ("座", "seats"),
    "stars": ("星", "stars"),
    "points": ("分", "points"),
    "%": ("%", "%"),
}
_SPOKEN_EN = {"km": "kilometres", "km/h": "kilometres an hour", "mm": "millimetres", "kg": "kilograms", "s": "seconds"}
_SPOKEN_EN |= {
    "kW": "kilowatts",
    "kWh": "kilowatt-hours",
    "Nm": "newton metres",
    "L": "litres",
    "hp": "horsepower",
    "%": "percent",
}
_MONEY = {"CNY": "¥", "USD": "$", "EUR": "€"}


@dataclass(frozen=True, slots=True)
class Figures:
    """Writes numbers for one locale."""

    locale: Locale

    @property
    def chinese(self) -> bool:
        return self.locale == "zh-CN"

    def unit(self, unit: str) -> str:
        """Return the word of a unit, or the unit itself where it has none."""
        key = _key(unit)
        return _UNITS[key][0 if self.chinese else 1] if key else unit

    def shown(self, value: Decimal, unit: str) -> dict[str, str]:
        """Return `value` and `unit` for a card: exact, grouped; Chinese prices in 万元 where that loses nothing."""
        if self.chinese and _key(unit) == "CNY" and value >= 10_000 and value % 100 == 0:
            return {"value": f"{(value / 10_000).normalize():f}", "unit": "万元"}
        return {"value": f"{value:,f}", "unit": self.unit(unit)}

    def said(self, value: Decimal, unit: str) -> str:
        """Return the number and its unit as a sentence says them: large counts rounded to three figures."""
        if self.chinese:
            return self._said_zh(value, unit)
        word = _SPOKEN_EN.get(_key(unit) or "", self.unit(unit))
        return f"{rounded(value):,f} {word}" if value >= 10_000 else f"{value:,f} {word}"

    def _said_zh(self, value: Decimal, unit: str) -> str:
        word = self.unit(unit)
        if value < 10_000:
            return f"{value:f}{word}"
        scale, name = (Decimal(100_000_000), "亿") if value >= 100_000_000 else (Decimal(10_000), "万")
        exact = _key(unit) == "CNY" and value % 100 == 0
        amount = value / scale if exact else rounded(value) / scale
        return f"{amount.normalize():f}{name}{word}"


def rounded(value: Decimal, places: int = 3) -> Decimal:
    """Return `value` with `places` leading figures, the rest zero."""
    if not value:
        return value
    step = Decimal(1).scaleb(value.adjusted() - places + 1)
    return ((value / step).quantize(Decimal(1), ROUND_HALF_UP) * step).quantize(Decimal(1))


def is_price(spec: Spec) -> bool:
    """Tell a price from other specs, by its key."""
    return any(word in spec.key.lower() for word in ("price", "msrp"))


def _key(unit: str) -> str | None:
    for key, words in _UNITS.items():
        if unit == key or unit in words or unit.lower() == key.lower():
            return key
    return None
