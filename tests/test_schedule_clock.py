from __future__ import annotations

import os
from pathlib import Path

import pytest

from factory.schedule_clock import ScheduleClock
from factory.store import schedules
from factory.store.db import Sessions
from factory.store.schedules import ScheduleEntry
from factory.wiring import Parts
from tests.test_lease import wait_for
from tests.test_looking import House


def open_parts() -> Parts:
    """What the child calls."""
    return House(Sessions.open(os.environ["FACTORY_DATABASE_URL"]), Path(os.environ["FACTORY_HOME"]))


def test_a_house_without_a_broker_does_what_is_due(
    sqlite: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTORY_DATABASE_URL", sqlite.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("FACTORY_HOME", str(tmp_path / "home"))
    with sqlite.write() as session:
        schedules.add(session, ScheduleEntry("tidy", "clean", "* * * * *", "UTC", "", options={"cache_days": 1}))
    with ScheduleClock(sqlite, open_parts, tick=0.2):
        wait_for(lambda: bool(states(sqlite)) and states(sqlite)[0] != "running", 60)
    assert states(sqlite)[0] == "done"


def states(sessions: Sessions) -> list[str]:
    with sessions.read() as session:
        return [slot.state for slot in schedules.history(session, "tidy")]
