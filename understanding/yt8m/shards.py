"""Many TFRecord files as one data set: all videos in memory, or examples streamed in a shuffled order that can be taken
up again where it was left."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from understanding.errors import MediaRefused
from understanding.yt8m import examples, wire
from understanding.yt8m.examples import FrameExample, Labels, Level, VideoExample
from understanding.yt8m.records import FRAME, RecordDamaged, read_records

T = TypeVar("T")

BUFFER: Final = 1024  # records that are shuffled together: 5 MB at video level, 200 MB at frame level


def shard_paths(folder: Path, pattern: str = "*.tfrecord") -> tuple[Path, ...]:
    """Return the shards of a folder by name; MediaRefused where there are none."""
    paths = tuple(sorted(path for path in folder.glob(pattern) if path.is_file()))
    if not paths:
        raise MediaRefused("no-shards", f"{folder} holds no {pattern}", next_step="Name a folder of YouTube-8M shards.")
    return paths


def read_videos(path: Path, *, check: bool = True) -> Iterator[VideoExample]:
    """Yield the videos of one video-level shard."""
    return read_shard(path, examples.parse_video, check=check)


def read_frames(path: Path, *, check: bool = True) -> Iterator[FrameExample]:
    """Yield the videos of one frame-level shard."""
    return read_shard(path, examples.parse_frames, check=check)


def read_shard(path: Path, parse: Callable[[bytes], T], *, check: bool = True) -> Iterator[T]:
    """Yield the records of one shard, parsed."""
    return (read(path, offset, record, parse) for offset, record in read_records(path, check=check))


def read(path: Path, offset: int, record: bytes, parse: Callable[[bytes], T]) -> T:
    """Parse a record; a malformed one is RecordDamaged with its file and place."""
    try:
        return parse(record)
    except wire.Malformed as error:
        raise RecordDamaged(path, offset, str(error)) from error


def check_level(path: Path, wanted: Level) -> None:
    """Refuse a shard whose first record is of the other level; MediaRefused says what to do."""
    for offset, record in read_records(path):
        found = read(path, offset, record, examples.level)
        if found != wanted:
            raise MediaRefused(f"{found}-level", f"{path} holds {found}-level records", next_step=_OTHER_LEVEL[found])
        return


_OTHER_LEVEL: Final[dict[Level, str]] = {
    "video": "Name frame-level shards, a checkpoint of level video, or write `level: video` in the experiment.",
    "frame": "Name video-level shards, a checkpoint of level frame, or write `level: frame` in the experiment.",
}


@dataclass(frozen=True, eq=False)
class Videos:
    """N videos in memory, in the order of their shards."""

    ids: tuple[str, ...]
    picture: NDArray[np.float32]  # (N, 1024)
    sound: NDArray[np.float32]  # (N, 128)
    labels: tuple[Labels, ...]  # N arrays of class indices

    def __len__(self) -> int:
        return len(self.ids)

    def truth(self, classes: Sequence[int]) -> NDArray[np.bool_]:
        """Return which of `classes` each video has, (N, len(classes))."""
        columns = {int(index): column for column, index in enumerate(classes)}
        found = np.zeros((len(self), len(classes)), bool)
        for row, labels in zip(found, self.labels, strict=True):
            row[[columns[index] for index in labels.tolist() if index in columns]] = True
        return found

    def most_frequent(self, count: int) -> tuple[int, ...]:
        """Return the `count` classes with most videos, most frequent first; of equal ones the lower index first."""
        each = [np.unique(labels) for labels in self.labels]
        classes, totals = np.unique(np.concatenate([np.zeros(0, np.int64), *each]), return_counts=True)
        order = np.argsort(-totals, kind="stable")
        return tuple(classes[order[:count]].tolist())


def load_videos(paths: Iterable[Path], *, vocabulary: int | None = None, check: bool = True) -> Videos:
    """Read whole video-level shards into memory. All videos must have the widths of the first, and finite numbers, and
    labels among the `vocabulary` classes where that is given."""
    shards = tuple(paths)
    if not shards:
        raise MediaRefused("no-shards", "no shard was named", next_step="Name YouTube-8M shards.")
    table = _Table(sum(path.stat().st_size for path in shards if path.is_file()), vocabulary)
    for path in shards:
        offsets = []
        for offset, record in read_records(path, check=check):
            offsets.append(offset)
            read(path, offset, record, table.add)
        table.finish(path, offsets)
    return table.videos()


class _Table:
    """The rows of `load_videos` while they are read, shard by shard."""

    def __init__(self, total_bytes: int, vocabulary: int | None) -> None:
        self._total_bytes = total_bytes
        self._vocabulary = vocabulary
        self._ids: list[str] = []
        self._labels: list[Labels] = []
        self._stored_labels: list[bytes] = []  # of the shard that is read
        self._streams: tuple[_Stream, ...] = ()

    def add(self, record: bytes) -> None:
        name, labels, rgb, audio = examples.raw_video(record)
        if not self._streams:
            rows = self._total_bytes // (FRAME + len(rgb) + len(audio))
            self._streams = (_Stream("mean_rgb", rows, len(rgb)), _Stream("mean_audio", rows, len(audio)))
        picture, sound = self._streams
        row = len(self._ids)
        picture.put(row, rgb)
        sound.put(row, audio)
        self._ids.append(wire.text(name, (0, len(name))))
        self._stored_labels.append(labels)

    def finish(self, path: Path, offsets: list[int]) -> None:
        """Decode the labels of the shard just read, whose records stand at `offsets`, and refuse infinite numbers."""
        try:
            labels = examples.joined_class_indices(self._stored_labels)
        except wire.Malformed:  # by which of them? read alone, the first wrong one says so
            for offset, stored in zip(offsets, self._stored_labels, strict=True):
                read(path, offset, stored, lambda varints: examples.class_indices(varints, [(0, len(varints))]))
            raise
        self._check_labels(path, offsets, labels)
        self._labels += labels
        self._stored_labels.clear()
        rows = slice(len(self._ids) - len(offsets), len(self._ids))
        for stream in self._streams:
            finite = np.isfinite(stream.rows[rows])
            if not finite.all():
                first = int(np.flatnonzero(~finite.all(axis=1))[0])
                raise RecordDamaged(path, offsets[first], f"`{stream.name}` holds numbers that are not finite")

    def _check_labels(self, path: Path, offsets: list[int], labels: list[Labels]) -> None:
        if self._vocabulary is None or not any(map(len, labels)):
            return
        if np.concatenate(labels).max() < self._vocabulary:
            return
        for offset, found in zip(offsets, labels, strict=True):
            if len(found) and found.max() >= self._vocabulary:
                cause = f"label {found.max()} is not among the {self._vocabulary} classes of the vocabulary"
                raise MediaRefused(
                    "foreign-label",
                    f"{path}, record at byte {offset}: {cause}",
                    next_step="Put the vocabulary.csv beside them that belongs to these shards.",
                )

    def videos(self) -> Videos:
        count = len(self._ids)
        picture, sound = (s.rows[:count] for s in self._streams or (_Stream("", 0, 0), _Stream("", 0, 0)))
        return Videos(tuple(self._ids), picture, sound, tuple(self._labels))


class _Stream:
    """Rows of float32 that are filled with stored bytes; pages that are never written cost nothing."""

    def __init__(self, name: str, rows: int, width_bytes: int) -> None:
        self.name = name
        self.rows = np.empty((rows, width_bytes // 4), np.float32)
        self._bytes = self.rows.reshape(-1).view(np.uint8).data
        self._width = width_bytes

    def put(self, row: int, stored: bytes) -> None:
        if len(stored) != self._width:
            count = len(stored) // 4
            raise wire.Malformed(f"`{self.name}` has {count} numbers and {self._width // 4} in the first video")
        self._bytes[row * self._width : (row + 1) * self._width] = stored


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stream stands, small enough for any checkpoint (`dataclasses.asdict`).

    A block of records begins at byte `offset` of the `shard`-th file of this epoch's order; `taken` of it are given.
    """

    epoch: int = 0
    shard: int = 0
    offset: int = 0
    block: int = 0
    taken: int = 0
    stream: str = ""  # which stream it belongs to; empty fits any


def shard_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of `count` shards in an epoch; of these each rank takes every `world`-th, from its own on."""
    return np.random.default_rng((seed, epoch)).permutation(count)


class ShardStream(Generic[T]):
    """Examples of many shards, epoch after epoch in another order, the same for the same seed.

    Every epoch shuffles the shards; of these each rank takes every `world`-th, reads them in that order, and gives the
    records of each block of `buffer` in a shuffled order. Ranks get about, not exactly, the same number of records.
    Memory is one block. A stream made with the `position` of another goes on exactly where that one stood.

    `cut`, where given, makes several examples of one; they are shuffled one by one within their block.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        parse: Callable[[bytes], T],
        *,
        seed: int,
        cut: Callable[[T], Sequence[T]] | None = None,
        buffer: int = BUFFER,
        shuffle: bool = True,
        rank: int = 0,
        world: int = 1,
        position: Position | None = None,
        check: bool = True,
    ) -> None:
        self._paths = tuple(paths)
        self._parse, self._cut = parse, cut
        self._seed = seed
        self._buffer = buffer
        self._shuffle = shuffle
        self._rank, self._world = rank, world
        self._check = check
        if buffer < 1 or not 0 <= rank < world:
            raise ValueError(f"buffer {buffer} must be at least 1 and rank {rank} lie in 0..{world - 1}")
        if len(self._paths) < world:
            raise ValueError(f"{len(self._paths)} shards cannot be divided among {world} ranks")
        self._block_start = self._taken_up(position or Position())
        self._taken = self._block_start.taken

    @property
    def position(self) -> Position:
        """Where the stream stands: an example counts as soon as it is given."""
        return replace(self._block_start, taken=self._taken)

    def _taken_up(self, position: Position) -> Position:
        names = "/".join(path.name for path in self._paths)
        signs = f"{names} {self._seed} {self._buffer} {self._shuffle} {self._rank} {self._world}"
        stream = hashlib.sha256(signs.encode()).hexdigest()[:16]
        if position.stream not in {"", stream}:
            raise ValueError("this position belongs to a stream of other shards, seed, buffer or ranks")
        return replace(position, stream=stream)

    def epoch(self) -> Iterator[T]:
        """Yield what is left of the current epoch; the next call begins the next one."""
        order = self._order(self._block_start.epoch)
        while True:
            records, after = self._block(order, self._block_start)
            if not records:
                break
            pieces = self._pieces(records)
            places = self._places(self._block_start, len(records if pieces is None else pieces))
            for place in places[self._taken :]:
                example = read(*records[place], self._parse) if pieces is None else pieces[place]
                self._taken += 1
                yield example
            self._block_start, self._taken = after, 0
        self._block_start = Position(epoch=self._block_start.epoch + 1, stream=self._block_start.stream)

    def _order(self, epoch: int) -> tuple[Path, ...]:
        """Return this rank's shards of an epoch."""
        count = len(self._paths)
        order = shard_order(count, self._seed, epoch) if self._shuffle else np.arange(count)
        return tuple(self._paths[i] for i in order[self._rank :: self._world])

    def _pieces(self, records: Sequence[tuple[Path, int, bytes]]) -> list[T] | None:
        """Return the pieces of a block's records; None where they are not cut and each is parsed when it is due."""
        if self._cut is None:
            return None
        return [piece for record in records for piece in self._cut(read(*record, self._parse))]

    def _places(self, block: Position, count: int) -> list[int]:
        if not self._shuffle:
            return list(range(count))
        rng = np.random.default_rng((self._seed, block.epoch, self._rank, block.block))
        return [int(place) for place in rng.permutation(count)]

    def _block(self, order: Sequence[Path], start: Position) -> tuple[list[tuple[Path, int, bytes]], Position]:
        """Return the records of the block at `start` and the position after it."""
        records: list[tuple[Path, int, bytes]] = []
        offset = start.offset
        for shard in range(start.shard, len(order)):
            for at, record in read_records(order[shard], start=offset, check=self._check):
                records.append((order[shard], at, record))
                if len(records) == self._buffer:
                    following = at + FRAME + len(record)
                    return records, replace(start, shard=shard, offset=following, block=start.block + 1, taken=0)
            offset = 0
        return records, replace(start, shard=len(order), offset=0, block=start.block + 1, taken=0)
