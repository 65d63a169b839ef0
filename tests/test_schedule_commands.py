from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_cli import Here


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path, monkeypatch, capsys)


def test_a_schedule_from_its_making_to_its_end(here: Here) -> None:
    add = ("schedule", "add", "tidy", "--duty", "clean", "--cron", "0 4 * * 0", "--zone", "Asia/Shanghai")
    assert "next 20" in here(*add, "--dry-run").stdout
    assert json.loads(here("schedule", "list", "--json").stdout) == []
    assert here(*add, "--set", "cache_days=7", "--why", "room").returncode == 0
    assert here(*add).stderr.startswith("schedule-exists: ")
    (told,) = json.loads(here("schedule", "list", "--json").stdout)
    assert (told["duty"], told["options"], told["last"]["state"]) == ("clean", {"cache_days": 7}, "skipped")
    assert "cache_files: 0" in here("schedule", "run", "tidy", "--dry-run").stdout
    assert json.loads(here("schedule", "run", "tidy", "--json").stdout)["state"] == "done"
    assert here("schedule", "pause", "tidy").returncode == 0
    assert "paused" in here("schedule", "list").stdout
    assert "next 20" in here("schedule", "resume", "tidy").stdout
    assert json.loads(here("schedule", "history", "tidy", "--json").stdout)[0]["state"] == "done"
    assert "tidy" in here("schedule", "history").stdout
    assert here("schedule", "remove", "tidy").returncode == 0
    assert here("schedule", "history", "tidy").stderr.startswith("unknown-schedule: ")


def test_a_duty_that_fails_says_why(here: Here) -> None:
    assert here("schedule", "add", "in", "--duty", "inbox", "--cron", "* * * * *").returncode == 0
    told = here("schedule", "run", "in")
    assert told.returncode == 1
    assert "inbox-unset: FACTORY_INBOX is not set" in told.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ("x", "--duty", "dance", "--cron", "* * * * *"),
        ("x", "--duty", "clean", "--cron", "never"),
        ("x", "--duty", "clean", "--cron", "* * * * *", "--zone", "Mars"),
        ("x", "--duty", "clean", "--cron", "* * * * *", "--set", "cache_days=x"),
        ("a b", "--duty", "clean", "--cron", "* * * * *"),
    ],
)
def test_what_cannot_be_scheduled_is_refused(here: Here, wrong: tuple[str, ...]) -> None:
    told = here("schedule", "add", *wrong)
    assert (told.returncode, told.stderr.startswith("schedule-refused: ")) == (2, True)
    assert "Next: " in told.stderr
