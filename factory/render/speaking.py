"""What a storyboard template writes with: words of its locale, numbers as they are said, queries for footage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from factory.plan.brief import Brief
from factory.plan.comparing import compare
from factory.plan.facts import Car, Locale, PriceChange, RankingRow
from factory.plan.numbers import change_text, said_exactly, unit_name
from factory.plan.periods import parse_period
from factory.plan.query import HasText, format_query
from factory.render.figures import said, shown, shown_alike
from factory.render.phrases import Phrases, choose_lines, speaking_seconds
from factory.render.telling import told_facts

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
        "told_facts": lambda cars, seconds, **options: told_facts(cars, seconds, words, **options),
        "footage_of": footage_of,
        "incidents": incidents(brief),
        "min": min,
        "max": max,
    }


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
