"""Numbers in words are read back as the values that the voices' readings said."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.facts import Locale
from factory.plan.number_words import number_words
from factory.plan.reading_en import integer as english
from factory.plan.reading_en import year
from factory.plan.reading_zh import integer as chinese

NUMBERS = st.integers(0, 10**4) | st.integers(0, 10**15 - 1)


@given(NUMBERS)
def test_what_is_read_aloud_is_read_back(number: int) -> None:
    ways: tuple[tuple[Locale, str], ...] = (("zh-CN", chinese(number)), ("en-US", english(number)))
    for locale, words in ways:
        (found,) = number_words(f"，{words}。" if locale == "zh-CN" else f"it is {words}.", locale)
        assert found.value == number
        assert found.text == words


@given(st.integers(1900, 2099))
def test_years_are_read_back(number: int) -> None:
    (found,) = number_words(f"in {year(number)}", "en-US")
    assert found.value == number


@pytest.mark.parametrize(
    ("text", "locale", "values"),
    [
        ("二零二六年", "zh-CN", ["2026"]),
        ("十九点九八万元", "zh-CN", ["199800"]),
        ("两百二十千瓦", "zh-CN", ["220"]),
        ("一万三", "zh-CN", ["13000"]),
        ("每百公里，千万别急", "zh-CN", []),
        ("五点九秒和十二", "zh-CN", ["5.9", "12"]),
        ("nineteen point nine eight seconds", "en-US", ["19.98"]),
        ("two thousand and five", "en-US", ["2005"]),
        ("one point two million dollars", "en-US", ["1200000"]),
        ("a hundred of them, and hundreds more", "en-US", []),
        ("Someone onetime", "en-US", []),
    ],
)
def test_values(text: str, locale: Locale, values: list[str]) -> None:
    assert [found.value for found in number_words(text, locale)] == [Decimal(value) for value in values]


@given(st.text(alphabet="零一二两三十百千万亿点瓦 onetwhudrpifs-and", max_size=30))
def test_any_text_is_read(text: str) -> None:
    for locale in ("zh-CN", "en-US"):
        for found in number_words(text, locale):
            assert text[found.start : found.end] == found.text
            assert found.value >= 0
