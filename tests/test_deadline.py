from __future__ import annotations

from datetime import UTC, datetime

import pytest

from factory.plan.deadline import DeadlineOver, DeadlineUnclear, read_deadline

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
NINE = datetime(2026, 12, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2026-12-01T09:00+08:00", "2026-12-01T01:00:00Z", "2026-12-01T09:00 Asia/Shanghai", " 2026-12-01 09:00+0800 "],
)
def test_a_deadline_says_its_zone(text: str) -> None:
    assert read_deadline(text, NOW) == NINE


@pytest.mark.parametrize("text", ["2026-12-01T09:00", "2026-12-01", "tomorrow", "", "2026-02-30T09:00Z", "12:00Z"])
def test_a_local_time_or_no_moment_is_refused(text: str) -> None:
    with pytest.raises(DeadlineUnclear) as refusal:
        read_deadline(text, NOW)
    assert refusal.value.code == "deadline-unclear"
    assert refusal.value.next_step


@pytest.mark.parametrize("text", ["2026-11-30T12:00Z", "2026-11-30T19:59+08:00", "1999-01-01T00:00Z"])
def test_a_deadline_that_is_over_is_refused(text: str) -> None:
    with pytest.raises(DeadlineOver, match="is over"):
        read_deadline(text, NOW)
