from __future__ import annotations

import ast
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.plan.brief import Brief
from factory.store import bell, job_lookup, jobs, urgency
from factory.store.db import Sessions
from factory.store.job import (
    MAX_ATTEMPTS,
    Claim,
    FenceLost,
    IdempotencyConflict,
    Output,
    State,
    UnknownJob,
    WrongState,
)
from factory.store.schema import JobRow, JobStep, Outbox

BRIEF = Brief(template="ranking", subject="SUV 销量", series="weekly")
VIDEO = Output("16:9", "video", "a" * 64, "ranking.mp4", 1234, 900, Fraction(30))
SOON = timedelta(milliseconds=1)


def submit(sessions: Sessions, key: str | None = None, brief: Brief = BRIEF) -> str:
    with sessions.write() as session:
        return jobs.submit(session, brief, key=key).job


def claim(sessions: Sessions, job: str, worker: str = "w1", lease: timedelta = timedelta(seconds=30)) -> Claim | None:
    with sessions.write() as session:
        return jobs.claim(session, job, worker=worker, lease=lease)


def claimed(sessions: Sessions, job: str, lease: timedelta = timedelta(seconds=30)) -> Claim:
    held = claim(sessions, job, lease=lease)
    assert held is not None
    return held


def state(sessions: Sessions, job: str) -> State:
    with sessions.read() as session:
        return job_lookup.get(session, job).state


def do(sessions: Sessions, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with sessions.write() as session:
        return verb(session, *args, **kwargs)


def bells(sessions: Sessions) -> list[tuple[str, str]]:
    with sessions.read() as session:
        return [(row.task, row.job_id) for row in session.scalars(sa.select(Outbox).order_by(Outbox.id))]


def set_row(sessions: Sessions, job: str, **values: Any) -> None:
    with sessions.write() as session:
        session.execute(sa.update(JobRow).where(JobRow.id == job).values(**values))


# --- one job from order to withdrawal --------------------------------------------------------------------------------


def test_a_job_walks_from_order_to_withdrawal(sessions: Sessions) -> None:
    job = submit(sessions)
    assert bells(sessions) == [("produce", job)]
    held = claimed(sessions, job)
    assert (held.attempt, held.brief()) == (1, BRIEF)
    assert bells(sessions) == []
    assert state(sessions, job) == "planning"
    do(sessions, jobs.save_timelines, held, {"16:9": '{"version": 1}'})
    assert state(sessions, job) == "rendering"
    assert do(sessions, jobs.beat, held, progress=0.4, step="chunks") == "go-on"
    with sessions.read() as session:
        seen = job_lookup.get(session, job)
        assert (seen.progress, seen.step, seen.worker, seen.outputs) == (0.4, "chunks", "w1", ())
    assert do(sessions, jobs.finish, held, [VIDEO]) == "review"
    with sessions.read() as session:
        seen = job_lookup.get(session, job)
        assert (seen.progress, seen.worker, seen.outputs, seen.error_code) == (1.0, None, (VIDEO,), None)
        assert seen.started_at is not None
        assert seen.ended_at is not None
        assert seen.created_at <= seen.started_at <= seen.ended_at
    assert [do(sessions, verb, job) for verb in (jobs.approve, jobs.publish, jobs.withdraw)] == [
        "approved", "published", "withdrawn"
    ]  # fmt: skip


def test_nothing_is_published_that_no_person_approved(sessions: Sessions) -> None:
    """An accident video above all: only a door, where a person stands, calls `approve`."""
    job = submit(sessions, brief=Brief(template="accident_compilation"))
    held = claimed(sessions, job)
    do(sessions, jobs.save_timelines, held, {"16:9": '{"version": 1}'})
    assert do(sessions, jobs.finish, held, [VIDEO]) == "review"
    with pytest.raises(WrongState, match="publish needs approved"):
        do(sessions, jobs.publish, job)
    house = Path(jobs.__file__).parents[2]
    callers = {
        str(path.relative_to(house))
        for room in ("factory", "workers")
        for path in (house / room).rglob("*.py")
        if "approve" in {name.attr for name in ast.walk(ast.parse(path.read_text())) if isinstance(name, ast.Attribute)}
    }
    assert callers == {"factory/cli/videos.py", "factory/web/api.py"}


def test_a_timeline_is_kept_in_versions_and_an_edit_renders_anew(sessions: Sessions) -> None:
    job = submit(sessions)
    held = claimed(sessions, job)
    do(sessions, jobs.save_timelines, held, {"16:9": "first", "1:1": "square"})
    do(sessions, jobs.finish, held, [VIDEO])
    assert do(sessions, jobs.revise, job, {"16:9": "edited"}, author="Li") == "queued"
    assert bells(sessions) == [("produce", job)]
    with sessions.read() as session:
        newest = job_lookup.timelines(session, job)
    assert {a: (t.version, t.body, t.author) for a, t in newest.items()} == {
        "16:9": (2, "edited", "Li"),
        "1:1": (1, "square", ""),
    }
    again = claimed(sessions, job)
    assert (again.attempt, again.fence) == (1, 2)
    do(sessions, jobs.start_rendering, again)
    other = Output("16:9", "video", "b" * 64, "ranking.mp4", 99, 900, Fraction(30))
    do(sessions, jobs.finish, again, [other])
    with sessions.read() as session:
        assert job_lookup.get(session, job).outputs == (other,)


def test_a_job_without_a_file_is_not_finished(sqlite: Sessions) -> None:
    held = claimed(sqlite, submit(sqlite))
    with (
        sqlite.write() as session,
        pytest.raises(ValueError, match=f"job {held.job} cannot be finished without a file"),
    ):
        jobs.finish(session, held, [])


# --- ordering --------------------------------------------------------------------------------------------------------


def test_fifty_orders_at_once_with_one_key_are_one_job(sessions: Sessions) -> None:
    gate = threading.Barrier(50)

    def order(_: int) -> tuple[str, bool]:
        gate.wait()
        with sessions.write() as session:
            made = jobs.submit(session, BRIEF, key="monday")
        return made.job, made.new

    with ThreadPoolExecutor(50) as pool:
        made = list(pool.map(order, range(50)))
    assert len({job for job, _ in made}) == 1
    assert sum(new for _, new in made) == 1
    assert bells(sessions) == [("produce", made[0][0])]


def test_a_key_belongs_to_one_brief(sessions: Sessions) -> None:
    job = submit(sessions, "k")
    with sessions.write() as session, pytest.raises(IdempotencyConflict, match=job):
        jobs.submit(session, BRIEF.model_copy(update={"seed": 2}), key="k")
    assert submit(sessions) != submit(sessions)  # without a key every order is a job


def test_an_order_that_is_rolled_back_rings_no_bell(sessions: Sessions) -> None:
    def order_and_fall() -> None:
        with sessions.write() as session:
            jobs.submit(session, BRIEF)
            raise RuntimeError("fell")

    with pytest.raises(RuntimeError, match="fell"):
        order_and_fall()
    assert bells(sessions) == []
    with sessions.read() as session:
        assert job_lookup.list_jobs(session) == ()


def test_jobs_are_listed_and_found_by_the_start_of_their_id(sessions: Sessions) -> None:
    made = [submit(sessions) for _ in range(3)]
    do(sessions, jobs.cancel, made[1])
    with sessions.read() as session:
        assert [job.id for job in job_lookup.list_jobs(session)] == made[::-1]
        assert [job.id for job in job_lookup.list_jobs(session, states=["cancelled"])] == [made[1]]
        assert job_lookup.get(session, made[2][:12]).id == made[2]
        for unknown in ("", "zzz", "%"):
            with pytest.raises(UnknownJob):
                job_lookup.get(session, unknown)


# --- claims, leases, fences ------------------------------------------------------------------------------------------


def test_of_many_claims_at_once_one_gets_the_job(sessions: Sessions) -> None:
    job = submit(sessions)
    gate = threading.Barrier(16)

    def try_it(number: int) -> Claim | None:
        gate.wait()
        return claim(sessions, job, f"w{number}")

    with ThreadPoolExecutor(16) as pool:
        got = [held for held in pool.map(try_it, range(16)) if held]
    assert len(got) == 1
    assert (got[0].fence, got[0].attempt) == (1, 1)


def test_a_lease_that_ran_out_passes_the_job_on_and_the_old_worker_changes_nothing(sessions: Sessions) -> None:
    job = submit(sessions)
    old = claimed(sessions, job, SOON)
    time.sleep(0.02)
    new = claimed(sessions, job)
    assert (new.fence, new.attempt) == (2, 2)
    assert do(sessions, jobs.beat, old, progress=0.9) == "lost"
    verbs: list[Callable[[Session], Any]] = [
        lambda s: jobs.finish(s, old, [VIDEO]),
        lambda s: jobs.fail(s, old, code="c", text="t"),
        lambda s: jobs.crash(s, old, code="c", text="t"),
        lambda s: jobs.hand_back(s, old),
        lambda s: jobs.stop(s, old),
        lambda s: jobs.save_timelines(s, old, {"16:9": "old"}),
        lambda s: jobs.save_step(s, old, "voice", input_digest="a", output_digest="b", seconds=1),
    ]
    for verb in verbs:
        with sessions.write() as session, pytest.raises(FenceLost, match="under fence 2"):
            verb(session)
    with sessions.read() as session:
        assert (job_lookup.get(session, job).state, job_lookup.get(session, job).progress) == ("planning", 0.0)
        assert job_lookup.timelines(session, job) == {}
    assert do(sessions, jobs.finish, new, [VIDEO]) == "review"


def test_a_beat_keeps_the_lease(sessions: Sessions) -> None:
    job = submit(sessions)
    held = claimed(sessions, job, timedelta(seconds=0.2))
    for _ in range(4):
        time.sleep(0.1)
        assert do(sessions, jobs.beat, held, lease=timedelta(seconds=0.4)) == "go-on"
    assert claim(sessions, job, "w2") is None
    time.sleep(0.45)
    assert claim(sessions, job, "w2") is not None


def test_the_third_crash_is_the_last(sessions: Sessions) -> None:
    job = submit(sessions)
    ends = []
    for number in range(1, MAX_ATTEMPTS + 1):
        held = claimed(sessions, job)
        assert held.attempt == number
        ends.append(do(sessions, jobs.crash, held, code="render-failed", text=f"x\0{'y' * 9000} stderr {number}"))
    assert ends == ["queued", "queued", "dead"]
    assert claim(sessions, job) is None
    with sessions.read() as session:
        dead = job_lookup.get(session, job)
    assert dead.error_code == "render-failed"
    assert dead.error_text is not None
    assert dead.error_text.endswith("stderr 3")
    assert len(dead.error_text) == 4000
    assert bells(sessions) == [] or do(sessions, jobs.retry, job) == "queued"


def test_a_job_handed_back_has_burnt_no_attempt(sessions: Sessions) -> None:
    job = submit(sessions)
    for _ in range(5):
        held = claimed(sessions, job)
        assert held.attempt == 1
        assert do(sessions, jobs.hand_back, held) == "queued"
        assert bells(sessions) == [("produce", job)]


def test_a_refusal_is_kept_with_its_way_out_and_can_be_tried_again(sessions: Sessions) -> None:
    job = submit(sessions)
    held = claimed(sessions, job)
    do(sessions, jobs.fail, held, code="no-shot", text="scene 4 wants 'interior'", next_step="ingest more")
    with sessions.read() as session:
        failed = job_lookup.get(session, job)
    assert (failed.state, failed.error_code, failed.next_step) == ("failed", "no-shot", "ingest more")
    assert claim(sessions, job) is None
    assert do(sessions, jobs.retry, job) == "queued"
    assert claimed(sessions, job).attempt == 1
    with sessions.read() as session:
        assert job_lookup.get(session, job).error_code is None


# --- cancel ----------------------------------------------------------------------------------------------------------


def test_a_waiting_job_is_cancelled_at_once_and_not_rung(sessions: Sessions) -> None:
    job = submit(sessions)
    assert do(sessions, jobs.cancel, job) == "cancelled"
    assert bells(sessions) == []
    assert claim(sessions, job) is None


@pytest.mark.parametrize("end", ["finish", "crash", "hand_back", "fail", "stop"])
def test_a_cancel_wins_over_however_the_worker_ends(sessions: Sessions, end: str) -> None:
    job = submit(sessions)
    held = claimed(sessions, job)
    assert do(sessions, jobs.cancel, job) == "planning"
    assert do(sessions, jobs.beat, held) == "cancel"
    ends: dict[str, Callable[[Session], State]] = {
        "finish": lambda s: jobs.finish(s, held, [VIDEO]),
        "crash": lambda s: jobs.crash(s, held, code="c", text="t"),
        "hand_back": lambda s: jobs.hand_back(s, held),
        "fail": lambda s: jobs.fail(s, held, code="c", text="t"),
        "stop": lambda s: jobs.stop(s, held),
    }
    assert do(sessions, ends[end]) == "cancelled"
    with sessions.read() as session:
        seen = job_lookup.get(session, job)
    assert (seen.outputs, seen.worker) == ((), None)
    assert seen.ended_at is not None
    assert bells(sessions) == []


# --- the bell --------------------------------------------------------------------------------------------------------


def test_the_relay_rings_each_bell_once(sessions: Sessions) -> None:
    made = [submit(sessions) for _ in range(5)]
    sent: list[tuple[str, str]] = []
    gate = threading.Barrier(4)

    def run(_: int) -> int:
        gate.wait()
        return bell.relay(sessions, lambda task, job: sent.append((task, job)))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 5
    assert sorted(sent) == sorted(("produce", job) for job in made)
    assert bells(sessions) == []


def test_a_broker_that_is_down_keeps_the_bells(sessions: Sessions) -> None:
    first, second, third = (submit(sessions) for _ in range(3))
    sent: list[str] = []

    def send(task: str, job: str) -> None:
        if job == second:
            raise ConnectionError("broker down")
        sent.append(job)

    with pytest.raises(ConnectionError):
        bell.relay(sessions, send)
    assert [job for _, job in bells(sessions)] == [second, third]
    assert bell.relay(sessions, lambda task, job: sent.append(job)) == 2
    assert sent == [first, second, third]


def test_a_worker_that_hears_at_once_and_the_relay_do_not_wait_for_each_other(sessions: Sessions) -> None:
    job = submit(sessions)
    holding = threading.Event()

    def hear() -> Claim | None:
        with sessions.write() as session:
            session.scalar(sa.select(JobRow.id).where(JobRow.id == job).with_for_update())  # the claim's first step
            holding.set()
            time.sleep(0.3)  # until the relay has come to what it writes
            return jobs.claim(session, job, worker="quick")

    with ThreadPoolExecutor(1) as pool:
        heard: list[Future[Claim | None]] = []

        def send(task: str, job: str) -> None:
            heard.append(pool.submit(hear))
            assert holding.wait(10)

        assert bell.relay(sessions, send) == 1
        assert heard[0].result() is not None
    assert bells(sessions) == []


def test_a_job_claimed_before_the_relay_wrote_is_rung_at_once_when_its_worker_is_lost(sessions: Sessions) -> None:
    submit(sessions)

    def send(_task: str, job: str) -> None:
        claimed(sessions, job, timedelta(seconds=0.5))

    assert bell.relay(sessions, send) == 1
    time.sleep(0.6)
    assert bell.reap(sessions).rung == 1


def test_a_lost_message_is_rung_again_and_later_each_time(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "AGAIN", timedelta(seconds=0.2))
    job = submit(sessions)
    sent: list[str] = []

    def ring() -> bool:
        bell.reap(sessions)
        return bool(bell.relay(sessions, lambda task, job: sent.append(job)))

    assert ring()
    assert not ring()  # it has just been rung
    time.sleep(0.25)
    assert ring()
    time.sleep(0.25)
    assert not ring()  # the second wait is twice as long
    time.sleep(0.2)
    assert ring()
    assert set(sent) == {job}
    claimed(sessions, job)
    time.sleep(1.0)
    assert not ring()  # somebody works on it


def test_the_reaper_rings_for_expired_leases_and_buries_the_hopeless(sessions: Sessions) -> None:
    lost, hopeless, unwanted, busy = (submit(sessions) for _ in range(4))
    for _ in range(2):
        do(sessions, jobs.crash, claimed(sessions, hopeless), code="decoder-crashed", text="clip.mp4")
    for job in (lost, hopeless, unwanted):
        claimed(sessions, job, SOON)
    claimed(sessions, busy)
    do(sessions, jobs.cancel, unwanted)
    time.sleep(0.02)
    reaped = bell.reap(sessions)
    assert (reaped.rung, reaped.dead, reaped.cancelled) == (1, 1, 1)
    assert [state(sessions, job) for job in (lost, hopeless, unwanted, busy)] == [
        "planning", "dead", "cancelled", "planning"
    ]  # fmt: skip
    assert bells(sessions) == [("produce", lost)]
    assert bell.reap(sessions) == bell.Reaped(0, 0, 0)
    with sessions.read() as session:
        assert job_lookup.get(session, hopeless).error_code == "decoder-crashed"
        assert urgency.next_due(session) == (lost,)


def test_a_worker_that_never_spoke_is_named_in_the_end(sessions: Sessions) -> None:
    job = submit(sessions)
    for _ in range(MAX_ATTEMPTS):
        claimed(sessions, job, SOON)
        time.sleep(0.02)
        bell.reap(sessions)
    with sessions.read() as session:
        dead = job_lookup.get(session, job)
    assert (dead.state, dead.error_code) == ("dead", "worker-lost")
    assert dead.error_text == "the worker ended without a word in attempt 3 of 3"


# --- what a job leaves behind ----------------------------------------------------------------------------------------


def test_a_step_is_noted_once_for_each_input(sessions: Sessions) -> None:
    job = submit(sessions)
    for fence, given in enumerate(("i", "i", "j"), start=1):
        held = claimed(sessions, job, SOON)
        do(sessions, jobs.save_step, held, "voice", input_digest=given * 64, output_digest="o" * 64, seconds=fence)
        time.sleep(0.02)
    with sessions.read() as session:
        steps = session.scalars(sa.select(JobStep).order_by(JobStep.fence))
        assert [(step.input_digest[0], step.fence, step.wall_seconds) for step in steps] == [
            ("i", 1, 1.0),
            ("j", 3, 3.0),
        ]


def test_the_place_in_a_series_counts_the_orders_before_of_one_kind_and_language(sessions: Sessions) -> None:
    english = BRIEF.model_copy(update={"locale": "en-US"})
    other = BRIEF.model_copy(update={"series": "daily"})
    ordered = [submit(sessions, brief=brief) for brief in (BRIEF, english, other, BRIEF, english, BRIEF)]

    def places() -> list[int]:
        with sessions.read() as session:
            found = [(job_lookup.get(session, job).brief(), job) for job in ordered]
            return [job_lookup.place_in_series(session, brief, job) for brief, job in found]

    assert places() == [0, 0, 0, 1, 1, 2]
    do(sessions, jobs.cancel, ordered[0])
    claimed(sessions, ordered[3])
    assert places() == [0, 0, 0, 1, 1, 2]
    with sessions.read() as session:
        assert job_lookup.place_in_series(session, BRIEF) == 3
