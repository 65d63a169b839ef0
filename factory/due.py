"""When a cron line is due in its time zone: the last moment, the next one, and those that were missed.

A local time that a change of clocks skips is due an hour later; one that comes twice is due the first time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery.schedules import ParseException, crontab

from factory.errors import WrongUsage

TICK = timedelta(microseconds=1)


class ScheduleRefused(WrongUsage):
    code = "schedule-refused"


def check_times(cron: str, zone: str) -> None:
    """Raise ScheduleRefused where the cron line or the time zone cannot be read, or never comes."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleRefused(
            f"there is no time zone {zone[:80]!r}", next_step="write it as Asia/Shanghai or UTC"
        ) from error
    try:
        _fields(cron)
    except (ParseException, ValueError, TypeError, KeyError) as error:
        raise ScheduleRefused(
            f"the times {cron[:80]!r} cannot be read: {error}",
            next_step="write five fields: minute hour day month weekday, as in '30 2 * * *'",
        ) from error


def last_due(cron: str, zone: str, now: datetime) -> datetime:
    """Return the latest due moment that is not after `now`, in UTC."""
    fields, local = _fields(cron), ZoneInfo(zone)
    day = now.astimezone(local).date() + timedelta(days=1)
    while True:
        for due in _moments(fields, local, day, latest_first=True):
            if due <= now:
                return due
        day -= timedelta(days=1)


def next_due(cron: str, zone: str, now: datetime) -> datetime:
    """Return the first due moment after `now`, in UTC."""
    fields, local = _fields(cron), ZoneInfo(zone)
    day = now.astimezone(local).date() - timedelta(days=1)
    while True:
        for due in _moments(fields, local, day, latest_first=False):
            if due > now:
                return due
        day += timedelta(days=1)


def missed(cron: str, zone: str, after: datetime, until: datetime, most: int) -> tuple[datetime, ...]:
    """Return the due moments later than `after` and not later than `until`, the newest `most` of them, oldest first."""
    found: list[datetime] = []
    due = last_due(cron, zone, until)
    while due > after and len(found) < most:
        found.append(due)
        due = last_due(cron, zone, due - TICK)
    return tuple(reversed(found))


def _fields(cron: str) -> crontab:
    return crontab.from_string(" ".join(cron.split()))  # refuses what never falls on a day


def _moments(fields: crontab, zone: ZoneInfo, day: date, *, latest_first: bool) -> Iterator[datetime]:
    """Yield the due moments of a day."""
    on_weekday = day.isoweekday() % 7 in fields.day_of_week
    if on_weekday and day.month in fields.month_of_year and day.day in fields.day_of_month:
        for hour, minute in sorted(product(fields.hour, fields.minute), reverse=latest_first):
            yield datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
