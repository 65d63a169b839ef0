"""What a storyboard template writes with: words of its locale, numbers as they are said, queries for footage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from factory.plan.brief import Brief
from factory.plan.facts import Locale, RankingRow
from factory.render.figures import Figures
from factory.render.phrases import Phrases, choose_lines, speaking_seconds

_METRICS = {
    "sales": ("销量", "sales"),
    "quantity": ("销量", "sales"),
    "registrations": ("注册量", "registrations"),
    "price": ("指导价", "list price"),
    "range": ("续航", "range"),
    "acceleration": ("加速", "acceleration"),
    "safety": ("安全评分", "safety score"),
}
_INCIDENT_COLUMNS = {
    "clip": ("clip", "素材", "片段"),
    "place": ("place", "where", "地点"),
    "time": ("time", "when", "date", "时间", "日期"),
}
# Footage in which no car is the subject, so that it may stand for any place of a ranking.
_NEUTRAL = "(driving-view | traffic | aerial) -exterior -interior -detail -accident -race"


def storyboard_tools(locale: Locale, brief: Brief) -> dict[str, Any]:
    """Return the names that a storyboard template sees beside its facts and inputs."""
    words, figures = Phrases(locale, brief.seed), Figures(locale)
    return {
        "tr": words.tr,
        "vary": words.vary,
        "said": figures.said,
        "shown": figures.shown,
        "unit_word": figures.unit,
        "metric_name": lambda metric: metric_name(metric, locale),
        "spoken_for": lambda text: speaking_seconds(text, locale),
        "choose_lines": choose_lines,
        "footage_of": footage_of,
        "incidents": incidents(brief),
        "min": min,
        "max": max,
    }


def metric_name(metric: str, locale: Locale) -> str:
    """Return the word for a table's metric, or the table's own word."""
    for key, names in _METRICS.items():
        if metric.lower().startswith(key) or metric in names:
            return names[0 if locale == "zh-CN" else 1]
    return metric.replace("_", " ")


def footage_of(own: Sequence[str], rows: Iterable[RankingRow]) -> str:
    """Return the query for one place: the named car itself, or footage whose subject is no car of the table."""
    others = [name for row in rows for name in (row.car.names() if row.car else (row.name,)) if name not in own]
    foreign = " ".join(f"-{_quoted(name)}" for name in dict.fromkeys(others))
    return " | ".join([*map(_quoted, own), f"({_NEUTRAL} {foreign})".replace(" )", ")")])


def _quoted(words: str) -> str:
    return '"' + words.replace('"', " ").replace("\\", " ").strip() + '"'


def incidents(brief: Brief) -> list[dict[str, str]]:
    """Return the rows of the brief's table as `clip`, `place` and `time`, as far as it has such columns."""
    if not brief.data:
        return []
    heads = [column.strip().lower() for column in brief.data.columns]
    at = {
        key: next((heads.index(name) for name in names if name in heads), None)
        for key, names in _INCIDENT_COLUMNS.items()
    }
    return [{key: row[i].strip() for key, i in at.items() if i is not None and i < len(row)} for row in brief.data.rows]
