"""Ringing for workers: the outbox's relay, and the reaper of leases that ran out.

Messages may be lost or doubled: a lost one is rung again from the ledger, a double finds nothing to claim. Only the
relay talks to the broker, never a request, so that a broker that is down holds nobody up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory import traces
from factory.store import jobs
from factory.store.db import Sessions, clock
from factory.store.job import MAX_ATTEMPTS, MOVES, WORKING
from factory.store.schema import JobRow, Outbox

Send = Callable[[str, str], None]  # (task name, job id) -> a message on its way

TAKEN = timedelta(seconds=30)  # how long a relay may need for what it took
AGAIN = timedelta(seconds=30)  # a job that nobody claimed is rung again, each time after twice as long
MOST_DOUBLINGS = 3


@dataclass(frozen=True, slots=True)
class Reaped:
    """What the reaper did: bells put out, jobs declared dead, cancels carried out for workers that are gone."""

    rung: int
    dead: int
    cancelled: int


def relay(sessions: Sessions, send: Send, *, limit: int = 100) -> int:
    """Ring what waits in the outbox and return how many bells rang. A broker's error is raised; what is left stays."""
    with sessions.read() as session:
        if session.scalars(sa.select(Outbox.id).limit(1)).first() is None:
            return 0
    with sessions.write() as session:
        bells = _take(session, limit)
    rung: list[tuple[int, str]] = []
    try:
        for bell, task, job, order in bells:
            with traces.span("ring", parent=order, job=job, task=task):
                send(task, job)
            rung.append((bell, job))
    finally:
        if bells:
            with sessions.write() as session:
                _settle(session, [bell for bell, *_ in bells], rung)
    return len(rung)


def _take(session: Session, limit: int) -> list[tuple[int, str, str, str | None]]:
    """Take bells that no other relay is ringing, the oldest first, each with the trace of its order."""
    free = sa.or_(Outbox.taken_until.is_(None), Outbox.taken_until < clock(session))
    chosen = session.scalars(
        sa.select(Outbox.id).where(free).order_by(Outbox.id).limit(limit).with_for_update(skip_locked=True)
    ).all()
    if not chosen:
        return []
    taken = sa.update(Outbox).where(Outbox.id.in_(chosen)).values(taken_until=clock(session, TAKEN))
    session.execute(taken.execution_options(synchronize_session=False))
    rows = session.execute(
        sa.select(Outbox.id, Outbox.task, Outbox.job_id, JobRow.traceparent)
        .join(JobRow, JobRow.id == Outbox.job_id)
        .where(Outbox.id.in_(chosen))
        .order_by(Outbox.id)
    )
    return [(row.id, row.task, row.job_id, row.traceparent) for row in rows]


def _settle(session: Session, taken: list[int], rung: list[tuple[int, str]]) -> None:
    """Forget the bells that rang, free the others, and note when a job that nobody claims is rung again.

    Jobs before bells, as `jobs.claim` does: a worker that hears a bell claims before this is written, and in another
    order each would wait for the other. A job that is claimed by now is left alone: were its worker lost, the reaper's
    bell would have to wait.
    """
    for job in sorted({job for _, job in rung}):
        rings = session.scalar(sa.select(JobRow.rings).where(JobRow.id == job)) or 0
        wait = AGAIN * 2 ** min(rings, MOST_DOUBLINGS)
        sent = {"dispatched_at": clock(session), "ring_after": clock(session, wait)}
        _update(session, sa.and_(JobRow.id == job, jobs.due(session)), rings=rings + 1, **sent)
    session.execute(sa.delete(Outbox).where(Outbox.id.in_([bell for bell, _ in rung])))
    free = sa.update(Outbox).where(Outbox.id.in_(taken)).values(taken_until=None)
    session.execute(free.execution_options(synchronize_session=False))


def reap(sessions: Sessions) -> Reaped:
    """Put right what ended workers and lost messages left behind. Running it often, or twice at once, is harmless."""
    with sessions.write() as session:
        expired = sa.and_(JobRow.state.in_(WORKING), JobRow.lease_until < clock(session))
        gone = {"lease_owner": None, "lease_until": None, "ended_at": clock(session)}
        cancelled = _update(session, sa.and_(expired, JobRow.cancel_asked), state=MOVES["stop"]["rendering"], **gone)
        lost = f"the worker ended without a word in attempt {MAX_ATTEMPTS} of {MAX_ATTEMPTS}"
        dead = _update(
            session,
            sa.and_(expired, JobRow.attempt >= MAX_ATTEMPTS),
            state=MOVES["die"]["rendering"],
            error_code=sa.func.coalesce(JobRow.error_code, "worker-lost"),
            error_text=sa.func.coalesce(JobRow.error_text, lost),
            next_step=sa.func.coalesce(JobRow.next_step, "look at the clips of its last step, then retry the job"),
            **gone,
        )
        return Reaped(_ring_again(session), dead, cancelled)


def _ring_again(session: Session) -> int:
    """Ring for every job that may be claimed, was not rung for lately, and has no bell waiting."""
    quiet = sa.or_(JobRow.ring_after.is_(None), JobRow.ring_after < clock(session))
    waiting = sa.exists().where(Outbox.job_id == JobRow.id)
    found = session.execute(sa.select(JobRow.id, JobRow.kind).where(jobs.due(session), quiet, ~waiting)).all()
    for row in found:
        jobs.ring(session, row.id, row.kind)
    return len(found)


def _update(session: Session, where: sa.ColumnElement[bool], **values: Any) -> int:
    update = sa.update(JobRow).where(where).values(**values).returning(JobRow.id)
    return len(session.execute(update.execution_options(synchronize_session=False)).all())
