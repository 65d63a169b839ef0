"""One training run as data: a YAML file a person can read, checked before anything is loaded."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import yaml

from understanding.errors import Refused
from understanding.sizes import SIZES, Classifier, Mix, Size

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

Ranges = Mapping[str, tuple[float, float]]
RANGES: Final[Ranges] = {  # of every number, both ends included
    "seed": (0, 1_000_000_000),
    "variant": (0, 1_000_000),
    "hidden_share": (0, 0.999),
    "discriminant": (0, 100),
    "penalty": (0, 1000),
    "distillation": (0, 1000),
    "branches": (0, 1000),
    "coarse_weight": (0, 1000),
    "noise": (0, 10),
    "masking": (0, 0.9),
    "epochs": (1, 10_000),
    "save_every": (0, 1 << 40),
    "patience": (0, 10_000),
    "batch": (2, 1 << 20),
    "learning_rate": (0, 10),
    "weight_decay": (0, 10),
    "warm_up": (0, 0.9),
}
_FOCUS: Final[Ranges] = {
    "gamma_positive": (0, 100),
    "gamma_negative": (0, 100),
    "gamma_unknown": (0, 100),
    "clip": (0, 1),
}
LOSS_OPTIONS: Final[Mapping[str, Ranges]] = {  # what `losses` take by name; the losses that are not here have none
    "weighted": {"unknown_weight": (0, 1000)},
    "partial-asymmetric": _FOCUS,
    "class-selective": {**_FOCUS, "prior_threshold": (0, 1), "likely": (0, 1 << 20)},
    "self-training": {"annotated_weight": (0, 1000)},
}
_NAME: Final = re.compile(r"[\w-][\w.-]{0,63}")  # a folder's
_WRITTEN: Final[Mapping[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number, and a point before an exponent: 1.0e-3",
    str: "text",
    tuple[int, ...]: "a list of whole numbers",
    tuple[str, ...]: "a list of names",
    Mapping[str, float]: "numbers by name",
}


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
    discriminant: float = 0.0  # weight of `discriminant_scores`, which are added to what the teachers believe
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


def find_experiment(config: str, **changes: Any) -> Experiment:
    """Return the house's own experiment of that name, or the one in that YAML file."""
    if config not in experiment_names() and Path(config).is_file():
        return load_experiment(Path(config), **changes)
    return named_experiment(config, **changes)


def load_experiment(path: Path, **changes: Any) -> Experiment:
    """Read a YAML file; `changes` replace its values. Raises ExperimentRefused naming the file and the key."""
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        cause = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise ExperimentRefused(f"{path}: {cause}", next_step="name a YAML file of an experiment") from error
    if not isinstance(read, dict):
        raise ExperimentRefused(f"{path}: it holds no keys", next_step="write `name: ...` and what differs")
    try:
        return experiment_of({"name": path.stem, **read, **changes})
    except ExperimentRefused as refusal:
        raise ExperimentRefused(f"{path}: {refusal.cause}", next_step=refusal.next_step) from None


def named_experiment(name: str, **changes: Any) -> Experiment:
    """Return one of the house's own experiments."""
    names = experiment_names()
    if name not in names:
        hint = f"{_did_you_mean(name, names)}use one of {', '.join(names)}, or name a YAML file"
        raise ExperimentRefused(f"there is no experiment or file {name!r}", next_step=hint)
    return load_experiment(FOLDER / f"{name}.yaml", **changes)


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
            hint = f"{_did_you_mean(str(key), known)}its keys are {', '.join(sorted(known))}"
            raise ExperimentRefused(f"{key!r} is no key of an experiment", next_step=hint)
    if "name" not in values:
        raise ExperimentRefused("an experiment has no name", next_step="write `name: ...`")
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


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]!r}? else " if close else ""


def _read(key: str, value: Any, wanted: Any) -> Any:
    """Return a value as its key has it; its range is checked elsewhere, so that runs of before can be read."""
    if get_origin(wanted) is Literal and value in get_args(wanted):
        return value
    if key == "teachers" and isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return tuple(value)
    if key == "classes" and isinstance(value, list | tuple) and all(type(index) is int for index in value):
        return tuple(value)
    if key == "loss_options" and isinstance(value, Mapping):
        return {str(name): _number(f"loss_options {name}", number) for name, number in value.items()}
    if wanted is float:
        return _number(key, value)
    if wanted in {bool, int, str} and type(value) is wanted:
        return value
    options = f"one of {', '.join(get_args(wanted))}" if get_origin(wanted) is Literal else _WRITTEN[wanted]
    raise ExperimentRefused(f"{key} is {value!r}", next_step=f"write {options}")


def _number(key: str, value: Any) -> float:
    if type(value) in {int, float}:
        with suppress(OverflowError):
            return float(value)
    raise ExperimentRefused(f"{key} is {value!r}", next_step=f"write {_WRITTEN[float]}")


def _check(experiment: Experiment) -> None:
    if not _NAME.fullmatch(experiment.name):
        hint = "write 1 to 64 letters, digits, `.`, `_` and `-`, and no dot first"
        raise ExperimentRefused(f"name is {experiment.name!r}", next_step=hint)
    for key, ends in RANGES.items():
        _check_range(key, getattr(experiment, key), ends)
    if experiment.size not in SIZES:
        hint = f"{_did_you_mean(experiment.size, SIZES)}use one of {', '.join(SIZES)}"
        raise ExperimentRefused(f"no size {experiment.size!r}", next_step=hint)
    _check_loss(experiment)
    if experiment.level == "video":
        _check_videos(experiment)
    else:
        _check_rows(experiment)


def _check_range(key: str, value: float, ends: tuple[float, float]) -> None:
    least, most = ends
    if not (math.isfinite(value) and least <= value <= most):
        raise ExperimentRefused(f"{key} is {value}", next_step=f"write {least} to {most}")


def _check_loss(experiment: Experiment) -> None:
    """Refuse options that the loss has not, and teachers that cannot teach."""
    known = LOSS_OPTIONS.get(experiment.loss, {})
    for name, value in experiment.loss_options.items():
        if name not in known:
            hint = f"{_did_you_mean(name, known)}its options are {', '.join(known)}" if known else "leave it out"
            raise ExperimentRefused(f"loss {experiment.loss} has no option {name!r}", next_step=hint)
        _check_range(f"loss_options {name}", value, known[name])
    if (experiment.loss == "self-training") != bool(experiment.teachers):
        raise ExperimentRefused("self-training needs `teachers`, and only it", next_step="name them, or another loss")
    if experiment.discriminant and not experiment.teachers:
        raise ExperimentRefused("`discriminant` is added to what teachers believe", next_step="name `teachers`")
    for name in dict.fromkeys(experiment.teachers):
        if named_experiment(name).level != "video":
            hint = "name an experiment of level video in `teachers`"
            raise ExperimentRefused(f"teacher {name} learns rows a second", next_step=hint)


def _check_videos(experiment: Experiment) -> None:
    """Refuse what only rows a second have, and nets that read more than Protocol A tells."""
    if experiment.classes:
        raise ExperimentRefused(
            "Protocol A chooses its classes itself", next_step="leave `classes` out, or set a level"
        )
    if any(branch.words for branch in _branches(experiment)):
        cause = f"size {experiment.size} reads words, and records of level video carry none"
        raise ExperimentRefused(cause, next_step="use video-small or another size without words")


def _check_rows(experiment: Experiment) -> None:
    """Refuse what only Protocol A has, and nets that read more than rows."""
    level, branches = experiment.level, _branches(experiment)
    only = {"hidden_share": experiment.hidden_share, "teachers": experiment.teachers}
    for key in (key for key, value in only.items() if value):
        raise ExperimentRefused(f"`{key}` does nothing at level {level}", next_step="leave it out, or use level video")
    if any(branch.words or branch.told for branch in branches):
        cause = f"size {experiment.size} reads words or labels, and records of level {level} carry none"
        raise ExperimentRefused(cause, next_step="use frame-small or another size of rows alone")
    if {experiment.head, *(branch.head for branch in branches)} - {"", "linear"}:
        raise ExperimentRefused(
            f"level {level} counts no label graph, which head {experiment.head!r} wants", next_step="use head linear"
        )
    if len(set(experiment.classes)) < len(experiment.classes) or min(experiment.classes, default=0) < 0:
        raise ExperimentRefused("`classes` names one twice, or below 0", next_step="name each index once")


def _branches(experiment: Experiment) -> tuple[Size, ...]:
    size = SIZES[experiment.size]
    return size.branches if isinstance(size, Mix) else (size,)
