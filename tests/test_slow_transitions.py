"""Cross-fades, dissolves and wipes are found where they are, and nothing is found in a shot that only moves."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.drawn_video import draw_video, scene
from understanding import scanning
from understanding.slow_transitions import TransitionFinder, mixture

RNG = np.random.default_rng(3)
Picture = NDArray[np.float32]
ONE: Picture
TWO: Picture
ONE, TWO = (RNG.integers(0, 255, (18, 32, 3)).astype(np.float32) for _ in range(2))


def wiped(share: float) -> Picture:
    return np.where(np.arange(32)[None, :, None] < 32 * share, TWO, ONE)


def test_a_mixture_of_both_sides_is_explained_and_a_third_picture_is_not() -> None:
    assert mixture(ONE, (ONE + TWO) / np.float32(2), TWO) == pytest.approx(0, abs=1e-5)
    assert mixture(ONE, wiped(0.5), TWO) == pytest.approx(0, abs=1e-5)
    assert mixture(ONE, RNG.integers(0, 255, (18, 32, 3)).astype(np.float32), TWO) is None


def test_both_sides_of_a_hard_cut_are_no_mixture() -> None:
    assert mixture(ONE, TWO, TWO) is None
    assert mixture(ONE, ONE, TWO) is None


def test_light_that_changes_and_an_object_that_passes_are_no_transition() -> None:
    assert mixture(ONE, ONE * np.float32(0.75), ONE * np.float32(0.5)) is None
    passing = ONE.copy()
    passing[:, :8] = TWO[:, :8]
    half = ONE.copy()
    half[:, :4] = TWO[:, :4]
    assert mixture(ONE, half, passing) is None


def test_a_slow_fade_is_one_find_and_repeated_pictures_are_none() -> None:
    finder = TransitionFinder()
    for number in range(80):  # ten seconds, a fade from the fourth to the sixth
        share = min(1.0, max(0.0, (number - 32) / 16))
        finder.see((ONE + share * (TWO - ONE)).astype(np.uint8), Fraction(number + 1, 8))
    (at,) = finder.found()
    assert abs(at - 5) <= Fraction(1, 4)
    slides = TransitionFinder()
    for number in range(10):
        slides.see((ONE, TWO)[number % 2].astype(np.uint8), Fraction(number + 1))
    assert slides.found() == []


def joined(kind: str, seconds: float) -> Iterator[NDArray[np.uint8]]:
    """Two slowly panning scenes of four seconds at 25 pictures a second; the second one comes in before the fourth."""
    one, two = scene(1), scene(5)
    for number in range(175):
        share = min(1.0, max(0.0, (number / 25 - 4 + seconds) / seconds))
        left, right = (np.roll(picture, number // 5, axis=1).astype(np.float32) for picture in (one, two))
        if kind == "wipe":
            mixed = np.where(np.arange(left.shape[1])[None, :, None] < share * left.shape[1], right, left)
        else:
            mixed = left + share * (right - left)
        yield mixed.astype(np.uint8)


@pytest.mark.parametrize("kind", ["fade", "wipe"])
@pytest.mark.parametrize("seconds", [0.6, 1.5])
def test_transitions_of_a_real_file_are_found_once(kind: str, seconds: float, tmp_path: Path) -> None:
    path = draw_video(tmp_path / "joined.mp4", joined(kind, seconds))
    (at,) = scanning.cuts(str(path))["cuts"]
    assert 4 - seconds - 0.25 <= at <= 4.25
