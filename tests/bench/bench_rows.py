"""Whether reading keeps up with training on rows a second: `python -m tests.bench.bench_rows [--batch N] [--runs N]`.

Videos per CPU second of each stage on one thread, medians of some runs, from the page cache: 512 records of 300 x 1152
in two shards. Reading is what a thread does ahead of the net; what follows is done where the net is, here on the CPU.
Figures, never asserted.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tests.bench.bench_net import medians, records, training
from tests.bench.bench_yt8m import drain
from understanding.build import build_net
from understanding.learning.experiment import Experiment
from understanding.learning.ranks import Place
from understanding.learning.row_stream import all_batches, batches
from understanding.learning.row_task import RowTask
from understanding.learning.streamed import StreamedLesson, augmented
from understanding.yt8m.examples import FrameExample, encode_frames
from understanding.yt8m.records import count_records, write_records

TASK = RowTask("frame", tuple(range(3862)), 3862, picture=1024, sound=128)
RECORDS = 512  # written in two shards
HERE = Place(0, 1, torch.device("cpu"))
EXPERIMENT = Experiment("bench", level="frame", noise=0.05, masking=0.2)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--batch", type=int, default=16)
    asked.add_argument("--runs", type=int, default=5)
    given = asked.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        stages = reading(tuple(map(shard, [Path(folder) / name for name in ("a.tfrecord", "b.tfrecord")])), given.batch)
        seconds = medians([work for _, work in stages.values()], given.runs)
    for (name, (videos, _)), taken in zip(stages.items(), seconds, strict=True):
        print(f"{name:40} {videos / taken:9,.1f} videos/CPU s", flush=True)
    for size in ("frame-small", "paper-k112"):
        batch, target = records(size, given.batch)
        net = build_net(size, classes=target.shape[1]).train()
        (taken,) = medians([training(net, partial(net, batch), target)], given.runs)
        print(f"{'a step of ' + size:40} {given.batch / taken:9,.1f} videos/CPU s", flush=True)


def reading(paths: tuple[Path, ...], size: int) -> dict[str, tuple[int, Callable[[], object]]]:
    """What happens to a record on its way to the net: how many videos each stage handles, and the work."""
    lesson = StreamedLesson.of(TASK, paths, HERE)
    rows = next(all_batches(TASK, paths, size))
    batch = rows.batch(HERE.device)
    generator = torch.Generator().manual_seed(0)
    return {
        "counted": (RECORDS, lambda: drain(map(count_records, paths))),
        "read, shuffled and padded": (
            RECORDS,
            lambda: drain(batches(TASK, paths, size, seed=0, place=HERE, position="{}")),
        ),
        "made floats": (size, lambda: rows.batch(HERE.device)),
        "noise and masking": (size, lambda: augmented(EXPERIMENT, batch, lesson.found.spread, generator)),
    }


def shard(path: Path) -> Path:
    rng = np.random.default_rng(0)
    rgb, audio = rng.integers(0, 256, (300, 1024), np.uint8), rng.integers(0, 256, (300, 128), np.uint8)
    videos = (FrameExample(f"v{n}", np.array([n]), rgb, audio) for n in range(RECORDS // 2))
    write_records(path, map(encode_frames, videos))
    return path


if __name__ == "__main__":
    main()
