"""Verb 1: a path becomes indexed, tagged shots. One clip is one transaction; a clip already known is a no-op."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from factory import traces
from factory.errors import FactoryError
from factory.logs import about
from factory.mezzanines import encode_clip
from factory.plan.embargo import Embargo
from factory.store import assets, embargoes
from factory.store.files import Adopted
from factory.wiring import BackboneUnavailable, Parts
from understanding.errors import MediaRefused

Status = Literal["added", "known", "refused"]
Step = Literal["copying", "reading", "writing"]

NOT_MEDIA = frozenset({"not-media", "empty-file", "forbidden-format", "not-a-file", "link-refused"})
SIDE_FILES = frozenset({".csv", ".json", ".md", ".txt", ".srt", ".vtt", ".py", ".yaml", ".yml", ".jpg", ".png"})


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one file. `code` and `message` say why it was refused and what to do."""

    path: str
    status: Status
    asset: str = ""
    shots: int = 0
    seconds: Fraction = Fraction(0)
    code: str = ""
    message: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where clips come from, as far as the person who brings them says, and until when nothing of them is published.

    `name` stands for the file's own name, which the tagger reads as a title. `lift` takes away the embargo of clips
    that are known already.
    """

    credit: str = ""
    licence: str = ""
    embargo: Embargo | None = None
    name: str = ""
    lift: bool = False


def ingest(path: Path, parts: Parts, provenance: Provenance | None = None) -> Ingested:
    """Bring one file in; a file that cannot be used is refused, never raised, so that the rest goes on.

    Raises BackboneUnavailable: no file could be tagged.
    """
    try:
        return bring_in(path, parts, provenance or Provenance())
    except BackboneUnavailable:
        raise
    except MediaRefused as refusal:
        return Ingested(str(path), "refused", code=refusal.code, message=_told(refusal.cause, refusal.next_step))
    except FactoryError as refusal:
        return Ingested(str(path), "refused", code=refusal.code, message=_told(refusal.cause, refusal.next_step))


def ingest_all(
    files: Sequence[Wanted], parts: Parts, provenance: Provenance | None = None, *, jobs: int = 1
) -> Iterator[tuple[Wanted, Ingested]]:
    """Bring files in, `jobs` at once, and yield what became of each in their order.

    Threads are enough: each file is decoded in a process of its own, and the nets run outside Python's lock."""
    if jobs == 1 or len(files) < 2:
        yield from ((file, ingest(file.path, parts, provenance)) for file in files)
        return
    _ = parts.sessions, parts.files, parts.tagger  # built once, before several ask for them
    with ThreadPoolExecutor(jobs) as pool:
        works = [pool.submit(ingest, file.path, parts, provenance) for file in files]
        try:
            yield from ((file, work.result()) for file, work in zip(files, works, strict=True))
        finally:
            for work in works:
                work.cancel()


def _no_matter(_step: Step) -> None:
    """Nobody wants to know."""


def bring_in(path: Path, parts: Parts, provenance: Provenance, begin: Callable[[Step], None] = _no_matter) -> Ingested:
    """Bring one file in. `begin` is told of each step before it, and stops the work by raising.

    Raises MediaRefused, or FactoryError where the house cannot do it.
    """
    begin("copying")
    adopted = parts.files.adopt(path)
    with about(asset=adopted.digest), traces.span("ingest", asset=adopted.digest):
        return _bring_in(path, adopted, parts, provenance, begin)


def _bring_in(
    path: Path, adopted: Adopted, parts: Parts, provenance: Provenance, begin: Callable[[Step], None]
) -> Ingested:
    with parts.sessions.read() as session:
        before = assets.known(session, adopted.digest)
    if before is not None:
        _hold(adopted.digest, parts, provenance)
        return Ingested(str(path), "known", adopted.digest, before.shots, before.seconds)
    begin("reading")
    try:
        tagged = parts.tagger.read_as(adopted.path, provenance.name or path.name)
    except BackboneUnavailable:
        adopted.path.unlink(missing_ok=True)  # nothing refers to it
        raise
    except MediaRefused as refusal:
        adopted.path.unlink(missing_ok=True)  # nothing refers to it
        cause = refusal.cause.replace(adopted.path.name, repr(path.name)[1:-1])  # the name that the person knows
        raise MediaRefused(refusal.code, cause, next_step=refusal.next_step) from refusal
    begin("writing")
    with parts.sessions.write() as session:
        added = assets.add_clip(
            session,
            adopted,
            tagged,
            original=provenance.name or str(path),
            taxonomy=parts.taxonomy,
            credit=provenance.credit,
            licence=provenance.licence,
            embargo=provenance.embargo,
        )
    if not added.new:
        _hold(adopted.digest, parts, provenance)
    status: Status = "added" if added.new else "known"
    if parts.settings.mezzanines:
        encode_clip(adopted.digest, parts)  # what cannot be encoded ahead is told where it is rendered
    return Ingested(str(path), status, adopted.digest, added.shots, added.seconds, warnings=tagged.warnings)


def _hold(digest: str, parts: Parts, provenance: Provenance) -> None:
    """Put a clip that is known already under the embargo that it comes with now: it would be passed over otherwise."""
    if provenance.embargo is not None or provenance.lift:
        with parts.sessions.write() as session:
            embargoes.put_on_clip(session, digest, provenance.embargo)


def _told(cause: str, next_step: str) -> str:
    return f"{cause.rstrip('.')}. Next: {next_step}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to bring in; `named` by a person, or found in a folder (then what is no media is skipped, not refused)."""

    path: Path
    named: bool


def wanted_files(paths: Sequence[Path]) -> Iterator[Wanted]:
    """Return every file that `paths` mean, folders walked in name order, links to folders not followed.

    An empty folder that is named like a file stands for itself, so that it is refused by name and not just missed.
    """
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            for folder, subfolders, names in os.walk(path):
                subfolders.sort()
                yield from (Wanted(Path(folder) / name, named=False) for name in sorted(names))
                if not (names or subfolders) and Path(folder).suffix:
                    yield Wanted(Path(folder), named=True)
        else:
            yield Wanted(path, named=True)


def passed_over(file: Wanted, outcome: Ingested) -> bool:
    """Say whether a refused file is one that a folder may hold beside its clips, and that nobody named."""
    return outcome.status == "refused" and lies_beside(file) and outcome.code in NOT_MEDIA


def lies_beside(file: Wanted) -> bool:
    """Say whether a file that nobody named is, by its name, one that a folder holds beside its clips."""
    return not file.named and (file.path.suffix.lower() in SIDE_FILES or file.path.name.startswith("."))
