from __future__ import annotations

from pathlib import Path

import pytest

from factory.plan.cars_table import read_cars
from factory.plan.facts import Car, Source
from factory.plan.tables import read_table
from factory.store.car_names import CarNames, Named, is_distinct

SOURCE = Source("test", "2026-10")


def car(slug: str, make: str, zh: str, en: str, *aliases: str) -> Car:
    return Car(slug, make, zh, en, "suv", (), SOURCE, aliases)


CARS = (
    car("byd-seal", "BYD", "比亚迪海豹", "BYD Seal"),
    car("byd-dolphin", "BYD", "比亚迪 海豚", "BYD Dolphin"),
    car("byd-qin-l", "BYD", "比亚迪秦L", "BYD Qin L", "秦L"),
    car("byd-qin", "BYD", "比亚迪秦", "BYD Qin"),
    car("tesla-model-3", "Tesla", "特斯拉 Model 3", "Tesla Model 3", "Model 3"),
    car("tesla-model-y", "Tesla", "特斯拉 Model Y", "Tesla Model Y", "Model Y"),
    car("renault-5", "Renault", "雷诺 5", "Renault 5"),
    car("li-l9", "Li Auto", "理想L9", "Li Auto L9"),
    car("northwind-x5", "北风 Northwind", "北风 X5", "Northwind X5", "X5"),
    car("lumen-s", "流明 Lumen", "流明 S", "Lumen S", "LumenS"),
    car("terra-pro", "旷野 Terra", "旷野 Pro", "Terra Pro"),
    car("audi-a6", "Audi", "奥迪A6", "Audi A6"),
    car("chery-a6", "Chery", "奇瑞A6", "Chery A6"),
    car("beige-crosser", "", "米色穿越者", "Beige Crosser"),
)
NAMES = CarNames(CARS)


def named(text: str, *, slips: bool = False) -> list[str]:
    return [one.car for one in NAMES.find(text, slips=slips)]


@pytest.mark.parametrize(
    ("text", "cars"),
    [
        ("BYD Seal: first drive", ["byd-seal"]),
        ("byd_seal-front.02", ["byd-seal"]),
        ("全新比亚迪海豹正式上市", ["byd-seal"]),
        ("BYD海豹 试驾", ["byd-seal"]),
        ("海豹，比亚迪的新轿车", ["byd-seal"]),
        ("BYD unveils the Seal", ["byd-seal"]),
        ("Tesla's new Model 3", ["tesla-model-3"]),
        ("特斯拉新款 Model Y 与 Model 3", ["tesla-model-y", "tesla-model-3"]),
        ("ModelY Tesla", ["tesla-model-y"]),
        ("Renault 5 electric", ["renault-5"]),
        ("比亚迪秦L DM-i", ["byd-qin-l"]),
        ("比亚迪秦", ["byd-qin"]),
        ("理想L9开箱", ["li-l9"]),
        ("NorthwindX5 dunes", ["northwind-x5"]),
        ("Northwind: the X5 in mud", ["northwind-x5"]),
        ("Lumen S at dusk", ["lumen-s"]),
        ("Terra Pro climbs", ["terra-pro"]),
        ("the Beige-Crosser", ["beige-crosser"]),
        ("奇瑞A6 对比 奥迪A6", ["chery-a6", "audi-a6"]),
        ("BYD Dolphin against BYD Seal", ["byd-dolphin", "byd-seal"]),
    ],
)
def test_a_car_is_named(text: str, cars: list[str]) -> None:
    assert named(text) == cars


@pytest.mark.parametrize(
    "text",
    [
        "a seal on the beach",
        "海豹在沙滩上",
        "role model 3 of 5",
        "Model 3",  # of whom?
        "Xiaomi shows a rival: Model 3",  # the nearest make is another
        "Renault sold 5 cars",
        "5 Renault",
        "Model 35 Tesla",
        "秦始皇陵",
        "800 lumens",
        "lumen",
        "A6 motorway",
        "Northwind",
        "x55 Northwind",
        "BYD",
        "",
    ],
)
def test_words_that_name_no_car(text: str) -> None:
    assert named(text) == []


def test_a_make_that_is_spoken_for_lends_nothing() -> None:
    assert named("BYD Dolphin swims beside a seal") == ["byd-dolphin"]


def test_a_name_of_two_cars_names_neither() -> None:
    twice = CarNames((*CARS, car("seal-2026", "BYD", "比亚迪海豹", "BYD Seal")))
    assert twice.find("BYD Seal") == ()
    assert [one.car for one in twice.find("BYD Dolphin")] == ["byd-dolphin"]


@pytest.mark.parametrize(
    ("read", "cars"),
    [
        ("NORTHWLND X5", [Named("northwind-x5", slip=True)]),
        ("Northwnd X5", [Named("northwind-x5", slip=True)]),
        ("Northwindd X5", [Named("northwind-x5", slip=True)]),
        ("Northwind X5 NORTHWLND X5", [Named("northwind-x5")]),
        ("BYD Dolphjn", [Named("byd-dolphin", slip=True)]),
        ("Northwlnb X5", []),  # two letters
        ("Northwlnd X6", []),  # a figure
        ("Sorthwind X5", []),  # the first letter
        ("Tesla Modei 3", []),  # a short word
        ("Dolphjn", []),
    ],
)
def test_one_wrong_letter_is_forgiven_in_long_words_only(read: str, cars: list[Named]) -> None:
    assert list(NAMES.find(read, slips=True)) == cars
    assert [one for one in NAMES.find(read) if one.slip] == []


def test_the_first_wrong_spelling_does_not_hide_the_right_one() -> None:
    assert NAMES.find("NORTHWLND X5, Northwind X5", slips=True) == (Named("northwind-x5"),)


@pytest.mark.parametrize(
    ("words", "distinct"),
    [
        (["terra", "pro"], True),
        (["land", "cruiser"], True),
        (["q6", "e", "tron"], True),
        (["long", "range"], False),
        (["model", "3"], False),
        (["model", "y"], False),
        (["x5"], False),
        (["dolphin"], False),
        (["海豹"], False),
        (["秦", "l"], False),
        (["理想", "l9"], True),
        (["元", "plus"], True),
        (["穿越者"], True),
    ],
)
def test_distinct_names(words: list[str], *, distinct: bool) -> None:
    assert is_distinct(words) is distinct


def test_prose_names_no_car_of_a_large_catalogue(media: Path) -> None:
    """Cars of a real table against text about other things: licences, documents, programs."""
    table = read_table((media / "tables" / "ev-specs.csv").read_bytes(), "ev-specs.csv")
    cars, _ = read_cars(table, {})
    names = CarNames(cars)
    assert len(cars) > 200
    root = Path(__file__).parent.parent
    pages = [
        page for page in root.glob("docs/*.md") if page.name != "brief-set.md"
    ]  # that one names the cars it asked for
    prose = [path.read_text("utf-8") for path in (*root.glob("*.md"), *pages, root / "LICENSE")]
    assert sum(map(len, prose)) > 30_000
    assert [names.find(text, slips=True) for text in prose] == [()] * len(prose)
    shown = [names.find(f"Watch the new {car.name_en} drive!") for car in cars]
    wrong = [(car.slug, one) for car, found in zip(cars, shown, strict=True) for one in found if one.car != car.slug]
    assert wrong == []
    assert sum(map(bool, shown)) >= 0.95 * len(cars)
