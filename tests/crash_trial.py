"""A trial: orders whose workers are killed by a plan, and a supervisor who counts what came of them.

A life of a job has numbered crash points. The plan says which job's worker dies at which point of which attempt; a
crash happens once, by SIGKILL of the worker's own process. What works is said by whoever makes the trial: a stub under
a short lease (crashing.py), or the house itself (real_crashing.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.plan.brief import Brief
from factory.store import jobs
from factory.store.db import Sessions
from factory.store.files import Files
from factory.store.job import ENDED, MAX_ATTEMPTS, MOVES, WORKING, WrongState
from factory.store.schema import JobOutput, JobRow
from tests.attempts import Attempt, Crash, Move, attempts, story

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
        self.home = folder / "home"
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
    points: Sequence[str],
    within: Sequence[str],
    once: Sequence[str],
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
    """What came of it. `points` are those of a job's life, in their order."""

    points: tuple[str, ...]
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
    stories: list[str] = field(default_factory=list)  # of jobs that are dead beyond the plan, and of other ends
    seconds: float = 0.0
    planned: Counter[str] = field(default_factory=Counter)
    crashed: Counter[str] = field(default_factory=Counter)
    delays: dict[str, list[float]] = field(default_factory=dict)  # seconds from a crash to the job's next claim

    def wrong(self) -> dict[str, int]:
        """Return the counts that are 0 where no job was lost and nothing done twice."""
        return {name: getattr(self, name) for name in WRONG}


@dataclass(frozen=True, slots=True)
class Trial:
    """Who works at a site, and what is ordered there.

    `brief` is that of an order by its number; `working` keeps workers at work in a block and yields what starts others
    for those that have ended; `is_whole` looks at a named file of the right size; `look` is called meanwhile, every
    `look_every` seconds.
    """

    site: Site
    points: tuple[str, ...]
    lease: timedelta
    in_flight: int
    brief: Callable[[int], Brief]
    working: Callable[[Tally], contextlib.AbstractContextManager[Callable[[], None]]]
    is_whole: Callable[[JobOutput, Files], bool]
    look_every: float
    look: Callable[[], None] = lambda: None

    def run(self, orders: Sequence[Order], *, patience: float) -> Tally:
        """Work the orders off in a site with an empty ledger, and count."""
        tally = Tally(self.points)
        began = time.monotonic()
        with contextlib.closing(Sessions.open(self.site.url)) as sessions:
            with sessions.write() as session:
                for statement in WITNESS:
                    session.execute(sa.text(statement))
            with self.working(tally) as revive:
                poisoned = self._supervise(sessions, orders, revive, give_up=began + patience)
            tally.seconds = time.monotonic() - began
            with sessions.read() as session:
                _count_rows(session, tally, poisoned)
                _count_moves(session, tally, self.site.crashes())
                _count_attempts(session, tally, self.site.crashes(), poisoned, self.lease)
                _count_files(session, tally, Files(self.site.home), self.is_whole)
        tally.jobs = len(orders)
        tally.planned = Counter(point for order in orders for point in (*order.in_work, *order.once))
        tally.crashed = Counter(crash.point for crash in self.site.crashes())
        return tally

    def _supervise(
        self, sessions: Sessions, orders: Sequence[Order], revive: Callable[[], None], *, give_up: float
    ) -> set[str]:
        """Order the jobs, a few at a time, and publish what is made, until all have ended. Returns poisoned jobs."""
        waiting, poisoned, open_jobs = list(orders), set[str](), set[str]()
        while (waiting or open_jobs) and time.monotonic() < give_up:
            revive()
            while waiting and len(open_jobs) < self.in_flight:
                order = waiting.pop()
                job = self._submit(sessions, order, len(waiting))
                open_jobs.add(job)
                if order.poison:
                    poisoned.add(job)
            with sessions.read() as session:
                states = dict(session.execute(sa.select(JobRow.id, JobRow.state)).all())
            open_jobs = {job for job in open_jobs if states[job] not in ENDED}
            for job in [job for job, state in states.items() if state == "review"]:
                _publish_twice(sessions, job)
            self.look()
            time.sleep(self.look_every)
        return poisoned

    def _submit(self, sessions: Sessions, order: Order, number: int) -> str:
        with sessions.write() as session:
            job = jobs.submit(session, self.brief(number), key=f"order-{number}").job
            for attempt, point in enumerate(order.in_work, start=1):
                self.site.arm(job, point, attempt)
            for point in order.once:
                self.site.arm(job, point, 0)
        return job


def _publish_twice(sessions: Sessions, job: str) -> None:
    """Approve and publish as a person does who presses each button twice."""
    for verb in (jobs.approve, jobs.approve, jobs.publish, jobs.publish):
        with contextlib.suppress(WrongState), sessions.write() as session:
            verb(session, job)


# --- counting --------------------------------------------------------------------------------------------------------


def _count_rows(session: Session, tally: Tally, poisoned: set[str]) -> None:
    for row in session.scalars(sa.select(JobRow)):
        tally.lost += row.state not in ENDED
        tally.over_the_cap += row.attempt > MAX_ATTEMPTS
        tally.published += row.state == "published"
        tally.dead += row.state == "dead"
        tally.dead_by_plan += row.state == "dead" and row.id in poisoned


def _count_moves(session: Session, tally: Tally, crashes: list[Crash]) -> None:
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


def _count_attempts(session: Session, tally: Tally, crashes: list[Crash], poisoned: set[str], lease: timedelta) -> None:
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
            tally.stories.append(f"dead beyond the plan: {story(mine[job])}")


def _count_files(session: Session, tally: Tally, files: Files, is_whole: Callable[[JobOutput, Files], bool]) -> None:
    """Read each file that an output names or that lies in the store: it is whole, and what is shown has its video."""
    named = session.scalars(sa.select(JobOutput)).all()
    for output in named:
        kept = files.has(output.digest) and files.path(output.digest).stat().st_size == output.bytes
        tally.half_written += not (kept and is_whole(output, files))
    for path in files.media.rglob("*"):
        if path.is_file():
            tally.half_written += hashlib.sha256(path.read_bytes()).hexdigest() != path.name
    shown = set(session.scalars(sa.select(JobRow.id).where(JobRow.state == "published")))
    tally.half_written += len(shown - {output.job_id for output in named if output.role == "video"})
    tally.left_unfinished = files.clean(min_age=0)
    tally.half_written += sum(1 for _ in files.partial.iterdir())
