"""What a cleaning forgets of what was: notices that were sent, slots of schedules that have ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from factory.errors import WrongUsage
from factory.retention import clean
from factory.store import bell, jobs, notices, schedules
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.files import Files
from factory.store.schedules import ScheduleEntry
from factory.store.schema import Notice, ScheduleSlot
from tests.ledger_acts import PAST, do, order, taken, write

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "home")


def noticed(sessions: Sessions, key: str, days: float, **values: Any) -> None:
    with sessions.write() as session:
        notices.put(session, key, "job-failed", {})
        there = {"created_at": utc_now() - timedelta(days=days), "next_at": None} | values
        session.execute(sa.update(Notice).where(Notice.key == key).values(**there))


def slot(sessions: Sessions, schedule: str, day: int, days: float, **values: Any) -> None:
    due_at = MIDNIGHT + timedelta(days=day)
    with sessions.write() as session:
        schedules.seed(session, ScheduleEntry(schedule, "clean", "0 0 * * *", "UTC", ""))
        assert schedules.take_slot(session, schedule, due_at)
        mine = sa.and_(ScheduleSlot.schedule == schedule, ScheduleSlot.due_at == due_at)
        there = {"taken_at": utc_now() - timedelta(days=days)} | values
        session.execute(sa.update(ScheduleSlot).where(mine).values(**there))


def days_of(sessions: Sessions, schedule: str) -> list[int]:
    with sessions.read() as session:
        return sorted((slot.due_at - MIDNIGHT).days for slot in schedules.history(session, schedule))


def test_notices_that_are_over_go_and_those_that_wait_stay(sessions: Sessions, files: Files) -> None:
    now = utc_now()
    noticed(sessions, "sent", 366, sent_at=now)
    noticed(sessions, "given up", 366)
    noticed(sessions, "young", 364, sent_at=now)
    noticed(sessions, "waits", 366, next_at=now)
    told = clean(sessions, files, dry_run=True)
    assert (told.notices, told.slots) == (2, 0)
    assert clean(sessions, files) == told
    with sessions.read() as session:
        assert sorted(session.scalars(sa.select(Notice.key))) == ["waits", "young"]
    assert clean(sessions, files, history_days=30).notices == 1


def test_a_failure_is_not_told_of_twice_because_its_notice_is_forgotten(sessions: Sessions, files: Files) -> None:
    do(sessions, jobs.fail, taken(sessions, order(sessions)), code="c", text="t")
    with sessions.write() as session:
        assert notices.put_failures(session) == 1
        session.execute(sa.update(Notice).values(next_at=None, created_at=utc_now() - timedelta(hours=23)))
        assert notices.prune(session, utc_now()) == 0
        assert notices.put_failures(session) == 0


def test_slots_that_have_ended_go_but_the_newest_of_each_schedule(sessions: Sessions, files: Files) -> None:
    for day in range(4):
        slot(sessions, "tidy", day, 400 - day)
    slot(sessions, "nightly", 0, 400)
    slot(sessions, "busy", 0, 400, state="running")
    slot(sessions, "busy", 1, 1)
    told = clean(sessions, files, dry_run=True)
    assert (told.slots, told.notices) == (3, 0)
    assert clean(sessions, files) == told
    assert [days_of(sessions, name) for name in ("tidy", "nightly", "busy")] == [[3], [0], [0, 1]]
    assert clean(sessions, files).slots == 0


def test_the_last_slot_that_made_jobs_stays_or_its_videos_would_be_made_again(sessions: Sessions, files: Files) -> None:
    for day, made in enumerate((2, 3, 0, 0)):
        slot(sessions, "nightly", day, 400 - day, jobs=made)
    with sessions.read() as session:
        before = schedules.last_batch(session, "nightly")
    assert clean(sessions, files).slots == 2
    assert days_of(sessions, "nightly") == [1, 3]
    with sessions.read() as session:
        assert schedules.last_batch(session, "nightly") == before


def test_a_history_of_less_than_a_day_is_refused(sqlite: Sessions, files: Files) -> None:
    with pytest.raises(WrongUsage):
        clean(sqlite, files, history_days=0)


def test_a_job_that_nobody_began_is_told_of_beside_its_earlier_failure(sqlite: Sessions) -> None:
    job = order(sqlite, deadline=utc_now() + timedelta(hours=1))
    do(sqlite, jobs.fail, taken(sqlite, job), code="c", text="t")
    assert do(sqlite, notices.put_failures) == 1
    do(sqlite, jobs.retry, job)
    write(sqlite, job, deadline=utc_now() + PAST)
    assert bell.reap(sqlite).late == 1
    assert do(sqlite, notices.put_failures) == 1
