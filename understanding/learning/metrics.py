"""How good scores are, as the published YouTube-8M calculators count it (google/youtube-8m: `eval_util`,
`average_precision_calculator`, `mean_average_precision_calculator`), in numpy and float64.

N videos, C classes. `scores` (N, C) are finite numbers, larger = likelier; `labels` (N, C) are the truth, above 0 =
positive. Only calibration and PERR read scores as probabilities.

Ties: of equal scores the one with the lower index stands first: within a video the lower class, within a class the
lower video, over all cells the lower video and then the lower class. (The published code shuffles ties by a seed.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

TOP: Final = 20  # predictions of one video that count
SEGMENTS: Final = 100_000  # predictions of one class that count in the 2019 challenge

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def gap(scores: NDArray[Any], labels: NDArray[Any], top: int = TOP) -> float:
    """Global average precision: the `top` predictions of every video in one ranked list.

    The positives that recall is counted against are all positives, also those outside the list. 0 without positives.
    """
    values, truth = _checked(scores, labels)
    listed = top_cells(values, top)
    return average_precision(values[listed], truth[listed], int(truth.sum()))


def hit_at_one(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Share of all videos whose best class is a label; a video without any label is a miss."""
    values, truth = _checked(scores, labels)
    return float(truth[np.arange(len(truth)), values.argmax(axis=1)].mean())


def perr(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Precision at equal recall rate: the share of labels among the n best classes of a video with n, mean over videos.

    Scores are probabilities, of which a 0 predicts nothing. A video without labels counts 0.
    """
    values, truth = _checked(scores, labels)
    if values.min() < 0:
        raise ValueError(f"PERR reads probabilities, and {values.min():g} is below 0")
    wanted = truth.sum(axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    found = np.take_along_axis(truth & (values > 0), order, axis=1)
    within = np.arange(truth.shape[1]) < wanted[:, None]
    return float(((found & within).sum(axis=1) / np.maximum(wanted, 1)).mean())


def average_precisions(scores: NDArray[Any], labels: NDArray[Any], top: int | None = None) -> Floats:
    """Non-interpolated average precision of every class, (C,); 0 for a class without positives.

    With `top` only the `top` best classes of each video are predictions, as the published MAP has it.
    """
    values, truth = _checked(scores, labels)
    listed = np.ones(values.shape, bool) if top is None else top_cells(values, top)
    columns = zip(values.T, truth.T, listed.T, strict=True)
    return np.array([average_precision(v[kept], t[kept], int(t.sum())) for v, t, kept in columns])


def mean_average_precision(
    scores: NDArray[Any], labels: NDArray[Any], *, top: int | None = None, at_least: int = 1
) -> float:
    """Mean of `average_precisions` over the classes with at least `at_least` positives; 0 where there is none.

    `top=20, at_least=0` is the figure of the published evaluation: a class without positives counts 0 in it.
    """
    precisions = average_precisions(scores, labels, top)
    counted = (np.asarray(labels) > 0).sum(axis=0) >= at_least
    return float(precisions[counted].mean()) if counted.any() else 0.0


def segment_map(scores: NDArray[Any], states: NDArray[Any], at: int = SEGMENTS) -> float:
    """MAP@100K of the 2019 challenge: mean over the classes with a rated positive of their average precision.

    `scores` (S, C) over S segments; `states` (S, C) is 1 rated and present, 0 rated and absent, -1 not rated. A class's
    best `at` segments are its predictions, of which those not rated are then dropped without counting; recall is
    counted against all rated positives of the class.
    """
    states = np.asarray(states)
    values, _ = _checked(scores, states)
    precisions = [_segment_precision(v, s, at) for v, s in zip(values.T, states.T, strict=True) if (s > 0).any()]
    return float(np.mean(precisions)) if precisions else 0.0


def _segment_precision(values: Floats, states: NDArray[Any], at: int) -> float:
    predicted = np.argsort(-values, kind="stable")[:at]
    rated = predicted[states[predicted] >= 0]
    return average_precision(values[rated], states[rated] > 0, int((states > 0).sum()))


def top_cells(scores: NDArray[Any], top: int = TOP) -> Bools:
    """Mark the `top` best classes of each row, (N, C) with exactly min(top, C) a row."""
    if top < 1:
        raise ValueError(f"top must be at least 1, not {top}")
    top = min(top, scores.shape[1])
    last = -np.partition(-scores, top - 1, axis=1)[:, top - 1 : top]
    above, level = scores > last, scores == last
    spare = top - above.sum(axis=1, keepdims=True)
    crowded = np.flatnonzero(level.sum(axis=1) > spare[:, 0])
    level[crowded] &= level[crowded].cumsum(axis=1) <= spare[crowded]
    marked: Bools = above | level
    return marked


def average_precision(values: Floats, truth: Bools, positives: int) -> float:
    """Average precision of one ranked list against `positives` positives in all; 0 without any."""
    if positives == 0:
        return 0.0
    order = np.argsort(-values, kind="stable")
    ranks = np.flatnonzero(truth[order]) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).sum() / positives)


def _checked(scores: NDArray[Any], labels: NDArray[Any]) -> tuple[Floats, Bools]:
    """Return both as (N, C) float64 and bool. float32 rounds sums of precisions by 1e-5, so none of it is used."""
    values, truth = np.asarray(scores, np.float64), np.asarray(labels) > 0
    if values.ndim != 2 or values.shape != truth.shape or not values.size:
        raise ValueError(
            f"scores {values.shape} and labels {truth.shape} must be the same (videos, classes), not empty"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{int((~np.isfinite(values)).sum())} of {values.size} scores are not finite numbers")
    return values, truth


@dataclass(frozen=True, slots=True)
class ClassReport:
    """One class: its positives, average precision over all videos, and how it fares where `score >= threshold`."""

    name: str
    positives: int
    average_precision: float
    precision: float  # 0 where nothing is predicted
    recall: float
    mean_score: float

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, for JSON and tables."""
        return asdict(self)


def class_reports(
    scores: NDArray[Any], labels: NDArray[Any], names: Sequence[str], threshold: float = 0.5
) -> tuple[ClassReport, ...]:
    """One report a class, in class order."""
    values, truth = _checked(scores, labels)
    if len(names) != truth.shape[1]:
        raise ValueError(f"{len(names)} names for {truth.shape[1]} classes")
    said = values >= threshold
    right, predicted, positives = (said & truth).sum(axis=0), said.sum(axis=0), truth.sum(axis=0)
    rows = zip(
        names,
        positives.tolist(),
        average_precisions(values, truth).tolist(),
        (right / np.maximum(predicted, 1)).tolist(),
        (right / np.maximum(positives, 1)).tolist(),
        values.mean(axis=0).tolist(),
        strict=True,
    )
    return tuple(ClassReport(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities are from frequencies, over all cells. `edges` has one entry more than the bins."""

    expected_error: float  # ECE: |mean probability - share of positives| of each bin, weighted by its cells
    brier: float  # mean squared distance between probability and truth
    edges: Floats
    counts: NDArray[np.int64]
    mean_probability: Floats  # 0 in an empty bin
    positive_share: Floats  # 0 in an empty bin


def calibration(probabilities: NDArray[Any], labels: NDArray[Any], bins: int = 15) -> Calibration:
    """Reliability in `bins` equally wide bins [a, b), the last one closed (Guo et al., ICML 2017, per cell)."""
    values, truth = _checked(probabilities, labels)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(f"probabilities lie in 0..1, not {values.min():g}..{values.max():g}")
    cells, hits = values.ravel(), truth.ravel()
    place = np.minimum((cells * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = np.maximum(counts, 1)
    mean_probability = np.bincount(place, cells, bins) / filled
    positive_share = np.bincount(place, hits.astype(np.float64), bins) / filled
    return Calibration(
        expected_error=float((np.abs(mean_probability - positive_share) * counts).sum() / len(cells)),
        brier=float(((cells - hits) ** 2).mean()),
        edges=np.linspace(0, 1, bins + 1),
        counts=counts,
        mean_probability=mean_probability,
        positive_share=positive_share,
    )
