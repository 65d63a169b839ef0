"""Three nets as one: logits mixed by weights of the mean input, distillation as the paper has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from understanding.build import build_net, load_checkpoint, save_checkpoint
from understanding.modeling.inputs import Batch
from understanding.modeling.mix import MixedNet, distillation
from understanding.sizes import Mix, Size

ONE = Size(picture=6, sound=4, clusters=2, groups=2, hidden=4, reduction=2, classes=5)
THREE = Mix((ONE, replace(ONE, hidden=6, reduction=3), replace(ONE, temporal="mean", width=4)))


def mixed(mix: Mix = THREE) -> MixedNet:
    net = build_net(mix, seed=4).double()
    assert isinstance(net, MixedNet)
    net.train()
    torch.manual_seed(0)
    net(batch(16, 5))  # the norms see something
    return net.eval()


def batch(size: int, rows: int, lengths: Sequence[int] | None = None, *, seed: int = 0) -> Batch:
    source = torch.Generator().manual_seed(seed)
    mask = torch.arange(rows) < torch.tensor(lengths or [rows] * size)[:, None]
    picture, sound = (torch.randn(size, rows, n, dtype=torch.float64, generator=source) for n in (6, 4))
    return Batch.of_rows(picture, mask, sound, mask)


def test_equals_the_plain_reference() -> None:
    net, shots = mixed(), batch(3, 4, [4, 1, 2])
    w = {name: value.detach().numpy() for name, value in net.mixer.state_dict().items()}
    with torch.no_grad():
        answer, says = net(shots).numpy(), [branch(shots).numpy() for branch in net.branches]
    for i, length in enumerate([4, 1, 2]):
        rows = torch.cat([shots.picture[i], shots.sound[i]], dim=1)[:length].numpy()
        mean = sum(rows) / length
        mean = (mean - w["norm.running_mean"]) / np.sqrt(w["norm.running_var"] + 1e-5)
        scores = w["weigh.weight"] @ (mean * w["norm.weight"] + w["norm.bias"]) + w["weigh.bias"]
        weights = [np.exp(s) / sum(np.exp(other) for other in scores) for s in scores]
        expected = [sum(weights[m] * says[m][i, c] for m in range(3)) for c in range(5)]
        np.testing.assert_allclose(answer[i], expected, atol=1e-6)


def test_distillation_equals_the_plain_sum() -> None:
    rng = np.random.default_rng(2)
    whole, branches = rng.normal(size=(4, 5)) * 3, rng.normal(size=(4, 3, 5)) * 3

    def softmax(x: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(x / 3) / np.exp(x / 3).sum())

    total = 0.0
    for i in range(4):
        p = softmax(whole[i])
        for m in range(3):
            q = softmax(branches[i, m])
            total += sum(p[c] * np.log(p[c] / q[c]) for c in range(5)) / 4
    assert abs(float(distillation(torch.from_numpy(whole), torch.from_numpy(branches))) - total) < 1e-9


def test_distillation_is_zero_where_all_agree_and_stays_finite_at_the_ends() -> None:
    logits = torch.tensor([[1e4, -1e4, 0.0]])
    assert float(distillation(logits, torch.stack([logits, logits], dim=1))) == 0
    assert torch.isfinite(distillation(logits, torch.stack([-logits, logits], dim=1)))


def test_branches_of_one_size_differ() -> None:
    net = mixed(Mix((ONE, ONE)))
    first, second = net.branch_logits(batch(2, 3)).unbind(dim=1)
    assert not torch.allclose(first, second)


def test_padding_does_not_change_the_answer() -> None:
    net = mixed()
    alone, among = batch(1, 3), batch(1, 3)
    padded = [
        torch.cat([x, torch.full_like(x[:, :1].expand(-1, 9, -1), 70.0)], dim=1) for x in (among.picture, among.sound)
    ]
    mask = torch.arange(12)[None] < 3
    with torch.no_grad():
        difference = net(alone) - net(Batch.of_rows(padded[0], mask, padded[1], mask))
    assert difference.abs().max() <= 1e-7


def test_nothing_to_see_gives_numbers() -> None:
    with torch.no_grad():
        assert torch.isfinite(mixed()(batch(2, 3, [0, 0]))).all()


def test_gradients_are_right() -> None:
    net, shots = mixed(), batch(2, 2)

    def run(picture: Tensor, *_: Tensor) -> Tensor:
        seen = replace(shots, picture=picture)
        branches = net.branch_logits(seen)
        logits = net.mix(branches, seen)
        return logits.sum() + 9 * distillation(logits, branches)

    assert torch.autograd.gradcheck(run, (shots.picture.requires_grad_(), *net.mixer.parameters()))


def test_a_mix_starts_at_zero_keeps_the_prior_and_adds_its_penalties() -> None:
    net, shots = mixed(), batch(3, 2)
    net.start_at_zero()
    prior = torch.randn(3, 5, dtype=torch.float64)
    assert torch.equal(net(shots), torch.zeros(3, 5, dtype=torch.float64))
    torch.testing.assert_close(net(replace(shots, prior=prior)), prior)
    assert net.penalty() == 0


def test_a_checkpoint_of_a_mix_comes_back(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "mix.safetensors", mixed(), size="tiny")
    other = build_net(THREE, seed=9).double()
    load_checkpoint(tmp_path / "mix.safetensors", other, size="tiny")
    torch.testing.assert_close(other(batch(2, 3)), mixed()(batch(2, 3)), atol=1e-3, rtol=0)  # it is kept in halves
