from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from factory.errors import FactoryError
from factory.store import job_lookup, jobs, lease
from factory.store.db import Sessions
from factory.store.job import Job, State
from factory.store.lease import Holding, Made, work
from tests import stub_factory
from tests.test_jobs import VIDEO, claim, submit

SHORT = timedelta(seconds=0.6)


def job_now(sessions: Sessions, job: str) -> Job:
    with sessions.read() as session:
        return job_lookup.get(session, job)


def wait_for(what: Callable[[], bool], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.02)


def until_stopped(holding: Holding) -> Made:
    wait_for(holding.stopped)
    raise InterruptedError(str(holding.why))


class DecoderHiccup(FactoryError):
    code = "decoder-hiccup"
    transient = True


def test_work_is_finished_under_a_living_lease(sessions: Sessions) -> None:
    job = submit(sessions)

    def make(holding: Holding) -> Made:
        holding.report(0.5, "chunks")
        wait_for(lambda: job_now(sessions, job).progress == 0.5)
        time.sleep(1.2)  # twice the lease
        assert claim(sessions, job, "thief") is None
        assert job_now(sessions, job).step == "chunks"
        return Made([VIDEO])

    assert work(sessions, job, make, worker="me", lease=SHORT) == "review"
    assert job_now(sessions, job).outputs == (VIDEO,)
    assert work(sessions, job, make) is None  # a repeated message


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (stub_factory.NoShotForScene("nothing", next_step="ingest"), "failed", "no-shot-for-scene"),
        (DecoderHiccup("again", next_step="wait"), "queued", "decoder-hiccup"),
        (ZeroDivisionError("a fault"), "queued", "broken"),
    ],
)
def test_how_it_falls_says_whether_it_is_tried_again(
    sqlite: Sessions, error: Exception, state: State, code: str
) -> None:
    def fall(holding: Holding) -> Made:
        raise error

    job = submit(sqlite)
    assert work(sqlite, job, fall) == state
    seen = job_now(sqlite, job)
    assert (seen.state, seen.error_code) == (state, code)
    assert str(error) in str(seen.error_text)


def test_a_cancel_stops_the_worker(sessions: Sessions) -> None:
    job = submit(sessions)
    ends: list[State | None] = []
    thread = threading.Thread(target=lambda: ends.append(work(sessions, job, until_stopped, lease=SHORT)))
    thread.start()
    wait_for(lambda: job_now(sessions, job).state == "planning")
    with sessions.write() as session:
        jobs.cancel(session, job)
    thread.join(10)
    assert ends == ["cancelled"]


def test_a_shutdown_hands_the_job_back(sqlite: Sessions) -> None:
    job = submit(sqlite)
    shutdown = threading.Event()
    threading.Timer(0.2, shutdown.set).start()
    assert work(sqlite, job, until_stopped, lease=SHORT, shutdown=shutdown) == "queued"
    assert job_now(sqlite, job).attempt == 0


def test_ctrl_c_hands_the_job_back_and_goes_on_up(sqlite: Sessions) -> None:
    def interrupted(holding: Holding) -> Made:
        raise KeyboardInterrupt

    job = submit(sqlite)
    with pytest.raises(KeyboardInterrupt):
        work(sqlite, job, interrupted)
    assert (job_now(sqlite, job).state, job_now(sqlite, job).attempt) == ("queued", 0)


def test_a_worker_that_slept_too_long_changes_nothing(sessions: Sessions) -> None:
    job = submit(sessions)

    def asleep(holding: Holding) -> Made:
        """Another worker takes the job while this one sleeps, as after SIGSTOP."""
        with sessions.write() as session:
            jobs.hand_back(session, holding.claim)
        assert claim(sessions, job, "other") is not None
        return Made([VIDEO])

    assert work(sessions, job, asleep, worker="sleeper", lease=SHORT) is None
    assert (job_now(sessions, job).worker, job_now(sessions, job).outputs) == ("other", ())


def test_a_worker_is_told_that_its_job_is_lost(sqlite: Sessions) -> None:
    job = submit(sqlite)
    why: list[str | None] = []

    def robbed(holding: Holding) -> Made:
        with sqlite.write() as session:
            jobs.hand_back(session, holding.claim)
        try:
            return until_stopped(holding)
        finally:
            why.append(holding.why)

    assert work(sqlite, job, robbed, lease=SHORT) is None
    assert why == ["lost"]


def test_a_database_that_is_away_at_the_end_is_waited_for(sqlite: Sessions, tmp_path: Path) -> None:
    job = submit(sqlite)
    database = Path(str(sqlite.engine.url.database))
    away = database.with_suffix(".away")

    def make(holding: Holding) -> Made:
        sqlite.close()
        database.rename(away)
        database.mkdir()  # a folder in its place cannot be opened
        return Made([VIDEO])

    def bring_back() -> None:
        database.rmdir()
        away.rename(database)

    threading.Timer(1.0, bring_back).start()
    assert work(sqlite, job, make) == "review"
    assert job_now(sqlite, job).outputs == (VIDEO,)


def test_patience_ends(sqlite: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "PATIENCE", 0.3)
    job = submit(sqlite)
    database = Path(str(sqlite.engine.url.database))

    def make(holding: Holding) -> Made:
        sqlite.close()
        database.unlink()
        database.mkdir()
        return Made([VIDEO])

    with pytest.raises(OperationalError, match="unable to open"):
        work(sqlite, job, make)
