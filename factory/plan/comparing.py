"""Two or three cars side by side: which properties both state, and where one figure is the better one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from factory.plan.facts import Car, Locale, Spec
from factory.plan.numbers import UNITS

Better = Literal["higher", "lower"]
Undecided = Literal["", "missing", "cycles", "units", "no-better"]

BETTER: Mapping[str, Better] = {
    "price": "lower",
    "range_km": "higher",
    "zero_to_100_s": "lower",
    "power_kw": "higher",
    "torque_nm": "higher",
    "top_speed_kmh": "higher",
    "consumption": "lower",
    "dc_max_kw": "higher",
    "ac_max_kw": "higher",
    "ground_clearance_mm": "higher",
    "wading_mm": "higher",
}
"""The properties of which more, or less, is better for a buyer; a longer car or a larger battery is only larger."""
_ASKED = (*BETTER, "battery_kwh", "wheelbase_mm", "length_mm", "width_mm", "height_mm", "seats", "weight_kg")


@dataclass(frozen=True, slots=True)
class Compared:
    """One property of all cars, in the cars' order; None where a car's table does not state it.

    `best` are the places of the better figures: several where these are equal, none where `undecided` says why.
    """

    key: str
    name_zh: str
    name_en: str
    specs: tuple[Spec | None, ...]
    best: tuple[int, ...]
    undecided: Undecided = ""

    def name(self, locale: Locale) -> str:
        return self.name_zh if locale == "zh-CN" else self.name_en

    @property
    def stated(self) -> tuple[Spec, ...]:
        return tuple(spec for spec in self.specs if spec)

    @property
    def equal(self) -> bool:
        """Do all cars state the same figure?"""
        return len(self.best) == len(self.specs)

    @property
    def shares(self) -> tuple[float, ...]:
        """Each figure as a part of the largest, 0 to 1, for bars from zero; below 0 where figures cannot be set side by
        side."""
        if self.undecided not in ("", "no-better") or len({_in_base(spec)[1] for spec in self.stated}) > 1:
            return (-1.0,) * len(self.specs)
        values = [_in_base(spec)[0] for spec in self.stated]
        return tuple(float(value / max(values)) if max(values) > 0 else -1.0 for value in values)


def compare(cars: Sequence[Car]) -> tuple[Compared, ...]:
    """Return every property that a car states: those of all cars first, then as buyers ask for them.

    Properties of one key that bear different names (指导价 beside 成交价) are different properties.
    """
    names = dict.fromkeys((spec.key, spec.name_zh) for car in cars for spec in car.specs)
    found = [_compared(key, name_zh, cars) for key, name_zh in names]
    rank = {key: place for place, key in enumerate(_ASKED)}
    return tuple(sorted(found, key=lambda row: (None in row.specs, rank.get(row.key, len(rank)))))


def _compared(key: str, name_zh: str, cars: Sequence[Car]) -> Compared:
    specs = tuple(next((s for s in car.specs if (s.key, s.name_zh) == (key, name_zh)), None) for car in cars)
    stated = [spec for spec in specs if spec]
    undecided = _undecided(key, specs)
    best: tuple[int, ...] = ()
    if not undecided:
        values = [_in_base(spec)[0] for spec in stated]
        target = max(values) if BETTER[key] == "higher" else min(values)
        best = tuple(place for place, value in enumerate(values) if value == target)
    return Compared(key, name_zh, stated[0].name_en, specs, best, undecided)


def _undecided(key: str, specs: Sequence[Spec | None]) -> Undecided:
    stated = [spec for spec in specs if spec]
    if len(stated) < len(specs):
        return "missing"
    if len({spec.cycle for spec in stated}) > 1:
        return "cycles"
    if len({_in_base(spec)[1] for spec in stated}) > 1:
        return "units"
    return "" if key in BETTER else "no-better"


def _in_base(spec: Spec) -> tuple[Decimal, str]:
    unit = UNITS.get(spec.unit)
    return (spec.value * unit.scale, unit.base or spec.unit) if unit else (spec.value, spec.unit)
