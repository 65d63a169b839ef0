"""Augmentation of features: Gaussian noise, and whole modalities taken away.

Every draw comes from a given generator, so that a run can be repeated; one on the CPU gives the same numbers for a net
on any device.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from understanding.modeling.inputs import Batch


def add_noise(
    features: Tensor,
    share: float,
    generator: torch.Generator,
    *,
    spread: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Return features (..., D) with Gaussian noise of `share` times the `spread` of each dimension.

    `spread` (D,) is the standard deviation over the training set; without it, over the rows at hand. Rows where `mask`
    (...) is False are padding: they count for nothing and stay as they are.
    """
    if spread is None:
        rows = features[mask] if mask is not None else features.flatten(0, -2)
        spread = rows.std(dim=0, correction=0) if len(rows) else features.new_zeros(features.shape[-1])
    noise = torch.randn(features.shape, generator=generator, device=generator.device, dtype=torch.float32)
    step = noise.to(features).mul_(share * spread.to(features))  # in place: rows a second are a hundred megabytes
    return features + (step if mask is None else step.mul_(mask.unsqueeze(-1)))


def keep_modalities(present: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Draw which modalities stay, (B, M) bool, among those that are `present` (B, M).

    Each goes by `chance` on its own; a row that would lose all it has keeps one of them, each with equal chance.
    """
    if not 0 <= chance <= 1:
        raise ValueError(f"a chance lies in 0..1, not {chance}")
    draws = torch.rand((2, *present.shape), generator=generator, device=generator.device).to(present.device)
    keep = present & (draws[0] >= chance)
    spared = torch.where(present, draws[1], -1.0).argmax(dim=1)
    bare = ~keep.any(dim=1) & present.any(dim=1)
    keep[bare, spared[bare]] = True
    return keep


def mask_rows(streams: tuple[Tensor, ...], chance: float, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Set whole rows of each stream (B, D_m) to 0: one row a video, as at video level."""
    present = torch.stack([stream.any(dim=1) for stream in streams], dim=1)
    keep = keep_modalities(present, chance, generator)
    return tuple(stream * keep[:, m : m + 1] for m, stream in enumerate(streams))


def mask_modalities(batch: Batch, chance: float, generator: torch.Generator) -> Batch:
    """Take picture, sound or words away from shots of a batch, as if they had never had them."""
    said = batch.sentence.any(dim=1) | batch.token_mask.any(dim=1)
    present = torch.stack([batch.picture_mask.any(dim=1), batch.sound_mask.any(dim=1), said], dim=1)
    picture, sound, words = keep_modalities(present, chance, generator).unsqueeze(-1).unbind(dim=1)
    return replace(
        batch,
        picture=batch.picture * picture.unsqueeze(-1),
        picture_mask=batch.picture_mask & picture,
        sound=batch.sound * sound.unsqueeze(-1),
        sound_mask=batch.sound_mask & sound,
        tokens=batch.tokens * words,
        token_mask=batch.token_mask & words,
        sentence=batch.sentence * words,
    )
