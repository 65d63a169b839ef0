"""Numbers written in words, Chinese and English, as values: the way back from `reading_zh` and `reading_en`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from factory.plan.facts import Locale
from factory.plan.reading_en import ONES, TENS

_ZH_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_ZH_SMALL = {"十": 10, "百": 100, "千": 1000}
_ZH_LARGE = {"万": 10**4, "亿": 10**8}
_UNIT_AFTER = "瓦帕牛克米"  # 千瓦 is a unit: its 千 is no part of the number
_ZH = re.compile(
    rf"(?:[零〇一二两三四五六七八九十百万亿]|千(?![{_UNIT_AFTER}]))+"
    rf"(?:点[零〇一二三四五六七八九]+(?:[十百万亿]|千(?![{_UNIT_AFTER}]))*)?"
)

_ONES = {word: value for value, word in enumerate(ONES)} | {"oh": 0}
_TENS = {word: 10 * value for value, word in enumerate(TENS) if value > 1}
_POWERS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_EN_WORD = "|".join((*_ONES, *_TENS, "hundred", *_POWERS))
_EN = re.compile(
    rf"\b(?:{_EN_WORD})(?:(?:[\s-]+|\s+and\s+)(?:{_EN_WORD}))*(?:\s+point(?:\s+(?:{_EN_WORD}))+)?\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class NumberWords:
    """A number in words: its value and where it stands, characters [start, end)."""

    value: Decimal
    text: str
    start: int
    end: int

    @property
    def composed(self) -> bool:
        """Say whether it is made of several numerals, so that it is no article and no part of an idiom."""
        return len(re.findall(r"[㐀-鿿]|[A-Za-z]+", self.text)) > 1


def number_words(text: str, locale: Locale) -> Iterator[NumberWords]:
    """Yield the numbers that stand in words. A power by itself (百公里, hundred) is none."""
    chinese = locale == "zh-CN"
    for found in (_ZH if chinese else _EN).finditer(text):
        value = _chinese(found[0]) if chinese else _english(found[0])
        if value is not None:
            yield NumberWords(value, found[0], found.start(), found.end())


def _chinese(words: str) -> Decimal | None:
    whole, _, part = words.partition("点")
    if not any(word in _ZH_DIGITS for word in whole) and not whole.startswith("十"):
        return None
    value = Decimal(_chinese_whole(whole))
    if not part:
        return value
    digits = "".join(str(_ZH_DIGITS[word]) for word in part if word in _ZH_DIGITS)
    value += Decimal(f"0.{digits}")
    for power in part[len(digits) :]:
        value *= {**_ZH_SMALL, **_ZH_LARGE}[power]
    return value


def _chinese_whole(words: str) -> int:
    if all(word in _ZH_DIGITS for word in words):  # 二零二六
        return int("".join(str(_ZH_DIGITS[word]) for word in words))
    total = section = digit = 0
    last = 10  # the power before: 两万三 is 23000
    for word in words:
        if word in _ZH_DIGITS:
            digit = _ZH_DIGITS[word]
            last = 10 if digit == 0 else last
        elif word in _ZH_SMALL:
            last = _ZH_SMALL[word]
            section += (digit or 1) * last
            digit = 0
        else:
            last = _ZH_LARGE[word]
            total = total + (section + digit) * last if last == 10**4 else (total + section + digit) * last
            section = digit = 0
    return total + section + digit * (last // 10 if last > 10 else 1)


def _english(words: str) -> Decimal | None:
    tokens = [word for word in re.split(r"[\s-]+", words.lower()) if word != "and"]
    cut = tokens.index("point") if "point" in tokens else len(tokens)
    power = 1
    part = tokens[cut + 1 :]
    while part and part[-1] in _POWERS:
        power *= _POWERS[part.pop()]
    if not any(token in _ONES or token in _TENS for token in tokens[:cut]):
        return None
    value = Decimal(_english_whole(tokens[:cut]))
    if part:
        value += Decimal("0." + "".join(str({**_ONES, **_TENS}.get(word, 0)) for word in part))
    return value * power


def _english_whole(tokens: list[str]) -> int:
    total, section, before = 0, 0, 0
    for word in tokens:
        if word == "hundred":
            section, before = max(1, section) * 100, 100
        elif word in _POWERS:
            total, section, before = total + max(1, section) * _POWERS[word], 0, 0
        else:
            number = _ONES.get(word, _TENS.get(word, 0))
            if section and not _follows(before, number):  # twenty twenty-six, nineteen oh five, one zero one
                section *= 100 if number >= 10 else 10
            section, before = section + number, number
    return total + section


def _follows(before: int, number: int) -> bool:
    """Say whether a numeral is added to the one before it: after a hundred, or ones after tens."""
    return before == 100 or (before >= 20 and before % 10 == 0 and 0 < number < 10)
