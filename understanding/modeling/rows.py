"""Rows of unequal length side by side: means and norms that padding never enters."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def mean_rows(rows: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real rows: (B, T, F) and (B, T) -> (B, F), zeros where there is none."""
    share = (mask / mask.sum(dim=1, keepdim=True).clamp(min=1)).to(rows.dtype)  # (B, T)
    if rows.shape[1] == 1:
        return rows[:, 0] * share
    return (share.unsqueeze(1) @ rows).squeeze(1)  # reads the rows once and copies none


def max_rows(rows: Tensor, mask: Tensor) -> Tensor:
    """Largest value of each feature over the real rows: (B, T, F) and (B, T) -> (B, F), zeros where there is none."""
    lowest = torch.finfo(rows.dtype).min
    largest = rows.masked_fill(~mask.unsqueeze(-1), lowest).amax(dim=1)
    return largest.masked_fill(~mask.any(dim=1, keepdim=True), 0)


def norm_rows(norm: nn.BatchNorm1d | nn.BatchNorm2d, rows: Tensor, mask: Tensor) -> Tensor:
    """Batch norm over the real rows of (B, T, F, ...): padding neither counts in the statistics nor shifts them."""
    if not norm.training:
        return _by_running_statistics(norm, rows)
    real = rows[mask]  # (R, F, ...)
    if len(real) < 2:  # one row has no variance
        return _by_running_statistics(norm, rows)
    normed = torch.zeros_like(rows)
    normed[mask] = norm(real).to(rows.dtype)
    return normed


def _by_running_statistics(norm: nn.BatchNorm1d | nn.BatchNorm2d, rows: Tensor) -> Tensor:
    flat = F.batch_norm(
        rows.flatten(0, 1), norm.running_mean, norm.running_var, norm.weight, norm.bias, training=False, eps=norm.eps
    )
    return flat.view_as(rows)
