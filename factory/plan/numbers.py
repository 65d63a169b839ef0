"""Numbers and units in two languages: read exactly from a cell, written exactly for a card, rounded for a sentence."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from factory.plan.facts import Locale, RankingRow

Kind = Literal["count", "money", "measure"]
MOST_POWER = 18  # of ten, that a number in a cell may have, up or down

MISSING = frozenset({"", "-", "--", "—", "–", "/", "na", "n/a", "nan", "null", "none", "nil", "无", "暂无", "未知"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it is written in both languages. `scale` turns a Chinese ten-thousand unit into `base`'s unit."""

    zh: str
    en: str
    en_one: str = ""
    kind: Kind = "measure"
    base: str = ""
    scale: int = 1


UNITS: dict[str, Unit] = {
    "辆": Unit("辆", "units", "unit", "count"),
    "万辆": Unit("万辆", "units", "unit", "count", "辆", 10_000),
    "元": Unit("元", "CNY", "", "money"),
    "万元": Unit("万元", "CNY", "", "money", "元", 10_000),
    "USD": Unit("美元", "USD", "", "money"),
    "EUR": Unit("欧元", "EUR", "", "money"),
    "GBP": Unit("英镑", "GBP", "", "money"),
    "km": Unit("km", "km"),
    "mi": Unit("英里", "mi"),
    "km/h": Unit("km/h", "km/h"),
    "mm": Unit("mm", "mm"),
    "kg": Unit("kg", "kg"),
    "s": Unit("s", "s"),
    "min": Unit("min", "min"),
    "kWh": Unit("kWh", "kWh"),
    "kW": Unit("kW", "kW"),
    "hp": Unit("马力", "hp"),
    "N·m": Unit("N·m", "N·m"),
    "kWh/100km": Unit("kWh/100km", "kWh/100km"),
    "L/100km": Unit("L/100km", "L/100km"),
    "mpg": Unit("mpg", "mpg"),
    "%": Unit("%", "%"),
    "座": Unit("座", "seats", "seat"),
}

_ALIASES: dict[str, str] = {
    **{name.lower(): name for name in UNITS},
    **{"units": "辆", "unit": "辆", "vehicles": "辆", "cars": "辆", "台": "辆", "部": "辆", "万台": "万辆"},
    **{"cny": "元", "rmb": "元", "yuan": "元", "人民币": "元", "人民币元": "元", "¥": "元"},
    **{"美元": "USD", "$": "USD", "欧元": "EUR", "€": "EUR", "英镑": "GBP", "£": "GBP"},
    **{"公里": "km", "千米": "km", "英里": "mi", "miles": "mi", "公里/小时": "km/h", "kph": "km/h", "毫米": "mm"},
    **{"公斤": "kg", "千克": "kg", "秒": "s", "sec": "s", "seconds": "s", "分钟": "min", "度": "kWh", "千瓦时": "kWh"},
    **{"千瓦": "kW", "马力": "hp", "匹": "hp", "nm": "N·m", "n.m": "N·m", "牛·米": "N·m", "牛米": "N·m"},
    **{"kwh/100 km": "kWh/100km", "l/100 km": "L/100km", "升/百公里": "L/100km", "度/百公里": "kWh/100km"},
    **{"个": "座", "seats": "座", "seat": "座", "percent": "%"},
}
UNIT_NAMES = frozenset(_ALIASES)
_SIGNS = {"¥": "元", "$": "USD", "€": "EUR", "£": "GBP"}
_TENS = {"万": 10**4, "亿": 10**8, "千": 10**3, "k": 10**3, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_AMOUNT = re.compile(
    r"(?P<sign>[-+]?)(?P<money>[¥$€£]?)(?P<minus>-?)"
    r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,18})(?P<part>\.[0-9]{1,18})?(?P<power>[eE][-+]?[0-9]{1,2})?"
    r"\s*(?P<tens>万|亿|千|thousand|million|billion|[kK](?![A-Za-z/]))?\s*(?P<unit>[^0-9,].*)?"
)


class NotANumber(ValueError):
    """A cell that holds no number; the text says why."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as a cell states it, exactly, and the unit written beside it (canonical, or empty)."""

    value: Decimal
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number for people. `exact` is every digit (for cards), `unit` its unit; `spoken` is rounded as people say it,
    with its unit, for narration and titles; `rounded` says that `spoken` left something out."""

    exact: str
    unit: str
    spoken: str
    rounded: bool = False

    @property
    def shown(self) -> str:
        """The exact number with its unit."""
        return _joined(self.exact, self.unit)


def unit_of(name: str) -> str:
    """Return the canonical unit for any of its names; an unknown one stays as it is."""
    return _ALIASES.get(name.strip().lower(), name.strip())


def is_missing(text: str) -> bool:
    """Say whether a cell stands for 'no value'."""
    return text.strip().lower() in MISSING


def parse_amount(text: str) -> Amount:
    """Return the number that a cell states: `12,345`, `1.2万`, `¥199,800`, `560 km`, full-width digits; all exact.

    Raises `NotANumber`; a comma that groups no thousands (`12,5`) is refused rather than guessed at.
    """
    plain = unicodedata.normalize("NFKC", text[:80]).replace("\N{MINUS SIGN}", "-").strip()
    plain = re.sub(r"(?<=[0-9])[  '’](?=[0-9]{3}(?:[^0-9]|$))", "", plain)
    if is_missing(plain):
        raise NotANumber("the value is missing")
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        raise NotANumber(f"{text[:40]!r} is not a number")
    unit = (found["unit"] or "").strip()
    if unit and unit.lower() not in _ALIASES:
        raise NotANumber(f"{text[:40]!r} is not a number with a known unit")
    number = Decimal(found["digits"].replace(",", "") + (found["part"] or "") + (found["power"] or ""))
    if number and abs(number.adjusted()) > MOST_POWER:
        raise NotANumber(f"{text[:40]!r} is beyond what any table means")
    if found["tens"] or found["power"]:
        number = _plain(number * _TENS.get((found["tens"] or "").lower(), 1))
    negative = found["sign"] == "-" or found["minus"] == "-"
    return Amount(-number if negative else number, unit_of(unit) or _SIGNS.get(found["money"], ""))


def exact(value: Decimal) -> str:
    """Return every digit of the value with thousands commas, as OCR reads it back: `12,345`."""
    return f"{value if value else abs(value):,f}"


def unit_name(unit: str, locale: Locale, value: Decimal | None = None) -> str:
    """Return a unit as the locale writes it (English singular for exactly one); an unknown unit stays as it is."""
    known = UNITS.get(unit_of(unit))
    if known is None:
        return unit
    if locale == "zh-CN":
        return known.zh
    return known.en_one if value == 1 and known.en_one else known.en


def format_value(value: Decimal, unit: str, locale: Locale) -> Figure:
    """Return the value for a card and for a sentence: 129800 元 -> `129,800` and `12.98万元` or `129,800 CNY`."""
    known = UNITS.get(unit_of(unit), Unit(unit, unit))
    if known.scale > 1 and locale == "en-US":
        return format_value(_plain(value * known.scale), known.base, locale)
    name = unit_name(unit, locale, value)
    base_value = value * known.scale
    said = _rounded(base_value, known.kind)
    base_name = unit_name(known.base, locale, value) if known.scale > 1 else name
    return Figure(exact(value), name, _said(said, base_name, locale), rounded=said != base_value)


def said_exactly(value: Decimal, unit: str, locale: Locale) -> str:
    """Return a number with its unit for a sentence, nothing rounded away: 239850 元 -> `23.985万元`."""
    known = UNITS.get(unit_of(unit), Unit(unit, unit))
    base = _plain(value * known.scale)
    return _said(base, unit_name(known.base or unit, locale, base), locale)


def spoken_value(value: Decimal, unit: str) -> Decimal:
    """Return the value, given in `unit`, that a sentence says: 18234 辆 is said as 18200."""
    known = UNITS.get(unit_of(unit))
    return _rounded(value, known.kind if known else "measure")


def change_text(row: RankingRow, locale: Locale) -> str:
    """Return how a place moved against the period before (`up 2`, `new entry`), empty where that is not known."""
    places = abs(row.previous_rank - row.rank) if row.previous_rank is not None else 0
    chinese = locale == "zh-CN"
    match row.change:
        case "up":
            return f"上升{places}位" if chinese else f"up {places}"
        case "down":
            return f"下降{places}位" if chinese else f"down {places}"
        case "same":
            return "排名不变" if chinese else "no change"
        case "new":
            return "新上榜" if chinese else "new entry"
        case _:
            return ""


def _plain(value: Decimal) -> Decimal:
    """Drop the exponent and the trailing zeros that a multiplication leaves."""
    whole = value.to_integral_value()
    return whole.quantize(Decimal(1)) if whole == value else value.normalize()


def _rounded(value: Decimal, kind: Kind) -> Decimal:
    """Round to the digits that people say: three of a large count, four of a price, measures as they are."""
    digits = {"count": 3, "money": 4, "measure": 18}[kind]
    if abs(value) < 10_000 or value.adjusted() < digits:
        return value
    step = Decimal(1).scaleb(value.adjusted() - digits + 1)
    return _plain((value / step).quantize(Decimal(1), ROUND_HALF_UP) * step)


def _said(value: Decimal, unit: str, locale: Locale) -> str:
    value = _plain(value)  # 92.0 is said as 92
    if locale == "zh-CN":
        for size, word in ((10**8, "亿"), (10**4, "万")):
            if abs(value) >= size:
                return f"{_plain(value / size):f}{word}{unit}"
        return _joined(f"{value:f}", unit)
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if abs(value) >= size:
            return _joined(f"{_plain(value / size):f} {word}", unit)
    return _joined(exact(value), unit)


def _joined(number: str, unit: str) -> str:
    """A space stands between a number and Latin letters, none before Chinese characters or %."""
    return f"{number} {unit}" if re.match(r"[A-Za-z]", unit) else f"{number}{unit}"
