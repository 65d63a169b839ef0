"""What is learned of YouTube-8M records of one row a second: the labels of whole videos, or of their rated segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from understanding.learning.experiment import Level
from understanding.learning.partial import NEGATIVE, POSITIVE, UNKNOWN, States
from understanding.yt8m.examples import SEGMENT_ROWS, FrameExample, Segment, parse_frames
from understanding.yt8m.wire import Malformed

PRESENT = 0.5  # a rating above it says that the class is there


@dataclass(frozen=True)
class RowTask:
    """The examples of a level and their cells over `classes`, which are indices among `vocabulary` ones.

    `picture` and `sound` are the features of a row that the net reads.
    """

    level: Level  # frame or segment
    classes: tuple[int, ...]
    vocabulary: int
    picture: int
    sound: int

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """The place of each class of the vocabulary among `classes`, -1 for the others."""
        places = np.full(self.vocabulary, -1)
        places[list(self.classes)] = np.arange(len(self.classes))
        return places

    def parse(self, record: bytes) -> FrameExample:
        """Read a record whose rows and labels are the task's, or raise Malformed."""
        video = parse_frames(record)
        for name, rows, width in (("rgb", video.rgb, self.picture), ("audio", video.audio, self.sound)):
            if len(rows) and rows.shape[1] != width:
                raise Malformed(f"the rows of `{name}` are {rows.shape[1]} wide and the net reads {width}")
        labels = [*video.labels.tolist(), *(segment.label for segment in video.segments)]
        if labels and not 0 <= min(labels) <= max(labels) < self.vocabulary:
            raise Malformed(f"labels {min(labels)} to {max(labels)} are not all among {self.vocabulary} classes")
        if any(segment.start < 0 for segment in video.segments):
            raise Malformed("a segment starts before its video")
        return video

    def cut(self, video: FrameExample) -> Sequence[FrameExample]:
        """Return the examples of a video: all of it, or each segment that is rated in one of the classes."""
        if self.level == "frame":
            return (video,)
        rated: dict[int, list[Segment]] = {}
        for segment in video.segments:
            if self.columns[segment.label] >= 0:
                rated.setdefault(segment.start, []).append(segment)
        pieces = [_piece(video, start, rated[start]) for start in sorted(rated)]
        return [piece for piece in pieces if len(piece.rgb) or len(piece.audio)]

    def states(self, example: FrameExample) -> States:
        """Return what is known of an example, (C,): of a video every cell, of a segment those that were rated."""
        if self.level == "frame":
            states = np.full(len(self.classes), NEGATIVE, np.int8)
            places = self.columns[example.labels]
            states[places[places >= 0]] = POSITIVE
            return states
        states = np.full(len(self.classes), UNKNOWN, np.int8)
        for segment in example.segments:
            states[self.columns[segment.label]] = POSITIVE if segment.score > PRESENT else NEGATIVE
        return states


def _piece(video: FrameExample, start: int, rated: list[Segment]) -> FrameExample:
    rows = slice(start, start + SEGMENT_ROWS)
    return replace(video, rgb=video.rgb[rows], audio=video.audio[rows], segments=tuple(rated))
