"""Black bars are found to the pixel, and a night sky is none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from understanding.bars import Area, BarFinder


def _found(*pictures: NDArray[np.uint8]) -> Area | None:
    finder = BarFinder()
    for picture in pictures:
        finder.see(picture)
    return finder.found()


def _pictures(height: int, width: int, count: int = 5) -> list[NDArray[np.uint8]]:
    random = np.random.default_rng(height)
    return [random.integers(0, 256, (height, width), np.uint8) for _ in range(count)]


@pytest.mark.parametrize("bars", [(140, 140, 0, 0), (0, 0, 437, 438), (31, 31, 60, 60)])
def test_bars_are_found_to_the_pixel(bars: tuple[int, int, int, int]) -> None:
    top, bottom, left, right = bars
    inside = _pictures(720 - top - bottom, 1280 - left - right)
    framed = [np.pad(picture, ((top, bottom), (left, right)), constant_values=16) for picture in inside]
    assert _found(*framed) == Area(left, top, 1280 - right, 720 - bottom)


def test_a_picture_without_bars_has_none() -> None:
    assert _found(*_pictures(360, 640)) is None
    assert _found() is None


def test_a_black_clip_has_no_bars() -> None:
    assert _found(np.zeros((360, 640), np.uint8)) is None


def test_a_night_sky_is_no_bar() -> None:
    night = [picture // 2 + 40 for picture in _pictures(360, 640)]
    for picture in night:
        picture[:150] = 17  # nothing like it below
    assert _found(*night) is None


def test_a_bar_that_shows_something_once_is_none() -> None:
    framed = [np.pad(picture, ((140, 140), (0, 0))) for picture in _pictures(440, 1280)]
    framed[3][20:60, 300:900] = 200
    assert _found(*framed) is None


def test_a_clip_that_changes_its_size_has_no_bars() -> None:
    framed = [np.pad(np.full((n, 64), 99, np.uint8), ((20, 20), (0, 0))) for n in (50, 60)]
    assert _found(*framed) is None
