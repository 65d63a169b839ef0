"""The house's own features as YouTube-8M frame-level records: one row a second, for every reader of that format.

A stored row holds steps between about -2 and 2, and ours lie elsewhere, so each feature is moved there by fixed
numbers: its range goes onto all 256 steps. A net that is trained on such records needs no undoing; `rows` gives the
features back, within half a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from understanding.yt8m.examples import MAX_ROWS, FrameExample, Rows, Segment

if TYPE_CHECKING:
    from understanding.features import ShotFeatures

Floats = NDArray[np.float32]

PICTURE: Final = (np.zeros(1280, np.float32), np.full(1280, 6, np.float32))  # means of ReLU6 lie in 0..6
SOUND: Final = (  # log-mel means begin at log(0.01), full-scale noise and tones stay below 6; then the spreads
    np.repeat(np.array([np.log(0.01), 0], np.float32), 64),
    np.full(128, 6, np.float32),
)


def example(name: str, shot: ShotFeatures, labels: Sequence[int], segments: Sequence[Segment] = ()) -> FrameExample:
    """Return a shot as a record: its first 300 seconds, or as many as both streams have where there is sound.

    `labels` are indices of the taxonomy or of any vocabulary that goes with the shards.
    """
    seconds = min(len(shot.picture), len(shot.sound) or MAX_ROWS, MAX_ROWS)
    rgb, audio = _steps(shot.picture[:seconds], *PICTURE), _steps(shot.sound[:seconds], *SOUND)
    return FrameExample(name, np.array(sorted(labels), np.int64), rgb, audio, tuple(segments))


def rows(record: FrameExample) -> tuple[Floats, Floats]:
    """Return the features of a record of ours, (T, 1280) and (S, 128); S is 0 for a silent shot."""
    return _features(record.rgb, *PICTURE), _features(record.audio, *SOUND)


def _steps(features: Floats, low: Floats, high: Floats) -> Rows:
    steps: Rows = np.rint((features - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)
    return steps


def _features(steps: Rows, low: Floats, high: Floats) -> Floats:
    return steps.reshape(-1, len(low)) / np.float32(255) * (high - low) + low
