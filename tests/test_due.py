from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from factory.due import ScheduleRefused, check_times, last_due, missed, next_due


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "now", "due"),
    [
        ("30 2 * * *", "Asia/Shanghai", "2026-11-23T02:30:00+08:00", "2026-11-24T02:30:00+08:00"),
        ("30 2 * * *", "Asia/Shanghai", "2026-11-23T02:29:59+08:00", "2026-11-23T02:30:00+08:00"),
        ("*/15 9-17 * * 1-5", "UTC", "2026-11-20T17:45:00Z", "2026-11-23T09:00:00Z"),
        ("0 0 29 2 *", "UTC", "2026-11-23T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"),  # the gap
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:29:00Z", "2026-10-25T00:30:00Z"),  # comes twice, due once
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
    ],
)
def test_the_next_due_moment(cron: str, zone: str, now: str, due: str) -> None:
    assert next_due(cron, zone, at(now)) == at(due)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"])
def test_going_on_and_looking_back_name_the_same_moments(zone: str) -> None:
    now, forward = at("2026-01-01T12:00:00Z"), []
    while (now := next_due("30 2 * * *", zone, now)) < at("2027-01-01T12:00:00Z"):
        forward.append(now)
        assert last_due("30 2 * * *", zone, now) == now
    assert len(forward) == 365
    assert missed("30 2 * * *", zone, at("2026-01-01T12:00:00Z"), at("2027-01-01T12:00:00Z"), 999) == tuple(forward)


def test_of_many_missed_moments_the_newest_are_named_oldest_first() -> None:
    until = at("2026-11-23T12:00:00Z")
    found = missed("0 * * * *", "UTC", until - timedelta(days=2), until, 3)
    assert found == (at("2026-11-23T10:00:00Z"), at("2026-11-23T11:00:00Z"), at("2026-11-23T12:00:00Z"))
    assert missed("0 * * * *", "UTC", until, until, 3) == ()


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        *((cron, "UTC") for cron in ("", "x", "* * * *", "61 * * * *", "0 0 30 2 *", "0 0 * * * *", "0 0 1-99 * *")),
        *(("0 0 * * *", zone) for zone in ("", "Mars/Base", "../etc/passwd", "/etc/localtime", "\x00")),
    ],
)
def test_times_that_cannot_be_are_refused(cron: str, zone: str) -> None:
    with pytest.raises(ScheduleRefused) as refusal:
        check_times(cron, zone)
    assert refusal.value.next_step


def test_times_that_can_be_are_not() -> None:
    check_times("*/5 8-18 * * mon-fri", "Asia/Shanghai")
