"""Convolutions over time: rows of frame features in order -> one vector. A named baseline, a drop-in for NeXtVLAD.

Parallel widths after Kim, Convolutional Neural Networks for Sentence Classification, 2014 (arXiv 1408.5882); dilation
and residual blocks after Bai, Kolter, Koltun, 2018 (arXiv 1803.01271), looking both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from understanding.modeling.rows import max_rows, mean_rows, norm_rows

VIEWS: Final = ((3, 1), (5, 1), (3, 4))  # (rows that one look takes, step between them)


class TemporalBlock(nn.Module):
    """(B, T, H) rows and their mask -> (B, T, H): several widths and dilations at once, added to what came in."""

    def __init__(self, features: int, views: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        if any(width % 2 == 0 for width, _ in views):
            raise ValueError(f"widths must be odd to look both ways alike, not {[width for width, _ in views]}")
        self.looks = nn.ModuleList(
            nn.Conv1d(features, features, width, dilation=step, padding=width // 2 * step, bias=False)
            for width, step in views
        )
        self.norm = nn.BatchNorm1d(features)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        real = torch.where(mask.unsqueeze(-1), rows, 0).transpose(1, 2)  # (B, H, T): beyond the end lie zeros
        seen = torch.stack([look(real) for look in self.looks]).sum(dim=0).transpose(1, 2)
        return rows + F.relu(norm_rows(self.norm, seen, mask))


class TemporalCNN(nn.Module):
    """(B, T, N) rows and their mask (B, T), real rows first -> (B, 2 hidden): the largest and the mean answer.

    Zeros where there is no row.
    """

    def __init__(
        self, features: int, *, hidden: int, blocks: int = 2, views: Sequence[tuple[int, int]] = VIEWS
    ) -> None:
        super().__init__()
        self.out_features = 2 * hidden
        self.narrow = nn.Linear(features, hidden)
        self.blocks = nn.ModuleList(TemporalBlock(hidden, views) for _ in range(blocks))

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        states = self.narrow(rows)  # (B, T, H)
        for block in self.blocks:
            states = block(states, mask)
        return torch.cat([max_rows(states, mask), mean_rows(states, mask)], dim=1)
