"""The checkpoints that ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from understanding.build import SHIPPED_TAGGER, TAGGER_SIZE, load_tagger, read_about
from understanding.clip_scores import evaluate_clips
from understanding.labels import load_taxonomy
from understanding.learning.experiment import is_same, named_experiment
from understanding.learning.protocol_a import Scores
from understanding.learning.runs import SHIPPED, evaluate, load_student


def test_the_shipped_head_is_what_its_card_says() -> None:
    assert SHIPPED.stat().st_size < 20_000_000
    head = load_student(SHIPPED)
    assert len(set(head.classes)) == 400
    made = head.about["experiment"]
    assert (made["name"], made["hidden_share"], made["size"]) == ("self-training-mix3", 0.9, "video-mix3")
    assert is_same(made, named_experiment("self-training-mix3", seed=made["seed"]))


def test_it_scores_on_real_records(yt8m: Path) -> None:
    scores = evaluate(SHIPPED, yt8m / "tune")
    assert isinstance(scores, Scores)
    assert scores.videos > 5000
    assert scores.gap > 0.72
    assert scores.map > 0.5  # over all classes with ten positives in both halves
    assert scores.gap_no_picture > 0.42


def test_the_shipped_tagger_knows_what_it_was_made_from() -> None:
    assert SHIPPED_TAGGER.stat().st_size < 20_000_000
    about = read_about(SHIPPED_TAGGER)
    assert about["size"] == TAGGER_SIZE
    assert set(about["tags"]) <= set(load_taxonomy().tags)
    assert len(about["clips"]) == about["held_out"]["clips"] == 58
    assert not any(
        name in clip for clip in about["clips"] for name in ("pancake", "makeup", "pool-cleaning")
    )  # Kinetics, UCF
    assert 0 < about["calibration"]["scale"] < 3


@pytest.mark.media
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_tags_real_clips_that_it_never_saw(media: Path, tmp_path: Path) -> None:
    folder = media / "measure-only"
    found = evaluate_clips(folder, folder / "labels.csv", load_tagger(tmp_path, checkpoint=SHIPPED_TAGGER))
    assert found.refused == ()
    assert found.scores.clips == 17
    assert found.scores.coarse_top1 > 0.6
    assert found.scores.fine_ap["car"] > 0.5
