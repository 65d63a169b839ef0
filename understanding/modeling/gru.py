"""GRU with attention: rows of features in order -> one vector. The named baseline, a drop-in for NeXtVLAD.

Cho et al., 2014 (arXiv 1406.1078) for the unit; pooling after Yang et al., Hierarchical Attention Networks, NAACL 2016.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class AttentiveGRU(nn.Module):
    """(B, T, N) rows and their mask (B, T), real rows first -> (B, 2 hidden); zeros where there is no row."""

    def __init__(self, features: int, *, hidden: int, layers: int = 1) -> None:
        super().__init__()
        self.out_features = 2 * hidden
        self.gru = nn.GRU(features, hidden, num_layers=layers, batch_first=True, bidirectional=True)
        self.score = nn.Sequential(nn.Linear(self.out_features, hidden), nn.Tanh(), nn.Linear(hidden, 1, bias=False))

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum(dim=1).clamp(min=1).cpu()  # packing wants one row at least; its weight is zero below
        packed = pack_padded_sequence(rows, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=rows.shape[1])
        scores = self.score(states).squeeze(-1).masked_fill(~mask, torch.finfo(states.dtype).min)  # (B, T)
        weights = scores.softmax(dim=1) * mask
        pooled: Tensor = (weights.unsqueeze(1) @ states).squeeze(1)
        return pooled
