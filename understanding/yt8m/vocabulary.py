"""The classes of YouTube-8M: names, counts and verticals, the coarse labels above them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understanding.errors import MediaRefused

UNKNOWN_VERTICAL: Final = "(Unknown)"


@dataclass(frozen=True, slots=True)
class VideoClass:
    """One class; `verticals` is empty where they are unknown."""

    index: int
    entity: str  # id in the knowledge graph
    name: str
    videos: int  # of the training split
    verticals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SegmentClass:
    """One class of the 2019 segments and how many of them were rated."""

    index: int
    entity: str
    name: str
    positives: int
    rated: int


@dataclass(frozen=True)
class Vocabulary:
    """All classes; `classes[i]` has index i."""

    classes: tuple[VideoClass, ...]

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def verticals(self) -> tuple[str, ...]:
        """The coarse labels by name."""
        return tuple(sorted({vertical for entry in self.classes for vertical in entry.verticals}))

    def belongs(self, classes: Sequence[int] | None = None) -> NDArray[np.bool_]:
        """Return which verticals each of `classes` (all of them by default) belongs to, (C, V)."""
        chosen = self.classes if classes is None else [self.classes[index] for index in classes]
        return np.array([[name in entry.verticals for name in self.verticals] for entry in chosen], bool)

    def coarse(self, labels: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
        """Return the verticals of all labels of each video, (N, V). `load_videos` refuses labels of no class."""
        belongs = self.belongs()
        for entry in labels:
            if len(entry) and not 0 <= entry.min() <= entry.max() < len(self):
                wrong = entry[(entry < 0) | (entry >= len(self))][0]
                raise ValueError(f"class {wrong} is not among the {len(self)} of the vocabulary")
        return np.array([belongs[entry].any(axis=0) for entry in labels], bool).reshape(-1, len(self.verticals))


def read_vocabulary(path: Path) -> Vocabulary:
    """Read `vocabulary.csv` or raise MediaRefused naming file and line."""
    found: dict[int, VideoClass] = {}
    for line, row in _rows(path, ("Index", "TrainVideoCount", "KnowledgeGraphId", "Name", "Vertical1")):
        entry = VideoClass(
            index=_count(path, line, row, "Index"),
            entity=row["KnowledgeGraphId"],
            name=row["Name"],
            videos=_count(path, line, row, "TrainVideoCount"),
            verticals=_verticals(row),
        )
        if entry.index in found:
            raise _refused(path, line, f"class {entry.index} stands twice")
        found[entry.index] = entry
    missing = sorted(set(range(len(found))) - set(found))
    if missing:
        raise _refused(path, 1, f"class {missing[0]} is missing among {len(found)}")
    return Vocabulary(tuple(found[index] for index in range(len(found))))


def read_segment_vocabulary(path: Path) -> tuple[SegmentClass, ...]:
    """Read `segment_vocabulary.csv`, in its own order, or raise MediaRefused naming file and line."""
    columns = ("Index", "KnowledgeGraphId", "Name", "PositiveSegmentCount", "TotalSegmentCount")
    return tuple(
        SegmentClass(
            index=_count(path, line, row, "Index"),
            entity=row["KnowledgeGraphId"],
            name=row["Name"],
            positives=_count(path, line, row, "PositiveSegmentCount"),
            rated=_count(path, line, row, "TotalSegmentCount"),
        )
        for line, row in _rows(path, columns)
    )


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of a table that has rows and at least `columns`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MediaRefused("not-a-file", f"{path}: {error.strerror}", next_step="Name the vocabulary file.") from error
    except UnicodeDecodeError as error:
        raise _refused(path, 1, f"it is not UTF-8 ({error.reason})") from error
    reader = csv.DictReader(text.splitlines(), restval="")
    missing = [name for name in columns if name not in (reader.fieldnames or [])]
    if missing:
        raise _refused(path, 1, f"there is no column {', '.join(missing)}")
    count = 0
    for row in reader:
        count += 1
        yield reader.line_num, row
    if not count:
        raise _refused(path, 1, "it holds no classes")


def _count(path: Path, line: int, row: dict[str, str], column: str) -> int:
    value = row[column]
    if not (value.isascii() and value.isdigit()):
        raise _refused(path, line, f"{column} is {value!r} and should be a whole number")
    return int(value)


def _verticals(row: dict[str, str]) -> tuple[str, ...]:
    named = [row.get(f"Vertical{n}", "") for n in (1, 2, 3)]
    return tuple(dict.fromkeys(name for name in named if name and name != UNKNOWN_VERTICAL))


def _refused(path: Path, line: int, cause: str) -> MediaRefused:
    return MediaRefused(
        "bad-vocabulary", f"{path}, line {line}: {cause}", next_step="Copy the published vocabulary again."
    )
