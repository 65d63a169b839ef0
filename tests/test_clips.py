"""Learning from few labelled clips: what is known of each cell, and a net that corrects its prior and stays near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from understanding.clip_labels import LabelledClip
from understanding.labels import Taxonomy, load_taxonomy
from understanding.learning.clips import Lesson, Recipe, answers, fit, held_out_answers, states_of
from understanding.learning.partial import UNKNOWN
from understanding.modeling.inputs import ShotInputs
from understanding.sizes import Size

pytestmark = pytest.mark.usefixtures("one_thread")

TAXONOMY = load_taxonomy()
TINY = Size(
    picture=6, sound=4, clusters=4, groups=2, hidden=8, reduction=2, dropout=0.1, standardised=True, head="outputs"
)
QUICK = Recipe(epochs=40, batch=16, rate=2e-2)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Taxonomy:
    path = tmp_path_factory.mktemp("t") / "taxonomy.yaml"
    path.write_text(
        "scene:\n  day: {zh: 日, en: day, excludes: [moon]}\n  night: {zh: 夜, en: night}\n"
        "thing:\n  car: {zh: 车, en: car}\n  moon: {zh: 月, en: moon}\n  train: {zh: 火车, en: train}\n",
        encoding="utf-8",
    )
    return load_taxonomy(path)


def labelled(coarse: str, *tags: str, source: str = "s") -> LabelledClip:
    return LabelledClip(Path("x.mp4"), coarse, frozenset(tags), source)


def lesson(taxonomy: Taxonomy, seed: int, *, dark: bool, source: str) -> Lesson:
    """Two shots whose picture rows tell night by their first number, one unit of noise around 0 or 3; the prior tells
    nothing of it."""
    rng = np.random.default_rng(seed)
    clip = labelled("night", "moon", source=source) if dark else labelled("day", "car", source=source)
    others = [labelled("night", "moon"), labelled("day", "car")]
    states = states_of([clip, *others], taxonomy)[0]
    shots = []
    for rows in (3, 1):
        picture = rng.normal(0, 1, (rows, 6)).astype(np.float32)
        picture[:, 0] += 3 * dark
        prior = np.full(len(taxonomy), -3.0, np.float32)
        shots.append(ShotInputs(100 + 20 * picture, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), None, prior))
    return Lesson(tuple(shots), (3.0, 1.0), states, source)


@pytest.fixture(scope="module")
def lessons(small: Taxonomy) -> list[Lesson]:
    return [lesson(small, k, dark=k % 2 == 0, source=f"s{k % 5}") for k in range(30)]


def test_coarse_labels_are_complete_and_fine_ones_as_far_as_listed() -> None:
    clips = [labelled("night", "tunnel"), labelled("race", "drift")]
    known = dict(zip(TAXONOMY.tags, states_of(clips, TAXONOMY).T.tolist(), strict=True))
    assert known["night"] == [1, 0]
    assert known["race"] == [0, 1]
    assert known["parking"] == [0, 0]
    assert known["tunnel"] == [1, 0]
    assert known["drift"] == [0, 1]
    assert known["snow"] == [UNKNOWN, UNKNOWN]  # this table never speaks of snow
    assert known["daylight"] == [0, UNKNOWN]  # but night excludes it


def test_a_net_learns_what_its_prior_does_not_know(small: Taxonomy, lessons: list[Lesson]) -> None:
    heard: list[float] = []
    net = fit(TINY, lessons, small, None, seed=1, recipe=QUICK, said=lambda _epoch, loss: heard.append(loss))
    assert heard[-1] < heard[0] / 2
    fresh = [lesson(small, 100 + k, dark=k < 10, source="new") for k in range(20)]
    logits = answers(net, fresh)
    night, moon, train = (small.index(tag) for tag in ("night", "moon", "train"))
    assert (logits[:10, night] > logits[10:, night].max()).mean() > 0.8
    assert logits[:10, moon].mean() > logits[10:, moon].mean() + 2
    assert abs(logits[:, train] + 3).max() < 1  # nothing is known of trains: the prior stands


def test_the_hold_keeps_answers_near_the_prior(small: Taxonomy, lessons: list[Lesson]) -> None:
    moved = []
    for hold in (0.0, 1.0):
        net = fit(TINY, lessons, small, None, seed=1, recipe=Recipe(epochs=40, rate=2e-2, hold=hold))
        moved.append(np.abs(answers(net, lessons) + 3).mean())
    assert moved[1] < moved[0] / 2


def test_equal_seeds_give_equal_nets_and_leave_the_generator_alone(small: Taxonomy, lessons: list[Lesson]) -> None:
    before = torch.random.get_rng_state()
    one, two, other = (answers(fit(TINY, lessons, small, None, seed=s, recipe=QUICK), lessons[:4]) for s in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.01


def test_no_net_answers_for_a_source_that_it_saw(small: Taxonomy) -> None:
    """Each source's clips have a picture of their own and labels by chance: held out they cannot be known."""
    rng = np.random.default_rng(3)
    marked = []
    for k in range(24):
        one = lesson(small, k, dark=bool(rng.random() < 0.5), source=f"s{k % 8}")
        shots = tuple(
            ShotInputs(np.eye(6, dtype=np.float32)[[k % 6]] * 50, s.sound, s.tokens, None, s.prior) for s in one.shots
        )
        marked.append(Lesson(shots, one.seconds, one.states, one.source))
    heard: list[str] = []
    table = held_out_answers(
        TINY, marked, small, None, seed=1, recipe=QUICK, always_held_out=frozenset({"s7"}), said=heard.append
    )
    assert heard == [f"s{k}" for k in range(8)]
    assert table.shape == (24, len(small))
    assert np.isfinite(table).all()
    without = [one for one in marked if one.source not in ("s0", "s7")]
    alone = answers(fit(TINY, without, small, None, seed=1, recipe=QUICK), [marked[0]])
    np.testing.assert_allclose(table[0], alone[0], atol=1e-6)


def test_there_is_nothing_to_learn_from_nothing(small: Taxonomy) -> None:
    with pytest.raises(ValueError, match="no lesson"):
        fit(TINY, [], small, None, seed=1)
