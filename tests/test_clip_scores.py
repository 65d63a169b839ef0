"""Protocol B's figures against cases worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from understanding.clip_labels import LabelledClip
from understanding.clip_scores import clip_logits, score_clips
from understanding.labels import load_taxonomy

TAXONOMY = load_taxonomy()


def clip(coarse: str, *tags: str, source: str = "") -> LabelledClip:
    return LabelledClip(Path("x.mp4"), coarse, frozenset(tags), source or f"{coarse}{len(tags)}{np.random.rand()}")


def answer(**logits: float) -> list[float]:
    row = np.full(len(TAXONOMY), -5.0)
    for tag, value in logits.items():
        row[TAXONOMY.index(tag.replace("_", "-"))] = value
    return row.tolist()


def test_the_coarse_label_is_the_likeliest_scene() -> None:
    clips = [clip("race"), clip("race"), clip("race"), clip("night")]
    rows = [answer(race=1, car=9), answer(race=2), answer(night=1, race=0), answer(night=3)]
    scores = score_clips(np.array(rows), clips, TAXONOMY)
    assert scores.coarse_top1 == 3 / 4
    assert scores.coarse_balanced == pytest.approx((2 / 3 + 1) / 2)
    assert scores.coarse_ap == {"race": pytest.approx(1)}  # ranked 2, 1, 0, -5; night has one source
    assert scores.coarse_map == pytest.approx(1)


def test_a_label_of_one_source_does_not_count_in_the_mean() -> None:
    clips = [clip("race", source="a"), clip("race", source="a"), clip("night", source="b"), clip("night", source="c")]
    rows = [answer(race=1), answer(race=1), answer(race=2), answer(night=1)]
    scores = score_clips(np.array(rows), clips, TAXONOMY)
    assert scores.coarse_ap == {
        "night": pytest.approx((1 + 2 / 4) / 2)
    }  # the other night ties with the races, and is third


def test_fine_tags_count_from_five_positives_on() -> None:
    clips = [clip("race", "car", "drift") for _ in range(4)] + [clip("race", "car"), clip("race")]
    rows = [answer(car=v, drift=v) for v in (6, 5, 4, 3, 1, 2)]
    scores = score_clips(np.array(rows), clips, TAXONOMY)
    assert scores.fine_tags == 1
    assert scores.fine_ap == {"car": pytest.approx((4 + 5 / 6) / 5)}
    assert scores.fine_map == scores.fine_ap["car"]


def test_no_clips_score_nothing() -> None:
    scores = score_clips(np.zeros((0, len(TAXONOMY))), [], TAXONOMY)
    assert (scores.clips, scores.coarse_top1, scores.coarse_map, scores.fine_tags) == (0, 0, 0, 0)


def test_a_clip_is_the_mean_of_its_shots_by_length() -> None:
    logits = np.array([[1.0, 0.0], [4.0, 3.0]], np.float32)
    assert clip_logits(logits, [2.0, 1.0]).tolist() == pytest.approx([2, 1])
