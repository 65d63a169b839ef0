"""The numbers that a text states, in digits or in words, with their units and what they count: places, dates, ..."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

from factory.plan.facts import Locale
from factory.plan.number_words import NumberWords, number_words
from factory.plan.numbers import UNIT_NAMES, UNITS, unit_of
from factory.plan.periods import Period, parse_period
from factory.plan.reading import plain_letters

Counts = Literal["amount", "rank", "places", "count", "date", "code"]

_TENS = {"万": 10**4, "亿": 10**8, "千": 10**3, "百": 10**2, "k": 10**3}
_TENS |= {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_SPOKEN_UNITS = {
    "公里每小时": "km/h",
    "千米每小时": "km/h",
    "度每百公里": "kWh/100km",
    "千瓦时每百公里": "kWh/100km",
    "升每百公里": "L/100km",
    "人民币": "元",
    "kilometers per hour": "km/h",
    "kilometers": "km",
    "kilometer": "km",
    "kilowatt hours": "kWh",
    "kilowatts": "kW",
    "millimeters": "mm",
    "newton meters": "N·m",
    "minutes": "min",
    "yuan": "元",
    "dollars": "USD",
}
_MONEY = {"¥": "元", "￥": "元", "$": "USD", "€": "EUR", "£": "GBP"}
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MONTH = rf"(?P<month>{_MONTHS})[a-z]*\.?"
_RATIOS = {"翻倍": "2", "翻番": "2", "一半": "0.5", "twice": "2", "doubled": "2", "halved": "0.5", "half as": "0.5"}
_RATIO = re.compile("|".join(rf"\b{word}\b" if word.isascii() else word for word in _RATIOS), re.IGNORECASE)
_BEFORE_RANK = re.compile(r"(?:第|\b(?:number|no\.|place|rank)|#)\s?$", re.IGNORECASE)
_BEFORE_COUNT = re.compile(r"(?:前|\btop)\s?$", re.IGNORECASE)
_BEFORE_PLACES = re.compile(r"(?:上升|下降|前进|后退|\b(?:up|down))了?\s?$", re.IGNORECASE)
_GONE = "\x1f"
_TERM_EDGE = r"(?<![A-Za-z0-9.])", r"(?![A-Za-z0-9]|\.[0-9])"

_YEAR, _MM, _DD = "(?:19|20)[0-9]{2}", "(?:0?[1-9]|1[0-2])", "(?:3[01]|[12][0-9]|0?[1-9])"
_FREE = r"(?<![0-9.,])"
_DATES = (
    re.compile(rf"\b[qQ][1-4],?\s{_YEAR}\b|(?<![0-9年])第[1-4]季度"),
    re.compile(rf"\b(?:[0-9]{{1,2}}\s)?{_MONTH},?\s(?:[0-9]{{1,2}}(?:st|nd|rd|th)?,?\s)?{_YEAR}\b", re.IGNORECASE),
    re.compile(rf"{_FREE}{_YEAR}[-/.年]{_MM}[-/.月]{_DD}(?:日|号|(?![0-9]))"),
    re.compile(rf"{_FREE}{_YEAR}(?:年第|[- ]?[qQ]|年[qQ])[1-4](?:季度|(?![0-9]))"),
    re.compile(rf"{_FREE}{_YEAR}(?:年{_MM}月|[-/](?:0[1-9]|1[0-2])(?![-/0-9]))"),
    re.compile(rf"{_FREE}{_YEAR}(?:年|款|(?=[\s,.;:)）]|$))(?!(?:\.[0-9]|\s?(?:km|mm|kg|units|辆|元)))"),
    re.compile(rf"(?<![0-9]){_MM}月(?:{_DD}[日号])?"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mention:
    """A number of a text: what it counts, its value in its unit (万辆 is 辆 times ten thousand), and where it stands.

    A `code` is a number inside a name like X6. `unit` is canonical, or empty. Of a date, `period` has what is said of
    it: year 0 where it is not said.
    """

    counts: Counts
    value: Decimal
    unit: str
    text: str
    start: int
    period: Period | None = None


def mentions(text: str, locale: Locale, masked: Sequence[str] = ()) -> tuple[Mention, ...]:
    """Return the numbers of a text, in order. `masked` are names: their digits are letters of a name, not numbers."""
    plain = plain_letters(text)
    plain = _without(plain, [*masked, *terms(locale)])
    found = list[Mention]()
    for pattern in _DATES:
        for date in pattern.finditer(plain):
            if period := _period(date[0]):
                found.append(Mention("date", Decimal(0), "", date[0], date.start(), period))
                plain = _blank(plain, date.start(), date.end())
    for number in _digits().finditer(plain):
        found.append(_mention(plain, number, Decimal(number["digits"].replace(",", ""))))
    plain = _digits().sub(lambda number: _GONE * len(number[0]), plain)
    found += [
        Mention("amount", Decimal(_RATIOS[ratio[0].lower()]), "倍", ratio[0], ratio.start())
        for ratio in _RATIO.finditer(plain)
    ]
    found += _in_words(_RATIO.sub(lambda ratio: _GONE * len(ratio[0]), plain), locale)
    return tuple(sorted(found, key=lambda mention: mention.start))


def plain_number(text: str) -> Decimal | None:
    """Return the value of a text that is one number and nothing else, as a card's cell is."""
    found = re.fullmatch(r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?", text)
    return Decimal(text.replace(",", "")) if found else None


@cache
def terms(locale: Locale) -> tuple[str, ...]:
    """Return the written forms of a locale that hold a numeral and claim nothing."""
    text = (files("factory.plan") / "data" / "number_terms.yaml").read_text(encoding="utf-8")
    return tuple(yaml.safe_load(text)[locale])


def in_unit(value: Decimal, unit: str) -> tuple[Decimal, str]:
    """Return a value and its unit as the facts keep them: 18.98 万元 is 189800 元."""
    name = unit_of(_SPOKEN_UNITS.get(unit.lower(), unit))
    known = UNITS.get(name)
    if known and known.scale > 1:
        return value * known.scale, known.base
    return value, name if known else ""


def _without(plain: str, names: Sequence[str]) -> str:
    """Blank every name, the longest first; never the middle of a word or of a number."""
    held = {
        plain_letters(name) for name in names if re.search(r"[0-9零一二两三四五六七八九十百千万]|one|hundred", name)
    }
    before, after = _TERM_EDGE
    for name in sorted(held, key=len, reverse=True):
        if name.casefold() not in plain.casefold() or re.fullmatch(r"[0-9.,\s-]*", name):
            continue  # a bare number is no name
        begin = before if re.match(r"[A-Za-z0-9]", name) else ""
        finish = after if re.search(r"[A-Za-z0-9]$", name) else ""
        for found in re.finditer(begin + re.escape(name) + finish, plain, re.IGNORECASE):
            plain = _blank(plain, found.start(), found.end())
    return plain


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + _GONE * (end - start) + text[end:]


@cache
def _digits() -> re.Pattern[str]:
    words = sorted(_TENS.keys() - {"k"}, key=len, reverse=True)
    tens = "|".join(rf"{word}(?![瓦帕牛克米])" if word == "千" else word for word in words)
    return re.compile(
        r"(?P<percent>百分之)?(?P<sign>(?<![A-Za-z0-9)])[-+])?(?:(?P<money>[¥￥$€£])\s?)?"
        r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?P<part>\.[0-9]+)?"
        rf"(?:\s?(?P<tens>(?:{tens})+|[kK](?![A-Za-z/])))?(?:[\s-]?(?P<unit>{_unit_names()}))?",
        re.IGNORECASE,
    )


@cache
def _unit_names() -> str:
    names = sorted({*UNIT_NAMES, *_SPOKEN_UNITS} - set(_MONEY), key=len, reverse=True)
    return "|".join(
        re.escape(name) + (r"(?![A-Za-z])" if name[-1].isascii() and name[-1].isalpha() else "") for name in names
    )


def _mention(plain: str, number: re.Match[str], whole: Decimal) -> Mention:
    value = whole + Decimal("0" + (number["part"] or ""))
    for power in re.findall("|".join(_TENS), (number["tens"] or "").lower()):
        value *= _TENS[power]
    value = -value if number["sign"] == "-" else value
    unit = "%" if number["percent"] else number["unit"] or _MONEY.get(number["money"] or "", "")
    return _counted(plain, number.start(), number.end(), value, unit)


def _counted(plain: str, start: int, end: int, value: Decimal, unit: str) -> Mention:
    """Say what a number counts by the words beside it."""
    before, after = plain[max(0, start - 12) : start], plain[end : end + 12]
    amount, name = in_unit(value, unit)
    counts: Counts = "amount"
    if ratio := re.match(r"倍|\stimes\b", after):
        return Mention("amount", value, "倍", plain[start : end + ratio.end()].strip(), start)
    if re.search(r"(?:第|\b(?:number|no\.|place|rank)|#)\s?$", before, re.IGNORECASE) or re.match(
        r"(?:st|nd|rd|th)\b", after
    ):
        counts = "rank"
    elif re.search(r"(?:前|\btop)\s?$", before, re.IGNORECASE):
        counts = "count"
    elif re.search(r"(?:上升|下降|前进|后退|\b(?:up|down))了?\s?$", before, re.IGNORECASE) and not name:
        counts = "places"
    elif re.search(r"[A-Za-z]\.?$", before) or (not name and re.match(r"[A-Za-z]", after)):
        counts = "code"
    elif re.match(r"(?:个?名次|位)|\s(?:places?|spots?|positions?)\b", after):
        counts = "places"
    elif re.match(r"[款名家项]|\s(?:models?|rows?|entries)\b", after):
        counts = "count"
    return Mention(counts, amount if counts == "amount" else value, name, plain[start:end].strip(), start)


def _in_words(plain: str, locale: Locale) -> Iterator[Mention]:
    """Yield numbers in words: composed ones, and single ones before a unit or a measure word, or after 第."""
    for words in number_words(plain, locale):
        before, after = plain[: words.start], plain[words.end :]
        percent = before.endswith("百分之") or re.match(r"\s?percent\b", after, re.IGNORECASE)
        unit = re.match(rf"\s?({_unit_names()})", after, re.IGNORECASE)
        end = words.end + (unit.end() if unit else 0)
        mention = _counted(plain, words.start, end, words.value, "%" if percent else unit[1] if unit else "")
        if mention.unit == "倍" or _stated(words, mention, locale):
            yield mention


def _stated(words: NumberWords, mention: Mention, locale: Locale) -> bool:
    if words.composed:
        return True
    if locale == "zh-CN":  # 一台 SUV, 一眼, 一起: an article or an idiom
        return mention.counts == "rank" or (words.text != "一" and bool(mention.unit or mention.counts != "amount"))
    return mention.counts == "rank" or words.text.lower() not in ("one", "oh", "zero")


def _period(text: str) -> Period | None:
    """Return what a stretch that looks like a date says, or None where it is none."""
    if known := parse_period(re.sub(r"[款号]$", "", text).strip(" ,.;:)）")):
        return known
    year = re.search("(?:19|20)[0-9]{2}", text)
    at = int(year[0]) if year else 0
    if quarter := re.search(r"(?:第|[qQ])([1-4])", text):
        return Period(at, int(quarter[1]), 0, "quarter")
    days = [int(day) for day in re.findall(r"(?<![0-9])[0-9]{1,2}(?![0-9])", text)]
    if month := re.search(_MONTH, text, re.IGNORECASE):
        number = _MONTHS.split("|").index(month["month"].lower()) + 1
    elif days:
        number = days.pop(0)
    else:
        return None
    return Period(at, number, days[0] if days else 0, "day" if days else "month")
