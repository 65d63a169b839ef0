"""The logistic layer held together by the label graph: labels that occur together are asked for similar classifiers.

Graph Laplacian regularisation: Belkin, Niyogi, Sindhwani, Manifold Regularization, JMLR 2006.
"""

from __future__ import annotations

import torch
from torch import Tensor

from understanding.modeling.head import LinearHead


class RegularisedHead(LinearHead):
    """A logistic layer whose `penalty` is tr(W' L W) = 1/2 sum over pairs S_ij |w_i - w_j|^2.

    S is the `adjacency` (C, C) made symmetric, without its diagonal; L = diag(row sums) - S. Inference costs nothing.
    """

    laplacian: Tensor

    def __init__(self, features: int, *, adjacency: Tensor) -> None:
        super().__init__(features, len(adjacency))
        between = (adjacency + adjacency.T) / 2
        between = between - torch.diag(between.diagonal())
        self.register_buffer("laplacian", torch.diag(between.sum(dim=1)) - between)

    def penalty(self) -> Tensor:
        weight = self.logistic.weight  # (C, D)
        return (weight * (self.laplacian @ weight)).sum()
