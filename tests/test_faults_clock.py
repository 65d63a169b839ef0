"""Two schedulers at once, clocks that jump, days whose clocks change: each slot is worked on exactly once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from factory.schedule import look
from factory.slot_duties import DUTIES, SlotDuty, Stopped
from factory.store import jobs, schedules
from factory.store.db import Sessions
from factory.store.schedules import ScheduleEntry
from factory.store.schema import JobRow, ScheduleSlot
from tests.stub_factory import brief
from tests.working import Tell

pytestmark = pytest.mark.fault
STEP = timedelta(minutes=90)  # between two looks of a host
# The day whose clocks change, and the local minutes at which the duty is due: in the gap, or in the hour that is twice.
DAYS = [
    ("Europe/Berlin", date(2026, 3, 29), "30 2 * * *"),
    ("Europe/Berlin", date(2026, 10, 25), "30 2 * * *"),
    ("America/New_York", date(2026, 3, 8), "30 2 * * *"),
    ("America/New_York", date(2026, 11, 1), "30 1 * * *"),
    ("Australia/Lord_Howe", date(2026, 10, 4), "15 2 * * *"),  # half an hour is skipped
    ("Australia/Lord_Howe", date(2026, 4, 5), "45 1 * * *"),
]


@pytest.mark.parametrize(("zone", "day", "cron"), DAYS)
def test_each_slot_makes_one_job_whatever_the_clocks_do(
    sessions: Sessions, zone: str, day: date, cron: str, monkeypatch: pytest.MonkeyPatch, record_property: Tell
) -> None:
    """One host's clock is right; the other's goes ahead by a day for a while, and is an hour behind later."""

    def order(parts: Any, options: Mapping[str, Any], stopped: Stopped) -> dict[str, Any]:
        with parts.sessions.write() as session:
            jobs.submit(session, brief())
        return {"ordered": 1}

    monkeypatch.setitem(DUTIES, "retag", SlotDuty(order, lambda parts, options: {}))
    begin = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(days=3)
    entry = ScheduleEntry("daily", "retag", cron, zone, "in a test", catch_up="all")
    with sessions.write() as session:
        schedules.seed(session, entry)
        schedules.take_slot(session, entry.name, begin, note="it begins here", state="skipped")
    parts: Any = SimpleNamespace(sessions=sessions)
    steps = int(timedelta(days=6) / STEP)
    ahead, behind = [timedelta(days=1)] * 10, [-timedelta(hours=1)] * 30
    right = [timedelta()] * (steps - 40)
    wrong = [*right[:20], *ahead, *right[20:], *behind]
    gate = threading.Barrier(2)

    def host(clock_is_wrong: bool) -> int:
        ran = 0
        for number in range(steps):
            gate.wait(60)
            ran += len(look(parts, begin + number * STEP + (wrong[number] if clock_is_wrong else timedelta())))
        return ran

    with ThreadPoolExecutor(2) as pool:
        ran = sum(pool.map(host, [False, True]))
    with sessions.read() as session:
        slots = session.scalars(sa.select(ScheduleSlot).where(ScheduleSlot.state != "skipped")).all()
        made = session.scalar(sa.select(sa.func.count()).select_from(JobRow))
    days = Counter(slot.due_at.astimezone(ZoneInfo(zone)).date() for slot in slots)
    first = begin.astimezone(ZoneInfo(zone)).date()
    assert days == {first + timedelta(days=n): 1 for n in range(1, 7)}
    assert {slot.state for slot in slots} == {"done"}
    assert made == ran == len(slots) == 6
    record_property("slots", len(slots))
    record_property("jobs", made)
