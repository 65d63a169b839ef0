"""Experiments on records of one row a second, from a folder of shards to a checkpoint that can be scored again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from safetensors import SafetensorError

from understanding.build import build_net
from understanding.learning import checkpoints
from understanding.learning.experiment import Experiment, ExperimentRefused, draw_seed, is_same
from understanding.learning.ranks import gathered, own_place
from understanding.learning.row_stream import Rows, ahead, all_batches, check_examples
from understanding.learning.row_task import RowTask
from understanding.learning.streamed import StreamedLesson
from understanding.learning.tally import SegmentScores, SegmentTally, VideoScores, VideoTally
from understanding.modeling.net import Net
from understanding.sizes import SIZES, first_branch
from understanding.train import Progress, train
from understanding.yt8m.shards import shard_paths
from understanding.yt8m.vocabulary import read_segment_vocabulary, read_vocabulary

KIND: Final = "rows"  # of a checkpoint
CLASSES: Final = 3862  # of YouTube-8M, where no vocabulary tells
CHUNK: Final = 64  # examples that are scored at once

Scores = VideoScores | SegmentScores
Tally = TypeVar("Tally", VideoTally, SegmentTally)


@dataclass(frozen=True, slots=True)
class RowHead:
    """A trained checkpoint: the net, what it learned, and what the file says of it."""

    net: Net
    task: RowTask
    about: dict[str, Any]  # the experiment, the task, and the scores on the split that it was chosen by
    path: Path = Path()

    def scores(self, paths: Sequence[Path]) -> Scores:
        """Score the net on all examples of shards, of which there is one at least; each process reads its share."""
        if self.task.level == "frame":
            return self._counted(VideoTally(len(self.task.classes)), paths).scores()
        return self._counted(SegmentTally(), paths).scores()

    def _counted(self, tally: Tally, paths: Sequence[Path]) -> Tally:
        place, device = own_place(), next(self.net.parameters()).device
        for rows in ahead(all_batches(self.task, paths[place.rank :: place.world], CHUNK)):
            tally.add(self._probabilities(rows, device).numpy(), rows.states.numpy())
        counted = gathered(tally)
        for other in counted[1:]:
            counted[0].join(other)
        return counted[0]

    def _probabilities(self, rows: Rows, device: torch.device) -> torch.Tensor:
        with torch.inference_mode():
            return torch.sigmoid(self.net(rows.batch(device)).float()).cpu()


def run_rows(
    experiment: Experiment, data: Path, folder: Path, report: Callable[[str, Progress], None] = lambda _name, _at: None
) -> RowHead:
    """Train the experiment on `data`/train, chosen by `data`/tune, under `folder`, or load what it left there."""
    name = f"{experiment.name}-seed{experiment.seed}" + (f"-variant{experiment.variant}" if experiment.variant else "")
    path = folder / name / checkpoints.MODEL
    checkpoints.claim(path.parent, digest_of(data))
    if path.is_file():
        head = load_rows(path)
        if is_same(head.about["experiment"], experiment):
            return head
    place, task, tune = own_place(), task_of(experiment, data), shard_paths(data / "tune")
    lesson = StreamedLesson.of(task, shard_paths(data / "train"), place)
    check_examples(task, tune)
    trained = train(
        experiment,
        build_net(experiment.size, classes=len(task.classes), seed=draw_seed(experiment)),
        lesson,
        path.parent,
        validate=lambda net: asdict(RowHead(net, task, {}).scores(tune)),
        report=lambda progress: report(name, progress),
        chosen_by="gap" if task.level == "frame" else "map",
    )
    scores = RowHead(trained, task, {}).scores(tune)
    if place.rank == 0:
        save_rows(path, RowHead(trained, task, {}), experiment, scores)
    gathered(place.rank)  # nobody looks for the file before it is there
    return load_rows(path)


def digest_of(data: Path) -> str:
    """Return a sign of a data set: its shards by name and size, which tell gigabytes apart without reading them."""
    shards = [*shard_paths(data / "train"), *shard_paths(data / "tune")]
    listed = "\n".join(f"{path.parent.name}/{path.name} {path.stat().st_size}" for path in shards)
    return hashlib.sha256(listed.encode()).hexdigest()


def task_of(experiment: Experiment, data: Path) -> RowTask:
    """Return what the experiment learns: its classes, or the segment vocabulary's, or all."""
    size = first_branch(SIZES[experiment.size])
    listed, rated = data / "vocabulary.csv", data / "segment_vocabulary.csv"
    vocabulary = len(read_vocabulary(listed)) if listed.is_file() else CLASSES
    classes = experiment.classes
    if not classes and experiment.level == "segment" and rated.is_file():
        classes = tuple(entry.index for entry in read_segment_vocabulary(rated))
    if max(classes, default=0) >= vocabulary:
        raise ExperimentRefused(
            f"class {max(classes)} is not among the {vocabulary} of {listed}", next_step="name others in `classes`"
        )
    return RowTask(experiment.level, classes or tuple(range(vocabulary)), vocabulary, size.picture, size.sound)


def save_rows(path: Path, head: RowHead, experiment: Experiment, scores: Scores) -> None:
    """Write the weights in full, and beside them what they are and how they scored."""
    about = {"experiment": asdict(experiment), "task": asdict(head.task), "scores": asdict(scores)}
    weights = {key: value.detach().cpu().contiguous() for key, value in head.net.state_dict().items()}
    checkpoints.write(path, KIND, about, weights)


def load_rows(path: Path) -> RowHead:
    """Load a checkpoint, or raise CheckpointRefused."""
    try:
        about, weights = checkpoints.read(path, KIND)
        task = RowTask(**about["task"] | {"classes": tuple(about["task"]["classes"])})
        net = build_net(about["experiment"]["size"], classes=len(task.classes))
        net.load_state_dict(weights)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise checkpoints.refused(path, "rows a second", error) from error
    return RowHead(net.eval(), task, about, path)


def evaluate_rows(checkpoint: Path, folder: Path) -> Scores:
    """Score a checkpoint on every shard of a folder."""
    head, paths = load_rows(checkpoint), shard_paths(folder)
    check_examples(head.task, paths)
    return head.scores(paths)
