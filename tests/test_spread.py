"""Chunks of one film made by several workers: the same film, whoever makes them and whoever dies."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from factory.plan.brief import Brief
from factory.render import chunks
from factory.render.errors import RenderFailed
from factory.render.sharing import cores
from factory.spread import Helpers
from factory.store import db, job_lookup, jobs
from factory.store.schema import JobChunk, JobOutput, JobRow
from tests.render_kit import frames_digest, numbered_clip
from tests.spread_worker import noted, open_parts, order, produce
from tests.test_lease import wait_for

ROOT = Path(__file__).parent.parent
LEASE = timedelta(seconds=30)
SCENES, FRAMES, WIDTH = 9, 45, 960
JOINTS = 3
CHUNKS = SCENES + JOINTS


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered_clip(tmp_path_factory.mktemp("footage") / "clip.mp4", frames=150)


@pytest.fixture(scope="module")
def alone(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The SHA-256 of the film that one worker makes."""
    with house(tmp_path_factory.mktemp("alone"), spread=0) as parts:
        job = submit(parts, footage)
        assert produce(job, parts, lease=LEASE) == "review"
        assert noted(parts.files.root / "films") == [[os.getpid(), CHUNKS, 0, 0]]
        return film_of(parts, job)


@contextmanager
def house(home: Path, *, spread: int = 2) -> Iterator[Any]:
    db.migrate(f"sqlite:///{home / 'factory.db'}")
    parts = open_parts(home, spread=spread)
    try:
        yield parts
    finally:
        parts.sessions.close()


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Any]:
    with house(tmp_path) as made:
        yield made


def submit(parts: Any, footage: Path, *, scenes: int = SCENES, width: int = WIDTH, **looks: Any) -> str:
    asset = parts.files.adopt(footage).digest
    wanted: Brief = order(asset=asset, scenes=scenes, frames=FRAMES, width=width).model_copy(update=looks)
    with parts.sessions.write() as session:
        return jobs.submit(session, wanted).job


def film_of(parts: Any, job: str) -> str:
    """Return the digest of the one video of a job."""
    with parts.sessions.read() as session:
        (output,) = session.scalars(sa.select(JobOutput).where(JobOutput.job_id == job))
        assert job_lookup.get(session, job).state == "review"
    assert output.frames == SCENES * FRAMES - 10 * JOINTS
    digest: str = output.digest
    assert frames_digest(parts.files.path(digest))
    return digest


@contextmanager
def workers(parts: Any, count: int, *, lease: float = 30.0, chunk_lease: float = 15.0) -> Iterator[list[Any]]:
    """Run worker processes, ready for work, until the block ends."""
    line = [sys.executable, "-m", "tests.spread_worker", str(parts.files.root), str(lease), str(chunk_lease)]
    with ExitStack() as stack:
        made = []
        for _ in range(count):
            process = subprocess.Popen(line, cwd=ROOT)
            stack.callback(process.wait)
            stack.callback(process.kill)
            made.append(process)
        wait_for(lambda: len(list(parts.files.root.glob("ready-*"))) == count, 90)
        yield made


def holder(parts: Any, job: str, made: list[Any]) -> Any:
    """Return the process that has the job."""
    with parts.sessions.read() as session:
        owner = session.scalars(sa.select(JobRow.lease_owner).where(JobRow.id == job)).one()
    return next((process for process in made if owner and owner.endswith(f":{process.pid}")), None)


def helpers_work(parts: Any) -> list[str]:
    """Return the chunks that helpers have in work under a lease."""
    with parts.sessions.read() as session:
        leased = sa.select(JobChunk.key).where(JobChunk.lease_until.is_not(None), JobChunk.done_at.is_(None))
        return list(session.scalars(leased))


def freeze(process: Any, parts: Any) -> None:
    """Stop a process, but not while it has SQLite's one lock."""
    while True:
        process.send_signal(signal.SIGSTOP)
        with closing(sqlite3.connect(parts.files.root / "factory.db", timeout=0.2, isolation_level=None)) as probe:
            try:
                probe.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                time.sleep(0.1)
            else:
                return


def state(parts: Any, job: str) -> str:
    with parts.sessions.read() as session:
        return job_lookup.get(session, job).state


def test_a_film_made_with_help_is_that_made_alone_to_the_byte(parts: Any, footage: Path, alone: str) -> None:
    with workers(parts, 2) as made:
        job = submit(parts, footage)
        wait_for(lambda: state(parts, job) == "review", 120)
        wait_for(lambda: bool(noted(parts.files.root / "helped")), 30)
    ((pid, own, helped, _),) = noted(parts.files.root / "films")
    ((helper, count),) = noted(parts.files.root / "helped")
    assert {pid, helper} == {process.pid for process in made}
    assert own + helped == CHUNKS
    assert helped <= count <= helped + 2 * cores()  # the holder may not have waited for the last ones
    assert film_of(parts, job) == alone


@pytest.mark.fault
def test_a_helper_that_is_killed_in_a_chunk_costs_one_lease_and_nothing_is_lost(
    parts: Any, footage: Path, alone: str
) -> None:
    with workers(parts, 2, chunk_lease=3.0) as made:
        job = submit(parts, footage)
        wait_for(lambda: bool(helpers_work(parts)), 60)
        helper = next(process for process in made if process is not holder(parts, job, made))
        helper.kill()
        helper.wait()
        assert state(parts, job) == "rendering"
        wait_for(lambda: state(parts, job) == "review", 120)
    ((_, own, helped, _),) = noted(parts.files.root / "films")
    assert own + helped == CHUNKS
    assert film_of(parts, job) == alone
    with parts.sessions.read() as session:
        assert job_lookup.get(session, job).attempt == 1


@pytest.mark.fault
def test_a_helper_that_is_stopped_holds_nobody_up(parts: Any, footage: Path, alone: str) -> None:
    with workers(parts, 2, chunk_lease=2.0) as made:
        job = submit(parts, footage)
        wait_for(lambda: bool(helpers_work(parts)), 60)
        helper = next(process for process in made if process is not holder(parts, job, made))
        freeze(helper, parts)
        wait_for(lambda: state(parts, job) == "review", 120)
        film = film_of(parts, job)
        helper.send_signal(signal.SIGCONT)  # it says that it made a chunk of a film that is finished
        helper.send_signal(signal.SIGTERM)
        assert helper.wait(10) == 0
    assert film == film_of(parts, job) == alone


@pytest.mark.fault
def test_a_holder_that_is_killed_is_followed_by_its_helper(parts: Any, footage: Path, alone: str) -> None:
    with workers(parts, 2, lease=2.0) as made:
        job = submit(parts, footage)
        wait_for(lambda: bool(helpers_work(parts)), 60)
        first = holder(parts, job, made)
        first.kill()
        first.wait()
        wait_for(lambda: state(parts, job) == "review", 120)
    ((pid, _, _, reused),) = noted(parts.files.root / "films")
    assert pid != first.pid
    assert reused >= 1  # what either had made before
    assert film_of(parts, job) == alone
    with parts.sessions.read() as session:
        assert (job_lookup.get(session, job).attempt, session.scalar(sa.select(sa.func.count(JobChunk.key)))) == (2, 0)


@pytest.mark.fault
def test_a_helper_that_is_told_to_end_gives_its_chunk_back(parts: Any, footage: Path, alone: str) -> None:
    with workers(parts, 2) as made:
        job = submit(parts, footage)
        wait_for(lambda: bool(helpers_work(parts)), 60)
        helper = next(process for process in made if process is not holder(parts, job, made))
        began = time.monotonic()
        helper.send_signal(signal.SIGTERM)
        assert helper.wait(10) == 0
        assert time.monotonic() - began < 10
        assert helpers_work(parts) == []
        wait_for(lambda: state(parts, job) == "review", 120)
    assert film_of(parts, job) == alone


# --- in one process --------------------------------------------------------------------------------------------------


@contextmanager
def holding(parts: Any, job: str) -> Iterator[threading.Thread]:
    """Render a job in a thread, as another worker than this one."""

    def hold() -> None:
        produce(job, parts, lease=LEASE)

    thread = threading.Thread(target=hold)
    thread.start()
    yield thread
    thread.join(120)


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let who helps in this process be another worker than who holds."""
    monkeypatch.setattr("factory.spread.worker_name", lambda: "elsewhere:1")


@pytest.mark.usefixtures("stranger")
def test_a_helper_with_another_ffmpeg_or_other_templates_makes_nothing_and_looks_once(
    parts: Any, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(parts, footage)
    helpers, asked = Helpers(parts), list[int]()
    with holding(parts, job):
        wait_for(lambda: shared(parts) > 4)
        plain = chunks.key_of
        monkeypatch.setattr("factory.render.encoding.chunks.key_of", lambda command: f"other-{plain(command)}")
        monkeypatch.setattr("factory.spread.help_film", counted(asked))
        assert [helpers.help_out(job), helpers.help_out(job), helpers.help_out()] == [0, 0, 0]
        assert len(asked) == 1
        assert helpers_work(parts) == []
        with parts.sessions.write() as session:
            jobs.cancel(session, job)
    assert state(parts, job) == "cancelled"


@pytest.mark.usefixtures("stranger")
def test_who_helps_stops_for_a_job_of_his_own(parts: Any, footage: Path) -> None:
    job = submit(parts, footage)
    with holding(parts, job):
        wait_for(lambda: shared(parts) > 4)
        submit(parts, footage, width=320)
        assert Helpers(parts).help_out(job) == 0
        with parts.sessions.write() as session:
            jobs.cancel(session, job)


@pytest.mark.usefixtures("stranger")
def test_a_helper_stops_soon_after_a_cancel(parts: Any, footage: Path) -> None:
    job = submit(parts, footage, width=1920)
    with holding(parts, job):
        wait_for(lambda: shared(parts) > 4)
        helpers = Helpers(parts, lease=timedelta(seconds=1.5))
        helper = threading.Thread(target=helpers.help_out, args=[job])
        helper.start()
        wait_for(lambda: bool(helpers_work(parts)))
        with parts.sessions.write() as session:
            jobs.cancel(session, job)
        asked = time.monotonic()
        helper.join(20)
        assert time.monotonic() - asked < 5
        assert helpers_work(parts) == []
    assert state(parts, job) == "cancelled"


@pytest.mark.usefixtures("stranger")
def test_a_chunk_that_fails_at_a_helper_is_made_by_the_holder(
    parts: Any, footage: Path, alone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(parts, footage)
    plain = chunks.make_chunk

    def fails(*given: Any, **named: Any) -> Any:
        if threading.current_thread().name.startswith("render") and "way" not in named:  # a helper's
            raise RenderFailed("no memory here", next_step="none")
        return plain(*given, **named)

    monkeypatch.setattr("factory.render.film.chunks.make_chunk", fails)
    with holding(parts, job):
        wait_for(lambda: shared(parts) > 4)
        helpers = Helpers(parts)
        with pytest.raises(RenderFailed, match="no memory here"):
            helpers.help_out(job)
        assert helpers.help_out(job) == 0  # once is enough
    assert film_of(parts, job) == alone


@pytest.mark.usefixtures("stranger")
def test_without_the_ledger_the_holder_goes_on_alone(
    parts: Any, footage: Path, alone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise sa.exc.OperationalError("the database is away", {}, Exception("away"))

    monkeypatch.setattr("factory.spread.chunk_ledger.take_own", away)
    monkeypatch.setattr("factory.spread.chunk_ledger.done", away)
    job = submit(parts, footage)
    assert produce(job, parts, lease=LEASE) == "review"
    assert film_of(parts, job) == alone


def shared(parts: Any) -> int:
    """Return how many chunks wait for whoever takes them."""
    with parts.sessions.read() as session:
        return session.scalar(sa.select(sa.func.count(JobChunk.key)).where(JobChunk.attempt == 0)) or 0


def counted(calls: list[int]) -> Any:
    from factory.render.film import help_film

    def called(*given: Any, **named: Any) -> int:
        calls.append(1)
        return help_film(*given, **named)

    return called
