"""What a worker tells the ledger while it holds a job, and what it says in the end."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import InterfaceError, OperationalError

from factory.plan.clip_order import ClipOrder
from factory.plan.facts import Car
from factory.store import jobs, lease
from factory.store.db import Sessions
from factory.store.job import Output, State
from factory.store.lease import Holding, Made, Settled, work
from tests.ledger_acts import do, now, order, taken
from tests.stub_factory import NoShotForScene
from tests.test_lease import until_stopped, wait_for

VIDEO = Output("16:9", "video", "a" * 64, "ranking.mp4", 1234)
NEVER = timedelta(hours=1)


def made(_: Holding) -> Made:
    return Made([VIDEO])


def away(kind: type[OperationalError] | type[InterfaceError] = OperationalError) -> Exception:
    return kind("UPDATE", {}, Exception("the server went away"))


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float | None, str | None]]:
    """The progress and step of each beat. The heart beats but once an hour, unless it is told something."""
    told: list[tuple[float | None, str | None]] = []
    real = jobs.beat

    def beat(*given: Any, **news: Any) -> Any:
        told.append((news["progress"], news["step"]))
        return real(*given, **news)

    monkeypatch.setattr(jobs, "beat", beat)
    monkeypatch.setattr(lease, "BEAT_EVERY", NEVER)
    return told


# --- the heartbeat ---------------------------------------------------------------------------------------------------


def test_a_lease_is_renewed_three_times_in_its_length_and_every_two_seconds_at_least() -> None:
    leases = (0.6, 4.5, 6.0, 30.0, 3600.0)
    assert [lease.seconds_between_beats(timedelta(seconds=length)) for length in leases] == [0.2, 1.5, 2.0, 2.0, 2.0]


def test_the_heart_beats_in_a_thread_that_holds_up_no_process_and_ends_with_the_work(sqlite: Sessions) -> None:
    job = order(sqlite)
    seen: list[threading.Thread] = []

    def make(holding: Holding) -> Made:
        seen.extend(thread for thread in threading.enumerate() if thread.name == f"heartbeat-{job}")
        return Made([VIDEO])

    worker = threading.Thread(target=lambda: work(sqlite, job, make), daemon=True)
    worker.start()
    worker.join(10)
    assert not worker.is_alive()
    assert [(thread.daemon, thread.is_alive()) for thread in seen] == [(True, False)]
    assert now(sqlite, job).state == "review"


def test_what_is_reported_is_told_soon_and_a_step_holds_until_the_next(
    sqlite: Sessions, beats: list[tuple[float | None, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "TELL_EVERY", 0.02)
    wanted: list[int] = []

    def make(holding: Holding) -> Made:
        wait_for(lambda: len(beats) == 1, 5)
        for news in ((0.25,), (0.5, "voice"), (0.75,)):
            wanted.append(len(beats) + 1)
            holding.report(*news)
            wait_for(lambda: len(beats) == wanted[-1], 5)
        threading.Event().wait(0.1)
        return Made([VIDEO])

    assert work(sqlite, order(sqlite), make, lease=NEVER) == "review"
    assert beats == [(None, None), (0.25, None), (0.5, "voice"), (0.75, "voice")]


def test_many_reports_at_once_are_one_beat(
    sqlite: Sessions, beats: list[tuple[float | None, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "TELL_EVERY", 3600.0)

    def make(holding: Holding) -> Made:
        wait_for(lambda: len(beats) == 1, 5)
        for number in range(20):
            holding.report(number / 20)
            threading.Event().wait(0.005)
        return Made([VIDEO])

    assert work(sqlite, order(sqlite), make, lease=NEVER) == "review"
    assert beats == [(None, None)]


def test_a_database_that_is_away_stops_no_work(
    sqlite: Sessions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors, real = [away(), away(InterfaceError)], jobs.beat
    beaten = threading.Event()

    def beat(*given: Any, **news: Any) -> Any:
        if errors:
            raise errors.pop()
        beaten.set()
        return real(*given, **news)

    def make(holding: Holding) -> Made:
        assert beaten.wait(10)
        assert not holding.stopped()
        return Made([VIDEO])

    monkeypatch.setattr(jobs, "beat", beat)
    job = order(sqlite)
    assert work(sqlite, job, make, lease=timedelta(seconds=0.1)) == "review"
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"job {job}: no heartbeat, the database is away: the server went away"] * 2


# --- claiming --------------------------------------------------------------------------------------------------------


def test_a_worker_is_named_by_host_and_process_and_holds_for_as_long_as_it_asked(
    sqlite: Sessions, beats: list[tuple[float | None, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "desk")
    monkeypatch.setattr("os.getpid", lambda: 42)
    asked: list[Any] = []
    real = jobs.claim

    def claim(*given: Any, **wanted: Any) -> Any:
        asked.append((wanted["worker"], wanted["lease"]))
        return real(*given, **wanted)

    monkeypatch.setattr(jobs, "claim", claim)
    assert work(sqlite, order(sqlite), made) == "review"
    assert work(sqlite, order(sqlite), made, worker="me", lease=NEVER) == "review"
    assert asked == [("desk:42", timedelta(seconds=30)), ("me", NEVER)]


def test_nothing_is_done_where_there_is_nothing_to_claim(sqlite: Sessions) -> None:
    job = order(sqlite)
    taken(sqlite, job)
    assert [work(sqlite, known, made) for known in (job, "0" * 16)] == [None, None]


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_what_was_made_is_written_down_with_its_shots_and_cars(
    sqlite: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Any] = []

    def finish(_session: Any, _claim: Any, outputs: Any, **rest: Any) -> State:
        written.append((outputs, rest))
        return "review"

    monkeypatch.setattr(jobs, "finish", finish)
    car = Car(slug="x", make="m", name_zh="z", name_en="n", body="suv", specs=(), source=None)  # type: ignore[arg-type]
    work(sqlite, order(sqlite), lambda _: Made([VIDEO], shots=[3], cars=[car], cars_told=True))
    work(sqlite, order(sqlite), made)
    assert written == [
        ([VIDEO], {"shots": [3], "cars": [car], "cars_told": True}),
        ([VIDEO], {"shots": (), "cars": (), "cars_told": False}),
    ]


def test_a_refusal_is_kept_with_its_way_out(sqlite: Sessions) -> None:
    def refuse(_: Holding) -> Made:
        raise NoShotForScene("scene 4 wants 'interior'", next_step="ingest more")

    job = order(sqlite)
    assert work(sqlite, job, refuse) == "failed"
    seen = now(sqlite, job)
    assert (seen.error_text, seen.next_step) == ("scene 4 wants 'interior'", "ingest more")


def test_a_fault_is_kept_and_logged_with_its_traceback(sqlite: Sessions, caplog: pytest.LogCaptureFixture) -> None:
    def fault(_: Holding) -> Made:
        raise ZeroDivisionError("a fault")

    job = order(sqlite)
    assert work(sqlite, job, fault) == "queued"
    seen = now(sqlite, job)
    assert str(seen.error_text).startswith("Traceback (most recent call last):\n  File ")
    assert str(seen.error_text).endswith("\nZeroDivisionError: a fault\n")
    assert "report this as a fault" in str(seen.next_step)
    (record,) = caplog.records
    assert record.getMessage() == f"job {job}: attempt 1 broke"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


def test_a_worker_that_lost_its_job_says_so(sqlite: Sessions, caplog: pytest.LogCaptureFixture) -> None:
    job = order(sqlite)

    def robbed(holding: Holding) -> Made:
        do(sqlite, jobs.hand_back, holding.claim)
        return Made([VIDEO])

    assert work(sqlite, job, robbed) is None
    assert [record.getMessage() for record in caplog.records] == [
        f"job {job} is queued under fence 1; this worker held fence 1"
    ]


def test_ctrl_c_goes_on_up_also_where_the_job_is_lost(sqlite: Sessions) -> None:
    def robbed(holding: Holding) -> Made:
        do(sqlite, jobs.hand_back, holding.claim)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(sqlite, order(sqlite), robbed)


def test_work_stops_for_the_first_reason_that_there_is(sqlite: Sessions) -> None:
    shutdown = threading.Event()
    holding = Holding(sqlite, taken(sqlite, order(sqlite)), lease=NEVER, shutdown=shutdown)
    assert (holding.stopped(), holding.why) == (False, None)
    shutdown.set()
    assert (holding.stopped(), holding.why) == (True, "shutdown")
    holding.why = "cancel"
    assert (holding.stopped(), holding.why) == (True, "cancel")


def test_work_that_nobody_reviews_is_settled(sqlite: Sessions) -> None:
    job = do(sqlite, jobs.submit, ClipOrder(path="/inbox/dunes.mp4")).job
    assert work(sqlite, job, lambda _: Settled("4 shots")) == "done"
    assert now(sqlite, job).step == "4 shots"


def test_a_process_that_was_told_to_end_hands_its_jobs_back(sqlite: Sessions) -> None:
    job = order(sqlite)
    lease.SHUTDOWN.set()
    try:
        assert work(sqlite, job, until_stopped) == "queued"
    finally:
        lease.SHUTDOWN.clear()
    assert now(sqlite, job).attempt == 0


def test_a_cancel_stays_a_cancel_where_the_process_is_to_end_too(sqlite: Sessions) -> None:
    job, shutdown = order(sqlite), threading.Event()

    def cancelled(holding: Holding) -> Made:
        do(sqlite, jobs.cancel, job)
        holding.report(0.5)
        wait_for(holding.stopped, 5)
        shutdown.set()
        assert holding.stopped()
        assert holding.why == "cancel"
        raise InterruptedError

    assert work(sqlite, job, cancelled, shutdown=shutdown) == "cancelled"
    assert now(sqlite, job).attempt == 1  # a job that goes back for another reason burns none


@pytest.mark.parametrize("how", [KeyboardInterrupt, SystemExit])
def test_an_exit_while_the_cancel_is_known_is_the_end_of_the_job(sqlite: Sessions, how: type[BaseException]) -> None:
    job = order(sqlite)

    def exits(holding: Holding) -> Made:
        do(sqlite, jobs.cancel, job)
        raise how

    with pytest.raises(how):
        work(sqlite, job, exits)
    assert now(sqlite, job).state == "cancelled"


# --- the last word ---------------------------------------------------------------------------------------------------


class Clock:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def without(monkeypatch: pytest.MonkeyPatch, times: int, kind: type[OperationalError] | type[InterfaceError]) -> Clock:
    """Let the database be away for the first so many last words."""
    clock, real = Clock(), jobs.finish
    left = [away(kind) for _ in range(times)]

    def finish(*given: Any, **rest: Any) -> State:
        if left:
            raise left.pop()
        return real(*given, **rest)

    monkeypatch.setattr(jobs, "finish", finish)
    told = SimpleNamespace(monotonic=lambda: clock.now, sleep=clock.sleep, time_ns=time.time_ns)
    monkeypatch.setattr(lease, "time", told)
    return clock


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_the_last_word_is_tried_again_later_each_time(
    sqlite: Sessions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: Any
) -> None:
    clock = without(monkeypatch, 7, kind)
    assert work(sqlite, order(sqlite), made) == "review"
    assert clock.slept == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    said = "the database is away, waiting to write how the job ended: the server went away"
    assert [record.getMessage() for record in caplog.records] == [said] * 7


def test_the_last_word_is_given_up_after_a_minute(sqlite: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = without(monkeypatch, 99, OperationalError)
    job = order(sqlite)
    with pytest.raises(OperationalError, match="went away"):
        work(sqlite, job, made)
    assert 60 < clock.now - 1000.0 <= 65
    assert now(sqlite, job).state == "planning"  # until its lease runs out
