"""A window's path: at rest where it can be, within its limits where it moves, and always around what it follows."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.following import (
    LEAST_INSIDE,
    MOST_ACCELERATION,
    MOST_SPEED,
    Follow,
    Sight,
    b_spline,
    follow,
    inside,
)

FPS = Fraction(30)
CROP = 0.3164  # 9:16 out of 16:9


def sights(*middles: float, wide: float = 0.2, step: float = 0.25) -> list[Sight]:
    return [
        Sight(step * number, max(0.0, middle - wide / 2), min(1.0, middle + wide / 2))
        for number, middle in enumerate(middles)
    ]


def edges(path: Follow, frames: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([path.at(frame) for frame in range(frames)])


def limits_kept(path: Follow, frames: int) -> None:
    moved = np.diff(edges(path, frames)) * float(FPS)
    assert np.abs(moved).max(initial=0) <= MOST_SPEED + 1e-3
    assert np.abs(np.diff(moved)).max(initial=0) * float(FPS) <= MOST_ACCELERATION + 1e-2
    assert edges(path, frames).min() >= -1e-6
    assert edges(path, frames).max() <= 1 - path.window + 1e-5


def test_the_spline_adds_up_to_one() -> None:
    for place in (0.0, 0.25, 0.5, 0.9):
        assert sum(b_spline(place - number) for number in range(-3, 4)) == pytest.approx(1)


def test_a_window_rests_while_the_thing_moves_within_it() -> None:
    path = follow(sights(0.50, 0.52, 0.48, 0.51, 0.49, 0.50), "x", CROP, 40, FPS)
    assert path is not None
    assert path.is_still
    assert path.at(17) == pytest.approx(0.5 - CROP / 2, abs=0.01)


def test_a_window_does_not_creep() -> None:
    path = follow(sights(*(0.45 + 0.0018 * number for number in range(25)), wide=0.25), "x", CROP, 180, FPS)
    assert path is not None
    assert path.is_still


def test_a_window_follows_evenly_and_stops() -> None:
    there = [0.25] * 6 + [0.25 + 0.05 * number for number in range(1, 9)] + [0.65] * 6
    seen = sights(*there)
    path = follow(seen, "x", CROP, 150, FPS)
    assert path is not None
    limits_kept(path, 150)
    assert min(inside(path, sight, FPS) for sight in seen) >= LEAST_INSIDE
    places = edges(path, 150)
    assert np.all(np.diff(places) >= -1e-4)  # never back
    assert np.ptp(places[:30]) < 0.03
    assert np.ptp(places[-20:]) < 0.03


def test_a_nervous_thing_makes_no_nervous_window() -> None:
    chance = np.random.default_rng(3)
    seen = sights(*(0.2 + 0.02 * number + 0.02 * chance.standard_normal() for number in range(25)), wide=0.15)
    path = follow(seen, "x", CROP, 180, FPS)
    assert path is not None
    moved = np.diff(edges(path, 180))
    turns = sum(1 for one, other in pairwise(moved[np.abs(moved) > 1e-5]) if one * other < 0)
    assert turns == 0


def test_what_is_wider_than_the_window_has_no_path() -> None:
    assert follow(sights(*[0.5] * 8, wide=0.4), "x", CROP, 60, FPS) is None
    assert follow(sights(*[0.5] * 8, wide=0.4), "x", 0.5625, 60, FPS) is not None


def test_what_is_faster_than_a_window_may_be_has_no_path() -> None:
    assert follow(sights(0.1, 0.1, 0.9, 0.9, 0.1, 0.1, 0.9, 0.9), "x", CROP, 60, FPS) is None


def test_without_sights_the_window_rests_in_the_middle() -> None:
    path = follow([], "y", 0.5, 30, FPS)
    assert path is not None
    assert (path.axis, path.is_still) == ("y", True)
    assert path.at(29) == pytest.approx(0.25)


def test_where_it_is_not_seen_the_window_does_not_search() -> None:
    seen = [*sights(*[0.3] * 6), *(Sight(3 + 0.25 * number, 0.45, 0.65) for number in range(6))]
    path = follow(seen, "x", CROP, 150, FPS)
    assert path is not None
    limits_kept(path, 150)
    assert np.all(np.diff(edges(path, 150)) >= -1e-4)


def test_one_frame_is_enough() -> None:
    assert follow(sights(0.4), "x", CROP, 1, Fraction(24_000, 1001)) is not None


@given(
    st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.02, 0.5)), min_size=1, max_size=24),
    st.sampled_from([CROP, 0.5625, 0.75]),
)
def test_no_path_breaks_a_limit_or_loses_what_it_follows(there: list[tuple[float, float]], window: float) -> None:
    seen = [
        Sight(number / 4, max(0.0, middle - wide / 2), min(1.0, middle + wide / 2))
        for number, (middle, wide) in enumerate(there)
    ]
    frames = max(2, round(len(seen) / 4 * FPS))
    path = follow(seen, "x", window, frames, FPS)
    if path is not None:
        limits_kept(path, frames)
        lost = sum(inside(path, sight, FPS) < LEAST_INSIDE for sight in seen)
        assert lost <= 0.05 * len(seen)
