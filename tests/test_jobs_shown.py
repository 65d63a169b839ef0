"""How jobs are found, listed and told of, and what a refusal says."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from fractions import Fraction

import pytest
import sqlalchemy as sa

from factory import traces
from factory.errors import FactoryError
from factory.plan.clip_order import ClipOrder
from factory.plan.embargo import read_embargo
from factory.store import job_lookup, jobs, places
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import (
    FenceLost,
    IdempotencyConflict,
    NoSuchPriority,
    Output,
    SavedTimeline,
    Submitted,
    UnknownJob,
    Wishes,
    WrongState,
)
from factory.store.places import Bounds, QueueFull, UnknownQueue
from factory.store.schema import JobRow
from tests.ledger_acts import BRIEF, do, now, order, take, taken, write

VIDEO = Output("16:9", "video", "a" * 64, "ranking.mp4", 1234, 900, Fraction(30))
SQUARE = Output("1:1", "video", "b" * 64, "square.mp4", 99)
POSTER = Output("16:9", "poster", "c" * 64, "poster.png", 7)
EMBARGO = read_embargo("2030-01-01T09:00+08:00[Asia/Shanghai]")


def named(sessions: Sessions, name: str, key: str | None = None, **values: object) -> str:
    """Order a job of this id."""
    job = order(sessions, key=key)
    with sessions.write() as session:
        session.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        session.execute(sa.text("UPDATE outbox SET job_id = :new WHERE job_id = :old"), {"new": name, "old": job})
        session.execute(sa.update(JobRow).where(JobRow.id == job).values(id=name, **values))
    return name


# --- one job ---------------------------------------------------------------------------------------------------------


def test_a_job_is_told_with_all_that_the_ledger_knows_of_it(sqlite: Sessions) -> None:
    known = {
        "kind": "produce", "state": "failed", "attempt": 2, "progress": 0.25, "step": "voice", "cancel_asked": True,
        "error_code": "c", "error_text": "t", "next_step": "n", "submitted_by": "Li", "embargo": EMBARGO,
        "queue": "elsewhere", "priority": 7,
        **{name: utc_now() + timedelta(hours=at) for at, name in enumerate(
            ("created_at", "started_at", "ended_at", "deadline")
        )},
    }  # fmt: skip
    job = order(sqlite)
    write(sqlite, job, lease_owner="host:1", **known)
    told = {"id": job, "spec": BRIEF.canonical_json(), "worker": "host:1", "outputs": ()}
    seen = now(sqlite, job)
    assert {each.name: getattr(seen, each.name) for each in fields(seen)} == told | known


def test_a_clip_is_told_by_its_file_and_a_video_by_its_template(sqlite: Sessions) -> None:
    clip = ClipOrder(path="/inbox/dunes.mp4", credit="Desk")
    with sqlite.write() as session:
        job = jobs.submit(session, clip).job
    known = now(sqlite, job)
    assert (known.queue, known.title, known.clip()) == ("tagging", "dunes.mp4", clip)
    assert (now(sqlite, order(sqlite)).queue, now(sqlite, order(sqlite)).title) == ("rendering", BRIEF.template)
    held = taken(sqlite, job)
    assert (held.kind, held.clip()) == ("ingest", clip)


def test_the_kind_of_a_job_is_known_without_reading_it(sqlite: Sessions) -> None:
    with sqlite.write() as session:
        job = jobs.submit(session, ClipOrder(path="/inbox/dunes.mp4")).job
        assert (job_lookup.kind_of(session, job), job_lookup.kind_of(session, "0" * 16)) == ("ingest", None)


def test_a_job_is_read_anew_each_time(sqlite: Sessions) -> None:
    job = order(sqlite)
    with sqlite.write() as session:
        row = session.get(JobRow, job)
        jobs.claim(session, job, worker="w")
        assert row is not None  # and held, as a caller may
        assert job_lookup.get(session, job).state == "planning"


def test_an_order_begins_a_trace_that_says_what_was_ordered_and_by_whom(
    sqlite: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[str, dict[str, object]]] = []

    def mark(name: str, **about: object) -> str:
        begun.append((name, about))
        return "00-aa-bb-01"

    monkeypatch.setattr(traces, "mark", mark)
    with sqlite.write() as session:
        jobs.submit(session, BRIEF, by="Li")
    assert begun == [("order", {"kind": "produce", "by": "Li"})]
    with sqlite.read() as session:
        assert session.scalars(sa.select(JobRow.traceparent)).one() == "00-aa-bb-01"


def test_files_are_told_by_aspect_and_role(sessions: Sessions) -> None:
    claims = [taken(sessions, order(sessions)) for _ in range(2)]
    do(sessions, jobs.finish, claims[0], [SQUARE, VIDEO, POSTER])
    do(sessions, jobs.finish, claims[1], [SQUARE])
    with sessions.read() as session:
        listed = {job.id: job.outputs for job in job_lookup.list_jobs(session)}
    assert listed == {claims[0].job: (POSTER, VIDEO, SQUARE), claims[1].job: (SQUARE,)}


def test_a_beginning_that_fits_two_jobs_finds_neither(sqlite: Sessions) -> None:
    named(sqlite, "abc1")
    named(sqlite, "abc2")
    named(sqlite, "a%c3")
    named(sqlite, "abc12")
    assert [now(sqlite, name).id for name in ("abc2", "abc1")] == ["abc2", "abc1"]  # a whole name is no beginning
    assert now(sqlite, "a%").id == "a%c3"
    for unknown in ("abc", "bc1", "a_c1", ""):
        with pytest.raises(UnknownJob, match=f"no job {unknown!r}"):
            now(sqlite, unknown)


def test_a_job_is_told_as_it_stands_also_to_a_session_that_read_it_before(sqlite: Sessions) -> None:
    job = order(sqlite)
    with sqlite.write() as session:
        assert job_lookup.get(session, job).state == "queued"
        jobs.cancel(session, job)
        assert job_lookup.get(session, job).state == "cancelled"


# --- many jobs -------------------------------------------------------------------------------------------------------


def test_fifty_jobs_are_listed_at_most(sqlite: Sessions) -> None:
    with sqlite.write() as session:
        for _ in range(51):
            jobs.submit(session, BRIEF)
        assert len(job_lookup.list_jobs(session)) == 50


def test_jobs_are_listed_newest_first(sqlite: Sessions) -> None:
    moment = utc_now()
    for name, age in (("old", 3), ("b", 2), ("a", 2), ("c", 2), ("young", 1)):
        named(sqlite, name, created_at=moment - timedelta(hours=age))
    with sqlite.read() as session:
        assert [job.id for job in job_lookup.list_jobs(session)] == ["young", "a", "b", "c", "old"]
        assert [job.id for job in job_lookup.list_jobs(session, limit=2)] == ["young", "a"]
        assert job_lookup.list_jobs(session, states=["review"]) == ()


def test_the_newest_job_of_a_key_is_found_with_those_that_go_on_after_it(sqlite: Sessions) -> None:
    moment = utc_now()
    for name, key, age in (
        ("a", "k", 3),
        ("b", "k/2", 1),
        ("c", "k/3", 2),
        ("d", "k2", 0),
        ("e", "k_", 9),
        ("f", "kx/1", 0),
    ):
        named(sqlite, name, key, created_at=moment - timedelta(hours=age))
    order(sqlite)
    with sqlite.read() as session:
        found = {key: job_lookup.newest_of(session, key) for key in ("k", "k/2", "k_", "other")}
    assert {key: one if one is None else (one[0], one[1].id) for key, one in found.items()} == {
        "k": ("k/2", "b"), "k/2": ("k/2", "b"), "k_": ("k_", "e"), "other": None
    }  # fmt: skip


def test_of_two_jobs_of_one_moment_the_first_by_name_is_the_newest_of_a_key(sqlite: Sessions) -> None:
    moment = utc_now()
    for name, key in (("b", "k/1"), ("a", "k/2"), ("c", "k/3")):
        named(sqlite, name, key, created_at=moment)
    with sqlite.read() as session:
        found = job_lookup.newest_of(session, "k")
    assert found is not None
    assert found[1].id == "a"


def test_a_place_in_a_series_goes_by_the_moment_of_the_order(sqlite: Sessions) -> None:
    moment = utc_now()
    for name, age in (("c", 1), ("b", 2), ("a", 2)):
        named(sqlite, name, created_at=moment - timedelta(hours=age))
    with sqlite.read() as session:
        assert [job_lookup.place_in_series(session, BRIEF, job) for job in ("a", "b", "c")] == [0, 1, 2]


# --- what a refusal says ---------------------------------------------------------------------------------------------


def test_a_refusal_names_what_is_the_matter_and_the_way_out(sqlite: Sessions) -> None:
    job = order(sqlite, key="k")
    held = taken(sqlite, job)
    gone = taken(sqlite, order(sqlite))
    with sqlite.write() as session:
        session.execute(sa.delete(JobRow).where(JobRow.id == gone.job))
    other = BRIEF.model_copy(update={"seed": 2})

    def refusal(kind: type[FactoryError], verb: object, *args: object, **kwargs: object) -> tuple[str, str]:
        with pytest.raises(kind) as raised:
            do(sqlite, verb, *args, **kwargs)  # type: ignore[arg-type]
        assert type(raised.value) is kind
        return raised.value.cause, raised.value.next_step

    assert refusal(IdempotencyConflict, jobs.submit, other, key="k") == (
        f"the idempotency key 'k' belongs to job {job}, which is another order", "use a new key for a new order"
    )  # fmt: skip
    assert refusal(UnknownJob, job_lookup.get, "zzz") == ("there is no job 'zzz'", "list the jobs with `factory jobs`")
    assert refusal(WrongState, jobs.retry, job) == (
        f"job {job} is planning; retry needs failed or dead or cancelled", "look at the job with `factory jobs`"
    )  # fmt: skip
    assert refusal(FenceLost, jobs.stop, gone)[0] == f"job {gone.job} is gone; this worker held fence 1"
    do(sqlite, jobs.finish, held, [VIDEO])
    cause, next_step = refusal(FenceLost, jobs.stop, held)
    assert cause == f"job {job} is review under fence 1; this worker held fence 1"
    assert next_step.startswith("nothing")
    for state in ("published", "withdrawn"):
        write(sqlite, job, state=state)
        cause, next_step = refusal(WrongState, jobs.hold, job, EMBARGO)
        assert (cause, "withdraw" in next_step) == (f"job {job} is {state} already", True)
    assert "9 is taken first" in refusal(NoSuchPriority, order_with, 12)[1]
    assert "'rendering'" not in refusal(UnknownQueue, places.set_bounds, "q" * 90, Bounds(1))[0]
    do(sqlite, places.set_bounds, "rendering", Bounds(None, 0))
    cause, next_step = refusal(QueueFull, order_with, 5)
    assert cause == "0 jobs wait in the queue 'rendering', and no more may"
    assert "factory queue set rendering --waiting N" in next_step


def order_with(session: object, priority: int) -> Submitted:
    return jobs.submit(session, BRIEF, wishes=Wishes(priority))  # type: ignore[arg-type]


def test_the_codes_of_refusals_are_words_that_scripts_may_rely_on() -> None:
    assert [kind.code for kind in (UnknownJob, WrongState, FenceLost, IdempotencyConflict, NoSuchPriority)] == [
        "unknown-job", "wrong-state", "fence-lost", "idempotency-conflict", "no-such-priority"
    ]  # fmt: skip
    assert [kind.code for kind in (QueueFull, UnknownQueue)] == ["queue-full", "unknown-queue"]


def test_an_order_is_answered_with_its_job_and_whether_it_is_new(sqlite: Sessions) -> None:
    first = do(sqlite, jobs.submit, BRIEF, key="k")
    assert first == Submitted(first.job, True)
    assert do(sqlite, jobs.submit, BRIEF, key="k") == Submitted(first.job, False)
    assert take(sqlite, first.job) is not None
    with sqlite.read() as session:
        assert job_lookup.timelines(session, first.job) == dict[str, SavedTimeline]()
