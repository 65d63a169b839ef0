"""Protocol B: baselines learn from other sources alone, and the bootstrap is paired."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from understanding.clip_labels import LabelledClip
from understanding.labels import load_taxonomy
from understanding.learning.clips import Lesson, states_of
from understanding.learning.protocol_b import FIGURES, baselines, compared
from understanding.modeling.inputs import ShotInputs

pytestmark = pytest.mark.usefixtures("one_thread")

TAXONOMY = load_taxonomy()
Table = tuple[list[LabelledClip], list[Lesson]]


def clips_and_lessons(count: int, *, told: bool) -> Table:
    """Clips of two scenes and eight sources; where `told`, the first number of the picture says which."""
    rng = np.random.default_rng(7)
    night = rng.random(count) < 0.4
    scenes = {True: ("night", frozenset({"tunnel"})), False: ("race", frozenset({"drift", "car"}))}
    clips = [LabelledClip(Path(f"{k}.mp4"), *scenes[bool(dark)], f"s{k % 8}") for k, dark in enumerate(night)]
    lessons = []
    for clip, dark, states in zip(clips, night, states_of(clips, TAXONOMY), strict=True):
        picture = rng.normal(0, 1, (3, 20)).astype(np.float32)
        picture[:, 0] += 6 * dark * told
        shot = ShotInputs(picture, np.zeros((0, 128), np.float32), np.zeros(0, np.int64), None, None)
        lessons.append(Lesson((shot,), (3.0,), states, clip.source))
    return clips, lessons


@pytest.fixture(scope="module")
def told() -> Table:
    return clips_and_lessons(48, told=True)


def test_regression_learns_what_the_picture_tells_and_no_more(told: Table) -> None:
    clips, lessons = told
    answers = baselines(lessons, clips, TAXONOMY, always_held_out=frozenset({"s7"}))
    scored = {one.name: one.scores for one in compared(answers["majority"], answers, clips, TAXONOMY, draws=5)}
    assert scored["logistic regression, picture"].coarse_top1 > 0.9
    assert scored["logistic regression, picture, words, sound"].fine_map > 0.9
    assert scored["majority"].coarse_top1 == pytest.approx(np.mean([clip.coarse == "race" for clip in clips]))


def test_what_only_ones_own_source_tells_is_not_learned() -> None:
    clips, lessons = clips_and_lessons(48, told=False)
    answers = baselines(lessons, clips, TAXONOMY, always_held_out=frozenset())
    scores = compared(answers["logistic regression, picture"], {}, clips, TAXONOMY, draws=5)[0].scores
    assert scores.coarse_top1 < 0.75


def test_the_bootstrap_is_paired_seeded_and_holds_the_figure(told: Table) -> None:
    clips, lessons = told
    answers = baselines(lessons, clips, TAXONOMY, always_held_out=frozenset())
    best = answers["logistic regression, picture"]
    found = compared(best, {"same": best, "majority": answers["majority"]}, clips, TAXONOMY, draws=50, seed=3)
    assert found == compared(best, {"same": best, "majority": answers["majority"]}, clips, TAXONOMY, draws=50, seed=3)
    tagger, same, majority = found
    assert same.ahead == dict.fromkeys(FIGURES, 0.0)  # on the same draws nothing is ahead of itself
    assert majority.ahead["coarse_top1"] > 0.95
    for figure in FIGURES:
        low, high = tagger.interval[figure]
        assert low <= getattr(tagger.scores, figure) + 1e-9
        assert low <= high <= 1
