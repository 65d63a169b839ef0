"""A small YouTube-8M folder whose labels can be read off the features: 6 verticals, 30 classes, seeded."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from understanding.yt8m.examples import VideoExample, encode_video
from understanding.yt8m.records import write_records

VERTICALS = ("Autos", "Games", "Food", "Music", "Sports", "Travel")
CLASSES = 30


def tiny_yt8m(folder: Path, *, videos: int = 240, tune: int = 80) -> Path:
    """Write `train/` (3 shards), `tune/` (2 shards) and `vocabulary.csv`; class c belongs to vertical c mod 6."""
    rng = np.random.default_rng(5)
    pictures, sounds = rng.normal(size=(CLASSES, 1024)), rng.normal(size=(CLASSES, 128))
    rows = ["Index,TrainVideoCount,KnowledgeGraphId,Name,Vertical1,Vertical2,Vertical3"]
    rows += [f"{c},{1000 - c},/m/{c},Class {c},{VERTICALS[c % 6]},," for c in range(CLASSES)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocabulary.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")

    def video(number: int) -> bytes:
        labels = np.sort(rng.choice(CLASSES, size=rng.integers(1, 4), replace=False))
        picture = (pictures[labels].sum(0) + 0.3 * rng.normal(size=1024)).astype(np.float32)
        sound = (sounds[labels].sum(0) + 0.3 * rng.normal(size=128)).astype(np.float32)
        return encode_video(VideoExample(f"v{number:04}", labels.astype(np.int64), picture, sound))

    for split, shards, count in (("train", 3, videos), ("tune", 2, tune)):
        (folder / split).mkdir(exist_ok=True)
        for shard in range(shards):
            write_records(folder / split / f"{split}{shard:02}.tfrecord", [video(n) for n in range(count // shards)])
    return folder
