"""Attention over label vectors: each label asks the fused groups what they know of it.

A light form of ML-Decoder: Ridnik et al., 2021 (arXiv 2111.12933): queries from text, not trained themselves; one round
of cross-attention; a classifier of its own for each label.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from understanding.modeling.head import Head


class LabelAttentionHead(Head):
    """Fused (B, groups * H), read as groups of H -> logits (B, C).

    `label_vectors` (C, V) are the text vectors of the labels. With q, k, v of `hidden` features in `heads` parts:
    a = softmax over groups of q_c k_bg / sqrt(hidden / heads), logit_bc = sum over parts and groups of a (v_bg w_c).
    """

    label_vectors: Tensor

    def __init__(self, features: int, *, groups: int, label_vectors: Tensor, hidden: int, heads: int = 4) -> None:
        super().__init__()
        if features % groups or hidden % heads:
            raise ValueError(
                f"{features} features in {groups} groups, {hidden} hidden in {heads} parts: no whole parts"
            )
        classes, width = label_vectors.shape
        self.groups, self.heads, self.part = groups, heads, hidden // heads
        self.register_buffer("label_vectors", label_vectors)
        self.query = nn.Linear(width, hidden, bias=False)
        self.key = nn.Linear(features // groups, hidden, bias=False)
        self.value = nn.Linear(features // groups, hidden)
        self.weight = nn.Parameter(torch.empty(classes, hidden))
        self.bias = nn.Parameter(torch.zeros(classes))
        nn.init.normal_(self.weight, std=hidden**-0.5)

    def forward(self, fused: Tensor) -> Tensor:
        groups = fused.view(len(fused) * self.groups, -1)  # (B G, H): one product a part for the whole batch
        asked = self._parts(self.query(self.label_vectors))  # (parts, C, d)
        keys, values = self._parts(self.key(groups)), self._parts(self.value(groups))  # (parts, B G, d)
        attention = self._by_video(keys @ asked.transpose(1, 2) * self.part**-0.5).softmax(dim=2)  # (parts, B, G, C)
        answers = self._by_video(values @ self._parts(self.weight).transpose(1, 2))  # no vector for each label is held
        logits: Tensor = (attention * answers).sum(dim=(0, 2)) + self.bias
        return logits

    def start_at_zero(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def _parts(self, vectors: Tensor) -> Tensor:
        """(n, hidden) -> (parts, n, d)."""
        return vectors.view(len(vectors), self.heads, self.part).transpose(0, 1)

    def _by_video(self, scores: Tensor) -> Tensor:
        """(parts, B G, C) -> (parts, B, G, C)."""
        return scores.view(self.heads, -1, self.groups, scores.shape[-1])
