"""Periods of tables: a year, a quarter, a month or a day, read from text, in order, each with the one before it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Grain = Literal["year", "quarter", "month", "day"]

_FORMS: tuple[tuple[Grain, re.Pattern[str]], ...] = (
    ("day", re.compile(r"([12]\d{3})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00)?)?")),
    ("month", re.compile(r"([12]\d{3})(?:[-/.]|年|m)(0?[1-9]|1[0-2])月?", re.IGNORECASE)),
    ("month", re.compile(r"([12]\d{3})(0[1-9]|1[0-2])")),
    ("quarter", re.compile(r"([12]\d{3})[-/ 年]?(?:q|第)([1-4])(?:季度?)?", re.IGNORECASE)),
    ("year", re.compile(r"([12]\d{3})(?:\.0)?年?")),
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One period; of one grain, they sort by time."""

    year: int
    part: int = 0  # quarter or month, 0 for a year
    day: int = 0
    grain: Grain = "year"

    def before(self) -> Period:
        """Return the period directly before this one."""
        if self.grain == "year":
            return Period(self.year - 1)
        if self.grain == "day":
            earlier = date(self.year, self.part, self.day) - timedelta(days=1)
            return Period(earlier.year, earlier.month, earlier.day, "day")
        parts = 4 if self.grain == "quarter" else 12
        return (
            Period(self.year, self.part - 1, 0, self.grain)
            if self.part > 1
            else Period(self.year - 1, parts, 0, self.grain)
        )

    def first_day(self) -> date:
        """Return the day that it begins with."""
        month = 3 * self.part - 2 if self.grain == "quarter" else self.part or 1
        return date(self.year, month, self.day or 1)

    def last_day(self) -> date:
        """Return the day that it ends with."""
        if self.grain == "day":
            return self.first_day()
        months = {"year": 12, "quarter": 3, "month": 1}[self.grain]
        after = self.first_day().year * 12 + self.first_day().month - 1 + months
        return date(after // 12, after % 12 + 1, 1) - timedelta(days=1)

    def __str__(self) -> str:
        match self.grain:
            case "year":
                return f"{self.year}"
            case "quarter":
                return f"{self.year}-Q{self.part}"
            case "month":
                return f"{self.year}-{self.part:02d}"
            case "day":
                return f"{self.year}-{self.part:02d}-{self.day:02d}"


def parse_period(text: str) -> Period | None:
    """Return the period that a cell names (`2026-10`, `2026年10月`, `202610`, `2026-Q3`, `2026`), or None."""
    plain = unicodedata.normalize("NFKC", text).strip()
    for grain, form in _FORMS:
        if found := form.fullmatch(plain):
            numbers = [int(group) for group in found.groups()]
            return _checked(grain, *numbers)
    return None


def month_of(text: str) -> int | None:
    """Return the month 1..12 that a cell of a month column names (`3`, `03`, `3月`, `March`), or None."""
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if found := re.fullmatch(r"(\d{1,2})(?:\.0)?月?", plain):
        return int(found[1]) if 1 <= int(found[1]) <= 12 else None
    return _MONTHS.index(plain[:3]) + 1 if plain[:3] in _MONTHS and plain.isalpha() else None


def _checked(grain: Grain, year: int, part: int = 0, day: int = 0) -> Period | None:
    try:
        date(year, part if grain in ("month", "day") else 1, day or 1)
    except ValueError:
        return None
    return Period(year, part, day, grain)
