"""What a training loop learns from: batches that are augmented already, and what is known of each of them.

Every draw of a step follows from the experiment's seed, the number of the step and the rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from understanding.learning.augment import add_noise, mask_rows
from understanding.learning.experiment import Experiment, ExperimentRefused, draw_seed
from understanding.learning.ranks import Place
from understanding.modeling.inputs import Batch


@dataclass(frozen=True, slots=True)
class Cells:
    """What is known of one batch, see `Lesson`."""

    states: Tensor
    certified: Tensor
    weights: Tensor
    propensity: Tensor
    posterior: Tensor | None
    prior: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """One process's share of a step, on its device, and where its source stands after it (empty: nowhere special)."""

    batch: Batch
    cells: Cells
    after: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """Where an epoch of `steps` steps is taken up: at step `step` of it, where the source stood at `position`."""

    epoch: int
    steps: int
    step: int = 0
    position: str = ""


class Source(Protocol):
    """What a loop learns from."""

    def steps(self, experiment: Experiment, place: Place) -> int:
        """Return the steps of an epoch, the same on every process and at least one, or raise ExperimentRefused."""
        ...

    def portions(self, experiment: Experiment, start: Start, place: Place) -> Iterator[Portion]:
        """Yield what is left of the epoch's steps."""
        ...


@dataclass(frozen=True, slots=True)
class Lesson:
    """A split in memory: rows (N, Dp) and (N, Ds), states (N, C), ruled out cells (N, C), weights of the classes (C,).

    `posterior` (N, C) is what teachers believe, probabilities; `propensity` the share of open cells that is known, one
    number for each class; `told` (N, V) the labels that a teacher reads; `prior` (C,) how frequent each class is.
    """

    picture: Tensor
    sound: Tensor
    states: Tensor
    certified: Tensor
    weights: Tensor
    propensity: Tensor
    posterior: Tensor | None = None
    told: Tensor | None = None
    prior: Tensor | None = None

    def __len__(self) -> int:
        return len(self.states)

    def steps(self, experiment: Experiment, place: Place) -> int:  # noqa: ARG002  every process sees all of it
        if len(self) < experiment.batch:
            raise too_few(f"{len(self)} videos", experiment.batch)
        return len(self) // experiment.batch

    def portions(self, experiment: Experiment, start: Start, place: Place) -> Iterator[Portion]:
        """Yield the epoch's batches; what does not fill one is left for another epoch's order."""
        spread = tuple(stream.std(dim=0, correction=0) for stream in (self.picture, self.sound))
        seed = step_seed(experiment, start.epoch, -1)
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        for number in range(start.step, start.steps):
            rows = order[number * experiment.batch : (number + 1) * experiment.batch][place.rank :: place.world]
            seed = step_seed(experiment, start.epoch * start.steps + number, place.rank)
            batch = _augmented(experiment, self, rows, spread, torch.Generator().manual_seed(seed))
            yield Portion(batch.to(place.device), self.cells(rows, place.device))

    def cells(self, rows: Tensor, device: torch.device) -> Cells:
        """Return what is known of these videos."""
        posterior = None if self.posterior is None else self.posterior[rows].to(device).float()
        states, certified = self.states[rows].to(device), self.certified[rows].to(device)
        prior = None if self.prior is None else self.prior.to(device)
        return Cells(states, certified, self.weights.to(device), self.propensity.to(device), posterior, prior)


def step_seed(experiment: Experiment, number: int, rank: int) -> int:
    """Return what the draws of one step on one rank follow (or, with rank -1, the order of one epoch)."""
    return (draw_seed(experiment) * 1_000_003 + number) * 4_099 + rank + 1


def too_few(found: str, batch: int) -> ExperimentRefused:
    """Return the refusal of a split that fills no batch."""
    return ExperimentRefused(
        f"{found} are fewer than one batch of {batch}", next_step="lower `batch`, or train on more videos"
    )


def one_row(picture: Tensor, sound: Tensor, told: Tensor | None = None) -> Batch:
    """One row a video as a batch, (B, D) each; a row of zeros has no mask."""
    streams = [stream.unsqueeze(1) for stream in (picture, sound)]
    masks = [stream.any(dim=2) for stream in streams]
    return replace(Batch.of_rows(streams[0], masks[0], streams[1], masks[1]), told=told)


def _augmented(
    experiment: Experiment, lesson: Lesson, rows: Tensor, spread: tuple[Tensor, ...], generator: torch.Generator
) -> Batch:
    streams = (lesson.picture[rows], lesson.sound[rows])
    if experiment.noise:
        noisy = [add_noise(s, experiment.noise, generator, spread=d) for s, d in zip(streams, spread, strict=True)]
        streams = (noisy[0], noisy[1])
    if experiment.masking:
        masked = mask_rows(streams, experiment.masking, generator)
        streams = (masked[0], masked[1])
    return one_row(*streams, None if lesson.told is None else lesson.told[rows])
