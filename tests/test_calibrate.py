"""Confidences that can be believed: a line fitted to answers, thresholds at half the F1."""

from __future__ import annotations

import numpy as np
import pytest

from understanding.calibration import CAREFUL, USUAL, Calibration
from understanding.learning.calibrate import HIGHEST, LOWEST, calibrated
from understanding.learning.partial import UNKNOWN


def test_logits_that_boast_are_scaled_back() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(-1, 2, (400, 3))
    states = (rng.random(true.shape) < 1 / (1 + np.exp(-true))).astype(np.int8)
    found = calibrated(3 * true + 1, states, ("a", "b", "c"))
    assert found.scale == pytest.approx(1 / 3, abs=0.05)
    assert found.shift == pytest.approx(-1 / 3, abs=0.2)
    told = found.confidence((3 * true + 1).astype(np.float32))
    assert abs(told.mean() - states.mean()) < 0.01


def test_unknown_cells_count_for_nothing() -> None:
    logits = np.array([[2.0, 50.0], [-2.0, -50.0], [1.0, 50.0], [-1.0, 50.0]])
    states = np.array([[1, UNKNOWN], [0, UNKNOWN], [0, UNKNOWN], [1, UNKNOWN]], np.int8)
    with_noise = calibrated(logits, states, ("a", "b"))
    assert with_noise == calibrated(logits[:, :1], states[:, :1], ("a",))


def test_thresholds_are_half_the_best_f1_within_bounds() -> None:
    logits = np.concatenate([np.full(6, 3.0), np.full(14, -3.0)])[:, None]
    perfect = np.concatenate([np.ones(6), np.zeros(14)]).astype(np.int8)[:, None]
    assert calibrated(logits, perfect, ("a",)).thresholds == {"a": HIGHEST}
    mixed = np.tile([1, 0, 0, 0, 0], 4).astype(np.int8)[:, None]
    few = calibrated(logits, mixed, ("a",))
    assert few.thresholds == {}  # four positives choose nothing
    assert few.threshold("a") == USUAL
    hopeless = np.concatenate([np.zeros(15), np.ones(5)]).astype(np.int8)[:, None]
    assert LOWEST <= calibrated(logits, hopeless, ("a",)).thresholds["a"] <= 0.21


def test_tags_that_hurt_when_wrong_need_more() -> None:
    assert Calibration(thresholds={"accident": 0.25}).threshold("accident") == CAREFUL["accident"]


def test_one_sided_knowledge_is_refused() -> None:
    with pytest.raises(ValueError, match="known positives"):
        calibrated(np.zeros((3, 1)), np.zeros((3, 1), np.int8), ("a",))
