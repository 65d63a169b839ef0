"""Losses over partly known labels: pure functions of logits and states, one number each.

Shapes: `logits` (B, C) float; `states` (B, C) whole numbers, 1 known positive, 0 known negative, -1 unknown;
`certified` (B, C) bool, what the coarse labels rule out (`partial.certified_negatives`). Every loss is the sum over all
cells of weight * cross-entropy divided by B * C, whatever the weights are, so that a weight means the same everywhere.
`weights`, where given, multiply the cells and broadcast to (B, C).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from understanding.learning.partial import POSITIVE, UNKNOWN


def unknown_negative(logits: Tensor, states: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy that takes every unknown cell as a negative: the plain assumption of crawled labels."""
    return _mean(_cross_entropy(logits, states == POSITIVE), weights)


def ignore_unknown(logits: Tensor, states: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of the known cells alone (Durand et al., CVPR 2019, without their normalisation)."""
    return _mean(_cross_entropy(logits, states == POSITIVE) * (states != UNKNOWN), weights)


def weighted(logits: Tensor, states: Tensor, weights: Tensor | None = None, *, unknown_weight: float = 0.2) -> Tensor:
    """Weighted cross-entropy: annotated cells count 1, unknown ones as negatives at `unknown_weight`.

    0 ignores the unknown, 1 believes that they are negative.
    """
    share = _either(states == UNKNOWN, unknown_weight, 1.0, logits)
    return _mean(_cross_entropy(logits, states == POSITIVE) * share, weights)


def open_cells(logits: Tensor, states: Tensor, certified: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of the known cells that are not ruled out: what a net learns that is told the coarse labels.

    Cells are hidden by chance alone, so that among the open ones the known are like the unknown and need no weighing.
    """
    counted = (states != UNKNOWN) & ~certified
    return _mean(_cross_entropy(logits, states == POSITIVE) * counted, weights)


def inverse_propensity(
    logits: Tensor,
    states: Tensor,
    propensity: Tensor | float,
    certified: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    """Cross-entropy of known cells, each weighed up by how rarely its like is known, and of certified negatives at 1.

    `propensity` (C,) or one number is the share of known cells among those not certified (`partial.propensities`).
    Where each of those is known by that chance alone, the expected loss is that of full labels (Horvitz and Thompson
    1952; Schnabel et al., ICML 2016).
    """
    up = (states != UNKNOWN) / torch.as_tensor(propensity, dtype=logits.dtype, device=logits.device)
    share = up if certified is None else torch.where(certified, 1.0, up)
    return _mean(_cross_entropy(logits, states == POSITIVE) * share, weights)


def partial_asymmetric(
    logits: Tensor,
    states: Tensor,
    weights: Tensor | None = None,
    *,
    gamma_positive: float = 0.0,
    gamma_negative: float = 1.0,
    gamma_unknown: float = 4.0,
    clip: float = 0.0,
) -> Tensor:
    """P-ASL: cross-entropy with unknown cells as negatives, focused apart for positives, negatives and the unknown.

    A cell weighs (1 - probability of its target) ** gamma, through which no gradient flows; `clip` is added to the
    probability of being absent, so that easy negatives fall silent. Ben-Baruch et al., Multi-label Classification with
    Partial Annotations using Class-aware Selective Loss, CVPR 2022; defaults as their training command has them.
    """
    positive, unknown = states == POSITIVE, states == UNKNOWN
    absent = torch.sigmoid(-logits)
    loss = functional.softplus(-logits)
    if clip > 0:
        absent = (absent + clip).clamp(max=1)
        against = -absent.clamp(min=1e-8).log()
    else:
        against = functional.softplus(logits)
    with torch.no_grad():
        unseen = _either(unknown, gamma_unknown, gamma_negative, logits)
        gamma = unseen.masked_fill(positive, gamma_positive)
        missed = torch.where(positive, torch.sigmoid(-logits), 1 - absent)
        focus = missed**gamma
    return _mean(torch.where(positive, loss, against) * focus, weights)


def class_selective(
    logits: Tensor,
    states: Tensor,
    prior: Tensor | None = None,
    weights: Tensor | None = None,
    *,
    prior_threshold: float = 0.05,
    likely: float = 5,
    gamma_positive: float = 0.0,
    gamma_negative: float = 1.0,
    gamma_unknown: float = 4.0,
    clip: float = 0.0,
) -> Tensor:
    """CSL: `partial_asymmetric` without the unknown cells that `selected` leaves out (same paper)."""
    kept = selected(logits, states, prior, prior_threshold=prior_threshold, likely=likely).to(logits.dtype)
    return partial_asymmetric(
        logits,
        states,
        kept if weights is None else kept * weights,
        gamma_positive=gamma_positive,
        gamma_negative=gamma_negative,
        gamma_unknown=gamma_unknown,
        clip=clip,
    )


@torch.no_grad()
def selected(
    logits: Tensor, states: Tensor, prior: Tensor | None = None, *, prior_threshold: float = 0.05, likely: float = 5
) -> Tensor:
    """Mark (B, C) the cells that the class-aware selective loss learns from.

    Left out are, among the unknown: all cells of classes whose `prior` (C,) is above the threshold, and the `likely` *
    B cells of the batch that the net finds most probable (equal ones: the first). The paper takes the prior as the mean
    prediction of a net that was trained on the known cells alone.
    """
    unknown = states == UNKNOWN
    kept = torch.ones_like(unknown)
    if prior is not None:
        kept &= ~unknown | (prior <= prior_threshold)
    places = unknown.flatten().nonzero().squeeze(1)
    order = torch.argsort(logits.flatten()[places], descending=True, stable=True)
    kept.view(-1)[places[order[: round(likely * len(logits))]]] = False
    return kept


def self_training(
    logits: Tensor,
    states: Tensor,
    posterior: Tensor,
    certified: Tensor | None = None,
    weights: Tensor | None = None,
    *,
    annotated_weight: float = 3.0,
) -> Tensor:
    """Cross-entropy against a teacher where nothing is known: unknown cells have its `posterior` (B, C) as target.

    Certified negatives that are unknown have target 0; annotated cells have their own label at `annotated_weight`, all
    others weigh 1. Soft targets as in Hinton et al. 2015; the student may be larger than its teacher and sees noise
    that the teacher did not (Xie et al., Noisy Student, CVPR 2020).
    """
    believed = posterior if certified is None else posterior.masked_fill(certified, 0.0)
    target = torch.where(states == UNKNOWN, believed.to(logits.dtype), (states == POSITIVE).to(logits.dtype))
    share = _either(states == UNKNOWN, 1.0, annotated_weight, logits)
    return _mean(_cross_entropy(logits, target) * share, weights)


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of every cell, (B, C); targets are bool or probabilities."""
    return functional.binary_cross_entropy_with_logits(logits, target.to(logits.dtype), reduction="none")


def _mean(cells: Tensor, weights: Tensor | None) -> Tensor:
    return (cells if weights is None else cells * weights).mean()


def _either(condition: Tensor, one: float, other: float, like: Tensor) -> Tensor:
    """Return `one` where the condition holds and `other` elsewhere, in the precision of `like`."""
    return torch.where(condition, like.new_tensor(one), like.new_tensor(other))
