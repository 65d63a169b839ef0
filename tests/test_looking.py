"""Looking for what is due, on real databases: catch-up, leases, failures, pauses."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from factory import schedule as verbs
from factory import slot_duties
from factory.due import ScheduleRefused
from factory.order_facts import facts_of
from factory.plan.brief import Brief
from factory.plan.staleness import TableStale
from factory.schedule import INBOX, look, next_run, resume, run_now, seed, would_do
from factory.settings import Settings
from factory.slot_duties import InboxUnset, SlotDuty, checked_options
from factory.store import catalog, job_lookup, schedules
from factory.store.db import Sessions
from factory.store.lease import SHUTDOWN
from factory.store.schedules import ScheduleEntry, UnknownSchedule
from factory.store.schema import ScheduleSlot
from factory.wiring import Parts
from tests.test_catalog import SALES


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


NOON = at("2026-11-23T12:00:00Z")
HOURLY = ScheduleEntry("hourly", "noted", "0 * * * *", "UTC", "a test")


class House(Parts):
    """Parts over a database of the test."""

    def __init__(self, sessions: Sessions, home: Path) -> None:
        super().__init__(Settings(home=home, inbox=home / "inbox"))
        self.__dict__["sessions"] = sessions
        self.day = NOON.date()

    def today(self) -> date:
        return self.day


@pytest.fixture
def house(sessions: Sessions, tmp_path: Path) -> House:
    return House(sessions, tmp_path)


class Noted:
    """A duty that counts, and can fall or wait."""

    def __init__(self) -> None:
        self.times = 0
        self.fall: Exception | None = None
        self.gate: threading.Event | None = None

    def do(self, _parts: Parts, options: Mapping[str, Any], stopped: slot_duties.Stopped) -> dict[str, Any]:
        self.times += 1
        while self.gate is not None and not self.gate.wait(0.01) and not stopped():
            pass
        if self.fall is not None:
            raise self.fall
        return {"times": self.times, **options}


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Noted]:
    duty = Noted()
    kinds = {**slot_duties.DUTIES, "noted": SlotDuty(duty.do, lambda _parts, options: {"would": "note"})}
    monkeypatch.setattr(slot_duties, "DUTIES", kinds)
    monkeypatch.setattr(verbs, "DUTIES", kinds)
    yield duty
    SHUTDOWN.clear()


def add(house: Parts, entry: ScheduleEntry, *, last: datetime | None = None) -> None:
    with house.sessions.write() as session:
        schedules.add(session, entry)
        if last is not None:
            schedules.take_slot(session, entry.name, last)


def slots(house: Parts, name: str = "hourly") -> list[tuple[int, str]]:
    """Return hour and state of each slot, oldest first."""
    with house.sessions.read() as session:
        return [(slot.due_at.hour, slot.state) for slot in reversed(schedules.history(session, name, limit=99))]


@pytest.mark.parametrize(
    ("catch_up", "minute", "expected"),
    [
        ("latest", 30, [(8, "done"), (12, "done")]),
        ("all", 30, [(8, "done"), (10, "done"), (11, "done"), (12, "done")]),  # the newest three
        ("skip", 30, [(8, "done"), (12, "skipped")]),
        ("skip", 5, [(8, "done"), (12, "done")]),  # on time
    ],
)
def test_missed_moments_are_made_up_for_by_the_rule(
    house: House, noted: Noted, catch_up: schedules.CatchUp, minute: int, expected: list[tuple[int, str]]
) -> None:
    entry = ScheduleEntry("hourly", "noted", "0 * * * *", "UTC", "", catch_up=catch_up, most=3)
    add(house, entry, last=at("2026-11-23T08:00:00Z"))
    now = NOON + timedelta(minutes=minute)
    assert len(look(house, now)) == sum(state == "done" for _, state in expected[1:])
    assert look(house, now) == ()
    assert slots(house) == expected
    look(house, now + timedelta(hours=1) - timedelta(minutes=minute - 1))
    assert slots(house)[-1] == (13, "done")


def test_of_many_that_look_at_once_one_works(house: House, noted: Noted) -> None:
    add(house, HOURLY)
    with ThreadPoolExecutor(8) as pool:
        ran = list(pool.map(lambda _: look(house, NOON), range(8)))
    assert (sum(map(len, ran)), noted.times) == (1, 1)


def test_a_duty_does_not_overtake_itself_and_a_lost_worker_is_replaced(house: House, noted: Noted) -> None:
    add(house, HOURLY)
    with house.sessions.write() as session:
        assert schedules.begin(session, "hourly", NOON) == 1  # somebody who is never heard of again
    assert look(house, NOON + timedelta(hours=1)) == ()
    forget_lease(house)
    ran = look(house, NOON + timedelta(hours=1))
    assert [(r.due_at, r.state, noted.times) for r in ran] == [(NOON, "done", 1)]
    with house.sessions.write() as session:
        assert schedules.history(session, "hourly")[0].attempt == 2
        assert not schedules.end(session, "hourly", NOON, 1, "failed")  # the lost one comes back
    assert look(house, NOON + timedelta(hours=1))[0].due_at == NOON + timedelta(hours=1)


def test_a_duty_that_kills_its_process_is_given_up_after_three_attempts(house: House, noted: Noted) -> None:
    add(house, HOURLY)
    for attempt in (1, 2, 3):
        with house.sessions.write() as session:
            assert schedules.begin(session, "hourly", NOON) == attempt
        forget_lease(house)
    assert look(house, NOON) == ()
    assert slots(house) == [(12, "failed")]
    with house.sessions.read() as session:
        assert "worker-lost" in schedules.history(session, "hourly")[0].note
    assert noted.times == 0


def forget_lease(house: House) -> None:
    with house.sessions.write() as session:
        session.execute(sa.update(ScheduleSlot).values(lease_until=at("2026-01-01T00:00:00Z")))


@pytest.mark.parametrize(
    ("fall", "note"), [(ZeroDivisionError("a fault"), "broken: Zero"), (InboxUnset("unset", next_step="x"), "inbox-")]
)
def test_a_duty_that_falls_leaves_a_note_and_the_others_alone(
    house: House, noted: Noted, fall: Exception, note: str
) -> None:
    noted.fall = fall
    add(house, HOURLY)
    add(house, ScheduleEntry("a-broken", "noted", "never", "UTC", "a hand wrote this row"))
    add(house, ScheduleEntry("unknown", "of-another-version", "0 * * * *", "UTC", ""))
    assert {ran.schedule: ran.state for ran in look(house, NOON)} == {"hourly": "failed", "unknown": "failed"}
    with house.sessions.read() as session:
        assert schedules.history(session, "hourly")[0].note.startswith(note)
        assert "of-another-version" in schedules.history(session, "unknown")[0].note
    assert look(house, NOON) == ()  # a failed moment is not tried again; the next one is


def test_a_process_that_ends_hands_its_slot_back(house: House, noted: Noted) -> None:
    add(house, HOURLY)
    noted.gate = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look, house, NOON)
        while noted.times == 0:
            time.sleep(0.01)
        SHUTDOWN.set()
        assert [ran.state for ran in looking.result(20)] == ["running"]
    SHUTDOWN.clear()
    noted.gate = None
    assert [ran.state for ran in look(house, NOON)] == ["done"]
    with house.sessions.read() as session:
        assert schedules.history(session, "hourly")[0].attempt == 1


def test_a_paused_schedule_rests_and_goes_on_with_its_next_moment(house: House, noted: Noted) -> None:
    add(house, HOURLY, last=at("2026-11-23T08:00:00Z"))
    with house.sessions.write() as session:
        schedules.set_paused(session, "hourly", True)
        assert next_run(schedules.known(session, "hourly"), NOON) is None
        with pytest.raises(UnknownSchedule):
            schedules.set_paused(session, "none", True)
    assert look(house, NOON) == ()
    with house.sessions.write() as session:
        resume(session, "hourly", NOON)
    assert look(house, NOON + timedelta(minutes=59)) == ()
    assert len(look(house, NOON + timedelta(minutes=60))) == 1
    assert slots(house) == [(8, "done"), (12, "skipped"), (13, "done")]


def test_the_nightly_rankings_keep_a_report(house: House) -> None:
    night = at("2026-11-24T02:30:00+08:00")
    with house.sessions.write() as session:
        seed(session, NOON, house.settings)
        catalog.save_ranking(session, "suv-sales", SALES)
    with house.sessions.read() as session:
        assert {entry.name for entry in schedules.every(session)} == {"nightly-rankings", INBOX.name}
    told = would_do(house, "nightly-rankings", NOON)
    assert [(made["table"], made["locale"]) for made in told["jobs"]] == [
        ("suv-sales", "zh-CN"),
        ("suv-sales", "en-US"),
    ]
    with house.sessions.read() as session:
        assert job_lookup.list_jobs(session) == ()
        assert len(schedules.history(session, "nightly-rankings")) == 1
    (ran,) = (ran for ran in look(house, night) if ran.schedule == "nightly-rankings")
    with house.sessions.read() as session:
        slot = schedules.history(session, "nightly-rankings")[0]
        assert (slot.jobs, slot.report, slot.ended_at is not None) == (2, ran.report, True)
        assert {told["job"] for told in slot.report["jobs"]} == {job.id for job in job_lookup.list_jobs(session)}
        assert slot.note == "2 videos ordered, 0 tables unchanged, 0 stale"
    assert run_now(house, "nightly-rankings", night + timedelta(hours=1)).report["unchanged"] == ["suv-sales"]


def test_a_stale_table_makes_nothing_and_is_told_of(house: House) -> None:
    """By the rule that its order would be refused by; invented figures do not age, and a newer table is news again."""
    night = at("2027-01-02T02:30:00+08:00")
    house.day = date(2027, 1, 2)
    with house.sessions.write() as session:
        seed(session, NOON)
        catalog.save_ranking(session, "suv-sales", SALES)
        catalog.save_ranking(session, "drawn", replace(SALES, title="drawn", source=replace(SALES.source, sample=True)))
    with pytest.raises(TableStale) as refusal:
        facts_of(Brief(template="ranking", subject="suv-sales"), house)
    stale = [{"table": "suv-sales", "why": refusal.value.cause}]
    assert would_do(house, "nightly-rankings", night)["stale"] == stale
    (ran,) = look(house, night)
    assert (ran.report["stale"], ran.report["unchanged"]) == (stale, [])
    with house.sessions.read() as session:
        slot = schedules.history(session, "nightly-rankings")[0]
        assert (slot.report["stale"], slot.note) == (stale, "2 videos ordered, 0 tables unchanged, 1 stale")
        assert {job.brief().subject for job in job_lookup.list_jobs(session)} == {"drawn"}
    with house.sessions.write() as session:
        catalog.save_ranking(session, "suv-sales", replace(SALES, period="2026-12"))
    (ran,) = look(house, night + timedelta(days=1))
    assert {told["table"] for told in ran.report["jobs"]} == {"suv-sales"}
    assert (ran.report["stale"], ran.report["unchanged"]) == ([], ["drawn"])


def test_the_inbox_lets_a_file_that_still_grows_wait(house: House) -> None:
    inbox = house.settings.home / "inbox"
    add(house, INBOX)
    assert [ran.state for ran in look(house, NOON)] == ["failed"]  # there is no such folder
    inbox.mkdir()
    for name in ("new.mp4", "old.mp4"):
        (inbox / name).write_bytes(b"no film")
    hour_ago = time.time() - 3600
    os.utime(inbox / "old.mp4", (hour_ago, hour_ago))
    assert would_do(house, "inbox", NOON) == {"new": 1, "waiting": 1, "new_files": [str(inbox / "old.mp4")]}
    report = run_now(house, "inbox", NOON + timedelta(minutes=1)).report
    assert (report["refused"], report["waiting"], report["added"]) == (1, 1, 0)
    assert report["refused_files"][0]["path"] == str(inbox / "old.mp4")


def test_options_are_whole_days_that_the_duty_takes() -> None:
    assert checked_options("clean", {"cache_days": "7", "outputs_days": "90"}) == {"cache_days": 7, "outputs_days": 90}
    for kind, given in (
        ("clean", {"cache_days": "0"}),
        ("clean", {"cache_days": "-1"}),
        ("clean", {"cache_days": "٣"}),
        ("clean", {"else": "1"}),
        ("retag", {"cache_days": "7"}),
    ):
        with pytest.raises(ScheduleRefused):
            checked_options(kind, given)
