"""Looking at the ledger from outside: which jobs stand still, how deep the queue is, how long work took.

Only reads. A job stands still when its worker has not been heard of (`no-beat`), when nobody works at all while it
waits (`no-worker`), or when it has waited longer than it should (`waits`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.store.columns import Moment
from factory.store.db import clock
from factory.store.job import LEASE, WORKING
from factory.store.schema import STATES, JobRow, JobStep, Notice, Outbox, ScheduleSlot

Why = Literal["no-beat", "no-worker", "waits"]

NO_BEAT = timedelta(seconds=15)  # past the lease: another worker has had the time to take the job
NO_WORKER = timedelta(seconds=45)  # in which somebody who works claims what is queued
BOUNDS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)  # seconds, of the histograms


@dataclass(frozen=True, slots=True)
class Stalled:
    """A job that stands still, since when, and why."""

    job: str
    fence: int
    why: Why
    since: datetime


@dataclass(frozen=True, slots=True)
class Durations:
    """How many took at most each of `BOUNDS` seconds (the counts grow), how many there are, their sum in seconds."""

    at_most: tuple[int, ...]
    count: int
    total: float


def stalled(session: Session, *, after: timedelta, among: Collection[str] | None = None) -> tuple[Stalled, ...]:
    """Return the jobs that stand still, the longest first. `after` is how long one may wait in the queue; `among` are
    the ids of the jobs that are asked about, all if not given."""
    now = _now(session)
    held = sa.select(JobRow.id, JobRow.fence, JobRow.lease_until).where(JobRow.state.in_(WORKING))
    silent, alive = list[Stalled](), False
    for job, fence, lease_until in session.execute(held):
        if lease_until is not None and lease_until >= now - NO_BEAT:
            alive = True
        elif among is None or job in among:
            silent.append(Stalled(job, fence, "no-beat", (lease_until or now) - LEASE))
    allowed = after if alive else min(after, NO_WORKER)
    why: Why = "waits" if alive else "no-worker"
    waiting = [Stalled(job, fence, why, since) for job, fence, since in _queued(session, now - allowed, among)]
    return tuple(sorted((*silent, *waiting), key=lambda stall: stall.since))


def _queued(session: Session, before: datetime, among: Collection[str] | None) -> Sequence[tuple[str, int, datetime]]:
    """Return what has been queued since `before`: a job that came back waits since its bell, not since its order."""
    bell = sa.select(sa.func.min(Outbox.created_at)).where(Outbox.job_id == JobRow.id).scalar_subquery()
    again = sa.func.coalesce(bell, JobRow.dispatched_at, JobRow.created_at, type_=Moment())
    since = sa.case((JobRow.fence == 0, JobRow.created_at), else_=again)
    waits = sa.and_(JobRow.state == "queued", JobRow.created_at < before, since < before)
    asked = sa.true() if among is None else JobRow.id.in_(among)
    rows = session.execute(sa.select(JobRow.id, JobRow.fence, since).where(waits, asked))
    return [(job, fence, moment) for job, fence, moment in rows]


@dataclass(frozen=True, slots=True)
class Depth:
    """How many jobs are in a state, and how old the oldest is (seconds since it was ordered)."""

    jobs: int
    oldest: float


def depths(session: Session) -> Mapping[str, Depth]:
    """Return the depth of every state, of those without a job too."""
    now = _now(session)
    oldest = sa.func.min(JobRow.created_at, type_=Moment())
    rows = session.execute(sa.select(JobRow.state, sa.func.count(), oldest).group_by(JobRow.state))
    found = {state: Depth(count, max(0.0, (now - since).total_seconds())) for state, count, since in rows}
    return {state: found.get(state, Depth(0, 0.0)) for state in STATES}


def attempts(session: Session) -> int:
    """Return how many attempts all jobs have begun: a fence grows with each claim and never falls."""
    return session.scalar(sa.select(sa.func.coalesce(sa.func.sum(JobRow.fence), 0))) or 0


def job_durations(session: Session) -> Durations:
    """Return how long jobs took that have ended, from their first claim on."""
    if session.get_bind().dialect.name == "postgresql":
        seconds: sa.ColumnElement[Any] = sa.func.extract("epoch", JobRow.ended_at - JobRow.started_at)
    else:
        seconds = (sa.func.julianday(JobRow.ended_at) - sa.func.julianday(JobRow.started_at)) * 86_400.0
    return _durations(session, seconds, sa.and_(JobRow.ended_at.is_not(None), JobRow.started_at.is_not(None)))


def step_durations(session: Session) -> Durations:
    """Return how long the steps took that were done."""
    return _durations(session, JobStep.wall_seconds, sa.true())


def notice_counts(session: Session) -> Mapping[str, int]:
    """Return how many notices wait, were sent, and were given up."""
    waiting = sa.func.count().filter(Notice.next_at.is_not(None))
    sent = sa.func.count().filter(Notice.sent_at.is_not(None))
    total, waits, went = session.execute(sa.select(sa.func.count(), waiting, sent).select_from(Notice)).one()
    return {"waiting": waits, "sent": went, "given_up": total - waits - went}


def slot_counts(session: Session) -> Mapping[str, int]:
    """Return how many slots of schedules are in each state."""
    found = session.execute(sa.select(ScheduleSlot.state, sa.func.count()).group_by(ScheduleSlot.state))
    counts = {str(state): int(count) for state, count in found}
    return {state: counts.get(state, 0) for state in ("running", "done", "failed", "skipped")}


def _durations(session: Session, seconds: Any, where: sa.ColumnElement[bool]) -> Durations:
    """Count in the database: a ledger of a year has a million rows."""
    within = [sa.func.count().filter(sa.and_(where, seconds <= bound)) for bound in BOUNDS]
    total = sa.func.coalesce(sa.func.sum(seconds).filter(where), 0.0)
    row = session.execute(sa.select(sa.func.count().filter(where), total, *within)).one()
    return Durations(tuple(int(count) for count in row[2:]), int(row[0]), float(row[1]))


def _now(session: Session) -> datetime:
    """Return the clock that leases go by."""
    return session.execute(sa.select(sa.type_coerce(clock(session), Moment()))).scalar_one()
