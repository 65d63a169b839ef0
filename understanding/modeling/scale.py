"""Rows on one scale: what was learned of their mean and spread goes with the weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LEAST_SPREAD = 1e-3  # of a feature that hardly ever changes


class Standardised(nn.Module):
    """(B, T, N) rows and their mask (B, T) -> what `part` makes of them after (rows - mean) / spread.

    Mean 0 and spread 1 until `learn` has seen rows. For features that were not trained with the net: a few dozen
    examples cannot teach a first layer their scale.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, part: nn.Module, features: int) -> None:
        super().__init__()
        self.part = part
        self.out_features: int = part.out_features  # type: ignore[assignment]  # torch types attributes of modules as tensor or module
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        scaled = (rows - self.mean) / self.spread * mask.unsqueeze(-1)
        answer: Tensor = self.part(scaled, mask)
        return answer

    def learn(self, rows: Tensor) -> None:
        """Take the scale from rows (R, N); nothing changes where there are fewer than two."""
        if len(rows) > 1:
            self.mean.copy_(rows.mean(dim=0))
            self.spread.copy_(rows.std(dim=0).clamp(min=LEAST_SPREAD))
