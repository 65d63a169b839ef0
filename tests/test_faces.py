"""Faces: the network's answer decoded, rows chosen, real faces found and cars left alone."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.drawn_video import scene
from understanding import faces
from understanding import media as reading
from understanding.errors import PartMissing
from understanding.faces import FaceFinder, decoded, in_shape, rows_to_look_at

needs_weights = pytest.mark.skipif(not faces.is_installed(), reason="the face detector's weights are not installed")


def test_a_peak_becomes_a_box_and_its_neighbours_are_the_same_face() -> None:
    heat, scale, offset = (
        np.zeros((20, 30), np.float32),
        np.zeros((2, 20, 30), np.float32),
        np.zeros((2, 20, 30), np.float32),
    )
    heat[10, 15], heat[10, 16], heat[2, 3] = 0.9, 0.6, 0.5
    scale[:, 10, 15:17] = math.log(8), math.log(8)
    scale[0], scale[1] = math.log(8), math.log(6)  # 8 cells high, 6 wide
    offset[:, 10, 15] = 0.5, -0.5
    sure, small = decoded(heat, scale, offset, least=0.4)
    assert sure.score == pytest.approx(0.9)
    assert (sure.box.left * 30, sure.box.right * 30) == pytest.approx((12, 18))
    assert (sure.box.top * 20, sure.box.bottom * 20) == pytest.approx((7, 15))
    assert (small.box.left, small.box.top) == pytest.approx((0.5 / 30, 0.0))  # clipped to the picture


def test_nothing_in_the_heat_map_is_no_face() -> None:
    nothing = np.zeros((4, 4), np.float32)
    assert decoded(nothing, np.zeros((2, 4, 4), np.float32), np.zeros((2, 4, 4), np.float32), least=0.3) == ()


def test_each_shot_is_looked_at_first_and_long_clips_evenly() -> None:
    assert rows_to_look_at([slice(0, 1)], 1) == [(0, 0)]
    assert {place for place, _ in rows_to_look_at([slice(0, 20), slice(20, 21), slice(21, 60)], 60)} == {0, 1, 2}
    assert len(rows_to_look_at([slice(0, 600)], 600)) == pytest.approx(75, abs=2)
    many = rows_to_look_at([slice(k, k + 1) for k in range(300)], 300)
    assert len(many) == 37
    assert many[0] == (0, 0)
    assert many[-1] == (299, 299)


def test_rows_get_their_shape_again() -> None:
    row = np.zeros((224, 224, 3), np.uint8)
    assert in_shape(row, 16 / 9).shape == (224, 398, 3)
    assert in_shape(row, 9 / 16).shape == (398, 224, 3)
    assert in_shape(row, 100.0).shape == (224, 672, 3)


def test_missing_weights_are_told_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "CARRIER", "no_such_package_of_ours")
    assert not faces.is_installed()
    with pytest.raises(PartMissing, match="face detector") as refusal:
        FaceFinder().find(np.zeros((32, 32, 3), np.uint8))
    assert "pip install" in refusal.value.next_step


@needs_weights
@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 500, 3), (360, 640, 3)])
def test_drawn_shapes_and_odd_sizes_hold_no_face(shape: tuple[int, int, int]) -> None:
    picture = np.resize(scene(4, size=(360, 640)), shape)
    assert FaceFinder(threads=1).find(picture, least=0.5) == ()


@needs_weights
def test_a_real_face_is_found_where_it_is(media: Path) -> None:
    """A man looks at the camera: the box is a little above the middle of the picture, one in each row."""
    rows = _rows(media / "public" / "neg-face-portrait-phone-original.mp4")
    for row in rows:
        (face,) = FaceFinder(threads=1).find(row, least=0.5)
        assert face.box.left < 0.5 < face.box.right
        assert 0.2 < (face.box.top + face.box.bottom) / 2 < 0.6
        assert 0.02 < face.box.area < 0.35


@needs_weights
def test_cars_are_no_faces(media: Path) -> None:
    finder = FaceFinder(threads=1)
    for name in ("exterior-classic-beetle-front-photo-zoom.mp4", "freeway-pov-sunny-white-lane.mp4"):
        assert not any(finder.find(row, least=0.5) for row in _rows(media / "public" / name))


def _rows(path: Path) -> NDArray[np.uint8]:
    return reading.read_frames(path, times=[Fraction(1), Fraction(3)], height=224).rgb
