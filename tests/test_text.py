"""The word branches: BERT really loads, reads equal words once, and stays silent where nothing was said."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from understanding.build import load_bert
from understanding.modeling.text import BertBranch, VectorBranch, frozen_prefixes


def tiny_bert() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=32,
    )  # fmt: skip
    return BertModel(config)


@pytest.fixture(scope="module")
def minilm() -> tuple[Any, Any]:
    return load_bert()


def test_the_packed_bert_knows_which_sentences_are_near(minilm: tuple[Any, Any]) -> None:
    bert, tokeniser = minilm
    branch = BertBranch(bert, 16)
    said = tokeniser(
        ["A pickup drives through deep mud", "An off-roader in a muddy bog", "How to bake bread"],
        padding=True, return_tensors="pt",
    )  # fmt: skip
    with torch.no_grad():
        vectors = branch._pool(said["input_ids"], said["attention_mask"].bool()).numpy()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.4 > vectors[0] @ vectors[2]


def layer_norm(w: dict[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    spread = np.sqrt(((x - x.mean()) ** 2).mean() + 1e-12)
    return np.asarray((x - x.mean()) / spread * w[f"{name}.weight"] + w[f"{name}.bias"])


def plain_bert(w: dict[str, np.ndarray], words: list[int]) -> np.ndarray:
    """One text through the tiny BERT and the branch: Devlin et al. written out, one word and one head at a time."""

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return np.asarray(w[f"{name}.weight"] @ x + w[f"{name}.bias"])

    table = "bert.embeddings."
    states = [
        layer_norm(
            w,
            f"{table}LayerNorm",
            w[f"{table}word_embeddings.weight"][word]
            + w[f"{table}position_embeddings.weight"][place]
            + w[f"{table}token_type_embeddings.weight"][0],
        )
        for place, word in enumerate(words)
    ]
    for depth in range(2):
        name = f"bert.encoder.layer.{depth}."
        q, k, v = ([linear(f"{name}attention.self.{p}", x) for x in states] for p in ("query", "key", "value"))
        after = []
        for i, state in enumerate(states):
            heard = []
            for head in (slice(0, 4), slice(4, 8)):
                share = np.exp([q[i][head] @ other[head] / 2 for other in k])
                heard.append(sum(s / share.sum() * other[head] for s, other in zip(share, v, strict=True)))
            spoken = linear(f"{name}attention.output.dense", np.concatenate(heard))
            calm = layer_norm(w, f"{name}attention.output.LayerNorm", state + spoken)
            wide = [x / 2 * (1 + math.erf(x / math.sqrt(2))) for x in linear(f"{name}intermediate.dense", calm)]
            after.append(layer_norm(w, f"{name}output.LayerNorm", calm + linear(f"{name}output.dense", np.array(wide))))
        states = after
    mean = np.sum(states, axis=0) / len(states)
    return np.asarray(np.maximum(linear("project", mean / np.linalg.norm(mean)), 0))


def test_equals_the_plain_reference() -> None:
    branch = BertBranch(tiny_bert(), 4).double().eval()
    with torch.no_grad():
        for parameter in branch.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    w = {name: value.numpy() for name, value in branch.state_dict().items()}
    texts = [[2, 5, 6, 3, 7], [9], [4, 4, 8]]
    tokens = torch.tensor([text + [0] * (5 - len(text)) for text in texts])
    with torch.no_grad():
        answer = branch(tokens, tokens > 0).numpy()
    assert answer.any()
    np.testing.assert_allclose(answer, [plain_bert(w, text) for text in texts], atol=1e-6)


def test_gradients_of_the_branches_are_right() -> None:
    branch = BertBranch(tiny_bert(), 3, frozen=False).double().eval()
    tokens = torch.tensor([[2, 5, 3], [2, 6, 0]])
    weights = (branch.project.weight, branch.bert.embeddings.LayerNorm.weight, branch.bert.embeddings.LayerNorm.bias)

    def run(*_: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = branch(tokens, tokens > 0)
        return answer

    assert torch.autograd.gradcheck(run, weights)
    sentences = VectorBranch(4, 3).double()
    assert torch.autograd.gradcheck(sentences, (torch.randn(2, 4, dtype=torch.float64, requires_grad=True),))


def test_padding_and_company_do_not_change_the_answer() -> None:
    branch = BertBranch(tiny_bert(), 4).double().eval()
    tokens = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0], [2, 5, 6, 3], [0, 0, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]]).bool()
    with torch.no_grad():
        together = branch(tokens, mask)
        alone = branch(tokens[1:2, :3], mask[1:2, :3])
        first = branch(tokens[:1], mask[:1])
    assert (together[1] - alone[0]).abs().max() <= 1e-7
    assert (together[0] - first[0]).abs().max() <= 1e-7
    assert torch.equal(together[0], together[2])
    assert torch.equal(together[3], torch.zeros(4, dtype=torch.float64))


def test_a_frozen_bert_stays_as_it_is() -> None:
    branch = BertBranch(tiny_bert(), 4).train()
    assert not branch.bert.training
    assert {name for name, p in branch.named_parameters() if p.requires_grad} == {"project.weight", "project.bias"}
    assert list(frozen_prefixes(branch)) == ["bert."]
    branch(torch.tensor([[2, 5, 3]]), torch.ones(1, 3).bool()).sum().backward()
    assert all(p.grad is None for p in branch.bert.parameters())


def test_an_open_bert_learns() -> None:
    branch = BertBranch(tiny_bert(), 4, frozen=False).train()
    branch(torch.tensor([[2, 5, 3], [2, 6, 3]]), torch.ones(2, 3).bool()).sum().backward()
    grad = branch.bert.embeddings.word_embeddings.weight.grad
    assert grad is not None
    assert grad.abs().sum() > 0
    assert list(frozen_prefixes(branch)) == []


def test_a_missing_sentence_gives_zeros() -> None:
    branch = VectorBranch(6, 3)
    torch.nn.init.ones_(branch.project.bias)
    vectors = torch.stack([torch.zeros(6), torch.ones(6)])
    answer = branch(vectors)
    assert torch.equal(answer[0], torch.zeros(3))
    torch.testing.assert_close(answer[1], torch.relu(branch.project(torch.ones(6))))


def test_a_frozen_bert_reads_equal_words_once_until_it_forgets() -> None:
    reads: list[int] = []
    bert = tiny_bert()
    bert.register_forward_hook(lambda *_: reads.append(1))
    branch = BertBranch(bert, 3)
    tokens, mask = torch.tensor([[5, 6, 0], [5, 6, 7]]), torch.tensor([[True, True, False], [True, True, True]])
    first = branch(tokens, mask)
    assert torch.equal(branch(tokens, mask), first)
    wider = torch.nn.functional.pad(tokens, (0, 2)), torch.nn.functional.pad(mask, (0, 2))
    torch.testing.assert_close(branch(*wider), first)  # padding makes no other words
    assert len(reads) == 1
    branch.forget()
    torch.testing.assert_close(branch(tokens, mask), first)
    assert len(reads) == 2
