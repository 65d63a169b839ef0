"""The label graph's head equals ML-GCN's product written out, pure and as a residual."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from understanding.labels import LabelGraph
from understanding.modeling.gcn import GraphHead, ResidualGraphHead
from understanding.modeling.head import Head, LinearHead

CLASSES, WIDTH, FEATURES = 5, 7, 6


def graph() -> torch.Tensor:
    labels = np.random.default_rng(4).integers(0, 2, (40, CLASSES))
    return torch.from_numpy(LabelGraph.from_labels(labels).adjacency()).double()


def vectors() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(5).normal(size=(CLASSES, WIDTH)))


def test_equals_the_plain_reference() -> None:
    head = GraphHead(FEATURES, label_vectors=vectors(), adjacency=graph(), hidden=9).double()
    a, e = graph().numpy(), vectors().numpy()
    first, second = head.first.weight.detach().numpy(), head.second.weight.detach().numpy()
    grown = a @ e @ first.T
    grown = np.where(grown > 0, grown, 0.2 * grown)
    fused = np.random.default_rng(6).normal(size=(3, FEATURES))
    with torch.no_grad():
        answer = head(torch.from_numpy(fused)).numpy()
    np.testing.assert_allclose(answer, fused @ (a @ grown @ second.T).T, atol=1e-6)


def test_the_residual_adds_to_the_logistic_layer() -> None:
    head = ResidualGraphHead(FEATURES, label_vectors=vectors(), adjacency=graph(), hidden=9).double()
    fused = torch.randn(3, FEATURES, dtype=torch.float64)
    torch.testing.assert_close(head(fused), head.linear(fused) + head.graph(fused))


def test_the_graph_and_the_vectors_are_not_trained() -> None:
    head = GraphHead(FEATURES, label_vectors=vectors(), adjacency=graph(), hidden=9)
    assert {name for name, _ in head.named_parameters()} == {"first.weight", "second.weight"}


@pytest.mark.parametrize(
    "head",
    [
        LinearHead(FEATURES, CLASSES),
        GraphHead(FEATURES, label_vectors=vectors().float(), adjacency=graph().float(), hidden=9),
        ResidualGraphHead(FEATURES, label_vectors=vectors().float(), adjacency=graph().float(), hidden=9),
    ],
)
def test_heads_start_at_zero_and_can_leave_it(head: Head) -> None:
    head.start_at_zero()
    logits = head(torch.randn(4, FEATURES))
    assert torch.equal(logits, torch.zeros(4, CLASSES))
    logits.sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in head.parameters())


def test_gradients_are_right() -> None:
    head = GraphHead(FEATURES, label_vectors=vectors(), adjacency=graph(), hidden=3).double()
    assert torch.autograd.gradcheck(head, (torch.randn(2, FEATURES, dtype=torch.float64, requires_grad=True),))


def test_a_graph_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="name 5 tags"):
        GraphHead(FEATURES, label_vectors=vectors(), adjacency=torch.eye(4), hidden=3)
