"""The whole net: missing modalities, padding, the prior that comes through untouched, inputs and their masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from understanding.build import build_net
from understanding.labels import load_taxonomy
from understanding.modeling.inputs import SENTENCE_DIM, Batch, ShotInputs, collate
from understanding.modeling.net import MultimodalNet

TAXONOMY = load_taxonomy()
CLASSES = len(TAXONOMY)


@pytest.fixture(scope="module")
def net() -> MultimodalNet:
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    bert = BertModel(
        BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    )
    vectors = rng.normal(size=(CLASSES, 512)).astype(np.float32)
    net = build_net("desk-small", taxonomy=TAXONOMY, label_vectors=vectors, bert=bert).double()
    assert isinstance(net, MultimodalNet)
    return net


def shot(seconds: int, *, sound: int = 0, words: int = 0, seed: int = 0) -> ShotInputs:
    rng = np.random.default_rng(seed)
    return ShotInputs(
        picture=rng.normal(size=(seconds, 1280)).astype(np.float32),
        sound=rng.normal(size=(sound, 128)).astype(np.float32),
        tokens=rng.integers(1, 99, words),
        sentence=rng.normal(size=512).astype(np.float32) if words else None,
        prior=rng.normal(size=CLASSES).astype(np.float32),
    )


def answer(net: MultimodalNet, *shots: ShotInputs) -> torch.Tensor:
    with torch.no_grad():
        return torch.as_tensor(net(collate(shots).to(torch.float64)))


def test_collate_says_every_shape() -> None:
    batch = collate([shot(3, sound=2, words=5), shot(1)])
    assert batch.picture.shape == (2, 3, 1280)
    assert batch.picture_mask.tolist() == [[True, True, True], [True, False, False]]
    assert batch.sound_mask.tolist() == [[True, True], [False, False]]
    assert batch.tokens.dtype == torch.int64
    assert batch.token_mask.sum(dim=1).tolist() == [5, 0]
    assert batch.sentence[1].abs().sum() == 0
    assert batch.prior is not None
    assert batch.prior.shape == (2, CLASSES)
    assert len(batch) == 2


def test_collate_of_silent_shots_keeps_one_masked_row() -> None:
    batch = collate([shot(1), shot(2)])
    assert batch.sound.shape == (2, 1, 128)
    assert not batch.sound_mask.any()
    with pytest.raises(ValueError, match="at least one shot"):
        collate([])


def test_a_prior_is_taken_only_where_every_shot_has_one() -> None:
    assert collate([shot(1), replace(shot(1), prior=None)]).prior is None


def test_company_and_padding_do_not_change_the_answer(net: MultimodalNet) -> None:
    short, long = shot(2, sound=1, words=4, seed=1), shot(30, sound=29, words=60, seed=2)
    together = answer(net, short, long, shot(1, seed=3))
    assert (together[0] - answer(net, short)[0]).abs().max() <= 1e-7
    assert (together[2] - answer(net, shot(1, seed=3))[0]).abs().max() <= 1e-7


@pytest.mark.parametrize(("sound", "words"), [(0, 0), (4, 0), (0, 6), (4, 6)])
def test_any_modality_may_be_missing(net: MultimodalNet, sound: int, words: int) -> None:
    assert torch.isfinite(answer(net, shot(4, sound=sound, words=words))).all()


def test_every_modality_is_heard(net: MultimodalNet) -> None:
    full = shot(4, sound=4, words=6)
    said = answer(net, full)
    for without in (
        replace(full, sound=full.sound[:0]),
        replace(full, tokens=full.tokens[:0]),
        replace(full, sentence=None),
        replace(full, picture=full.picture[:1]),
    ):
        assert (answer(net, without) - said).abs().max() > 1e-6


def test_zero_residual_returns_the_prior_exactly(net: MultimodalNet) -> None:
    weights = {key: value.clone() for key, value in net.state_dict().items()}
    net.start_at_zero()
    batch = collate([shot(3, sound=2, words=3), shot(5)]).to(torch.float64)
    assert batch.prior is not None
    with torch.no_grad():
        assert torch.equal(net(batch), batch.prior)
    net.load_state_dict(weights)


def test_without_a_prior_the_residual_is_the_answer(net: MultimodalNet) -> None:
    one = shot(3, sound=2, words=3)
    batch = collate([one]).to(torch.float64)
    assert batch.prior is not None
    bare: Batch = replace(batch, prior=None)
    with torch.no_grad():
        torch.testing.assert_close(net(bare) + batch.prior, net(batch))


def test_the_batch_changes_precision_of_floats_only() -> None:
    batch = collate([shot(2, words=3)]).to(torch.bfloat16)
    assert batch.picture.dtype == torch.bfloat16
    assert batch.tokens.dtype == torch.int64
    assert batch.picture_mask.dtype == torch.bool


def test_one_step_of_training_lowers_the_loss(net: MultimodalNet) -> None:
    weights = {key: value.clone() for key, value in net.state_dict().items()}
    net.start_at_zero()
    net.train()
    batch = collate([shot(4, sound=3, words=4, seed=s) for s in range(8)]).to(torch.float64)
    target = torch.from_numpy(np.random.default_rng(9).integers(0, 2, (8, CLASSES)).astype(np.float64))
    optimiser = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=2e-4)
    losses = []
    for _ in range(6):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(batch), target)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
        optimiser.step()
        losses.append(float(loss.detach()))
    net.load_state_dict(weights)
    net.eval()
    assert losses[-1] < losses[0] - 0.02


def test_rows_without_words_make_a_batch() -> None:
    wordless = build_net("frame-small", classes=7)
    mask = torch.tensor([[True, True], [True, False]])
    batch = Batch.of_rows(torch.randn(2, 2, 1024), mask, torch.randn(2, 2, 128), mask)
    assert batch.tokens.shape == batch.token_mask.shape == (2, 0)
    assert batch.sentence.shape == (2, SENTENCE_DIM)
    assert batch.prior is None
    with torch.no_grad():
        assert wordless(batch).shape == (2, 7)


def test_a_net_that_reads_words_may_get_rows_alone(net: MultimodalNet) -> None:
    one = shot(3, sound=2)
    rows = collate([one]).to(torch.float64)
    bare = Batch.of_rows(rows.picture, rows.picture_mask, rows.sound, rows.sound_mask)
    with torch.no_grad():
        torch.testing.assert_close(net(bare), net(replace(rows, prior=None)), rtol=0, atol=0)


def test_a_sentence_shared_by_all_moves_with_the_batch() -> None:
    mask = torch.ones(3, 1, dtype=torch.bool)
    batch = Batch.of_rows(torch.ones(3, 1, 4), mask, torch.ones(3, 1, 2), mask).to(torch.float64)
    assert batch.sentence.dtype == batch.picture.dtype == torch.float64
