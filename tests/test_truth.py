"""The checker's own reading of tables: rows by name, places counted anew, numbers as written."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from factory.brief_set.orders import Ordered, TableTruth
from factory.brief_set.truth import Truth, is_told_by, number_of, numbers_in, truth_of

TABLE = (
    "name,name_zh,sales,period,body\n"
    "Lumen S,流明 S,14320,2026-10,sedan\nVoyage W,远航 W,9736,2026-10,wagon\nTerra Pro,旷野 Pro,9736,2026-10,pickup\n"
    "Pico E,皮可 E,,2026-10,hatch\nLumen S,流明 S,13615,2026-09,sedan\n"
)
ABOUT = TableTruth(
    file="t.csv", names=("name", "name_zh"), value="sales", period="period", columns={"sales": ("Sales", "销量")}
)


def truth(folder: Path, **sets: str) -> Truth:
    (folder / "t.csv").write_text(TABLE, encoding="utf-8")
    order = Ordered(
        name="a", template="ranking", series="s", locale="zh-CN", aspect="16:9", seconds=15, data="t.csv", set=sets
    )
    return truth_of(order, ABOUT, folder)


def test_the_newest_period_is_meant_unless_one_is_named(tmp_path: Path) -> None:
    assert truth(tmp_path).cell("流明S", "value") == 14320
    assert truth(tmp_path, period="2026-09").cell("Lumen S", "value") == 13615


def test_places_are_counted_from_the_values(tmp_path: Path) -> None:
    told = truth(tmp_path)
    assert [told.cell(name, "rank") for name in ("Lumen S", "Voyage W", "Terra Pro", "Pico E")] == [1, 2, 2, None]
    assert truth(tmp_path, order="asc").cell("Lumen S", "rank") == 3
    assert truth(tmp_path, where="body=wagon").cell("Voyage W", "rank") == 1


def test_a_column_goes_by_what_cards_call_it(tmp_path: Path) -> None:
    assert truth(tmp_path).cell("Lumen S", "销量（CLTC）") == 14320
    assert truth(tmp_path).cell("Nobody", "销量") is None
    assert truth(tmp_path).cell("Pico E", "Sales") is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("第3名，1.43万辆", [3, 14300]),
        ("排在第7的是Clearriver M7，4610辆。", [7, 7, 4610]),
        ("旷野 Pro并列第3，973辆。", [3, 973]),
        ("269,800 CNY, 5.4 s", [269800, Decimal("5.4")]),
        ("16.5 kWh/100km", [Decimal("16.5")]),
        ("0–100 km/h 3.6 s", [Decimal("3.6")]),
        ("2026-11-05", [2026, 11, 5]),
        ("１２，３４５", [12345]),
        ("none", []),
    ],
)
def test_numbers_of_a_text(text: str, values: list[Decimal]) -> None:
    assert [shown.value for shown in numbers_in(text)] == values


def test_a_cell_of_two_numbers_is_none() -> None:
    assert number_of("560 km") == 560
    assert number_of("2026-10") is None
    assert number_of("") is None


@pytest.mark.parametrize(
    ("shown", "told"), [("14,320", True), ("14,300", True), ("1.43万", True), ("14,230", False), ("1.34万", False)]
)
def test_a_spoken_number_may_be_rounded_and_nothing_else(shown: str, told: bool) -> None:
    (number,) = numbers_in(shown)
    assert is_told_by(number, frozenset({Decimal(14320)})) is told


def test_differences_and_their_share_are_known(tmp_path: Path) -> None:
    known = truth(tmp_path).known()
    assert {Decimal(14320 - 9736), Decimal(3), Decimal(2026)} <= known
    assert is_told_by(numbers_in("47.1 %")[0], known)  # 4584 of 9736
    assert not is_told_by(numbers_in("14,230")[0], known)
