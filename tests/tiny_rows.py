"""Small frame-level shards whose labels lie in rare rows: one class, or one rated segment, is loud in a row or two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understanding.yt8m.examples import FrameExample, Segment, encode_frames, quantise
from understanding.yt8m.records import write_records

CLASSES = 4
Rows = NDArray[np.float64]


def tiny_rows(
    folder: Path, shards: Sequence[int], *, tune: int = 64, widths: tuple[int, int] = (12, 6), rows: int = 12
) -> Path:
    """Write `train/` (a shard of each size) and `tune/` (two): of each video's rows, at most `rows`, two are loud.

    They are loud along the direction of its one label and against it, so that the mean of all rows tells nothing.
    """
    rng = np.random.default_rng(7)
    for split, sizes in (("train", shards), ("tune", [tune // 2] * 2)):
        (folder / split).mkdir(parents=True)
        for shard, size in enumerate(sizes):
            videos = (_video(rng, f"{split}{shard}-{n}", widths, rows) for n in range(size))
            write_records(folder / split / f"{split}{shard:02}.tfrecord", map(encode_frames, videos))
    return folder


def tiny_segments(folder: Path, shards: Sequence[int], *, tune: int = 64, widths: tuple[int, int] = (12, 6)) -> Path:
    """Write the same folders with three rated segments a video; each is rated in two classes, of which one is there."""
    rng = np.random.default_rng(8)
    for split, sizes in (("train", shards), ("tune", [tune // 2] * 2)):
        (folder / split).mkdir(parents=True)
        for shard, size in enumerate(sizes):
            videos = (_rated(rng, f"{split}{shard}-{n}", widths) for n in range(size))
            write_records(folder / split / f"{split}{shard:02}.tfrecord", map(encode_frames, videos))
    return folder


def _video(rng: np.random.Generator, name: str, widths: tuple[int, int], most: int) -> FrameExample:
    rgb, audio = _noise(rng, int(rng.integers(most // 2, most + 1)), widths)
    label = int(rng.integers(CLASSES))
    up, down = rng.permutation(len(rgb))[:2]
    rgb[up, label] += 1.8
    rgb[down, label] -= 1.8
    return FrameExample(name, np.array([label]), quantise(rgb), quantise(audio))


def _rated(rng: np.random.Generator, name: str, widths: tuple[int, int]) -> FrameExample:
    rgb, audio = _noise(rng, 20, widths)
    segments = []
    for start in (0, 5, 15):
        present, absent = (int(label) for label in rng.permutation(CLASSES)[:2])
        rgb[start + rng.integers(5), present] += 1.8
        segments += [Segment(present, start, start + 5, 1.0), Segment(absent, start, start + 5, 0.0)]
    return FrameExample(name, np.array([CLASSES - 1]), quantise(rgb), quantise(audio), tuple(segments))


def _noise(rng: np.random.Generator, rows: int, widths: tuple[int, int]) -> tuple[Rows, Rows]:
    return rng.normal(scale=0.2, size=(rows, widths[0])), rng.normal(scale=0.2, size=(rows, widths[1]))
