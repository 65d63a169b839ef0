"""Labels of which only a part is known: the state of every cell, what the coarse labels rule out, and what can be
counted.

N videos, C classes, V coarse labels. A state is int8: 1 known positive, 0 known negative, -1 unknown.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from understanding.labels import LabelGraph

POSITIVE: Final = 1
NEGATIVE: Final = 0
UNKNOWN: Final = -1

States = NDArray[np.int8]
Bools = NDArray[np.bool_]


def hide(labels: NDArray[np.bool_], share: float, seed: int) -> States:
    """Return the states (N, C) of full labels after `share` of all cells, positives and negatives alike, are hidden.

    Each cell is hidden on its own by the same chance; equal seeds hide the same cells of equal shapes, and at a larger
    share the same cells and more.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share lies in 0..1, not {share}")
    states = np.asarray(labels, bool).astype(np.int8)
    states[np.random.default_rng(seed).random(states.shape) < share] = UNKNOWN
    return states


def certified_negatives(coarse: Bools, belongs: Bools) -> Bools:
    """Mark the cells (N, C) that the coarse labels rule out.

    `coarse` (N, V) is complete: what is False is absent. `belongs` (C, V) names the coarse labels above each class. A
    cell is ruled out where its class belongs to at least one coarse label and the video has none of them; a class that
    belongs to none is never ruled out.
    """
    allowed = coarse.astype(np.float32) @ belongs.T.astype(np.float32) > 0
    ruled_out: Bools = ~allowed & belongs.any(axis=1)
    return ruled_out


def propensities(states: States, certified: Bools | None = None, *, pooled: bool = True) -> NDArray[np.float64]:
    """Return for each class (C,) the share of known cells among those not `certified`.

    Pooled, every class has the share of all classes together: the better estimate where cells are hidden by one chance.
    A class whose cells are all certified or all unknown has 1: nothing of it is to be weighed up.
    """
    open_cells = np.ones(states.shape, bool) if certified is None else ~certified
    known = ((states != UNKNOWN) & open_cells).sum(axis=0)
    total = open_cells.sum(axis=0)
    if pooled:
        known, total = np.full_like(known, known.sum()), np.full_like(total, total.sum())
    shares: NDArray[np.float64] = np.divide(known, total, out=np.ones(len(known)), where=known > 0)
    return shares


def priors(states: States) -> NDArray[np.float64]:
    """Return the share of positives among the known cells of each class, (C,); 0 where none is known.

    Where cells are hidden by chance alone this is how frequent the class is.
    """
    known = (states != UNKNOWN).sum(axis=0)
    shares: NDArray[np.float64] = np.divide(
        (states == POSITIVE).sum(axis=0), known, out=np.zeros(len(known)), where=known > 0
    )
    return shares


def cooccurrence(states: States, pseudo_count: float = 0.0) -> LabelGraph:
    """Return P(j | i) counted only over cells annotated in both; `pseudo_count` as in `LabelGraph.from_labels`."""
    return LabelGraph.from_labels(states == POSITIVE, states != UNKNOWN, pseudo_count=pseudo_count)
