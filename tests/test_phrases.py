"""Variants take turns in a series, so that no two videos in a row say it alike; the same place says the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.brief import Brief
from factory.plan.facts import Locale
from factory.render.phrases import Phrases, PhraseWrong
from factory.render.templates import Templates
from tests.test_storyboard_templates import KINDS, LOCALES, facts

TEMPLATES = Templates()


@given(st.lists(st.text(max_size=5), min_size=2, max_size=6, unique=True), st.text(max_size=9), st.text(max_size=9))
def test_consecutive_videos_of_a_series_differ(variants: list[str], key: str, series: str) -> None:
    said = [Phrases("zh-CN", place * 7, series, place).vary(variants, key) for place in range(2 * len(variants))]
    assert all(one != other for one, other in pairwise(said))
    assert sorted(said[: len(variants)]) == sorted(variants)
    assert said == [Phrases("zh-CN", 0, series, place).vary(variants, key) for place in range(2 * len(variants))]


def test_two_series_do_not_begin_alike_and_seeds_count_outside_of_one() -> None:
    variants = [str(number) for number in range(50)]
    assert len({Phrases("zh-CN", 0, f"series {number}", 0).vary(variants, "hook") for number in range(20)}) > 10
    alone = [Phrases("zh-CN", seed, None, 9).vary(variants, "hook") for seed in range(50)]
    assert sorted(alone) == sorted(variants)
    with pytest.raises(PhraseWrong):
        Phrases("zh-CN").vary([], "hook")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_the_templates_vary_from_video_to_video(kind: str, locale: Locale) -> None:
    def filled(place: int) -> str:
        theme = {"about": "race"} if kind == "highlights" else {}
        brief = Brief(template=kind, locale=locale, series="weekly", seconds=40, set=theme)
        return TEMPLATES.storyboard(kind, {"brief": brief, "facts": facts(kind), "place": place})

    assert filled(0) != filled(1)
    assert filled(0) == filled(0)
