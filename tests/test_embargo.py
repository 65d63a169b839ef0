"""A moment with its zone: read exactly, written back, and refused where clocks skip it or show it twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.embargo import Embargo, EmbargoUnclear, latest, read_embargo


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "until", "written"),
    [
        ("2026-12-01T09:00 Asia/Shanghai", "2026-12-01T01:00", "2026-12-01T09:00+08:00[Asia/Shanghai]"),
        ("2026-12-01 09:00 asia/shanghai", "2026-12-01T01:00", "2026-12-01T09:00+08:00[Asia/Shanghai]"),
        ("2026-12-01T09:00[Asia/Shanghai]", "2026-12-01T01:00", "2026-12-01T09:00+08:00[Asia/Shanghai]"),
        ("2026-12-01T09:00+08:00[Asia/Shanghai]", "2026-12-01T01:00", "2026-12-01T09:00+08:00[Asia/Shanghai]"),
        ("2026-12-01T09:00:30+08:00", "2026-12-01T01:00:30", "2026-12-01T09:00:30+08:00"),
        ("2026-12-01T9:00-0330", "2026-12-01T12:30", "2026-12-01T09:00-03:30"),
        ("2026-12-01T09:00Z", "2026-12-01T09:00", "2026-12-01T09:00+00:00"),
        ("2026-12-01T09:00 UTC", "2026-12-01T09:00", "2026-12-01T09:00+00:00[UTC]"),
        ("２０２６-12-01T09：00 Asia/Shanghai", "2026-12-01T01:00", "2026-12-01T09:00+08:00[Asia/Shanghai]"),
        ("2026-07-01T09:00 Europe/Berlin", "2026-07-01T07:00", "2026-07-01T09:00+02:00[Europe/Berlin]"),
        # clocks go back at 03:00: the offset says which 02:30
        ("2026-10-25T02:30+02:00[Europe/Berlin]", "2026-10-25T00:30", "2026-10-25T02:30+02:00[Europe/Berlin]"),
        ("2026-10-25T02:30+01:00[Europe/Berlin]", "2026-10-25T01:30", "2026-10-25T02:30+01:00[Europe/Berlin]"),
    ],
)
def test_moments_are_read_and_written_back(text: str, until: str, written: str) -> None:
    embargo = read_embargo(text)
    assert embargo.until == utc(until)
    assert str(embargo) == written
    assert read_embargo(str(embargo)) == embargo


@pytest.mark.parametrize(
    ("text", "says", "step"),
    [
        ("", "no date", "2026-12-01T09:00 Asia/Shanghai"),
        ("tomorrow", "no date", "2026-12-01T09:00 Asia/Shanghai"),
        ("2026-12-01", "no time of the day", "2026-12-01T09:00 Asia/Shanghai"),
        ("2026-12-01 Asia/Shanghai", "no time of the day", ""),
        ("2026-12-01T09:00", "no zone", ""),
        ("2026-02-30T09:00Z", "2026-02-30", ""),
        ("2026-12-01T25:00Z", "2026-12-01T25:00", ""),
        ("2026-12-01T09:00+23:00", "no clock is", ""),
        ("2026-12-01T09:00 Asia/Shangai", "'Asia/Shangai' is no time zone", "did you mean Asia/Shanghai?"),
        ("2026-12-01T09:00 Shanghai", "is no time zone", "did you mean Asia/Shanghai?"),
        ("2026-12-01T09:00 ../../etc/passwd", "no date", ""),
        ("2026-03-29T02:30 Europe/Berlin", "skip 2026-03-29 02:30", "the clocks show"),
        ("2026-03-29T02:30+01:00[Europe/Berlin]", "skip", "the clocks show"),
        ("2026-10-25T02:30 Europe/Berlin", "twice", "2026-10-25T02:30+02:00[Europe/Berlin]"),
        ("2026-12-01T09:00+09:00[Asia/Shanghai]", "not at the offset", "+08:00"),
    ],
)
def test_what_is_no_moment_is_refused(text: str, says: str, step: str) -> None:
    with pytest.raises(EmbargoUnclear) as refusal:
        read_embargo(text)
    assert says in refusal.value.cause
    assert step in refusal.value.next_step


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    try:
        assert read_embargo(text).until.tzinfo
    except EmbargoUnclear as refusal:
        assert refusal.exit_code == 2  # noqa: PT017  refused or read: both are right here


@given(
    st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),  # 2020 to 2035
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "+05:45"]),
)
def test_every_instant_comes_back_from_its_text(moment: datetime, zone: str) -> None:
    """Also those of the hour that clocks show twice: the offset is written beside the zone."""
    embargo = Embargo(moment, zone)
    assert read_embargo(str(embargo)) == embargo


def test_the_latest_holds() -> None:
    first = Embargo(utc("2026-12-01T00:00"), "UTC", "this order")
    later = Embargo(first.until + timedelta(hours=1), "Asia/Shanghai", "car northwind-x5")
    assert latest([first, None, later, first]) is later
    assert latest([None]) is None
    assert later.told() == "2026-12-01 09:00 Asia/Shanghai (2026-12-01 01:00 UTC)"


def test_zones_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of jobs under embargo reads a moment for each."""
    read_embargo("2026-12-01T09:00 Asia/Shanghai")
    monkeypatch.setattr("factory.plan.embargo.available_timezones", lambda: pytest.fail("looked for again"))
    assert read_embargo("2026-12-01T09:00 Europe/Berlin").zone == "Europe/Berlin"
