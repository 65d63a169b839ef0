"""The word branches: BERT really loads, reads equal words once, and stays silent where nothing was said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from understanding.build import load_bert
from understanding.modeling.text import BertBranch, SentenceBranch, frozen_prefixes


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
    branch = SentenceBranch(6, 3)
    torch.nn.init.ones_(branch.project.bias)
    vectors = torch.stack([torch.zeros(6), torch.ones(6)])
    answer = branch(vectors)
    assert torch.equal(answer[0], torch.zeros(3))
    torch.testing.assert_close(answer[1], torch.relu(branch.project(torch.ones(6))))
