"""Jobs without a broker: the same ledger, worked off by child processes; and the duties that every host repeats."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import multiprocessing.connection
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess

from factory import memory
from factory.store import bell, urgency
from factory.store.db import Sessions
from factory.store.lease import SHUTDOWN

log = logging.getLogger(__name__)

RELAY_EVERY = 0.5  # seconds
REAP_EVERY = 5.0
ENOUGH = 4  # relays in the house that look every `RELAY_EVERY`; where there are more, each looks less often
COUNT_EVERY = 30.0  # how often a relay counts the others
LOOK_EVERY = 0.5  # how often an idle child looks for a job
REVIVE_EVERY = 1.0
STOP_WITHIN = 10.0  # seconds that a child has to hand its job back

Produce = Callable[[str], object]  # works on the job of this id; None where there was nothing to claim
OpenProduce = Callable[[], Produce]  # builds the parts in the child that uses them; must be importable by name
Help = Callable[[], int]  # makes chunks of another worker's film; 0 where nobody wants help
OpenHelp = Callable[[], Help]  # as OpenProduce


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to be done again and again, `every` seconds; where that changes, it is asked after each turn."""

    name: str
    every: float | Callable[[], float]
    do: Callable[[], object]

    def wait(self) -> float:
        return self.every() if callable(self.every) else self.every


def bell_duties(sessions: Sessions, send: bell.Send | None) -> tuple[Duty, ...]:
    """Return what keeps jobs moving on a host: the relay where there is a broker, and the reaper."""
    reaper = Duty("reaper", REAP_EVERY, lambda: bell.reap(sessions))
    if send is None:
        return (reaper,)
    relay = Relay(sessions, send)
    return (Duty("relay", relay.every, relay.turn), reaper)


class Relay:
    """The relay of one host. Any of them rings any bell, so that together they look as often as a few would: a thousand
    that ask twice a second would be the database's main work."""

    def __init__(self, sessions: Sessions, send: bell.Send) -> None:
        self._sessions = sessions
        self._send = send
        self._hosts = 1
        self._count_at = 0.0

    def turn(self) -> None:
        if time.monotonic() >= self._count_at:
            with self._sessions.read() as session:
                self._hosts = bell.hosts(session)
            self._count_at = time.monotonic() + COUNT_EVERY
        bell.relay(self._sessions, self._send)

    def every(self) -> float:
        """Return the seconds until its next look, scattered where there are others."""
        share = self._hosts / ENOUGH
        return RELAY_EVERY if share <= 1 else min(REAP_EVERY, RELAY_EVERY * share) * random.uniform(0.5, 1.0)  # noqa: S311  not a secret


class Duties:
    """Does duties in one thread while it is open. A duty that fails is logged and tried again at its next turn."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        self._duties = tuple(duties)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="duties", daemon=True)

    def start(self) -> Duties:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> Duties:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        turns = dict.fromkeys(range(len(self._duties)), 0.0)
        while not self._ended.is_set() and turns:
            for number, duty in enumerate(self._duties):
                if time.monotonic() >= turns[number]:
                    self._do(duty)
                    turns[number] = time.monotonic() + duty.wait()
            self._ended.wait(max(0.01, min(turns.values()) - time.monotonic()))

    def _do(self, duty: Duty) -> None:
        try:
            duty.do()
        except Exception as error:  # the broker or the database is away: the next turn may find it back
            log.warning("%s: %s: %s", duty.name, type(error).__name__, error)


class LocalRunner:
    """`workers` child processes that work the ledger off, and the reaper beside them.

    A child without a job helps with the films of others by what `open_help` gives. One that holds more than `memory_mb`
    after a job (0: no bound) ends, and another takes its place. Children are started fresh (never forked) and revived
    when they die. `stop` asks each to hand its job back and kills what has not ended after ten seconds; children end by
    themselves when this process is gone.
    """

    def __init__(
        self,
        database_url: str,
        open_produce: OpenProduce,
        *,
        open_help: OpenHelp | None = None,
        workers: int = 1,
        memory_mb: int = 0,
        duties: Sequence[Duty] = (),
    ) -> None:
        self._url = database_url
        self._life = (open_produce, open_help, memory_mb)
        self._children: list[SpawnProcess] = []
        self._workers = workers
        self._sessions = Sessions.open(database_url)
        own = (Duty("children", REVIVE_EVERY, self._revive), *bell_duties(self._sessions, None))
        self._duties = Duties((*own, *duties))

    def start(self) -> LocalRunner:
        self._revive()
        self._duties.start()
        return self

    def stop(self) -> None:
        self._duties.stop()
        for child in self._children:
            child.terminate()
        give_up = time.monotonic() + STOP_WITHIN
        for child in self._children:
            child.join(max(0.0, give_up - time.monotonic()))
            if child.is_alive():
                log.warning("worker %s did not end in %.0f s and is killed", child.pid, STOP_WITHIN)
                child.kill()
                child.join()
            child.close()
        self._children = []
        self._sessions.close()

    def __enter__(self) -> LocalRunner:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the children that live."""
        return tuple(child.pid for child in self._children if child.pid is not None and child.is_alive())

    def _revive(self) -> None:
        """Start children until there are as many as asked for."""
        for child in [child for child in self._children if not child.is_alive()]:
            if child.exitcode:
                log.warning("worker %s ended with %s; another takes its place", child.pid, child.exitcode)
            self._children.remove(child)
            child.close()
        while len(self._children) < self._workers:
            child = multiprocessing.get_context("spawn").Process(
                target=_run_child, args=(self._url, *self._life), name="autoreel-worker", daemon=False
            )
            child.start()
            self._children.append(child)


def work_off(
    sessions: Sessions,
    produce: Produce,
    *,
    help_out: Help | None = None,
    memory_mb: int = 0,
    shutdown: threading.Event = SHUTDOWN,
) -> None:
    """Work on the most urgent job that can be claimed, or where there is none help with another's, again and again,
    until `shutdown`, or until this process holds more than `memory_mb`."""
    while not shutdown.is_set():
        if not _work_once(sessions, produce) and not _help_once(help_out):
            shutdown.wait(LOOK_EVERY)
        elif memory.is_over(memory_mb):
            return


def _work_once(sessions: Sessions, produce: Produce) -> bool:
    """Work on one job; False where there is none, or the database is away."""
    try:
        with sessions.read() as session:
            waiting = urgency.next_due(session)
        return any(produce(job) is not None for job in waiting)
    except Exception as error:  # whatever it is, the job is safe in the ledger and this worker goes on
        log.warning("looking for work: %s: %s", type(error).__name__, error)
        return False


def _help_once(help_out: Help | None) -> bool:
    """Help somebody; False where nobody wants help, or it could not be given."""
    try:
        return help_out is not None and help_out() > 0
    except Exception as error:  # whose film it is makes the chunk itself
        log.warning("helping: %s: %s", type(error).__name__, error)
        return False


def _run_child(url: str, open_produce: OpenProduce, open_help: OpenHelp | None, memory_mb: int) -> None:
    """The life of a child process."""
    signal.signal(signal.SIGTERM, lambda *_: SHUTDOWN.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which asks us to end
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    with contextlib.closing(Sessions.open(url)) as sessions:
        help_out = open_help() if open_help else None
        work_off(sessions, open_produce(), help_out=help_out, memory_mb=memory_mb)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        SHUTDOWN.set()
