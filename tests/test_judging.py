"""Does a shot fit its scene, by what a person saw in it: which words speak, and when nothing does."""

from __future__ import annotations

import pytest

from factory.brief_set.judging import fits, tally
from factory.plan.query import parse_query
from understanding.labels import load_taxonomy

RESOLVE = load_taxonomy().resolve


@pytest.mark.parametrize(
    ("query", "seen", "verdict"),
    [
        ("traffic", "traffic car", True),
        ("traffic", "car daylight", False),
        ("driving-view | traffic", "traffic", True),
        ("(driving-view | traffic) & -accident", "traffic accident", False),
        ("(driving-view | traffic) & -accident", "traffic", True),
        ("off-road & mud", "off-road", False),
        ('exterior & "Pico E"', "exterior", True),  # of words no label speaks
        ('"Pico E" & -accident', "exterior", None),  # nothing is asked for that a label could tell
        ('"Pico E" & -accident', "accident", False),
        ("car & daylight", "car daylight", None),
        ("car & night", "car", False),
        ("car | night", "car", False),  # the car alone is no reason
        ("-(driving-view & night) & traffic", "driving-view traffic", True),
        ("traffic duration:>=3 height:>=4000", "traffic", True),
        ("-car", "car", False),  # ruled out, it counts like any other
    ],
)
def test_a_shot_fits_by_what_was_seen(query: str, seen: str, verdict: bool | None) -> None:
    assert fits(parse_query(query, RESOLVE), set(seen.split())) is verdict


def test_the_share_is_of_the_judged() -> None:
    counted = tally([True, True, None, False, None])
    assert (counted.on, counted.off, counted.unjudged, counted.share) == (2, 1, 2, 2 / 3)
    assert tally([None]).share is None
