"""The one vehicle of a shot: what is seen, what moves, which chain of sightings is it, and when there is none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from understanding.subject import (
    SURE,
    Sighting,
    grey_of,
    movers,
    patches,
    sightings,
    subject_of,
)
from understanding.tagged import Box
from understanding.vehicles import COLUMNS

LINES = 72


def odds(*boxes: tuple[float, float, float, float], sure: float = 5.0) -> NDArray[np.float32]:
    found = np.full((LINES, COLUMNS), -5.0, np.float32)
    for left, top, right, bottom in boxes:
        found[round(top * LINES) : round(bottom * LINES), round(left * COLUMNS) : round(right * COLUMNS)] = sure
    return found


def seen(box: Box, score: float = 1.0) -> Sighting:
    return Sighting(box, score, score * box.area**0.5)


def at(left: float, wide: float = 0.2) -> Box:
    return Box(left, 0.4, left + wide, 0.6)


def test_a_patch_is_taken_without_its_surroundings_but_not_off_the_edge() -> None:
    (box, score), (edge, _) = patches(odds((0.3, 0.3, 0.6, 0.7), (0.8, 0.4, 1.0, 0.7)))
    assert 0.33 < box.left < 0.37
    assert 0.53 < box.right < 0.57
    assert score > 0.99
    assert edge.right == 1.0


def test_what_the_net_is_not_sure_of_is_no_patch() -> None:
    assert not [*patches(odds((0.3, 0.3, 0.6, 0.7), sure=SURE - 0.1))]


def test_the_vehicle_is_followed_through_a_gap() -> None:
    looks = [[seen(at(0.1 + 0.02 * number))] for number in range(12)]
    looks[5] = []
    subject = subject_of(looks)
    assert subject is not None
    assert subject.looks == (*range(5), *range(6, 12))
    assert subject.boxes[6].left == pytest.approx(0.1 + 0.02 * 7, abs=0.021)


def test_one_wrong_box_is_smoothed_away() -> None:
    looks = [[seen(at(0.3))] for _ in range(9)]
    looks[4] = [seen(at(0.2, wide=0.4))]
    subject = subject_of(looks)
    assert subject is not None
    assert all(box.left == pytest.approx(0.3) for box in subject.boxes)


def test_the_larger_of_two_is_the_subject_and_two_alike_are_none() -> None:
    small, large = at(0.7, wide=0.05), at(0.1, wide=0.3)
    subject = subject_of([[seen(small), seen(large)] for _ in range(8)])
    assert subject is not None
    assert subject.boxes[0] == large
    assert subject_of([[seen(at(0.1)), seen(at(0.7))] for _ in range(8)]) is None


def test_a_glimpse_or_a_guess_is_no_subject() -> None:
    assert subject_of([[seen(at(0.3))], [seen(at(0.3))], *([[]] * 18)]) is None
    assert subject_of([[seen(at(0.3), score=0.3)] for _ in range(10)]) is None
    assert subject_of([]) is None
    assert subject_of([[]]) is None


def greys(lefts: list[float], *, pan: int = 0) -> list[NDArray[np.uint8]]:
    """Small pictures of a textured ground with a bright block on it; with `pan` the camera moves."""
    chance = np.random.default_rng(1)
    ground = np.kron(chance.integers(40, 160, (9, 40)), np.ones((8, 8))).astype(np.uint8)
    pictures = []
    for number, left in enumerate(lefts):
        picture = ground[:, number * pan : number * pan + 128].copy()
        picture[30:46, round(left * 128) : round(left * 128) + 20] = 250
        pictures.append(picture)
    return pictures


def test_what_moves_before_a_still_camera_is_found() -> None:
    lefts = [0.05 + 0.1 * number for number in range(8)]
    found = movers(greys(lefts))
    assert all(len(boxes) == 1 for boxes in found)
    assert [boxes[0].left for boxes in found] == pytest.approx(lefts, abs=0.02)
    assert found[0][0].right == pytest.approx(lefts[0] + 20 / 128, abs=0.02)


def test_a_camera_that_moves_shows_no_movers() -> None:
    assert not any(movers(greys([0.4] * 8, pan=9)))
    assert not any(movers(greys([0.1, 0.5])))  # too few to know the scene


def test_what_moves_is_the_subject_where_the_net_knows_it_for_a_vehicle_at_times() -> None:
    lefts = [0.05 + 0.03 * number for number in range(16)]
    moving, blank = greys(lefts), odds()
    glimpsed = [blank] * 16
    glimpsed[4:12] = [odds((left - 0.02, 0.36, left + 0.18, 0.7)) for left in lefts[4:12]]
    subject = subject_of(sightings(glimpsed, moving))
    assert subject is not None
    assert len(subject.looks) == 16
    assert subject.boxes[0].left == pytest.approx(lefts[0], abs=0.06)
    assert subject_of(sightings([blank] * 16, moving)) is None  # a walker


def test_a_picture_becomes_small_and_grey() -> None:
    assert grey_of(np.zeros((360, 640, 3), np.uint8)).shape == (72, 128)


def test_overlap_is_intersection_over_union() -> None:
    assert at(0.1).overlap(at(0.1)) == pytest.approx(1)
    assert at(0.1).overlap(at(0.2)) == pytest.approx(1 / 3)
    assert at(0.1).overlap(at(0.5)) == 0
