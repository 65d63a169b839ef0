"""What a relay rings, when a bell rings again, and what a reaper puts right and leaves alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory import traces
from factory.store import bell, jobs
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import MAX_ATTEMPTS
from factory.store.schema import JobRow, Outbox
from tests.ledger_acts import PAST, bells, do, no_bells, now, order, run_out, take, taken, write
from tests.odd_sessions import DyingRelay, Killed

HALF_A_MINUTE = timedelta(seconds=30)


class Unwritable(Sessions):
    """The sessions of somebody who must not write."""

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        raise AssertionError("this writes")
        yield


def relayed(sessions: Sessions, limit: int = 100) -> list[str]:
    """Relay what waits, and return whom it rang for."""
    sent: list[str] = []
    rung = bell.relay(sessions, lambda task, job: sent.append(job), limit=limit)
    assert rung == len(sent)
    return sent


def row(sessions: Sessions, job: str) -> JobRow:
    with sessions.read() as session:
        return session.get_one(JobRow, job)


def until(sessions: Sessions) -> list[datetime | None]:
    """Until when each bell is taken, in the order of the bells."""
    with sessions.read() as session:
        return list(session.scalars(sa.select(Outbox.taken_until).order_by(Outbox.id)))


# --- the relay -------------------------------------------------------------------------------------------------------


def test_where_no_bell_waits_nothing_is_written(sqlite: Sessions) -> None:
    assert relayed(Unwritable(sqlite.engine)) == []


def test_a_ring_is_noted_in_the_trace_of_its_order(sqlite: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[tuple[str, dict[str, object]]] = []

    def span(name: str, **about: object) -> contextlib.nullcontext[None]:
        noted.append((name, about))
        return contextlib.nullcontext()

    job = order(sqlite)
    write(sqlite, job, traceparent="00-aa-bb-01")
    monkeypatch.setattr(traces, "span", span)
    assert relayed(sqlite) == [job]
    assert noted == [("ring", {"parent": "00-aa-bb-01", "job": job, "task": "produce"})]


def test_a_host_is_at_work_while_a_lease_of_it_lives(sqlite: Sessions) -> None:
    def hosts() -> int:
        with sqlite.read() as session:
            return bell.hosts(session)

    assert hosts() == 0
    mine, again, lost, ended = (order(sqlite) for _ in range(4))
    for job, worker in ((mine, "a"), (again, "a"), (lost, "b"), (ended, "c")):
        do(sqlite, jobs.claim, job, worker=worker)
    assert hosts() == 3
    run_out(sqlite, lost)
    assert hosts() == 2
    write(sqlite, ended, state="failed")
    assert hosts() == 1


def test_a_relay_rings_a_hundred_bells_and_leaves_the_rest_to_the_next(sqlite: Sessions) -> None:
    job = order(sqlite)
    with sqlite.write() as session:
        for _ in range(100):
            jobs.ring(session, job, "produce")
    sent: list[str] = []
    assert [bell.relay(sqlite, lambda task, job: sent.append(job)) for _ in range(3)] == [100, 1, 0]
    assert sent == [job] * 101


def test_what_one_relay_is_ringing_another_leaves_alone(sqlite: Sessions) -> None:
    first, second, third = (order(sqlite) for _ in range(3))
    others: list[list[str]] = []

    def send(task: str, job: str) -> None:
        others.extend([relayed(sqlite, limit=1), relayed(sqlite), relayed(sqlite)])

    assert bell.relay(sqlite, send, limit=1) == 1
    assert others == [[second], [third], []]
    assert bells(sqlite) == []
    assert {row(sqlite, job).rings for job in (first, second, third)} == {1}


def test_what_a_relay_took_that_was_killed_is_free_after_half_a_minute(sqlite: Sessions) -> None:
    job, before = order(sqlite), utc_now()
    with pytest.raises(Killed):
        relayed(DyingRelay(sqlite))
    (taken_until,) = until(sqlite)
    assert taken_until is not None
    assert before <= taken_until - HALF_A_MINUTE <= utc_now()
    assert relayed(sqlite) == []
    with sqlite.write() as session:
        session.execute(sa.update(Outbox).values(taken_until=utc_now() + PAST))
    assert relayed(sqlite) == [job]


def test_what_a_broker_did_not_take_is_free_at_once(sqlite: Sessions) -> None:
    order(sqlite)

    def send(task: str, job: str) -> None:
        raise ConnectionError("down")

    with pytest.raises(ConnectionError):
        bell.relay(sqlite, send)
    assert until(sqlite) == [None]


@pytest.mark.server
@pytest.mark.parametrize("sessions", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_relay_does_not_wait_for_a_bell_that_another_is_taking(sessions: Sessions) -> None:
    order(sessions)
    second = order(sessions)
    with sessions.write() as session, ThreadPoolExecutor(1) as pool:
        session.scalars(sa.select(Outbox.id).order_by(Outbox.id).limit(1).with_for_update()).one()
        try:
            assert pool.submit(relayed, sessions).result(timeout=20) == [second]
        finally:
            session.rollback()


def test_a_job_that_nobody_claims_is_rung_again_after_half_a_minute_and_twice_as_long_each_time(
    sqlite: Sessions,
) -> None:
    job, other = order(sqlite), order(sqlite)
    waits = []
    for _ in range(6):
        with sqlite.write() as session:
            session.execute(sa.update(JobRow).where(JobRow.id == job).values(ring_after=utc_now() + PAST))
        bell.reap(sqlite)
        before = utc_now()
        assert job in relayed(sqlite)
        seen = row(sqlite, job)
        assert seen.dispatched_at is not None
        assert seen.ring_after is not None
        assert before <= seen.dispatched_at <= utc_now()
        waits.append(round((seen.ring_after - seen.dispatched_at).total_seconds()))
    assert waits == [30, 60, 120, 240, 240, 240]
    assert (row(sqlite, job).rings, row(sqlite, other).rings) == (6, 1)


def test_each_job_has_a_wait_of_its_own(sqlite: Sessions) -> None:
    first, second = order(sqlite), order(sqlite)
    write(sqlite, first, rings=3)
    assert set(relayed(sqlite)) == {first, second}
    assert (row(sqlite, first).rings, row(sqlite, second).rings) == (4, 1)


# --- who hears a bell ------------------------------------------------------------------------------------------------


class Counting(Sessions):
    """Sessions that count how often somebody looks."""

    looks = 0

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        self.looks += 1
        with super().read() as session:
            yield session


def test_whoever_finds_all_taken_looks_again_three_times_in_all(sqlite: Sessions) -> None:
    job, sessions = order(sqlite), Counting(sqlite.engine)
    tried: list[str] = []
    assert bell.answer(sessions, job, tried.append) is None
    assert (tried, sessions.looks) == ([job] * 3, 3)


def test_what_is_ordered_while_others_were_faster_is_seen(sqlite: Sessions) -> None:
    job, tried = order(sqlite), list[str]()

    def work(urgent: str) -> object:
        tried.append(urgent)
        if len(tried) == 1:
            order(sqlite, priority=9)
            return None
        return take(sqlite, urgent)

    assert bell.answer(sqlite, job, work) is not None
    assert len(tried) == 2
    assert tried[1] != job


def test_where_nothing_waits_nobody_looks_twice(sqlite: Sessions) -> None:
    job, sessions = order(sqlite), Counting(sqlite.engine)
    taken(sqlite, job)
    assert bell.answer(sessions, job, lambda job: pytest.fail("it is taken")) is None
    assert sessions.looks == 1


def test_a_job_that_is_worked_on_at_its_bell_is_not_rung_for_again(sqlite: Sessions) -> None:
    job = order(sqlite)
    no_bells(sqlite)
    assert bell.answer(sqlite, job, lambda urgent: bells(sqlite)) == []


def test_a_bell_is_passed_on_only_to_a_job_that_may_still_be_begun(sqlite: Sessions) -> None:
    named, urgent, third = order(sqlite), order(sqlite, priority=9), order(sqlite)
    do(sqlite, jobs.cancel, named)
    no_bells(sqlite)
    assert bell.answer(sqlite, named, lambda job: take(sqlite, job) and job) == urgent
    assert bells(sqlite) == []
    do(sqlite, jobs.ring, third, "produce")
    do(sqlite, jobs.retry, named)
    with sqlite.write() as session:
        session.execute(sa.delete(Outbox).where(Outbox.job_id == named))
    high = order(sqlite, priority=9)
    assert bell.answer(sqlite, named, lambda job: take(sqlite, job) and job) == high
    assert bells(sqlite) == [third, named]


# --- the reaper ------------------------------------------------------------------------------------------------------


def test_the_reaper_leaves_the_living_alone(sqlite: Sessions) -> None:
    asked, last = order(sqlite), order(sqlite)
    claims = [taken(sqlite, asked), taken(sqlite, last)]
    do(sqlite, jobs.cancel, asked)
    write(sqlite, last, attempt=MAX_ATTEMPTS)
    assert bell.reap(sqlite) == bell.Reaped(0, 0, 0)
    assert [do(sqlite, jobs.beat, claim) for claim in claims] == ["cancel", "go-on"]


def test_of_lost_workers_those_asked_to_stop_are_cancelled_and_those_of_the_last_attempt_dead(sqlite: Sessions) -> None:
    asked, last, again = (order(sqlite) for _ in range(3))
    for job in (asked, last, again):
        taken(sqlite, job)
    do(sqlite, jobs.cancel, asked)
    write(sqlite, last, attempt=MAX_ATTEMPTS)
    for job in (asked, last, again):
        run_out(sqlite, job)
    before = utc_now()
    assert bell.reap(sqlite) == bell.Reaped(rung=1, dead=1, cancelled=1)
    assert [now(sqlite, job).state for job in (asked, last, again)] == ["cancelled", "dead", "planning"]
    for job in (asked, last):
        gone = row(sqlite, job)
        assert (gone.lease_owner, gone.lease_until) == (None, None)
        assert gone.ended_at is not None
        assert before <= gone.ended_at <= utc_now()
    buried = now(sqlite, last)
    assert (buried.error_code, buried.error_text) == (
        "worker-lost", "the worker ended without a word in attempt 3 of 3"
    )  # fmt: skip
    assert "retry the job" in str(buried.next_step)


def test_a_death_keeps_what_an_earlier_attempt_said(sqlite: Sessions) -> None:
    job = order(sqlite)
    do(sqlite, jobs.crash, taken(sqlite, job), code="decoder-crashed", text="clip.mp4", next_step="look at clip.mp4")
    taken(sqlite, job)
    write(sqlite, job, attempt=MAX_ATTEMPTS)
    run_out(sqlite, job)
    assert bell.reap(sqlite).dead == 1
    dead = now(sqlite, job)
    assert (dead.error_code, dead.error_text, dead.next_step) == ("decoder-crashed", "clip.mp4", "look at clip.mp4")


def test_the_reaper_rings_for_what_has_no_bell_and_was_not_rung_for_lately(sqlite: Sessions) -> None:
    belled, quiet, lately = (order(sqlite) for _ in range(3))
    with sqlite.write() as session:
        session.execute(sa.delete(Outbox).where(Outbox.job_id != belled))
    write(sqlite, lately, ring_after=utc_now() - PAST)
    assert bell.reap(sqlite).rung == 1
    assert bells(sqlite) == [belled, quiet]
    no_bells(sqlite)
    assert bell.reap(sqlite).rung == 0
    assert take(sqlite, lately) is not None
