"""Ringing for workers: the outbox's relay, and the reaper of leases that ran out.

Messages may be lost or doubled: a lost one is rung again from the ledger, a double finds nothing to claim. Only the
relay talks to the broker, never a request, so that a broker that is down holds nobody up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory import traces
from factory.store import jobs, urgency
from factory.store.db import Sessions, clock
from factory.store.job import MAX_ATTEMPTS, QUEUE_OF, WORKING
from factory.store.schema import JobRow, Outbox

Send = Callable[[str, str], None]  # (task name, job id) -> a message on its way
Work = Callable[[str], object]  # works on the job of this id; None where there was nothing to claim

TAKEN = timedelta(seconds=30)  # how long a relay may need for what it took
AGAIN = timedelta(seconds=30)  # a job that nobody claimed is rung again, each time after twice as long
MOST_DOUBLINGS = 3
MOST_RUNG = 100  # jobs of a queue that are rung for again
MOST_LATE = 1000  # jobs of a queue whose deadline has passed that are ended at once
LOOKS = 3  # at what is due, for whoever hears a bell and finds that others were faster


@dataclass(frozen=True, slots=True)
class Reaped:
    """What the reaper did: bells put out, jobs declared dead, cancels carried out for workers that are gone, and jobs
    ended that nobody began by their deadline."""

    rung: int
    dead: int
    cancelled: int
    late: int = 0


def relay(sessions: Sessions, send: Send, *, limit: int = 100) -> int:
    """Ring what waits in the outbox and return how many bells rang. A broker's error is raised; what is left stays."""
    with sessions.read() as session:
        if not session.scalar(sa.exists(Outbox.id).select()):
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
        with sessions.write() as session:
            _settle(session, [bell for bell, *_ in bells], rung)
    return len(rung)


def _take(session: Session, limit: int) -> list[tuple[int, str, str, str | None]]:
    """Take bells that no other relay is ringing, of the most urgent jobs first, each with the trace of its order."""
    free = sa.or_(Outbox.taken_until.is_(None), Outbox.taken_until < clock(session))
    first = (*urgency.URGENCY, Outbox.id)
    waiting = sa.select(Outbox.id).join(JobRow, JobRow.id == Outbox.job_id).where(free).order_by(*first).limit(limit)
    chosen = session.scalars(waiting.with_for_update(skip_locked=True, of=Outbox)).all()
    taken = sa.update(Outbox).where(Outbox.id.in_(chosen)).values(taken_until=clock(session, TAKEN))
    session.execute(taken.execution_options(synchronize_session=False))
    rows = session.execute(
        sa.select(Outbox.id, Outbox.task, Outbox.job_id, JobRow.traceparent)
        .join(JobRow, JobRow.id == Outbox.job_id)
        .where(Outbox.id.in_(chosen))
    )
    found = {row.id: (row.id, row.task, row.job_id, row.traceparent) for row in rows}
    return [found[bell] for bell in chosen]


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
        _update(session, sa.and_(JobRow.id == job, urgency.due(session)), rings=rings + 1, **sent)
    session.execute(sa.delete(Outbox).where(Outbox.id.in_([bell for bell, _ in rung])))
    free = sa.update(Outbox).where(Outbox.id.in_(taken)).values(taken_until=None)
    session.execute(free.execution_options(synchronize_session=False))


def answer(sessions: Sessions, job: str, work: Work) -> object:
    """Hear the bell of a job: work on the most urgent one that is due in its queue, which need not be the named one.

    A bell only wakes. Where another job was taken, the named one is rung for again: its bell is used up. Returns what
    `work` returned, or None where nothing was to be had.
    """
    for _ in range(LOOKS):
        with sessions.read() as session:
            queue = session.scalars(sa.select(JobRow.queue).where(JobRow.id == job)).all()
            waiting = urgency.next_due(session, queue)
        for urgent in waiting:
            if urgent != job:
                with sessions.write() as session:
                    _pass_on(session, job)
            if (ended := work(urgent)) is not None:
                return ended
        if not waiting:
            break
    return None


def _pass_on(session: Session, job: str) -> None:
    """Ring for a job once more, unless it is not to be had or a bell of it waits."""
    rung = sa.exists().where(Outbox.job_id == JobRow.id)
    for kind in session.scalars(sa.select(JobRow.kind).where(JobRow.id == job, urgency.due(session), ~rung)):
        jobs.ring(session, job, kind)


def hosts(session: Session) -> int:
    """Return how many worker processes are at work, on whichever hosts."""
    living = sa.and_(JobRow.state.in_(WORKING), JobRow.lease_until >= clock(session))
    return session.scalars(sa.select(sa.func.count(JobRow.lease_owner.distinct())).where(living)).one()


def reap(sessions: Sessions) -> Reaped:
    """Put right what ended workers and lost messages left behind. Running it often, or twice at once, is harmless."""
    with sessions.write() as session:
        expired = sa.and_(JobRow.state.in_(WORKING), JobRow.lease_until < clock(session))
        gone = {"lease_owner": None, "lease_until": None, "ended_at": clock(session)}
        cancelled = _update(session, sa.and_(expired, JobRow.cancel_asked), state=jobs.moved("stop"), **gone)
        late = _fail_late(session)
        lost = f"the worker ended without a word in attempt {MAX_ATTEMPTS} of {MAX_ATTEMPTS}"
        dead = _update(
            session,
            sa.and_(expired, JobRow.attempt >= MAX_ATTEMPTS),
            state=jobs.moved("die"),
            error_code=sa.func.coalesce(JobRow.error_code, "worker-lost"),
            error_text=sa.func.coalesce(JobRow.error_text, lost),
            next_step=sa.func.coalesce(JobRow.next_step, "look at the clips of its last step, then retry the job"),
            **gone,
        )
        rung = _ring_again(session)
        for queue in sorted({row.queue for row in (*dead, *cancelled)}):
            jobs.ring_next(session, queue)
        return Reaped(rung, len(dead), len(cancelled), late)


def _fail_late(session: Session) -> int:
    """End what nobody began by its deadline; of a queue at most so many at once, found by the index of what has one."""
    late = list[str]()
    for queue in sorted(set(QUEUE_OF.values())):
        mine = sa.select(JobRow.id).where(JobRow.queue == queue, urgency.late(session))
        late += session.scalars(mine.order_by(*urgency.WITH_DEADLINE).limit(MOST_LATE))
    if not late:
        return 0
    failed = _update(
        session,
        sa.and_(JobRow.id.in_(late), urgency.late(session)),
        state=jobs.moved("expire"),
        error_code="deadline-passed",
        error_text="nobody began the job by its deadline",
        next_step="retry it, which lifts the deadline, or order it anew; if this is frequent, start more workers",
        ended_at=clock(session),
    )
    session.execute(sa.delete(Outbox).where(Outbox.job_id.in_([row.id for row in failed])))
    return len(failed)


def _ring_again(session: Session) -> int:
    """Ring for jobs that may be claimed, were not rung for lately, and have no bell waiting.

    Only for the most urgent of a queue: whoever hears a bell takes the first of them. To ring for a million would read
    them all every few seconds, and fill the broker with bells that nobody answers for hours.
    """
    quiet = sa.or_(JobRow.ring_after.is_(None), JobRow.ring_after < clock(session))
    waiting = sa.exists().where(Outbox.job_id == JobRow.id)
    found = list[sa.Row[str, str]]()
    for queue in sorted(set(QUEUE_OF.values())):
        urgent = urgency.next_due(session, [queue], limit=MOST_RUNG)
        chosen = sa.select(JobRow.id, JobRow.kind).where(JobRow.id.in_(urgent), quiet, ~waiting)
        found += session.execute(chosen).all()
    for row in found:
        jobs.ring(session, row.id, row.kind)
    return len(found)


def _update(session: Session, where: sa.ColumnElement[bool], **values: Any) -> Sequence[sa.Row[str, str]]:
    """Write values to jobs and return id and queue of each."""
    update = sa.update(JobRow).where(where).values(**values).returning(JobRow.id, JobRow.queue)
    return session.execute(update.execution_options(synchronize_session=False)).all()
