"""Facts of cars two at a time: in turn, as far as the seconds go, nothing said twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from factory.plan.facts import Car, Locale, Source, Spec
from factory.render.phrases import Phrases
from factory.render.telling import fact_sentence, told_facts

SPECS = (
    Spec("price", "指导价", "Price", Decimal(189800), "元"),
    Spec("range_km", "续航里程", "Range", Decimal(560), "km", "CLTC"),
    Spec("power_kw", "最大功率", "Power", Decimal(220), "kW"),
    Spec("seats", "座位数", "Seats", Decimal(5), "座"),
    Spec("wheelbase_mm", "轴距", "Wheelbase", Decimal(2890), "mm"),
)
CARS = [
    Car(slug, "", zh, en, "suv", SPECS, Source("Maker", "2026"))
    for slug, zh, en in (("a1", "甲", "Alpha"), ("b1", "乙", "Beta"))
]


def test_cars_take_turns() -> None:
    told = told_facts(CARS, 1000, Phrases("en-US"))
    assert [fact.car.slug for fact in told] == ["a1", "b1", "a1", "b1"]
    assert [spec.key for fact in told[::2] for spec in fact.specs] == ["range_km", "power_kw", "seats", "wheelbase_mm"]
    assert all(fact.car.name_en in fact.told for fact in told)


def test_no_more_is_told_than_there_is_time_for() -> None:
    everything = told_facts(CARS, 1000, Phrases("zh-CN"))
    some = told_facts(CARS, everything[0].cost + everything[1].cost, Phrases("zh-CN"))
    assert some == everything[:2]
    assert told_facts(CARS, 0, Phrases("zh-CN")) == []
    assert told_facts([], 1000, Phrases("zh-CN")) == []


def test_what_is_told_elsewhere_is_left_out_and_prices_are_told_on_request() -> None:
    keys = {spec.key for fact in told_facts(CARS, 1000, Phrases("zh-CN"), beside=("seats",)) for spec in fact.specs}
    assert keys == {"range_km", "power_kw", "wheelbase_mm"}
    assert told_facts(CARS, 1000, Phrases("zh-CN"), prices=True)[0].specs[0].key == "price"


def test_neighbours_and_seeds_begin_in_other_words() -> None:
    first = [told_facts(CARS, 1000, Phrases("zh-CN", seed))[0].told for seed in range(4)]
    assert len(set(first)) == 4
    told = told_facts(CARS, 1000, Phrases("zh-CN"))
    assert told[0].told.replace("甲", "") != told[1].told.replace("乙", "")


@pytest.mark.parametrize(
    ("locale", "wanted"),
    [
        ("zh-CN", ["指导价18.98万元。", "CLTC续航里程560公里。", "最大功率220千瓦。", "座位数5座。", "轴距2890毫米。"]),
        ("en-US", ["Price: 189,800 CNY.", "Range: 560 km on the CLTC cycle.", "Power: 220 kW.", "Seats: 5."]),
    ],
)
def test_a_fact_is_one_sentence(locale: Locale, wanted: list[str]) -> None:
    assert [fact_sentence(spec, locale) for spec in SPECS][: len(wanted)] == wanted
