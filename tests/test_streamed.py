"""Training on shards of one row a second: what is learned, taken up, shared and refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from tests.tiny_rows import CLASSES, tiny_rows, tiny_segments
from tests.tiny_yt8m import tiny_yt8m
from understanding.build import CheckpointRefused, build_net
from understanding.errors import MediaRefused
from understanding.learning.curves import read_log
from understanding.learning.experiment import Experiment, ExperimentRefused, load_experiment
from understanding.learning.lesson import Start, step_seed
from understanding.learning.partial import UNKNOWN
from understanding.learning.ranks import Place
from understanding.learning.row_stream import ahead
from understanding.learning.row_task import RowTask
from understanding.learning.runs import evaluate, train_on
from understanding.learning.state import TrainingState
from understanding.learning.streamed import StreamedLesson, noise_seed
from understanding.learning.streamed_runs import RowHead, load_rows, run_rows
from understanding.modeling.net import Net
from understanding.sizes import Size
from understanding.train import Progress, partial_loss, train
from understanding.yt8m.shards import shard_paths

ROOT = Path(__file__).parent.parent
HERE = Place(0, 1, torch.device("cpu"))
SIZE = Size(picture=12, sound=6, clusters=6, groups=2, hidden=32, reduction=4, dropout=0.0)
TASK = RowTask("frame", tuple(range(CLASSES)), 10, picture=12, sound=6)
SEGMENTS = replace(TASK, level="segment")
EXPERIMENT = Experiment(
    "rare", level="frame", size="frame-small", loss="ignore-unknown", epochs=5, batch=32, learning_rate=0.02,
    noise=0.05, masking=0.0, weight_decay=0.0, save_every=3,
)  # fmt: skip


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_rows(tmp_path_factory.mktemp("rows") / "yt8m", [200, 90, 300, 10])


@pytest.fixture(scope="module")
def segments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_segments(tmp_path_factory.mktemp("segments") / "yt8m", [70, 120])


def lesson(folder: Path, task: RowTask = TASK) -> StreamedLesson:
    return StreamedLesson.of(task, shard_paths(folder / "train"), HERE)


def run(
    data: Path,
    folder: Path,
    experiment: Experiment = EXPERIMENT,
    task: RowTask = TASK,
    *,
    size: Size = SIZE,
    report: Callable[[Progress], None] = lambda _: None,
) -> Net:
    tune = shard_paths(data / "tune")
    return train(
        experiment,
        build_net(size, classes=CLASSES, seed=1),
        lesson(data, task),
        folder,
        validate=lambda net: asdict(RowHead(net, task, {}).scores(tune)),
        chosen_by="map",
        report=report,
    )


class Losses(dict[int, float]):
    """The loss of each step that a run reports."""

    def note(self, at: Progress) -> None:
        self.setdefault(at.step, at.loss)


def test_the_label_is_found_in_rare_rows(videos: Path, tmp_path: Path) -> None:
    run(videos, tmp_path)
    log = read_log(tmp_path)
    assert log[-1]["hit1"] > 0.9  # one of four by chance
    assert log[-1]["gap"] > 0.9
    assert log[-1]["videos"] == 64


def test_what_lies_in_rare_rows_is_not_in_their_mean(videos: Path, tmp_path: Path) -> None:
    run(videos, tmp_path, size=replace(SIZE, temporal="mean", width=16))
    assert read_log(tmp_path)[-1]["hit1"] < 0.5


def test_two_runs_are_equal_and_another_seed_is_not(videos: Path, tmp_path: Path) -> None:
    short = replace(EXPERIMENT, epochs=1, masking=0.2)
    one, other = run(videos, tmp_path / "one", short), run(videos, tmp_path / "other", short)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert read_log(tmp_path / "one") == read_log(tmp_path / "other")
    run(videos, tmp_path / "third", replace(short, seed=4))
    assert read_log(tmp_path / "third")[0]["loss"] != read_log(tmp_path / "one")[0]["loss"]


@pytest.mark.parametrize(("cut_at", "first"), [(5, 4), (17 + 8, 17 + 7)])
def test_a_run_that_was_cut_off_inside_an_epoch_goes_on_as_if_it_had_not(
    segments: Path, tmp_path: Path, cut_at: int, first: int
) -> None:
    experiment = replace(EXPERIMENT, level="segment", loss="inverse-propensity", epochs=2, masking=0.2)
    whole, resumed = Losses(), Losses()
    trained = run(segments, tmp_path / "whole", experiment, SEGMENTS, report=whole.note)

    class PulledThePlug(Exception):
        pass

    def pull(at: Progress) -> None:
        if at.step == cut_at:
            raise PulledThePlug

    with pytest.raises(PulledThePlug):
        run(segments, tmp_path / "cut", experiment, SEGMENTS, report=pull)
    again = run(segments, tmp_path / "cut", experiment, SEGMENTS, report=resumed.note)
    assert min(resumed) == first  # a state is kept every three steps of 17
    assert resumed == {step: loss for step, loss in whole.items() if step in resumed}
    assert read_log(tmp_path / "cut") == read_log(tmp_path / "whole")
    assert all(torch.equal(a, b) for a, b in zip(trained.parameters(), again.parameters(), strict=True))


def test_a_segment_is_five_rows_and_only_what_was_rated_counts(segments: Path) -> None:
    source = lesson(segments, SEGMENTS)
    assert source.found.examples == (210, 360)
    assert source.found.rated.sum() == 2 * 570
    experiment = replace(EXPERIMENT, level="segment", noise=0.0)
    portion = next(source.portions(experiment, Start(0, source.steps(experiment, HERE)), HERE))
    assert portion.batch.picture.shape == (32, 5, 12)
    states = portion.cells.states
    assert (states != UNKNOWN).sum(dim=1).tolist() == [2] * 32
    assert (states == 1).sum(dim=1).tolist() == [1] * 32
    loudest = portion.batch.picture[:, :, :CLASSES].amax(dim=1).argmax(dim=1)
    assert (loudest == states.argmax(dim=1)).all()
    for loss in ("ignore-unknown", "inverse-propensity"):
        logits = torch.zeros((32, CLASSES), requires_grad=True)
        partial_loss(replace(experiment, loss=loss), logits, portion.cells).backward()  # type: ignore[no-untyped-call]  # torch does not type it
        assert logits.grad is not None
        assert ((logits.grad != 0) == (states != UNKNOWN)).all()
    shares = source.found.rated / 570
    assert portion.cells.propensity.numpy() == pytest.approx(shares)


def test_segments_are_learned(segments: Path, tmp_path: Path) -> None:
    run(segments, tmp_path, replace(EXPERIMENT, level="segment", loss="inverse-propensity", epochs=4), SEGMENTS)
    last = read_log(tmp_path)[-1]
    assert last["map"] > 0.9  # half of what is rated is there
    assert (last["segments"], last["classes"]) == (3 * 64, CLASSES)


def test_an_epoch_gives_each_video_once_padded_and_dequantised(videos: Path) -> None:
    source = lesson(videos)
    quiet = replace(EXPERIMENT, noise=0.0, batch=30)
    assert source.steps(quiet, HERE) == 20
    portions = list(source.portions(quiet, Start(1, 20), HERE))
    assert len({row.numpy().tobytes() for portion in portions for row in portion.batch.picture}) == 600
    for portion in portions:
        batch = portion.batch
        assert batch.picture.shape[1] == int(batch.picture_mask.sum(dim=1).max())
        assert not batch.picture[~batch.picture_mask].any()
        assert (portion.cells.states.sum(dim=1) == 1).all()
        steps = (batch.picture[batch.picture_mask] - 4 / 512 + 2) * 255 / 4
        assert (steps - steps.round()).abs().max() < 1e-3
    first = next(source.portions(quiet, Start(2, 20), HERE))
    assert not torch.equal(first.cells.states, portions[0].cells.states)


def test_noise_and_masking_leave_padding_alone(videos: Path) -> None:
    source = lesson(videos)
    start = Start(0, source.steps(EXPERIMENT, HERE))
    plain, noisy, masked = (
        next(source.portions(replace(EXPERIMENT, noise=noise, masking=masking), start, HERE)).batch
        for noise, masking in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.9))
    )
    assert torch.equal(plain.picture_mask, noisy.picture_mask)
    assert not noisy.picture[~noisy.picture_mask].any()
    added = (noisy.picture - plain.picture)[plain.picture_mask].std(dim=0)
    torch.testing.assert_close(added, 0.5 * source.found.spread[0], rtol=0.15, atol=0.0)
    gone = torch.stack([~masked.picture_mask.any(dim=1), ~masked.sound_mask.any(dim=1)], dim=1)
    assert (gone.sum(dim=1) <= 1).all()  # one of both is left
    assert gone.any(dim=0).all()
    assert not masked.picture[gone[:, 0]].any()


def test_noise_on_a_gpu_follows_no_seed_of_dropout() -> None:
    ranks, steps = range(8), range(50)
    dropout = {step_seed(EXPERIMENT, step, rank) for step in steps for rank in (-1, *ranks)}
    noise = [noise_seed(EXPERIMENT, step, Place(rank, 8, torch.device("cuda:0"))) for step in steps for rank in ranks]
    assert len(set(noise)) == len(noise)
    assert not dropout & set(noise)


def test_ranks_agree_on_the_steps_of_the_shortest_share(videos: Path) -> None:
    source = lesson(videos)
    places = [Place(rank, 2, torch.device("cpu")) for rank in range(2)]
    assert len({source.steps(EXPERIMENT, place) for place in places}) == 1
    steps = source.steps(EXPERIMENT, places[0])
    assert 0 < steps < 300 // 16  # never half of all: shards are unequal
    for place in places:
        for epoch in range(EXPERIMENT.epochs):
            assert sum(1 for _ in source.portions(EXPERIMENT, Start(epoch, steps), place)) == steps


def test_reading_ahead_keeps_order_and_errors() -> None:
    def values() -> Iterator[int]:
        yield from range(3)
        raise MediaRefused("too-large", "the fourth", next_step="none")

    read = ahead(values())
    assert [next(read) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(MediaRefused, match="fourth"):
        next(read)


# --- as a run --------------------------------------------------------------------------------------------------------

CONFIG = """
level: {level}
classes: [3, 0, 1, 2]
size: frame-mean
loss: ignore-unknown
epochs: 2
batch: 8
learning_rate: 0.002
save_every: 3
"""


def config(folder: Path, level: str = "frame", **changes: object) -> Path:
    path = folder / f"{level}.yaml"
    path.write_text(CONFIG.format(level=level) + "".join(f"{k}: {v}\n" for k, v in changes.items()), encoding="utf-8")
    return path


def wide_rows(folder: Path) -> Path:
    return tiny_rows(folder, [70, 40, 90], tune=20, widths=(1024, 128), rows=6)


def told(data: Path, folder: Path, level: str = "frame", **changes: object) -> RowHead:
    return run_rows(load_experiment(config(folder, level, **changes)), data, folder / "runs")


def kept(folder: Path) -> int:
    """The step within its epoch that a run's state stands at."""
    try:
        with safe_open(folder / "state.safetensors", framework="pt") as opened:
            return int(json.loads(opened.metadata()["run"])["step"])
    except OSError:
        return 0


def command(path: Path, data: Path, out: Path, *before: str) -> list[str]:
    program = [sys.executable, *before, "-m", "understanding.train"]
    return [*program, str(path), "--data", str(data), "--out", str(out)]


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


@pytest.mark.slow
def test_a_killed_program_is_taken_up_inside_its_epoch(tmp_path: Path) -> None:
    data, path = wide_rows(tmp_path / "yt8m"), config(tmp_path, epochs=1, batch=4)  # long enough to be met inside
    whole = told(data, tmp_path, epochs=1, batch=4)
    killed = subprocess.Popen(
        command(path, data, tmp_path / "cut"), env=ENVIRONMENT, cwd=ROOT, stdout=subprocess.DEVNULL
    )
    folder, give_up = tmp_path / "cut" / "frame-seed0", time.monotonic() + 60
    while not kept(folder) and time.monotonic() < give_up:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert kept(folder) in range(3, 50, 3)
    assert not (folder / "model.safetensors").exists()
    resumed, scores = train_on(load_experiment(path), data, tmp_path / "cut", lambda _name, _at: None)
    assert read_log(folder) == read_log(whole.path.parent)
    one, other = load_file(resumed), load_file(whole.path)
    assert all(torch.equal(one[key], other[key]) for key in one.keys() | other.keys())
    assert scores == whole.about["scores"]


@pytest.mark.slow
def test_two_processes_finish_on_unequal_shards(tmp_path: Path) -> None:
    data = wide_rows(tmp_path / "yt8m")
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    line = command(config(tmp_path), data, tmp_path / "two", *torchrun)
    ended = subprocess.run(line, env=ENVIRONMENT, cwd=ROOT, capture_output=True, check=True, timeout=120, text=True)
    answer = json.loads(ended.stdout)
    head = load_rows(Path(answer.pop("checkpoint")))
    assert answer == head.about["scores"] == pytest.approx(asdict(evaluate(head.path, data / "tune")))
    assert [row["epoch"] for row in read_log(head.path.parent)] == [0, 1]


def test_a_checkpoint_comes_back_and_scores_the_same(tmp_path: Path) -> None:
    data = wide_rows(tmp_path / "yt8m")
    head = told(data, tmp_path, epochs=1)
    assert head.task.classes == (3, 0, 1, 2)
    assert asdict(evaluate(head.path, data / "tune")) == head.about["scores"]
    assert set(head.about["scores"]) == {"videos", "gap", "map", "classes", "hit1", "perr"}
    before = head.path.stat().st_mtime_ns
    assert told(data, tmp_path, epochs=1).path.stat().st_mtime_ns == before  # not trained again
    head.path.write_bytes(head.path.read_bytes()[:5000])
    with pytest.raises(CheckpointRefused, match="not a checkpoint"):
        load_rows(head.path)


def test_what_cannot_be_trained_on_is_refused_with_a_way_out(tmp_path: Path) -> None:
    rows, means = wide_rows(tmp_path / "rows"), tiny_yt8m(tmp_path / "means", videos=30, tune=10)
    (rows / "vocabulary.csv").write_bytes((means / "vocabulary.csv").read_bytes())
    with pytest.raises(MediaRefused, match="video-level records") as other:
        told(means, tmp_path)
    assert "level: video" in other.value.next_step
    quick = Experiment("quick", epochs=1, batch=8)
    with pytest.raises(MediaRefused, match="frame-level records") as other:
        train_on(quick, rows, tmp_path, lambda _name, _at: None)
    assert "level: frame" in other.value.next_step
    with pytest.raises(ExperimentRefused, match="200 videos are fewer than one batch of 201"):
        told(rows, tmp_path, batch=201)
    with pytest.raises(MediaRefused, match="holds no segment that is rated") as other:
        told(rows, tmp_path, "segment")
    assert other.value.code == "no-examples"
    with pytest.raises(ExperimentRefused, match="class 30 is not among the 30"):
        told(rows, tmp_path, classes=[30])
    with pytest.raises(ExperimentRefused, match="0 rated segments are fewer"):
        lesson(rows, replace(TASK, level="segment", picture=1024, sound=128)).steps(EXPERIMENT, HERE)
    with pytest.raises(ExperimentRefused, match="3 shards cannot be divided among 4 processes"):
        StreamedLesson.of(TASK, shard_paths(rows / "train"), Place(0, 4, torch.device("cpu")))
    narrow = tiny_rows(tmp_path / "narrow", [40])
    with pytest.raises(MediaRefused, match="12 wide and the net reads 1024"):
        told(narrow, tmp_path)
    with pytest.raises(CheckpointRefused, match="not a checkpoint of Protocol A"):
        evaluate(rows / "vocabulary.csv", rows)


def test_an_epoch_of_other_shards_or_processes_is_not_taken_up(videos: Path, tmp_path: Path) -> None:
    source = lesson(videos)
    portion = next(source.portions(EXPERIMENT, Start(0, 5), HERE))
    others = replace(source, paths=source.paths[1:])
    with pytest.raises(ExperimentRefused, match="inside an epoch of other shards"):
        next(others.portions(EXPERIMENT, Start(0, 5, 1, portion.after), HERE))
    state = TrainingState(positions=(portion.after, portion.after))
    assert state.position(1, 2) == portion.after
    with pytest.raises(ExperimentRefused, match="of 2 processes, and now there are 1") as refusal:
        state.position(0, 1)
    assert "2 processes" in refusal.value.next_step
