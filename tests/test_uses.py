"""What a series has shown: who waits for whom, and when a shot is free again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from factory.plan.brief import Brief
from factory.plan.query import EVERYTHING
from factory.store import assets, bell, index, jobs, uses
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import MAX_ATTEMPTS, Claim
from factory.store.schema import Shot, ShotUse
from tests.library import a_shot, put
from tests.test_jobs import SOON, VIDEO, claimed, do, set_row, submit

DAYS = 14
SERIES = "weekly"


@pytest.fixture
def shots(sessions: Sessions) -> list[int]:
    """Four shots of one clip; the last two show the same moments."""
    with sessions.write() as session:
        put(session, "a.mp4", *[a_shot(["exterior"]) for _ in range(4)])
        ids = list(session.scalars(sa.select(Shot.id).order_by(Shot.id)))
        session.execute(sa.update(Shot).where(Shot.id.in_(ids[2:])).values(twins=ids[2]))
    return ids


def a_job(sessions: Sessions, seed: int = 0, series: str | None = SERIES) -> tuple[Claim, uses.Issue]:
    """A job that is being planned; each seed is a video of its own."""
    job = submit(sessions, brief=Brief(template="ranking", subject="x", series=series, seed=seed))
    return claimed(sessions, job), uses.Issue(series, f"{seed:064x}", job)


def take(sessions: Sessions, issue: uses.Issue, shots: Sequence[int], *, now: datetime | None = None) -> None:
    do(sessions, uses.take, issue, dict.fromkeys(shots, DAYS), now=now)


def rested(
    sessions: Sessions, issue: uses.Issue | None = None, days: int = DAYS, *, now: datetime | None = None
) -> set[int]:
    """The shots that a video is offered, by default another one of the series."""
    with sessions.read() as session:
        only = uses.rested(issue or uses.Issue(SERIES, "another"), days, now=now)
        return {shot.shot for shot in assets.find_shots(session, EVERYTHING, limit=100, only=only).shots}


def test_what_a_plan_takes_rests_in_its_series_and_nowhere_else(sessions: Sessions, shots: list[int]) -> None:
    _, issue = a_job(sessions)
    assert rested(sessions) == set(shots)
    take(sessions, issue, shots[:1])
    assert rested(sessions) == set(shots[1:])
    assert rested(sessions, uses.Issue("daily", "another")) == set(shots)
    assert rested(sessions, uses.Issue(None)) == set(shots)
    assert rested(sessions, days=0) == set(shots)
    with sessions.read() as session:
        only = uses.rested(uses.Issue(SERIES, "another"), DAYS)
        assert index.count(session, EVERYTHING, only) == assets.find_shots(session, EVERYTHING, only=only).total == 3
        assert assets.find_shots(session, EVERYTHING, only=only, offset=9).total == 3


def test_near_duplicates_rest_together(sessions: Sessions, shots: list[int]) -> None:
    _, issue = a_job(sessions)
    take(sessions, issue, shots[3:])
    assert rested(sessions) == set(shots[:2])


def test_neither_the_job_nor_a_rerun_of_its_video_waits_for_itself(sessions: Sessions, shots: list[int]) -> None:
    held, issue = a_job(sessions)
    take(sessions, issue, shots)
    assert rested(sessions, issue) == set(shots)
    do(sessions, jobs.finish, held, [VIDEO], shots=shots)
    _, again = a_job(sessions)
    assert again.job != issue.job
    assert rested(sessions, again) == set(shots)
    take(sessions, again, shots)
    _, other = a_job(sessions, seed=1)
    assert rested(sessions, other) == set()


def test_a_shot_is_free_when_its_days_are_over(sessions: Sessions, shots: list[int]) -> None:
    _, issue = a_job(sessions)
    now = utc_now()
    take(sessions, issue, shots[:1], now=now - timedelta(days=DAYS) + timedelta(minutes=1))
    assert rested(sessions, now=now) == set(shots[1:])
    assert rested(sessions, now=now + timedelta(minutes=2)) == set(shots)
    assert rested(sessions, days=DAYS - 1, now=now) == set(shots)


def test_the_second_to_save_is_told_that_the_shots_are_taken(sessions: Sessions, shots: list[int]) -> None:
    (_, one), (_, two) = a_job(sessions), a_job(sessions, seed=1)
    take(sessions, one, shots[2:3])
    with pytest.raises(uses.ShotsTaken, match=f"took shot {shots[3]}"):
        take(sessions, two, [shots[0], shots[3]])  # the twin of what is taken
    assert rested(sessions) == set(shots[:2])  # and nothing was written
    take(sessions, two, shots[:1])
    assert rested(sessions) == {shots[1]}


def test_a_layer_that_asks_for_no_rest_may_show_what_was_shown(sessions: Sessions, shots: list[int]) -> None:
    (_, one), (_, two) = a_job(sessions), a_job(sessions, seed=1)
    take(sessions, one, shots[:1])
    do(sessions, uses.take, two, {shots[0]: 0, shots[1]: DAYS})
    assert rested(sessions) == set(shots[2:])


@pytest.mark.parametrize("end", ["fail", "crash at last", "stop", "lost", "cancel", "withdraw"])
def test_what_shows_nothing_to_anybody_frees_its_shots(sessions: Sessions, shots: list[int], end: str) -> None:
    held, issue = a_job(sessions)
    take(sessions, issue, shots[:2])
    assert rested(sessions) == set(shots[2:])
    if end == "fail":
        do(sessions, jobs.fail, held, code="no-material", text="thin")
    elif end == "crash at last":
        set_row(sessions, held.job, attempt=MAX_ATTEMPTS)
        do(sessions, jobs.crash, Claim(held.job, held.kind, held.fence, MAX_ATTEMPTS, held.spec, held.worker),
           code="broken", text="x")  # fmt: skip
    elif end == "stop":
        do(sessions, jobs.stop, held)
    elif end == "lost":
        set_row(sessions, held.job, attempt=MAX_ATTEMPTS, lease_until=utc_now() - SOON)
        assert bell.reap(sessions).dead == 1
    else:
        do(sessions, jobs.finish, held, [VIDEO], shots=shots[:2])
        assert rested(sessions) == set(shots[2:])
        verbs = [jobs.cancel] if end == "cancel" else [jobs.approve, jobs.publish, jobs.withdraw]
        for verb in verbs:
            do(sessions, verb, held.job)
    assert rested(sessions) == set(shots)


def test_a_job_that_waits_for_its_next_attempt_keeps_its_shots(sessions: Sessions, shots: list[int]) -> None:
    held, issue = a_job(sessions)
    take(sessions, issue, shots[:1])
    do(sessions, jobs.crash, held, code="broken", text="x")
    assert rested(sessions) == set(shots[1:])
    assert rested(sessions, issue) == set(shots)
    take(sessions, issue, shots[1:2])  # the next attempt chose another: the first is given back
    assert rested(sessions) == {shots[0], *shots[2:]}


def test_a_finished_job_has_shown_what_it_says_and_no_more(sessions: Sessions, shots: list[int]) -> None:
    held, issue = a_job(sessions)
    take(sessions, issue, shots[:2], now=utc_now() - timedelta(days=30))
    do(sessions, jobs.finish, held, [VIDEO], shots=[shots[1], shots[1]])
    with sessions.read() as session:
        (row,) = session.scalars(sa.select(ShotUse))
    assert (row.shot_id, row.series, row.video) == (shots[1], SERIES, issue.key)
    assert utc_now() - row.used_at < timedelta(minutes=1)


def test_a_video_is_seen_from_its_publication_on(sessions: Sessions, shots: list[int]) -> None:
    held, _ = a_job(sessions)
    do(sessions, jobs.finish, held, [VIDEO], shots=shots[:1])
    with sessions.write() as session:
        session.execute(sa.update(ShotUse).values(used_at=utc_now() - timedelta(days=DAYS + 1)))
    do(sessions, jobs.approve, held.job)
    assert rested(sessions) == set(shots)
    do(sessions, jobs.publish, held.job)
    assert rested(sessions) == set(shots[1:])


def test_of_many_plans_that_are_saved_at_once_none_shares_a_shot(sessions: Sessions) -> None:
    """Eight workers choose at the same moment, all of them the first shots that are free, until all have theirs."""
    with sessions.write() as session:
        put(session, "a.mp4", *[a_shot(["exterior"]) for _ in range(24)])
    issues = [a_job(sessions, seed)[1] for seed in range(8)]
    gate = threading.Barrier(8)
    replans = []

    def work(issue: uses.Issue) -> list[int]:
        chosen = sorted(rested(sessions, issue))[:3]
        gate.wait()  # all have chosen the same
        while True:
            try:
                take(sessions, issue, chosen)
            except uses.ShotsTaken:
                replans.append(issue.job)
                chosen = sorted(rested(sessions, issue))[:3]
            else:
                return chosen

    with ThreadPoolExecutor(8) as pool:
        taken = [shot for chosen in pool.map(work, issues) for shot in chosen]
    assert len(taken) == len(set(taken)) == 24
    assert len(set(replans)) == 7
