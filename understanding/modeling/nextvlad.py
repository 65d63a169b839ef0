"""NeXtVLAD: rows of features -> one vector, by soft assignment of grouped features to clusters.

Lin, Xiao, Fan: NeXtVLAD: An Efficient Neural Network to Aggregate Frame-level Features for Large-scale Video
Classification, 2018 (arXiv 1811.05014).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from understanding.modeling.rows import norm_rows


class NeXtVLAD(nn.Module):
    """(B, T, N) rows and their mask (B, T) -> (B, expansion * N / groups * clusters)."""

    def __init__(self, features: int, *, clusters: int, groups: int, expansion: int = 2) -> None:
        super().__init__()
        wide = features * expansion
        if wide % groups:
            raise ValueError(f"{features} features x {expansion} do not divide into {groups} groups")
        self.clusters, self.groups, self.width = clusters, groups, wide // groups
        self.out_features = self.width * clusters
        self.expand = nn.Linear(features, wide)
        self.attention = nn.Linear(wide, groups)
        self.assign = nn.Linear(wide, groups * clusters, bias=False)
        self.assign_norm = nn.BatchNorm1d(groups * clusters)
        self.centres = nn.Parameter(torch.empty(self.width, clusters))
        self.vlad_norm = nn.BatchNorm1d(self.out_features)
        nn.init.normal_(self.centres, std=features**-0.5)
        nn.init.normal_(self.assign.weight, std=features**-0.5)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        batch, seconds, _ = rows.shape
        wide = self.expand(rows)  # (B, T, lam N)

        # each group of each row: how much it counts, and which cluster it belongs to
        counts = torch.sigmoid(self.attention(wide)) * mask.unsqueeze(-1)  # (B, T, G)
        belongs = norm_rows(self.assign_norm, self.assign(wide), mask)  # (B, T, G K)
        belongs = belongs.view(batch, seconds, self.groups, self.clusters).softmax(dim=-1)
        weights = (counts.unsqueeze(-1) * belongs).flatten(1, 2)  # (B, T G, K)

        # weighted residuals to the centres: sum w x - c sum w, without ever holding one residual per cluster
        grouped = wide.reshape(batch, seconds * self.groups, self.width)  # (B, T G, lam N / G)
        vlad = grouped.transpose(1, 2) @ weights - self.centres * weights.sum(dim=1, keepdim=True)
        vlad = F.normalize(vlad, dim=1)  # over the features of each cluster
        normed: Tensor = self.vlad_norm(vlad.flatten(1))
        return normed
