from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.tiny_yt8m import tiny_yt8m
from understanding.build import build_net
from understanding.learning.curves import Curves, read_log
from understanding.learning.experiment import Experiment, ExperimentRefused
from understanding.learning.lesson import Lesson
from understanding.modeling.net import Net
from understanding.sizes import Size
from understanding.train import Progress, epoch_line, learning_rate, main, predict, train

ROOT = Path(__file__).parent.parent
SIZE = Size(picture=1024, sound=128, temporal="mean", width=32, hidden=64, reduction=8, rectified=True, dropout=0.0)
EXPERIMENT = Experiment(
    "tiny", loss="unknown-negative", epochs=6, batch=16, learning_rate=0.01, noise=0.05, masking=0.1, weight_decay=0.0
)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    generator = torch.Generator().manual_seed(3)
    states = (torch.rand((64, 12), generator=generator) < 0.2).to(torch.int8)
    return Lesson(
        picture=torch.randn((64, 1024), generator=generator),
        sound=torch.randn((64, 128), generator=generator),
        states=states,
        certified=torch.zeros_like(states, dtype=torch.bool),
        weights=torch.ones(12),
        propensity=torch.ones(12),
    )


def net() -> Net:
    return build_net(SIZE, classes=12, seed=1)


def scores(lesson: Lesson, trained: Net) -> dict[str, float]:
    probabilities = torch.sigmoid(predict(trained, lesson.picture, lesson.sound))
    return {"gap": 1.0 - float((probabilities - lesson.states).abs().mean())}


def run(lesson: Lesson, folder: Path, experiment: Experiment = EXPERIMENT) -> Net:
    return train(experiment, net(), lesson, folder, validate=lambda trained: scores(lesson, trained))


def test_a_small_net_learns_a_small_set_by_heart(lesson: Lesson, tmp_path: Path) -> None:
    trained = run(lesson, tmp_path, replace(EXPERIMENT, epochs=40, noise=0.0, masking=0.0))
    believed = torch.sigmoid(predict(trained, lesson.picture, lesson.sound))
    assert ((believed > 0.5) == (lesson.states == 1)).all()
    log = read_log(tmp_path)
    assert log[-1]["loss"] < 0.05 * log[0]["loss"]


def test_equal_seeds_give_equal_runs_and_others_do_not(lesson: Lesson, tmp_path: Path) -> None:
    one, other = run(lesson, tmp_path / "one"), run(lesson, tmp_path / "other")
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert read_log(tmp_path / "one") == read_log(tmp_path / "other")
    run(lesson, tmp_path / "third", replace(EXPERIMENT, seed=9))
    assert read_log(tmp_path / "third")[0]["loss"] != read_log(tmp_path / "one")[0]["loss"]


@pytest.mark.parametrize(("save_every", "first"), [(0, 3 * 4 + 1), (2, 3 * 4 + 3)])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    lesson: Lesson, tmp_path: Path, save_every: int, first: int
) -> None:
    experiment = replace(EXPERIMENT, save_every=save_every)
    whole = run(lesson, tmp_path / "whole", experiment)
    seen: list[int] = []

    class PulledThePlug(Exception):
        pass

    def pull(progress: Progress) -> None:
        if progress.step == 3 * 4 + 2:  # in the middle of an epoch
            raise PulledThePlug

    def go_on(report: Callable[[Progress], None]) -> Net:
        return train(experiment, net(), lesson, tmp_path / "cut", validate=lambda n: scores(lesson, n), report=report)

    with pytest.raises(PulledThePlug):
        go_on(pull)
    assert [row["epoch"] for row in read_log(tmp_path / "cut")] == [0, 1, 2]
    resumed = go_on(lambda progress: seen.append(progress.step))
    assert seen[0] == first
    assert read_log(tmp_path / "cut") == read_log(tmp_path / "whole")
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_a_state_of_another_experiment_or_of_damage_is_not_taken_up(lesson: Lesson, tmp_path: Path) -> None:
    run(lesson, tmp_path, replace(EXPERIMENT, epochs=2))
    other = replace(EXPERIMENT, epochs=3, learning_rate=0.001)
    run(lesson, tmp_path, other)
    assert len(read_log(tmp_path)) == 3
    (tmp_path / "state.safetensors").write_bytes(b"damage")
    run(lesson, tmp_path, other)
    assert [row["epoch"] for row in read_log(tmp_path)] == [0, 1, 2]


def test_it_stops_where_nothing_gets_better_and_returns_the_best(lesson: Lesson, tmp_path: Path) -> None:
    told = iter([0.5, 0.9, 0.8, 0.7, 0.6, 0.5])
    seen: list[dict[str, torch.Tensor]] = []

    def validate(trained: Net) -> dict[str, float]:
        seen.append({key: value.clone() for key, value in trained.state_dict().items()})
        return {"gap": next(told)}

    best = train(replace(EXPERIMENT, patience=2), net(), lesson, tmp_path, validate=validate)
    assert len(seen) == 4
    assert all(torch.equal(value, seen[1][key]) for key, value in best.state_dict().items())


def test_curves_are_drawn_and_events_written(lesson: Lesson, tmp_path: Path) -> None:
    run(lesson, tmp_path, replace(EXPERIMENT, epochs=2))
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name.startswith("events.out.tfevents") for path in (tmp_path / "events").iterdir()] == [True]


def test_a_log_that_could_not_be_replaced_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Curves(tmp_path) as curves:
        curves.add(0, {"loss": 1.0, "gap": 0.5})
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", lambda *_: 1 / 0)  # as a kill between writing and replacing
            with pytest.raises(ZeroDivisionError):
                curves.add(1, {"loss": 0.5})
        assert read_log(tmp_path) == [{"epoch": 0, "loss": 1.0, "gap": 0.5}]


def test_the_rate_rises_and_falls() -> None:
    rates = [learning_rate(EXPERIMENT, step, 100) for step in range(100)]
    assert rates.index(max(rates)) in (9, 10)
    assert max(rates) == pytest.approx(EXPERIMENT.learning_rate)
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001 * max(rates)


def test_too_few_videos_are_refused(lesson: Lesson, tmp_path: Path) -> None:
    with pytest.raises(ExperimentRefused, match="fewer than one batch"):
        run(lesson, tmp_path, replace(EXPERIMENT, batch=65))


# --- as a program ----------------------------------------------------------------------------------------------------

CONFIG = "size: video-small\nloss: inverse-propensity\nepochs: {epochs}\nbatch: 32\n"


def command(data: Path, folder: Path, *before: str, epochs: int = 4) -> list[str]:
    config = folder.parent / "tiny.yaml"
    config.write_text(CONFIG.format(epochs=epochs), encoding="utf-8")
    program = [sys.executable, *before, "-m", "understanding.train"]
    return [*program, str(config), "--data", str(data), "--out", str(folder), "--hidden-share", "0.5"]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def run_folder(folder: Path) -> Path:
    return folder / "tiny-hidden50-seed0"


def test_the_program_tells_every_epoch_off_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tiny_yt8m(tmp_path / "yt8m", videos=96, tune=16)
    main(command(data, tmp_path / "runs", epochs=2)[3:])
    told = capsys.readouterr()
    assert json.loads(told.out)["checkpoint"] == str(run_folder(tmp_path / "runs") / "model.safetensors")
    said = [line for line in told.err.splitlines() if line.startswith("tiny-hidden50-seed0 epoch ")]
    assert len(said) == 2
    assert re.search(r"epoch 2 of 2: loss \d+\.\d{3} gap 0\.\d{3} .*, \d+ videos/s, 00:00 left$", said[1])


def test_an_epochs_line_tells_scores_rate_and_time() -> None:
    scores = {"gap": 0.81234, "map": 0.5, "videos": 9.0, "gap_no_sound": 0.7}
    at = Progress(2, 15, 300, 1500, 12.3456, 8123.4, 3723.9, scores)
    line = "a epoch 3 of 15: loss 12.346 gap 0.812 map 0.500 gap_no_sound 0.700, 8123 videos/s, 1:02:03 left"
    assert epoch_line("a", at) == line


@pytest.mark.parametrize(
    ("config", "changes", "said"),
    [
        ("tolld", [], "experiment-refused: there is no experiment or file 'tolld'. Next: did you mean 'told'?"),
        ("told", ["--hidden-share", "1.5"], "hidden_share is 1.5. Next: write 0 to 0.999"),
        ("told", ["--seed", "-1"], "seed is -1. Next: write 0 to"),
        ("told", [], "vocabulary.csv: No such file or directory. Next: Name the vocabulary file."),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(
    config: str, changes: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([config, "--data", str(tmp_path), "--out", str(tmp_path / "runs"), *changes])
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_killed_program_is_taken_up_with_the_same_losses(tmp_path: Path) -> None:
    data = tiny_yt8m(tmp_path / "yt8m")
    whole = subprocess.run(
        command(data, tmp_path / "whole"), env=environment(), cwd=ROOT, capture_output=True, text=True, check=True
    )
    answer = json.loads(whole.stdout)
    assert 0 <= answer["gap"] <= 1
    assert "epoch 4 of 4" in whole.stderr
    killed = subprocess.Popen(
        command(data, tmp_path / "cut"),
        env=environment(),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    give_up = time.monotonic() + 60
    while len(read_log(run_folder(tmp_path / "cut"))) < 2 and time.monotonic() < give_up:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (run_folder(tmp_path / "cut") / "model.safetensors").exists()
    subprocess.run(command(data, tmp_path / "cut"), env=environment(), cwd=ROOT, capture_output=True, check=True)
    assert read_log(run_folder(tmp_path / "cut")) == read_log(run_folder(tmp_path / "whole"))


@pytest.mark.slow
def test_two_processes_train_one_net(tmp_path: Path) -> None:
    data = tiny_yt8m(tmp_path / "yt8m")
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    line = command(data, tmp_path / "two", *torchrun, epochs=2)
    subprocess.run(line, env=environment(), cwd=ROOT, capture_output=True, check=True, timeout=120)
    assert [row["epoch"] for row in read_log(run_folder(tmp_path / "two"))] == [0, 1]
    assert (run_folder(tmp_path / "two") / "model.safetensors").exists()
