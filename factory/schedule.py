"""What happens when, and why. A clock only asks to look: what is due is found in rows, each moment is taken once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from factory.due import last_due, missed, next_due
from factory.errors import FactoryError
from factory.logs import about
from factory.settings import Settings
from factory.slot_duties import DUTIES, RANKINGS, Report, order_rankings, would_order
from factory.store import schedules
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.lease import SHUTDOWN
from factory.store.schedules import MAX_ATTEMPTS, ScheduleEntry
from factory.wiring import Parts

log = logging.getLogger(__name__)

SCHEDULES = (
    ScheduleEntry(
        name="nightly-rankings",
        task=RANKINGS,
        cron="30 2 * * *",
        zone="Asia/Shanghai",
        why="tables are refreshed in the evening; the desk finds new ranking videos in review in the morning",
    ),
)
INBOX = ScheduleEntry(
    name="inbox",
    task="inbox",
    cron="*/5 * * * *",
    zone="UTC",
    why="clips that are put into FACTORY_INBOX are in the library minutes later",
)
ON_TIME = timedelta(minutes=10)  # later than this a moment counts as missed
SAY_SO_EVERY = 10.0  # seconds between two words of whoever works on a slot


@dataclass(frozen=True, slots=True)
class Ran:
    """A slot that was worked on now."""

    schedule: str
    due_at: datetime
    state: schedules.SlotState
    report: Report


def seed(session: Session, now: datetime, settings: Settings | None = None) -> None:
    """Write the schedules that are not there yet. A new one begins with its next due moment, not with the last."""
    wanted = (*SCHEDULES, INBOX) if settings is not None and settings.inbox else SCHEDULES
    for entry in wanted:
        if schedules.seed(session, entry):
            start_with_next(session, entry, now, "before it was set up")


def start_with_next(session: Session, entry: ScheduleEntry, now: datetime, note: str) -> None:
    """Let what was due until now rest."""
    schedules.take_slot(session, entry.name, last_due(entry.cron, entry.zone, now), note=note, state="skipped")


def resume(session: Session, name: str, now: datetime) -> None:
    """Let a paused schedule go on with its next due moment: what fell into the pause was not wanted."""
    entry = schedules.known(session, name)
    if entry.paused:
        schedules.set_paused(session, name, False)
        start_with_next(session, entry, now, "while it was paused")


def next_run(entry: ScheduleEntry, now: datetime) -> datetime | None:
    """Return when a schedule is due next, None while it is paused."""
    return None if entry.paused else next_due(entry.cron, entry.zone, now)


# --- looking ---------------------------------------------------------------------------------------------------------


def anything_due(sessions: Sessions, now: datetime) -> bool:
    """Say whether `look` would find work: what a process asks that does not want to load what duties need."""
    with sessions.read() as session:
        return any(_wanted(session, entry, now) for entry in schedules.every(session) if not entry.paused)


def look(parts: Parts, now: datetime) -> tuple[Ran, ...]:
    """Work on every slot that is due. Two that look at once do no harm; one that fails leaves the others alone."""
    ran: list[Ran] = []
    with parts.sessions.read() as session:
        entries = [entry for entry in schedules.every(session) if not entry.paused]
    for entry in sorted(entries, key=lambda entry: entry.task in DUTIES):  # what is quick comes first
        if SHUTDOWN.is_set():
            break
        try:
            ran.extend(_look_at(parts, entry, now))
        except Exception as error:  # a broken cron line of one schedule must not hold up the others
            log.warning("schedule %s: %s: %s", entry.name, type(error).__name__, error)
    return tuple(ran)


def run_now(parts: Parts, name: str, now: datetime) -> Ran:
    """Do the duty of a schedule at once, also of a paused one, as a slot of its own."""
    with parts.sessions.read() as session:
        entry = schedules.known(session, name)
    ran = _work(parts, entry, now)
    assert ran is not None, "a moment of microseconds was taken twice"
    return ran


def would_do(parts: Parts, name: str, now: datetime) -> Report:
    """Say what a schedule would make if it ran now; nothing is written."""
    with parts.sessions.read() as session:
        entry = schedules.known(session, name)
    if entry.task == RANKINGS:
        return would_order(parts.sessions, entry, now, parts.today())
    return DUTIES[entry.task].look(parts, entry.options)


def _look_at(parts: Parts, entry: ScheduleEntry, now: datetime) -> Iterator[Ran]:
    with parts.sessions.write() as session:
        _bury(session, entry)
        wanted = _wanted(session, entry, now)
        if wanted and _too_late(entry, wanted[-1], now):
            schedules.take_slot(session, entry.name, wanted[-1], note="missed, and not made up for", state="skipped")
            return
    for due_at in wanted:
        ran = _work(parts, entry, due_at)
        if ran is not None:
            yield ran
        if SHUTDOWN.is_set():
            return


def _wanted(session: Session, entry: ScheduleEntry, now: datetime) -> tuple[datetime, ...]:
    """Return the moments to work on: one left unfinished, else those since the last slot, by the catch-up rule.

    While somebody works on a slot of this schedule there are none: a duty does not overtake itself.
    """
    left = schedules.unfinished(session, entry.name)
    if left is not None:
        slot, alive = left
        return () if alive else (slot.due_at,)
    last = schedules.last_slot(session, entry.name)
    if last is None:
        return (last_due(entry.cron, entry.zone, now),)
    return missed(entry.cron, entry.zone, last, now, entry.most if entry.catch_up == "all" else 1)


def _too_late(entry: ScheduleEntry, due_at: datetime, now: datetime) -> bool:
    return entry.catch_up == "skip" and now - due_at > ON_TIME


def _bury(session: Session, entry: ScheduleEntry) -> None:
    """End a slot that lost its worker as often as is allowed."""
    left = schedules.unfinished(session, entry.name)
    if left is not None and not left[1] and left[0].attempt >= MAX_ATTEMPTS:
        note = f"worker-lost: the process ended without a word, {MAX_ATTEMPTS} times"
        schedules.end(session, entry.name, left[0].due_at, left[0].attempt, "failed", note=note)


# --- working ---------------------------------------------------------------------------------------------------------


def _work(parts: Parts, entry: ScheduleEntry, due_at: datetime) -> Ran | None:
    """Work on one slot; None where another has it."""
    if entry.task == RANKINGS:
        with parts.sessions.write() as session:
            report = order_rankings(session, entry, due_at, parts.today())
        return None if report is None else Ran(entry.name, due_at, "done", report)
    with parts.sessions.write() as session:
        attempt = schedules.begin(session, entry.name, due_at)
    if attempt is None:
        return None
    state, note, report = _do(parts, entry, due_at, attempt)
    with parts.sessions.write() as session:
        if SHUTDOWN.is_set() and state == "done":
            schedules.hand_back(session, entry.name, due_at, attempt)
            return Ran(entry.name, due_at, "running", report)
        schedules.end(session, entry.name, due_at, attempt, state, note=note, report=report)
    return Ran(entry.name, due_at, state, report)


def _do(parts: Parts, entry: ScheduleEntry, due_at: datetime, attempt: int) -> tuple[schedules.SlotState, str, Report]:
    with about(schedule=entry.name), _kept(parts.sessions, entry.name, due_at, attempt):
        try:
            duty = DUTIES.get(entry.task)
            if duty is None:
                return "failed", f"unknown-duty: this version has no duty {entry.task!r}", {}
            report = duty.do(parts, entry.options, SHUTDOWN.is_set)
        except FactoryError as refusal:
            return "failed", refusal.sentence(), {}
        except Exception as error:
            log.exception("schedule %s: its duty broke", entry.name, exc_info=error)
            return "failed", f"broken: {type(error).__name__}: {error}", {}
    return "done", ", ".join(f"{name} {count}" for name, count in report.items() if isinstance(count, int)), report


@contextmanager
def _kept(sessions: Sessions, schedule: str, due_at: datetime, attempt: int) -> Iterator[None]:
    """Say again and again that this attempt lives, until the block ends."""
    ended = threading.Event()

    def say_so() -> None:
        while not ended.wait(SAY_SO_EVERY):
            try:
                with sessions.write() as session:
                    schedules.keep(session, schedule, due_at, attempt)
            except Exception as error:  # the database is away: the attempt guards the slot
                log.warning("schedule %s: no word to the database: %s", schedule, error)

    thread = threading.Thread(target=say_so, name=f"slot-{schedule}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def look_now(parts: Parts) -> tuple[Ran, ...]:
    return look(parts, utc_now())
