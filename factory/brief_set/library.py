"""The clips of a brief set: brought in under names that say nothing: only picture, sound and words give tags."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from factory.demo import CREDIT
from factory.errors import WrongUsage
from factory.ingest import Ingested, Provenance, ingest, passed_over, wanted_files
from factory.orders import load_table
from factory.samples import SAMPLE_CARS, SAMPLE_SALES, draw_library
from factory.wiring import Parts
from understanding.clip_labels import read_labels
from understanding.labels import Taxonomy

LABELS: Final = "labels.csv"
OnProgress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Library:
    """What a set is made from, by the sha256 of each file. `labels` are the tags that a person gave (all that they
    imply too), for the clips that have such; `refused` are the files that could not be used, with the reason."""

    real: frozenset[str]
    drawn: frozenset[str]
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    folders: Mapping[str, str] = field(default_factory=dict)  # name of the folder that a real clip came from


def bring_in(folders: Sequence[Path], parts: Parts, on_progress: OnProgress) -> Library:
    """Bring in the clips of `folders` and the drawn ones, with the sample tables; what is known already is left alone.

    Raises LabelsRefused where a table of labels cannot be read.
    """
    drawn = _drawn(parts, on_progress)
    labels: dict[str, frozenset[str]] = {}
    real, refused = dict[str, str](), list[str]()
    for folder in folders:
        credits = _credits(folder)
        for path, came in _real(folder, credits, parts, on_progress):
            if came.status == "refused":
                refused.append(f"{path}: {came.code}: {came.message}")
            else:
                real.setdefault(came.asset, folder.name)
        labels |= hand_labels(folder, parts.taxonomy)
    for table in (SAMPLE_CARS, SAMPLE_SALES):
        load_table(table, parts, {})
    return Library(frozenset(real.keys() - drawn), drawn, labels, tuple(refused), real)


def check_folders(folders: Sequence[Path]) -> None:
    """Raise WrongUsage for the first that is no folder, before an hour of work is meant for it."""
    for folder in folders:
        if not folder.is_dir():
            raise WrongUsage(f"{folder} is no folder", next_step="name a folder of clips with --library")


def hand_labels(folder: Path, taxonomy: Taxonomy) -> dict[str, frozenset[str]]:
    """Return what a person saw in the clips of a folder, by the sha256 of each; empty where nobody wrote it down."""
    table = folder / LABELS
    if not table.is_file():
        return {}
    return {digest_of(clip.path): clip.seen for clip in read_labels(table, folder, taxonomy).clips}


def digest_of(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def neutral_name(path: Path) -> str:
    """Return a name for a file that says nothing of what it shows, the same for the same bytes."""
    return f"clip-{digest_of(path)[:12]}{path.suffix.lower()}"


def _drawn(parts: Parts, on_progress: OnProgress) -> frozenset[str]:
    folder = parts.settings.home / "samples" / "drawn"
    clips = draw_library(folder, on_progress=lambda done, of, name: on_progress(done / of, f"drawing {name}"))
    return frozenset(ingest(clip, parts, CREDIT).asset for clip in clips)


def _real(
    folder: Path, credits: Mapping[str, tuple[str, str]], parts: Parts, on_progress: OnProgress
) -> Iterator[tuple[Path, Ingested]]:
    files = list(wanted_files([folder]))
    for number, file in enumerate(files):
        on_progress(number / len(files), f"reading {file.path.name}")
        if file.path.is_symlink() or not file.path.is_file():
            continue
        credit, licence = credits.get(file.path.relative_to(folder).as_posix(), ("", ""))
        came = ingest(file.path, parts, Provenance(credit, licence, name=neutral_name(file.path)))
        if not passed_over(file, came):
            yield file.path, came


def _credits(folder: Path) -> dict[str, tuple[str, str]]:
    """Return who is to be credited for each file, and its licence, as far as the table of labels says so."""
    table = folder / LABELS
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = [{key: cell or "" for key, cell in row.items() if key} for row in csv.DictReader(file)]
    return {row.get("file", ""): (row.get("source_repo", ""), row.get("licence", "")) for row in rows}
