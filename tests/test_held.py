"""The comparison of two taggers, against cases worked by hand and attempts to win it by saying more or less."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from understanding.learning.held import HeldCells, HeldScores, held_out, score, verdict
from understanding.learning.partial import UNKNOWN

LIMITS = np.array([0.3, 0.5])


def cells(clips: int = 8) -> HeldCells:
    """Two tags: the first is known everywhere and there in every second clip, the second is there, if known at all."""
    states = np.full((clips * 2, 2), UNKNOWN, np.int8)
    states[:, 0] = np.arange(clips * 2) // 2 % 2
    states[::4, 1] = 1
    return HeldCells(states, [f"clip{k // 2}" for k in range(clips * 2)])


def right(held: HeldCells, sure: float = 0.9) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.where(held.states == 1, sure, 1 - sure)


def test_scores_are_those_worked_by_hand() -> None:
    held = HeldCells(np.array([[1, UNKNOWN], [0, 1]], np.int8), ["a", "b"])
    told = np.array([[0.4, 0.9], [0.5, 0.2]])
    there, absent = ((1 - 0.4) ** 2 + (1 - 0.2) ** 2) / 2, 0.5**2
    assert score(held, told, LIMITS) == HeldScores(brier=round((there + absent) / 2, 4), right=round(1 / 3, 4))
    assert held.counts() == (2, 2, 1)


def test_unknown_cells_count_for_nothing() -> None:
    held = cells()
    noisy = np.where(held.states == UNKNOWN, 0.77, right(held))
    assert score(held, noisy, LIMITS) == score(held, right(held), LIMITS)
    assert score(HeldCells(np.zeros((0, 2), np.int8), []), np.zeros((0, 2)), LIMITS) == HeldScores(0.0, 0.0)


def test_the_better_tagger_wins_and_the_worse_and_the_same_do_not() -> None:
    held = cells()
    good, poor = right(held), right(held, 0.6)
    assert verdict(held, poor, good).better
    assert "lower in 100% of resamplings" in verdict(held, poor, good).why
    assert not verdict(held, good, poor).better
    assert not verdict(held, good, good).better


def test_luck_with_one_clip_promotes_nothing() -> None:
    held = cells(12)
    present = right(held, 0.7)
    lucky = present.copy()
    lucky[:2] = right(held, 0.99)[:2]  # one clip much better
    lucky[2:6] = right(held, 0.68)[2:6]  # two a little worse
    assert score(held, lucky, LIMITS).brier < score(held, present, LIMITS).brier
    assert not verdict(held, present, lucky).better


def test_saying_more_or_less_of_everything_wins_nothing() -> None:
    held = cells()
    held.states[:, 1] = 1  # far more is known to be there than not
    present = right(held, 0.6)
    for shift in (0.3, -0.3):
        assert not verdict(held, present, np.clip(present + shift, 0, 1)).better


@pytest.mark.parametrize("clips", [0, 4])
def test_too_little_gives_no_verdict(clips: int) -> None:
    held = cells(clips)
    found = verdict(held, right(held, 0.6), right(held))
    assert not found.better
    assert found.why.startswith(f"{clips} clips are held out")


def test_known_cells_of_one_kind_give_no_verdict() -> None:
    held = cells()
    held.states[held.states == 0] = UNKNOWN
    assert not verdict(held, right(held, 0.6), right(held)).better


def test_a_fifth_of_all_clips_is_held_out_and_always_the_same() -> None:
    digests = [hashlib.sha256(str(k).encode()).hexdigest() for k in range(3000)]
    held = [held_out(digest) for digest in digests]
    assert 0.17 < np.mean(held) < 0.23
    assert held == [held_out(digest) for digest in digests]
