"""The bounds of queues: what is worked on at once, what may wait, and that both are exact."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from factory.store import bell, jobs, places, urgency
from factory.store.db import Sessions
from factory.store.job import QUEUE_OF, Claim, FenceLost, IdempotencyConflict, Output
from factory.store.places import Bounds, QueueFull, UnknownQueue
from factory.store.schema import JobRow, Queue
from tests.ledger_acts import BRIEF, bells, do, no_bells, now, order, run_out, take, taken, write

VIDEO = Output("16:9", "video", "a" * 64, "ranking.mp4", 1234)
OTHER = BRIEF.model_copy(update={"seed": 2})


def bound(sessions: Sessions, running: int | None = None, waiting: int | None = None) -> None:
    do(sessions, places.set_bounds, "rendering", Bounds(running, waiting))


def row(sessions: Sessions, job: str) -> JobRow:
    with sessions.read() as session:
        return session.get_one(JobRow, job)


# --- worked on at once -----------------------------------------------------------------------------------------------


def test_no_more_jobs_are_worked_on_at_once_than_the_queue_allows(sessions: Sessions) -> None:
    bound(sessions, running=2)
    first, second, third = (order(sessions) for _ in range(3))
    held = taken(sessions, first)
    taken(sessions, second)
    assert take(sessions, third) is None
    with sessions.read() as session:
        assert urgency.next_due(session) == ()
    do(sessions, jobs.finish, held, [VIDEO])
    taken(sessions, third)


@pytest.mark.parametrize("most", [1, 3])
def test_the_bound_is_exact_when_many_claim_at_once(sessions: Sessions, most: int) -> None:
    bound(sessions, running=most)
    made = [order(sessions) for _ in range(12)]
    gate = threading.Barrier(12)

    def claim(job: str) -> Claim | None:
        gate.wait()
        return take(sessions, job)

    with ThreadPoolExecutor(12) as pool:
        got = [held for held in pool.map(claim, made) if held]
    assert len(got) == most


def test_a_lease_that_ran_out_holds_no_place(sessions: Sessions) -> None:
    bound(sessions, running=1)
    lost, other = order(sessions), order(sessions)
    taken(sessions, lost)
    run_out(sessions, lost)
    taken(sessions, other)
    assert take(sessions, lost) is None


def test_a_worker_that_was_silent_does_not_come_back_to_a_place_that_another_has(sessions: Sessions) -> None:
    bound(sessions, running=1)
    lost, other = order(sessions), order(sessions)
    zombie = taken(sessions, lost)
    run_out(sessions, lost)
    held = taken(sessions, other)
    assert do(sessions, jobs.beat, zombie, progress=0.9) == "lost"
    assert now(sessions, lost).progress == 0.0
    assert do(sessions, jobs.beat, held) == "go-on"
    assert do(sessions, jobs.hand_back, zombie) == "queued"  # its fence is still its own: nothing is burnt
    assert now(sessions, lost).attempt == 0
    do(sessions, jobs.finish, held, [VIDEO])
    taken(sessions, lost)
    with pytest.raises(FenceLost):
        do(sessions, jobs.finish, zombie, [VIDEO])


def test_a_worker_that_was_silent_goes_on_where_its_place_is_still_free(sessions: Sessions) -> None:
    bound(sessions, running=1)
    job = order(sessions)
    zombie = taken(sessions, job)
    run_out(sessions, job)
    assert do(sessions, jobs.beat, zombie, progress=0.5) == "go-on"
    assert now(sessions, job).progress == 0.5
    assert take(sessions, order(sessions)) is None
    do(sessions, jobs.cancel, job)
    assert do(sessions, jobs.beat, zombie) == "cancel"


def test_a_bound_that_is_lowered_stops_nobody(sessions: Sessions) -> None:
    held = [taken(sessions, order(sessions)) for _ in range(3)]
    bound(sessions, running=1)
    assert [do(sessions, jobs.beat, claim) for claim in held] == ["go-on"] * 3
    assert take(sessions, order(sessions)) is None


def test_each_queue_has_places_of_its_own(sessions: Sessions) -> None:
    bound(sessions, running=1)
    mine, other = order(sessions), order(sessions)
    write(sessions, other, queue="elsewhere")
    taken(sessions, other)
    taken(sessions, mine)


# --- who is woken when a place is free -------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["finish", "fail", "crash", "hand_back", "stop"])
def test_a_place_that_is_free_rings_for_the_most_urgent_job(sessions: Sessions, end: str) -> None:
    bound(sessions, running=1)
    held = taken(sessions, order(sessions))
    _, urgent, _ = order(sessions), order(sessions, priority=9), order(sessions)
    no_bells(sessions)
    words = {"finish": ([VIDEO],), "fail": (), "crash": (), "hand_back": (), "stop": ()}[end]
    why = {"code": "c", "text": "t"} if end in ("fail", "crash") else {}
    do(sessions, getattr(jobs, end), held, *words, **why)
    own = [held.job] if end in ("crash", "hand_back") else []
    assert bells(sessions) == [*own, urgent]


def test_nobody_is_woken_by_the_end_of_a_job_of_a_queue_without_bounds(sessions: Sessions) -> None:
    held = taken(sessions, order(sessions))
    order(sessions)
    no_bells(sessions)
    do(sessions, jobs.finish, held, [VIDEO])
    assert bells(sessions) == []


def test_who_will_be_rung_for_gets_no_second_bell_when_a_place_is_free(sessions: Sessions) -> None:
    bound(sessions, running=1)
    held = taken(sessions, order(sessions))
    waiting = order(sessions)
    do(sessions, jobs.finish, held, [VIDEO])
    assert bells(sessions) == [waiting]


def test_the_reaper_rings_for_the_place_of_a_job_that_it_buries(sessions: Sessions) -> None:
    bound(sessions, running=1)
    lost = order(sessions)
    taken(sessions, lost)
    do(sessions, jobs.cancel, lost)
    waiting = order(sessions)
    no_bells(sessions)
    run_out(sessions, lost)
    assert bell.reap(sessions).cancelled == 1
    assert bells(sessions) == [waiting]


def test_who_waits_is_rung_for_when_a_bound_is_lifted(sessions: Sessions) -> None:
    bound(sessions, running=1)
    taken(sessions, order(sessions))
    waiting = order(sessions)
    no_bells(sessions)
    assert bell.reap(sessions).rung == 0
    bound(sessions)
    assert bell.reap(sessions).rung == 1
    assert bells(sessions) == [waiting]


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_an_order_beyond_what_may_wait_is_refused(sessions: Sessions) -> None:
    bound(sessions, waiting=2)
    made = [order(sessions) for _ in range(2)]
    with pytest.raises(QueueFull, match="2 jobs wait in the queue 'rendering'") as full:
        order(sessions)
    assert (full.value.code, full.value.transient) == ("queue-full", True)
    assert bells(sessions) == made
    taken(sessions, made[0])
    order(sessions)


def test_what_may_wait_is_exact_when_many_order_at_once(sessions: Sessions) -> None:
    bound(sessions, waiting=5)
    gate = threading.Barrier(12)

    def try_it(_: int) -> bool:
        gate.wait()
        try:
            order(sessions)
        except QueueFull:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(try_it, range(12))) == 5


def test_a_known_key_is_answered_where_no_more_may_wait(sessions: Sessions) -> None:
    bound(sessions, waiting=1)
    job = order(sessions, key="monday")
    assert order(sessions, key="monday") == job
    with pytest.raises(IdempotencyConflict):
        order(sessions, key="monday", brief=OTHER)
    with pytest.raises(QueueFull):
        order(sessions, key="tuesday")


def test_many_orders_at_once_with_one_key_take_one_place(sessions: Sessions) -> None:
    bound(sessions, waiting=1)
    gate = threading.Barrier(12)

    def try_it(_: int) -> str:
        gate.wait()
        return order(sessions, key="monday")

    with ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(try_it, range(12)))) == 1


def test_a_job_that_is_known_comes_back_to_a_full_queue(sessions: Sessions) -> None:
    bound(sessions, waiting=1)
    first = order(sessions)
    held = taken(sessions, first)
    second = order(sessions)
    assert do(sessions, jobs.hand_back, held) == "queued"
    assert do(sessions, jobs.cancel, second) == "cancelled"
    assert do(sessions, jobs.retry, second) == "queued"


# --- people ----------------------------------------------------------------------------------------------------------


def test_bounds_are_set_changed_and_lifted(sessions: Sessions) -> None:
    for wanted in (Bounds(2, 100), Bounds(3), Bounds(None, 7), Bounds()):
        do(sessions, places.set_bounds, "rendering", wanted)
        with sessions.read() as session:
            assert places.bounds(session, "rendering") == wanted
            assert {depth.name: depth.bounds for depth in places.depths(session)}["rendering"] == wanted


def test_a_queue_that_is_not_there_is_refused(sessions: Sessions) -> None:
    with pytest.raises(UnknownQueue, match="'renderin'") as refusal:
        do(sessions, places.set_bounds, "renderin", Bounds(1))
    assert "rendering" in refusal.value.next_step


def test_a_queue_tells_what_waits_and_what_is_worked_on(sessions: Sessions) -> None:
    first, second, lost, ended, oldest, newest = (order(sessions) for _ in range(6))
    for job in (first, second, lost):
        taken(sessions, job)
    run_out(sessions, lost)
    do(sessions, jobs.cancel, ended)
    with sessions.read() as session:
        depth = {depth.name: depth for depth in places.depths(session)}["rendering"]
    assert now(sessions, oldest).created_at < now(sessions, newest).created_at
    assert (depth.waiting, depth.running, depth.oldest) == (2, 2, now(sessions, oldest).created_at)


def test_bounds_of_one_queue_leave_another_alone(sqlite: Sessions) -> None:
    do(sqlite, places.set_bounds, "tagging", Bounds(2, 20))
    other, mine = order(sqlite), order(sqlite)
    no_bells(sqlite)
    write(sqlite, other, queue="tagging")
    rung = {job: row(sqlite, job).ring_after for job in (other, mine)}
    bound(sqlite, running=1, waiting=10)
    bound(sqlite)
    with sqlite.read() as session:
        assert [places.bounds(session, queue) for queue in ("rendering", "tagging")] == [Bounds(), Bounds(2, 20)]
        assert session.scalars(sa.select(Queue.name)).all() == ["tagging"]
    assert rung[other] is not None
    assert (row(sqlite, other).ring_after, row(sqlite, mine).ring_after) == (rung[other], None)


def test_a_queue_without_a_job_is_told_of_too(sessions: Sessions) -> None:
    with sessions.read() as session:
        depth = {depth.name: depth for depth in places.depths(session)}["rendering"]
    assert (depth.waiting, depth.running, depth.oldest, depth.bounds) == (0, 0, None, Bounds())


def of_kind(kind: str) -> Any:
    """What is ordered, as far as the ledger asks."""
    return SimpleNamespace(kind=kind, series=None, canonical_json=lambda: "{}")


def test_a_job_waits_in_the_queue_of_its_kind(sqlite: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(QUEUE_OF, "tag", "tagging")
    do(sqlite, places.set_bounds, "tagging", Bounds(waiting=1))
    for job in (order(sqlite), do(sqlite, jobs.submit, of_kind("tag")).job):
        assert now(sqlite, job).queue == QUEUE_OF[now(sqlite, job).kind]
    with pytest.raises(QueueFull, match="'tagging'"):
        do(sqlite, jobs.submit, of_kind("tag"))
    with sqlite.read() as session:
        assert [(depth.name, depth.waiting) for depth in places.depths(session)] == [("rendering", 1), ("tagging", 1)]


def test_a_bound_is_that_of_the_jobs_own_queue(sqlite: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, queue, bounds in (("tag", "tagging", Bounds(5)), ("mix", "mixing", Bounds(None, 3))):
        monkeypatch.setitem(QUEUE_OF, kind, queue)
        do(sqlite, places.set_bounds, queue, bounds)
    bound(sqlite, running=1)
    got = {
        kind: [take(sqlite, do(sqlite, jobs.submit, of_kind(kind)).job) is not None for _ in range(2)]
        for kind in ("produce", "tag", "mix")
    }
    assert got == {"produce": [True, False], "tag": [True, True], "mix": [True, True]}
    with sqlite.write() as session:
        most = [places.most_waiting(session, queue) for queue in ("rendering", "tagging", "mixing")]
    assert most == [None, None, 3]
