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

WAITS: Final = JobRow.state == sa.literal_column("'queued'")  # spelt out: only so the index of what waits is used
URGENCY: Final = (
    JobRow.priority.desc(),
    JobRow.deadline.nulls_last(),
    JobRow.created_at,
    JobRow.id,
)


def late(session: Session) -> sa.ColumnElement[bool]:
    """Return the condition for jobs that nobody began by their deadline; what was begun once is never late."""
    return sa.and_(
        JobRow.state == "queued",
        JobRow.started_at.is_(None),
        JobRow.deadline.is_not(None),
        JobRow.deadline <= clock(session),
    )


def due(session: Session) -> sa.ColumnElement[bool]:
    """Return the condition for jobs that a worker may claim: waiting, or held by a worker whose lease ran out."""
    expired = sa.and_(JobRow.state.in_(WORKING), JobRow.lease_until < clock(session))
    free = sa.or_(sa.and_(JobRow.state == "queued", ~late(session)), expired)
    return sa.and_(~JobRow.cancel_asked, JobRow.attempt < MAX_ATTEMPTS, free)


def next_due(
    session: Session, queues: Collection[str] = frozenset(QUEUE_OF.values()), *, limit: int = 10
) -> tuple[str, ...]:
    """Return the most urgent jobs of these queues that a worker may claim; a queue without a free place has none."""
    found = list[sa.Row[str, int, datetime | None, datetime]]()
    for queue in queues:
        if not places.full(session, queue):
            for state in (WAITS, JobRow.state.in_(WORKING)):  # each by its own index
                first = sa.select(JobRow.id, JobRow.priority, JobRow.deadline, JobRow.created_at)
                mine = first.where(JobRow.queue == queue, state, due(session))
                found += session.execute(mine.order_by(*URGENCY).limit(limit)).all()
    return tuple(row.id for row in sorted(found, key=_urgency)[:limit])


def _urgency(row: sa.Row[str, int, datetime | None, datetime]) -> tuple[int, bool, datetime, datetime, str]:
    """Return the sort key that `URGENCY` is in SQL."""
    return (-row.priority, row.deadline is None, row.deadline or row.created_at, row.created_at, row.id)
