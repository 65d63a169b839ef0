"""What happens when, and why. Beat is only a clock: a due moment is a row, taken once, however often it is rung for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from celery.schedules import crontab
from sqlalchemy.orm import Session

from factory.store import schedules
from factory.store.schedules import ScheduleEntry

SCHEDULES = (
    ScheduleEntry(
        name="nightly-rankings",
        task="ranking_batch",
        cron="30 2 * * *",
        zone="Asia/Shanghai",
        why="tables are refreshed in the evening; the desk finds new ranking videos in review in the morning",
    ),
)
TICK = 300.0  # seconds between two looks at the table; a look that nobody heard by the next one expires


def beat_entries() -> dict[str, dict[str, Any]]:
    """Return what beat rings for: a look at each schedule every five minutes.

    Most looks find their slot taken. A beat that was late or away is made up for by the next one, and the row in the
    database says when something is due, not this process.
    """
    return {
        entry.name: {"task": entry.task, "schedule": TICK, "args": [entry.name], "options": {"expires": TICK}}
        for entry in SCHEDULES
    }


def seed(session: Session, now: datetime) -> None:
    """Write the schedules that are not there yet. A new one begins with its next due moment, not with the last."""
    for entry in SCHEDULES:
        if schedules.seed(session, entry):
            schedules.take_slot(session, entry.name, last_due(entry.cron, entry.zone, now), note="before it was set up")


def last_due(cron: str, zone: str, now: datetime) -> datetime:
    """Return the latest due moment that is not after `now`, in UTC.

    A local time that a change of clocks skips is due an hour later; one that comes twice is due the first time.
    """
    fields = crontab.from_string(" ".join(cron.split()))  # refuses what never falls on a day
    day = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    while True:
        for hour, minute in _times(fields) if _falls_on(fields, day) else ():
            due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)
            if due <= now:
                return due
        day -= timedelta(days=1)


def _times(fields: crontab) -> list[tuple[int, int]]:
    """Return the times of a day, the latest first."""
    return sorted(product(fields.hour, fields.minute), reverse=True)


def _falls_on(fields: crontab, day: date) -> bool:
    on_weekday = day.isoweekday() % 7 in fields.day_of_week
    return on_weekday and day.month in fields.month_of_year and day.day in fields.day_of_month
