"""Classifiers grown over the label graph: fused features (B, D) -> logits (B, C).

Chen, Wei, Wang, Guo: Multi-Label Image Recognition with Graph Convolutional Networks, CVPR 2019 (ML-GCN).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from understanding.modeling.head import Head, LinearHead


class GraphHead(Head):
    """ML-GCN, pure: W = A LeakyReLU_0.2(A E W1) W2, logits = x W^T. The graph and the label vectors are not trained.

    `label_vectors` E is (C, V), e.g. text vectors of the tags' names; `adjacency` A is (C, C), normalised.
    """

    label_vectors: Tensor
    adjacency: Tensor

    def __init__(self, features: int, *, label_vectors: Tensor, adjacency: Tensor, hidden: int) -> None:
        super().__init__()
        classes, width = label_vectors.shape
        if adjacency.shape != (classes, classes):
            raise ValueError(f"the graph is {tuple(adjacency.shape)}, the label vectors name {classes} tags")
        self.register_buffer("label_vectors", label_vectors)
        self.register_buffer("adjacency", adjacency)
        self.first = nn.Linear(width, hidden, bias=False)
        self.second = nn.Linear(hidden, features, bias=False)

    def classifiers(self) -> Tensor:
        """One classifier a tag, (C, D)."""
        grown = F.leaky_relu(self.adjacency @ self.first(self.label_vectors), 0.2)  # (C, hidden)
        return torch.as_tensor(self.adjacency @ self.second(grown))

    def forward(self, fused: Tensor) -> Tensor:
        return fused @ self.classifiers().T

    def start_at_zero(self) -> None:
        nn.init.zeros_(self.second.weight)


class ResidualGraphHead(Head):
    """The logistic layer plus what the label graph adds to it."""

    def __init__(self, features: int, *, label_vectors: Tensor, adjacency: Tensor, hidden: int) -> None:
        super().__init__()
        self.linear = LinearHead(features, len(label_vectors))
        self.graph = GraphHead(features, label_vectors=label_vectors, adjacency=adjacency, hidden=hidden)

    def forward(self, fused: Tensor) -> Tensor:
        logits: Tensor = self.linear(fused) + self.graph(fused)
        return logits

    def start_at_zero(self) -> None:
        self.linear.start_at_zero()
        self.graph.start_at_zero()
