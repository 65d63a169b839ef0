"""What a storyboard template writes with: words of its locale, numbers as they are said, queries for footage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from factory.plan.brief import Brief
from factory.plan.comparing import compare
from factory.plan.facts import Car, Locale, PriceChange, RankingRow, Spec
from factory.plan.numbers import UNITS, change_text, exact, format_value, said_exactly, unit_name, unit_of
from factory.plan.periods import parse_period
from factory.plan.query import HasText, format_query
from factory.render.phrases import Phrases, choose_lines, speaking_seconds

_METRICS = {
    ("sales", "quantity", "units", "units sold", "销售量", "数量", "零售量"): ("销量", "sales"),
    ("registrations", "上险量", "注册量"): ("注册量", "registrations"),
    ("deliveries", "交付量"): ("交付量", "deliveries"),
    ("price", "msrp", "list price", "价格", "售价", "官方指导价"): ("指导价", "list price"),
    ("range", "range km", "续航里程"): ("续航", "range"),
    ("zero to 100 s", "0 100 s", "百公里加速"): ("零百加速", "0-100 km/h"),
    ("power kw", "power", "max power kw"): ("功率", "power"),
    ("horsepower", "hp"): ("马力", "horsepower"),
    ("top speed", "top speed km/h", "max speed"): ("最高时速", "top speed"),
    ("dc max", "dc max kw", "dc charging kw"): ("直流快充峰值功率", "peak DC charging power"),
    ("ac max", "ac max kw", "ac charging kw"): ("交流充电功率", "AC charging power"),
    ("battery", "battery kwh", "usable battery kwh", "usable battery"): ("电池可用容量", "usable battery capacity"),
    ("consumption", "avg consumption", "avg consumption kwh 100km"): ("平均能耗", "average consumption"),
    ("score", "得分"): ("评分", "score"),
}
_ABBREVIATIONS = {word.lower(): word for word in ("AC", "DC", "EV", "SUV", "CO2", "MPG", "RPM", "kW", "kWh", "km")}
_UNITS_AS_SAID = {
    "km": "公里",
    "km/h": "公里每小时",
    "mm": "毫米",
    "kg": "公斤",
    "s": "秒",
    "min": "分钟",
    "kW": "千瓦",
}
_UNITS_AS_SAID |= {"kWh": "度", "kWh/100km": "度每百公里", "L/100km": "升每百公里", "N·m": "牛米"}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_INCIDENT_COLUMNS = {
    "clip": ("clip", "素材", "片段"),
    "place": ("place", "where", "地点"),
    "time": ("time", "when", "date", "时间", "日期"),
}
# Footage in which no car is the subject, so that it may stand for any place of a ranking.
_NEUTRAL = "(driving-view | traffic | aerial) -exterior -interior -detail -race"


def storyboard_tools(locale: Locale, brief: Brief, place: int = 0) -> dict[str, Any]:
    """Return the names that a storyboard template sees beside its facts and inputs; `place` is that in its series."""
    words = Phrases(locale, brief.seed, brief.series, place)
    return {
        "tr": words.tr,
        "vary": words.vary,
        "said": lambda value, unit: said(value, unit, locale),
        "said_exactly": lambda value, unit: said_exactly(value, unit, locale),
        "shown": lambda value, unit: shown(value, unit, locale),
        "shown_alike": lambda values, unit: shown_alike(values, unit, locale),
        "unit_word": lambda unit: unit_name(unit, locale),
        "metric_name": lambda metric: metric_name(metric, locale),
        "period_name": lambda period: period_name(period, locale),
        "change_text": lambda row: change_text(row, locale),
        "spoken_for": lambda text: speaking_seconds(text, locale),
        "choose_lines": choose_lines,
        "compare": compare,
        "footage_of": footage_of,
        "incidents": incidents(brief),
        "min": min,
        "max": max,
    }


def said(value: Decimal, unit: str, locale: Locale) -> str:
    """Return a number with its unit as a sentence says it: rounded, Chinese with the Chinese name of the unit."""
    spoken = format_value(value, unit, locale).spoken
    name = unit_of(unit)
    if locale == "zh-CN" and name in _UNITS_AS_SAID:
        return spoken.removesuffix(name).rstrip() + _UNITS_AS_SAID[name]
    return spoken


def shown(value: Decimal, unit: str, locale: Locale) -> dict[str, str]:
    """Return number and unit for a card, exact; a Chinese price stands in 万元 where two places are enough for it."""
    kind = UNITS.get(unit_of(unit))
    if locale == "zh-CN" and kind and kind.kind == "money" and kind.scale == 1 and value >= 10_000 and value % 100 == 0:
        return {"value": f"{(value / 10_000).normalize():f}", "unit": f"万{kind.zh}"}
    if locale == "en-US" and kind and kind.scale > 1:
        return shown(value * kind.scale, kind.base, locale)
    return {"value": exact(value), "unit": unit_name(unit, locale, value)}


def shown_alike(values: Sequence[Decimal], unit: str, locale: Locale) -> list[dict[str, str]]:
    """Return numbers for one card in one and the same unit: 189,850 元 beside 174,800 元, not beside 17.48 万元."""
    told = [shown(value, unit, locale) for value in values]
    if len({figure["unit"] for figure in told}) <= 1:
        return told
    return [{"value": exact(value), "unit": unit_name(unit, locale, value)} for value in values]


def is_price(spec: Spec) -> bool:
    """Tell a price from other specs, by its key."""
    return any(word in spec.key.lower() for word in ("price", "msrp"))


def metric_name(metric: str, locale: Locale) -> str:
    """Return the word for what a table counts, or the table's own word where none is known."""
    plain = " ".join(metric.replace("_", " ").lower().split())
    for known, names in _METRICS.items():
        if plain in known or plain in names:
            return names[0 if locale == "zh-CN" else 1]
    return " ".join(_ABBREVIATIONS.get(word.lower(), word) for word in metric.replace("_", " ").split())


def period_name(period: str, locale: Locale) -> str:
    """Write a period as people do: `2026-10` is `2026年10月` or `October 2026`; other text stays as it is."""
    found = parse_period(period)
    if found is None:
        return period
    chinese, year = locale == "zh-CN", found.year
    match found.grain:
        case "year":
            return f"{year}年" if chinese else f"{year}"
        case "quarter":
            return f"{year}年第{found.part}季度" if chinese else f"Q{found.part} {year}"
        case "month":
            return f"{year}年{found.part}月" if chinese else f"{_MONTHS[found.part - 1]} {year}"
        case "day":
            return (
                f"{year}年{found.part}月{found.day}日" if chinese else f"{found.day} {_MONTHS[found.part - 1]} {year}"
            )


def footage_of(own: Sequence[str], others: Iterable[RankingRow | PriceChange | Car]) -> str:
    """Return the query for one car: the named car itself, or footage whose subject is no car of the table."""
    foreign = dict.fromkeys(name for row in others for name in _names_of(row) if name not in own)
    neutral = f"({' '.join([_NEUTRAL, *(f'-{_quoted(name)}' for name in foreign)])})"
    return f"({' | '.join([*map(_quoted, own), neutral])}) -accident"


def _names_of(row: RankingRow | PriceChange | Car) -> tuple[str, ...]:
    if isinstance(row, RankingRow):
        return row.car.names() if row.car else (row.name,)
    return row.names()


def _quoted(words: str) -> str:
    return format_query(HasText(words))


def incidents(brief: Brief) -> list[dict[str, str]]:
    """Return the rows of the brief's table as `clip`, `place` and `time`, as far as it has such columns."""
    if not brief.data:
        return []
    heads = [column.strip().lower() for column in brief.data.columns]
    at = {key: heads.index(name) for key, names in _INCIDENT_COLUMNS.items() for name in names if name in heads}
    return [{key: row[i].strip() for key, i in at.items() if i < len(row)} for row in brief.data.rows]
