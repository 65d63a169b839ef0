from __future__ import annotations

import numpy as np
import pytest

from understanding.learning.metrics import gap, hit_at_one, mean_average_precision, perr, segment_map
from understanding.learning.tally import SegmentTally, VideoTally


@pytest.mark.parametrize("classes", [7, 60])
def test_a_tally_of_parts_is_the_score_of_the_whole(classes: int) -> None:
    rng = np.random.default_rng(2)
    probabilities = rng.random((90, classes)).round(2).astype(np.float32)  # rounded: there are ties
    labels = rng.random((90, classes)) < 0.08
    labels[:, 3] = False
    tally = VideoTally(classes)
    other = VideoTally(classes)
    for counting, part in ((tally, slice(0, 40)), (tally, slice(40, 41)), (other, slice(41, 90))):
        counting.add(probabilities[part], labels[part].astype(np.int8))
    tally.join(other)
    scores = tally.scores()
    assert scores.videos == 90
    assert scores.classes == labels.any(axis=0).sum() < classes
    assert scores.gap == pytest.approx(gap(probabilities, labels), abs=1e-12)
    assert scores.map == pytest.approx(mean_average_precision(probabilities, labels, top=20), abs=1e-12)
    assert scores.hit1 == pytest.approx(hit_at_one(probabilities, labels), abs=1e-12)
    assert scores.perr == pytest.approx(perr(probabilities, labels), abs=1e-12)


def test_a_tally_of_segments() -> None:
    rng = np.random.default_rng(3)
    probabilities = rng.random((50, 8)).astype(np.float32)
    states = rng.integers(-1, 2, (50, 8)).astype(np.int8)
    states[states[:, 0] == 1, 0] = -1
    tally = SegmentTally()
    tally.add(probabilities[:20], states[:20])
    other = SegmentTally()
    other.add(probabilities[20:], states[20:])
    tally.join(other)
    scores = tally.scores()
    assert (scores.segments, scores.classes) == (50, 7)
    assert scores.map == pytest.approx(segment_map(probabilities, states), abs=1e-12)


def test_labels_that_never_occur_score_nothing() -> None:
    tally = VideoTally(5)
    tally.add(np.full((4, 5), 0.5, np.float32), np.zeros((4, 5), np.int8))
    scores = tally.scores()
    assert (scores.gap, scores.map, scores.hit1, scores.perr, scores.classes) == (0, 0, 0, 0, 0)
