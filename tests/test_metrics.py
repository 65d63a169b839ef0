"""Metrics against cases worked by hand, a plain Python reading of the published calculators, and what must always
hold."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from understanding.learning import metrics

SCORES = np.array([[0.9, 0.5, 0.1], [0.8, 0.6, 0.7]])
LABELS = np.array([[1, 0, 0], [0, 1, 1]])


def test_gap_by_hand() -> None:
    # ranked .9+ .8- .7+ .6+ .5- .1-: (1/1 + 2/3 + 3/4) / 3
    assert metrics.gap(SCORES, LABELS) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


def test_gap_counts_positives_that_stand_outside_the_top() -> None:
    # with one prediction a video: .9+ .8-, but three positives
    assert metrics.gap(SCORES, LABELS, top=1) == pytest.approx(1 / 3)


def test_average_precisions_by_hand() -> None:
    # class 0: .9+ .8-; class 1: .6+ .5-; class 2: .7+ .1-
    np.testing.assert_allclose(metrics.average_precisions(SCORES, LABELS), [1, 1, 1])
    np.testing.assert_allclose(metrics.average_precisions(SCORES, 1 - LABELS), [0.5, 0.5, 0.5])
    # with two predictions a video the third class is predicted once, and the second video's second class never
    np.testing.assert_allclose(metrics.average_precisions(SCORES, LABELS, top=2), [1, 0, 1])


def test_hits_and_equal_recall_by_hand() -> None:
    assert metrics.hit_at_one(SCORES, LABELS) == 0.5
    assert metrics.perr(SCORES, LABELS) == pytest.approx((1 + 1 / 2) / 2)
    without = np.array([[1, 0, 0], [0, 0, 0]])
    assert metrics.hit_at_one(SCORES, without) == 0.5
    assert metrics.perr(SCORES, without) == 0.5


def test_mean_over_classes_with_enough_positives() -> None:
    scores = np.array([[0.9, 0.2, 0.3], [0.8, 0.1, 0.2], [0.1, 0.7, 0.1]])
    labels = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert metrics.mean_average_precision(scores, labels, at_least=2) == 1.0
    assert metrics.mean_average_precision(scores, labels) == pytest.approx((1 + 0.5) / 2)
    assert metrics.mean_average_precision(scores, labels, at_least=0) == pytest.approx((1 + 0.5 + 0) / 3)
    assert metrics.mean_average_precision(scores, labels, at_least=3) == 0.0


def test_equal_scores_keep_the_lower_index_first() -> None:
    level = np.full((2, 3), 0.5)
    np.testing.assert_array_equal(metrics.top_cells(level, 2), [[1, 1, 0], [1, 1, 0]])
    assert metrics.gap(level, np.array([[0, 0, 1], [1, 0, 0]])) == pytest.approx((1 / 3 + 2 / 4) / 2)
    assert metrics.hit_at_one(level, np.array([[1, 0, 0], [0, 1, 0]])) == 0.5
    np.testing.assert_allclose(metrics.average_precisions(level, np.array([[0, 1, 0], [1, 0, 0]])), [1 / 2, 1, 0])


def test_segments_by_hand() -> None:
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    states = np.array([[-1, -1], [0, -1], [1, 0], [1, -1]])
    # class 0: the unrated best one is dropped, so - + +: (1/2 + 2/3) / 2; class 1 has no positive and does not count
    assert metrics.segment_map(scores, states) == pytest.approx((1 / 2 + 2 / 3) / 2)
    # the cut comes before the dropping: of the best three only - + are rated, and recall still counts both positives
    assert metrics.segment_map(scores, states, at=3) == pytest.approx(1 / 2 / 2)
    assert metrics.segment_map(scores, np.zeros((4, 2))) == 0.0


def test_calibration_by_hand() -> None:
    found = metrics.calibration(np.array([[0.1, 0.2], [0.9, 1.0]]), np.array([[0, 1], [1, 1]]), bins=2)
    np.testing.assert_array_equal(found.counts, [2, 2])
    np.testing.assert_allclose(found.edges, [0, 0.5, 1])
    np.testing.assert_allclose(found.mean_probability, [0.15, 0.95])
    np.testing.assert_allclose(found.positive_share, [0.5, 1.0])
    assert found.expected_error == pytest.approx((0.35 + 0.05) / 2)
    assert found.brier == pytest.approx((0.01 + 0.64 + 0.01 + 0) / 4)


def test_probabilities_drawn_from_themselves_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random((2000, 50))
    assert metrics.calibration(probabilities, rng.random((2000, 50)) < probabilities).expected_error < 0.01
    assert metrics.calibration(probabilities, rng.random((2000, 50)) < 0.5).expected_error > 0.2


def test_class_reports() -> None:
    first, second, third = metrics.class_reports(SCORES, LABELS, ["a", "b", "c"])
    assert (first.name, first.positives, first.precision, first.recall) == ("a", 1, 0.5, 1.0)
    assert (second.precision, second.recall) == (0.5, 1.0)
    assert second.mean_score == pytest.approx(0.55)
    assert third.as_dict()["average_precision"] == 1.0
    with pytest.raises(ValueError, match="2 names for 3"):
        metrics.class_reports(SCORES, LABELS, ["a", "b"])


@pytest.mark.parametrize(
    ("scores", "labels", "says"),
    [
        (SCORES, LABELS[:1], "same"),
        (SCORES[0], LABELS[0], "same"),
        (SCORES[:0], LABELS[:0], "not empty"),
        (SCORES * np.nan, LABELS, "6 of 6"),
    ],
)
def test_what_cannot_be_scored_is_refused(scores: NDArray[Any], labels: NDArray[Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        metrics.gap(scores, labels)


def test_numbers_that_are_no_probabilities_are_refused_where_it_matters() -> None:
    with pytest.raises(ValueError, match="below 0"):
        metrics.perr(SCORES - 1, LABELS)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        metrics.calibration(SCORES + 1, LABELS)
    with pytest.raises(ValueError, match="at least 1"):
        metrics.gap(SCORES, LABELS, top=0)


# A plain reading of the published calculators: lists, loops and a heap-free ranking.


def plain_ap(pairs: list[tuple[float, int]], positives: int) -> float:
    if positives == 0:
        return 0.0
    found, total = 0, 0.0
    for rank, (_, actual) in enumerate(sorted(pairs, key=lambda pair: -pair[0]), start=1):
        if actual > 0:
            found += 1
            total += found / rank * (1.0 / positives)
    return total


def plain_lists(scores: NDArray[Any], labels: NDArray[Any], k: int) -> list[list[tuple[float, int]]]:
    lists: list[list[tuple[float, int]]] = [[] for _ in range(scores.shape[1])]
    for row, truth in zip(scores.tolist(), labels.tolist(), strict=True):
        for c in sorted(range(len(row)), key=lambda c: -row[c])[:k]:
            lists[c].append((row[c], truth[c]))
    return lists


def plain_perr(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    total = 0.0
    for row, truth in zip(scores.tolist(), labels.tolist(), strict=True):
        wanted = sum(truth)
        best = sorted(range(len(row)), key=lambda c: -row[c])[:wanted] if wanted else range(len(row))
        total += sum(truth[c] for c in best if row[c] > 0) / len(best)
    return total / len(scores)


@pytest.mark.parametrize(("videos", "classes", "share", "seed"), [(60, 45, 0.1, 0), (7, 5, 0.4, 1), (200, 30, 0.02, 2)])
def test_equal_to_a_plain_reading_of_the_published_code(videos: int, classes: int, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = (rng.random((videos, classes)) < share).astype(int)
    scores = rng.random((videos, classes)) * 0.7 + 0.3 * labels * rng.random((videos, classes))
    lists = plain_lists(scores, labels, 20)
    positives = labels.sum(axis=0).tolist()
    close = pytest.approx
    assert metrics.gap(scores, labels) == close(
        plain_ap([pair for pairs in lists for pair in pairs], sum(positives)), abs=1e-10
    )
    each = [plain_ap(pairs, count) for pairs, count in zip(lists, positives, strict=True)]
    np.testing.assert_allclose(metrics.average_precisions(scores, labels, top=20), each, atol=1e-10)
    published = metrics.mean_average_precision(scores, labels, top=20, at_least=0)
    assert published == close(sum(each) / classes, abs=1e-10)
    hits = [truth[row.index(max(row))] for row, truth in zip(scores.tolist(), labels.tolist(), strict=True)]
    assert metrics.hit_at_one(scores, labels) == close(sum(hits) / videos, abs=1e-10)
    assert metrics.perr(scores, labels) == close(plain_perr(scores, labels), abs=1e-10)


@st.composite
def distinct(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.int64], np.random.Generator]:
    """Scores without ties, labels and a source of chance."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    videos, classes = draw(st.integers(1, 12)), draw(st.integers(1, 30))
    scores = rng.permutation(videos * classes).reshape(videos, classes) / (videos * classes)
    return scores, (rng.random(scores.shape) < draw(st.floats(0, 1))).astype(np.int64), rng


@settings(max_examples=60)
@given(distinct())
def test_bounds_and_permutations(case: tuple[NDArray[np.float64], NDArray[np.int64], np.random.Generator]) -> None:
    scores, labels, rng = case
    rows, columns = rng.permutation(len(scores)), rng.permutation(scores.shape[1])
    for measure in (metrics.gap, metrics.hit_at_one, metrics.mean_average_precision, metrics.segment_map):
        value = measure(scores, labels)
        assert 0 <= value <= 1 + 1e-12
        assert measure(scores[rows][:, columns], labels[rows][:, columns]) == pytest.approx(value)
    assert metrics.gap(scores, labels) == pytest.approx(metrics.gap(3 * scores - 7, labels))


@settings(max_examples=60)
@given(distinct())
def test_a_perfect_ranking_scores_one(case: tuple[Any, NDArray[np.int64], Any]) -> None:
    scores, labels, _ = case
    perfect = scores / 4 + labels / 2
    if labels.any() and labels.sum(axis=1).max() <= metrics.TOP:
        assert metrics.gap(perfect, labels) == pytest.approx(1)
    if labels.any():
        assert metrics.mean_average_precision(perfect, labels) == pytest.approx(1)
    assert metrics.hit_at_one(perfect, labels) == labels.any(axis=1).mean()
    assert metrics.perr(perfect + 1e-9, labels) == pytest.approx(labels.any(axis=1).mean())


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 25))
def test_exactly_the_top_cells_of_each_row(seed: int, top: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 4, (5, 20)) / 4  # many ties
    expected = np.zeros((5, 20), bool)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    np.put_along_axis(expected, best, True, axis=1)
    np.testing.assert_array_equal(metrics.top_cells(scores, top), expected)


def test_gap_of_a_tune_split_takes_well_under_a_second() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.random((5800, 400)), rng.random((5800, 400)) < 0.005
    began = time.process_time()
    metrics.gap(scores, labels)
    assert time.process_time() - began < 1
