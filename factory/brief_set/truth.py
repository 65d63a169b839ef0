"""What the numbers ought to be: a table as the checker reads it itself, with the csv module and nothing of the
factory's.

Numbers are exact (`Decimal`). `1.23万` is 12300; a shown number may be rounded where it is spoken, and then counts as
right where a number of the table rounds to it.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, permutations
from pathlib import Path
from typing import Final

from factory.brief_set.orders import TABLES, Ordered, TableTruth

_NUMBER = re.compile(r"(\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)\s?(万|亿|million|billion)?")
TENS: Final = {"万": 10**4, "亿": 10**8, "million": 10**6, "billion": 10**9}
_UNITS = re.compile(r"/\s?100\s?km|0\s?[–-]\s?100(?:\s?km/h)?|/\s?100\s?公里|\b4x4\b", re.IGNORECASE)  # digits of units


@dataclass(frozen=True, slots=True)
class Shown:
    """A number as it stands on screen: its text, its value, and the value of one in its last digit that counts."""

    text: str
    value: Decimal
    step: Decimal


@dataclass(frozen=True, slots=True)
class Truth:
    """The rows of a table that an order is about: those of its period and filter (`rows`), and all (`every`)."""

    about: TableTruth
    rows: tuple[Mapping[str, str], ...]
    every: tuple[Mapping[str, str], ...]
    lower_first: bool = False

    def row(self, name: str) -> Mapping[str, str] | None:
        """Return the row of this name, whatever language it is in."""
        wanted = _plain(name)
        return next((row for row in self.rows if wanted in map(_plain, names_of(row, self.about))), None)

    def cell(self, name: str, what: str) -> Decimal | None:
        """Return the number of a row: `what` is `value`, `rank`, a column or what a card calls one; None where the
        table has no such number."""
        row = self.row(name)
        if row is None:
            return None
        if what == "rank":
            return self._rank(row)
        column = self.about.value if what == "value" else self._column(what)
        return number_of(row.get(column, ""))

    def _column(self, what: str) -> str:
        called = re.sub(r"[（(].*?[）)]$", "", what).strip()  # the cycle behind a name
        return next((column for column, words in self.about.columns.items() if called in words), what)

    def _rank(self, row: Mapping[str, str]) -> Decimal | None:
        own = number_of(row[self.about.value])
        others = [number_of(other[self.about.value]) for other in self.rows]
        if own is None:
            return None
        before = [v for v in others if v is not None and (v < own if self.lower_first else v > own)]
        return Decimal(len(before) + 1)

    def known(self) -> frozenset[Decimal]:
        """Return every number that may be shown: of any cell, places, how many places something moved, how many rows
        there are, and differences of one column or one row with their share in percent."""
        cells = {shown.value for row in self.every for cell in row.values() for shown in numbers_in(cell)}
        counts = {Decimal(number) for number in range(1, len(self.rows) + 1)}
        return frozenset(cells | counts | set(self._differences()))

    def _differences(self) -> Iterator[Decimal]:
        columns = [self.about.value, *self.about.columns]
        table = [[number_of(row.get(column, "")) for column in columns if column] for row in self.rows]
        for numbers in (*table, *zip(*table, strict=True)):
            stated = [number for number in numbers if number]
            for one, other in combinations(stated[:12], 2):
                yield abs(one - other)
            for one, other in permutations(stated[:12], 2):
                yield abs(100 * (one - other) / other)


def truth_of(ordered: Ordered, about: TableTruth, folder: Path = TABLES) -> Truth:
    """Read the table of an order."""
    with (folder / about.file).open(encoding="utf-8-sig", newline="") as file:
        every = tuple({key: cell or "" for key, cell in row.items() if key} for row in csv.DictReader(file))
    rows: Sequence[Mapping[str, str]] = every
    if about.period:
        period = ordered.set.get("period") or max(row[about.period] for row in every)
        rows = [row for row in rows if row[about.period] == period]
    for condition in filter(None, [ordered.set.get("where", "")]):
        column, _, wanted = condition.partition("=")
        rows = [row for row in rows if row[column.strip()].casefold() == wanted.strip().casefold()]
    if value := ordered.set.get("value"):
        about = about.model_copy(update={"value": value})
    return Truth(about, tuple(rows), every, ordered.set.get("order") == "asc")


def names_of(row: Mapping[str, str], about: TableTruth) -> Iterator[str]:
    """Yield the names of a row, as its columns say them."""
    for columns in about.names:
        yield " ".join(filter(None, (row.get(column.strip(), "").strip() for column in columns.split("+"))))


def numbers_in(text: str) -> tuple[Shown, ...]:
    """Return the numbers of a text; the digits of units (kWh/100km, 0-100) are none."""
    clauses = re.sub("，(?=[0-9])", "， ", text)  # a comma of the sentence, which NFKC would turn into one of thousands
    plain = _UNITS.sub(" ", unicodedata.normalize("NFKC", clauses))
    return tuple(_shown(found) for found in _NUMBER.finditer(plain))


def number_of(cell: str) -> Decimal | None:
    """Return the one number of a cell, None where it holds none."""
    found = numbers_in(cell)
    return found[0].value if len(found) == 1 else None


def is_told_by(shown: Shown, known: Sequence[Decimal] | frozenset[Decimal]) -> bool:
    """Say whether a number is one of `known`, exactly or rounded to the digits that it shows."""
    return shown.value in known or any(2 * abs(one - shown.value) <= shown.step for one in known)


def _shown(found: re.Match[str]) -> Shown:
    digits = found[1].replace(",", "")
    value = Decimal(digits) * TENS.get(found[2] or "", 1)
    places = len(digits.partition(".")[2])
    step = Decimal(1).scaleb(-places) * TENS.get(found[2] or "", 1)
    if not places and value >= 10_000:  # 13,600 may stand for 13,615
        step *= Decimal(10) ** (len(digits) - len(digits.rstrip("0")))
    return Shown(found[1], value, step if step != 1 else Decimal(0))


def _plain(name: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", name)).casefold()
