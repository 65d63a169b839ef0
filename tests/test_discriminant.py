"""Discriminant scores from a few positives, against scikit-free plain sums and on data that hides most labels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from understanding.learning.discriminant import discriminant_scores
from understanding.learning.metrics import mean_average_precision
from understanding.learning.partial import POSITIVE, UNKNOWN, hide

Data = tuple[NDArray[np.float32], NDArray[np.bool_]]


@pytest.fixture(scope="module")
def data() -> Data:
    """2,000 rows of 40 features, half of them noise that all share; 10 classes, each moves its rows its own way."""
    rng = np.random.default_rng(4)
    truth = rng.random((2000, 10)) < 0.04
    ways = rng.normal(size=(10, 40))
    shared = rng.normal(size=(2000, 3)) @ rng.normal(size=(3, 40)) * 3
    return (truth @ ways * 2 + shared + rng.normal(size=(2000, 40))).astype(np.float32), truth


def test_few_positives_rank_the_hidden_ones(data: Data) -> None:
    rows, truth = data
    states = hide(truth, 0.93, seed=1)
    assert (states == POSITIVE).sum(axis=0).max() <= 14
    nothing, hidden = np.zeros_like(truth), states == UNKNOWN

    def ranked(shrinkage: float) -> float:
        """Average precision on the hidden cells; chance is 0.04."""
        found = discriminant_scores(rows, states, nothing, shrinkage=shrinkage)
        return mean_average_precision(np.where(hidden, found, -99), truth & hidden)

    by_means_alone = ranked(1.0)
    assert ranked(0.9) > by_means_alone + 0.1  # what all rows share says nothing of a class
    assert ranked(0.0) > 0.9


def test_it_equals_the_formula_written_out(data: Data) -> None:
    rows, truth = data[0][:300], data[1][:300]
    states, certified = hide(truth, 0.5, seed=2), np.zeros_like(truth)
    certified[:200, 3] = True
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    inverse = np.linalg.inv(0.1 * np.cov(z.T, bias=True) + 0.9 * np.eye(40))
    for c in (0, 3):
        line = z @ inverse @ z[states[:, c] == 1].mean(axis=0)
        line = line - line[~certified[:, c]].mean()
        expected = line / line[~certified[:, c]].std()
        np.testing.assert_allclose(discriminant_scores(rows, states, certified)[:, c], expected, atol=1e-4)


def test_what_is_hidden_has_no_say_and_what_is_unseen_no_score(data: Data) -> None:
    rows, truth = data
    states = hide(truth, 0.9, seed=3)
    others = np.where(states == UNKNOWN, ~truth, truth)
    again = hide(others, 0.9, seed=3)
    nothing = np.zeros_like(truth)
    assert (discriminant_scores(rows, states, nothing) == discriminant_scores(rows, again, nothing)).all()
    states[:, 5] = np.where(states[:, 5] == POSITIVE, UNKNOWN, states[:, 5])
    found = discriminant_scores(rows, states, nothing)
    assert not found[:, 5].any()
    assert np.isfinite(found).all()
    assert found[:, 4].std() == pytest.approx(1, abs=1e-3)
