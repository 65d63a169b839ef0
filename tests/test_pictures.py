"""Where the view goes on a still picture: slow, within it, and of the canvas's shape."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.layer_parts import Move
from factory.plan.pictures import MOST_ZOOM, glide

WIDE, TALL = Fraction(16, 9), Fraction(9, 16)
MOVES: tuple[Move, ...] = ("auto", "none", "in", "out", "left", "right", "up", "down")


@given(
    st.sampled_from(MOVES),
    st.integers(8, 9000),
    st.integers(8, 9000),
    st.sampled_from([WIDE, TALL, Fraction(1)]),
    st.floats(0.1, 60),
    st.integers(0, 3),
)
def test_every_view_lies_in_the_picture_and_keeps_its_shape(
    move: Move, width: int, height: int, shape: Fraction, seconds: float, turn: int
) -> None:
    for left, top, right, bottom in glide(move, (width, height), shape, seconds=seconds, turn=turn):
        assert -1e-9 <= left < right <= 1 + 1e-9
        assert -1e-9 <= top < bottom <= 1 + 1e-9
        assert (right - left) * width / ((bottom - top) * height) == pytest.approx(float(shape), rel=1e-6)


@pytest.mark.parametrize(
    ("move", "size", "wanted"),
    [
        ("in", (1920, 1080), "closer"),
        ("out", (1920, 1080), "farther"),
        ("left", (4000, 1080), "left"),
        ("right", (4000, 1080), "right"),
        ("right", (1920, 1080), "right"),
        ("up", (1920, 2400), "up"),
        ("down", (1920, 2400), "down"),
        ("none", (1920, 2400), ""),
        ("auto", (1920, 1080), "closer"),
        ("auto", (4000, 1080), "right"),
        ("auto", (1920, 2400), "down"),
    ],
)
def test_the_view_goes_where_it_is_asked_to(move: Move, size: tuple[int, int], wanted: str) -> None:
    first, last = glide(move, size, WIDE, seconds=4)
    went = {
        "closer": last[2] - last[0] < first[2] - first[0] - 0.01,
        "farther": last[2] - last[0] > first[2] - first[0] + 0.01,
        "left": last[0] < first[0] - 0.01,
        "right": last[0] > first[0] + 0.01 and last[2] > first[2] + 0.01,
        "up": last[1] < first[1] - 0.01,
        "down": last[1] > first[1] + 0.01 and last[3] > first[3] + 0.01,
    }
    assert went[wanted] if wanted else first == last


def test_left_to_itself_one_picture_goes_in_and_the_next_one_out() -> None:
    first, last = glide("auto", (1920, 1080), WIDE, seconds=5, turn=1)
    assert last[2] - last[0] > first[2] - first[0]


def test_a_long_scene_is_not_zoomed_without_end() -> None:
    _, last = glide("in", (1920, 1080), WIDE, seconds=60)
    assert last[2] - last[0] == pytest.approx(1 - MOST_ZOOM)
