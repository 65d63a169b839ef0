"""Workers that kill themselves by a plan (crash_trial.py), real in all but what they make.

The ledger on SQLite, its relay and reaper, leases with heartbeats, and files that are written and adopted block by
block. Waits are those of the product, a sixtieth as long: a lease of 0.5 s and not 30 s.
"""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from factory.plan.brief import Brief
from factory.store import bell, db, jobs
from factory.store.db import Sessions
from factory.store.files import Adopted, Files
from factory.store.job import Claim, Output
from factory.store.lease import SHUTDOWN, Holding, Made, work
from factory.store.schema import JobOutput
from tests.crash_trial import Order, Site, Tally, Trial, plan_crashes

LEASE: Final = timedelta(seconds=0.5)
REAP_EVERY: Final = 0.1
WORKERS: Final = 3
IN_FLIGHT: Final = 6
BLOCK: Final = 4096  # repetitions of a digest
BLOCKS: Final = 8
IN_WORK: Final = ("claimed", "planned", "saved", "rendering", "settling", "written", "finishing")  # burn an attempt
ONCE: Final = ("claiming", "finished", "relay", "reaper")
POINTS: Final = ("relay", "claiming", *IN_WORK, "finished", "reaper")


# --- the worker ------------------------------------------------------------------------------------------------------


class CrashingFiles(Files):
    """A store whose process may die between the copy of a file and the name that makes it visible."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.home)
        self._site = site
        self.turn = ("", 0)

    def _settle(self, written: Path, place: Path, *, replace: bool = False) -> Path:
        self._site.crash("settling", *self.turn)
        return super()._settle(written, place, replace=replace)


def be_worker(folder: Path) -> None:
    """The life of a worker process: ring, reap, hear, work, until it is told to end or kills itself."""
    signal.signal(signal.SIGTERM, lambda *_: SHUTDOWN.set())
    parent = multiprocessing.parent_process()
    site, files = Site(folder), CrashingFiles(Site(folder))
    _place_crashes(site)
    reaped = 0.0
    with contextlib.closing(Sessions.open(site.url)) as sessions:
        while not SHUTDOWN.is_set() and (parent is None or parent.is_alive()):
            bell.relay(sessions, partial(_send, site))
            if time.monotonic() - reaped > REAP_EVERY:
                bell.reap(sessions)
                reaped = time.monotonic()
            job = site.hear()
            if job is None:
                SHUTDOWN.wait(0.02)
            elif work(sessions, job, partial(_make, site, files), lease=LEASE) is not None:
                site.crash("finished", job)


def _place_crashes(site: Site) -> None:
    """Put crash points into the verbs of the ledger: where they have written and not committed."""
    vars(bell).update(TAKEN=LEASE, AGAIN=LEASE)
    claim, finish, ring = jobs.claim, jobs.finish, jobs.ring

    def claiming(session: Session, job: str, *, worker: str, lease: timedelta) -> Claim | None:
        made = claim(session, job, worker=worker, lease=lease)
        if made is not None:
            site.crash("claiming", job)
        return made

    def finishing(session: Session, held: Claim, *args: Any, **kwargs: Any) -> Any:
        ended = finish(session, held, *args, **kwargs)
        site.crash("finishing", held.job, held.attempt)
        return ended

    def reaping(session: Session, job: str, task: str) -> None:
        ring(session, job, task)
        site.crash("reaper", job)  # in a worker, only the reaper rings: its jobs are not given back

    vars(jobs).update(claim=claiming, finish=finishing, ring=reaping)


def _send(site: Site, task: str, job: str) -> None:
    site.send(task, job)
    site.crash("relay", job)


def _make(site: Site, files: CrashingFiles, holding: Holding) -> Made:
    claim = holding.claim
    files.turn = (claim.job, claim.attempt)
    site.crash("claimed", *files.turn)
    body = f'{{"fence": {claim.fence}}}'
    site.crash("planned", *files.turn)
    with holding.sessions.write() as session:
        jobs.save_timelines(session, claim, {"16:9": body})
    site.crash("saved", *files.turn)
    with files.scratch() as folder:
        kept = _render(site, files, holding, folder / "film.mp4")
    site.crash("written", *files.turn)
    return Made([Output("16:9", "video", kept.digest, "stub.mp4", kept.size)])


def _render(site: Site, files: CrashingFiles, holding: Holding, film: Path) -> Adopted:
    block = _block(holding.claim.job, holding.claim.fence)
    with film.open("wb") as file:
        for number in range(BLOCKS):
            file.write(block)
            file.flush()
            if number == BLOCKS // 2:
                site.crash("rendering", *files.turn)
            if holding.stopped():
                raise InterruptedError(str(holding.why))
            time.sleep(0.005)
    return files.adopt(film)


def _block(job: str, fence: int) -> bytes:
    return hashlib.sha256(f"{job} {fence}".encode()).digest() * BLOCK


# --- the trial -------------------------------------------------------------------------------------------------------


def plan(count: int, seed: int) -> list[Order]:
    return plan_crashes(count, seed, points=POINTS, within=IN_WORK, once=ONCE)


def crash_and_count(folder: Path, count: int, seed: int, *, patience: float = 600.0) -> Tally:
    """Run a plan of `count` crashes in an empty folder and count."""
    site = Site(folder)
    db.migrate(site.url)
    trial = Trial(
        site=site,
        points=POINTS,
        lease=LEASE,
        in_flight=IN_FLIGHT,
        brief=lambda number: Brief(template="stub", seed=number),
        working=partial(_workers, site),
        is_whole=_is_whole,
        look_every=0.02,
    )
    return trial.run(plan(count, seed), patience=patience)


def _is_whole(output: JobOutput, files: Files) -> bool:
    """It is what the fence that named it has made."""
    return files.path(output.digest).read_bytes() == _block(output.job_id, output.fence) * BLOCKS


@contextlib.contextmanager
def _workers(site: Site, tally: Tally) -> Iterator[Callable[[], None]]:
    """Yield what starts a new worker for each that has ended; end them all behind it."""
    # Forked from a server that holds no database open: a start costs milliseconds, and nothing is inherited.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crashing"])
    living = list[ForkServerProcess]()

    def count(process: ForkServerProcess, *own_ends: int) -> None:
        process.join()
        tally.killed += process.exitcode == -signal.SIGKILL
        if process.exitcode not in (-signal.SIGKILL, *own_ends):
            tally.other_ends += 1
            tally.stories.append(f"a worker ended with {process.exitcode}")

    def revive() -> None:
        for ended in [process for process in living if not process.is_alive()]:
            count(ended)
            living.remove(ended)
        while len(living) < WORKERS:
            process = context.Process(target=be_worker, args=(site.folder,))
            process.start()
            living.append(process)

    try:
        yield revive
    finally:
        for process in living:
            process.terminate()
        for process in living:
            count(process, 0, -signal.SIGTERM)  # the latter had not begun to work
