from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from factory.due import last_due
from factory.nightly import Batch, ranking_batch
from factory.schedule import SCHEDULES, seed
from factory.store import catalog, job_lookup, schedules
from factory.store.db import Sessions
from factory.store.schedules import ScheduleEntry
from tests.test_catalog import SALES

NIGHTLY = SCHEDULES[0]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "now", "due"),
    [
        ("30 2 * * *", "Asia/Shanghai", "2026-11-23T02:30:00+08:00", "2026-11-23T02:30:00+08:00"),
        ("30 2 * * *", "Asia/Shanghai", "2026-11-23T02:29:59+08:00", "2026-11-22T02:30:00+08:00"),
        ("30 2 * * *", "Asia/Shanghai", "2026-11-22T23:00:00+00:00", "2026-11-23T02:30:00+08:00"),
        ("*/15 9-17 * * 1-5", "UTC", "2026-11-23T09:44:00Z", "2026-11-23T09:30:00Z"),
        ("*/15  9-17 * * 1-5", "UTC", "2026-11-22T12:00:00Z", "2026-11-20T17:45:00Z"),  # Sunday: last Friday
        ("0 0 1 1 *", "UTC", "2026-11-23T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("0 0 29 2 *", "UTC", "2026-11-23T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("0 0 29 2 1", "UTC", "2026-11-23T00:00:00Z", "2016-02-29T00:00:00Z"),  # a leap day on a Monday
        # 2026-03-29, clocks in Berlin skip 02:00-03:00: due at the moment that follows the gap by as much
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T01:29:00Z", "2026-03-28T01:30:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-29T01:30:00Z"),
        # 2026-10-25, 02:30 comes twice: due the first time only
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-25T00:30:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:45:00Z", "2026-10-25T00:30:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-26T01:31:00Z", "2026-10-26T01:30:00Z"),
    ],
)
def test_the_last_due_moment(cron: str, zone: str, now: str, due: str) -> None:
    assert last_due(cron, zone, at(now)) == at(due)


def test_a_day_that_never_comes_is_an_error() -> None:
    with pytest.raises(ValueError, match="never occurs"):
        last_due("0 0 30 2 *", "UTC", at("2026-11-23T00:00:00Z"))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"])
def test_every_day_of_a_year_has_exactly_one_slot(zone: str) -> None:
    now, slots = at("2026-01-01T12:00:00Z"), set()
    while now < at("2027-01-01T12:00:00Z"):
        slots.add(last_due("30 2 * * *", zone, now))
        now += timedelta(minutes=97)
    assert len(slots) in (365, 366)


def test_of_many_schedulers_one_takes_the_slot(sessions: Sessions) -> None:
    due = at("2026-11-23T02:30:00+08:00")
    with sessions.write() as session:
        schedules.seed(session, NIGHTLY)
        catalog.save_ranking(session, "suv-sales", SALES)
    gate = threading.Barrier(8)

    def batch(_: int) -> Batch:
        gate.wait()
        with sessions.write() as session:
            return ranking_batch(session, NIGHTLY.name, due)

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(batch, range(8)))
    assert [b.taken for b in done].count(True) == 1
    with sessions.read() as session:
        made = job_lookup.list_jobs(session)
    assert {job.brief().locale for job in made} == {"zh-CN", "en-US"}
    assert {(job.brief().subject, job.brief().series, job.submitted_by) for job in made} == {
        ("suv-sales", f"nightly-rankings/{locale}/suv-sales", "nightly-rankings") for locale in ("zh-CN", "en-US")
    }
    assert len(made) == 2


def test_a_table_that_did_not_change_makes_no_second_video(sessions: Sessions) -> None:
    nights = [at(f"2026-11-2{day}T02:30:00+08:00") for day in (3, 4, 5, 6)]
    with sessions.write() as session:
        schedules.seed(session, NIGHTLY)
        assert ranking_batch(session, NIGHTLY.name, nights[0]) == Batch(taken=True)  # nothing loaded yet
    with sessions.write() as session:
        catalog.save_ranking(session, "suv-sales", replace(SALES, period="2026-09"))
        catalog.save_ranking(session, "suv-sales", SALES)
        catalog.save_ranking(session, "sedan-sales", replace(SALES, title="Sedans"))
    with sessions.write() as session:
        assert len(ranking_batch(session, NIGHTLY.name, nights[1]).jobs) == 4
        assert ranking_batch(session, NIGHTLY.name, nights[2]).skipped == ("sedan-sales", "suv-sales")
    with sessions.write() as session:
        catalog.save_ranking(session, "sedan-sales", replace(SALES, title="Sedans"))
        third = ranking_batch(session, NIGHTLY.name, nights[3], locales=["en-US"])
        assert (len(third.jobs), third.skipped) == (1, ("suv-sales",))


def test_a_batch_that_fails_leaves_its_slot_free(sessions: Sessions) -> None:
    due = at("2026-11-23T02:30:00+08:00")

    def fall() -> None:
        with sessions.write() as session:
            schedules.seed(session, NIGHTLY)
            catalog.save_ranking(session, "suv-sales", SALES)
            assert len(ranking_batch(session, NIGHTLY.name, due).jobs) == 2
            raise RuntimeError("fell")

    with pytest.raises(RuntimeError, match="fell"):
        fall()
    with sessions.write() as session:
        schedules.seed(session, NIGHTLY)
        assert ranking_batch(session, NIGHTLY.name, due).taken


def test_seeding_keeps_what_a_person_changed_and_starts_with_the_next_slot(sqlite: Sessions) -> None:
    now = at("2026-11-23T12:00:00Z")
    with sqlite.write() as session:
        seed(session, now)
        due = last_due(NIGHTLY.cron, NIGHTLY.zone, now)
        assert not ranking_batch(session, NIGHTLY.name, due).taken
        assert ranking_batch(session, NIGHTLY.name, due + timedelta(days=1)).taken
    changed = ScheduleEntry("weekly", "ranking_batch", "0 5 * * 1", "UTC", "mine", paused=True)
    with sqlite.write() as session:
        assert schedules.seed(session, changed)
        assert not schedules.seed(session, replace(changed, cron="* * * * *"))
        assert schedules.find(session, "weekly") == changed
        assert schedules.find(session, "none") is None
