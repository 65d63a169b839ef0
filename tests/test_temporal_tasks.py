"""Tasks that a mean cannot solve: the answer lies in rare rows, or in the order of rows or words. Each temporal part
learns one of them from a few hundred seeded examples and is right on fresh ones; the mean of the same rows guesses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from understanding.modeling.cnn import TemporalCNN
from understanding.modeling.frame_cnn import FrameCNN3D
from understanding.modeling.gru import AttentiveGRU
from understanding.modeling.mean import MeanRows
from understanding.modeling.nextvlad import NeXtVLAD
from understanding.modeling.text import BertBranch

FEATURES, SECONDS, WORDS = 12, 24, 20


pytestmark = pytest.mark.usefixtures("one_thread")


@dataclass(frozen=True)
class Examples:
    """n examples: (n, T, N) rows or (n, L) words, which of them are real (n, T), and the answer (n,), 0 or 1."""

    rows: Tensor
    mask: Tensor
    answer: Tensor


def rare_rows(count: int, seed: int) -> Examples:
    """Of 12 to 24 rows two are loud: one sign and its opposite along one of two directions, which is the answer.

    The pair sums to nothing, so that the mean of the rows tells nothing at all.
    """
    source = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, SECONDS, FEATURES, generator=source)
    answer = torch.randint(2, (count,), generator=source)
    lengths = torch.randint(12, SECONDS + 1, (count,), generator=source)
    for i in range(count):
        up, down = torch.randperm(int(lengths[i]), generator=source)[:2]
        loud = torch.zeros(FEATURES)
        loud[int(answer[i])] = 8.0
        rows[i, up] += loud
        rows[i, down] -= loud
    return Examples(rows, torch.arange(SECONDS) < lengths[:, None], answer)


def order_of_rows(count: int, seed: int) -> Examples:
    """Two events stand up to three rows apart somewhere among 12 to 24 rows; the answer is which came first."""
    source = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, SECONDS, FEATURES, generator=source) * 0.5
    answer = torch.randint(2, (count,), generator=source)
    lengths = torch.randint(12, SECONDS + 1, (count,), generator=source)
    for i in range(count):
        start = int(torch.randint(int(lengths[i]) - 3, (1,), generator=source))
        gap = int(torch.randint(1, 4, (1,), generator=source))
        first = int(answer[i])
        rows[i, start, first] += 5.0
        rows[i, start + gap, 1 - first] += 5.0
    return Examples(rows, torch.arange(SECONDS) < lengths[:, None], answer)


def direction(count: int, seed: int) -> Examples:
    """A spot crosses 6 to 8 frames of 12 x 12 pixels and comes in again where it left; the answer is which way."""
    source = torch.Generator().manual_seed(seed)
    frames = torch.rand(count, 8, 3, 12, 12, generator=source) * 0.3
    answer = torch.randint(2, (count,), generator=source)
    lengths = torch.randint(6, 9, (count,), generator=source)
    starts = torch.randint(12, (count, 2), generator=source)
    for i, (height, across) in enumerate(starts.tolist()):
        for second in range(8):
            step = second if answer[i] else -second
            frames[i, second, :, height, (across + 2 * step) % 12] += 2.0
    return Examples(frames, torch.arange(8) < lengths[:, None], answer)


def order_of_words(count: int, seed: int) -> Examples:
    """Six to ten words of a vocabulary of 20, among them "3" and "4" once each; the answer is which came first."""
    source = torch.Generator().manual_seed(seed)
    words = torch.randint(5, WORDS, (count, 10), generator=source)
    answer = torch.randint(2, (count,), generator=source)
    lengths = torch.randint(6, 11, (count,), generator=source)
    for i in range(count):
        early, late = torch.randperm(int(lengths[i]), generator=source)[:2].sort().values
        words[i, early], words[i, late] = (3, 4) if answer[i] else (4, 3)
    return Examples(words, torch.arange(10) < lengths[:, None], answer)


def tiny_bert() -> BertBranch:
    config = BertConfig(
        vocab_size=WORDS, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=16, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return BertBranch(BertModel(config), 16, frozen=False)


def small_frames() -> FrameCNN3D:
    return FrameCNN3D(8, slow=(6, 8), fast=(4, 6), stride=2)


class MeanWords(MeanRows):
    """The mean of what stands there, without order: a bag of words."""

    def __init__(self) -> None:
        super().__init__(WORDS, out=16)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        return super().forward(nn.functional.one_hot(rows, WORDS).float(), mask)


class MeanFrames(MeanRows):
    """The mean picture."""

    def __init__(self) -> None:
        super().__init__(3 * 12 * 12, out=16)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        return super().forward(rows.flatten(2), mask)


def share_right(
    make: Callable[[], nn.Module], task: Callable[[int, int], Examples], *, steps: int, rate: float
) -> float:
    """Train the part and a logistic layer on 512 examples, and return the share of 512 fresh ones it answers right."""
    with torch.random.fork_rng():
        torch.manual_seed(11)
        part = make()
        net = nn.ModuleDict({"part": part, "last": nn.Linear(int(part.out_features), 2)})  # type: ignore[arg-type]  # torch types attributes of modules as tensor or module
        optimiser = torch.optim.Adam(net.parameters(), lr=rate)
        seen = task(512, 1)
        for step in range(steps):
            some = slice(step % 8 * 64, step % 8 * 64 + 64)
            scores = net["last"](part(seen.rows[some], seen.mask[some]))
            optimiser.zero_grad()
            nn.functional.cross_entropy(scores, seen.answer[some]).backward()  # type: ignore[no-untyped-call]  # torch does not type it
            optimiser.step()
    net.eval()
    fresh = task(512, 2)
    with torch.no_grad():
        said = net["last"](part(fresh.rows, fresh.mask)).argmax(dim=1)
    return float((said == fresh.answer).float().mean())


@pytest.mark.parametrize(
    ("make", "task", "steps", "rate"),
    [
        pytest.param(
            lambda: NeXtVLAD(FEATURES, clusters=6, groups=2), rare_rows, 160, 0.01, id="NeXtVLAD finds rare rows"
        ),
        pytest.param(lambda: AttentiveGRU(FEATURES, hidden=12), order_of_rows, 120, 0.02, id="GRU hears the order"),
        pytest.param(lambda: TemporalCNN(FEATURES, hidden=12), order_of_rows, 120, 0.01, id="CNN sees the order"),
        pytest.param(small_frames, direction, 160, 0.01, id="3D CNN sees which way"),
        pytest.param(tiny_bert, order_of_words, 240, 0.005, id="BERT reads the order"),
    ],
)
def test_the_part_learns_what_a_mean_cannot(
    make: Callable[[], nn.Module], task: Callable[[int, int], Examples], steps: int, rate: float
) -> None:
    assert share_right(make, task, steps=steps, rate=rate) > 0.9


@pytest.mark.parametrize("task", [rare_rows, order_of_rows, order_of_words, direction])
def test_the_mean_guesses(task: Callable[[int, int], Examples]) -> None:
    others: dict[object, Callable[[], nn.Module]] = {order_of_words: MeanWords, direction: MeanFrames}
    make = others.get(task, lambda: MeanRows(FEATURES, out=16))
    assert share_right(make, task, steps=240, rate=0.01) < 0.6


def test_equal_seeds_learn_equally() -> None:
    first, second = (
        share_right(lambda: AttentiveGRU(FEATURES, hidden=4), order_of_rows, steps=12, rate=0.02) for _ in range(2)
    )
    assert first == second
