"""Several nets as one: their logits are mixed, with weights read off the mean of the inputs.

Lin, Xiao, Fan: NeXtVLAD, 2018 (arXiv 1811.05014), section 3.4; the mixer is batch norm, linear, softmax as in the
authors' code, which takes the mean over padding too, where this one takes it over the real rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from understanding.modeling.inputs import Batch
from understanding.modeling.net import MultimodalNet, Net
from understanding.modeling.rows import mean_rows


class Mixer(nn.Module):
    """(B, N) mean inputs -> (B, M) weights of M branches, each row summing to one."""

    def __init__(self, features: int, branches: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(features)
        self.weigh = nn.Linear(features, branches)

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.softmax(self.weigh(self.norm(inputs)), dim=1)


class MixedNet(Net):
    """M branches and their mixer. For training with distillation:

    branches = net.branch_logits(batch)
    logits = net.mix(branches, batch)
    loss(logits) + 9 * distillation(logits, branches)
    """

    def __init__(self, branches: Sequence[MultimodalNet], mixer: Mixer) -> None:
        super().__init__()
        self.branches, self.mixer = nn.ModuleList(branches), mixer

    def forward(self, batch: Batch) -> Tensor:
        """Return logits (B, C)."""
        return self.mix(self.branch_logits(batch), batch)

    def branch_logits(self, batch: Batch) -> Tensor:
        """What each branch says by itself: (B, M, C)."""
        return torch.stack([branch(batch) for branch in self.branches], dim=1)

    def mix(self, branches: Tensor, batch: Batch) -> Tensor:
        """(B, M, C) logits of the branches -> (B, C)."""
        weights: Tensor = self.mixer(self._inputs(batch))
        return (weights.unsqueeze(1) @ branches).squeeze(1)

    def start_at_zero(self) -> None:
        for net in self._nets():
            net.start_at_zero()

    def penalty(self) -> Tensor:
        return torch.stack([net.penalty() for net in self._nets()]).sum()

    def _nets(self) -> list[MultimodalNet]:
        return [net for net in self.branches if isinstance(net, MultimodalNet)]

    def _inputs(self, batch: Batch) -> Tensor:
        """Every modality's mean side by side: (B, Dp + Ds), and the sentence where the branches read words."""
        means = [mean_rows(batch.picture, batch.picture_mask), mean_rows(batch.sound, batch.sound_mask)]
        if self._nets()[0].sentence is not None:
            means.append(batch.sentence)
        return torch.cat(means, dim=1)


def distillation(mixed: Tensor, branches: Tensor, temperature: float = 3.0) -> Tensor:
    """KL(softmax(mixed / T) || softmax(branch / T)), summed over the branches, mean over the batch: a scalar.

    `mixed` (B, C) and `branches` (B, M, C) are logits. The paper adds it times 9, with T = 3.
    """
    teacher = F.log_softmax(mixed / temperature, dim=-1).unsqueeze(1)  # (B, 1, C)
    students = F.log_softmax(branches / temperature, dim=-1)
    return (teacher.exp() * (teacher - students)).sum(dim=(1, 2)).mean()
