"""A small 3D CNN over the frames themselves -> one vector: a slow pathway looks closely, a fast one looks often.

Feichtenhofer et al., SlowFast Networks, ICCV 2019 (arXiv 1812.03982); each 3D convolution factorised into space and
time as in R(2+1)D: Tran et al., CVPR 2018 (arXiv 1711.11248).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from understanding.modeling.rows import mean_rows, norm_rows


class SpaceTimeBlock(nn.Module):
    """(B, T, C, H, W) frames and their mask (B, T) -> (B, T, D, H/2, W/2): 3x3 in space, then 3 in time."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.space = nn.Conv2d(channels, out, 3, stride=2, padding=1, bias=False)
        self.space_norm = nn.BatchNorm2d(out)
        self.time = nn.Conv3d(out, out, (3, 1, 1), padding=(1, 0, 0), bias=False)
        self.time_norm = nn.BatchNorm2d(out)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        seen = self.space(frames.flatten(0, 1))
        seen = seen.view(*frames.shape[:2], *seen.shape[1:])
        seen = F.relu(norm_rows(self.space_norm, seen, mask))
        real = torch.where(mask[:, :, None, None, None], seen, 0)  # beyond the end lie zeros
        moved = self.time(real.transpose(1, 2)).transpose(1, 2)
        return F.relu(norm_rows(self.time_norm, moved, mask))


class FrameCNN3D(nn.Module):
    """(B, T, 3, H, W) frames and their mask (B, T), real frames first -> (B, out); zeros where there is no frame.

    The slow pathway sees every `stride`-th frame through `slow` channels; the fast one sees every frame through `fast`
    channels, a few, and hands the slow one what it saw after each block.
    """

    def __init__(
        self, out: int, *, slow: Sequence[int] = (16, 32, 64), fast: Sequence[int] = (4, 8, 16), stride: int = 4
    ) -> None:
        super().__init__()
        self.out_features, self.stride = out, stride
        heard = (0, *fast[:-1])  # channels that each slow block gets from the fast pathway
        came = (3, *slow[:-1])
        self.slow = nn.ModuleList(SpaceTimeBlock(a + b, c) for a, b, c in zip(came, heard, slow, strict=True))
        self.fast = nn.ModuleList(SpaceTimeBlock(a, b) for a, b in zip((3, *fast[:-1]), fast, strict=True))
        self.project = nn.Linear(slow[-1] + fast[-1], out)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        few, few_mask = frames[:, :: self.stride], mask[:, :: self.stride]
        slow, fast = few, frames
        for depth, (look, glance) in enumerate(zip(self.slow, self.fast, strict=True)):
            lateral = [fast[:, :: self.stride]] if depth else []
            slow, fast = look(torch.cat([slow, *lateral], dim=2), few_mask), glance(fast, mask)
        pooled = torch.cat([_pool(slow, few_mask), _pool(fast, mask)], dim=1)
        projected: Tensor = self.project(pooled) * mask.any(dim=1, keepdim=True)
        return projected


def _pool(seen: Tensor, mask: Tensor) -> Tensor:
    """(B, T, C, H, W) -> (B, C): mean over the picture and over the real frames."""
    return mean_rows(seen.mean(dim=(3, 4)), mask)
