"""The words of a shot (title, burnt-in text, speech) -> one vector, by BERT or by a sentence vector made outside.

Devlin et al., BERT, 2019 (arXiv 1810.04805), pooled as in Reimers & Gurevych, Sentence-BERT, 2019 (arXiv 1908.10084).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

REMEMBERED = 4096  # texts, 1.5 kB each


class BertBranch(nn.Module):
    """(B, L) word pieces and their mask (B, L) -> (B, out), zeros where there are no words.

    `bert` is a transformers BertModel. Frozen (the default), it stays in eval mode and its weights are not the net's
    own: see `frozen_prefixes`.
    """

    def __init__(self, bert: Any, out: int, *, frozen: bool = True) -> None:
        super().__init__()
        self.bert, self.frozen, self.out_features = bert, frozen, out
        self.project = nn.Linear(bert.config.hidden_size, out)
        self._read: OrderedDict[bytes, Tensor] = OrderedDict()  # pooled states of the words read last, while frozen
        if frozen:
            bert.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> BertBranch:
        super().train(mode)
        if self.frozen:
            self.bert.eval()
        return self

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        spoken = mask.any(dim=1)  # (B,)
        pooled = self.project.weight.new_zeros(len(tokens), self.project.in_features)
        if spoken.any():
            pooled = pooled.index_put((spoken,), self._pool(tokens[spoken], mask[spoken]).to(pooled.dtype))
        projected: Tensor = F.relu(self.project(pooled)) * spoken.unsqueeze(1)
        return projected

    def forget(self) -> None:
        """Forget the words that a frozen BERT has read."""
        self._read.clear()

    def _pool(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Mean of the word pieces' states, unit length: (B, L) -> (B, hidden). Shots of one clip mostly share their
        words, so equal rows are read once; while BERT is frozen, not again in the next epoch either."""
        rows, first, again = np.unique((tokens * mask).cpu().numpy(), axis=0, return_index=True, return_inverse=True)
        if not self.frozen:
            return self._states(tokens[first], mask[first])[again.reshape(-1)]
        names = [np.trim_zeros(row, "b").tobytes() for row in rows]
        new = [place for place, name in enumerate(names) if name not in self._read]
        if new:
            with torch.no_grad():
                pooled = self._states(tokens[first[new]], mask[first[new]])
            self._read.update(zip((names[place] for place in new), pooled.detach(), strict=True))
        known = torch.stack([self._read[name].to(tokens.device) for name in names])
        while len(self._read) > REMEMBERED:
            self._read.popitem(last=False)
        return known[again.reshape(-1)]

    def _states(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Read every row: (B, L) -> (B, hidden)."""
        states = self.bert(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
        share = mask / mask.sum(dim=1, keepdim=True)
        return F.normalize((states * share.unsqueeze(-1)).sum(dim=1), dim=1)


class VectorBranch(nn.Module):
    """(B, D) one vector a shot, zeros where there is none -> (B, out), zeros there too: sentences, or labels told."""

    def __init__(self, features: int, out: int) -> None:
        super().__init__()
        self.out_features = out
        self.project = nn.Linear(features, out)

    def forward(self, vectors: Tensor) -> Tensor:
        present = vectors.ne(0).any(dim=1, keepdim=True)
        projected: Tensor = F.relu(self.project(vectors)) * present
        return projected


def frozen_prefixes(net: nn.Module) -> Iterator[str]:
    """Names in a state dict that belong to a frozen BERT, which is loaded from its own files and never saved again."""
    for name, module in net.named_modules():
        if isinstance(module, BertBranch) and module.frozen:
            yield f"{name}.bert." if name else "bert."
