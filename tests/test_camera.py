"""The camera's motion is told from what moves before it: drawn pictures whose motion is known exactly."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from understanding.camera import COLUMNS, SIZE, CameraEye, camera_row, motion_of

WIDTH, HEIGHT = SIZE
SIXTH = Fraction(1, 6)
Grey = NDArray[np.uint8]


@pytest.fixture(scope="module")
def scene() -> Grey:
    """A wide picture with structure everywhere, larger than what is seen of it."""
    noise = np.random.default_rng(3).integers(0, 255, (40, 70)).astype(np.uint8)
    return np.asarray(cv2.resize(noise, (4 * WIDTH, 4 * HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def seen(scene: Grey, *, across: float = 0, down: float = 0, scale: float = 1) -> Grey:
    """What the camera shows after the picture has moved by pixels and grown by `scale` about its middle."""
    middle = np.array([2 * WIDTH, 2 * HEIGHT])
    shift = np.array([WIDTH / 2 + across, HEIGHT / 2 + down]) - scale * middle
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return np.asarray(cv2.warpAffine(scene, matrix, SIZE, flags=cv2.INTER_LINEAR), np.uint8)


def rows(pictures: Callable[[int], Grey], count: int = 12) -> NDArray[np.float32]:
    """Rows of `count` pairs of pictures a sixth of a second apart."""
    return np.stack([camera_row(pictures(k), pictures(k + 1), SIXTH) for k in range(count)])


def test_pan_tilt_and_growth_are_measured_in_the_pictures_own_units(scene: Grey) -> None:
    pan, tilt, growth, _, still = camera_row(seen(scene), seen(scene, across=3, down=-2), SIXTH)
    assert pan == pytest.approx(3 * 6 / WIDTH, rel=0.05)
    assert tilt == pytest.approx(-2 * 6 / WIDTH, rel=0.05)
    assert growth == pytest.approx(0, abs=0.01)
    assert still < 0.02
    _, _, growth, spread, _ = camera_row(seen(scene), seen(scene, scale=1.02), SIXTH)
    assert growth == pytest.approx(0.02 * 6, rel=0.1)
    assert spread > 0.05


def test_driving_ahead_is_told_from_standing_and_from_panning(scene: Grey) -> None:
    ahead = motion_of(rows(lambda k: seen(scene, scale=1.02**k)))
    stands = motion_of(rows(lambda _: seen(scene)))
    pans = motion_of(rows(lambda k: seen(scene, across=3 * k)))
    assert ahead
    assert stands
    assert pans
    assert (ahead.forward, ahead.static) == (1, 0)
    assert (stands.forward, stands.static, stands.pan, stands.shake) == (0, 1, 0, 0)
    assert (pans.forward, pans.static, pans.moving) == (0, 0, 1)
    assert pans.pan == pytest.approx(3 * 6 / WIDTH, abs=0.01)
    assert pans.shake < 0.1


def test_a_car_before_a_standing_camera_does_not_move_it(scene: Grey) -> None:
    def passing(k: int) -> Grey:
        picture = seen(scene).copy()
        picture[20:40, 5 * k : 5 * k + 24] = seen(scene, across=40)[20:40, :24]
        return picture

    found = motion_of(rows(passing))
    assert found
    assert found.static == 1


def test_an_unsteady_hand_shakes(scene: Grey) -> None:
    jumps = np.random.default_rng(5).normal(0, 2.5, (13, 2))
    found = motion_of(rows(lambda k: seen(scene, across=jumps[k, 0], down=jumps[k, 1])))
    assert found
    assert found.shake > 0.8
    assert abs(found.pan) < 0.1


def test_the_eye_pairs_pictures_twice_a_second_at_any_rate(scene: Grey) -> None:
    for rate in (3, 8, 25, 60):
        eye = CameraEye()
        for k in range(4 * rate):
            at = Fraction(k, rate)
            if eye.wants(at):
                eye.see(at, seen(scene))
        found = eye.found()
        assert found.shape == (len(found), COLUMNS)
        assert 7 <= len(found) <= 8
        assert np.isfinite(found).any(axis=1).sum() >= (4 if rate == 3 else 7)


def test_pictures_a_second_apart_say_nothing_of_the_camera(scene: Grey) -> None:
    eye = CameraEye()
    for k in range(5):
        assert eye.wants(Fraction(k))
        eye.see(Fraction(k), seen(scene))
    assert motion_of(eye.found()) is None
    assert motion_of(np.full((3, COLUMNS), np.nan, np.float32)) is None


def test_half_seconds_without_a_pair_do_not_count(scene: Grey) -> None:
    some = rows(lambda _: seen(scene), 3)
    some[1] = np.nan
    found = motion_of(some)
    assert found
    assert found.static == 1
