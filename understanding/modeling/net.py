"""The multimodal net: picture, sound and words -> fused groups -> logits over the tags."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from understanding.modeling.head import Head
from understanding.modeling.inputs import Batch
from understanding.modeling.text import BertBranch, VectorBranch


class Net(nn.Module, ABC):
    """What trains and answers: a batch in, logits (B, C) out."""

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor: ...

    @abstractmethod
    def start_at_zero(self) -> None:
        """Zero the head's last layers: with a prior, the answer is the prior exactly until training moves them."""

    @abstractmethod
    def penalty(self) -> Tensor:
        """What the head asks to be added to the loss, a scalar, times a weight of the caller's."""


class MultimodalNet(Net):
    """Parts in, logits out. `picture` and `sound` are temporal parts: (B, T, N) rows, (B, T) mask -> (B, out_features).

    With a prior in the batch the answer is prior + residual: what is believed already, corrected by what was learned.
    """

    def __init__(
        self,
        *,
        picture: nn.Module,
        sound: nn.Module,
        text: BertBranch | None,
        sentence: VectorBranch | None,
        told: VectorBranch | None = None,
        fusion: nn.Module,
        head: Head,
    ) -> None:
        super().__init__()
        self.picture, self.sound, self.text, self.sentence = picture, sound, text, sentence
        self.told, self.fusion, self.head = told, fusion, head

    def forward(self, batch: Batch) -> Tensor:
        """Return logits (B, C)."""
        residual: Tensor = self.head(self.fusion(self.streams(batch)))
        return residual if batch.prior is None else batch.prior + residual

    def start_at_zero(self) -> None:
        self.head.start_at_zero()

    def penalty(self) -> Tensor:
        return self.head.penalty()

    def streams(self, batch: Batch) -> Tensor:
        """Every modality's vector, side by side: (B, sum of the parts' out_features)."""
        parts = [self.picture(batch.picture, batch.picture_mask), self.sound(batch.sound, batch.sound_mask)]
        if self.text is not None:
            parts.append(self.text(batch.tokens, batch.token_mask))
        if self.sentence is not None:
            parts.append(self.sentence(batch.sentence))
        if self.told is not None:
            if batch.told is None:
                raise ValueError("this net reads labels that it is told, and the batch has none")
            parts.append(self.told(batch.told))
        return torch.cat(parts, dim=1)
