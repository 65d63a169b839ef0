"""Clips that workers bring in: each file is a job of the ledger, ordered by a door, worked off in queue `tagging`."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from factory.errors import FactoryError
from factory.ingest import Ingested, Provenance, Step, bring_in
from factory.logs import about
from factory.plan.clip_order import ClipOrder
from factory.plan.embargo import read_embargo
from factory.store import job_lookup, jobs, lease
from factory.store.job import LEASE, State
from factory.wiring import Parts
from understanding.errors import MediaRefused

BEGUN: dict[Step, float] = {"copying": 0.0, "reading": 0.1, "writing": 0.9}  # share of the work that is behind


class ClipRefused(FactoryError):
    """A file that cannot be used, under the code of its refusal: trying again would be refused again."""

    def __init__(self, code: str, cause: str, *, next_step: str) -> None:
        super().__init__(cause, next_step=next_step)
        self.code = code  # type: ignore[misc]  # the code of the understanding is kept


@dataclass(frozen=True, slots=True)
class OrderedClip:
    """What became of the order of one file. `known`: it was ordered before, and is as it was then."""

    path: str
    status: Literal["ordered", "known", "refused"]
    job: str = ""
    state: State | None = None
    code: str = ""
    message: str = ""


def order_clip(path: Path, parts: Parts, provenance: Provenance, *, by: str = "ingest") -> OrderedClip:
    """Order one file to be brought in. The same file, unchanged, said to be from the same source, is one job.

    Raises QueueFull; a file that is not there, or whose name is no text, is refused and the rest can go on.
    """
    place = os.path.abspath(path)  # noqa: PTH100  a link stays one, for the worker to refuse
    try:
        place.encode()
        seen = os.lstat(place)
    except UnicodeEncodeError:
        return _refused(path, "name-unreadable", "its name is not UTF-8. Next: rename it")
    except OSError as error:
        return _refused(path, "not-a-file", f"it cannot be found: {error.strerror}. Next: check the path")
    ordered = ClipOrder(
        path=place,
        credit=provenance.credit,
        licence=provenance.licence,
        name=provenance.name,
        embargo=str(provenance.embargo or ""),
        lift=provenance.lift,
    )
    version = f"{ordered.canonical_json()}\n{seen.st_size}\n{seen.st_mtime_ns}"
    key = f"ingest/{hashlib.sha256(version.encode()).hexdigest()}"
    with parts.sessions.write() as session:
        submitted = jobs.submit(session, ordered, key=key, by=by)
        state = job_lookup.get(session, submitted.job).state
    return OrderedClip(str(path), "ordered" if submitted.new else "known", submitted.job, state)


def _refused(path: Path, code: str, message: str) -> OrderedClip:
    return OrderedClip(str(path), "refused", code=code, message=message)


def ingest_job(job: str, parts: Parts, *, lease_for: timedelta = LEASE) -> State | None:
    """Claim the job and bring its file in. Returns the state it is left in, or None where nothing was to be claimed."""
    with about(job=job):
        return lease.work(parts.sessions, job, lambda holding: _bring(holding, parts), lease=lease_for)


def _bring(holding: lease.Holding, parts: Parts) -> lease.Settled:
    ordered = holding.claim.clip()

    def begin(step: Step) -> None:
        if holding.stopped():
            raise InterruptedError(str(holding.why))
        holding.report(BEGUN[step], f"{step} {ordered.file_name}")

    embargo = read_embargo(ordered.embargo) if ordered.embargo else None
    provenance = Provenance(ordered.credit, ordered.licence, embargo, ordered.name, ordered.lift)
    try:
        return lease.Settled(_told(bring_in(Path(ordered.path), parts, provenance, begin)))
    except MediaRefused as refusal:
        lies = f"{refusal.next_step}; every host that works off this queue must find {ordered.path}"
        next_step = lies if refusal.code == "not-a-file" else refusal.next_step
        raise ClipRefused(refusal.code, refusal.cause, next_step=next_step) from refusal


def _told(came: Ingested) -> str:
    return f"{came.status}, {came.shots} shots, clip {came.asset[:12]}"
