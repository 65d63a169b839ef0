"""NeXtVLAD equals the paper's sums written out in plain numpy, and padding never changes its answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from understanding.modeling.nextvlad import NeXtVLAD
from understanding.modeling.rows import norm_rows

Floats = NDArray[np.float64]


def sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def plain_nextvlad(part: NeXtVLAD, rows: Floats) -> Floats:
    """One clip (T, N), every sum of the paper as a loop; batch norms by their running statistics."""
    w = {name: value.detach().numpy() for name, value in part.state_dict().items()}
    groups, clusters, width = part.groups, part.clusters, part.width

    def norm(name: str, x: Floats) -> Floats:
        scaled = (x - w[f"{name}.running_mean"]) / np.sqrt(w[f"{name}.running_var"] + 1e-5)
        return np.asarray(scaled * w[f"{name}.weight"] + w[f"{name}.bias"])

    vlad = np.zeros((width, clusters))
    for row in rows:
        wide = w["expand.weight"] @ row + w["expand.bias"]
        counts = sigmoid(w["attention.weight"] @ wide + w["attention.bias"])
        belongs = norm("assign_norm", w["assign.weight"] @ wide).reshape(groups, clusters)
        belongs = np.exp(belongs) / np.exp(belongs).sum(axis=1, keepdims=True)
        grouped = wide.reshape(groups, width)
        for g in range(groups):
            for k in range(clusters):
                vlad[:, k] += counts[g] * belongs[g, k] * (grouped[g] - w["centres"][:, k])
    lengths = np.linalg.norm(vlad, axis=0)
    return norm("vlad_norm", (vlad / np.maximum(lengths, 1e-12)).reshape(-1))


def lived_in(part: NeXtVLAD) -> NeXtVLAD:
    """Float64, eval, with batch norms that have seen something."""
    torch.manual_seed(1)
    for norm in (part.assign_norm, part.vlad_norm):
        norm.running_mean = torch.randn(norm.num_features)
        norm.running_var = torch.rand(norm.num_features) + 0.5
        torch.nn.init.normal_(norm.weight)
        torch.nn.init.normal_(norm.bias)
    return part.double().eval()


@pytest.mark.parametrize(
    ("features", "clusters", "groups", "expansion"), [(12, 5, 3, 2), (8, 1, 1, 2), (6, 4, 2, 1), (10, 3, 4, 2)]
)
@pytest.mark.parametrize("many", [False, True])
def test_equals_the_plain_reference(
    features: int, clusters: int, groups: int, expansion: int, many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NeXtVLAD, "_many", lambda *_: many)
    part = lived_in(NeXtVLAD(features, clusters=clusters, groups=groups, expansion=expansion))
    rows = np.random.default_rng(3).normal(size=(4, 9, features))
    lengths = [9, 1, 4, 7]
    mask = torch.arange(9) < torch.tensor(lengths)[:, None]
    with torch.no_grad():
        answer = part(torch.from_numpy(rows), mask).numpy()
    expected = [plain_nextvlad(part, row[:length]) for row, length in zip(rows, lengths, strict=True)]
    np.testing.assert_allclose(answer, np.stack(expected), atol=1e-6)
    assert answer.shape == (4, part.out_features)


def test_padding_does_not_change_the_answer() -> None:
    part = lived_in(NeXtVLAD(16, clusters=8, groups=4))
    rows = torch.randn(1, 5, 16, dtype=torch.float64)
    padded = torch.cat([rows, torch.full((1, 40, 16), 1e3, dtype=torch.float64)], dim=1)  # whatever lies there
    with torch.no_grad():
        alone = part(rows, torch.ones(1, 5, dtype=torch.bool))
        among = part(padded, torch.arange(45)[None] < 5)
    assert (alone - among).abs().max() <= 1e-7


def test_a_clip_without_rows_gives_a_constant() -> None:
    part = lived_in(NeXtVLAD(16, clusters=8, groups=4))
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    with torch.no_grad():
        first, second = part(torch.randn(2, 3, 16, dtype=torch.float64), nothing)
    assert torch.isfinite(first).all()
    assert torch.equal(first, second)


def test_padding_stays_out_of_the_statistics() -> None:
    mask = torch.arange(6) < torch.tensor([[6], [2]])
    rows = torch.randn(2, 6, 3)
    norm, plain = torch.nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3)
    normed = norm_rows(norm, rows.masked_fill(~mask.unsqueeze(-1), 50.0), mask)
    expected = plain(rows[mask])
    torch.testing.assert_close(normed[mask], expected)
    torch.testing.assert_close(norm.running_mean, plain.running_mean)


def test_one_real_row_can_be_trained_on() -> None:
    part = NeXtVLAD(8, clusters=2, groups=2).train()
    mask = torch.tensor([[True, False], [False, False]])
    assert torch.isfinite(part(torch.randn(2, 2, 8), mask)).all()


@pytest.mark.parametrize("many", [False, True])
def test_gradients_are_right(many: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NeXtVLAD, "_many", lambda *_: many)
    part = lived_in(NeXtVLAD(4, clusters=2, groups=2))
    rows = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True, True, True], [True, False, False]])
    assert torch.autograd.gradcheck(lambda x, *_: part(x, mask), (rows, *part.parameters()))


@pytest.mark.parametrize("training", [False, True])
def test_many_rows_and_few_are_summed_alike(training: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randn(6, 40, 16, dtype=torch.float64)
    mask = torch.arange(40) < torch.tensor([40, 1, 0, 17, 30, 5])[:, None]
    answers, slopes = [], []
    for many in (False, True):
        monkeypatch.setattr(NeXtVLAD, "_many", lambda *_, many=many: many)
        torch.manual_seed(8)
        part = lived_in(NeXtVLAD(16, clusters=8, groups=4)).train(training)
        answers.append(part(rows, mask))
        answers[-1].square().sum().backward()
        slopes.append([p.grad for p in part.parameters()])
    torch.testing.assert_close(answers[0], answers[1], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-8, atol=1e-8)


def test_the_order_of_sums_follows_the_number_of_rows() -> None:
    part = NeXtVLAD(1024, clusters=112, groups=8)
    assert part._many(torch.empty(16, 300, 1024))
    assert not part._many(torch.empty(1, 300, 1024))


def test_groups_must_divide() -> None:
    with pytest.raises(ValueError, match="do not divide into 3 groups"):
        NeXtVLAD(8, clusters=2, groups=3)
