from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from factory.plan.brief import Brief, Table
from factory.plan.cooldown import REST_DAYS, rest_days, video_key
from factory.plan.facts import Facts, Ranking, Source

BRIEF = Brief(template="ranking", subject="suv", series="weekly", seed=3)
NOTHING = Facts("suv")


@pytest.mark.parametrize(
    ("layer", "order", "series", "days"),
    [
        (None, None, None, 0),
        (9, 9, None, 0),
        (None, None, "weekly", REST_DAYS),
        (None, 5, "weekly", 5),
        (None, 0, "weekly", 0),
        (7, 5, "weekly", 7),
        (0, 5, "weekly", 0),
        (0, None, "weekly", 0),
    ],
)
def test_the_layer_speaks_before_the_order(layer: int | None, order: int | None, series: str | None, days: int) -> None:
    assert rest_days(layer, Brief(template="ranking", series=series, cooldown_days=order)) == days


@pytest.mark.parametrize(
    "changes",
    [{"draft": True}, {"codec": "av1"}, {"aspects": ("9:16", "1:1")}, {"cooldown_days": 3}],
)
def test_how_a_video_is_made_leaves_it_the_same(changes: dict[str, Any]) -> None:
    assert video_key(BRIEF.model_copy(update=changes), NOTHING) == video_key(BRIEF, NOTHING)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 4},
        {"subject": "sedans"},
        {"locale": "en-US"},
        {"seconds": 30},
        {"set": {"top": "3"}},
        {"data": Table(name="x.csv", columns=("name",), rows=(("X5",),))},
    ],
)
def test_what_is_said_makes_another_video(changes: dict[str, Any]) -> None:
    assert video_key(BRIEF.model_copy(update=changes), NOTHING) != video_key(BRIEF, NOTHING)


def test_the_next_period_of_a_ranking_is_another_video() -> None:
    def facts(period: str) -> Facts:
        source = Source("desk", str(date(2026, 11, 1)))
        return Facts("suv", ranking=Ranking("SUV", "sales", "units", period, (), source))

    assert video_key(BRIEF, facts("2026-10")) == video_key(BRIEF, facts("2026-10"))
    assert video_key(BRIEF, facts("2026-10")) != video_key(BRIEF, facts("2026-11"))
