"""Joining the modalities: several hidden views of the concatenated streams, each gated by what it has seen.

Squeeze-and-excitation: Hu, Shen, Sun, 2018 (arXiv 1709.01507), as the context gate of NeXtVLAD (arXiv 1811.05014). With
one group this is exactly NeXtVLAD's hidden layer; further groups keep views that one squeezed vector would lose.
"""

from __future__ import annotations

from math import gcd

import torch
from torch import Tensor, nn


class SEGate(nn.Module):
    """(B, H) -> (B, H): each feature is scaled by a sigmoid of a narrow look at all of them."""

    def __init__(self, features: int, reduction: int) -> None:
        super().__init__()
        if features % reduction:
            raise ValueError(f"{features} features do not divide by the reduction {reduction}")
        self.squeeze = nn.Linear(features, features // reduction, bias=False)
        self.norm = nn.BatchNorm1d(features // reduction)
        self.excite = nn.Linear(features // reduction, features, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        gate = torch.sigmoid(self.excite(torch.relu(self.norm(self.squeeze(hidden)))))
        return hidden * gate


class SEGroup(nn.Module):
    """(B, N) -> (B, H): a hidden view without bias or ReLU, batch norm, context gate."""

    def __init__(self, features: int, hidden: int, reduction: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, hidden, bias=False)
        self.norm = nn.BatchNorm1d(hidden)
        self.gate = SEGate(hidden, reduction)

    def forward(self, streams: Tensor) -> Tensor:
        gated: Tensor = self.gate(self.norm(self.hidden(streams)))
        return gated


class GroupedFusion(nn.Module):
    """(B, N) concatenated streams -> (B, groups * hidden), with a ReLU and a second dropout where it is `rectified`.

    Without the ReLU the path from features to logits is linear but for the gate. With `skip` the streams themselves
    stand behind the groups, (B, groups * hidden + N): a wide part beside the deep one, which remembers what few
    examples show (Cheng et al., Wide & Deep Learning, 2016, arXiv 1606.07792), in whole parts of `part` features.
    """

    def __init__(
        self,
        features: int,
        *,
        hidden: int,
        reduction: int,
        groups: int = 1,
        dropout: float = 0.5,
        rectified: bool = False,
        late_dropout: float = 0.0,
        skip: bool = False,
    ) -> None:
        super().__init__()
        self.after = nn.Sequential(nn.ReLU(), nn.Dropout(late_dropout)) if rectified else nn.Identity()
        self.skip = skip
        self.out_features = groups * hidden + (features if skip else 0)
        self.part = gcd(hidden, features) if skip else hidden
        self.dropout = nn.Dropout(dropout)
        self.groups = nn.ModuleList(SEGroup(features, hidden, reduction) for _ in range(groups))

    def forward(self, streams: Tensor) -> Tensor:
        dropped = self.dropout(streams)
        fused: Tensor = self.after(torch.cat([group(dropped) for group in self.groups], dim=1))
        return torch.cat([fused, dropped], dim=1) if self.skip else fused
