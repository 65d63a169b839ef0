"""Protocol A: a head on real YouTube-8M records whose fine labels are mostly hidden.

24 verticals are coarse labels, known for every video; the 400 most frequent classes of the training shards are fine
labels, hidden by a seeded mask. Trained on `train/`, chosen on the first half of `tune/`, reported on the other half,
always against the full fine labels. Features are Inception and PCA, so such a net tags no clip of one's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understanding.labels import LabelGraph
from understanding.learning.metrics import gap, hit_at_one, mean_average_precision
from understanding.learning.partial import Bools, States, certified_negatives, cooccurrence, hide
from understanding.yt8m.shards import Videos, check_level, load_videos, shard_paths
from understanding.yt8m.vocabulary import Vocabulary, read_vocabulary

FINE: Final = 400
AT_LEAST: Final = 10  # positives of a class that counts in the mean average precision


@dataclass(frozen=True)
class Records:
    """The videos of one split: rows (N, 1024) and (N, 128), full fine labels (N, C), coarse ones (N, V)."""

    picture: NDArray[np.float32]
    sound: NDArray[np.float32]
    fine: Bools
    coarse: Bools

    def __len__(self) -> int:
        return len(self.fine)


@dataclass(frozen=True)
class ProtocolA:
    """The data of the protocol: three splits over the same classes."""

    classes: tuple[int, ...]  # of the vocabulary, the fine labels in order
    vocabulary: Vocabulary
    train: Records
    choose: Records
    report: Records

    @cached_property
    def belongs(self) -> Bools:
        """Which coarse labels each fine one belongs to, (C, V)."""
        return self.vocabulary.belongs(self.classes)

    @cached_property
    def digest(self) -> str:
        """A sign of the data that runs learn from and are chosen by."""
        sign = hashlib.sha256(repr(self.classes).encode())
        for records in (self.train, self.choose):
            for table in (records.picture, records.sound, records.fine, records.coarse):
                sign.update(np.ascontiguousarray(table).data)
        return sign.hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """Fine labels, then coarse ones: the outputs of a net."""
        return (*(self.vocabulary.classes[index].name for index in self.classes), *self.vocabulary.verticals)


@dataclass(frozen=True)
class Known:
    """What a run may know of the training split: states (N, C) of the fine cells, and what is ruled out (N, C)."""

    states: States
    certified: Bools

    def graph(self, coarse: Bools) -> LabelGraph:
        """The label graph over fine and coarse labels, counted only where both cells are annotated."""
        return cooccurrence(np.concatenate([self.states, coarse.astype(np.int8)], axis=1))


def load_protocol(folder: Path) -> ProtocolA:
    """Read `train/`, `tune/` and `vocabulary.csv` of a folder. Raises MediaRefused naming file and place."""
    vocabulary = read_vocabulary(folder / "vocabulary.csv")
    check_level(shard_paths(folder / "train")[0], "video")
    train = load_videos(shard_paths(folder / "train"), vocabulary=len(vocabulary))
    tune = shard_paths(folder / "tune")
    middle = len(tune) // 2
    classes = tuple(sorted(train.most_frequent(FINE)))
    choose, report = (load_videos(paths, vocabulary=len(vocabulary)) for paths in (tune[:middle], tune[middle:]))
    splits = (records_of(videos, vocabulary, classes) for videos in (train, choose, report))
    return ProtocolA(classes, vocabulary, *splits)


def records_of(videos: Videos, vocabulary: Vocabulary, classes: Sequence[int]) -> Records:
    """Return videos with their labels as the protocol has them."""
    return Records(videos.picture, videos.sound, videos.truth(classes), vocabulary.coarse(videos.labels))


def known(data: ProtocolA, hidden_share: float, seed: int, *, certified: bool) -> Known:
    """Hide that share of the training split's fine cells."""
    train = data.train
    ruled_out = certified_negatives(train.coarse, data.belongs) if certified else np.zeros_like(train.fine)
    return Known(hide(train.fine, hidden_share, seed), ruled_out)


@dataclass(frozen=True, slots=True)
class Scores:
    """What a net scores on full fine labels; `no_picture` and `no_sound` are GAP with that modality zeroed."""

    videos: int
    gap: float
    map: float
    classes: int  # that have enough positives to count in `map`
    hit1: float
    gap_no_picture: float
    gap_no_sound: float


def score(
    fine: Bools, full: NDArray[np.float32], no_picture: NDArray[np.float32], no_sound: NDArray[np.float32]
) -> Scores:
    """Score probabilities (N, C) that a net gives with all it has, without the picture, and without the sound."""
    return Scores(
        videos=len(fine),
        gap=gap(full, fine),
        map=mean_average_precision(full, fine, at_least=AT_LEAST),
        classes=int((fine.sum(axis=0) >= AT_LEAST).sum()),
        hit1=hit_at_one(full, fine),
        gap_no_picture=gap(no_picture, fine),
        gap_no_sound=gap(no_sound, fine),
    )
