from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from factory.plan.brief import Brief
from factory.store import jobs, watch
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import Claim
from factory.store.schema import JobRow, Outbox

HOUR = timedelta(hours=1)


def ago(seconds: float) -> datetime:
    return utc_now() - timedelta(seconds=seconds)


def ordered(sessions: Sessions, **changed: Any) -> str:
    with sessions.write() as session:
        job = jobs.submit(session, Brief(template="off_road")).job
        if changed:
            session.execute(sa.update(JobRow).where(JobRow.id == job).values(**changed))
    return job


def claimed(sessions: Sessions, job: str, **changed: Any) -> Claim:
    with sessions.write() as session:
        held = jobs.claim(session, job, worker="test")
        assert held is not None
        if changed:
            session.execute(sa.update(JobRow).where(JobRow.id == job).values(**changed))
    return held


def stalls(sessions: Sessions, after: timedelta = HOUR, among: Collection[str] | None = None) -> list[tuple[str, str]]:
    with sessions.read() as session:
        return [(stall.job, stall.why) for stall in watch.stalled(session, after=after, among=among)]


def test_a_queue_that_nobody_works_off_is_seen_within_a_minute(sessions: Sessions) -> None:
    ordered(sessions, created_at=ago(40))
    assert stalls(sessions) == []
    old = ordered(sessions, created_at=ago(50))
    assert stalls(sessions) == [(old, "no-worker")]
    claimed(sessions, ordered(sessions))  # somebody works: now only the long wait counts
    assert stalls(sessions) == []
    assert stalls(sessions, timedelta(seconds=45)) == [(old, "waits")]


def test_some_are_asked_about_and_all_tell_whether_anybody_works(sessions: Sessions) -> None:
    asked, other = ordered(sessions, created_at=ago(50)), ordered(sessions, created_at=ago(50))
    silent, working = ordered(sessions), ordered(sessions)
    claimed(sessions, silent, lease_until=ago(16))
    among = (asked, silent)
    assert set(stalls(sessions, among=among)) == {(asked, "no-worker"), (silent, "no-beat")}
    claimed(sessions, working)
    assert stalls(sessions, among=among) == [(silent, "no-beat")]
    assert stalls(sessions, among=(other,)) == []


def test_a_worker_that_is_not_heard_of_is_seen_within_a_minute(sessions: Sessions) -> None:
    job = ordered(sessions)
    claimed(sessions, job)
    assert stalls(sessions) == []
    with sessions.write() as session:  # its last word was 44, then 46 seconds ago: the lease is 30
        session.execute(sa.update(JobRow).values(lease_until=ago(14)))
    assert stalls(sessions) == []
    with sessions.write() as session:
        session.execute(sa.update(JobRow).values(lease_until=ago(16)))
    assert stalls(sessions) == [(job, "no-beat")]
    with sessions.write() as session:
        assert jobs.claim(session, job, worker="another") is not None
    assert stalls(sessions) == []


def test_a_job_that_came_back_waits_from_then_on(sessions: Sessions) -> None:
    job = ordered(sessions, created_at=ago(900))
    held = claimed(sessions, job)
    with sessions.write() as session:
        jobs.fail(session, held, code="x", text="y")
        jobs.retry(session, job)
    assert stalls(sessions) == []
    with sessions.write() as session:
        session.execute(sa.update(Outbox).values(created_at=ago(60)))
    assert stalls(sessions) == [(job, "no-worker")]
    with sessions.write() as session:  # the relay took the bell and rang it
        session.execute(sa.delete(Outbox))
        session.execute(sa.update(JobRow).values(dispatched_at=ago(46)))
    assert stalls(sessions) == [(job, "no-worker")]


def test_the_ledger_is_counted(sessions: Sessions) -> None:
    with sessions.read() as session:
        assert {depth.jobs for depth in watch.depths(session).values()} == {0}
        assert (watch.attempts(session), watch.job_durations(session).count) == (0, 0)
    ordered(sessions, created_at=ago(100))
    ordered(sessions, created_at=ago(50))
    for took in (0.5, 40.0, 100_000.0):
        held = claimed(sessions, ordered(sessions))
        with sessions.write() as session:
            jobs.save_step(session, held, "voice", input_digest="0" * 64, output_digest="1" * 64, seconds=took)
            jobs.fail(session, held, code="x", text="y")
            times = {"started_at": ago(took), "ended_at": utc_now()}
            session.execute(sa.update(JobRow).where(JobRow.id == held.job).values(**times))
    with sessions.read() as session:
        depths = watch.depths(session)
        assert (depths["queued"].jobs, depths["failed"].jobs, depths["review"].jobs) == (2, 3, 0)
        assert 100 <= depths["queued"].oldest < 130
        assert watch.attempts(session) == 3
        for told in (watch.step_durations(session), watch.job_durations(session)):
            assert told.at_most == (1, 1, 1, 2, 2, 2, 2, 2)
            assert told.count == 3
            assert 100_040 < told.total < 100_042.5
