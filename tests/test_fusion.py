"""SE groups: one group is the paper's hidden layer; each further group is a view of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from understanding.modeling.fusion import GroupedFusion, SEGate


def test_one_group_equals_the_plain_reference() -> None:
    torch.manual_seed(0)
    fusion = GroupedFusion(10, hidden=8, reduction=2).double()
    fusion.train()(torch.randn(64, 10, dtype=torch.float64))  # the norms see something
    fusion.eval()
    w = {name.removeprefix("groups.0."): value.numpy() for name, value in fusion.state_dict().items()}

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        scaled = (x - w[f"{name}.running_mean"]) / np.sqrt(w[f"{name}.running_var"] + 1e-5)
        return np.asarray(scaled * w[f"{name}.weight"] + w[f"{name}.bias"])

    streams = np.random.default_rng(1).normal(size=(3, 10))
    hidden = norm("norm", streams @ w["hidden.weight"].T)
    squeezed = np.maximum(norm("gate.norm", hidden @ w["gate.squeeze.weight"].T), 0)
    expected = hidden / (1 + np.exp(-squeezed @ w["gate.excite.weight"].T))
    with torch.no_grad():
        np.testing.assert_allclose(fusion(torch.from_numpy(streams)).numpy(), expected, atol=1e-6)


def test_groups_stand_side_by_side_and_differ() -> None:
    torch.manual_seed(0)
    fusion = GroupedFusion(10, hidden=8, reduction=2, groups=3).eval()
    fused = fusion(torch.randn(4, 10))
    assert fused.shape == (4, fusion.out_features) == (4, 24)
    assert not torch.allclose(fused[:, :8], fused[:, 8:16])


def test_the_streams_stand_behind_the_groups_where_they_skip_them() -> None:
    torch.manual_seed(0)
    fusion = GroupedFusion(12, hidden=8, reduction=2, groups=2, rectified=True, skip=True).eval()
    streams = torch.randn(4, 12)
    fused = fusion(streams)
    assert fused.shape == (4, fusion.out_features) == (4, 28)
    assert (fused[:, :16] >= 0).all()
    assert torch.equal(fused[:, 16:], streams)
    assert fusion.part == 4
    assert fusion.out_features % fusion.part == 0


def test_the_reduction_must_divide() -> None:
    with pytest.raises(ValueError, match="do not divide by the reduction 3"):
        SEGate(8, 3)


@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_right(training: bool) -> None:
    torch.manual_seed(0)
    fusion = GroupedFusion(5, hidden=4, reduction=2, groups=2, dropout=0.0).double().train(training)
    streams = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: fusion(x), (streams, *fusion.parameters()))
