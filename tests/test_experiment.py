from __future__ import annotations

import inspect
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from understanding.learning import losses
from understanding.learning.experiment import (
    LOSS_OPTIONS,
    RANGES,
    Experiment,
    ExperimentRefused,
    Loss,
    experiment_names,
    experiment_of,
    find_experiment,
    is_same,
    load_experiment,
    named_experiment,
    protocol_names,
    to_json,
)

CSL = {"loss": "class-selective"}
TAUGHT = {"loss": "self-training"}


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
        ({"epochs": "three"}, "epochs is 'three'", "whole number"),
        ({"epochs": True}, "epochs is True", "whole number"),
        ({"epochs": 2.0}, "epochs is 2.0", "whole number"),
        ({"certified": "no"}, "certified is 'no'", "true or false"),
        ({"learning_rate": "1e-3"}, "learning_rate is '1e-3'", "1.0e-3"),
        ({"noise": 10**400}, "noise is 1000", "a number"),
        ({"noise": float("nan")}, "noise is nan", "0 to 10"),
        ({"coarse_weight": float("inf")}, "coarse_weight is inf", "0 to 1000"),
        ({"seed": -1}, "seed is -1", "0 to"),
        ({"seed": 1 << 62}, "seed is 4611", "0 to"),
        ({"variant": -1}, "variant is -1", "0 to"),
        ({"patience": -3}, "patience is -3", "0 to"),
        ({"weight_decay": -1}, "weight_decay is -1", "0 to"),
        ({"penalty": -0.1}, "penalty is -0.1", "0 to"),
        ({"distillation": -1}, "distillation is -1", "0 to"),
        ({"branches": -1}, "branches is -1", "0 to"),
        ({"coarse_weight": -1}, "coarse_weight is -1", "0 to"),
        ({"name": "../../evil"}, "name is '../../evil'", "letters, digits"),
        ({"name": "a/b"}, "name is 'a/b'", "letters, digits"),
        ({"name": ".hidden"}, "name is '.hidden'", "no dot first"),
        ({"name": "with\nline"}, "name is 'with", "letters, digits"),
        ({"name": ""}, "name is ''", "1 to 64"),
        ({"name": "x" * 65}, "name is 'xxx", "1 to 64"),
        ({"loss": "weighted", "loss_options": {"gamma": 1}}, "weighted has no option 'gamma'", "unknown_weight"),
        ({"loss_options": {"gamma": 1}}, "inverse-propensity has no option 'gamma'", "leave it out"),
        (CSL | {"loss_options": {"likly": 1}}, "no option 'likly'", "did you mean 'likely'"),
        (CSL | {"loss_options": {"likely": "abc"}}, "loss_options likely is 'abc'", "a number"),
        (CSL | {"loss_options": {"likely": True}}, "loss_options likely is True", "a number"),
        (CSL | {"loss_options": {"likely": -1}}, "loss_options likely is -1", "0 to"),
        (CSL | {"loss_options": {"clip": float("nan")}}, "loss_options clip is nan", "0 to 1"),
        (CSL | {"loss_options": [5]}, "loss_options is [5]", "numbers by name"),
        ({"loss": "focal"}, "loss is 'focal'", "inverse-propensity"),
        ({"hidden_share": 1.0}, "hidden_share is 1.0", "0.999"),
        ({"head": "grpah"}, "head is 'grpah'", "graph"),
        ({"size": "huge"}, "'huge'", "video-small"),
        ({"size": "vidoe-small"}, "'vidoe-small'", "did you mean 'video-small'"),
        ({"size": "desk-small"}, "desk-small reads words", "video-small"),
        ({"loss": "self-training"}, "teachers", "name them"),
        ({"discriminant": 0.5}, "added to what teachers believe", "name `teachers`"),
        ({"teachers": ["inverse-propensity"]}, "teachers", "another loss"),
        (TAUGHT | {"teachers": ["tolld"]}, "'tolld'", "did you mean 'told'"),
        (TAUGHT | {"teachers": ["frames-small"]}, "frames-small learns rows", "level video"),
        ({"batch": 0}, "batch is 0", "2 to"),
        ({"level": "frames"}, "level is 'frames'", "segment"),
        ({"level": "frame", "hidden_share": 0.5}, "hidden_share", "level video"),
        ({"level": "frame", "size": "desk-small"}, "desk-small reads words", "frame-small"),
        ({"level": "frame", "size": "video-told"}, "video-told reads words or labels", "frame-small"),
        ({"level": "segment", "head": "graph"}, "'graph'", "linear"),
        ({"level": "frame", "classes": [1, 1]}, "one twice", "once"),
        ({"classes": [1]}, "chooses its classes", "leave"),
        ({"classes": ["1"]}, "classes is ['1']", "whole numbers"),
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
    for sought in (named_experiment, find_experiment):
        with pytest.raises(ExperimentRefused, match="no experiment") as refusal:
            sought("self-trainin")
        assert refusal.value.next_step.startswith("did you mean 'self-training'? else use one of csl, ")
    with pytest.raises(ExperimentRefused, match="no experiment"):
        named_experiment("../experiments/told")


def test_an_experiment_is_found_by_name_or_by_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("loss: weighted\n", encoding="utf-8")
    assert find_experiment(str(path), seed=7) == load_experiment(path, seed=7)
    assert find_experiment("told", hidden_share=0.5) == named_experiment("told", hidden_share=0.5)


def test_every_refusal_of_a_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    for text in (b"a: [", b"a: \xff", b"name: 2024-13-45", b"a: b: c", b"? [1]\n: 2", b"1: 2"):
        path.write_bytes(text)
        with pytest.raises(ExperimentRefused, match=r"mine\.yaml: ") as refusal:
            load_experiment(path)
        assert "\n" not in str(refusal.value)
    with pytest.raises(ExperimentRefused, match="Is a directory"):
        load_experiment(tmp_path)


def test_every_number_has_a_range_and_its_default_lies_in_it() -> None:
    numbers = {f.name: f.default for f in fields(Experiment) if type(f.default) in {int, float}}
    assert numbers.keys() == RANGES.keys()
    experiment_of({"name": "x", **numbers})
    for key, ends in RANGES.items():
        for end in ends:
            taught = {"name": "x", "loss": "self-training", "teachers": ["told"]}
            assert getattr(experiment_of({**taught, key: end}), key) == end


def test_the_options_of_the_losses_are_what_they_take_by_name() -> None:
    for loss in get_args(Loss):
        parameters = inspect.signature(getattr(losses, loss.replace("-", "_"))).parameters.values()
        named = {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
        assert named == LOSS_OPTIONS.get(loss, {}).keys()


@pytest.mark.parametrize("name", ["mine", "a.b_c-1", "实验", "x" * 64])
def test_a_name_is_one_of_a_folder(name: str) -> None:
    assert experiment_of({"name": name}).name == name


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
    assert not is_same(saved | {"loss_options": {"likely": "abc"}}, experiment)
    assert not is_same({}, experiment)
    for before in ({"name": "my run"}, {"weight_decay": -1.0}, {"loss_options": {"gamma": 1.0}}):
        assert is_same(saved | before, replace(experiment, **before))
