"""Prices before and after: columns by their names, rows that cannot be are named by line and column."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.brief import Table
from factory.plan.facts import PriceChange
from factory.plan.price_table import read_prices
from factory.plan.tables import TableUnfit, read_table
from factory.samples import SAMPLE_PRICES

HEAD = "name,price_kind,old_price,new_price,unit,effective_date,source"
GOOD = "Pico E,指导价,89800,84800,元,2026-11-01,Maker"


def table(*rows: str, head: str = HEAD) -> Table:
    return read_table("\n".join((head, *rows)).encode(), "prices.csv")


def one(row: str, head: str = HEAD) -> PriceChange:
    (change,), bad = read_prices(table(row, head=head), {})
    assert not bad
    return change


def refused(row: str, head: str = HEAD) -> tuple[int, str, str]:
    """Return line, column and reason of the row, which stands below a good one."""
    _, (bad,) = read_prices(table(GOOD, row, head=head), {})
    return bad.line, bad.column, bad.why


def test_a_row_is_a_change_of_price() -> None:
    change = one(GOOD)
    assert (change.name_en, change.kind, change.unit, change.date) == ("Pico E", "guide", "元", "2026-11-01")
    assert (change.old, change.new, change.difference) == (Decimal(89800), Decimal(84800), Decimal(-5000))
    assert change.percent == Decimal("-5.6")
    assert change.source.name == "Maker"


def test_the_sample_prices_are_good_and_say_that_they_are_invented() -> None:
    changes, bad = read_prices(read_table(SAMPLE_PRICES.read_bytes(), SAMPLE_PRICES.name), {})
    assert not bad
    assert {change.kind for change in changes} == {"guide", "deal"}
    assert all(change.source.sample and change.slug for change in changes)


@pytest.mark.parametrize(
    ("head", "row", "old", "new", "unit"),
    [
        ("车型,原指导价（万元）,新指导价（万元）,生效日期", "皮可 E,8.98,8.48,2026年11月1日", 89800, 84800, "元"),
        ("车型,调整前成交价,调整后成交价,生效日期", "皮可 E,8.98万元,84800元,2026-11", 89800, 84800, "元"),
        ("name,old msrp,new msrp,currency,effective", "Pico E,18.5k,$19000,USD,2026-11-01", 18500, 19000, "USD"),
        ("name,old price,new price,kind,effective", "Pico E,¥8.98万,¥8.48万,deal,2026-11-01", 89800, 84800, "元"),
        ("车型,原价,现价,价格类型,单位,日期", "皮可 E,8.98万,8.48万,成交价,万元,2026-11-01", 89800, 84800, "元"),
    ],
)
def test_prices_are_read_in_their_currency(head: str, row: str, old: int, new: int, unit: str) -> None:
    change = one(row, head)
    assert (change.old, change.new, change.unit) == (Decimal(old), Decimal(new), unit)


@pytest.mark.parametrize(
    ("row", "column", "why"),
    [
        ("A,指导价,-1,84800,元,2026-11-01,M", "old_price", "more than zero"),
        ("A,指导价,89800,0,元,2026-11-01,M", "new_price", "more than zero"),
        ("A,指导价,89800,89800,元,2026-11-01,M", "new_price", "nothing has changed"),
        ("A,指导价,89800,8480,元,2026-11-01,M", "new_price", "more than 80 %"),
        ("A,指导价,89800,898000,元,2026-11-01,M", "new_price", "more than 80 %"),
        ("A,指导价,,84800,元,2026-11-01,M", "old_price", "missing"),
        ("A,指导价,89800,cheap,元,2026-11-01,M", "new_price", "not a number"),
        ("A,,89800,84800,元,2026-11-01,M", "price_kind", "guide price"),
        ("A,裸车价,89800,84800,元,2026-11-01,M", "price_kind", "neither"),
        ("A,指导价,89800,84800,,2026-11-01,M", "unit", "no currency"),
        ("A,指导价,89800,84800,km,2026-11-01,M", "unit", "no currency"),
        ("A,指导价,$89800,84800,元,2026-11-01,M", "old_price", "differs"),
        ("A,指导价,89800,84800,元,2026,M", "effective_date", "no day and no month"),
        ("A,指导价,89800,84800,元,,M", "effective_date", "missing"),
        (",指导价,89800,84800,元,2026-11-01,M", "name", "name is missing"),
        (GOOD, "effective_date", "line 2"),
    ],
)
def test_what_cannot_be_is_refused_by_line_and_column(row: str, column: str, why: str) -> None:
    line, where, reason = refused(row)
    assert (line, where) == (3, column)
    assert why in reason


def test_a_guide_price_is_never_set_beside_a_deal_price() -> None:
    with pytest.raises(TableUnfit, match="two sorts of price"):
        read_prices(table("A,9,8,万元,2026-11", head="name,原指导价,新成交价,unit,date"), {})
    with pytest.raises(TableUnfit, match="does not say"):
        read_prices(table("A,9,8,万元,2026-11", head="name,old price,new price,unit,date"), {})
    head = "name,price_kind,原指导价,新指导价,unit,effective_date,source"
    with pytest.raises(TableUnfit) as failed:
        read_prices(table("A,成交价,9,8,万元,2026-11,M", head=head), {})
    assert "line 2, column 'price_kind'" in failed.value.next_step


@pytest.mark.parametrize("gone", ["old_price", "new_price", "effective_date", "name"])
def test_a_missing_column_is_named(gone: str) -> None:
    with pytest.raises(TableUnfit) as failed:
        read_prices(table(GOOD, head=HEAD.replace(gone, "other")), {})
    assert failed.value.next_step


@given(st.decimals("0.01", 10**7, places=2), st.decimals("0.01", 10**7, places=2))
def test_difference_and_percent_are_those_of_the_two_prices(old: Decimal, new: Decimal) -> None:
    if old == new or abs(new - old) > Decimal("0.8") * old:
        return
    change = one(f"A,deal,{old},{new},USD,2026-11-01,M")
    assert change.old + change.difference == change.new
    assert abs(change.percent - 100 * (new - old) / old) <= abs(change.percent) / 2
    assert change.percent != 0
    assert (change.percent < 0) == (new < old)
