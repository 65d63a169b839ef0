"""A lesson that is streamed: records of one row a second, of which a few blocks are in memory at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from understanding.learning.augment import add_noise, mask_modalities
from understanding.learning.experiment import Experiment, ExperimentRefused, draw_seed
from understanding.learning.lesson import Cells, Portion, Start, step_seed, too_few
from understanding.learning.ranks import Place
from understanding.learning.row_stream import Rows, Survey, ahead, batches, survey
from understanding.learning.row_task import RowTask
from understanding.modeling.inputs import Batch
from understanding.yt8m.shards import Position, shard_order

APART: Final = 2048  # more ranks than any run has, so that no two seeds meet


@dataclass(frozen=True)
class StreamedLesson:
    """The shards of a training split and what is learned of them."""

    task: RowTask
    paths: tuple[Path, ...]
    found: Survey

    @classmethod
    def of(cls, task: RowTask, paths: Sequence[Path], place: Place) -> StreamedLesson:
        """Survey the shards, of which each process needs one. Every process must come by."""
        if len(paths) < place.world:
            raise ExperimentRefused(
                f"{len(paths)} shards cannot be divided among {place.world} processes",
                next_step="start fewer processes, or give more shards",
            )
        return cls(task, tuple(paths), survey(task, paths, place))

    def steps(self, experiment: Experiment, place: Place) -> int:
        """Return the steps that the shortest share of any epoch fills: no process waits for one that has run dry."""
        total = sum(self.found.examples)
        what = f"{total} videos" if self.task.level == "frame" else f"{total} rated segments"
        if total < experiment.batch:
            raise too_few(what, experiment.batch)
        if experiment.batch < 2 * place.world:
            raise ExperimentRefused(
                f"a batch of {experiment.batch} leaves one of {place.world} processes less than two examples",
                next_step=f"write `batch: {2 * place.world}` or more",
            )
        steps = min(self._steps(experiment, epoch, place.world) for epoch in range(experiment.epochs))
        if steps == 0:
            raise too_few(
                f"the {what} of {len(self.paths)} shards, shared by {place.world} processes,", experiment.batch
            )
        return steps

    def _steps(self, experiment: Experiment, epoch: int, world: int) -> int:
        order = shard_order(len(self.paths), draw_seed(experiment), epoch)
        examples = np.array(self.found.examples)[order]
        shares = (len(range(rank, experiment.batch, world)) for rank in range(world))
        return min(int(examples[rank::world].sum()) // share for rank, share in enumerate(shares))

    def portions(self, experiment: Experiment, start: Start, place: Place) -> Iterator[Portion]:
        """Yield what is left of the epoch's steps; what is over is left for another epoch's order."""
        read = batches(
            self.task,
            self.paths,
            place.share(experiment.batch),
            seed=draw_seed(experiment),
            place=place,
            position=start.position or json.dumps(asdict(Position(epoch=start.epoch))),
        )
        steps = range(start.step, start.steps)
        with closing(ahead(islice(read, len(steps)))) as loaded:
            for number, (rows, after) in zip(steps, loaded, strict=True):
                seed = noise_seed(experiment, start.epoch * start.steps + number, place)
                generator = torch.Generator(place.device).manual_seed(seed)
                batch = augmented(experiment, rows.batch(place.device), self.found.spread, generator)
                yield Portion(batch, self._cells(rows, place.device), after)

    def _cells(self, rows: Rows, device: torch.device) -> Cells:
        """Return what is known; each class's cells are known by a chance of its own, as it was rated."""
        states = rows.states.to(device)
        propensity = np.where(self.found.rated > 0, self.found.rated / sum(self.found.examples), 1.0)
        return Cells(
            states,
            certified=torch.zeros_like(states, dtype=torch.bool),
            weights=torch.ones(states.shape[1], device=device),
            propensity=torch.from_numpy(propensity.astype(np.float32)).to(device),
            posterior=None,
        )


def noise_seed(experiment: Experiment, number: int, place: Place) -> int:
    """Return what the noise of a step follows.

    On a GPU it is another seed than dropout's: all generators there count through one stream of numbers per seed, and
    noise and dropout would be one draw.
    """
    return step_seed(experiment, number, place.rank + (APART if place.device.type == "cuda" else 0))


def augmented(experiment: Experiment, batch: Batch, spread: tuple[Tensor, Tensor], generator: torch.Generator) -> Batch:
    """Return the batch with noise on its real rows, and without the modalities that are taken away."""
    if experiment.noise:
        streams = ((batch.picture, batch.picture_mask), (batch.sound, batch.sound_mask))
        picture, sound = (
            add_noise(rows, experiment.noise, generator, spread=deviation, mask=mask)
            for (rows, mask), deviation in zip(streams, spread, strict=True)
        )
        batch = replace(batch, picture=picture, sound=sound)
    return mask_modalities(batch, experiment.masking, generator) if experiment.masking else batch
