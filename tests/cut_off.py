"""A batch over two hosts, one of which is cut off in the middle of it and joined again: what came of it."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from factory.plan.brief import Brief
from factory.settings import Settings
from factory.store import db, jobs
from factory.store.db import Sessions
from factory.store.job import ENDED, WORKING
from factory.store.schema import JobRow
from tests import hosts, short_films, stub_factory
from tests.test_lease import wait_for

STARTS: Final = 90.0  # seconds that workers may take to start on a busy machine
PATIENCE: Final = 120.0
FRESH: Final = 0.3  # seconds since its claim in which a job is young: far less than it takes
UNDER_WAY: Final = 0.5  # seconds in which what a host said before it was cut off is written; far less than any lease


@dataclass(frozen=True, slots=True)
class Batch:
    """What is worked off: by which Celery app, orders by their number, and how long jobs may take in all. `fill` makes
    what they need in a home (given the folder of the test, and the settings that reach its database)."""

    app: str
    order: Callable[[int], Brief]
    concurrency: int = 2
    patience: float = PATIENCE
    fill: Callable[[Path, Settings], None] | None = None


STUB: Final = Batch("tests.stub_worker", lambda number: stub_factory.brief(1.5, seed=number))
REAL: Final = Batch("workers.app", short_films.short_film, patience=900.0, fill=short_films.fill_home)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database saw. `taken_over`: jobs held by the host when it was cut off that the other one finished;
    `refused`: words of the lost host that came too late; `back_after`: seconds from its return to its next claim."""

    states: list[str]
    finished_twice: int
    fences_that_did_not_grow: int
    held_when_cut: int
    taken_over: int
    refused: int
    back_after: float
    seconds: float


def cut_off(folder: Path, batch: Batch, *, count: int, away: float) -> Seen:
    """Work `count` orders off on two hosts; the second is away for `away` seconds in the middle."""
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(hosts.net(2))
        db.migrate(net.local_database)
        sessions = stack.enter_context(contextlib.closing(Sessions.open(net.local_database)))
        with sessions.write() as session:
            for statement in hosts.WITNESS:
                session.execute(sa.text(statement))
        home, templates = folder / "home", folder / "templates"
        environment = net.environment(home) | {"STUB_LOG": str(folder / "log"), "FACTORY_VOICE": "silent"}
        if batch.fill:
            batch.fill(folder, Settings(home=home, database_url=net.local_database, templates=templates))
            environment["FACTORY_TEMPLATES"] = str(templates)
        logs = [folder / f"{number}.log" for number in range(2)]
        more = ("--concurrency", str(batch.concurrency))
        pids = [
            stack.enter_context(hosts.celery(host, batch.app, environment, log, *more))
            for host, log in zip(net.hosts, logs, strict=True)
        ]
        return _watch(sessions, net, batch, count, away, f"%:{pids[1]}", logs[1])


def _watch(sessions: Sessions, net: hosts.Net, batch: Batch, count: int, away: float, lost: str, log: Path) -> Seen:
    """Order, cut, join, and count. `lost` is a pattern of the owner that is cut off."""
    numbers = itertools.count()
    mine = sa.and_(JobRow.state.in_(WORKING), JobRow.lease_owner.like(lost))
    for _ in range(count):
        _submit(sessions, batch.order(next(numbers)))
    wait_for(lambda: bool(_ids(sessions, mine)), STARTS)
    began = time.monotonic()
    wait_for(lambda: len(_ids(sessions, JobRow.state == "review")) >= count // 8, batch.patience)
    held = _cut_at_work(sessions, net, lost, batch.patience)
    time.sleep(away)
    net.join(net.hosts[1])
    joined, back = time.monotonic(), time.time()

    def is_back() -> bool:
        while len(_ids(sessions, JobRow.state == "queued")) < 2:
            _submit(sessions, batch.order(next(numbers)))  # so that there is something to take
        return bool(_begun(sessions, lost, back))

    wait_for(is_back, batch.patience)
    back_after = time.monotonic() - joined
    wait_for(lambda: not _ids(sessions, JobRow.state.not_in(ENDED)), batch.patience)
    seconds = time.monotonic() - began
    with sessions.read() as session:
        states = list(session.scalars(sa.select(JobRow.state)))
        moves = session.execute(sa.text("SELECT job, new, fence, owner, claimed FROM moved ORDER BY n")).all()
    finished = Counter(move.job for move in moves if move.new == "review")
    claimed = [(move.job, move.fence, move.owner) for move in moves if move.claimed]
    owners = {job: owner for job, _, owner in claimed}  # the last one
    fences = dict[str, list[int]]()
    for job, fence, _ in claimed:
        fences.setdefault(job, []).append(fence)
    return Seen(
        states=states,
        finished_twice=sum(times > 1 for times in finished.values()),
        fences_that_did_not_grow=sum(seen != list(range(1, len(seen) + 1)) for seen in fences.values()),
        held_when_cut=len(held),
        taken_over=sum(owners[job] is not None and not owners[job].endswith(lost[1:]) for job in held),
        refused=log.read_text().count("this worker held fence"),
        back_after=back_after,
        seconds=seconds,
    )


def _cut_at_work(sessions: Sessions, net: hosts.Net, lost: str, patience: float) -> list[str]:
    """Cut the second host off when it has just begun a job, so that no last word is on its way; return what it began
    and holds."""
    mine = sa.and_(JobRow.state.in_(WORKING), JobRow.lease_owner.like(lost))
    while True:
        wait_for(lambda: bool(_begun(sessions, lost, time.time() - FRESH)), patience)
        began = time.time() - FRESH
        net.cut(net.hosts[1])
        time.sleep(UNDER_WAY)
        if held := _begun(sessions, lost, began).intersection(_ids(sessions, mine)):
            return sorted(held)
        net.join(net.hosts[1])


def _begun(sessions: Sessions, host: str, since: float) -> set[str]:
    """Return the jobs that a host has claimed since then."""
    claims = sa.text("SELECT job FROM moved WHERE claimed AND owner LIKE :host AND at > :since")
    with sessions.read() as session:
        return set(session.scalars(claims, {"host": host, "since": since}))


def _submit(sessions: Sessions, order: Brief) -> None:
    with sessions.write() as session:
        jobs.submit(session, order)


def _ids(sessions: Sessions, where: sa.ColumnElement[bool]) -> list[str]:
    with sessions.read() as session:
        return list(session.scalars(sa.select(JobRow.id).where(where)))
