"""The mean of the rows, bare and projected, equals the sums written out."""

from __future__ import annotations

import numpy as np
import torch

from tests.test_temporal_parts import lived_in, rows_of
from understanding.modeling.mean import MeanRows
from understanding.modeling.rows import max_rows, mean_rows


def test_equals_the_plain_reference() -> None:
    part, bare = lived_in("mean projected"), MeanRows(6)
    w = {name: value.detach().numpy() for name, value in part.state_dict().items()}
    rows, lengths = rows_of("mean", 4, 7), [7, 1, 3, 0]
    mask = torch.arange(7) < torch.tensor(lengths)[:, None]
    means, expected = np.zeros((4, 6)), np.zeros((4, 5))
    for i, length in enumerate(lengths[:3]):
        for t in range(length):
            means[i] += rows[i, t].numpy() / length
        scaled = (w["project.weight"] @ means[i] - w["norm.running_mean"]) / np.sqrt(w["norm.running_var"] + 1e-5)
        expected[i] = np.maximum(scaled * w["norm.weight"] + w["norm.bias"], 0)
    with torch.no_grad():
        np.testing.assert_allclose(bare(rows, mask).numpy(), means, atol=1e-12)
        np.testing.assert_allclose(part(rows, mask).numpy(), expected, atol=1e-6)


def test_what_has_no_row_is_not_in_the_statistics() -> None:
    torch.manual_seed(0)
    part, rows = MeanRows(3, out=2).train(), torch.randn(5, 1, 3)
    present = torch.tensor([True, False, True, True, False])[:, None]
    part(rows, present)
    assert part.project is not None
    assert part.norm is not None
    projected = part.project(rows[:, 0][present[:, 0]])
    torch.testing.assert_close(part.norm.running_mean, 0.1 * projected.mean(dim=0).detach())


def test_means_and_largest_are_of_the_real_rows() -> None:
    rows = torch.tensor([[[1.0], [3.0], [99.0]], [[99.0]] * 3])
    mask = torch.tensor([[True, True, False], [False] * 3])
    assert mean_rows(rows, mask).tolist() == [[2.0], [0.0]]
    assert mean_rows(rows[:, :1], mask[:, :1]).tolist() == [[1.0], [0.0]]
    assert max_rows(rows, mask).tolist() == [[3.0], [0.0]]
