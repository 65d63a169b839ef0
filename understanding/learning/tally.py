"""Scores of a split that is too large for one table: of each video its best classes are kept, of a segment all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understanding.learning.metrics import TOP, Floats, average_precision, hit_at_one, perr, segment_map, top_cells
from understanding.learning.partial import POSITIVE, States


@dataclass(frozen=True, slots=True)
class VideoScores:
    """What a net scores on whole videos, as the published calculators count it."""

    videos: int
    gap: float
    map: float  # over classes with a positive; the best 20 classes of a video are its predictions
    classes: int  # that have a positive
    hit1: float
    perr: float


@dataclass(frozen=True, slots=True)
class SegmentScores:
    """What a net scores on rated segments: MAP@100K over the classes with a rated positive."""

    segments: int
    map: float
    classes: int


class VideoTally:
    """Adds up `VideoScores` batch by batch; 20 cells of each video stay in memory."""

    def __init__(self, classes: int) -> None:
        self._positives = np.zeros(classes, np.int64)
        self._listed: list[tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]] = []
        self._videos, self._hits, self._perr = 0, 0.0, 0.0

    def add(self, probabilities: NDArray[np.float32], states: States) -> None:
        """Count videos (N, C) whose cells are all known."""
        values, truth = probabilities.astype(np.float64), states == POSITIVE
        listed = top_cells(values, TOP)
        self._listed.append((np.nonzero(listed)[1], values[listed], truth[listed]))
        self._positives += truth.sum(axis=0)
        self._videos += len(values)
        self._hits += hit_at_one(values, truth) * len(values)
        self._perr += perr(values, truth) * len(values)

    def join(self, other: VideoTally) -> None:
        """Count what another tally counted."""
        self._listed += other._listed
        self._positives += other._positives
        self._videos, self._hits, self._perr = (
            self._videos + other._videos,
            self._hits + other._hits,
            self._perr + other._perr,
        )

    def scores(self) -> VideoScores:
        """Return the scores of what was added."""
        classes, values, truth = (np.concatenate(parts) for parts in zip(*self._listed, strict=True))
        order = np.argsort(classes, kind="stable")
        edges = np.searchsorted(classes[order], np.arange(len(self._positives) + 1))
        places = [order[edges[c] : edges[c + 1]] for c in np.flatnonzero(self._positives)]
        counted = self._positives[self._positives > 0]
        precisions = [average_precision(values[p], truth[p], int(n)) for p, n in zip(places, counted, strict=True)]
        return VideoScores(
            videos=self._videos,
            gap=average_precision(values, truth, int(counted.sum())),
            map=float(np.mean(precisions)) if precisions else 0.0,
            classes=len(precisions),
            hit1=self._hits / self._videos,
            perr=self._perr / self._videos,
        )


class SegmentTally:
    """Adds up `SegmentScores` batch by batch; 5 bytes a cell stay in memory."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.float32], States]] = []

    def add(self, probabilities: NDArray[np.float32], states: States) -> None:
        """Count segments (N, C), whose cells are mostly not known."""
        self._parts.append((probabilities, states))

    def join(self, other: SegmentTally) -> None:
        """Count what another tally counted."""
        self._parts += other._parts

    def scores(self) -> SegmentScores:
        """Return the scores of what was added."""
        probabilities, states = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
        rated = int((states == POSITIVE).any(axis=0).sum())
        return SegmentScores(len(states), segment_map(probabilities, states), rated)
