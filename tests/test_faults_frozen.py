"""Workers that are frozen past their lease (SIGSTOP) and come back: the other worker's result stands."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import sqlalchemy as sa

from factory.store import bell, db, jobs
from factory.store.db import Sessions
from factory.store.lease import work
from tests.frozen import LEASE, LOST, be_frozen, made_by
from tests.stub_factory import brief
from tests.test_jobs import claim
from tests.test_lease import job_now, wait_for
from tests.working import Tell, short_or_long, submit

pytestmark = pytest.mark.fault


@contextlib.contextmanager
def workers_of(sessions: Sessions, folder: Path, made: list[str]) -> Iterator[list[ForkServerProcess]]:
    """Run a worker for each job; every second of them asks whether to stop."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crashing"])
    url = sessions.engine.url.render_as_string(hide_password=False)
    workers = [
        context.Process(target=be_frozen, args=(url, folder, job, bool(number % 2))) for number, job in enumerate(made)
    ]
    for worker in workers:
        worker.start()
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


def freeze(sessions: Sessions, workers: list[ForkServerProcess]) -> None:
    """Stop them. On SQLite while none of them can hold the lock of all writers, which nobody could take from it."""
    with sessions.write() as session:
        session.execute(sa.text("SELECT 1"))  # a transaction begins with its first statement
        for worker in workers:
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGSTOP)
        wait_for(lambda: all(threads_of(worker) == {"T"} for worker in workers), 60)


def threads_of(worker: ForkServerProcess) -> set[str]:
    """Return the states of a process's threads, as Linux tells them: T is stopped."""
    return {stat.read_text().rpartition(")")[2].split()[0] for stat in Path(f"/proc/{worker.pid}/task").glob("*/stat")}


def test_a_worker_that_was_frozen_past_its_lease_publishes_nothing(
    sessions: Sessions, tmp_path: Path, record_property: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = short_or_long(12, 50)
    made = submit(sessions, *(brief(seed=n) for n in range(count)))
    with workers_of(sessions, tmp_path, made) as workers:
        wait_for(lambda: all((tmp_path / f"{job}.begun").exists() for job in made), 60)
        freeze(sessions, workers)
        time.sleep(LEASE.total_seconds() + 0.2)
        for job in made:
            assert work(sessions, job, lambda holding: made_by(holding.claim), worker="other") == "review"
        (tmp_path / "go").touch()
        for worker in workers:
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGCONT)
        for worker in workers:
            worker.join(30)
        refused = [worker.exitcode for worker in workers].count(LOST)
    assert refused == count
    for job in made:
        seen = job_now(sessions, job)
        assert (seen.state, seen.attempt) == ("review", 2)
        assert [output.digest for output in seen.outputs] == [f"{2:064x}"]
    record_property("frozen past the lease", count)
    record_property("publishes refused", refused)


@pytest.mark.server
@pytest.mark.parametrize("sessions", ["postgresql"], indirect=True)
def test_a_worker_that_is_frozen_in_the_middle_of_a_write_holds_up_nobody(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its open transaction would lock the row of its job, and the reaper of every host would wait for it."""
    monkeypatch.setattr(db, "IDLE_SECONDS", 1.0)
    (job,) = submit(sessions, brief())
    held = claim(sessions, job, "frozen", lease=LEASE)
    assert held is not None
    url = sessions.engine.url.render_as_string(hide_password=False)
    with contextlib.closing(Sessions.open(url)) as frozen, frozen.engine.connect() as silent:
        silent.execute(sa.text("UPDATE job SET progress = 0.5 WHERE id = :job"), {"job": job})
        time.sleep(LEASE.total_seconds() + 0.1)
        began = time.monotonic()
        bell.reap(sessions)
        assert work(sessions, job, lambda holding: made_by(holding.claim)) == "review"
        assert time.monotonic() - began < 10
        with pytest.raises(sa.exc.OperationalError, match="idle-in-transaction"):
            silent.execute(sa.text("UPDATE job SET progress = 0.6"))
        silent.invalidate()
    with sessions.write() as session:
        assert jobs.beat(session, held) == "lost"


class AskedAtLeisure(list[int]):
    """Shots that take their time when they are first read."""

    asked = False

    def __iter__(self) -> Iterator[int]:
        time.sleep(0.0 if self.asked else 1.5)
        self.asked = True
        return super().__iter__()


@pytest.mark.server
@pytest.mark.parametrize("sessions", ["postgresql"], indirect=True)
def test_a_worker_that_was_frozen_in_the_middle_of_its_last_word_says_it_again(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "IDLE_SECONDS", 0.5)
    (job,) = submit(sessions, brief())
    url = sessions.engine.url.render_as_string(hide_password=False)
    with contextlib.closing(Sessions.open(url)) as impatient:
        ended = work(impatient, job, lambda holding: replace(made_by(holding.claim), shots=AskedAtLeisure()))
    assert ended == "review"
    assert job_now(sessions, job).attempt == 1
