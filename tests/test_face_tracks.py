"""Faces over time: joined, carried over gaps, held at both ends, apart from one another."""

from __future__ import annotations

import pytest

from understanding.face_tracks import HELD, LONGEST_GAP, tracked
from understanding.faces import Face
from understanding.tagged import Box


def face(middle: float, *, score: float = 0.8, size: float = 0.1) -> Face:
    return Face(Box(middle - size / 2, 0.4, middle + size / 2, 0.4 + size), score)


def test_a_moving_face_is_one_track_and_is_somewhere_between_samples() -> None:
    (track,) = tracked([[face(0.2)], [face(0.3)], [face(0.4)]])
    box = track.box_at(0.5)
    assert box is not None
    assert (box.left, box.right) == pytest.approx((0.2, 0.3))


def test_a_lost_face_is_carried_over() -> None:
    (track,) = tracked([[face(0.2)], [], [], [face(0.26)]])
    box = track.box_at(2)
    assert box is not None
    assert box.left == pytest.approx(0.19)
    assert len(tracked([[face(0.2)], *[[]] * (LONGEST_GAP + 1), [face(0.2)]])) == 2


def test_a_track_is_held_at_both_ends_and_no_longer() -> None:
    (track,) = tracked([[], [], [], [face(0.5)], [face(0.5)]])
    assert track.box_at(3 - HELD) == track.box_at(3) == track.box_at(4 + HELD)
    assert track.box_at(3 - HELD - 0.1) is None
    assert track.box_at(4 + HELD + 0.1) is None


def test_two_faces_stay_two_though_their_order_changes() -> None:
    tracks = tracked([[face(0.2), face(0.7)], [face(0.68), face(0.22)], [face(0.24), face(0.66)]])
    assert [[round((f.box.left + f.box.right) / 2, 2) for f in track.faces] for track in tracks] == [
        [0.2, 0.22, 0.24],
        [0.7, 0.68, 0.66],
    ]


def test_what_was_seen_once_and_unsurely_is_no_face() -> None:
    assert tracked([[face(0.5, score=0.35)], []]) == []
    assert len(tracked([[face(0.5, score=0.9)], []])) == 1
