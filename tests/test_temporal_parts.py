"""What every temporal part promises alike: padding changes nothing, no rows give no nonsense, gradients are right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from understanding.modeling.cnn import TemporalCNN
from understanding.modeling.frame_cnn import FrameCNN3D
from understanding.modeling.gru import AttentiveGRU
from understanding.modeling.mean import MeanRows
from understanding.modeling.nextvlad import NeXtVLAD

FEATURES = 6
PARTS: dict[str, Callable[[], nn.Module]] = {
    "nextvlad": lambda: NeXtVLAD(FEATURES, clusters=3, groups=2),
    "gru": lambda: AttentiveGRU(FEATURES, hidden=3),
    "cnn": lambda: TemporalCNN(FEATURES, hidden=4),
    "mean": lambda: MeanRows(FEATURES),
    "mean projected": lambda: MeanRows(FEATURES, out=5),
    "frames": lambda: FrameCNN3D(5, slow=(4, 6), fast=(2, 3), stride=2),
}
every_part = pytest.mark.parametrize("kind", PARTS)


def rows_of(kind: str, clips: int, seconds: int) -> Tensor:
    shape = (3, 7, 6) if kind == "frames" else (FEATURES,)
    return torch.randn(clips, seconds, *shape, dtype=torch.float64)


def lived_in(kind: str) -> nn.Module:
    """Float64, eval, with batch norms that have seen something."""
    torch.manual_seed(7)
    part = PARTS[kind]().double()
    for module in part.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            module.running_mean = torch.randn(module.num_features, dtype=torch.float64)
            module.running_var = torch.rand(module.num_features, dtype=torch.float64) + 0.5
    return part.eval()


@every_part
@pytest.mark.parametrize("beyond", [0.0, 9.0, 1e6])
def test_padding_does_not_change_the_answer(kind: str, beyond: float) -> None:
    part = lived_in(kind)
    for length in (1, 2, 5):
        rows = rows_of(kind, 1, length)
        padded = torch.cat([rows, torch.full_like(rows_of(kind, 1, 9), beyond)], dim=1)
        with torch.no_grad():
            alone = part(rows, torch.ones(1, length, dtype=torch.bool))
            among = part(padded, torch.arange(length + 9)[None] < length)
        assert (alone - among).abs().max() <= 1e-7
        assert alone.shape == (1, part.out_features)


@every_part
def test_company_does_not_change_the_answer(kind: str) -> None:
    part = lived_in(kind)
    rows = rows_of(kind, 3, 8)
    mask = torch.arange(8) < torch.tensor([8, 3, 0])[:, None]
    with torch.no_grad():
        together = part(rows, mask)
        alone = torch.cat([part(rows[i : i + 1], mask[i : i + 1]) for i in range(3)])
    assert (together - alone).abs().max() <= 1e-7


@every_part
def test_no_rows_give_one_finite_answer_for_all(kind: str) -> None:
    part = lived_in(kind)
    with torch.no_grad():
        first, second = part(rows_of(kind, 2, 4), torch.zeros(2, 4, dtype=torch.bool))
    assert torch.isfinite(first).all()
    assert torch.equal(first, second)


@every_part
@pytest.mark.parametrize("lengths", [(4, 0, 2), (1, 0, 0), (0, 0, 0)])
def test_training_on_few_rows_or_none_gives_numbers(kind: str, lengths: tuple[int, ...]) -> None:
    part = lived_in(kind).train()
    mask = torch.arange(4) < torch.tensor(lengths)[:, None]
    rows = rows_of(kind, 3, 4).requires_grad_()
    answer = part(rows, mask)
    answer.sum().backward()
    assert torch.isfinite(answer).all()
    assert all(p.grad is None or bool(torch.isfinite(p.grad).all()) for p in [rows, *part.parameters()])
    assert all(bool(torch.isfinite(b).all()) for b in part.buffers())


@every_part
@pytest.mark.parametrize("training", [False, True])
def test_padding_stays_out_of_training_too(kind: str, training: bool) -> None:
    lengths = torch.tensor([5, 3, 4])[:, None]
    rows, answers = rows_of(kind, 3, 5), []
    for extra in (0, 6):
        part = lived_in(kind).train(training)
        padded = torch.cat([rows, torch.full_like(rows_of(kind, 3, extra), 50.0)], dim=1)
        answers.append(part(padded, torch.arange(5 + extra) < lengths))
    assert (answers[0] - answers[1]).abs().max() <= 1e-7


@every_part
@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_right(kind: str, training: bool) -> None:
    part = lived_in(kind).train(training)
    rows = rows_of(kind, 3, 3).requires_grad_()
    mask = torch.tensor([[True, True, True], [True, False, False], [True, True, False]])
    weights = [p for p in part.parameters() if p.numel() <= 40]

    def run(rows: Tensor, *_: Tensor) -> Tensor:
        answer: Tensor = part(rows, mask)
        return answer

    assert torch.autograd.gradcheck(run, (rows, *weights), fast_mode=kind == "frames")
