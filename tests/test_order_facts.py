"""What an order may say: cars of the catalogue or of its own table, prices, and refusals that name a way out."""

from __future__ import annotations

from typing import Any

import pytest

from factory.errors import FactoryError, WrongUsage
from factory.order_facts import facts_of
from factory.orders import load_table, table_of
from factory.plan.brief import Brief, Table
from factory.plan.facts import Facts
from factory.plan.tables import read_table
from factory.samples import SAMPLE_CARS, SAMPLE_PRICES
from factory.settings import Settings
from factory.wiring import Parts, parts


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    built = parts(Settings(home=tmp_path_factory.mktemp("home"), database_url=""))
    load_table(SAMPLE_CARS, built, {})
    return built


def known(house: Parts, template: str, **order: Any) -> Facts:
    return facts_of(Brief(template=template, **order), house)


def table(*lines: str) -> Table:
    return read_table("\n".join(lines).encode(), "own.csv")


@pytest.mark.parametrize("subject", ["northwind-x5, lumen-s", "北风X5、流明 S", "Northwind X5，lumen s", "X5; LumenS"])
def test_a_comparison_names_its_cars_with_commas(house: Parts, subject: str) -> None:
    facts = known(house, "comparison", subject=subject)
    assert [car.slug for car in facts.cars] == ["northwind-x5", "lumen-s"]
    assert facts.sources == (facts.cars[0].source,)


@pytest.mark.parametrize(
    ("subject", "cause"),
    [
        ("northwind-x5", "1 cars"),
        ("lumen-s, 流明 S", "1 cars"),
        ("pico-e, lumen-s, terra-pro, voyage-w", "4 cars"),
        ("northwind-x5, northwind-x6", "northwind-x6"),
        (" , ", "no car"),
    ],
)
def test_a_comparison_takes_two_or_three_known_cars(house: Parts, subject: str, cause: str) -> None:
    with pytest.raises(WrongUsage, match=cause) as failed:
        known(house, "comparison", subject=subject)
    assert failed.value.next_step


def test_cars_of_a_table_are_compared(house: Parts) -> None:
    data = table("slug,name_en,price,range_km", "a1,Alpha 1,9万,500", "b1,Beta 1,8万,400", "c1,Gamma 1,7万,300")
    assert [car.slug for car in known(house, "comparison", data=data).cars] == ["a1", "b1", "c1"]
    assert [car.slug for car in known(house, "comparison", data=data, subject="c1, Alpha 1").cars] == ["c1", "a1"]
    with pytest.raises(WrongUsage, match="no car 'd1'"):
        known(house, "comparison", data=data, subject="a1, d1")


def test_prices_find_their_cars_in_the_catalogue(house: Parts) -> None:
    facts = known(house, "price_change", data=table_of(SAMPLE_PRICES))
    assert [row.car.slug for row in facts.prices if row.car] == ["northwind-x5", "lumen-s", "terra-pro"]
    assert [source.name for source in facts.sources] == [
        *(["AutoReel sample prices (invented)"] * 2),
        "AutoReel sample catalogue",
    ]
    (one,) = known(house, "price_change", data=table_of(SAMPLE_PRICES), subject="旷野 Pro").prices
    assert one.kind == "deal"


def test_a_car_that_is_not_in_the_price_table_is_refused_with_what_was_left_out(house: Parts) -> None:
    head = "name,price_kind,old_price,new_price,unit,effective_date"
    data = table(head, "Alpha,指导价,90000,80000,元,2026-11", "Beta,指导价,90000,0,元,2026-11")
    with pytest.raises(WrongUsage, match="Beta") as failed:
        known(house, "price_change", data=data, subject="Beta")
    assert "line 3, column 'new_price'" in failed.value.next_step
    with pytest.raises(WrongUsage, match="table of prices"):
        known(house, "price_change", subject="northwind-x5")


def test_highlights_know_a_car_where_one_is_named(house: Parts) -> None:
    assert [car.slug for car in known(house, "highlights", subject="北风 X5").cars] == ["northwind-x5"]
    assert known(house, "highlights", subject="rally of the year") == Facts("rally of the year")
    assert known(house, "highlights") == Facts("")


def test_rows_of_incidents_are_taken_where_the_kind_reads_them(house: Parts) -> None:
    rows = table("clip,place,time", "wet saloon,Junction 4,2026-08-03")
    assert known(house, "accident_compilation", data=rows) == Facts("")
    with pytest.raises(WrongUsage, match="takes no table"):
        known(house, "off_road", data=rows)


@pytest.mark.parametrize("template", ["comparison", "price_change", "ranking", "new_car_report"])
def test_what_is_needed_is_said(house: Parts, template: str) -> None:
    with pytest.raises(FactoryError) as failed:
        known(house, template)
    assert "--" in (failed.value.next_step or "")
