"""The multimodal net: picture, sound and words -> fused groups -> logits over the tags."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from understanding.modeling.gcn import Head
from understanding.modeling.inputs import Batch
from understanding.modeling.text import BertBranch, SentenceBranch


class MultimodalNet(nn.Module):
    """Parts in, logits out. `picture` and `sound` are temporal parts: (B, T, N) rows, (B, T) mask -> (B, out_features).

    With a prior in the batch the answer is prior + residual: what is believed already, corrected by what was learned.
    """

    def __init__(
        self,
        *,
        picture: nn.Module,
        sound: nn.Module,
        text: BertBranch | None,
        sentence: SentenceBranch | None,
        fusion: nn.Module,
        head: Head,
    ) -> None:
        super().__init__()
        self.picture, self.sound, self.text, self.sentence = picture, sound, text, sentence
        self.fusion, self.head = fusion, head

    def forward(self, batch: Batch) -> Tensor:
        """Return logits (B, C)."""
        residual: Tensor = self.head(self.fusion(self.streams(batch)))
        return residual if batch.prior is None else batch.prior + residual

    def start_at_zero(self) -> None:
        """Zero the head's last layers: with a prior, the answer is the prior exactly until training moves them."""
        self.head.start_at_zero()

    def streams(self, batch: Batch) -> Tensor:
        """Every modality's vector, side by side: (B, sum of the parts' out_features)."""
        parts = [self.picture(batch.picture, batch.picture_mask), self.sound(batch.sound, batch.sound_mask)]
        if self.text is not None:
            parts.append(self.text(batch.tokens, batch.token_mask))
        if self.sentence is not None:
            parts.append(self.sentence(batch.sentence))
        return torch.cat(parts, dim=1)
