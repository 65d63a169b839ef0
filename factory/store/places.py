"""The bounds of the queues: how many jobs of one are worked on at once over all hosts, and how many may wait in it.

A bound is exact: whoever takes a place of a bounded queue, or keeps one, holds the queue's row until it has written. A
queue without a bound has no row, and nobody waits there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.errors import FactoryError, WrongUsage
from factory.store.columns import Moment
from factory.store.db import clock
from factory.store.job import QUEUE_OF, WORKING
from factory.store.schema import JobRow, Queue


class QueueFull(FactoryError):
    """So many jobs wait that another order would only wait too long."""

    code = "queue-full"
    transient = True


class UnknownQueue(WrongUsage):
    code = "unknown-queue"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most jobs that are worked on at once, and that may wait; None: no bound."""

    running: int | None = None
    waiting: int | None = None


@dataclass(frozen=True, slots=True)
class Depth:
    """A queue as it stands: jobs that wait, jobs that are worked on, since when the oldest waits, and the bounds."""

    name: str
    waiting: int
    running: int
    oldest: datetime | None
    bounds: Bounds


# --- what a worker asks ----------------------------------------------------------------------------------------------


def bounded() -> sa.ColumnElement[bool]:
    """Return the condition for jobs of queues that have a bound of what is worked on."""
    return sa.exists().where(Queue.name == JobRow.queue, Queue.most_running.is_not(None)).correlate(JobRow)


def room(session: Session, job: str) -> bool | None:
    """Say whether a place is free in the queue of the job, and hold the queue still until this transaction ends. None
    where the queue has no bound."""
    mine = sa.select(JobRow.queue).where(JobRow.id == job).scalar_subquery()
    bound = sa.select(Queue.name, Queue.most_running).where(Queue.name == mine, Queue.most_running.is_not(None))
    row = session.execute(bound.with_for_update()).one_or_none()
    return None if row is None else _running(session, row.name) < row.most_running


def full(session: Session, queue: str) -> bool:
    """Say whether all places of a queue are taken; without holding it, so only as a hint."""
    most = bounds(session, queue).running
    return most is not None and _running(session, queue) >= most


def _running(session: Session, queue: str) -> int:
    """Count the living leases of a queue: one that ran out holds no place."""
    living = sa.and_(JobRow.state.in_(WORKING), JobRow.lease_until >= clock(session))
    counted = sa.select(sa.func.count()).where(living, JobRow.queue == queue)
    return session.scalars(counted).one()


# --- what an order asks ----------------------------------------------------------------------------------------------


def most_waiting(session: Session, queue: str) -> int | None:
    """Return how many jobs may wait in the queue, and hold it still until this transaction ends; None: no bound."""
    bound = sa.select(Queue.most_waiting).where(Queue.name == queue, Queue.most_waiting.is_not(None))
    return session.scalars(bound.with_for_update()).one_or_none()


def require_room(session: Session, queue: str, most: int) -> None:
    """Raise QueueFull where `most` jobs wait already."""
    waiting = sa.select(JobRow.id).where(JobRow.queue == queue, JobRow.state == "queued").limit(most)
    if session.scalars(sa.select(sa.func.count()).select_from(waiting.subquery())).one() >= most:
        raise QueueFull(
            f"{most} jobs wait in the queue {queue!r}, and no more may",
            next_step=f"order again later, or raise the bound with `factory queue set {queue} --waiting N`",
        )


# --- what a person asks ----------------------------------------------------------------------------------------------


def bounds(session: Session, queue: str) -> Bounds:
    row = session.execute(sa.select(Queue.most_running, Queue.most_waiting).where(Queue.name == queue)).one_or_none()
    return Bounds() if row is None else Bounds(row.most_running, row.most_waiting)


def set_bounds(session: Session, queue: str, wanted: Bounds) -> None:
    """Give a queue these bounds; what is worked on or waits beyond them goes on. Raises UnknownQueue."""
    known = sorted(set(QUEUE_OF.values()))
    if queue not in known:
        raise UnknownQueue(f"there is no queue {queue[:40]!r}", next_step=f"name one of {', '.join(known)}")
    if wanted == Bounds():
        session.execute(sa.delete(Queue).where(Queue.name == queue))
    else:
        session.merge(Queue(name=queue, most_running=wanted.running, most_waiting=wanted.waiting))
        session.flush()
    freed = sa.update(JobRow).where(JobRow.queue == queue, JobRow.state == "queued", JobRow.ring_after.is_not(None))
    session.execute(freed.values(ring_after=None).execution_options(synchronize_session=False))


def depths(session: Session) -> tuple[Depth, ...]:
    """Return every queue by name, those without a job too."""
    waits = JobRow.state == "queued"
    living = sa.and_(JobRow.state.in_(WORKING), JobRow.lease_until >= clock(session))
    oldest = sa.func.min(sa.case((waits, JobRow.created_at)), type_=Moment())
    counts = (sa.func.count().filter(waits), sa.func.count().filter(living), oldest)
    rows = session.execute(
        sa.select(JobRow.queue, *counts).where(JobRow.state.in_(("queued", *WORKING))).group_by(JobRow.queue)
    )
    found = {name: (waiting, running, since) for name, waiting, running, since in rows}
    names = sorted({*QUEUE_OF.values(), *found})
    return tuple(Depth(name, *found.get(name, (0, 0, None)), bounds(session, name)) for name in names)
