"""The label graph on the outputs: each label's logit hears those of its neighbours.

One step of propagation over the normalised adjacency (Kipf & Welling, ICLR 2017, arXiv 1609.02907), with the graph of
Chen et al., Multi-Label Image Recognition with Graph Convolutional Networks, CVPR 2019.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from understanding.modeling.head import Head, LinearHead


class OutputGraphHead(Head):
    """logits = z + scale * (A z), z of the logistic layer; `adjacency` A is (C, C), not trained; one scale a label.

    The scales begin at zero: this is the logistic layer until the graph is worth something.
    """

    adjacency: Tensor

    def __init__(self, features: int, *, adjacency: Tensor) -> None:
        super().__init__()
        self.linear = LinearHead(features, len(adjacency))
        self.scale = nn.Parameter(torch.zeros(len(adjacency)))
        self.register_buffer("adjacency", adjacency)

    def forward(self, fused: Tensor) -> Tensor:
        logits: Tensor = self.linear(fused)
        return logits + self.scale * (logits @ self.adjacency.T)

    def start_at_zero(self) -> None:
        self.linear.start_at_zero()
        nn.init.zeros_(self.scale)
