"""Noise that keeps to its size and its rows, and modalities that go one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from understanding.learning import augment
from understanding.modeling.inputs import SENTENCE_DIM, ShotInputs, collate


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_noise_is_relative_to_the_spread_of_each_dimension() -> None:
    features = torch.randn(4000, 3, generator=generator(1)) * torch.tensor([1.0, 10.0, 0.0])
    noise = augment.add_noise(features, 0.1, generator()) - features
    torch.testing.assert_close(noise.std(dim=0), torch.tensor([0.1, 1.0, 0.0]), rtol=0.05, atol=1e-6)
    given = augment.add_noise(features, 0.5, generator(), spread=torch.tensor([2.0, 2.0, 2.0])) - features
    torch.testing.assert_close(given.std(dim=0), torch.ones(3), rtol=0.05, atol=0)


def test_noise_is_repeated_by_its_seed_and_leaves_padding_alone() -> None:
    features = torch.ones(2, 5, 4)
    features[:, :, 1] = torch.arange(5.0)
    mask = torch.tensor([[True, True, True, False, False], [True, False, False, False, False]])
    noisy = augment.add_noise(features, 0.3, generator(), mask=mask)
    torch.testing.assert_close(noisy, augment.add_noise(features, 0.3, generator(), mask=mask), rtol=0, atol=0)
    assert (noisy[~mask] == features[~mask]).all()
    assert (noisy[mask][:, 1] != features[mask][:, 1]).all()
    assert (augment.add_noise(features, 0.3, generator(1), mask=mask) != noisy).any()
    assert augment.add_noise(features.half(), 0.3, generator()).dtype == torch.float16
    assert torch.isfinite(augment.add_noise(features, 0.3, generator(), mask=torch.zeros_like(mask))).all()


def test_each_modality_goes_by_its_chance_and_never_all() -> None:
    present = torch.ones(20_000, 2, dtype=torch.bool)
    keep = augment.keep_modalities(present, 0.2, generator())
    assert keep.any(dim=1).all()
    # gone by its own draw and not spared: 0.2 - 0.04 / 2
    torch.testing.assert_close((~keep).float().mean(dim=0), torch.full((2,), 0.18), rtol=0.05, atol=0)
    assert augment.keep_modalities(present, 0.0, generator()).all()
    assert (augment.keep_modalities(present, 1.0, generator()).sum(dim=1) == 1).all()
    with pytest.raises(ValueError, match="2"):
        augment.keep_modalities(present, 2, generator())


def test_what_is_missing_stays_missing_and_what_is_alone_stays() -> None:
    present = torch.tensor([[True, False, False], [False, True, True], [False, False, False]]).repeat(500, 1)
    keep = augment.keep_modalities(present, 0.9, generator())
    assert not (keep & ~present).any()
    assert keep[0::3, 0].all()
    assert keep[1::3].any(dim=1).all()
    assert not keep[2::3].any()


def test_rows_of_a_video_level_batch() -> None:
    picture, sound = torch.ones(1000, 8), torch.ones(1000, 4)
    masked = augment.mask_rows((picture, sound), 0.5, generator())
    gone = [~stream.any(dim=1) for stream in masked]
    assert all(0.2 < share.float().mean() < 0.5 for share in gone)
    assert not (gone[0] & gone[1]).any()
    assert (masked[0][~gone[0]] == 1).all()


def test_modalities_of_shots_go_with_their_masks() -> None:
    rng = np.random.default_rng(0)
    whole = ShotInputs(
        picture=rng.normal(size=(3, 6)).astype(np.float32),
        sound=rng.normal(size=(2, 4)).astype(np.float32),
        tokens=np.array([5, 6, 7]),
        sentence=np.full(SENTENCE_DIM, 0.1, np.float32),
    )
    silent = ShotInputs(whole.picture, np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    batch = collate([whole, silent] * 200)
    masked = augment.mask_modalities(batch, 0.5, generator())
    for rows, mask, before in (
        (masked.picture, masked.picture_mask, batch.picture_mask),
        (masked.sound, masked.sound_mask, batch.sound_mask),
        (masked.tokens.unsqueeze(-1), masked.token_mask, batch.token_mask),
    ):
        assert not rows[~mask].any()
        whole_or_gone = (mask == before).all(dim=1) | ~mask.any(dim=1)
        assert whole_or_gone.all()
    assert masked.picture_mask[1::2].any(dim=1).all()  # all that the silent shots have
    left = masked.picture_mask.any(dim=1) | masked.sound_mask.any(dim=1) | masked.token_mask.any(dim=1)
    assert left.all()
    assert ((masked.sentence != 0).any(dim=1) == masked.token_mask.any(dim=1)).all()
    assert not masked.picture_mask[0::2].any(dim=1).all()
