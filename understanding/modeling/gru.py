"""GRU with attention: rows of features in order -> one vector. The named baseline, a drop-in for NeXtVLAD.

Cho et al., 2014 (arXiv 1406.1078) for the unit; pooling after Yang et al., Hierarchical Attention Networks, NAACL 2016.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AttentiveGRU(nn.Module):
    """(B, T, N) rows and their mask (B, T), real rows first -> (B, 2 hidden); zeros where there is no row.

    One GRU reads forward, one backward from each clip's own last row. Turning the rows costs far less than packing
    them: the gradient of packed rows takes time with the square of their number.
    """

    def __init__(self, features: int, *, hidden: int) -> None:
        super().__init__()
        self.out_features = 2 * hidden
        self.ahead = nn.GRU(features, hidden, batch_first=True)
        self.back = nn.GRU(features, hidden, batch_first=True)
        self.score = nn.Sequential(nn.Linear(self.out_features, hidden), nn.Tanh(), nn.Linear(hidden, 1, bias=False))

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        turn = _turned(mask)
        ahead, back = self.ahead(rows)[0], self.back(_taken(rows, turn))[0]
        states = torch.cat([ahead, _taken(back, turn)], dim=2)  # (B, T, 2 hidden); behind the real rows: no matter
        scores = self.score(states).squeeze(-1).masked_fill(~mask, torch.finfo(states.dtype).min)  # (B, T)
        weights = scores.softmax(dim=1) * mask
        pooled: Tensor = (weights.unsqueeze(1) @ states).squeeze(1)
        return pooled


def _turned(mask: Tensor) -> Tensor:
    """Where each row goes when the real ones stand in reverse, (B, T): 2 1 0 3 4 for three of five. Its own inverse."""
    places = torch.arange(mask.shape[1], device=mask.device)
    return torch.where(mask, mask.sum(dim=1, keepdim=True) - 1 - places, places)


def _taken(rows: Tensor, places: Tensor) -> Tensor:
    return rows.gather(1, places.unsqueeze(-1).expand(-1, -1, rows.shape[2]))
