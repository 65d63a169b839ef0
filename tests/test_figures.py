"""Numbers as sentences and cards write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from factory.plan.facts import Locale
from factory.plan.numbers import said_exactly
from factory.render.figures import said, shown, shown_alike


@pytest.mark.parametrize(
    ("value", "unit", "locale", "wanted"),
    [
        ("239850", "元", "zh-CN", "23.985万元"),
        ("239850", "元", "en-US", "239,850 CNY"),
        ("23.985", "万元", "en-US", "239,850 CNY"),
        ("4600", "元", "zh-CN", "4600元"),
        ("18999.99", "USD", "en-US", "18,999.99 USD"),
        ("1234567", "元", "en-US", "1.234567 million CNY"),
    ],
)
def test_a_price_is_said_whole(value: str, unit: str, locale: Locale, wanted: str) -> None:
    assert said_exactly(Decimal(value), unit, locale) == wanted


def test_other_numbers_are_rounded_as_people_say_them() -> None:
    assert said(Decimal(18234), "辆", "zh-CN") == "1.82万辆"
    assert said(Decimal("5.9"), "s", "zh-CN") == "5.9秒"


def test_two_prices_of_one_card_stand_in_one_unit() -> None:
    old, new = shown_alike([Decimal(189850), Decimal(174800)], "元", "zh-CN")
    assert (old, new) == ({"value": "189,850", "unit": "元"}, {"value": "174,800", "unit": "元"})
    old, new = shown_alike([Decimal(189800), Decimal(174800)], "元", "zh-CN")
    assert (old, new) == (shown(Decimal(189800), "元", "zh-CN"), {"value": "17.48", "unit": "万元"})
