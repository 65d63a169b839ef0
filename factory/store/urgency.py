"""What is taken next: the highest priority, then the earliest deadline, then the oldest order."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.store import places
from factory.store.db import clock
from factory.store.job import MAX_ATTEMPTS, QUEUE_OF, WORKING
from factory.store.schema import JobRow

WAITS: Final = JobRow.state == sa.literal_column("'queued'")  # spelt out: only so the indexes of what waits are used
URGENCY: Final = (JobRow.priority.desc(), JobRow.deadline.nulls_last(), JobRow.created_at, JobRow.id)
WITH_DEADLINE: Final = (JobRow.priority.desc(), JobRow.deadline, JobRow.created_at, JobRow.id)
WITHOUT: Final = (JobRow.priority.desc(), JobRow.created_at, JobRow.id)


def late(session: Session) -> sa.ColumnElement[bool]:
    """Return the condition for jobs that nobody began by their deadline; what was begun once is never late."""
    over = sa.and_(JobRow.deadline.is_not(None), JobRow.deadline <= clock(session))
    return sa.and_(WAITS, JobRow.started_at.is_(None), over)


def due(session: Session) -> sa.ColumnElement[bool]:
    """Return the condition for jobs that a worker may claim: waiting, or held by a worker whose lease ran out."""
    return sa.or_(_waiting(session), _expired(session))


def _waiting(session: Session) -> sa.ColumnElement[bool]:
    return sa.and_(WAITS, ~late(session), _wanted())


def _expired(session: Session) -> sa.ColumnElement[bool]:
    return sa.and_(JobRow.state.in_(WORKING), JobRow.lease_until < clock(session), _wanted())


def _wanted() -> sa.ColumnElement[bool]:
    return sa.and_(~JobRow.cancel_asked, JobRow.attempt < MAX_ATTEMPTS)


def next_due(
    session: Session, queues: Collection[str] = frozenset(QUEUE_OF.values()), *, limit: int = 10
) -> tuple[str, ...]:
    """Return the most urgent jobs of these queues that a worker may claim; a queue without a free place has none."""
    ways = (  # each by an index, so that a long queue costs no more than a short one
        (sa.and_(_waiting(session), JobRow.deadline.is_(None)), WITHOUT),
        (sa.and_(_waiting(session), JobRow.deadline.is_not(None)), WITH_DEADLINE),
        (_expired(session), URGENCY),
    )
    chosen = sa.select(JobRow.id, JobRow.priority, JobRow.deadline, JobRow.created_at)
    found = list[sa.Row[str, int, datetime | None, datetime]]()
    for queue in queues:
        if not places.full(session, queue):
            mine = chosen.where(JobRow.queue == queue).limit(limit)
            for way, order in ways:
                found += session.execute(mine.where(way).order_by(*order)).all()
    return tuple(row.id for row in sorted(found, key=_urgency)[:limit])


def _urgency(row: sa.Row[str, int, datetime | None, datetime]) -> tuple[int, bool, datetime, datetime, str]:
    """Return the sort key that `URGENCY` is in SQL."""
    return (-row.priority, row.deadline is None, row.deadline or row.created_at, row.created_at, row.id)
