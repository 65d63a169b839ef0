"""The numbers of a text are found with their units and what they count; names and idioms hold none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.facts import Locale
from factory.plan.number_mentions import mentions, plain_number
from factory.plan.numbers import exact

NAMES = ("北风 X5", "Northwind X5", "Q5 e-tron", "ID.4", "3", "0–100 km/h")


@pytest.mark.parametrize(
    ("text", "locale", "found"),
    [
        ("榜首是北风 X5，1.82万辆。比上期上升2位。", "zh-CN", ["amount 18200 辆", "places 2"]),
        ("并列第3名的是红隼 GT，前6名", "zh-CN", ["rank 3", "count 6"]),
        ("CLTC续航里程560公里，5座。", "zh-CN", ["amount 560 km", "amount 5 座"]),
        ("指导价18.98万元，零百5.9秒，功率220千瓦", "zh-CN", ["amount 189800 元", "amount 5.9 s", "amount 220 kW"]),
        ("能耗十五点五千瓦时每百公里，¥199,800", "zh-CN", ["amount 15.5 kWh/100km", "amount 199800 元"]),
        ("降幅百分之八，8.1%，降1.5万元", "zh-CN", ["amount 8 %", "amount 8.1 %", "amount 15000 元"]),
        ("两款车，一台 SUV，一个一个地放，一起看一眼", "zh-CN", ["count 2"]),
        ("2026年10月，第3季度，10月1日，2026-11-01", "zh-CN", ["2026-10", "0-Q3", "0-10-01", "2026-11-01"]),
        ("20km/h 2026 km 2,026 units in 2026", "en-US", ["amount 20 km/h", "amount 2026 km", "amount 2026 辆", "2026"]),
        ("Number one: Northwind X5, 18,200 units. Up 2 on", "en-US", ["rank 1", "amount 18200 辆", "places 2"]),
        ("Tied at number 3, the top 6, in 4th place", "en-US", ["rank 3", "count 6", "rank 4"]),
        ("Q3, 2026, 5 November 2026, October 2026, 2026-Q4", "en-US", ["2026-Q3", "2026-11-05", "2026-10", "2026-Q4"]),
        ("0–100 km/h 5.9 s, twelve thousand units, one last look", "en-US", ["amount 5.9 s", "amount 12000 辆"]),
        ("Q5 e-tron, ID.4 and X6, a V8, 2.0T", "en-US", ["code 6", "code 8", "code 2"]),
        ("1.2 million dollars, $45,000, -5 %", "en-US", ["amount 1200000 USD", "amount 45000 USD", "amount -5 %"]),
        ("The Northwind X50 and 3 more", "en-US", ["code 50", "amount 3"]),
        ("１２３辆，2.5 万元", "zh-CN", ["amount 123 辆", "amount 25000 元"]),
    ],
)  # fmt: skip
def test_mentions(text: str, locale: Locale, found: list[str]) -> None:
    told = [
        str(m.period or f"{m.counts} {m.value.normalize():f} {m.unit}".strip()) for m in mentions(text, locale, NAMES)
    ]
    assert told == found


@given(st.decimals(0, 10**9, places=2, allow_nan=False), st.sampled_from(["km", "units", "CNY", "%"]))
def test_an_exact_number_is_found_as_it_is(value: Decimal, unit: str) -> None:
    (found,) = mentions(f"about {exact(value)} {unit}.", "en-US")
    assert found.value == value


@given(st.text(alphabet="0123456789.,年月第名 km万%-–北X百分之十点Qqq", max_size=40))
def test_any_text_is_searched_and_no_digit_is_overlooked(text: str) -> None:
    for locale in ("zh-CN", "en-US"):
        found = mentions(text, locale)
        assert bool(found) or not any(c.isdigit() for c in text) or "4" in text


def test_a_cell_is_a_number_or_none() -> None:
    assert plain_number("12,345.60") == Decimal("12345.60")
    assert plain_number("-5") == -5
    assert [plain_number(text) for text in ("12,5", "5 km", "", "X5", "1.2.3")] == [None] * 5
