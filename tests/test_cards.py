"""What charts are measured with: round marks that enclose the values, places between them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.render.cards import along, largest, ticks


def points(*values: object) -> list[dict[str, Any]]:
    return [{"label": "x", "value": value} for value in values]


@pytest.mark.parametrize(
    ("values", "from_zero", "wanted"),
    [
        (("9120", "18234"), True, "0 5000 10000 15000 20000"),
        (("9120", "18234"), False, "7500 10000 12500 15000 17500 20000"),
        (("-3.5", "4.25"), False, "-4 -2 0 2 4 6"),
        (("0", "0"), True, "0 1"),
        (("7", "7"), False, "0 10"),
        (("0.012", "0.031"), True, "0.00 0.01 0.02 0.03 0.04"),
    ],
)
def test_marks_are_round_and_enclose_the_values(values: tuple[str, ...], from_zero: bool, wanted: str) -> None:
    found = ticks(points(*values), from_zero)
    assert [float(mark) for mark in found] == [float(mark) for mark in wanted.split()]
    assert found[0] <= min(map(Decimal, values)) <= max(map(Decimal, values)) <= found[-1]


@given(st.lists(st.decimals(-(10**12), 10**12, places=2), min_size=1, max_size=20), st.booleans())
def test_there_are_a_few_marks_whatever_the_values(values: list[Decimal], from_zero: bool) -> None:
    found = ticks(points(*values), from_zero)
    assert 1 <= len(found) <= 8
    assert found[0] <= min(values)
    assert found[-1] >= max(values)
    assert not from_zero or Decimal(0) in found
    assert all(0 <= along(value, found) <= 1 for value in values)


def test_the_largest_value_fills_a_bar() -> None:
    assert largest(points("4310", "18234.5", 12)) == Decimal("18234.5")
