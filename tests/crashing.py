"""Workers that kill themselves by a plan, and a supervisor who counts what came of their jobs.

A life of a job has numbered crash points. The plan says which job's worker dies at which point of which attempt; a
crash happens once, by SIGKILL of the worker's own process. Workers are real in all but what they make: the ledger on
SQLite, its relay and reaper, leases with heartbeats, and files that are written and adopted block by block. Waits are
those of the product, a sixtieth as long: a lease of 0.5 s and not 30 s.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.plan.brief import Brief
from factory.store import bell, db, jobs
from factory.store.db import Sessions
from factory.store.files import Adopted, Files
from factory.store.job import ENDED, MAX_ATTEMPTS, MOVES, WORKING, Claim, Output, WrongState
from factory.store.lease import SHUTDOWN, Holding, Made, work
from factory.store.schema import JobOutput, JobRow
from tests.attempts import Attempt, Crash, Move, attempts, story

LEASE: Final = timedelta(seconds=0.5)
REAP_EVERY: Final = 0.1
WORKERS: Final = 3
IN_FLIGHT: Final = 6
BLOCK: Final = 4096  # repetitions of a digest
BLOCKS: Final = 8
IN_WORK: Final = ("claimed", "planned", "saved", "rendering", "settling", "written", "finishing")  # burn an attempt
ONCE: Final = ("claiming", "finished", "relay", "reaper")
POINTS: Final = ("relay", "claiming", *IN_WORK, "finished", "reaper")

# What the database itself saw, in the transaction that did it: no worker's word is needed for the counts.
WITNESS: Final = (
    "CREATE TABLE moved (n INTEGER PRIMARY KEY, job TEXT, old TEXT, new TEXT, fence INT, claimed INT, at REAL, "
    "lease REAL)",
    """
    CREATE TRIGGER witness AFTER UPDATE OF state, fence ON job WHEN OLD.state != NEW.state OR OLD.fence != NEW.fence
    BEGIN
        INSERT INTO moved (job, old, new, fence, claimed, at, lease) VALUES (NEW.id, OLD.state, NEW.state, NEW.fence,
            NEW.fence != OLD.fence, (julianday('now') - 2440587.5) * 86400.0,
            (julianday(OLD.lease_until) - 2440587.5) * 86400.0);
    END
    """,
)


class Site:
    """The folder that workers and supervisor share: ledger, store, broker, crashes to come and crashes done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'factory.db'}"
        self.plan, self.broker, self.log = folder / "plan", folder / "broker", folder / "crashes"
        for made in (self.plan, self.broker):
            made.mkdir(parents=True, exist_ok=True)

    def arm(self, job: str, point: str, attempt: int) -> None:
        (self.plan / f"{job}.{point}.{attempt}").touch()

    def crash(self, point: str, job: str, attempt: int = 0) -> None:
        """Kill this process, if the plan says so and it was not done yet."""
        try:
            (self.plan / f"{job}.{point}.{attempt}").unlink()
        except FileNotFoundError:
            return
        with self.log.open("ab", buffering=0) as log:
            log.write(f"{time.time()} {point} {job}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)

    def crashes(self) -> list[Crash]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [Crash(float(at), point, job) for at, point, job in map(str.split, lines)]

    def send(self, task: str, job: str) -> None:
        """Put a message into the broker, which is a folder."""
        (self.broker / f"{time.time_ns()}.{job}").touch()

    def hear(self) -> str | None:
        """Take the oldest message. As from a real broker, one that is taken is gone."""
        for message in sorted(self.broker.iterdir()):
            with contextlib.suppress(FileNotFoundError):
                message.unlink()
                return message.suffix[1:]
        return None


# --- the worker ------------------------------------------------------------------------------------------------------


class CrashingFiles(Files):
    """A store whose process may die between the copy of a file and the name that makes it visible."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.folder / "home")
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


# --- the plan --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """The crashes of one job: where its attempts die, one after another, and where else."""

    in_work: tuple[str, ...]
    once: tuple[str, ...]

    @property
    def poison(self) -> bool:
        return len(self.in_work) == MAX_ATTEMPTS


def plan_crashes(
    count: int,
    seed: int,
    *,
    points: Sequence[str] = POINTS,
    within: Sequence[str] = IN_WORK,
    once: Sequence[str] = ONCE,
) -> list[Order]:
    """Spread `count` crashes over as many jobs as they need: two in the work of a job, three in each tenth, which is
    dead then, and those of other points beside them. A tenth of the jobs is worked on in peace."""
    dice = random.Random(seed)
    wanted = Counter(itertools.islice(itertools.cycle(points), count))
    in_work = [point for point in within for _ in range(wanted[point])]
    dice.shuffle(in_work)
    chunks = list[tuple[str, ...]]()
    while in_work:
        take = MAX_ATTEMPTS if len(chunks) % 10 == 5 and len(in_work) >= MAX_ATTEMPTS else min(2, len(in_work))
        chunks.append(tuple(in_work.pop() for _ in range(take)))
    chunks += [()] * (1 + len(chunks) // 10)
    beside: list[list[str]] = [[] for _ in chunks]
    for point in once:
        free = [n for n, chunk in enumerate(chunks) if _fits(point, chunk)]
        for number in dice.sample(free, min(wanted[point], len(free))):
            beside[number].append(point)
    orders = [Order(chunk, tuple(once)) for chunk, once in zip(chunks, beside, strict=True)]
    dice.shuffle(orders)
    return orders


def _fits(point: str, in_work: tuple[str, ...]) -> bool:
    if point == "finished":
        return len(in_work) < MAX_ATTEMPTS
    return point != "reaper" or bool(in_work)  # it rings for jobs whose worker is gone


# --- the supervisor --------------------------------------------------------------------------------------------------

WRONG: Final = (
    "lost",
    "finished_twice",
    "published_twice",
    "half_written",
    "over_the_cap",
    "moves_not_in_the_table",
    "fences_that_did_not_grow",
    "other_ends",
    "deaths_unexplained",
)


@dataclass
class Tally:
    """What came of it."""

    lost: int = 0
    finished_twice: int = 0
    published_twice: int = 0
    half_written: int = 0
    over_the_cap: int = 0
    moves_not_in_the_table: int = 0
    fences_that_did_not_grow: int = 0
    other_ends: int = 0  # processes that ended by anything but SIGKILL or their own will
    deaths_unexplained: int = 0  # jobs that are dead though not each of their attempts was killed or starved

    jobs: int = 0
    killed: int = 0  # processes that ended by SIGKILL
    published: int = 0
    dead: int = 0
    dead_by_plan: int = 0
    left_unfinished: int = 0  # folders of partial files that were swept
    starved: list[float] = field(default_factory=list)  # seconds without a beat of attempts that lost a living worker
    outlived: list[float] = field(default_factory=list)  # seconds that children of killed workers lived on
    points: tuple[str, ...] = POINTS
    stories: list[str] = field(default_factory=list)  # of the jobs that are dead beyond the plan
    seconds: float = 0.0
    planned: Counter[str] = field(default_factory=Counter)
    crashed: Counter[str] = field(default_factory=Counter)
    delays: dict[str, list[float]] = field(default_factory=dict)  # seconds from a crash to the job's next claim

    def wrong(self) -> dict[str, int]:
        """Return the counts that are 0 where no job was lost and nothing done twice."""
        return {name: getattr(self, name) for name in WRONG}


def crash_and_count(folder: Path, count: int, seed: int, *, patience: float = 600.0) -> Tally:
    """Run a plan of `count` crashes in an empty folder and count."""
    site, tally = Site(folder), Tally()
    db.migrate(site.url)
    orders = plan_crashes(count, seed)
    began = time.monotonic()
    with contextlib.closing(Sessions.open(site.url)) as sessions:
        with sessions.write() as session:
            for statement in WITNESS:
                session.execute(sa.text(statement))
        poisoned = _supervise(site, sessions, orders, tally, give_up=began + patience)
        tally.seconds = time.monotonic() - began
        with sessions.read() as session:
            count_rows(session, tally, poisoned)
            count_moves(session, tally, site.crashes())
            count_attempts(session, tally, site.crashes(), poisoned, LEASE)
            _count_files(session, tally, Files(folder / "home"))
    tally.jobs = len(orders)
    tally.planned = Counter(point for order in orders for point in (*order.in_work, *order.once))
    tally.crashed = Counter(crash.point for crash in site.crashes())
    return tally


def _supervise(site: Site, sessions: Sessions, orders: list[Order], tally: Tally, *, give_up: float) -> set[str]:
    """Order the jobs, keep workers alive and publish what is made, until all jobs have ended. Returns poisoned jobs."""
    waiting, poisoned, open_jobs = list(orders), set[str](), set[str]()
    with _workers(site, tally) as revive:
        while (waiting or open_jobs) and time.monotonic() < give_up:
            revive()
            while waiting and len(open_jobs) < IN_FLIGHT:
                order = waiting.pop()
                job = _submit(site, sessions, order, len(waiting))
                open_jobs.add(job)
                if order.poison:
                    poisoned.add(job)
            with sessions.read() as session:
                states = dict(session.execute(sa.select(JobRow.id, JobRow.state)).all())
            open_jobs = {job for job in open_jobs if states[job] not in ENDED}
            for job in [job for job, state in states.items() if state == "review"]:
                publish_twice(sessions, job)
            time.sleep(0.02)
    return poisoned


def _submit(site: Site, sessions: Sessions, order: Order, number: int) -> str:
    with sessions.write() as session:
        job = jobs.submit(session, Brief(template="stub", seed=number), key=f"order-{number}").job
        for attempt, point in enumerate(order.in_work, start=1):
            site.arm(job, point, attempt)
        for point in order.once:
            site.arm(job, point, 0)
    return job


def publish_twice(sessions: Sessions, job: str) -> None:
    """Approve and publish as a person does who presses each button twice."""
    for verb in (jobs.approve, jobs.approve, jobs.publish, jobs.publish):
        with contextlib.suppress(WrongState), sessions.write() as session:
            verb(session, job)


@contextlib.contextmanager
def _workers(site: Site, tally: Tally) -> Iterator[Any]:
    """Yield what starts a new worker for each that has ended; end them all behind it."""
    # Forked from a server that holds no database open: a start costs milliseconds, and nothing is inherited.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crashing"])
    living = list[ForkServerProcess]()

    def count(process: ForkServerProcess) -> None:
        process.join()
        tally.killed += process.exitcode == -signal.SIGKILL
        tally.other_ends += process.exitcode not in (0, -signal.SIGKILL)

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
            count(process)


# --- counting --------------------------------------------------------------------------------------------------------


def count_rows(session: Session, tally: Tally, poisoned: set[str]) -> None:
    for row in session.scalars(sa.select(JobRow)):
        tally.lost += row.state not in ENDED
        tally.over_the_cap += row.attempt > MAX_ATTEMPTS
        tally.published += row.state == "published"
        tally.dead += row.state == "dead"
        tally.dead_by_plan += row.state == "dead" and row.id in poisoned


def count_moves(session: Session, tally: Tally, crashes: list[Crash]) -> None:
    allowed = {move for moves in MOVES.values() for move in moves.items()}
    finished, published, fences = Counter[str](), Counter[str](), dict[str, int]()
    claims, moves = dict[str, list[float]](), dict[str, list[tuple[float, str]]]()
    for row in session.execute(sa.text("SELECT job, old, new, fence, claimed, at FROM moved ORDER BY n")):
        tally.moves_not_in_the_table += (row.old, row.new) not in allowed
        moves.setdefault(row.job, []).append((row.at, row.new))
        finished[row.job] += row.new == "review"
        published[row.job] += row.new == "published"
        if row.claimed:
            tally.fences_that_did_not_grow += row.fence != fences.get(row.job, 0) + 1
            fences[row.job] = row.fence
            claims.setdefault(row.job, []).append(row.at)
    tally.finished_twice = sum(times > 1 for times in finished.values())
    tally.published_twice = sum(times > 1 for times in published.values())
    for crash in crashes:
        stood = [state for at, state in moves.get(crash.job, []) if at <= crash.at]
        later = [at for at in claims.get(crash.job, []) if at > crash.at]
        if crash.point == "relay" and stood and stood[-1] in WORKING:  # its message was heard before the relay died
            tally.delays.setdefault(crash.point, []).append(0.0)
        elif later:
            tally.delays.setdefault(crash.point, []).append(min(later) - crash.at)


def count_attempts(session: Session, tally: Tally, crashes: list[Crash], poisoned: set[str], lease: timedelta) -> None:
    """Say for each attempt how it ended, so that every death is answered for."""
    rows = session.execute(sa.text("SELECT job, at, old, new, claimed, lease FROM moved ORDER BY n"))
    moves = [Move(row.job, row.at, row.old, row.new, bool(row.claimed), row.lease) for row in rows]
    mine: dict[str, list[Attempt]] = {}
    for attempt in attempts(moves, crashes, lease=lease.total_seconds()):
        mine.setdefault(attempt.job, []).append(attempt)
        if attempt.how == "starved":
            tally.starved.append(attempt.silent)
    for job in session.scalars(sa.select(JobRow.id).where(JobRow.state == "dead")):
        tally.deaths_unexplained += Counter(a.how in ("crashed", "starved") for a in mine[job]) != {True: MAX_ATTEMPTS}
        if job not in poisoned:
            tally.stories.append(story(mine[job]))


def _count_files(session: Session, tally: Tally, files: Files) -> None:
    """Read each file that an output names or that lies in the store: it is whole, and of the fence that named it."""
    named = session.scalars(sa.select(JobOutput)).all()
    for output in named:
        whole = _block(output.job_id, output.fence) * BLOCKS
        good = files.has(output.digest) and files.path(output.digest).read_bytes() == whole
        tally.half_written += not good or output.bytes != len(whole)
    for path in files.media.rglob("*"):
        if path.is_file():
            tally.half_written += hashlib.sha256(path.read_bytes()).hexdigest() != path.name
    shown = set(session.scalars(sa.select(JobRow.id).where(JobRow.state == "published")))
    tally.half_written += len(shown - {output.job_id for output in named})
    tally.left_unfinished = files.clean(min_age=0)
    tally.half_written += sum(1 for _ in files.partial.iterdir())
