"""What tests of the ledger do to it, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from factory.plan.brief import Brief
from factory.store import job_lookup, jobs
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import Claim, Job, Ordered, Wishes
from factory.store.schema import JobRow, Outbox

BRIEF = Brief(template="ranking", subject="SUV 销量", series="weekly")
PAST = timedelta(minutes=-10)  # further back than any wait that is written


def order(sessions: Sessions, brief: Ordered = BRIEF, key: str | None = None, **wishes: Any) -> str:
    """Order a job and return its id."""
    with sessions.write() as session:
        return jobs.submit(session, brief, key=key, wishes=Wishes(**wishes)).job


def take(sessions: Sessions, job: str) -> Claim | None:
    with sessions.write() as session:
        return jobs.claim(session, job, worker="w1")


def taken(sessions: Sessions, job: str) -> Claim:
    claim = take(sessions, job)
    assert claim is not None
    return claim


def now(sessions: Sessions, job: str) -> Job:
    with sessions.read() as session:
        return job_lookup.get(session, job)


def do(sessions: Sessions, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with sessions.write() as session:
        return verb(session, *args, **kwargs)


def bells(sessions: Sessions) -> list[str]:
    """Return the jobs that will be rung for, in the order of their bells."""
    with sessions.read() as session:
        return list(session.scalars(sa.select(Outbox.job_id).order_by(Outbox.id)))


def no_bells(sessions: Sessions) -> None:
    """As if all bells had rung, and nobody had come."""
    with sessions.write() as session:
        session.execute(sa.delete(Outbox))
        session.execute(sa.update(JobRow).values(rings=1, ring_after=utc_now() - PAST))


def write(sessions: Sessions, job: str, **values: Any) -> None:
    with sessions.write() as session:
        session.execute(sa.update(JobRow).where(JobRow.id == job).values(**values))


def run_out(sessions: Sessions, job: str) -> None:
    """Let the lease of a job be over."""
    write(sessions, job, lease_until=utc_now() + PAST)
