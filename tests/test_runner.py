from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from factory.plan.brief import Brief
from factory.runner import Duties, Duty, LocalRunner, Relay, work_off
from factory.store import bell, jobs
from factory.store.db import Sessions
from tests import stub_factory
from tests.stub_factory import brief, executions
from tests.test_lease import job_now, wait_for


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUB_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


@pytest.fixture
def runner(sqlite: Sessions, log: Path, monkeypatch: pytest.MonkeyPatch) -> LocalRunner:
    url = sqlite.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("STUB_DATABASE", url)
    monkeypatch.setattr("factory.runner.REAP_EVERY", 0.3)
    return LocalRunner(url, stub_factory.open_produce, workers=1)


def submit(sessions: Sessions, order: Brief) -> str:
    with sessions.write() as session:
        return jobs.submit(session, order).job


def ended(sessions: Sessions, *made: str) -> bool:
    return all(job_now(sessions, job).state in ("review", "failed", "dead", "cancelled") for job in made)


def test_jobs_are_worked_off_by_child_processes_each_once(sqlite: Sessions, runner: LocalRunner, log: Path) -> None:
    made = [submit(sqlite, brief(0.05, seed=n)) for n in range(12)]
    refused = submit(sqlite, brief(fall="refuse"))
    with runner:
        wait_for(lambda: ended(sqlite, *made, refused), 60)
        assert len(runner.pids()) == 1
    assert {job_now(sqlite, job).state for job in made} == {"review"}
    assert job_now(sqlite, refused).error_code == "no-shot-for-scene"
    done = [line for line in executions(log) if line[-1] == "done"]
    assert sorted(line[0] for line in done) == sorted(made)
    assert runner.pids() == ()


def test_a_killed_worker_is_replaced_and_its_job_finished_by_another(
    sqlite: Sessions, runner: LocalRunner, log: Path
) -> None:
    job = submit(sqlite, brief(1.0))
    with runner:
        wait_for(lambda: bool(executions(log)), 60)
        killed = int(executions(log)[0][2])
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: ended(sqlite, job), 60)
        wait_for(lambda: len(runner.pids()) == 1)
        assert killed not in runner.pids()
    assert (job_now(sqlite, job).state, job_now(sqlite, job).attempt) == ("review", 2)
    assert [line[1:2] + line[3:] for line in executions(log)] == [["1"], ["2"], ["2", "done"]]


def test_a_poison_job_is_dead_after_three_attempts_and_others_go_on(
    sqlite: Sessions, runner: LocalRunner, log: Path
) -> None:
    poison, good = submit(sqlite, brief(fall="exit")), submit(sqlite, brief(0.1))
    with runner:
        wait_for(lambda: ended(sqlite, poison, good), 90)
    assert (job_now(sqlite, good).state, job_now(sqlite, poison).state) == ("review", "dead")
    assert [line[1] for line in executions(log) if line[0] == poison] == ["1", "2", "3"]


def test_a_worker_that_holds_too_much_is_replaced_after_its_job(
    sqlite: Sessions, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUB_DATABASE", sqlite.engine.url.render_as_string(hide_password=False))
    made = [submit(sqlite, brief(fall="leak", seed=n)) for n in range(3)]
    url = sqlite.engine.url.render_as_string(hide_password=False)
    with LocalRunner(url, stub_factory.open_produce, memory_mb=400):
        wait_for(lambda: ended(sqlite, *made), 120)
    assert [(job_now(sqlite, job).state, job_now(sqlite, job).attempt) for job in made] == [("review", 1)] * 3
    assert len({line[2] for line in executions(log) if line[-1] == "done"}) == 3


def test_a_worker_without_a_job_helps_and_goes_on_when_that_fails(sqlite: Sessions, log: Path) -> None:
    asked, shutdown = list[int](), threading.Event()

    def help_out() -> int:
        asked.append(1)
        if len(asked) == 2:
            raise ConnectionError("away")
        if len(asked) == 4:
            shutdown.set()
        return len(asked) % 2

    job = submit(sqlite, brief())
    work_off(sqlite, lambda j: stub_factory.produce(j, sqlite), help_out=help_out, shutdown=shutdown)
    assert job_now(sqlite, job).state == "review"
    assert len(asked) == 4


def test_stopping_hands_the_job_back_quickly(sqlite: Sessions, runner: LocalRunner, log: Path) -> None:
    job = submit(sqlite, brief(60))
    runner.start()
    wait_for(lambda: bool(executions(log)), 60)
    began = time.monotonic()
    runner.stop()
    assert time.monotonic() - began < 10
    assert (job_now(sqlite, job).state, job_now(sqlite, job).attempt) == ("queued", 0)


def test_a_cancelled_job_stops_within_seconds(sqlite: Sessions, runner: LocalRunner, log: Path) -> None:
    job = submit(sqlite, brief(60))
    with runner:
        wait_for(lambda: bool(executions(log)), 60)
        began = time.monotonic()
        with sqlite.write() as session:
            jobs.cancel(session, job)
        wait_for(lambda: job_now(sqlite, job).state == "cancelled")
        assert time.monotonic() - began < 5


PARENT = """
import sys, time
from factory.runner import LocalRunner
from tests import stub_factory
if __name__ == "__main__":
    LocalRunner(sys.argv[1], stub_factory.open_produce, workers=1).start()
    print("started", flush=True)
    time.sleep(60)
"""


def test_children_end_when_their_parent_is_killed(sqlite: Sessions, log: Path, tmp_path: Path) -> None:
    url = sqlite.engine.url.render_as_string(hide_password=False)
    job = submit(sqlite, brief(60))
    (tmp_path / "parent.py").write_text(PARENT)
    environment = {**os.environ, "STUB_DATABASE": url, "PYTHONPATH": str(Path(__file__).parent.parent)}
    parent = subprocess.Popen([sys.executable, str(tmp_path / "parent.py"), url], env=environment)
    try:
        wait_for(lambda: bool(executions(log)), 60)
    finally:
        parent.kill()
        parent.wait()
    child = int(executions(log)[0][2])
    wait_for(lambda: job_now(sqlite, job).state == "queued")
    wait_for(lambda: not Path(f"/proc/{child}").exists() or b"Z" in Path(f"/proc/{child}/stat").read_bytes())


def test_the_same_loop_works_in_a_thread(sqlite: Sessions, log: Path) -> None:
    job = submit(sqlite, brief())
    shutdown = threading.Event()
    loop = threading.Thread(
        target=work_off, args=(sqlite, lambda j: stub_factory.produce(j, sqlite)), kwargs={"shutdown": shutdown}
    )
    loop.start()
    wait_for(lambda: ended(sqlite, job))
    shutdown.set()
    loop.join(5)
    assert not loop.is_alive()


def test_a_duty_that_fails_is_done_again(caplog: pytest.LogCaptureFixture) -> None:
    times: list[str] = []

    def fails() -> None:
        times.append("fails")
        raise ConnectionError("broker away")

    with Duties([Duty("bad", 0.05, fails), Duty("good", 0.05, lambda: times.append("good"))]):
        wait_for(lambda: times.count("fails") >= 3 and times.count("good") >= 3)
    seen = len(times)
    time.sleep(0.15)
    assert len(times) == seen  # closed
    assert "bad: ConnectionError: broker away" in caplog.text


def test_bells_without_a_broker_do_not_pile_up(sqlite: Sessions, log: Path) -> None:
    job = submit(sqlite, brief())
    for _ in range(5):
        bell.reap(sqlite)
    stub_factory.produce(job, sqlite)
    assert bell.relay(sqlite, lambda task, sent: pytest.fail("nothing to ring")) == 0


def test_many_relays_together_look_as_often_as_a_few(monkeypatch: pytest.MonkeyPatch, sqlite: Sessions) -> None:
    rung: list[str] = []
    relay = Relay(sqlite, lambda _task, job: rung.append(job))
    working = 0
    monkeypatch.setattr("factory.store.bell.hosts", lambda _session: working)
    for working, least, most in ((0, 0.5, 0.5), (4, 0.5, 0.5), (16, 1.0, 2.0), (1000, 2.5, 5.0)):
        relay = Relay(sqlite, lambda _task, job: rung.append(job))
        relay.turn()
        assert all(least <= relay.every() <= most for _ in range(100)), working
    with sqlite.write() as session:
        job = jobs.submit(session, brief()).job
    relay.turn()
    assert rung == [job]


def test_hosts_are_counted_by_the_leases_that_live(sessions: Sessions) -> None:
    with sessions.write() as session:
        made = [jobs.submit(session, brief(seed=number)).job for number in range(4)]
        for job, worker in zip(made, ("a:1", "a:1", "b:7", "c:9"), strict=True):
            jobs.claim(session, job, worker=worker, lease=timedelta(seconds=-1 if worker == "c:9" else 30))
    with sessions.read() as session:
        assert bell.hosts(session) == 2
