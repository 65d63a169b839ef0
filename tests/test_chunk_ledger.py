from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from factory.plan.brief import Brief
from factory.store import chunk_ledger as ledger
from factory.store import jobs
from factory.store.chunk_ledger import Shared
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import Claim
from factory.store.schema import JobChunk
from tests.test_jobs import VIDEO

KEYS = ("chunk-a", "chunk-b", "chunk-c", "chunk-d")
LONG, OVER = timedelta(seconds=300), timedelta(seconds=-1)


@pytest.fixture
def held(sessions: Sessions) -> Claim:
    """A job whose chunks are shared out."""
    claim = claimed(sessions, "holder:1")
    with sessions.write() as session:
        assert ledger.share_out(session, claim, "16:9", KEYS)
    return claim


def claimed(sessions: Sessions, worker: str, job: str | None = None, lease: timedelta = LONG) -> Claim:
    with sessions.write() as session:
        job = job or jobs.submit(session, Brief(template="stub")).job
        claim = jobs.claim(session, job, worker=worker, lease=lease)
    assert claim
    return claim


def wanting(sessions: Sessions, but: str = "helper:1", most: int = 2) -> tuple[Shared, ...]:
    with sessions.read() as session:
        return ledger.shared(session, but=but, most=most)


def take(
    sessions: Sessions, job: Shared, owner: str = "helper:1", most: int = 2, lease: timedelta = LONG
) -> str | None:
    with sessions.write() as session:
        return ledger.take(session, job, KEYS, owner=owner, most=most, lease=lease)


def renew(sessions: Sessions, job: Shared, lease: timedelta) -> None:
    with sessions.write() as session:
        assert ledger.keep(session, job, "helper:1", lease=lease)


def take_own(sessions: Sessions, held: Claim, key: str, *, by_force: bool = False) -> bool:
    with sessions.write() as session:
        return ledger.take_own(session, held, key, by_force=by_force)


def standing(sessions: Sessions, held: Claim, key: str) -> str:
    with sessions.read() as session:
        return ledger.standing(session, held.job, key)


def rows(sessions: Sessions) -> int:
    with sessions.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(JobChunk)) or 0


def test_helpers_begin_at_the_end_and_nobody_takes_what_another_has(sessions: Sessions, held: Claim) -> None:
    (job,) = wanting(sessions)
    assert (job.job, job.fence, job.holder, job.spec) == (held.job, held.fence, "holder:1", held.spec)
    with sessions.read() as session:
        assert ledger.untried(session, job) == {"16:9": KEYS}
    assert take(sessions, job) == "chunk-d"
    assert take_own(sessions, held, "chunk-a")
    assert not take_own(sessions, held, "chunk-d")
    assert [take(sessions, job) for _ in range(3)] == ["chunk-c", "chunk-b", None]
    assert standing(sessions, held, "chunk-d") == "in-work"
    with sessions.write() as session:
        ledger.done(session, held.job, "chunk-d", "somebody:else")
    assert standing(sessions, held, "chunk-d") == "in-work"
    with sessions.write() as session:
        ledger.done(session, held.job, "chunk-d", "helper:1")
    assert standing(sessions, held, "chunk-d") == "made"
    assert not take_own(sessions, held, "chunk-d", by_force=True)
    assert wanting(sessions) == ()


def test_a_chunk_whose_helper_died_is_the_holders_alone(sessions: Sessions, held: Claim) -> None:
    (job,) = wanting(sessions)
    assert take(sessions, job) == "chunk-d"
    assert not take_own(sessions, held, "chunk-d")
    renew(sessions, job, OVER)
    assert standing(sessions, held, "chunk-d") == "free"
    assert "chunk-d" not in [take(sessions, job, "helper:2") for _ in range(4)]
    assert take_own(sessions, held, "chunk-d")
    with sessions.write() as session:
        ledger.done(session, held.job, "chunk-d", "helper:1")  # it was only slow, and says so too late
    assert standing(sessions, held, "chunk-d") == "in-work"


def test_a_slow_helper_keeps_its_chunk_until_the_holder_takes_it_by_force(sessions: Sessions, held: Claim) -> None:
    (job,) = wanting(sessions)
    assert take(sessions, job, lease=timedelta(seconds=5)) == "chunk-d"
    renew(sessions, job, LONG)
    with sessions.read() as session:
        until = session.scalars(sa.select(JobChunk.lease_until).where(JobChunk.key == "chunk-d")).one()
    assert until
    assert until > utc_now() + timedelta(minutes=1)
    assert not take_own(sessions, held, "chunk-d")
    assert take_own(sessions, held, "chunk-d", by_force=True)


def test_a_video_has_no_more_helpers_than_are_allowed(sessions: Sessions, held: Claim) -> None:
    (job,) = wanting(sessions, most=1)
    assert take(sessions, job, "helper:1", most=1) == "chunk-d"
    assert wanting(sessions, "helper:2", most=1) == ()
    assert take(sessions, job, "helper:2", most=1) is None
    assert take(sessions, job, "helper:1", most=1) == "chunk-c"  # the same one may have several
    assert take(sessions, job, "helper:2", most=2) == "chunk-b"


def test_nobody_helps_himself(sessions: Sessions, held: Claim) -> None:
    assert wanting(sessions, but="holder:1") == ()


@pytest.mark.parametrize("end", ["finish", "cancel", "expire", "claim"])
def test_chunks_of_a_job_that_is_not_held_are_nobodys(sessions: Sessions, end: str) -> None:
    held = claimed(sessions, "holder:1")
    with sessions.write() as session:
        assert ledger.share_out(session, held, "16:9", KEYS)
    (job,) = wanting(sessions)
    assert take(sessions, job) == "chunk-d"
    with sessions.write() as session:
        if end == "finish":
            jobs.finish(session, held, [VIDEO])
        if end == "cancel":
            jobs.cancel(session, held.job)
        if end in ("expire", "claim"):
            jobs.beat(session, held, lease=OVER)
    if end == "claim":
        claimed(sessions, "holder:2", held.job)
        assert not take_own(sessions, held, "chunk-a")
        with sessions.write() as session:
            assert not ledger.share_out(session, held, "16:9", KEYS)
    assert take(sessions, job) is None
    assert take(sessions, job, "helper:2") is None
    with sessions.write() as session:
        kept = ledger.keep(session, job, "helper:1")
    assert kept == (end == "expire")  # nobody has the job yet: what is in work is worth finishing
    assert bool(wanting(sessions)) == (end == "claim")  # until the new holder shares out anew, the old rows will do


def test_what_fails_at_a_helper_is_tried_by_the_holder_and_what_is_given_back_by_all(
    sessions: Sessions, held: Claim
) -> None:
    (job,) = wanting(sessions)
    assert [take(sessions, job), take(sessions, job)] == ["chunk-d", "chunk-c"]
    with sessions.write() as session:
        ledger.give_up(session, job, "chunk-d", "helper:1")
        ledger.give_back(session, job, "helper:1")
    assert [standing(sessions, held, key) for key in ("chunk-c", "chunk-d")] == ["free", "free"]
    assert take(sessions, job, "helper:2") == "chunk-c"
    assert take_own(sessions, held, "chunk-d")


def test_rows_are_gone_when_they_are_of_no_use(sessions: Sessions, held: Claim) -> None:
    other = claimed(sessions, "holder:2")
    with sessions.write() as session:
        ledger.share_out(session, other, "9:16", KEYS)
    assert rows(sessions) == 8
    with sessions.write() as session:
        ledger.forget(session, other)
    assert rows(sessions) == 4
    with sessions.write() as session:
        jobs.finish(session, held, [VIDEO])  # without a word about its chunks, as a crash leaves them
        ledger.share_out(session, other, "9:16", KEYS[:1])
    assert rows(sessions) == 1
