from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from factory.cli import main
from tests.tiny_yt8m import CLASSES, tiny_yt8m
from understanding.build import CheckpointRefused
from understanding.errors import MediaRefused
from understanding.learning import runs
from understanding.learning.experiment import Experiment, ExperimentRefused, Head, named_experiment
from understanding.learning.metrics import gap, mean_average_precision
from understanding.learning.partial import UNKNOWN
from understanding.learning.protocol_a import ProtocolA, known, load_protocol
from understanding.learning.report import BEGIN, END, Row, markdown, methods, protocol_rows, write_report
from understanding.learning.runs import load_head, run, run_name
from understanding.train import Progress
from understanding.yt8m.examples import VideoExample, encode_video
from understanding.yt8m.records import write_records

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = Experiment("quick", epochs=2, batch=32, hidden_share=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_yt8m(tmp_path_factory.mktemp("data") / "yt8m")


@pytest.fixture(scope="module")
def data(folder: Path) -> ProtocolA:
    return load_protocol(folder)


@pytest.fixture
def quick_teachers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teachers that are trained for a moment only."""

    def named(name: str, **changes: object) -> Experiment:
        return replace(named_experiment(name), size="video-small", epochs=2, batch=32, **changes)  # type: ignore[arg-type]  # changes are given by name

    monkeypatch.setattr(runs, "named_experiment", named)


def test_the_protocol_splits_and_hides(data: ProtocolA) -> None:
    assert (len(data.train), len(data.choose), len(data.report)) == (240, 40, 40)
    assert data.classes == tuple(range(CLASSES))
    assert len(data.names) == CLASSES + 6
    told = known(data, 0.9, 0, certified=True)
    assert (told.states != UNKNOWN).mean() == pytest.approx(0.1, abs=0.02)
    assert not (told.certified & data.train.fine).any()  # nothing that is there is ruled out
    ruled_out = ~(data.train.coarse @ data.belongs.T)
    assert (told.certified == ruled_out).all()
    assert not known(data, 0.9, 0, certified=False).certified.any()


def test_a_run_is_trained_once_and_loaded_after(data: ProtocolA, tmp_path: Path) -> None:
    steps: list[Progress] = []
    first = run(QUICK, data, tmp_path, lambda _name, at: steps.append(at))
    assert steps
    steps.clear()
    again = run(QUICK, data, tmp_path, lambda _name, at: steps.append(at))
    assert not steps
    assert (first.probabilities(data.report) == again.probabilities(data.report)).all()
    run(replace(QUICK, noise=0.2), data, tmp_path, lambda _name, at: steps.append(at))
    assert steps  # another experiment of the same name is another run


def test_a_folder_of_other_data_is_refused(data: ProtocolA, tmp_path: Path) -> None:
    run(QUICK, data, tmp_path)
    other = replace(data, classes=data.classes[1:])
    with pytest.raises(ExperimentRefused, match="other data"):
        run(QUICK, other, tmp_path)


def test_shards_that_a_checkpoint_cannot_read_are_refused(data: ProtocolA, tmp_path: Path) -> None:
    head = run(QUICK, data, tmp_path / "runs")
    labels, sound = np.array([1]), np.ones(128, np.float32)
    write_records(tmp_path / "narrow.tfrecord", [encode_video(VideoExample("v", labels, sound, sound))])
    with pytest.raises(MediaRefused, match=r"rows of 128 \(picture\) and 128 \(sound\), the net reads 1024 and 128"):
        runs.evaluate(head.path, tmp_path)
    write_records(tmp_path / "narrow.tfrecord", [])
    with pytest.raises(MediaRefused, match="no video"):
        runs.evaluate(head.path, tmp_path)


def test_half_precision_changes_no_figure_to_speak_of(data: ProtocolA, tmp_path: Path) -> None:
    head = run(QUICK, data, tmp_path)
    stored = torch.from_numpy(head.probabilities(data.choose))
    assert head.about["scores"]["gap"] == pytest.approx(gap(stored.numpy(), data.choose.fine), abs=2e-3)


@pytest.mark.usefixtures("quick_teachers")
def test_self_training_asks_its_teachers_first(data: ProtocolA, tmp_path: Path) -> None:
    experiment = replace(QUICK, name="taught", loss="self-training", teachers=("inverse-propensity", "ignore-unknown"))
    order: list[str] = []
    run(experiment, data, tmp_path, lambda name, _at: order.append(name))
    places = ["inverse-propensity-hidden50-seed0", "ignore-unknown-hidden50-seed0", "taught-hidden50-seed0"]
    assert list(dict.fromkeys(order)) == places
    assert {path.name for path in tmp_path.iterdir()} == set(places)


@pytest.mark.usefixtures("quick_teachers")
def test_the_few_known_positives_move_what_teachers_believe(data: ProtocolA, tmp_path: Path) -> None:
    experiment = replace(QUICK, name="taught", loss="self-training", teachers=("inverse-propensity",))
    told = known(data, 0.5, 0, certified=True)
    plain = runs.posterior(experiment, data, told, tmp_path, lambda _name, _at: None)
    moved = runs.posterior(replace(experiment, discriminant=1.0), data, told, tmp_path, lambda _name, _at: None)
    hidden = (told.states == UNKNOWN) & ~told.certified
    truth = data.train.fine & hidden
    assert mean_average_precision(moved * hidden, truth) > mean_average_precision(plain * hidden, truth) + 0.02
    assert not moved[told.certified].any()
    assert ((moved >= 0) & (moved <= 1)).all()


def test_a_teacher_that_is_told_the_coarse_labels_uses_them(data: ProtocolA, tmp_path: Path) -> None:
    told = run(replace(QUICK, name="told", size="video-told", loss="open-cells", epochs=8), data, tmp_path)
    others = replace(data.report, coarse=np.roll(data.report.coarse, 1, axis=1))
    assert (told.probabilities(data.report) != told.probabilities(others)).any()
    with pytest.raises(CheckpointRefused, match="teacher"):
        runs.evaluate(told.path, tmp_path)


@pytest.mark.parametrize("head", ["graph", "residual", "outputs", "attention", "regularised"])
def test_every_form_of_the_label_graph_trains_and_comes_back(data: ProtocolA, tmp_path: Path, head: Head) -> None:
    trained = run(replace(QUICK, name=head, head=head, epochs=1, penalty=0.01), data, tmp_path)
    back = load_head(tmp_path / run_name(replace(QUICK, name=head)) / "model.safetensors")
    believed = back.probabilities(data.choose)
    assert np.isfinite(believed).all()
    assert (believed == trained.probabilities(data.choose)).all()


def test_a_file_that_is_no_checkpoint_is_refused(data: ProtocolA, tmp_path: Path) -> None:
    with pytest.raises(CheckpointRefused, match="absent"):
        load_head(tmp_path / "absent.safetensors")
    run(QUICK, data, tmp_path)
    path = tmp_path / run_name(QUICK) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointRefused, match="not a checkpoint"):
        load_head(path)


def test_the_table_has_mean_and_spread_and_takes_its_place(data: ProtocolA, tmp_path: Path) -> None:
    head = run(QUICK, data, tmp_path)
    one = head.scores(data.report)
    row = Row("quick", 0.5, (one, replace(one, gap=one.gap + 0.2)))
    assert row.mean("gap") == pytest.approx(one.gap + 0.1)
    assert row.spread("gap") == pytest.approx(0.2 / 2**0.5)
    assert f"{one.gap + 0.1:.4f} ± {0.2 / 2**0.5:.4f}" in markdown([row])
    target = tmp_path / "report.md"
    target.write_text(f"# Words before\n{BEGIN}\nold\n{END}\nWords after\n", encoding="utf-8")
    write_report([row], target)
    write_report([row], target)
    text = target.read_text(encoding="utf-8")
    assert text.startswith("# Words before\n")
    assert text.endswith("\nWords after\n")
    assert text.count("| quick |") == 1
    assert "old" not in text
    assert (tmp_path / "protocol-a.png").read_bytes().startswith(b"\x89PNG")


def test_the_protocol_runs_every_method_with_every_seed(
    data: ProtocolA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def named(name: str, **changes: object) -> Experiment:
        return replace(named_experiment(name), epochs=1, batch=32, **changes)  # type: ignore[arg-type]  # changes are given by name

    monkeypatch.setattr("understanding.learning.report.named_experiment", named)
    monkeypatch.setattr(runs, "named_experiment", named)
    shown = {name for name in methods() if not named_experiment(name).head}
    rows = protocol_rows(data, tmp_path, names=sorted(shown), shares=(0.5,), seeds=(0,))
    assert {row.name for row in rows} == shown
    assert "told" not in shown  # it reads labels of the videos that it is scored on
    means = [row.mean("gap") for row in rows]
    assert means == sorted(means, reverse=True)
    two = protocol_rows(data, tmp_path, names=("weighted",), shares=(0.5,), seeds=(0, 1))
    assert [len(row.scores) for row in two] == [2]


def test_evaluate_keeps_its_contract(
    data: ProtocolA, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    head = run(QUICK, data, tmp_path)
    line = ["factory", "evaluate", "--yt8m", str(folder / "tune"), "--checkpoint", str(head.path), "--json"]
    monkeypatch.setattr("sys.argv", line)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"videos", "gap", "map", "classes", "hit1", "gap_no_picture", "gap_no_sound"}
    assert answer["videos"] == 80
    table = tmp_path / "classes.csv"
    monkeypatch.setattr("sys.argv", [*line, "--classes", str(table)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "calibration error 0." in capsys.readouterr().err
    lines = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [entry["name"] for entry in lines] == [f"Class {index}" for index in range(CLASSES)]
    whole = [*data.choose.fine, *data.report.fine]
    assert [int(entry["positives"]) for entry in lines] == np.sum(whole, axis=0).tolist()
    monkeypatch.setattr("sys.argv", [*line[:5], str(folder / "vocabulary.csv")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "checkpoint-refused" in capsys.readouterr().err
