from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from understanding.learning.experiment import (
    Experiment,
    ExperimentRefused,
    experiment_names,
    experiment_of,
    is_same,
    load_experiment,
    named_experiment,
    protocol_names,
    to_json,
)


def test_every_experiment_of_the_house_is_sound_and_its_teachers_are_there() -> None:
    names = experiment_names()
    assert {"inverse-propensity", "p-asl", "self-training", "head-graph"} <= set(names)
    assert {"frames-small", "segments-small"} == set(names) - set(protocol_names())
    assert {named_experiment(name).hidden_share for name in ("frames-small", "segments-small")} == {0.0}
    for name in protocol_names():
        experiment = named_experiment(name, seed=3, hidden_share=0.5)
        assert (experiment.name, experiment.seed, experiment.hidden_share) == (name, 3, 0.5)
        assert set(experiment.teachers) <= set(names)
        assert not any(named_experiment(teacher).teachers for teacher in experiment.teachers)


@pytest.mark.parametrize(
    ("values", "said", "hint"),
    [
        ({"epoch": 3}, "'epoch'", "epochs"),
        ({"epochs": "three"}, "epochs is 'three'", "int"),
        ({"epochs": True}, "epochs is True", "int"),
        ({"loss": "focal"}, "loss is 'focal'", "inverse-propensity"),
        ({"hidden_share": 1.0}, "hidden_share is 1.0", "0.999"),
        ({"head": "grpah"}, "head is 'grpah'", "graph"),
        ({"size": "huge"}, "'huge'", "video-small"),
        ({"loss": "self-training"}, "teachers", "name them"),
        ({"teachers": ["inverse-propensity"]}, "teachers", "another loss"),
        ({"batch": 0}, "batch is 0", "2 to"),
        ({"level": "frames"}, "level is 'frames'", "segment"),
        ({"level": "frame", "hidden_share": 0.5}, "hidden_share", "level video"),
        ({"level": "frame", "size": "desk-small"}, "desk-small reads words", "frame-small"),
        ({"level": "frame", "size": "video-told"}, "video-told reads words or labels", "frame-small"),
        ({"level": "segment", "head": "graph"}, "'graph'", "linear"),
        ({"level": "frame", "classes": [1, 1]}, "one twice", "once"),
        ({"classes": [1]}, "chooses its classes", "leave"),
        ({"classes": ["1"]}, "classes is ['1']", "int"),
    ],
)
def test_what_is_wrong_is_named_with_a_way_out(values: dict[str, Any], said: str, hint: str) -> None:
    with pytest.raises(ExperimentRefused, match=r"\w") as refusal:
        experiment_of({"name": "x", **values})
    assert said in refusal.value.cause
    assert hint in refusal.value.next_step


def test_a_file_is_read_and_named_in_its_refusal(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("loss: weighted\nloss_options: {unknown_weight: 0.5}\nnoise: 0\n", encoding="utf-8")
    assert load_experiment(path, seed=7) == Experiment(
        "mine", loss="weighted", loss_options={"unknown_weight": 0.5}, noise=0.0, seed=7
    )
    for text in ("a: [", "- list", "nosie: 1", ""):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ExperimentRefused, match=r"mine\.yaml"):
            load_experiment(path)
    with pytest.raises(ExperimentRefused, match=r"absent\.yaml"):
        load_experiment(tmp_path / "absent.yaml")
    with pytest.raises(ExperimentRefused, match="no experiment"):
        named_experiment("absent")


def test_equal_experiments_have_equal_text() -> None:
    one, other = named_experiment("weighted"), named_experiment("weighted")
    assert to_json(one) == to_json(other) != to_json(named_experiment("weighted", seed=1))


def test_an_experiment_saved_before_a_key_was_added_is_still_the_same() -> None:
    experiment = named_experiment("self-training")
    saved = json.loads(to_json(experiment))
    for key in ("level", "classes", "save_every"):
        del saved[key]
    assert is_same(saved, experiment)
    assert is_same(saved, named_experiment("self-training", save_every=5))
    assert not is_same(saved, named_experiment("self-training", seed=5))
    assert not is_same(saved | {"key-of-tomorrow": 1}, experiment)
