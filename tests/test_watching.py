from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.cli import watching
from factory.cli.watching import show_jobs, watch_jobs
from factory.plan.embargo import read_embargo
from factory.settings import Settings
from factory.store import jobs
from factory.store.job import Output
from factory.wiring import Parts, parts
from tests.test_watch import ago, claimed, ordered


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Parts]:
    built = parts(Settings(home=tmp_path / "home", database_url=""))
    yield built
    built.sessions.close()


def test_a_job_that_stands_still_is_marked(house: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = ordered(house.sessions, created_at=ago(50)), ordered(house.sessions)
    show_jobs(house, 20, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [new, old]
    assert ["STALLED no-worker since" in line for line in lines] == [False, True]
    show_jobs(house, 20, as_json=True)
    assert [told["stalled"] for told in json.loads(capsys.readouterr().out)] == [None, "no-worker"]


def test_a_job_that_may_not_be_published_yet_says_until_when(house: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    job = ordered(house.sessions)
    until = read_embargo("2126-12-01T09:00 Asia/Shanghai")
    with house.sessions.write() as session:
        jobs.hold(session, job, until)
    show_jobs(house, 20, as_json=False)
    assert "until" not in capsys.readouterr().out  # of a video that is not made there is nothing to publish
    held = claimed(house.sessions, job)
    with house.sessions.write() as session:
        jobs.finish(session, held, [Output("16:9", "video", "a" * 64, "a.mp4", 1)])
    show_jobs(house, 20, as_json=False)
    assert "until 2126-12-01 09:00 Asia/Shanghai (2126-12-01 01:00 UTC), by the order" in capsys.readouterr().out
    watch_jobs(house, 20, as_json=True, turns=1)
    assert json.loads(capsys.readouterr().out)["embargo"]["until"] == str(until)


def test_watching_tells_each_change_once(
    house: Parts, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(house.sessions)
    turns = iter(range(9))
    monkeypatch.setattr("time.sleep", lambda _: cancel(house, job) if next(turns) == 1 else None)
    watch_jobs(house, 20, as_json=True, turns=4)
    assert [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()] == ["queued", "cancelled"]


def test_a_terminal_gets_the_list_anew_until_ctrl_c(
    house: Parts, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(house.sessions)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupted)
    watch_jobs(house, 20, as_json=False)
    told = capsys.readouterr().out
    assert told.startswith(watching.CLEAR)
    assert job in told


def cancel(house: Parts, job: str) -> None:
    with house.sessions.write() as session:
        jobs.cancel(session, job)
