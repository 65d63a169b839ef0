"""One training run as data: a YAML file a person can read, checked before anything is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import yaml

from understanding.errors import Refused
from understanding.sizes import SIZES, Classifier, Mix

Loss = Literal[
    "unknown-negative",
    "ignore-unknown",
    "open-cells",
    "weighted",
    "inverse-propensity",
    "partial-asymmetric",
    "class-selective",
    "self-training",
]
Head = Literal["", Classifier]  # "": the size's own
Level = Literal["video", "frame", "segment"]
FOLDER: Final = Path(__file__).parent / "experiments"


class ExperimentRefused(Refused):
    """An experiment that cannot be run. `str()` is the cause, with the file where it has one."""

    code = "experiment-refused"


@dataclass(frozen=True, slots=True)
class Experiment:
    """What a run trains, on what it knows, and how long. Shares and chances lie in 0..1."""

    name: str
    level: Level = "video"  # Protocol A; or rows a second, labelled by the video or by rated segments, from a stream
    classes: tuple[int, ...] = ()  # of the vocabulary, that rows a second are learned for; none named: all of them
    size: str = "video-small"
    seed: int = 0
    variant: int = 0  # another one has the same cells hidden, and other first weights and orders
    hidden_share: float = 0.9  # of Protocol A's fine cells, hidden by a mask that follows the seed
    loss: Loss = "inverse-propensity"
    loss_options: Mapping[str, float] = field(default_factory=dict)
    certified: bool = True  # what the coarse labels rule out counts as known negative
    teachers: tuple[str, ...] = ()  # experiments by name, one named n times in n variants; their mean fills the unknown
    head: Head = ""  # another classifier than the size's own
    penalty: float = 0.0  # weight of what a head asks to be added to the loss
    distillation: float = 0.0  # weight of the mixed nets' KL term
    branches: float = 0.0  # weight of the loss that each of the mixed nets has by itself
    coarse_weight: float = 1.0  # of the coarse cells against the fine ones
    noise: float = 0.1  # of a feature's standard deviation
    masking: float = 0.2  # chance of each modality to be taken away
    epochs: int = 15
    save_every: int = 0  # steps after which a state is kept inside an epoch too; 0: at its end alone
    patience: int = 0  # epochs without a better tune score after which it stops; 0: never
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.1  # share of the steps


def load_experiment(path: Path, **changes: Any) -> Experiment:
    """Read a YAML file; `changes` replace its values. Raises ExperimentRefused naming the file and the key."""
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ExperimentRefused(f"{path}: {error}", next_step="name a YAML file of an experiment") from error
    if not isinstance(read, dict):
        raise ExperimentRefused(f"{path}: it holds no keys", next_step="write `name: ...` and what differs")
    try:
        return experiment_of({"name": path.stem, **read, **changes})
    except ExperimentRefused as refusal:
        raise ExperimentRefused(f"{path}: {refusal.cause}", next_step=refusal.next_step) from None


def named_experiment(name: str, **changes: Any) -> Experiment:
    """Return one of the house's own experiments."""
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise ExperimentRefused(f"no experiment {name!r}", next_step=f"use one of {', '.join(experiment_names())}")
    return load_experiment(path, **changes)


def experiment_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def protocol_names() -> tuple[str, ...]:
    """Return the names of those that Protocol A consists of."""
    return tuple(name for name in experiment_names() if named_experiment(name).level == "video")


def experiment_of(values: Mapping[str, Any]) -> Experiment:
    """Return the experiment with these values, each checked."""
    experiment = _made(values)
    _check(experiment)
    return experiment


def _made(values: Mapping[str, Any]) -> Experiment:
    """Return the experiment with these values, each of its own type."""
    hints, known = get_type_hints(Experiment), {f.name for f in fields(Experiment)}
    for key in values:
        if key not in known:
            close = get_close_matches(str(key), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"its keys are {', '.join(sorted(known))}"
            raise ExperimentRefused(f"{key!r} is no key of an experiment", next_step=hint)
    experiment = Experiment(**{key: _read(key, value, hints[key]) for key, value in values.items()})
    if experiment.level != "video" and "hidden_share" not in values:
        return replace(experiment, hidden_share=0.0)
    return experiment


def is_same(saved: Mapping[str, Any], experiment: Experiment) -> bool:
    """Say whether values that were saved, perhaps before a key was added, are those of this experiment.

    How often a state is kept changes nothing of what is learned.
    """
    try:
        return replace(_made(saved), save_every=experiment.save_every) == experiment
    except ExperimentRefused:
        return False


def draw_seed(experiment: Experiment) -> int:
    """Return what first weights, orders and noise follow."""
    return experiment.seed + 1000 * experiment.variant


def to_json(experiment: Experiment) -> str:
    return json.dumps(asdict(experiment), sort_keys=True)


def _read(key: str, value: Any, wanted: Any) -> Any:
    if get_origin(wanted) is Literal and value in get_args(wanted):
        return value
    if key == "teachers" and isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return tuple(value)
    if key == "classes" and isinstance(value, list | tuple) and all(type(index) is int for index in value):
        return tuple(value)
    if key == "loss_options" and isinstance(value, Mapping):
        return {str(name): float(number) for name, number in value.items()}
    whole = isinstance(value, int) and not isinstance(value, bool)
    fits = {
        bool: isinstance(value, bool),
        int: whole,
        float: whole or isinstance(value, float),
        str: isinstance(value, str),
    }
    if fits.get(wanted):
        return float(value) if wanted is float else value
    options = f"one of {', '.join(get_args(wanted))}" if get_origin(wanted) is Literal else str(wanted)
    raise ExperimentRefused(f"{key} is {value!r}", next_step=f"write {options}")


def _check(experiment: Experiment) -> None:
    ranges = {
        "hidden_share": (0, 0.999),
        "noise": (0, 10),
        "masking": (0, 0.9),
        "warm_up": (0, 0.9),
        "epochs": (1, 10_000),
        "batch": (2, 1 << 20),
        "learning_rate": (0, 10),
        "save_every": (0, 1 << 40),
    }
    for key, (least, most) in ranges.items():
        if not least <= getattr(experiment, key) <= most:
            raise ExperimentRefused(f"{key} is {getattr(experiment, key)}", next_step=f"write {least} to {most}")
    if experiment.size not in SIZES:
        raise ExperimentRefused(f"no size {experiment.size!r}", next_step=f"use one of {', '.join(SIZES)}")
    if (experiment.loss == "self-training") != bool(experiment.teachers):
        raise ExperimentRefused("self-training needs `teachers`, and only it", next_step="name them, or another loss")
    if experiment.level != "video":
        _check_rows(experiment)
    elif experiment.classes:
        raise ExperimentRefused(
            "Protocol A chooses its classes itself", next_step="leave `classes` out, or set a level"
        )


def _check_rows(experiment: Experiment) -> None:
    """Refuse what only Protocol A has, and nets that read more than rows."""
    level, size = experiment.level, SIZES[experiment.size]
    only = {"hidden_share": experiment.hidden_share, "teachers": experiment.teachers}
    for key in (key for key, value in only.items() if value):
        raise ExperimentRefused(f"`{key}` does nothing at level {level}", next_step="leave it out, or use level video")
    branches = size.branches if isinstance(size, Mix) else (size,)
    if any(branch.words or branch.told for branch in branches):
        cause = f"size {experiment.size} reads words or labels, and records of level {level} carry none"
        raise ExperimentRefused(cause, next_step="use frame-small or another size of rows alone")
    if {experiment.head, *(branch.head for branch in branches)} - {"", "linear"}:
        raise ExperimentRefused(
            f"level {level} counts no label graph, which head {experiment.head!r} wants", next_step="use head linear"
        )
    if len(set(experiment.classes)) < len(experiment.classes) or min(experiment.classes, default=0) < 0:
        raise ExperimentRefused("`classes` names one twice, or below 0", next_step="name each index once")
