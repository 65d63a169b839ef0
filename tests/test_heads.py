"""The label heads besides ML-GCN's: each equals its sums written out, starts at zero, and has right gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from understanding.build import build_net
from understanding.labels import LabelGraph
from understanding.modeling.gcn import GraphHead, ResidualGraphHead
from understanding.modeling.head import Head, LinearHead
from understanding.modeling.inputs import Batch
from understanding.modeling.label_attention import LabelAttentionHead
from understanding.modeling.outputs import OutputGraphHead
from understanding.modeling.regularised import RegularisedHead
from understanding.sizes import Classifier, Size

CLASSES, WIDTH, FEATURES = 4, 3, 6
GRAPH = LabelGraph.from_labels(np.random.default_rng(4).integers(0, 2, (40, CLASSES)))
ADJACENCY = torch.from_numpy(GRAPH.adjacency(tau=0.5)).double()
VECTORS = torch.from_numpy(np.random.default_rng(5).normal(size=(CLASSES, WIDTH)))
HEADS: dict[Classifier, Callable[[], Head]] = {
    "linear": lambda: LinearHead(FEATURES, CLASSES),
    "graph": lambda: GraphHead(FEATURES, label_vectors=VECTORS, adjacency=ADJACENCY, hidden=4),
    "residual": lambda: ResidualGraphHead(FEATURES, label_vectors=VECTORS, adjacency=ADJACENCY, hidden=4),
    "outputs": lambda: OutputGraphHead(FEATURES, adjacency=ADJACENCY),
    "attention": lambda: LabelAttentionHead(FEATURES, groups=2, label_vectors=VECTORS, hidden=4, heads=2),
    "regularised": lambda: RegularisedHead(FEATURES, adjacency=ADJACENCY),
}
every_head = pytest.mark.parametrize("kind", HEADS)


def head_of(kind: Classifier) -> Head:
    """Float64, with every weight away from zero."""
    torch.manual_seed(3)
    head = HEADS[kind]().double()
    for weight in head.parameters():
        torch.nn.init.normal_(weight)
    return head


def weights_of(head: Head) -> dict[str, NDArray[Any]]:
    return {name: value.detach().numpy() for name, value in head.state_dict().items()}


def fused() -> NDArray[np.float64]:
    return np.random.default_rng(6).normal(size=(3, FEATURES))


def plain_linear(w: dict[str, NDArray[Any]], name: str, x: NDArray[Any]) -> list[float]:
    weight, bias = w[f"{name}weight"], w[f"{name}bias"]
    return [sum(weight[c, d] * x[d] for d in range(FEATURES)) + bias[c] for c in range(CLASSES)]


def plain_graph(w: dict[str, NDArray[Any]], name: str, x: NDArray[Any]) -> list[float]:
    e, a, first, second = (
        w[f"{name}{part}"] for part in ("label_vectors", "adjacency", "first.weight", "second.weight")
    )
    grown = [sum(a[i, j] * (first @ e[j]) for j in range(CLASSES)) for i in range(CLASSES)]
    grown = [np.array([v if v > 0 else 0.2 * v for v in row]) for row in grown]
    return [float(x @ sum(a[i, j] * (second @ grown[j]) for j in range(CLASSES))) for i in range(CLASSES)]


def plain_outputs(w: dict[str, NDArray[Any]], x: NDArray[Any]) -> list[float]:
    z = plain_linear(w, "linear.logistic.", x)
    heard = [sum(w["adjacency"][i, j] * z[j] for j in range(CLASSES)) for i in range(CLASSES)]
    return [z[i] + w["scale"][i] * heard[i] for i in range(CLASSES)]


def plain_attention(w: dict[str, NDArray[Any]], x: NDArray[Any]) -> list[float]:
    logits = []
    for c in range(CLASSES):
        total = w["bias"][c]
        asked = w["query.weight"] @ w["label_vectors"][c]
        for part in (slice(0, 2), slice(2, 4)):
            groups = [x[:3], x[3:]]
            scores = [np.exp(asked[part] @ (w["key.weight"] @ g)[part] / np.sqrt(2)) for g in groups]
            values = [(w["value.weight"] @ g + w["value.bias"])[part] for g in groups]
            heard = sum(s / sum(scores) * v for s, v in zip(scores, values, strict=True))
            total += heard @ w["weight"][c, part]
        logits.append(float(total))
    return logits


def plain(kind: Classifier, w: dict[str, NDArray[Any]], x: NDArray[Any]) -> list[float]:
    match kind:
        case "linear" | "regularised":
            return plain_linear(w, "logistic.", x)
        case "graph":
            return plain_graph(w, "", x)
        case "residual":
            return [
                a + b for a, b in zip(plain_linear(w, "linear.logistic.", x), plain_graph(w, "graph.", x), strict=True)
            ]
        case "outputs":
            return plain_outputs(w, x)
        case "attention":
            return plain_attention(w, x)


@every_head
def test_equals_the_plain_reference(kind: Classifier) -> None:
    head = head_of(kind)
    with torch.no_grad():
        answer = head(torch.from_numpy(fused())).numpy()
    np.testing.assert_allclose(answer, [plain(kind, weights_of(head), x) for x in fused()], atol=1e-6)


@every_head
def test_gradients_are_right(kind: Classifier) -> None:
    head = head_of(kind)

    def run(x: Tensor, *_: Tensor) -> tuple[Tensor, Tensor]:
        return head(x), head.penalty()

    assert torch.autograd.gradcheck(run, (torch.from_numpy(fused()).requires_grad_(), *head.parameters()))


@every_head
def test_heads_start_at_zero_and_can_leave_it(kind: Classifier) -> None:
    head = head_of(kind)
    head.start_at_zero()
    x, target = torch.from_numpy(fused()), torch.ones(3, CLASSES, dtype=torch.float64)
    assert torch.equal(head(x), torch.zeros(3, CLASSES, dtype=torch.float64))
    optimiser = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(head(x), target).backward()  # type: ignore[no-untyped-call]  # torch does not type it
        optimiser.step()
    assert head(x).mean() > 0.5


@every_head
def test_the_graph_and_the_vectors_are_not_trained(kind: Classifier) -> None:
    names = {name for name, _ in head_of(kind).named_parameters()}
    assert not any("label_vectors" in name or "adjacency" in name or "laplacian" in name for name in names)


def test_the_penalty_is_the_sum_over_pairs() -> None:
    head = head_of("regularised")
    w, a = weights_of(head)["logistic.weight"], ADJACENCY.numpy()
    pairs = [(i, j) for i in range(CLASSES) for j in range(CLASSES) if i != j]
    expected = sum((a[i, j] + a[j, i]) / 2 * ((w[i] - w[j]) ** 2).sum() / 2 for i, j in pairs)
    assert expected > 0.1
    assert float(head.penalty().detach()) == pytest.approx(expected, abs=1e-9)
    torch.nn.init.ones_(head.logistic.weight)  # type: ignore[arg-type,union-attr]  # torch types attributes of modules as tensor or module
    assert float(head.penalty().detach()) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("kind", ["linear", "graph", "residual", "outputs", "attention"])
def test_other_heads_ask_for_no_penalty(kind: Classifier) -> None:
    assert head_of(kind).penalty() == 0


def test_label_vectors_decide_which_group_a_label_hears() -> None:
    head = head_of("attention")
    far = LabelAttentionHead(FEATURES, groups=2, label_vectors=VECTORS.flip(0), hidden=4, heads=2).double()
    far.load_state_dict({**head.state_dict(), "label_vectors": VECTORS.flip(0)})
    x = torch.from_numpy(fused())
    assert (head(x) - far(x)).abs().max() > 1e-3


def test_parts_must_be_whole() -> None:
    with pytest.raises(ValueError, match="6 features in 4 groups, 4 hidden in 4 parts: no whole parts"):
        LabelAttentionHead(FEATURES, groups=4, label_vectors=VECTORS, hidden=4)


SIZE = Size(picture=6, sound=4, temporal="mean", width=4, hidden=4, reduction=2, fused_groups=2, graph_hidden=8)
ROWS = torch.ones(2, 1, dtype=torch.bool)
BATCH = Batch.of_rows(torch.randn(2, 1, 6), ROWS, torch.randn(2, 1, 4), ROWS)


@every_head
def test_every_head_is_built_by_name_for_classes_without_a_taxonomy(kind: Classifier) -> None:
    net = build_net(replace(SIZE, head=kind), classes=CLASSES, graph=GRAPH, label_vectors=VECTORS.float().numpy())
    assert net(BATCH).shape == (2, CLASSES)
    assert net.penalty().shape == ()


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("outputs", {}, "needs a label graph"),
        ("attention", {}, "needs the text vectors"),
        ("outputs", {"graph": LabelGraph(np.zeros((3, 3)))}, "the label graph has 3 labels, the net 4 classes"),
        ("attention", {"label_vectors": np.zeros((5, 3), np.float32)}, "5 label vectors, the net has 4 classes"),
    ],
)
def test_what_a_head_lacks_is_said(kind: Classifier, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_net(replace(SIZE, head=kind), classes=CLASSES, **given)
