"""Windows of a picture: covering a canvas, clear of what is burnt in, never too small."""

from __future__ import annotations

from fractions import Fraction

import pytest

from factory.plan.framing import LONGEST_ZOOM, clear_window, covering
from factory.plan.selection import BurntRegion

WIDE = Fraction(16, 9)


def test_the_usual_window_is_the_middle_one() -> None:
    assert covering(1920, 1080, WIDE) == pytest.approx((0, 0, 1, 1))
    assert covering(1920, 1080, Fraction(1)) == pytest.approx((0.21875, 0, 0.78125, 1))
    assert covering(1080, 1920, Fraction(1)) == pytest.approx((0, 0.21875, 1, 0.78125))


def test_a_square_steps_aside_without_any_zoom() -> None:
    logo = BurntRegion("logo", 0.7, 0.05, 0.9, 0.1)
    window = clear_window([logo], 1920, 1080, Fraction(1))
    assert window == pytest.approx((0.1375, 0, 0.7, 1))


def test_a_corner_and_a_low_line_are_both_left_out() -> None:
    marks = [BurntRegion("logo", 0.0, 0.02, 0.1, 0.08), BurntRegion("subtitle", 0.2, 0.93, 0.8, 0.97)]
    window = clear_window(marks, 1920, 1080, WIDE)
    assert window is not None
    left, top, right, bottom = window
    assert (right - left) * LONGEST_ZOOM >= 1
    assert bottom <= 0.93 + 1e-9
    assert left >= 0.1 - 1e-9 or top >= 0.08 - 1e-9


def test_a_window_that_would_be_too_small_is_none() -> None:
    assert clear_window([BurntRegion("subtitle", 0.2, 0.7, 0.8, 0.8)], 1920, 1080, WIDE) is None
    assert clear_window([], 1920, 1080, WIDE) is None
