"""Experiments of Protocol A from their data to a checkpoint, teachers first; what is there is not trained again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError

from understanding.build import CheckpointRefused, build_net, halved
from understanding.errors import MediaRefused
from understanding.labels import LabelGraph
from understanding.learning import checkpoints
from understanding.learning.discriminant import discriminant_scores
from understanding.learning.experiment import Experiment, draw_seed, is_same, named_experiment
from understanding.learning.lesson import Lesson
from understanding.learning.partial import priors, propensities
from understanding.learning.protocol_a import Known, ProtocolA, Records, Scores, known, load_protocol, score
from understanding.learning.ranks import gathered, own_place
from understanding.learning.streamed_runs import KIND as ROWS
from understanding.learning.streamed_runs import Scores as RowScores
from understanding.learning.streamed_runs import evaluate_rows, run_rows
from understanding.modeling.net import MultimodalNet, Net
from understanding.sentences import SentenceEncoder
from understanding.sizes import SIZES, Mix, Size, first_branch
from understanding.train import Progress, predict, train
from understanding.yt8m.shards import Videos, check_level, load_videos, shard_paths

KIND: Final = "protocol_a"  # of a checkpoint
SHIPPED: Final = Path(__file__).parent.parent / "weights" / "protocol-a.safetensors"
GRAPH_HIDDEN: Final = 256
SURE: Final = 1e-7  # no teacher is surer than this of a cell
SENTENCE: Final = 512  # width of a label's text vector

Report = Callable[[str, Progress], None]


@dataclass(frozen=True, slots=True)
class Head:
    """A trained checkpoint: the net, and the fine classes that its first outputs stand for."""

    net: Net
    classes: tuple[int, ...]
    about: dict[str, Any]  # the experiment, and the scores on the split that it was chosen by
    path: Path = Path()

    def probabilities(self, records: Records, *, without: str = "") -> NDArray[np.float32]:
        """Return the fine labels' probabilities (N, C), with `picture` or `sound` zeroed where asked."""
        picture, sound = torch.from_numpy(records.picture), torch.from_numpy(records.sound)
        picture = torch.zeros_like(picture) if without == "picture" else picture
        sound = torch.zeros_like(sound) if without == "sound" else sound
        told = _told(records) if self.is_told else None
        logits = predict(self.net, picture, sound, told)
        fine: NDArray[np.float32] = torch.sigmoid(logits)[:, : len(self.classes)].numpy()
        return fine

    @property
    def is_told(self) -> bool:
        """Say whether the net reads coarse labels, and so is a teacher only."""
        return isinstance(self.net, MultimodalNet) and self.net.told is not None

    def scores(self, records: Records) -> Scores:
        return score(
            records.fine,
            self.probabilities(records),
            self.probabilities(records, without="picture"),
            self.probabilities(records, without="sound"),
        )


def run(experiment: Experiment, data: ProtocolA, folder: Path, report: Report = lambda _name, _progress: None) -> Head:
    """Train the experiment under `folder`, its teachers first, or load what it left there."""
    place = folder / run_name(experiment)
    path = place / checkpoints.MODEL
    checkpoints.claim(place, data.digest)
    if path.is_file():
        head = load_head(path)
        if is_same(head.about["experiment"], experiment):
            return head
    told = known(data, experiment.hidden_share, experiment.seed, certified=experiment.certified)
    believed = None
    if experiment.teachers:
        believed = posterior(experiment, data, told, folder, report)
    net = net_of(experiment, data, told)
    name = run_name(experiment)
    trained = train(
        experiment,
        net,
        lesson(experiment, data, told, believed),
        place,
        validate=lambda net: asdict(Head(net, data.classes, {}).scores(data.choose)),
        report=lambda progress: report(name, progress),
    )
    if own_place().rank == 0:
        scores = Head(trained, data.classes, {}).scores(data.choose)
        save_head(path, trained, experiment, classes=data.classes, outputs=len(data.names), scores=scores)
    gathered(name)  # nobody looks for the file before it is there
    return load_head(path)


def train_on(experiment: Experiment, data: Path, folder: Path, report: Report) -> tuple[Path, dict[str, Any]]:
    """Train an experiment of any level on a folder of shards; return its checkpoint and its tune scores."""
    head = (
        run(experiment, load_protocol(data), folder, report)
        if experiment.level == "video"
        else run_rows(experiment, data, folder, report)
    )
    return head.path, head.about["scores"]


def run_name(experiment: Experiment) -> str:
    """Return the name of the run's folder."""
    variant = f"-variant{experiment.variant}" if experiment.variant else ""
    return f"{experiment.name}-hidden{experiment.hidden_share * 100:g}-seed{experiment.seed}{variant}"


def posterior(
    experiment: Experiment, data: ProtocolA, told: Known, folder: Path, report: Report
) -> NDArray[np.float32]:
    """Return what is believed of every fine cell of the training split: the teachers' mean probability on clean rows,
    moved by what each class's few known positives tell by themselves."""
    beliefs = []
    for number, name in enumerate(experiment.teachers):
        variant = experiment.teachers[:number].count(name)
        same = {"hidden_share": experiment.hidden_share, "seed": experiment.seed}
        teacher = named_experiment(name, variant=variant, **same)
        beliefs.append(run(teacher, data, folder, report).probabilities(data.train))
    mean = np.clip(np.mean(beliefs, axis=0), SURE, 1 - SURE)
    if experiment.discriminant:
        rows = np.concatenate([data.train.picture, data.train.sound], axis=1)
        scores = discriminant_scores(rows, told.states, told.certified)
        mean = 1 / (1 + np.exp(-np.log(mean / (1 - mean)) - experiment.discriminant * scores))
    believed: NDArray[np.float32] = np.where(told.certified, 0, mean).astype(np.float32)
    return believed


def lesson(experiment: Experiment, data: ProtocolA, told: Known, believed: NDArray[np.float32] | None) -> Lesson:
    """Put together what the run learns from: fine cells as far as they are known, then all coarse ones."""
    train_split, coarse = data.train, data.train.coarse
    fine_count, coarse_count = len(data.classes), coarse.shape[1]
    weights = np.ones(fine_count + coarse_count, np.float32)
    weights[fine_count:] = experiment.coarse_weight
    share, prior = propensities(told.states, told.certified), priors(told.states)
    return Lesson(
        picture=torch.from_numpy(train_split.picture),
        sound=torch.from_numpy(train_split.sound),
        states=torch.from_numpy(np.concatenate([told.states, coarse.astype(np.int8)], axis=1)),
        certified=torch.from_numpy(np.concatenate([told.certified, np.zeros_like(coarse)], axis=1)),
        weights=torch.from_numpy(weights),
        propensity=torch.from_numpy(np.concatenate([share, np.ones(coarse_count)]).astype(np.float32)),
        posterior=None
        if believed is None
        else torch.from_numpy(np.concatenate([believed, coarse.astype(np.float32)], axis=1)),
        told=_told(train_split),
        prior=torch.from_numpy(np.concatenate([prior, coarse.mean(axis=0)]).astype(np.float32)),
    )


def net_of(experiment: Experiment, data: ProtocolA, told: Known) -> Net:
    """Build the experiment's net; a head that knows the labels gets their names' vectors and the counted graph."""
    size = size_of(experiment.size, experiment.head)
    if isinstance(size, Size) and size.told:
        size = replace(size, told=data.train.coarse.shape[1])
    vectors = SentenceEncoder().encode(data.names) if experiment.head else None
    return build_net(
        size,
        classes=len(data.names),
        graph=told.graph(data.train.coarse),
        label_vectors=vectors,
        seed=draw_seed(experiment),
    )


def size_of(name: str, head: str) -> Size | Mix:
    """Return the named size, with another head where one is named."""
    size = SIZES[name]
    if not head:
        return size
    if isinstance(size, Mix):
        return Mix(tuple(replace(branch, head=head, graph_hidden=GRAPH_HIDDEN) for branch in size.branches))  # type: ignore[arg-type]  # an experiment is checked when it is read
    return replace(size, head=head, graph_hidden=GRAPH_HIDDEN)  # type: ignore[arg-type]  # an experiment is checked when it is read


def save_head(
    path: Path, net: Net, experiment: Experiment, *, classes: tuple[int, ...], outputs: int, scores: Scores
) -> None:
    """Write the weights in half precision, and beside them what they are and how they scored."""
    about = {
        "experiment": asdict(experiment),
        "classes": list(classes),
        "outputs": outputs,
        "told": outputs - len(classes),
        "scores": asdict(scores),
    }
    checkpoints.write(path, KIND, about, {key: halved(value) for key, value in net.state_dict().items()})


def load_head(path: Path) -> Head:
    """Load a checkpoint, or raise CheckpointRefused."""
    try:
        about, weights = checkpoints.read(path, KIND)
        made, outputs = about["experiment"], about["outputs"]
        blank = LabelGraph(np.zeros((outputs, outputs)))
        vectors = np.zeros((outputs, SENTENCE), np.float32)
        size = size_of(made["size"], made["head"])
        size = replace(size, told=about["told"]) if isinstance(size, Size) and size.told else size
        net = build_net(size, classes=outputs, graph=blank, label_vectors=vectors)
        net.load_state_dict(
            {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise checkpoints.refused(path, "Protocol A", error) from error
    return Head(net.eval(), tuple(about["classes"]), about, path)


def evaluate(checkpoint: Path, folder: Path) -> Scores | RowScores:
    """Score a checkpoint on every shard of a folder: one of Protocol A against the full fine labels."""
    if checkpoints.is_kind(checkpoint, ROWS):
        return evaluate_rows(checkpoint, folder)
    head = load_student(checkpoint)
    return head.scores(records_for(head, folder))


def load_student(checkpoint: Path) -> Head:
    """Load a checkpoint that needs no labels to be told, or raise CheckpointRefused."""
    head = load_head(checkpoint)
    if head.is_told:
        raise CheckpointRefused(
            f"{checkpoint}: it is a teacher, which has to be told labels", next_step="name its student"
        )
    return head


def records_for(head: Head, folder: Path) -> Records:
    """Read the video-level shards of a folder with the labels that a checkpoint was trained for."""
    check_level(shard_paths(folder)[0], "video")
    videos = load_videos(shard_paths(folder))
    _check_videos(videos, first_branch(SIZES[head.about["experiment"]["size"]]), folder)
    return Records(videos.picture, videos.sound, videos.truth(head.classes), np.zeros((len(videos), 0), bool))


def _check_videos(videos: Videos, size: Size, folder: Path) -> None:
    """Refuse shards without a video, or whose rows are not as wide as the net reads them."""
    if not len(videos):
        raise MediaRefused("no-examples", f"{folder} holds no video", next_step="Name shards that do.")
    found, wanted = (videos.picture.shape[1], videos.sound.shape[1]), (size.picture, size.sound)
    if found != wanted:
        raise MediaRefused(
            "wrong-features",
            f"{folder}: rows of {found[0]} (picture) and {found[1]} (sound), the net reads {wanted[0]} and {wanted[1]}",
            next_step="Name shards with the features that the net was trained on.",
        )


def _told(records: Records) -> torch.Tensor:
    """The coarse labels as a net reads them."""
    return torch.from_numpy(records.coarse.astype(np.float32))
