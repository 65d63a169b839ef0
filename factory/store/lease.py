"""Working on a job while holding it: claim, heartbeat, and one place that says how an attempt ended."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from factory import traces
from factory.errors import FactoryError
from factory.plan.facts import Car
from factory.store import jobs
from factory.store.db import Sessions
from factory.store.job import LEASE, Claim, FenceLost, Output, State
from factory.store.schema import JobRow

log = logging.getLogger(__name__)

BEAT_EVERY = timedelta(seconds=2)  # a cancel is heard at the next beat, and within 5 s nothing of the work runs
TELL_EVERY = 1.0  # seconds between two words of progress to the ledger
AWAY = (OperationalError, InterfaceError)
PATIENCE = 60.0  # seconds that the last word of an attempt waits for a database that is down

Why = Literal["cancel", "lost", "shutdown"]

SHUTDOWN = threading.Event()  # set by a door that was told to end: every attempt of this process hands its job back


@dataclass(frozen=True, slots=True)
class Made:
    """What an attempt at a video made: its files, the shots that they show, the cars that they are about. `cars_told`:
    the order's own table tells of the cars."""

    outputs: Sequence[Output]
    shots: Sequence[int] = ()
    cars: Sequence[Car] = ()
    cars_told: bool = False

    def write(self, session: Session, claim: Claim) -> State:
        return jobs.finish(session, claim, self.outputs, shots=self.shots, cars=self.cars, cars_told=self.cars_told)


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of work that no person reviews, in a few words."""

    told: str

    def write(self, session: Session, claim: Claim) -> State:
        return jobs.settle(session, claim, self.told)


class Holding:
    """A claim that is kept alive by a heartbeat. Whoever works asks `stopped()` often and tells `report`.

    `why` says why work must stop: the job was cancelled, another worker took it, or this process is to end.
    """

    def __init__(self, sessions: Sessions, claim: Claim, *, lease: timedelta, shutdown: threading.Event) -> None:
        self.sessions = sessions
        self.claim = claim
        self.why: Why | None = None
        self._lease = lease
        self._shutdown = shutdown
        self._every = seconds_between_beats(lease)
        self._news: tuple[float | None, str | None] = (None, None)
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{claim.job}", daemon=True)

    def stopped(self) -> bool:
        """Say whether to stop working; the answer is at most one heartbeat old."""
        if self.why is None and self._shutdown.is_set():
            self.why = "shutdown"
        return self.why is not None

    def report(self, progress: float, step: str | None = None) -> None:
        """Tell how far the whole job is, 0..1, and which step it is at. Costs nothing: the heartbeat carries it."""
        self._news = (progress, step if step is not None else self._news[1])
        self._wake.set()

    def __enter__(self) -> Holding:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._beat()
            told = time.monotonic()
            self._wake.wait(self._every)
            self._ended.wait(min(TELL_EVERY, self._every) - (time.monotonic() - told))
            self._wake.clear()

    def _beat(self) -> None:
        progress, step = self._news
        try:
            with self.sessions.write() as session:
                answer = jobs.beat(session, self.claim, progress=progress, step=step, lease=self._lease)
        except AWAY as error:
            log.warning("job %s: no heartbeat, the database is away: %s", self.claim.job, error.orig)
            return  # the fence guards the job; the next beat tells whether it is still ours
        if answer != "go-on":
            self.why = answer


def seconds_between_beats(lease: timedelta) -> float:
    """Return how often a lease is renewed: often enough that two lost beats lose no job."""
    return min(BEAT_EVERY, lease / 3).total_seconds()


def work(
    sessions: Sessions,
    job: str,
    make: Callable[[Holding], Made | Settled],
    *,
    worker: str | None = None,
    lease: timedelta = LEASE,
    shutdown: threading.Event = SHUTDOWN,
) -> State | None:
    """Claim the job, let `make` work on it under a heartbeat, and write down how it ended.

    Returns the state that the job is left in, or None where there was nothing to claim or another worker took it over.
    `make` stops by raising (anything) once `stopped()`. Otherwise what it raises decides: a FactoryError is a refusal
    and fails the job, unless it is `transient`; that, and every other exception, gives up the attempt, to be tried
    again.
    """
    began = time.time_ns()
    with sessions.write() as session:
        claim = jobs.claim(session, job, worker=worker or worker_name(), lease=lease)
        order = session.scalar(sa.select(JobRow.traceparent).where(JobRow.id == job)) if traces.on() else None
    if claim is None:
        return None
    with (
        traces.span("attempt", parent=order, since=began, job=job, worker=claim.worker),
        Holding(sessions, claim, lease=lease, shutdown=shutdown) as holding,
    ):
        traces.note(fence=claim.fence, attempt=claim.attempt)
        traces.mark("claim", since=began, job=job)
        last_word = _attempt(holding, make)
        try:
            state = _persist(sessions, last_word)
        except FenceLost as lost:
            log.warning("%s", lost)
            traces.note(state="lost")
            return None
        traces.note(state=state)
        return state


def worker_name() -> str:
    """Return a name by which people find this worker: host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _attempt(holding: Holding, make: Callable[[Holding], Made | Settled]) -> Callable[[Session], State]:
    """Do the work and return what is to be written of it."""
    claim = holding.claim
    try:
        made = make(holding)
    except Exception as error:
        if holding.stopped():
            return _stopping(holding)
        return _told(claim, error)
    except BaseException:  # Ctrl-C, or the process is told to exit: the job goes back before it does
        with contextlib.suppress(FenceLost):
            _persist(holding.sessions, _stopping(holding))
        raise
    return lambda session: made.write(session, claim)


def _stopping(holding: Holding) -> Callable[[Session], State]:
    claim = holding.claim
    if holding.why == "cancel":
        return lambda session: jobs.stop(session, claim)
    return lambda session: jobs.hand_back(session, claim)  # where the job is lost, this finds the fence gone


def _told(claim: Claim, error: Exception) -> Callable[[Session], State]:
    """Return the last word for an error: refused, or to be tried again."""
    traces.note(error=getattr(error, "code", "broken"))
    if isinstance(error, FactoryError):
        told = {"code": error.code, "text": error.cause, "next_step": error.next_step}
        if not error.transient:
            return lambda session: jobs.fail(session, claim, **told)
    else:
        log.exception("job %s: attempt %d broke", claim.job, claim.attempt, exc_info=error)
        text = "".join(traceback.format_exception(error))
        told = {
            "code": "broken",
            "text": text,
            "next_step": "retry the job; if it breaks again, report this as a fault",
        }
    return lambda session: jobs.crash(session, claim, **told)


def _persist(sessions: Sessions, last_word: Callable[[Session], State]) -> State:
    """Write the last word of an attempt, waiting for a database that is away."""
    give_up, wait = time.monotonic() + PATIENCE, 0.2
    while True:
        try:
            with sessions.write() as session:
                return last_word(session)
        except AWAY as error:
            if time.monotonic() > give_up:
                raise
            log.warning("the database is away, waiting to write how the job ended: %s", error.orig)
            time.sleep(wait)
            wait = min(5.0, wait * 2)
