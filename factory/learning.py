"""What the desk corrected becomes a new tagger, and the better of two taggers the present one.

A trained checkpoint is always kept. It is promoted where it beats the present one on corrected clips that neither was
taught (`understanding.learning.held`), or where a person promotes it; the one before it is one step back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.orm import Session

from factory.errors import FactoryError
from factory.store import lessons, models
from factory.store.files import FileMissing
from factory.wiring import Parts
from understanding.build import TAGGER_SIZE, load_bert, load_tagger, read_about, save_checkpoint
from understanding.learning.desk import DeskShot, ReadShot, confidences, held_cells, read_shots
from understanding.learning.held import Verdict, held_out, score, verdict
from understanding.learning.refit import FURTHER, taught_further
from understanding.learning.tagger_runs import SEED, Taught, train_tagger

REHEARSED = 64  # shots that nobody objected to, each of another clip

Say = Callable[[str], None]


class NothingTaught(FactoryError):
    code = "nothing-taught"


@dataclass(frozen=True, slots=True)
class Table:
    """Labelled clips that are learned from too: the CSV, the folder of its clips, and the licences that will do."""

    labels: Path
    clips: Path
    licences: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of a training: the checkpoint, what it was taught, its figures and the present one's, and whether it
    speaks now."""

    checkpoint: str
    promoted: bool
    why: str
    trained_on: dict[str, int]
    scores: dict[str, Any]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """The library as lessons: shots to learn from, to rehearse, and to compare by."""

    pupils: list[ReadShot]
    rehearsed: list[ReadShot]
    held: list[ReadShot]
    refused: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """What is learned from."""
        return {
            "corrections": sum(len(one.shot.told) for one in self.pupils),
            "shots": len(self.pupils),
            "clips": len({one.shot.clip for one in self.pupils}),
        }


def learn(
    parts: Parts, table: Table | None = None, *, force: bool = False, seed: int = SEED, say: Say = lambda _line: None
) -> Learned:
    """Teach a tagger what the desk corrected, compare it with the present one and promote it if it is better.

    Without a table it starts from the present tagger and stays near it; with one it is trained from the names of the
    tags on labelled clips and corrections together. `force` promotes it whatever the comparison says. Raises
    NothingTaught, and what training on a table raises.
    """
    with parts.sessions.read() as session:
        speaks = models.present(session)
    before, read = parts.checkpoint, _read(parts, say)
    parts.trained.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=parts.trained, prefix=".training-") as scratch:
        made = Path(scratch) / "tagger.safetensors"
        trained_on, refused = read.counts(), read.refused
        if table:
            taught = _train_together(parts, table, read, made, seed=seed, say=say)
            trained_on, refused = trained_on | {"labelled_clips": taught.scores.clips}, (*refused, *taught.refused)
        else:
            trained_on = _teach_further(parts, before, read, made, seed)
        scores, found = _compare(parts, before, made, read.held)
        digest = parts.files.keep_checkpoint(made)
    with parts.sessions.write() as session:
        models.keep(session, digest, began_with=speaks, trained_on=trained_on, scores=scores)
        promoted, why = enter(session, digest, found, instead_of=speaks, force=force)
    return Learned(digest, promoted, why, trained_on, scores, refused)


def enter(
    session: Session, digest: str, found: Verdict, *, instead_of: str | None, force: bool = False
) -> tuple[bool, str]:
    """Promote a kept checkpoint that beat the one it was compared with, or where a person says so; return whether it
    was, and why."""
    why, better = found.why, found.better
    if models.present(session) != instead_of and not force:
        better, why = False, "another tagger was promoted while this one was trained"
    if better or force:
        models.promote(session, digest, why)
    return better or force, why


# --- the steps of a training -----------------------------------------------------------------------------------------


def _read(parts: Parts, say: Say) -> _Read:
    """Read what the library teaches, through the features that are kept: nothing is decoded twice."""
    with parts.sessions.read() as session:
        corrected, untouched = lessons.corrected(session), lessons.untouched(session, 2 * REHEARSED)
    taught = [shot for shot in corrected if not held_out(shot.digest)]
    if not taught:
        raise NothingTaught(
            f"{len(corrected)} shots are corrected, none of them of a clip that is learned from",
            next_step="settle questions of `factory review-queue` by `factory correct`",
        )
    rehearsed = [shot for shot in untouched if not held_out(shot.digest)][:REHEARSED]
    held = [shot for shot in corrected if held_out(shot.digest)]
    tagger = load_tagger(parts.models, parts.taxonomy, None, features=parts.features)
    files = [_found(parts, shots) for shots in (taught, rehearsed, held)]
    read = [read_shots(found, tagger, say) for found, _ in files]
    refused = tuple(line for _, missing in files for line in missing) + tuple(
        line for _, lines in read for line in lines
    )
    (pupils, _), (others, _), (apart, _) = read
    if not pupils:
        raise NothingTaught(f"no corrected shot can be read: {refused[0]}", next_step="restore the media folder")
    return _Read(pupils, others, apart, refused)


def _found(parts: Parts, shots: Iterable[lessons.TaughtShot]) -> tuple[list[DeskShot], list[str]]:
    """The shots whose clip's file is there, and why the others are not learned from."""
    found: list[DeskShot] = []
    missing: dict[str, str] = {}
    for shot in shots:
        try:
            path = parts.files.path(shot.digest)
        except FileMissing as refusal:
            missing[shot.digest] = f"clip {shot.digest[:12]}: {refusal.code}: {refusal.cause}"
            continue
        found.append(DeskShot(shot.digest, path, shot.start, shot.end, shot.told, shot.standing))
    return found, list(missing.values())


def _teach_further(parts: Parts, before: Path, read: _Read, out: Path, seed: int) -> dict[str, int]:
    """Teach the present tagger the corrections, write it to `out`, and return what it was taught."""
    taught = [one.lesson(parts.taxonomy) for one in read.pupils]
    rehearsed = [one.lesson(parts.taxonomy) for one in read.rehearsed]
    bert, _ = load_bert()
    net = taught_further(before, taught, rehearsed, parts.taxonomy, bert, seed=seed)
    counts = read.counts() | {"rehearsed": len(rehearsed)}
    about = {"calibration": read_about(before).get("calibration", {}), "recipe": {**asdict(FURTHER), "seed": seed}}
    more = {**about, "began_with": _sha256(before), "trained_on": counts}
    save_checkpoint(out, net, size=TAGGER_SIZE, tags=parts.taxonomy.tags, more=more)
    return counts


def _train_together(parts: Parts, table: Table, read: _Read, out: Path, *, seed: int, say: Say) -> Taught:
    """Train on labelled clips and corrections from the names of the tags on, and write the checkpoint to `out`."""
    return train_tagger(
        table.labels,
        table.clips,
        out,
        parts.models,
        taxonomy=parts.taxonomy,
        features=parts.features,
        licences=table.licences,
        desk=[one.lesson(parts.taxonomy) for one in read.pupils],
        kept_apart=frozenset(one.shot.clip for one in read.held),
        seed=seed,
        say=say,
    )


def _compare(parts: Parts, before: Path, after: Path, held: list[ReadShot]) -> tuple[dict[str, Any], Verdict]:
    """Score both checkpoints on the held-out shots, and judge."""
    cells, (bert, _) = held_cells(held, parts.taxonomy), load_bert()
    present, limits = confidences(before, held, parts.taxonomy, bert)
    candidate, own_limits = confidences(after, held, parts.taxonomy, bert)
    clips, there, absent = cells.counts()
    scores = {
        "held_out": {"clips": clips, "there": there, "absent": absent},
        "candidate": asdict(score(cells, candidate, own_limits)),
        "present": asdict(score(cells, present, limits)),
    }
    return scores, verdict(cells, present, candidate)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
