"""Which worker makes which chunk of a film: rows beside the job, each taken under a lease of its own.

The worker that holds a job shares out the chunks that are missing; others help. Every verb carries the job's fence, so
the chunks of a job that ended, was cancelled or has another holder are nobody's. A helper takes only what nobody has
tried; what a helper gave up or let expire is the holder's, so a poison chunk costs one helper at most. What the holder
takes has no lease: it is held as long as the job is. Each function is one short step inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.store.db import clock
from factory.store.job import WORKING, Claim
from factory.store.schema import JobChunk, JobRow

CHUNK_LEASE = timedelta(seconds=15)

Standing = Literal["made", "in-work", "free"]


@dataclass(frozen=True, slots=True)
class Shared:
    """A job that shares out chunks, as one who would help sees it. `spec` is the canonical JSON of its brief."""

    job: str
    fence: int
    spec: str
    holder: str


# --- the holder's verbs ----------------------------------------------------------------------------------------------


def share_out(session: Session, held: Claim, aspect: str, keys: Sequence[str]) -> bool:
    """Let others take the chunks of these cache keys, named in the film's order; what was shared before is forgotten.

    False where the job is not held any more.
    """
    _forget_ended(session)
    if not _held(session, held):
        return False
    forget(session, held)
    rows = [{"job_id": held.job, "key": key, "aspect": aspect, "number": n, "attempt": 0} for n, key in enumerate(keys)]
    if rows:
        session.execute(sa.insert(JobChunk), rows)
    return True


def take_own(session: Session, held: Claim, key: str, *, by_force: bool = False) -> bool:
    """Take a chunk for the holder: one that nobody has, or whose lease ran out; `by_force` any that is not made yet."""
    if not _held(session, held):
        return False
    free = sa.true() if by_force else _free(session)
    values = {"owner": held.worker, "lease_until": None, "attempt": JobChunk.attempt + 1}
    return _changed(session, sa.and_(_is(held.job, key), JobChunk.done_at.is_(None), free), values) > 0


def standing(session: Session, job: str, key: str) -> Standing:
    """Say whether a chunk is made, in work under a living lease, or to be had."""
    row = session.execute(sa.select(JobChunk.done_at, _free(session).label("free")).where(_is(job, key))).one_or_none()
    if row is None or row.done_at is not None:
        return "made"
    return "free" if row.free else "in-work"


def forget(session: Session, held: Claim) -> None:
    """Drop the rows of a job that shares out no more; where the job has another holder, they are that one's."""
    if _held(session, held):
        session.execute(sa.delete(JobChunk).where(JobChunk.job_id == held.job))


def _held(session: Session, held: Claim) -> bool:
    """Does the claim hold? The job's row stays locked until the transaction ends."""
    mine = sa.select(JobRow.id).where(JobRow.id == held.job, JobRow.fence == held.fence, JobRow.state.in_(WORKING))
    return session.scalars(mine.with_for_update()).one_or_none() is not None


def _forget_ended(session: Session) -> None:
    """Drop what workers left behind that died or were stopped."""
    working = sa.exists().where(JobRow.id == JobChunk.job_id, JobRow.state.in_(WORKING))
    session.execute(sa.delete(JobChunk).where(~working).execution_options(synchronize_session=False))


# --- the helper's verbs ----------------------------------------------------------------------------------------------


def shared(session: Session, *, but: str, most: int, job: str | None = None, limit: int = 10) -> tuple[Shared, ...]:
    """Return the jobs that one more helper may help, the oldest first: they have a living holder other than `but`, a
    chunk that nobody has tried, and fewer than `most` helpers. `job` asks about this one alone."""
    untried = sa.exists().where(JobChunk.job_id == JobRow.id, *_UNTRIED)
    wanted = [_helpable(session), untried, JobRow.lease_owner != but, _helpers(session, but) < most]
    if job is not None:
        wanted.append(JobRow.id == job)
    columns = (JobRow.id, JobRow.fence, JobRow.spec, JobRow.lease_owner)
    rows = session.execute(sa.select(*columns).where(*wanted).order_by(JobRow.created_at, JobRow.id).limit(limit))
    return tuple(Shared(row.id, row.fence, row.spec, row.lease_owner) for row in rows)


def untried(session: Session, job: Shared) -> dict[str, tuple[str, ...]]:
    """Return the keys of the chunks that a helper may take, by aspect."""
    rows = session.execute(
        sa.select(JobChunk.aspect, JobChunk.key).where(JobChunk.job_id == job.job, *_UNTRIED).order_by(JobChunk.number)
    )
    found: dict[str, list[str]] = {}
    for aspect, key in rows:
        found.setdefault(aspect, []).append(key)
    return {aspect: tuple(keys) for aspect, keys in found.items()}


def take(
    session: Session,
    job: Shared,
    keys: Collection[str],
    *,
    owner: str,
    most: int,
    lease: timedelta = CHUNK_LEASE,
) -> str | None:
    """Take one of the chunks of `keys` that nobody has tried, the film's last first: its holder begins at the first.

    None where there is none, the job is not to be helped any more, or `most` others help already (of those who come at
    the same moment one may be too many). The job's row is not locked: who helps must not be able to hold it up.
    """
    few = _helpers(session, owner) < most
    helpable = sa.exists().where(JobRow.id == job.job, JobRow.fence == job.fence, _helpable(session), few)
    wanted = sa.select(JobChunk.key).where(JobChunk.job_id == job.job, JobChunk.key.in_(keys), *_UNTRIED, helpable)
    last = wanted.order_by(JobChunk.number.desc()).limit(1).with_for_update(skip_locked=True, of=JobChunk)
    key = session.scalars(last).one_or_none()
    if key is None:
        return None
    values = {"owner": owner[:200], "lease_until": clock(session, lease), "attempt": JobChunk.attempt + 1}
    return key if _changed(session, sa.and_(_is(job.job, key), *_UNTRIED), values) else None


def keep(session: Session, job: Shared, owner: str, *, lease: timedelta = CHUNK_LEASE) -> bool:
    """Renew the leases of a helper. False: the job ended, is to be cancelled, or has another holder."""
    mine = (JobRow.fence == job.fence, JobRow.state.in_(WORKING), ~JobRow.cancel_asked)
    if session.scalars(sa.select(JobRow.id).where(JobRow.id == job.job, *mine)).one_or_none() is None:
        return False
    _changed(session, _owned(job, owner), {"lease_until": clock(session, lease)})
    return True


def done(session: Session, job: str, key: str, owner: str) -> None:
    """Note that the chunk lies in the cache. Where another has taken it meanwhile, that one notes it."""
    where = sa.and_(_is(job, key), JobChunk.owner == owner[:200], JobChunk.done_at.is_(None))
    _changed(session, where, {"done_at": clock(session), "lease_until": None})


def give_up(session: Session, job: Shared, key: str, owner: str) -> None:
    """Let go of a chunk that failed here: its holder makes it, and if it fails there too, says why."""
    _changed(session, sa.and_(_owned(job, owner), JobChunk.key == key), {"owner": None, "lease_until": None})


def give_back(session: Session, job: Shared, owner: str) -> None:
    """Let go of all that a helper has, as if it had never taken it: this process is to end."""
    _changed(session, _owned(job, owner), {"owner": None, "lease_until": None, "attempt": JobChunk.attempt - 1})


# --- conditions ------------------------------------------------------------------------------------------------------

_UNTRIED = (JobChunk.attempt == 0, JobChunk.done_at.is_(None))


def _is(job: str, key: str) -> sa.ColumnElement[bool]:
    return sa.and_(JobChunk.job_id == job, JobChunk.key == key)


def _owned(job: Shared, owner: str) -> sa.ColumnElement[bool]:
    return sa.and_(JobChunk.job_id == job.job, JobChunk.owner == owner[:200], JobChunk.done_at.is_(None))


def _free(session: Session) -> sa.ColumnElement[bool]:
    """Nobody has it, or the lease of who had it ran out."""
    return sa.or_(JobChunk.owner.is_(None), JobChunk.lease_until < clock(session))


def _helpable(session: Session) -> sa.ColumnElement[bool]:
    """Its holder lives, and nobody asked for a stop."""
    return sa.and_(JobRow.state.in_(WORKING), ~JobRow.cancel_asked, JobRow.lease_until >= clock(session))


def _helpers(session: Session, but: str) -> Any:
    """Count those others that work on a chunk of the job under a lease of their own."""
    living = sa.and_(JobChunk.lease_until >= clock(session), JobChunk.done_at.is_(None), JobChunk.owner != but[:200])
    counted = sa.select(sa.func.count(JobChunk.owner.distinct())).where(JobChunk.job_id == JobRow.id, living)
    return counted.correlate(JobRow).scalar_subquery()


def _changed(session: Session, where: sa.ColumnElement[bool], values: dict[str, Any]) -> int:
    update = sa.update(JobChunk).where(where).values(**values).returning(JobChunk.key)
    return len(session.execute(update.execution_options(synchronize_session=False)).all())
