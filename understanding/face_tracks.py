"""Faces over time: what was found in pictures at an even step, joined to tracks, so that no gap shows a face between.

A face that is lost for a moment (a turned head, a blurred frame) is carried over, and each track is held a little
before its first find and after its last: where faces are hidden, a moment too long is better than one picture too few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from understanding.faces import Face
from understanding.tagged import Box

LONGEST_GAP = 4  # samples over which a lost face is carried
HELD = 2  # samples that a track is held at either end
LEAST_LONE_SCORE = 0.5  # of a face that was seen once only
REACH = 1.5  # face sizes that a face may move from sample to sample


@dataclass(slots=True)
class Track:
    """One face: the samples in which it was found, ascending, and where."""

    samples: list[int]
    faces: list[Face]

    def box_at(self, sample: float) -> Box | None:
        """Return where the face is between samples, or None where the track does not reach."""
        if not self.samples[0] - HELD <= sample <= self.samples[-1] + HELD:
            return None
        after = next((place for place, at in enumerate(self.samples) if at >= sample), len(self.samples) - 1)
        before = after if sample <= self.samples[0] or self.samples[after] < sample else after - 1
        span = self.samples[after] - self.samples[before]
        share = (sample - self.samples[before]) / span if span else 0.0
        return _between(self.faces[before].box, self.faces[after].box, min(1.0, max(0.0, share)))


def tracked(samples: Sequence[Sequence[Face]]) -> list[Track]:
    """Join the faces of successive samples, the nearest first. What was seen once and unsurely is left out."""
    tracks: list[Track] = []
    for at, faces in enumerate(samples):
        open_tracks = [track for track in tracks if track.samples[-1] >= at - LONGEST_GAP]
        pairs = sorted(
            (distance, track, face)
            for track, known in enumerate(open_tracks)
            for face, found in enumerate(faces)
            if (distance := _distance(known.faces[-1].box, found.box)) <= REACH * (at - known.samples[-1])
        )
        taken_tracks, taken_faces = set[int](), set[int]()
        for _, track, face in pairs:
            if track not in taken_tracks and face not in taken_faces:
                taken_tracks.add(track)
                taken_faces.add(face)
                open_tracks[track].samples.append(at)
                open_tracks[track].faces.append(faces[face])
        tracks.extend(Track([at], [found]) for face, found in enumerate(faces) if face not in taken_faces)
    return [track for track in tracks if len(track.samples) > 1 or track.faces[0].score >= LEAST_LONE_SCORE]


def _distance(one: Box, other: Box) -> float:
    """How far two boxes' middles lie apart, in sizes of the larger one."""
    across = abs(one.left + one.right - other.left - other.right) / 2
    down = abs(one.top + one.bottom - other.top - other.bottom) / 2
    wide = max(one.right - one.left, other.right - other.left, 1e-6)
    tall = max(one.bottom - one.top, other.bottom - other.top, 1e-6)
    return max(across / wide, down / tall)


def _between(one: Box, other: Box, share: float) -> Box:
    sides = ("left", "top", "right", "bottom")
    return Box(*(getattr(one, side) * (1 - share) + getattr(other, side) * share for side in sides))
