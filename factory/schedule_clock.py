"""The clock of a house without a broker: it looks for what is due, and lets a child process do it.

The page's process loads neither torch nor decoders, and a duty may take hours: so whatever is due is worked on by a
child that ends with it. A child that dies leaves its slot to the next one.
"""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import signal
import threading
from collections.abc import Callable
from multiprocessing.context import SpawnProcess

from factory.logs import set_up
from factory.schedule import anything_due, look_now
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.lease import SHUTDOWN
from factory.wiring import Parts, parts

log = logging.getLogger(__name__)

TICK = 15.0  # seconds between two looks
STOP_WITHIN = 10.0  # seconds that a child has to leave its slot to others


class ScheduleClock:
    """Looks while it is open. `open_parts` builds the parts in the child; it must be importable by name."""

    def __init__(self, sessions: Sessions, open_parts: Callable[[], Parts] = parts, *, tick: float = TICK) -> None:
        self._sessions, self._open_parts, self._tick = sessions, open_parts, tick
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedule-clock", daemon=True)

    def __enter__(self) -> ScheduleClock:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                if anything_due(self._sessions, utc_now()):
                    self._work()
            except Exception as error:  # the database is away, or a cron line is broken: the next look may go better
                log.warning("looking for what is due: %s: %s", type(error).__name__, error)
            self._ended.wait(self._tick)

    def _work(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        child = spawn.Process(target=_work_off, args=(self._open_parts,), name="autoreel-duties", daemon=False)
        child.start()
        while child.is_alive() and not self._ended.is_set():
            multiprocessing.connection.wait([child.sentinel], timeout=0.2)
        if child.is_alive():
            _end(child)
        child.join()
        if child.exitcode and not self._ended.is_set():
            log.warning("the process of the duties ended with %s; the next look goes on", child.exitcode)
        child.close()


def _end(child: SpawnProcess) -> None:
    child.terminate()
    child.join(STOP_WITHIN)
    if child.is_alive():
        log.warning("the duties did not end in %.0f s and are killed", STOP_WITHIN)
        child.kill()


def _work_off(open_parts: Callable[[], Parts]) -> None:
    """The life of the child."""
    signal.signal(signal.SIGTERM, lambda *_: SHUTDOWN.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which asks us to end
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    house = open_parts()
    set_up(house.settings.log_format)
    logging.getLogger("factory").setLevel(house.settings.log_level)
    look_now(house)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        SHUTDOWN.set()
