"""Two fields of different times in one picture have teeth; texture has none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.drawn_video import scene
from understanding.combing import combing
from understanding.flaws import COMBED


def _woven(seed: int, shift: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture, and its lines by turns from one that has moved on by `shift` pixels."""
    wide = scene(seed, size=(360, 800))[..., 1]
    plain = wide[:, :640].copy()
    woven = plain.copy()
    woven[::2] = wide[::2, shift : 640 + shift]
    return plain, woven


@pytest.mark.parametrize("seed", range(4))
def test_fields_of_a_moving_picture_are_told_from_whole_pictures(seed: int) -> None:
    plain, woven = _woven(seed, 6)
    assert combing(plain) == 0
    assert combing(woven) > 5 * COMBED


def test_texture_is_no_combing() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (360, 640), np.uint8)
    assert combing(noise) < COMBED
    stripes = np.tile(np.repeat(np.array([40, 200], np.uint8), 3), 60)[:, None].repeat(640, 1)
    assert combing(np.ascontiguousarray(stripes)) == 0


def test_tiny_pictures_are_left_alone() -> None:
    assert combing(np.zeros((20, 20), np.uint8)) == 0
