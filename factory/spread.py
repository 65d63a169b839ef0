"""The chunks of one video spread over workers: through the ledger who makes which, through the shared cache the files.

`Spread` is the side of the worker that holds the job, `help_out` that of the others. Help is never needed: where the
ledger is away or nobody comes, the holder makes all chunks itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Lock
from typing import Final, Literal, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from factory.logs import about
from factory.plan.brief import Brief
from factory.plan.timeline_json import from_json
from factory.render.film import help_film
from factory.rendering import means
from factory.store import chunk_ledger, job_lookup, urgency
from factory.store.chunk_ledger import CHUNK_LEASE, Shared
from factory.store.db import Sessions
from factory.store.job import Claim
from factory.store.lease import SHUTDOWN, worker_name
from factory.wiring import Parts

log = logging.getLogger(__name__)

LEAST_CHUNKS: Final = 4  # missing, so that a helper, who has to draw cards and read footage first, finds some left
SUFFIX: Final = ".mp4"  # of a chunk in the cache

T = TypeVar("T")


@dataclass(slots=True)
class Spread:
    """The holder's side: `factory.render.sharing.Sharing` through the ledger. `call` asks for help with a job."""

    sessions: Sessions
    held: Claim
    aspect: str
    in_cache: Callable[[str, str], bool]
    call: Callable[[str], None]
    shared: frozenset[str] = field(init=False, default=frozenset())

    def share_out(self, keys: Sequence[str]) -> None:
        missing = [key for key in keys if not self.in_cache(key, SUFFIX)]
        if len(missing) < LEAST_CHUNKS:
            self._told(lambda session: chunk_ledger.forget(session, self.held), None)  # of an attempt that was lost
            return
        if self._told(lambda session: chunk_ledger.share_out(session, self.held, self.aspect, missing), False):
            self.shared = frozenset(missing)
            self.call(self.held.job)

    def take(self, key: str) -> bool:
        return self._taken(key, by_force=False)

    def take_from_another(self, key: str) -> None:
        self._taken(key, by_force=True)

    def _taken(self, key: str, *, by_force: bool) -> bool:
        if key not in self.shared:
            return True
        return self._told(lambda s: chunk_ledger.take_own(s, self.held, key, by_force=by_force), True)

    def made(self, key: str) -> None:
        if key in self.shared:
            self._told(lambda s: chunk_ledger.done(s, self.held.job, key, self.held.worker), None)

    def standing(self, key: str) -> Literal["made", "in-work", "free"]:
        return self._told(lambda session: chunk_ledger.standing(session, self.held.job, key), "free")

    def over(self) -> None:
        if self.shared:
            self._told(lambda session: chunk_ledger.forget(session, self.held), None)

    def _told(self, step: Callable[[Session], T], otherwise: T) -> T:
        """Do a step in the ledger; while it is away, go on as if alone."""
        try:
            with self.sessions.write() as session:
                return step(session)
        except (OperationalError, InterfaceError) as error:
            log.warning("job %s: chunks are not shared, the database is away: %s", self.held.job, error.orig)
            return otherwise


def spread(parts: Parts, held: Claim, aspect: str) -> Spread | None:
    """Return how the chunks of a film are shared, or None where they are not (FACTORY_SPREAD=0)."""
    if not parts.settings.spread:
        return None
    return Spread(parts.sessions, held, aspect, parts.files.in_cache, lambda job: _call(parts, job))


def _call(parts: Parts, job: str) -> None:
    """Ring for helpers. No outbox and no second try: a bell that is lost costs help and nothing else."""
    if parts.send is None:
        return  # children of the local runner look by themselves
    try:
        for _ in range(parts.settings.spread):
            parts.send("help", job)
    except Exception as error:  # whatever the broker's client raises
        log.warning("nobody is called to help: %s: %s", type(error).__name__, error)


class Helper:
    """The helper's side: `factory.render.sharing.Helping` through the ledger, its leases kept alive by a heartbeat."""

    def __init__(
        self, sessions: Sessions, job: Shared, wanted: Collection[str], *, most: int, lease: timedelta, shutdown: Event
    ) -> None:
        self.owner = worker_name()
        self._sessions, self._job, self._wanted = sessions, job, frozenset(wanted)
        self._most, self._lease, self._shutdown = most, lease, shutdown
        self._over, self._ended = Event(), Event()
        self.fits = False  # some of the chunks that are wanted can be made here
        self._one_at_a_time = Lock()
        self._thread = threading.Thread(target=self._run, name=f"helping-{job.job}", daemon=True)

    def take(self, keys: Sequence[str]) -> str | None:
        """Take a chunk, unless a job waits that this worker could have: that comes first."""
        mine = self._wanted.intersection(keys)
        self.fits = bool(mine)
        if not mine or self.stopped():
            return None
        with self._one_at_a_time, self._sessions.write() as session:
            if urgency.next_due(session, limit=1):
                return None
            return chunk_ledger.take(session, self._job, mine, owner=self.owner, most=self._most, lease=self._lease)

    def made(self, key: str) -> None:
        with self._sessions.write() as session:
            chunk_ledger.done(session, self._job.job, key, self.owner)

    def failed(self, key: str) -> None:
        with self._sessions.write() as session:
            chunk_ledger.give_up(session, self._job, key, self.owner)

    def stopped(self) -> bool:
        """Is this process to end, or is there nothing to help any more? The latter at most a heartbeat old."""
        return self._shutdown.is_set() or self._over.is_set()

    def __enter__(self) -> Helper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        with self._sessions.write() as session:
            chunk_ledger.give_back(session, self._job, self.owner)

    def _run(self) -> None:
        while not self._ended.wait(self._lease.total_seconds() / 3):
            try:
                with self._sessions.write() as session:
                    if not chunk_ledger.keep(session, self._job, self.owner, lease=self._lease):
                        self._over.set()
            except (OperationalError, InterfaceError) as error:
                log.warning("job %s: a helper has no heartbeat, the database is away: %s", self._job.job, error.orig)


class Helpers:
    """What an idle worker helps with. A job of which it can make no chunk (it has another ffmpeg, other templates or
    other settings than the holder) is not looked at again."""

    def __init__(self, parts: Parts, *, lease: timedelta = CHUNK_LEASE, shutdown: Event = SHUTDOWN) -> None:
        self._parts, self._lease, self._shutdown = parts, lease, shutdown
        self._in_vain: set[tuple[str, int]] = set()

    def help_out(self, job: str | None = None) -> int:
        """Make chunks of `job`, or of the oldest that wants help, and return how many."""
        most = self._parts.settings.spread
        if not most or self._shutdown.is_set():
            return 0
        with self._parts.sessions.read() as session:
            found = chunk_ledger.shared(session, but=worker_name(), most=most, job=job)
        for one in found:
            if (one.job, one.fence) not in self._in_vain:
                with about(job=one.job):
                    return self._help(one, most)
        return 0

    def _help(self, job: Shared, most: int) -> int:
        with self._parts.sessions.read() as session:
            wanted, saved = chunk_ledger.untried(session, job), job_lookup.timelines(session, job.job)
        made, brief, fits = 0, Brief.model_validate_json(job.spec), False
        try:
            for aspect, keys in wanted.items():
                timeline = from_json(saved[aspect].body)
                how = means(timeline, brief, self._parts)
                with Helper(
                    self._parts.sessions, job, keys, most=most, lease=self._lease, shutdown=self._shutdown
                ) as helper:
                    made += help_film(timeline, helper, **how, cancelled=helper.stopped)
                fits = fits or helper.fits or helper.stopped()
        finally:
            if not fits:
                self._in_vain.add((job.job, job.fence))
        log.info("helped %s with %d chunks", job.holder, made)
        return made
