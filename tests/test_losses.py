"""Losses over partly known labels: hand cases, gradients, and the published form of the class-aware selective loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from understanding.learning import losses
from understanding.learning.partial import certified_negatives, hide, propensities

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [-3.0, 0.0, 1.5]], dtype=torch.float64)
STATES = torch.tensor([[1, 0, -1], [-1, 1, 0]], dtype=torch.int8)
CERTIFIED = torch.tensor([[False, True, True], [False, False, False]])
POSTERIOR = torch.tensor([[0.9, 0.1, 0.7], [0.25, 0.5, 0.5]], dtype=torch.float64)

Loss = Callable[[Tensor, Tensor], Tensor]
PLAIN: dict[str, Loss] = {
    "unknown_negative": losses.unknown_negative,
    "ignore_unknown": losses.ignore_unknown,
    "weighted": losses.weighted,
    "inverse_propensity": partial(losses.inverse_propensity, propensity=0.5, certified=CERTIFIED),
    "self_training": partial(losses.self_training, posterior=POSTERIOR, certified=CERTIFIED),
    "unfocused": partial(losses.partial_asymmetric, gamma_negative=0.0, gamma_unknown=0.0),
    "clipped": partial(losses.partial_asymmetric, gamma_negative=0.0, gamma_unknown=0.0, clip=0.05),
}


def yes(logit: float) -> float:
    """Cross-entropy of a positive cell."""
    return math.log1p(math.exp(-logit))


def no(logit: float) -> float:
    """Cross-entropy of a negative cell."""
    return math.log1p(math.exp(logit))


def by_hand(cells: list[float]) -> Any:
    assert len(cells) == LOGITS.numel()
    return pytest.approx(sum(cells) / len(cells), abs=1e-12)


def test_open_cells_leave_out_what_is_unknown_or_ruled_out() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5, 3.0]])
    states = torch.tensor([[1, 0, -1, 0]])
    certified = torch.tensor([[False, False, False, True]])
    expected = (functional.softplus(torch.tensor(-2.0)) + functional.softplus(torch.tensor(-1.0))) / 4
    assert losses.open_cells(logits, states, certified) == pytest.approx(float(expected))


def test_unknown_as_negative() -> None:
    expected = by_hand([yes(2), no(-1), no(0.5), no(-3), yes(0), no(1.5)])
    assert losses.unknown_negative(LOGITS, STATES).item() == expected


def test_unknown_ignored() -> None:
    expected = by_hand([yes(2), no(-1), 0, 0, yes(0), no(1.5)])
    assert losses.ignore_unknown(LOGITS, STATES).item() == expected
    assert losses.weighted(LOGITS, STATES, unknown_weight=0).item() == expected


def test_unknown_weighted() -> None:
    expected = by_hand([yes(2), no(-1), 0.3 * no(0.5), 0.3 * no(-3), yes(0), no(1.5)])
    assert losses.weighted(LOGITS, STATES, unknown_weight=0.3).item() == expected


def test_known_weighed_by_their_propensity_and_certified_negatives_at_one() -> None:
    propensity = torch.tensor([0.5, 0.25, 0.2], dtype=torch.float64)
    plain = by_hand([2 * yes(2), 4 * no(-1), 0, 0, 4 * yes(0), 5 * no(1.5)])
    assert losses.inverse_propensity(LOGITS, STATES, propensity).item() == plain
    certified = by_hand([2 * yes(2), no(-1), no(0.5), 0, 4 * yes(0), 5 * no(1.5)])
    assert losses.inverse_propensity(LOGITS, STATES, propensity, CERTIFIED).item() == certified


def test_a_teacher_for_the_unknown() -> None:
    soft = 0.25 * yes(-3) + 0.75 * no(-3)
    expected = by_hand([3 * yes(2), 3 * no(-1), no(0.5), soft, 3 * yes(0), 3 * no(1.5)])
    assert losses.self_training(LOGITS, STATES, POSTERIOR, CERTIFIED).item() == expected
    unruled = 0.7 * yes(0.5) + 0.3 * no(0.5)
    expected = by_hand([yes(2), no(-1), unruled, soft, yes(0), no(1.5)])
    assert losses.self_training(LOGITS, STATES, POSTERIOR, annotated_weight=1).item() == expected


def test_expected_loss_by_propensity_is_that_of_full_labels() -> None:
    rng = np.random.default_rng(0)
    labels, belongs = rng.random((300, 8)) < 0.2, rng.random((8, 3)) < 0.4
    coarse = (labels.astype(int) @ belongs.astype(int)) > 0
    certified = certified_negatives(coarse, belongs)
    assert not (certified & labels).any()
    assert certified.any()
    logits = torch.from_numpy(rng.normal(size=labels.shape))
    full = losses.unknown_negative(logits, torch.from_numpy(labels.astype(np.int8))).item()
    drawn = []
    for seed in range(60):
        states = hide(labels, 0.9, seed)
        shares = torch.from_numpy(propensities(states, certified))
        found = losses.inverse_propensity(logits, torch.from_numpy(states), shares, torch.from_numpy(certified))
        drawn.append(found.item())
    assert np.mean(drawn) == pytest.approx(full, abs=3 * float(np.std(drawn)) / math.sqrt(len(drawn)))
    assert np.mean(drawn) == pytest.approx(full, rel=0.02)


@pytest.mark.parametrize("name", PLAIN)
def test_gradients_are_those_of_the_value(name: str) -> None:
    logits = LOGITS.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: PLAIN[name](x, STATES), (logits,))


@pytest.mark.parametrize("name", PLAIN)
def test_extreme_logits_stay_finite(name: str) -> None:
    logits = (LOGITS.sign() * 200).requires_grad_()
    loss = PLAIN[name](logits, STATES)
    assert torch.isfinite(loss)
    assert torch.isfinite(torch.autograd.grad(loss, logits)[0]).all()


def test_cells_can_be_weighed() -> None:
    weights = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    expected = by_hand([yes(2), no(-1), no(0.5), 3 * no(-3), 3 * yes(0), 3 * no(1.5)])
    assert losses.unknown_negative(LOGITS, STATES, weights).item() == expected
    rest: tuple[Callable[..., Tensor], ...] = (
        losses.ignore_unknown,
        losses.weighted,
        partial(losses.inverse_propensity, propensity=0.5),
        partial(losses.self_training, posterior=POSTERIOR),
        losses.partial_asymmetric,
    )
    for loss in rest:
        halves = loss(LOGITS[:1], STATES[:1], **_rows(loss, 0)), loss(LOGITS[1:], STATES[1:], **_rows(loss, 1))
        assert loss(LOGITS, STATES, weights=weights).item() == pytest.approx((halves[0] + 3 * halves[1]).item() / 2)


def _rows(loss: object, row: int) -> dict[str, Tensor]:
    """A posterior belongs to its row."""
    given = getattr(loss, "keywords", {})
    return {"posterior": POSTERIOR[row : row + 1]} if "posterior" in given else {}


def published(logits: Tensor, states: Tensor, gammas: tuple[float, float, float], clip: float, kept: Tensor) -> Tensor:
    """The formula of the published code, cell by cell: sum of alpha * log(p of target) * (1 - p of target) ** gamma."""
    total = torch.zeros((), dtype=logits.dtype)
    for logit, state, keep in zip(logits.flatten(), states.flatten().tolist(), kept.flatten().tolist(), strict=True):
        present = torch.sigmoid(logit)
        target = present if state == 1 else torch.clamp(1 - present + clip, max=1)
        gamma = gammas[{1: 0, 0: 1, -1: 2}[state]]
        total = total - keep * torch.log(target.clamp(min=1e-8)) * (1 - target.detach()) ** gamma
    return total / logits.numel()


@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_asymmetric_loss_as_published(clip: float) -> None:
    mine, theirs = LOGITS.clone().requires_grad_(), LOGITS.clone().requires_grad_()
    gammas = (0.5, 2.0, 4.0)
    found = losses.partial_asymmetric(
        mine, STATES, gamma_positive=gammas[0], gamma_negative=gammas[1], gamma_unknown=gammas[2], clip=clip
    )
    expected = published(theirs, STATES, gammas, clip, torch.ones_like(LOGITS))
    assert found.item() == pytest.approx(expected.item(), abs=1e-7)
    (gradient,), (right,) = torch.autograd.grad(found, mine), torch.autograd.grad(expected, theirs)
    torch.testing.assert_close(gradient, right, atol=1e-7, rtol=1e-6)


def test_selected_leaves_out_likely_cells_and_frequent_classes() -> None:
    logits = torch.tensor([[3.0, 2.0, -1.0, 0.0], [1.0, -2.0, 4.0, 0.0]])
    states = torch.tensor([[-1, 1, -1, -1], [-1, -1, -1, 0]])
    # the two (1 a row) most probable of the unknown: 4.0 and 3.0
    by_likelihood = [[False, True, True, True], [True, True, False, True]]
    assert losses.selected(logits, states, likely=1).tolist() == by_likelihood
    prior = torch.tensor([0.01, 0.01, 0.01, 0.5])
    by_both = [[False, True, True, False], [True, True, False, True]]
    assert losses.selected(logits, states, prior, likely=1).tolist() == by_both
    assert losses.selected(logits, states, likely=100).tolist() == (states != -1).tolist()
    assert losses.selected(logits, states, likely=0).all()


def test_selective_loss_is_the_asymmetric_one_over_what_is_selected() -> None:
    kept = losses.selected(LOGITS, STATES, likely=1)
    assert not kept.all()
    expected = published(LOGITS, STATES, (0.0, 1.0, 4.0), 0.0, kept)
    assert losses.class_selective(LOGITS, STATES, likely=1).item() == pytest.approx(expected.item(), abs=1e-7)
    halved = losses.class_selective(LOGITS, STATES, None, torch.full((1, 1), 0.5), likely=1)
    assert halved.item() == pytest.approx(expected.item() / 2, abs=1e-7)
