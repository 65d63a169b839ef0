"""Numbers are read exactly, shown exactly and said as people say them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.facts import Change, RankingRow
from factory.plan.numbers import (
    Amount,
    NotANumber,
    change_text,
    exact,
    format_value,
    parse_amount,
    unit_name,
    unit_of,
)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("12,345", "12345", ""),
        ("12345", "12345", ""),
        (" 1,234,567.80 ", "1234567.80", ""),
        ("1.2万", "12000", ""),
        ("１２，３４５", "12345", ""),
        ("１.２万辆", "12000", "辆"),
        ("¥199,800", "199800", "元"),
        ("￥199,800", "199800", "元"),
        ("12.98万元", "129800", "元"),
        ("1.2亿", "120000000", ""),
        ("$45,000", "45000", "USD"),
        ("-$5", "-5", "USD"),
        ("$-5", "-5", "USD"),
        ("−3", "-3", ""),
        ("560 km", "560", "km"),
        ("560公里", "560", "km"),
        ("17.5 kWh/100km", "17.5", "kWh/100km"),
        ("3.5s", "3.5", "s"),
        ("8%", "8", "%"),
        ("300kW", "300", "kW"),
        ("12k", "12000", ""),
        ("1.5 million", "1500000", ""),
        ("1 234 567", "1234567", ""),
        ("1.2345e+05", "123450", ""),
        ("82.0", "82.0", ""),
    ],
)
def test_reads_amounts_exactly(text: str, value: str, unit: str) -> None:
    amount = parse_amount(text)
    assert amount == Amount(Decimal(value), unit)
    assert exact(amount.value) == exact(Decimal(value))


@pytest.mark.parametrize("text", ["", "NA", " - ", "暂无", "nan", "NULL"])
def test_a_missing_value_is_said_to_be_missing(text: str) -> None:
    with pytest.raises(NotANumber, match="missing"):
        parse_amount(text)


@pytest.mark.parametrize(
    "text",
    ["abc", "12,5", "1,2345", "1.2.3", "12 apples", "inf", "0x10", "1e999", "9" * 40, "12-13", "1_000", "१२a", "="],
)
def test_refuses_what_is_no_number(text: str) -> None:
    with pytest.raises(NotANumber, match="not a number"):
        parse_amount(text)


@given(st.decimals(-(10**12), 10**12, places=3, allow_nan=False, allow_infinity=False))
def test_an_exact_number_reads_back(value: Decimal) -> None:
    assert parse_amount(exact(value)).value == value


@given(st.text(max_size=20))
def test_any_cell_is_a_finite_number_or_refused(text: str) -> None:
    try:
        assert parse_amount(text).value.is_finite()
    except NotANumber as refusal:
        assert str(refusal)  # noqa: PT017  refused or read: both are right here


@pytest.mark.parametrize(
    ("value", "unit", "locale", "shown", "spoken", "rounded"),
    [
        ("129800", "元", "zh-CN", "129,800元", "12.98万元", False),
        ("129800", "元", "en-US", "129,800 CNY", "129,800 CNY", False),
        ("12.98", "万元", "zh-CN", "12.98万元", "12.98万元", False),
        ("12.98", "万元", "en-US", "129,800 CNY", "129,800 CNY", False),
        ("12345", "辆", "zh-CN", "12,345辆", "1.23万辆", True),
        ("12345", "units", "en-US", "12,345 units", "12,300 units", True),
        ("12000", "辆", "zh-CN", "12,000辆", "1.2万辆", False),
        ("120000000", "辆", "zh-CN", "120,000,000辆", "1.2亿辆", False),
        ("1234567", "辆", "en-US", "1,234,567 units", "1.23 million units", True),
        ("2500000000", "USD", "en-US", "2,500,000,000 USD", "2.5 billion USD", False),
        ("9999", "辆", "zh-CN", "9,999辆", "9999辆", False),
        ("99995", "辆", "zh-CN", "99,995辆", "10万辆", True),
        ("999999", "辆", "en-US", "999,999 units", "1 million units", True),
        ("1", "辆", "en-US", "1 unit", "1 unit", False),
        ("560", "km", "zh-CN", "560 km", "560 km", False),
        ("3.5", "s", "en-US", "3.5 s", "3.5 s", False),
        ("180", "km/h", "en-US", "180 km/h", "180 km/h", False),
        ("77.4", "kWh", "zh-CN", "77.4 kWh", "77.4 kWh", False),
        ("-3.5", "%", "en-US", "-3.5%", "-3.5%", False),
        ("5", "stars", "en-US", "5 stars", "5 stars", False),
        ("12345.6", "", "en-US", "12,345.6", "12,345.6", False),
        ("0", "辆", "zh-CN", "0辆", "0辆", False),
        ("92.0", "kWh", "zh-CN", "92.0 kWh", "92 kWh", False),
    ],
)
def test_figures(value: str, unit: str, locale: str, shown: str, spoken: str, rounded: bool) -> None:
    figure = format_value(Decimal(value), unit, locale)  # type: ignore[arg-type]  # callers give one of the literals
    assert (figure.shown, figure.spoken, figure.rounded) == (shown, spoken, rounded)


@given(st.integers(0, 10**11), st.sampled_from(["辆", "元", "km"]), st.sampled_from(["zh-CN", "en-US"]))
def test_a_spoken_count_stays_within_half_a_percent(value: int, unit: str, locale: str) -> None:
    figure = format_value(Decimal(value), unit, locale)  # type: ignore[arg-type]  # callers give one of the literals
    said = parse_amount(figure.spoken.replace("CNY", "")).value
    assert abs(said - value) * 200 <= value
    assert figure.rounded == (said != value)


def test_units_have_many_names() -> None:
    assert unit_of(" KM ") == unit_of("公里") == "km"
    assert unit_of("furlong") == "furlong"
    assert unit_name("辆", "en-US", Decimal(1)) == "unit"
    assert unit_name("美元", "zh-CN") == "美元"


@pytest.mark.parametrize(
    ("change", "previous", "zh", "en"),
    [
        ("up", 5, "上升2位", "up 2"),
        ("down", 1, "下降2位", "down 2"),
        ("same", 3, "排名不变", "no change"),
        ("new", None, "新上榜", "new entry"),
        ("unknown", None, "", ""),
    ],
)
def test_changes(change: Change, previous: int | None, zh: str, en: str) -> None:
    row = RankingRow(3, "X5", Decimal(1), change, previous_rank=previous)
    assert (change_text(row, "zh-CN"), change_text(row, "en-US")) == (zh, en)
