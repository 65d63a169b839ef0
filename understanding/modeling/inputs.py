"""What the nets read: every tensor shape of the house, said once.

B clips or shots, T picture rows, S sound rows, L word pieces, C tags; one row a second. Rows of unequal length are
padded with zeros at the end and told apart by masks (True where there is something). No part may let padding change its
answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

PICTURE_DIM = 1280  # EfficientNet-lite0, mean over the picture
SOUND_DIM = 128  # mean and standard deviation of 64 log-mel bands
SENTENCE_DIM = 512  # multilingual universal sentence encoder


@dataclass(frozen=True, slots=True)
class ShotInputs:
    """One shot before batching. A modality that is missing has no rows, no word pieces, or None."""

    picture: NDArray[np.float32]  # (T, Dp)
    sound: NDArray[np.float32]  # (S, Ds)
    tokens: NDArray[np.int64]  # (L,) word pieces of the words, as BERT's tokeniser cuts them
    sentence: NDArray[np.float32] | None = None  # (512,) unit vector of the words
    prior: NDArray[np.float32] | None = None  # (C,) logits of what is believed before the net


@dataclass(frozen=True, slots=True)
class Batch:
    """B shots as tensors on one device."""

    picture: Tensor  # (B, T, Dp) float
    picture_mask: Tensor  # (B, T) bool
    sound: Tensor  # (B, S, Ds) float
    sound_mask: Tensor  # (B, S) bool
    tokens: Tensor  # (B, L) int64
    token_mask: Tensor  # (B, L) bool
    sentence: Tensor  # (B, 512) float, zeros where there are no words
    prior: Tensor | None = None  # (B, C) float logits
    told: Tensor | None = None  # (B, V) 0 or 1, labels that a net may read: privileged information of a teacher

    @classmethod
    def of_rows(cls, picture: Tensor, picture_mask: Tensor, sound: Tensor, sound_mask: Tensor) -> Batch:
        """A batch without words, from padded rows (B, T, D) and their masks (B, T)."""
        size = len(picture)
        return cls(
            picture=picture,
            picture_mask=picture_mask,
            sound=sound,
            sound_mask=sound_mask,
            tokens=picture_mask.new_zeros(size, 0, dtype=torch.int64),
            token_mask=picture_mask.new_zeros(size, 0),
            sentence=picture.new_zeros(()).expand(size, SENTENCE_DIM),  # one zero, however large the batch
        )

    def __len__(self) -> int:
        return self.picture.shape[0]

    def to(self, target: torch.device | torch.dtype | str) -> Batch:
        """Return the batch on another device, or with its float tensors in another precision."""
        moved = {}
        for field in fields(self):
            tensor = getattr(self, field.name)
            fixed = isinstance(target, torch.dtype) and tensor is not None and not tensor.is_floating_point()
            moved[field.name] = tensor if tensor is None or fixed else tensor.to(target)
        return replace(self, **moved)


def without(batch: Batch, modality: str) -> Batch:
    """Return the batch as if no shot had this modality: `picture`, `sound` or `words`."""
    match modality:
        case "picture":
            nothing = torch.zeros_like(batch.picture_mask)
            return replace(batch, picture=torch.zeros_like(batch.picture), picture_mask=nothing)
        case "sound":
            return replace(batch, sound=torch.zeros_like(batch.sound), sound_mask=torch.zeros_like(batch.sound_mask))
        case "words":
            return replace(
                batch, token_mask=torch.zeros_like(batch.token_mask), sentence=torch.zeros_like(batch.sentence)
            )
    raise ValueError(f"there is no modality {modality!r}")


def collate(shots: Sequence[ShotInputs]) -> Batch:
    """Pad a non-empty list of shots to a batch. The prior is taken only where every shot has one."""
    if not shots:
        raise ValueError("collate needs at least one shot")
    picture, picture_mask = pad_rows([shot.picture for shot in shots])
    sound, sound_mask = pad_rows([shot.sound for shot in shots])
    tokens, token_mask = pad_rows([shot.tokens for shot in shots])
    silence = np.zeros(SENTENCE_DIM, np.float32)
    sentence = np.stack([silence if shot.sentence is None else shot.sentence for shot in shots])
    priors = [shot.prior for shot in shots if shot.prior is not None]
    return Batch(
        picture=picture,
        picture_mask=picture_mask,
        sound=sound,
        sound_mask=sound_mask,
        tokens=tokens,
        token_mask=token_mask,
        sentence=torch.from_numpy(sentence.astype(np.float32)),
        prior=torch.from_numpy(np.stack(priors)) if len(priors) == len(shots) else None,
    )


def pad_rows(rows: Sequence[NDArray[np.float32] | NDArray[np.int64] | NDArray[np.uint8]]) -> tuple[Tensor, Tensor]:
    """Return (B, longest, ...) with zeros behind each entry's own rows and the mask (B, longest), one long at least."""
    lengths = np.array([len(entry) for entry in rows])
    longest = max(1, int(lengths.max()))
    padded = np.zeros((len(rows), longest, *rows[0].shape[1:]), rows[0].dtype)
    for slot, entry in zip(padded, rows, strict=True):
        slot[: len(entry)] = entry
    mask = np.arange(longest) < lengths[:, None]
    return torch.from_numpy(padded), torch.from_numpy(mask)
