"""Cars from tables: names, specs with units and cycles, and bad rows named by line and column."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from factory.plan.cars_table import read_cars, slug_of
from factory.plan.facts import Car
from factory.plan.tables import BadRow, TableUnfit, read_table

BODIES = {"suv": "suv", "SUV": "suv", "轿车": "sedan", "sedan": "sedan"}


def cars(text: str) -> tuple[dict[str, Car], tuple[BadRow, ...]]:
    good, bad = read_cars(read_table(text.encode(), "cars.csv"), {}, body=BODIES.get)
    return {car.slug: car for car in good}, bad


def specs(car: Car) -> dict[str, tuple[Decimal, str, str]]:
    return {spec.key: (spec.value, spec.unit, spec.cycle) for spec in car.specs}


def test_a_full_row() -> None:
    text = (
        "slug,make,name_zh,name_en,body,aliases,price,range_km,cycle,tow_kg|拖曳质量|Towing|kg,source,date,sample\n"
        'northwind-x5,Northwind,北风 X5,Northwind X5,SUV,X5|北风X5,"¥199,800",560,CLTC,1500,Desk,2026-10,yes\n'
    )
    found, bad = cars(text)
    car = found["northwind-x5"]
    assert not bad
    assert (car.make, car.name_zh, car.name_en, car.body) == ("Northwind", "北风 X5", "Northwind X5", "suv")
    assert car.names() == ("北风 X5", "Northwind X5", "X5", "北风X5")
    assert specs(car) == {
        "price": (Decimal(199800), "元", ""),
        "range_km": (Decimal(560), "km", "CLTC"),
        "tow_kg": (Decimal(1500), "kg", ""),
    }
    assert [s.name("en-US") for s in car.specs] == ["Price", "Range", "Towing"]
    assert (car.source.name, car.source.date, car.source.sample) == ("Desk", "2026-10", True)


def test_a_car_may_be_under_embargo() -> None:
    found, bad = cars(
        "slug,name_en,embargo\n"
        "a,Car A,2026-12-01T09:00 Asia/Shanghai\n"
        "b,Car B,\n"
        "c,Car C,2026-12-01\n"
        "d,Car D,2026-03-29T02:30 Europe/Berlin\n"
    )
    assert str(found["a"].embargo) == "2026-12-01T09:00+08:00[Asia/Shanghai]"
    assert found["b"].embargo is None
    assert [(row.line, row.column) for row in bad] == [(4, "embargo"), (5, "embargo")]
    assert "names no time of the day; write it like" in bad[0].why


def test_headers_in_chinese_with_their_units() -> None:
    found, bad = cars("品牌,车型,英文名,车身,指导价（万元）,续航,轴距\n流明,流明 S,Lumen S,轿车,12.98,602公里,2900mm\n")
    assert not bad
    assert specs(found["lumen-s"]) == {
        "price": (Decimal("12.98"), "万元", ""),
        "range_km": (Decimal(602), "km", ""),
        "wheelbase_mm": (Decimal(2900), "mm", ""),
    }


def test_bad_rows_are_named_and_the_rest_load() -> None:
    text = (
        "slug,name_en,body,price,seats,dc_max_kw\n"
        "a,Car A,suv,100,5,0\n"
        "b,Car B,spaceship,100,5,\n"
        "c,Car C,suv,-1,5,\n"
        "d,Car D,suv,0,5,\n"
        "e,Car E,suv,cheap,5,\n"
        "a,Car F,suv,1,5,\n"
        "g g,Car G,suv,1,5,\n"
        "h,,suv,1,5,\n"
        "i,Car I,suv,$9,5,\n"
        "j,Car J,suv,,,100\n"
    )
    found, bad = cars(text)
    assert [(b.line, b.column) for b in bad] == [
        (3, "body"),
        (4, "price"),
        (5, "price"),
        (6, "price"),
        (7, "slug"),
        (8, "slug"),
        (9, "name_en"),
        (10, "price"),
    ]
    assert set(specs(found["a"])) == {"price", "seats"}
    assert set(specs(found["j"])) == {"dc_max_kw"}


def test_tables_without_cars_are_refused() -> None:
    with pytest.raises(TableUnfit, match="no column of names"):
        cars("price,seats\n1,2\n")
    with pytest.raises(TableUnfit, match="no good row") as refusal:
        cars("name_en,price\nA,-1\n")
    assert "line 2, column 'price'" in refusal.value.next_step


def test_slugs() -> None:
    assert slug_of("Northwind X5 ") == "northwind-x5"
    assert slug_of("Citroën ë-C3") == "citroen-e-c3"
    assert slug_of("北风") == ""


@pytest.mark.media
def test_real_specifications_load(media: Path) -> None:
    path = media / "tables" / "ev-specs.csv"
    good, bad = read_cars(read_table(path.read_bytes(), path.name), {})
    assert len(good) + len(bad) == 1321
    assert len(good) > 1000
    by_slug = {car.slug: car for car in good}
    abarth = specs(by_slug["abarth-500e-hatchback"])
    assert abarth["battery_kwh"] == (Decimal("42.2"), "kWh", "")
    assert abarth["consumption"] == (Decimal("22.2"), "kWh/100km", "")
