"""The GRU with attention: order matters, padding does not, no rows give zeros."""

from __future__ import annotations

import numpy as np
import torch

from understanding.modeling.gru import AttentiveGRU


def part(features: int = 6, hidden: int = 4) -> AttentiveGRU:
    torch.manual_seed(2)
    return AttentiveGRU(features, hidden=hidden).double().eval()


def test_equals_a_plain_walk_over_the_rows() -> None:
    gru = part()
    w = {name: value.detach().numpy() for name, value in gru.state_dict().items()}
    rows = np.random.default_rng(0).normal(size=(5, 6))

    def walk(order: range, name: str) -> np.ndarray:
        state, states = np.zeros(4), np.zeros((5, 4))
        for t in order:
            gi = w[f"{name}.weight_ih_l0"] @ rows[t] + w[f"{name}.bias_ih_l0"]
            gh = w[f"{name}.weight_hh_l0"] @ state + w[f"{name}.bias_hh_l0"]
            reset, update = (1 / (1 + np.exp(-(gi[i : i + 4] + gh[i : i + 4]))) for i in (0, 4))
            fresh = np.tanh(gi[8:] + reset * gh[8:])
            state = (1 - update) * fresh + update * state
            states[t] = state
        return states

    states = np.concatenate([walk(range(5), "ahead"), walk(range(4, -1, -1), "back")], axis=1)
    scores = np.tanh(states @ w["score.0.weight"].T + w["score.0.bias"]) @ w["score.2.weight"][0]
    weights = np.exp(scores) / np.exp(scores).sum()
    with torch.no_grad():
        padded = torch.cat([torch.from_numpy(rows), torch.full((3, 6), 7.0, dtype=torch.float64)])
        answer = gru(padded[None], torch.arange(8)[None] < 5)[0].numpy()
    np.testing.assert_allclose(answer, weights @ states, atol=1e-6)


def test_padding_does_not_change_the_answer_and_order_does() -> None:
    gru = part()
    rows = torch.randn(1, 5, 6, dtype=torch.float64)
    padded = torch.cat([rows, torch.full((1, 7, 6), 9.0, dtype=torch.float64)], dim=1)
    with torch.no_grad():
        alone = gru(rows, torch.ones(1, 5, dtype=torch.bool))
        among = gru(padded, torch.arange(12)[None] < 5)
        backwards = gru(rows.flip(1), torch.ones(1, 5, dtype=torch.bool))
    assert (alone - among).abs().max() <= 1e-7
    assert (alone - backwards).abs().max() > 1e-3


def test_no_rows_give_zeros() -> None:
    gru = part()
    answer = gru(torch.randn(2, 3, 6, dtype=torch.float64), torch.zeros(2, 3, dtype=torch.bool))
    assert torch.equal(answer, torch.zeros(2, gru.out_features, dtype=torch.float64))
