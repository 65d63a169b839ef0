from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.moments import Moment, at_best_moment, best_offset
from factory.plan.scoring import offset_for, speed_for
from factory.plan.selection import Choice
from tests.test_choosing import shot, slot

QUARTER = Fraction(1, 4)


def moments(*changes: float, light: float = 0.5) -> list[Moment]:
    return [Moment(number * QUARTER, light, change) for number, change in enumerate(changes)]


def test_the_liveliest_part_is_shown() -> None:
    candidate = shot(1, 10)
    quiet, lively = [0.1] * 4, [3.0] * 4
    assert best_offset(slot(seconds="3"), candidate, moments(*quiet * 7, *lively * 3)) == Fraction("6.5")
    assert best_offset(slot(seconds="3"), candidate, moments(*lively * 3, *quiet * 7)) == Fraction("0.5")


def test_the_middle_stays_where_nothing_is_known_or_nothing_is_better() -> None:
    candidate, place = shot(1, 10), slot(seconds="3")
    middle = offset_for(place, candidate)
    assert best_offset(place, candidate, []) == middle == Fraction("3.5")
    assert best_offset(place, candidate, moments(*[0.0] * 40)) == middle
    assert best_offset(place, candidate, moments(*[5.0] * 40)) == middle
    assert best_offset(place, candidate, moments(*[0.6, 0.7] * 20)) == middle  # noise


@pytest.mark.parametrize(
    "wrong",
    [Moment(Fraction(0), 0.01, 0.0), Moment(Fraction(0), 0.05, 1.0), Moment(Fraction(0), 0.5, 60.0)],
    ids=["black", "dark", "jerk"],
)
def test_what_an_editor_would_cut_off_is_left_out(wrong: Moment) -> None:
    candidate, place = shot(1, 10), slot(seconds="3")
    flawed = [Moment(m.at, wrong.light, wrong.change) if 4 <= m.at < 5 else m for m in moments(*[1.0] * 40)]
    start = best_offset(place, candidate, flawed)
    assert start + 3 <= 4 or start >= 5


def test_a_shot_that_is_restless_throughout_has_no_jerk() -> None:
    assert best_offset(slot(seconds="3"), shot(1, 10), moments(*[15.0] * 40)) == Fraction("3.5")


def test_the_reason_is_told_and_takes_no_points() -> None:
    candidate, place = shot(1, 10), slot(seconds="3")
    choice = Choice(place, candidate, 2.0, (), offset=offset_for(place, candidate))
    moved = at_best_moment(choice, moments(*[0.1] * 28, *[3.0] * 12))
    assert (moved.offset, moved.score) == (Fraction("6.5"), 2.0)
    assert [(r.points, r.why) for r in moved.reasons] == [
        (0.0, "is read from 6.50 s on, its best part, not from 3.50 s")
    ]
    assert at_best_moment(choice, []) is choice


@given(
    st.fractions(1, 10, max_denominator=30),
    st.fractions(1, 16, max_denominator=30),
    st.fractions(0, 9, max_denominator=25),
    st.sampled_from([24, 25, 30, 60]),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 50)), max_size=64),
)
def test_what_is_read_lies_inside_the_shot(
    wanted: Fraction, length: Fraction, start: Fraction, fps: int, seen: list[tuple[float, float]]
) -> None:
    candidate, place = shot(1, start=start, end=start + length, fps=Fraction(fps)), slot(seconds=str(wanted))
    speed = speed_for(place, candidate)
    if speed is None:
        return
    known = [Moment(number * QUARTER, light, change) for number, (light, change) in enumerate(seen)]
    offset = best_offset(place, candidate, known)
    assert offset >= 0
    assert offset + wanted * speed < length
    assert offset == offset_for(place, candidate) or (2 * (start + offset)).denominator == 1
