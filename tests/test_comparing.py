"""Cars side by side: which properties, in which order, and where nothing may be called better."""

from __future__ import annotations

from decimal import Decimal

from factory.plan.comparing import Compared, compare
from factory.plan.facts import Car, Source, Spec

SOURCE = Source("Maker", "2026-11")


def spec(key: str, value: str, unit: str, cycle: str = "", name: str = "") -> Spec:
    return Spec(key, name or key, name or key, Decimal(value), unit, cycle)


def car(slug: str, *specs: Spec) -> Car:
    return Car(slug, "", slug, slug, "suv", specs, SOURCE)


def only(*cars: Car) -> Compared:
    (row,) = compare(cars)
    return row


def test_more_range_and_less_price_are_better() -> None:
    longer = only(car("a", spec("range_km", "560", "km", "CLTC")), car("b", spec("range_km", "605", "km", "CLTC")))
    assert (longer.best, longer.undecided) == ((1,), "")
    cheaper = only(car("a", spec("price", "9.98", "万元")), car("b", spec("price", "99900", "元")))
    assert cheaper.best == (0,)
    assert cheaper.shares == (99800 / 99900, 1.0)


def test_equal_figures_share_the_lead() -> None:
    three = [car(name, spec("power_kw", value, "kW")) for name, value in (("a", "200"), ("b", "200"), ("c", "150"))]
    assert only(*three).best == (0, 1)
    assert not only(*three).equal
    assert only(*three[:2]).equal


def test_nothing_is_better_across_test_cycles() -> None:
    row = only(car("a", spec("range_km", "560", "km", "CLTC")), car("b", spec("range_km", "505", "km", "WLTP")))
    assert (row.best, row.undecided, row.shares) == ((), "cycles", (-1.0, -1.0))
    stated = only(car("a", spec("range_km", "560", "km", "CLTC")), car("b", spec("range_km", "505", "km")))
    assert stated.undecided == "cycles"


def test_nothing_is_better_where_a_figure_is_missing() -> None:
    row = only(car("a", spec("range_km", "560", "km")), car("b"))
    assert (row.best, row.undecided) == ((), "missing")
    assert row.specs[1] is None


def test_nothing_is_better_in_other_units_or_where_more_is_only_more() -> None:
    assert only(car("a", spec("price", "20000", "USD")), car("b", spec("price", "99900", "元"))).undecided == "units"
    assert only(car("a", spec("length_mm", "4780", "mm")), car("b", spec("length_mm", "4920", "mm"))).undecided == (
        "no-better"
    )


def test_a_guide_price_and_a_deal_price_are_two_properties() -> None:
    rows = compare(
        [car("a", spec("price", "99900", "元", name="指导价")), car("b", spec("price", "89900", "元", name="成交价"))]
    )
    assert [row.undecided for row in rows] == ["missing", "missing"]


def test_what_buyers_ask_for_comes_first_and_what_one_lacks_last() -> None:
    first = car("a", spec("seats", "5", "座"), spec("wading_mm", "450", "mm"), spec("price", "9", "万元"))
    second = car("b", spec("price", "8", "万元"), spec("seats", "5", "座"))
    assert [row.key for row in compare([first, second])] == ["price", "seats", "wading_mm"]
