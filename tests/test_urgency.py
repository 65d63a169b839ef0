"""Which job is next, what becomes of a job that nobody begins by its deadline, and what a bell wakes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from factory.store import bell, jobs, urgency
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import A_BATCHS, A_PERSONS, MAX_ATTEMPTS, PRIORITIES, NoSuchPriority, Wishes
from tests.ledger_acts import PAST, bells, do, no_bells, now, order, run_out, take, taken, write

HOUR = timedelta(hours=1)


def urgent(sessions: Sessions, limit: int = 99) -> tuple[str, ...]:
    with sessions.read() as session:
        return urgency.next_due(session, limit=limit)


# --- the order -------------------------------------------------------------------------------------------------------


def test_the_highest_priority_is_taken_first_then_the_earliest_deadline_then_the_oldest_order(
    sessions: Sessions,
) -> None:
    soon, later = utc_now() + HOUR, utc_now() + 2 * HOUR
    wishes = {
        "low but soon": (3, soon), "usual": (5, None), "usual, younger": (5, None), "usual, later": (5, later),
        "usual, soon": (5, soon), "usual, soon, younger": (5, soon), "high": (9, None), "lowest": (0, None),
    }  # fmt: skip
    made = {order(sessions, priority=p, deadline=d): name for name, (p, d) in wishes.items()}
    expected = [
        "high", "usual, soon", "usual, soon, younger", "usual, later", "usual", "usual, younger", "low but soon",
        "lowest",
    ]  # fmt: skip
    assert [made[job] for job in urgent(sessions)] == expected
    assert [made[job] for job in urgent(sessions, limit=3)] == expected[:3]


def test_a_job_whose_worker_was_lost_is_as_urgent_as_it_was(sessions: Sessions) -> None:
    deadline = utc_now() + HOUR
    first, lost, last = order(sessions, priority=6), order(sessions, deadline=deadline), order(sessions)
    taken(sessions, lost)
    assert urgent(sessions) == (first, last)
    run_out(sessions, lost)
    assert urgent(sessions) == (first, lost, last)


def test_a_lost_job_that_is_to_be_cancelled_or_buried_is_not_taken(sqlite: Sessions) -> None:
    asked, last, again = (order(sqlite) for _ in range(3))
    for job in (asked, last, again):
        taken(sqlite, job)
        run_out(sqlite, job)
    write(sqlite, asked, cancel_asked=True)
    write(sqlite, last, attempt=MAX_ATTEMPTS)
    write(sqlite, again, attempt=MAX_ATTEMPTS - 1)
    assert urgent(sqlite) == (again,)
    assert [take(sqlite, job) is not None for job in (asked, last, again)] == [False, False, True]


def test_ten_jobs_are_named_at_most_of_those_that_wait_and_those_that_were_lost(sqlite: Sessions) -> None:
    lost, *waiting = (order(sqlite, priority=9 - number // 2) for number in range(12))
    taken(sqlite, lost)
    run_out(sqlite, lost)
    assert urgent(sqlite, limit=1) == (lost,)
    assert urgent(sqlite, limit=3) == (lost, *waiting[:2])
    with sqlite.read() as session:
        assert urgency.next_due(session) == (lost, *waiting[:9])


def test_a_queue_is_asked_for_its_own_jobs_alone(sessions: Sessions) -> None:
    mine, other = order(sessions), order(sessions, priority=9)
    write(sessions, other, queue="elsewhere")
    with sessions.read() as session:
        assert urgency.next_due(session, ["rendering"]) == (mine,)
        assert urgency.next_due(session, ["elsewhere"]) == (other,)
        assert urgency.next_due(session, ["rendering", "elsewhere"]) == (other, mine)
        assert urgency.next_due(session, []) == ()


@pytest.mark.parametrize("priority", [-1, 10])
def test_a_priority_beyond_0_to_9_is_refused(sessions: Sessions, priority: int) -> None:
    with pytest.raises(NoSuchPriority, match=str(priority)):
        order(sessions, priority=priority)
    assert urgent(sessions) == ()
    assert [now(sessions, order(sessions, priority=at)).priority for at in (0, 9)] == [0, 9]


def test_a_known_key_keeps_the_priority_and_deadline_of_its_job(sessions: Sessions) -> None:
    job, deadline = order(sessions, key="monday"), utc_now() + HOUR
    assert order(sessions, key="monday", priority=9, deadline=deadline) == job
    assert (now(sessions, job).priority, now(sessions, job).deadline, now(sessions, job).queue) == (
        5, None, "rendering"
    )  # fmt: skip
    other = order(sessions, key="tuesday", priority=9, deadline=deadline)
    assert (now(sessions, other).priority, now(sessions, other).deadline) == (9, deadline)


def test_a_person_comes_before_a_batch() -> None:
    """The figures of docs/operations.md."""
    assert (A_PERSONS, A_BATCHS, min(PRIORITIES), max(PRIORITIES)) == (5, 3, 0, 9)
    assert Wishes() == Wishes(A_PERSONS, None)


# --- deadlines -------------------------------------------------------------------------------------------------------


def test_a_job_that_nobody_began_by_its_deadline_is_not_begun_any_more(sessions: Sessions) -> None:
    job, other = order(sessions, deadline=utc_now() + PAST), order(sessions)
    assert urgent(sessions) == (other,)
    assert take(sessions, job) is None
    assert now(sessions, job).state == "queued"
    assert bell.reap(sessions) == bell.Reaped(0, 0, 0, late=1)
    failed = now(sessions, job)
    assert (failed.state, failed.error_code, failed.attempt) == ("failed", "deadline-passed", 0)
    assert failed.error_text == "nobody began the job by its deadline"
    assert failed.next_step is not None
    assert "retry" in failed.next_step
    assert failed.ended_at is not None
    assert bells(sessions) == [other]
    assert bell.reap(sessions) == bell.Reaped(0, 0, 0)


def test_a_job_whose_deadline_is_to_come_is_begun(sessions: Sessions) -> None:
    job = order(sessions, deadline=utc_now() + HOUR)
    assert bell.reap(sessions).late == 0
    taken(sessions, job)


def test_a_job_that_was_begun_goes_on_past_its_deadline_and_comes_back(sessions: Sessions) -> None:
    job = order(sessions, deadline=utc_now() + HOUR)
    claim = taken(sessions, job)
    write(sessions, job, deadline=utc_now() + PAST)
    assert do(sessions, jobs.beat, claim) == "go-on"
    assert bell.reap(sessions).late == 0
    assert do(sessions, jobs.hand_back, claim) == "queued"
    assert bell.reap(sessions).late == 0
    assert taken(sessions, job).attempt == 1
    run_out(sessions, job)
    assert bell.reap(sessions).late == 0
    assert taken(sessions, job).attempt == 2


def test_a_retry_lifts_a_deadline_that_has_passed(sessions: Sessions) -> None:
    job = order(sessions, deadline=utc_now() + PAST)
    bell.reap(sessions)
    assert do(sessions, jobs.retry, job) == "queued"
    assert (now(sessions, job).deadline, now(sessions, job).error_code) == (None, None)
    assert bells(sessions) == [job]
    taken(sessions, job)


def test_a_retry_keeps_a_deadline_that_is_to_come_and_it_holds_again(sessions: Sessions) -> None:
    deadline = utc_now() + HOUR
    job = order(sessions, deadline=deadline)
    do(sessions, jobs.fail, taken(sessions, job), code="c", text="t")
    do(sessions, jobs.retry, job)
    assert (now(sessions, job).deadline, now(sessions, job).started_at) == (deadline, None)
    write(sessions, job, deadline=utc_now() + PAST)
    assert take(sessions, job) is None
    assert bell.reap(sessions).late == 1


# --- the bell --------------------------------------------------------------------------------------------------------


def test_more_urgent_jobs_are_rung_for_first(sessions: Sessions) -> None:
    usual, low, high = (order(sessions, priority=at) for at in (5, 3, 9))
    soon = order(sessions, deadline=utc_now() + HOUR)
    sent: list[str] = []
    assert bell.relay(sessions, lambda task, job: sent.append(job), limit=3) == 3
    assert sent == [high, soon, usual]
    assert bell.relay(sessions, lambda task, job: sent.append(job)) == 1
    assert sent[3:] == [low]


def test_whoever_hears_a_bell_takes_the_most_urgent_job_and_the_named_one_is_rung_for_again(sessions: Sessions) -> None:
    named, urgent_one = order(sessions), order(sessions, priority=9)
    no_bells(sessions)
    assert bell.answer(sessions, named, lambda job: take(sessions, job) and job) == urgent_one
    assert bells(sessions) == [named]
    assert bell.answer(sessions, urgent_one, lambda job: take(sessions, job) and job) == named  # its bell came late
    assert bells(sessions) == []


def test_the_same_message_ten_times_is_one_execution_when_only_its_job_waits(sessions: Sessions) -> None:
    job = order(sessions)
    no_bells(sessions)
    heard = [bell.answer(sessions, job, lambda job: take(sessions, job)) for _ in range(10)]
    assert [claim is not None for claim in heard] == [True] + [False] * 9
    assert bells(sessions) == []


def test_a_job_that_has_a_bell_gets_no_second_one(sessions: Sessions) -> None:
    named, _ = order(sessions), order(sessions, priority=9)
    bell.answer(sessions, named, lambda job: take(sessions, job))
    assert bells(sessions) == [named]


def test_whoever_finds_that_others_were_faster_looks_further(sessions: Sessions) -> None:
    first, second, third = order(sessions, priority=9), order(sessions), order(sessions)
    no_bells(sessions)
    tried: list[str] = []

    def work(job: str) -> object:
        tried.append(job)
        if job != third:
            take(sessions, job)  # by another worker, just before
            return None
        return take(sessions, job)

    assert bell.answer(sessions, first, work) is not None
    assert tried == [first, second, third]


def test_a_bell_of_no_job_wakes_nobody(sessions: Sessions) -> None:
    order(sessions)
    assert bell.answer(sessions, "gone", lambda job: pytest.fail("it is no job's")) is None


def test_a_worker_that_was_silent_and_spoke_again_is_rung_for_at_once_when_it_is_lost(sessions: Sessions) -> None:
    job = order(sessions)
    claim = taken(sessions, job)
    run_out(sessions, job)
    assert bell.reap(sessions).rung == 1
    assert bell.relay(sessions, lambda task, job: None) == 1  # lost: the next is due in half a minute
    assert bell.reap(sessions).rung == 0
    assert do(sessions, jobs.beat, claim) == "go-on"
    run_out(sessions, job)
    assert bell.reap(sessions).rung == 1


def test_of_a_long_queue_only_the_most_urgent_are_rung_for_again(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "MOST_RUNG", 3)
    usual = [order(sessions) for _ in range(5)]
    urgent_one, lost = order(sessions, priority=9), order(sessions)
    taken(sessions, lost)
    run_out(sessions, lost)
    no_bells(sessions)
    for job in (*usual, urgent_one, lost):
        write(sessions, job, ring_after=None)
    assert bell.reap(sessions).rung == 3
    assert set(bells(sessions)) == {urgent_one, *usual[:2]}  # the lost one was ordered last: others are taken before it
    assert bell.reap(sessions).rung == 0
    taken(sessions, urgent_one)
    assert bell.reap(sessions).rung == 1
    assert usual[2] in bells(sessions)
