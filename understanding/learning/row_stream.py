"""Records of one row a second as batches, read a few blocks at a time."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from understanding.errors import MediaRefused
from understanding.learning.experiment import ExperimentRefused
from understanding.learning.partial import UNKNOWN
from understanding.learning.ranks import Place, gathered
from understanding.learning.row_task import RowTask
from understanding.modeling.inputs import Batch, pad_rows
from understanding.yt8m.examples import LOWEST, STEP, FrameExample
from understanding.yt8m.records import count_records
from understanding.yt8m.shards import Position, ShardStream, check_level, read_shard

T = TypeVar("T")

BLOCK: Final = 256  # records that are shuffled together: 90 MB of 300 rows
SAMPLE: Final = 64  # examples that tell how far features spread


@dataclass(frozen=True, slots=True)
class Rows:
    """B examples as they are stored: quantised rows with zeros behind them, their masks, and their cells (B, C)."""

    picture: Tensor  # (B, T, Dp) uint8
    picture_mask: Tensor  # (B, T) bool
    sound: Tensor  # (B, T, Ds) uint8
    sound_mask: Tensor  # (B, T) bool
    states: Tensor  # (B, C) int8

    def batch(self, device: torch.device) -> Batch:
        """Return the rows dequantised on a device, to which a quarter of the bytes travel so."""
        masks = [mask.to(device) for mask in (self.picture_mask, self.sound_mask)]
        picture, sound = (
            dequantised(rows.to(device), mask) for rows, mask in zip((self.picture, self.sound), masks, strict=True)
        )
        return Batch.of_rows(picture, masks[0], sound, masks[1])


def dequantised(rows: Tensor, mask: Tensor) -> Tensor:
    """Return q * (4 / 255) + (4 / 512) - 2 of rows (B, T, D), and zeros where the mask (B, T) has none."""
    return rows.float().mul_(STEP).add_(LOWEST).mul_(mask.unsqueeze(-1))


def gather(task: RowTask, examples: Sequence[FrameExample]) -> Rows:
    """Pad examples to the longest of them; a stream without rows has none that counts."""
    picture, picture_mask = pad_rows([_wide(example.rgb, task.picture) for example in examples])
    sound, sound_mask = pad_rows([_wide(example.audio, task.sound) for example in examples])
    states = torch.from_numpy(np.stack([task.states(example) for example in examples]))
    return Rows(picture, picture_mask, sound, sound_mask, states)


def _wide(rows: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    return rows if len(rows) else rows.reshape(0, width)


def batches(
    task: RowTask, paths: Sequence[Path], size: int, *, seed: int, place: Place, position: str
) -> Iterator[tuple[Rows, str]]:
    """Yield full batches from a position on to the end of its epoch, each with the position after it."""
    try:
        stream = ShardStream(
            paths,
            task.parse,
            cut=task.cut if task.level == "segment" else None,
            seed=seed,
            buffer=BLOCK,
            rank=place.rank,
            world=place.world,
            position=Position(**json.loads(position)),
        )
    except ValueError as error:
        raise ExperimentRefused(
            f"the run stopped inside an epoch of other shards: {error}", next_step="give it those, or another folder"
        ) from error
    examples = stream.epoch()
    while len(share := list(islice(examples, size))) == size:
        yield gather(task, share), json.dumps(asdict(stream.position))


def all_batches(task: RowTask, paths: Sequence[Path], size: int) -> Iterator[Rows]:
    """Yield every example of the shards, in their order."""
    examples = (piece for path in paths for video in read_shard(path, task.parse) for piece in task.cut(video))
    while share := list(islice(examples, size)):
        yield gather(task, share)


def check_examples(task: RowTask, paths: Sequence[Path]) -> None:
    """Refuse shards to be scored that are of another level, or hold no example of the task."""
    for path in paths:
        check_level(path, "frame")
    if next(all_batches(task, paths, 1), None) is None:
        what = "video" if task.level == "frame" else "segment that is rated in the classes"
        raise MediaRefused(
            "no-examples", f"{paths[0].parent} holds no {what}", next_step="Name shards that do, or another level."
        )


def ahead(values: Iterator[T]) -> Generator[T, None, None]:
    """Yield values of which a thread makes the next one while this one is used."""
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
        coming = pool.submit(next, values, None)
        while (value := coming.result()) is not None:
            coming = pool.submit(next, values, None)
            yield value


@dataclass(frozen=True, slots=True)
class Survey:
    """What shards hold: the examples of each, how many rated ones each class has among them (C,), and how far the
    features of a row spread, (Dp,) and (Ds,)."""

    examples: tuple[int, ...]
    rated: NDArray[np.int64]
    spread: tuple[Tensor, Tensor]


def survey(task: RowTask, paths: Sequence[Path], place: Place) -> Survey:
    """Count the examples of all shards, each process those that fall to it, or refuse shards of another level."""
    own = [_counted(task, path) for path in paths[place.rank :: place.world]]
    everywhere = gathered(own)
    counted = [everywhere[number % place.world][number // place.world] for number in range(len(paths))]
    rated = np.sum([entry[1] for entry in counted], axis=0)
    return Survey(tuple(entry[0] for entry in counted), rated, _spread(task, paths))


def _spread(task: RowTask, paths: Sequence[Path]) -> tuple[Tensor, Tensor]:
    """Return the standard deviations over the first examples of the shards: thousands of rows tell them well."""
    rows = next(all_batches(task, paths, SAMPLE), None)
    if rows is None:
        return torch.zeros(task.picture), torch.zeros(task.sound)
    batch = rows.batch(torch.device("cpu"))
    streams = batch.picture[batch.picture_mask], batch.sound[batch.sound_mask]
    picture, sound = (s.std(dim=0, correction=0) if len(s) else s.new_zeros(s.shape[1]) for s in streams)
    return picture, sound


def _counted(task: RowTask, path: Path) -> tuple[int, NDArray[np.int64]]:
    check_level(path, "frame")
    if task.level == "frame":
        count = count_records(path)
        return count, np.full(len(task.classes), count)
    states = [task.states(piece) for video in read_shard(path, task.parse) for piece in task.cut(video)]
    rated = np.zeros(len(task.classes), np.int64)
    for row in states:
        rated += row != UNKNOWN
    return len(states), rated
