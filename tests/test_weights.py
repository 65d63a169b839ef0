"""The checkpoint that ships."""

from __future__ import annotations

from pathlib import Path

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
