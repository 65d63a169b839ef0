"""States of partly known labels: what is hidden, ruled out, weighed and counted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from understanding.learning.partial import (
    NEGATIVE,
    POSITIVE,
    UNKNOWN,
    certified_negatives,
    cooccurrence,
    hide,
    priors,
    propensities,
)


@pytest.fixture(scope="module")
def labels() -> NDArray[np.bool_]:
    return np.random.default_rng(3).random((400, 50)) < 0.1


def test_hiding_hits_positives_and_negatives_alike(labels: NDArray[np.bool_]) -> None:
    states = hide(labels, 0.9, seed=1)
    assert states.dtype == np.int8
    assert (states[labels] == UNKNOWN).mean() == pytest.approx(0.9, abs=0.03)
    assert (states[~labels] == UNKNOWN).mean() == pytest.approx(0.9, abs=0.01)
    known = states != UNKNOWN
    np.testing.assert_array_equal(states[known] == POSITIVE, labels[known])


def test_a_seed_hides_the_same_cells_and_more_of_them_at_a_larger_share(labels: NDArray[np.bool_]) -> None:
    half, most = hide(labels, 0.5, seed=1), hide(labels, 0.9, seed=1)
    np.testing.assert_array_equal(half, hide(labels, 0.5, seed=1))
    assert (hide(labels, 0.5, seed=2) != half).any()
    assert (most[half == UNKNOWN] == UNKNOWN).all()


def test_nothing_and_everything_can_be_hidden(labels: NDArray[np.bool_]) -> None:
    np.testing.assert_array_equal(hide(labels, 0, seed=1), labels)
    assert (hide(labels, 1, seed=1) == UNKNOWN).all()
    with pytest.raises(ValueError, match=r"not 1\.5"):
        hide(labels, 1.5, seed=1)


def test_coarse_labels_rule_out_what_belongs_to_none_of_them() -> None:
    belongs = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], bool)  # the last class has no coarse label
    coarse = np.array([[1, 0], [0, 0]], bool)
    expected = [[False, True, False, False], [True, True, True, False]]
    np.testing.assert_array_equal(certified_negatives(coarse, belongs), expected)


def test_priors_are_counted_over_known_cells(labels: NDArray[np.bool_]) -> None:
    states = np.array([[1, 0, -1], [0, -1, -1], [-1, 0, -1], [1, 1, -1]], np.int8)
    np.testing.assert_allclose(priors(states), [2 / 3, 1 / 3, 0])
    np.testing.assert_allclose(priors(hide(labels, 0.5, 1)), labels.mean(axis=0), atol=0.08)


def test_propensities_are_the_share_of_known_cells() -> None:
    states = np.array([[1, -1], [0, -1], [-1, -1], [-1, 0]], np.int8)
    np.testing.assert_allclose(propensities(states, pooled=False), [0.5, 0.25])
    np.testing.assert_allclose(propensities(states), [0.375, 0.375])
    certified = np.array([[0, 0], [1, 0], [1, 0], [0, 1]], bool)
    np.testing.assert_allclose(propensities(states, certified, pooled=False), [0.5, 1.0])
    np.testing.assert_allclose(propensities(states, certified), [0.2, 0.2])
    np.testing.assert_allclose(propensities(np.full((3, 2), UNKNOWN, np.int8)), 1.0)


def test_weights_by_propensity_add_up_to_all_cells(labels: NDArray[np.bool_]) -> None:
    states = hide(labels, 0.5, seed=5)
    known = states != UNKNOWN
    for pooled in (True, False):
        assert (known / propensities(states, pooled=pooled)).sum() == pytest.approx(labels.size)


def test_pairs_are_counted_only_where_both_are_annotated(labels: NDArray[np.bool_]) -> None:
    states = hide(labels, 0.5, seed=4)
    conditional = cooccurrence(states).conditional
    rng = np.random.default_rng(0)
    for i, j in rng.choice(50, (40, 2)):
        both = (states[:, i] == POSITIVE) & (states[:, j] != UNKNOWN)
        expected = (states[both, j] == POSITIVE).mean() if both.any() and i != j else 0.0
        assert conditional[i, j] == pytest.approx(expected)


def test_pseudo_counts_draw_rare_pairs_to_the_overall_share() -> None:
    states = np.array([[1, 1], [NEGATIVE, 1], [NEGATIVE, 0], [NEGATIVE, 0]], np.int8)
    assert cooccurrence(states).conditional[0, 1] == 1.0
    assert cooccurrence(states, pseudo_count=3).conditional[0, 1] == pytest.approx((1 + 3 * 0.5) / 4)
