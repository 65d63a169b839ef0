"""Confidences fitted to answers on clips that the answering net was not trained on.

One scale and one shift for all tags (Platt, Probabilistic Outputs for Support Vector Machines, 1999): a few dozen clips
cannot tell each tag's own. The best threshold of a calibrated tag lies at half the F1 that it reaches (Lipton, Elkan,
Naryanaswamy, Optimal Thresholding of Classifiers to Maximize F1 Measure, ECML 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from understanding.calibration import Calibration
from understanding.learning.partial import POSITIVE, UNKNOWN, States

LEAST_POSITIVES: Final = 5  # of a tag whose threshold is chosen by its own clips
LOWEST: Final = 0.2  # threshold that is chosen
HIGHEST: Final = 0.5

Floats = NDArray[np.float64]


def calibrated(logits: Floats, states: States, tags: Sequence[str]) -> Calibration:
    """Fit a calibration to answers (N, C) on clips that the answering net was not trained on, and their states (N, C).

    A cell that is unknown counts for nothing. Raises ValueError where nothing positive or nothing negative is known.
    """
    known = states != UNKNOWN
    positives = (states == POSITIVE)[known]
    yes, no = int(positives.sum()), int((~positives).sum())
    if not (yes and no):
        raise ValueError("a calibration needs known positives and known negatives")
    truth = np.where(positives, (yes + 1) / (yes + 2), 1 / (no + 2))  # Platt's targets: no finite sample is certain
    values = logits[known]

    def loss(line: Floats) -> float:
        told = line[0] * values + line[1]
        return float(np.mean(np.logaddexp(0, told) - truth * told))

    scale, shift = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    line = Calibration(max(float(scale), 0.05), float(shift))
    own = {}
    for i, tag in enumerate(tags):
        positive, told = states[known[:, i], i] == POSITIVE, line.confidence(logits[known[:, i], i].astype(np.float32))
        if positive.sum() >= LEAST_POSITIVES:
            own[tag] = round(float(np.clip(_best_f1(told, positive) / 2, LOWEST, HIGHEST)), 3)
    return Calibration(round(line.scale, 4), round(line.shift, 4), own)


def _best_f1(values: Floats, positive: NDArray[np.bool_]) -> float:
    """The highest F1 that any threshold on `values` (N,) reaches."""
    order = np.argsort(-values, kind="stable")
    found = np.cumsum(positive[order])
    said = np.arange(1, len(order) + 1)
    return float((2 * found / (said + positive.sum())).max())
