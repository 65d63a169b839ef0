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
        vlad = self._row_sums_first(rows, mask) if self._many(rows) else self._expanded_rows(rows, mask)
        vlad = F.normalize(vlad, dim=1)  # over the features of each cluster
        normed: Tensor = self.vlad_norm(vlad.flatten(1))
        return normed

    def _expanded_rows(self, rows: Tensor, mask: Tensor) -> Tensor:
        """Sum w (x~ - c) as the paper says it, (B, lam N / G, K), without ever holding one residual per cluster."""
        wide = self.expand(rows)  # (B, T, lam N)
        weights = self._weights(self.attention(wide), self.assign(wide), mask).flatten(1, 2)  # (B, T G, K)
        grouped = wide.reshape(len(rows), weights.shape[1], self.width)  # (B, T G, lam N / G)
        vlad: Tensor = grouped.transpose(1, 2) @ weights - self.centres * weights.sum(dim=1, keepdim=True)
        return vlad

    def _row_sums_first(self, rows: Tensor, mask: Tensor) -> Tensor:
        """The same sums in another order: no row is expanded, which spares a third of the work on many rows.

        All that is done to x~ = W x + b before the softmax and after it is linear: its matrices are multiplied once
        with W, and sum w (W x + b) = W sum w x + b sum w.
        """
        expand, bias = self.expand.weight, self.expand.bias  # W (lam N, N), b
        scores = F.linear(rows, self.attention.weight @ expand, self.attention(bias))
        belongs = F.linear(rows, self.assign.weight @ expand, self.assign(bias))
        weights = self._weights(scores, belongs, mask).permute(0, 3, 2, 1)  # (B, K, G, T)
        sums = weights.flatten(1, 2) @ rows  # (B, K G, N)
        grouped = expand.view(self.groups, self.width, -1).transpose(1, 2).flatten(0, 1)  # (G N, lam N / G)
        counts = weights.sum(dim=-1)  # (B, K, G)
        vlad = sums.view(*counts.shape[:2], -1) @ grouped + counts @ bias.view(self.groups, self.width)
        return vlad.transpose(1, 2) - self.centres * counts.sum(dim=2).unsqueeze(1)

    def _weights(self, scores: Tensor, belongs: Tensor, mask: Tensor) -> Tensor:
        """How much each group of each row counts for each cluster, (B, T, G, K), from (B, T, G) and (B, T, G K)."""
        counts = torch.sigmoid(scores) * mask.unsqueeze(-1)
        normed = norm_rows(self.assign_norm, belongs, mask)
        return normed.view(*counts.shape, self.clusters).softmax(dim=-1) * counts.unsqueeze(-1)

    def _many(self, rows: Tensor) -> bool:
        """Whether there are enough rows for `_row_sums_first` to be clearly less work than `_expanded_rows`."""
        batch, seconds, features = rows.shape
        wide, assigned = self.groups * self.width, self.groups * self.clusters
        expanded = batch * seconds * wide * (features + assigned + self.clusters)
        summed = features * (assigned * wide + 2 * batch * seconds * assigned + batch * wide * self.clusters)
        return bool(summed < 0.8 * expanded)  # it moves more memory
