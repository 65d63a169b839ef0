"""What a few positives of a class tell without any training: regularised linear discriminant scores.

All rows, labelled or not, share one covariance, so that a class needs no more than a mean of its own: Fisher 1936, with
the covariance shrunk towards the identity as in Friedman, Regularized Discriminant Analysis, JASA 1989. A net that is
trained on three positives learns them by heart; these scores do not, and the two err differently.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from understanding.learning.partial import POSITIVE, Bools, States

SHRINKAGE: Final = 0.9  # of the covariance of standardised features


def discriminant_scores(
    rows: NDArray[np.float32], states: States, certified: Bools, *, shrinkage: float = SHRINKAGE
) -> NDArray[np.float32]:
    """Return how much each row (N, D) looks like the known positives of each class, (N, C).

    In standard deviations over the class's open cells, those not `certified` (N, C); 0 for a class of which no positive
    is known, or whose open rows are all alike.
    """
    standard = _standardised(rows.astype(np.float64))
    positive = states == POSITIVE
    count = positive.sum(axis=0)
    means = positive.T.astype(np.float64) @ standard / np.maximum(count, 1)[:, None]  # (C, D)
    covariance = standard.T @ standard / len(standard)
    shrunk = (1 - shrinkage) * covariance + shrinkage * np.eye(len(covariance))
    scores = standard @ np.linalg.solve(shrunk, means.T)  # (N, C), up to a number for each class
    seen: NDArray[np.float64] = _standardised(scores, ~certified) * (count > 0)
    return seen.astype(np.float32)


def _standardised(values: NDArray[np.float64], counted: Bools | None = None) -> NDArray[np.float64]:
    """Return values with mean 0 and deviation 1 in each column over the `counted` cells; a constant column is 0."""
    weight = np.ones(values.shape) if counted is None else counted.astype(np.float64)
    total = np.maximum(weight.sum(axis=0), 1)
    centred = values - (values * weight).sum(axis=0) / total
    spread = np.sqrt((centred**2 * weight).sum(axis=0) / total)
    standard: NDArray[np.float64] = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-9)
    return standard
