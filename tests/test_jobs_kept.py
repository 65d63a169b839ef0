"""What the ledger writes down at each step of a job, what it cuts short, and what it wipes out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.plan.clip_order import ClipOrder
from factory.plan.embargo import read_embargo
from factory.plan.facts import Car, Source
from factory.store import job_lookup, jobs
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import MAX_ATTEMPTS, Output
from factory.store.schema import JobOutput, JobRow, JobStep, Outbox
from tests.ledger_acts import BRIEF, bells, do, now, order, run_out, take, taken, write

VIDEO = Output("16:9", "video", "a" * 64, "ranking.mp4", 1234)
CLEAN = (None, None, None)


def row(sessions: Sessions, job: str) -> JobRow:
    with sessions.read() as session:
        return session.get_one(JobRow, job)


def told(sessions: Sessions, job: str) -> tuple[str | None, str | None, str | None]:
    """What the job says of its end."""
    seen = now(sessions, job)
    return (seen.error_code, seen.error_text, seen.next_step)


# --- an order --------------------------------------------------------------------------------------------------------


def test_an_order_begins_with_nothing_done(sqlite: Sessions) -> None:
    before = utc_now()
    job = order(sqlite)
    assert re.fullmatch(r"[0-9a-f]{16}", job)
    seen = now(sqlite, job)
    assert (seen.kind, seen.state, seen.attempt, seen.progress, seen.step) == ("produce", "queued", 0, 0.0, "")
    assert (seen.cancel_asked, seen.worker, seen.started_at, seen.ended_at) == (False, None, None, None)
    assert (seen.submitted_by, seen.brief(), told(sqlite, job)) == ("", BRIEF, CLEAN)
    assert before <= seen.created_at <= utc_now()
    with sqlite.read() as session:
        rung = session.scalars(sa.select(Outbox)).one()
    assert (rung.job_id, rung.task) == (job, "produce")
    assert before <= rung.created_at <= utc_now()


def test_who_orders_is_kept_as_far_as_there_is_room(sqlite: Sessions) -> None:
    job = do(sqlite, jobs.submit, BRIEF, by=f"Li\0{'i' * 300}").job
    assert now(sqlite, job).submitted_by == f"Li{'i' * 198}"


# --- a claim ---------------------------------------------------------------------------------------------------------


def test_a_claim_takes_the_bells_of_its_job_alone(sqlite: Sessions) -> None:
    job, other = order(sqlite), order(sqlite)
    do(sqlite, jobs.ring, job, "produce")
    taken(sqlite, job)
    assert bells(sqlite) == [other]


def test_a_claim_names_its_worker_and_forgets_how_often_was_rung_for_it(sqlite: Sessions) -> None:
    job = order(sqlite)
    write(sqlite, job, rings=4, ring_after=utc_now())
    claim = do(sqlite, jobs.claim, job, worker="w" * 300)
    assert (claim.job, claim.kind, claim.fence, claim.attempt, claim.brief()) == (job, "produce", 1, 1, BRIEF)
    assert claim.worker == "w" * 300
    seen = row(sqlite, job)
    assert (seen.lease_owner, seen.rings, seen.ring_after) == ("w" * 200, 0, None)


def test_a_lease_is_half_a_minute_from_the_claim_and_from_each_beat(sqlite: Sessions) -> None:
    job, half = order(sqlite), timedelta(seconds=30)

    def left(since: Any) -> bool:
        until = row(sqlite, job).lease_until
        return until is not None and since <= until - half <= utc_now()

    before = utc_now()
    claim = taken(sqlite, job)
    assert left(before)
    before = utc_now()
    do(sqlite, jobs.beat, claim)
    assert left(before)


def test_a_job_began_when_it_was_first_claimed(sqlite: Sessions) -> None:
    job, before = order(sqlite), utc_now()
    do(sqlite, jobs.crash, taken(sqlite, job), code="c", text="t")
    began = now(sqlite, job).started_at
    assert began is not None
    assert before <= began <= utc_now()
    taken(sqlite, job)
    assert now(sqlite, job).started_at == began


# --- a beat ----------------------------------------------------------------------------------------------------------


def test_a_beat_writes_what_it_is_told_and_leaves_the_rest(sqlite: Sessions) -> None:
    job = order(sqlite)
    claim = taken(sqlite, job)

    def seen_after(**news: Any) -> tuple[float, str]:
        assert do(sqlite, jobs.beat, claim, **news) == "go-on"
        return now(sqlite, job).progress, now(sqlite, job).step

    assert seen_after(progress=0.25, step="voice") == (0.25, "voice")
    assert seen_after() == (0.25, "voice")
    assert seen_after(progress=0.5) == (0.5, "voice")
    assert seen_after(step="s" * 100) == (0.5, "s" * 64)
    assert seen_after(progress=7.0)[0] == 1.0
    assert seen_after(progress=-7.0)[0] == 0.0


def test_a_beat_forgets_how_often_was_rung_for_a_worker_that_was_silent(sqlite: Sessions) -> None:
    job = order(sqlite)
    claim = taken(sqlite, job)
    write(sqlite, job, rings=4, ring_after=utc_now())
    do(sqlite, jobs.beat, claim)
    assert (row(sqlite, job).rings, row(sqlite, job).ring_after) == (0, None)


def test_a_beat_of_one_job_is_no_other_ones(sqlite: Sessions) -> None:
    job, other = order(sqlite), order(sqlite)
    claim = taken(sqlite, job)
    taken(sqlite, other)
    do(sqlite, jobs.beat, claim, progress=0.5)
    assert now(sqlite, other).progress == 0.0


# --- timelines and steps ---------------------------------------------------------------------------------------------


def test_a_timeline_names_its_author_as_far_as_there_is_room(sessions: Sessions) -> None:
    job = order(sessions)
    do(sessions, jobs.save_timelines, taken(sessions, job), {"9:16": "b", "16:9": "a"}, author=f"Li\0{'i' * 300}")
    with sessions.read() as session:
        kept = job_lookup.timelines(session, job)
    assert list(kept) == ["16:9", "9:16"]
    assert {(line.version, line.body, line.author) for line in kept.values()} == {
        (1, "a", f"Li{'i' * 198}"), (1, "b", f"Li{'i' * 198}")
    }  # fmt: skip


def test_a_timeline_is_its_own_jobs(sqlite: Sessions) -> None:
    claims = [taken(sqlite, order(sqlite)) for _ in range(2)]
    for claim in claims:
        do(sqlite, jobs.save_timelines, claim, {"16:9": claim.job})
    with sqlite.read() as session:
        kept = [job_lookup.timelines(session, claim.job) for claim in claims]
    assert [(lines["16:9"].body, lines["16:9"].version) for lines in kept] == [(claim.job, 1) for claim in claims]


def test_a_step_is_shown_and_kept_with_its_cost(sqlite: Sessions) -> None:
    job = order(sqlite)
    claim, before = taken(sqlite, job), utc_now()
    do(sqlite, jobs.save_step, claim, "voice", input_digest="i" * 64, output_digest="o" * 64, seconds=1.5)
    assert now(sqlite, job).step == "voice"
    with sqlite.read() as session:
        step = session.scalars(sa.select(JobStep)).one()
    assert (step.job_id, step.name, step.input_digest, step.output_digest) == (job, "voice", "i" * 64, "o" * 64)
    assert (step.fence, step.wall_seconds) == (1, 1.5)
    assert before <= step.done_at <= utc_now()


# --- how an attempt ends ---------------------------------------------------------------------------------------------


def test_a_clip_that_was_brought_in_is_done_and_needs_no_review(sqlite: Sessions) -> None:
    job = do(sqlite, jobs.submit, ClipOrder(path="/inbox/dunes.mp4")).job
    do(sqlite, jobs.crash, taken(sqlite, job), code="broken", text="it broke", next_step="mend it")
    assert told(sqlite, job) == ("broken", "it broke", "mend it")
    assert do(sqlite, jobs.settle, taken(sqlite, job), "s" * 65) == "done"
    seen = now(sqlite, job)
    assert (seen.state, seen.progress, seen.step, told(sqlite, job)) == ("done", 1.0, "s" * 64, CLEAN)


def test_a_video_is_not_done_without_a_person(sqlite: Sessions) -> None:
    job = order(sqlite)
    with pytest.raises(ValueError, match=f"job {job} makes a video, which a person reviews"):
        do(sqlite, jobs.settle, taken(sqlite, job), "made")
    assert now(sqlite, job).state == "planning"


def test_an_end_lets_the_lease_go(sqlite: Sessions) -> None:
    ends: dict[str, Callable[[Session, Any], Any]] = {
        "review": lambda s, held: jobs.finish(s, held, [VIDEO]),
        "failed": lambda s, held: jobs.fail(s, held, code="c", text="t"),
        "queued": lambda s, held: jobs.crash(s, held, code="c", text="t"),
        "cancelled": jobs.stop,
    }
    for state, end in ends.items():
        held, before = taken(sqlite, order(sqlite)), utc_now()
        assert do(sqlite, end, held) == state
        seen = row(sqlite, held.job)
        assert (seen.state, seen.lease_owner, seen.lease_until) == (state, None, None)
        if state == "queued":
            assert seen.ended_at is None
        else:
            assert seen.ended_at is not None
            assert before <= seen.ended_at <= utc_now()


def test_what_an_attempt_said_of_its_fall_is_wiped_out_by_one_that_succeeds(sqlite: Sessions) -> None:
    job = order(sqlite)
    do(sqlite, jobs.crash, taken(sqlite, job), code="broken", text="a fault", next_step="wait")
    assert told(sqlite, job) == ("broken", "a fault", "wait")
    held = taken(sqlite, job)
    do(sqlite, jobs.beat, held, progress=0.5, step="chunks")
    do(sqlite, jobs.finish, held, [VIDEO])
    seen = now(sqlite, job)
    assert (told(sqlite, job), seen.progress, seen.step) == (CLEAN, 1.0, "")
    with sqlite.read() as session:
        assert session.scalars(sa.select(JobOutput.fence)).one() == 2


def test_the_embargo_of_a_car_goes_with_the_job_only_where_the_orders_own_table_told_of_it(sqlite: Sessions) -> None:
    embargo = read_embargo("2030-01-01T09:00+08:00[Asia/Shanghai]")
    source = Source("s", "2026-01-01", "", "", sample=True)
    car = Car("x", "m", "z", "n", "suv", (), source, embargo=embargo)
    found = []
    for told_of in ({}, {"cars_told": False}, {"cars_told": True}):
        held = taken(sqlite, order(sqlite))
        do(sqlite, jobs.finish, held, [VIDEO], cars=[car], **told_of)
        found.append(now(sqlite, held.job).embargo)
    assert found == [None, None, embargo]


def test_what_is_said_of_an_end_is_kept_as_far_as_there_is_room(sqlite: Sessions) -> None:
    job = order(sqlite)
    do(sqlite, jobs.fail, taken(sqlite, job), code="c" * 100, text=f"{'y' * 5000}end", next_step=f"s\0{'t' * 5000}")
    assert told(sqlite, job) == ("c" * 64, f"{'y' * 3997}end", f"s{'t' * 3999}")


@pytest.mark.parametrize("verb", ["fail", "crash"])
def test_an_end_may_know_no_way_out(sqlite: Sessions, verb: str) -> None:
    job = order(sqlite)
    do(sqlite, getattr(jobs, verb), taken(sqlite, job), code="c", text="t")
    assert told(sqlite, job) == ("c", "t", "")


def test_a_hand_back_leaves_no_word(sqlite: Sessions) -> None:
    job = order(sqlite)
    do(sqlite, jobs.hand_back, taken(sqlite, job))
    assert (told(sqlite, job), now(sqlite, job).attempt, now(sqlite, job).ended_at) == (CLEAN, 0, None)


def test_the_files_of_one_job_are_not_touched_by_the_end_of_another(sqlite: Sessions) -> None:
    first, second = order(sqlite), order(sqlite)
    for job in (first, second):
        do(sqlite, jobs.finish, taken(sqlite, job), [VIDEO])
    assert [now(sqlite, job).outputs for job in (first, second)] == [(VIDEO,), (VIDEO,)]


# --- what people do --------------------------------------------------------------------------------------------------


def test_a_cancel_says_when_it_was_and_takes_the_bells_of_its_job_alone(sqlite: Sessions) -> None:
    job, other, before = order(sqlite), order(sqlite), utc_now()
    assert do(sqlite, jobs.cancel, job) == "cancelled"
    seen = now(sqlite, job)
    assert seen.cancel_asked
    assert seen.ended_at is not None
    assert before <= seen.ended_at <= utc_now()
    assert bells(sqlite) == [other]
    assert (now(sqlite, other).state, now(sqlite, other).cancel_asked) == ("queued", False)


def test_only_the_job_that_is_named_is_put_under_embargo(sqlite: Sessions) -> None:
    embargo = read_embargo("2030-01-01T09:00+08:00[Asia/Shanghai]")
    job, other = order(sqlite), order(sqlite)
    do(sqlite, jobs.hold, job, embargo)
    assert (now(sqlite, job).embargo, now(sqlite, other).embargo) == (embargo, None)


def test_only_the_job_that_is_named_is_asked_to_stop(sqlite: Sessions) -> None:
    claims = [taken(sqlite, order(sqlite)) for _ in range(2)]
    assert do(sqlite, jobs.cancel, claims[0].job) == "planning"
    assert [do(sqlite, jobs.beat, claim) for claim in claims] == ["cancel", "go-on"]


def test_a_retry_begins_from_nothing(sqlite: Sessions) -> None:
    job, other = order(sqlite), order(sqlite)
    for held in (taken(sqlite, job), taken(sqlite, other)):
        do(sqlite, jobs.beat, held, progress=0.5, step="chunks")
        do(sqlite, jobs.cancel, held.job)
        write(sqlite, held.job, attempt=MAX_ATTEMPTS)
        do(sqlite, jobs.fail, held, code="c", text="t", next_step="n")
    assert do(sqlite, jobs.retry, job) == "queued"
    seen = now(sqlite, job)
    assert (seen.attempt, seen.progress, seen.step, seen.cancel_asked) == (0, 0.0, "", False)
    assert (told(sqlite, job), seen.started_at, seen.ended_at) == (CLEAN, None, None)
    assert now(sqlite, other).state == "cancelled"
    assert bells(sqlite) == [job]
    assert taken(sqlite, job).attempt == 1


def test_an_edit_lets_the_old_video_be_seen_until_the_new_one_is_there(sqlite: Sessions) -> None:
    job = order(sqlite)
    do(sqlite, jobs.finish, taken(sqlite, job), [VIDEO])
    do(sqlite, jobs.revise, job, {"16:9": "edited"}, author="Li")
    assert now(sqlite, job).outputs == (VIDEO,)
    with sqlite.read() as session:
        assert job_lookup.timelines(session, job)["16:9"].author == "Li"


def test_a_lease_that_is_just_over_is_over_for_the_next_and_for_nobody_else(sqlite: Sessions) -> None:
    job, other = order(sqlite), order(sqlite)
    taken(sqlite, job)
    taken(sqlite, other)
    run_out(sqlite, job)
    assert take(sqlite, other) is None
    assert taken(sqlite, job).fence == 2
