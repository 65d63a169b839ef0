"""Repeated duties as rows, and their due moments, each taken once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.errors import WrongUsage
from factory.store.columns import utc_now
from factory.store.db import clock, insert_new
from factory.store.schema import Schedule, ScheduleSlot

CatchUp = Literal["skip", "latest", "all"]
SlotState = Literal["running", "done", "failed", "skipped"]
LEASE = timedelta(seconds=60)  # how long a running slot is believed without a word
MAX_ATTEMPTS = 3


class UnknownSchedule(WrongUsage):
    code = "unknown-schedule"


class ScheduleExists(WrongUsage):
    code = "schedule-exists"


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """What is done when: `cron` is five fields in the time zone `zone`, `why` is for the people who read it.

    `catch_up` says what becomes of moments that were missed: none of them is made up for, the latest is, or `all` are,
    the newest `most`. `options` are the duty's own.
    """

    name: str
    task: str
    cron: str
    zone: str
    why: str
    paused: bool = False
    catch_up: CatchUp = "latest"
    most: int = 10
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slot:
    """A due moment and what became of it."""

    schedule: str
    due_at: datetime
    taken_at: datetime
    state: SlotState
    attempt: int
    jobs: int
    note: str
    ended_at: datetime | None
    report: Mapping[str, Any]


# --- schedules -------------------------------------------------------------------------------------------------------


def seed(session: Session, entry: ScheduleEntry) -> bool:
    """Write a schedule if its name is new; what a person changed stays."""
    return insert_new(session, Schedule, [asdict(entry) | {"options": dict(entry.options) or None}]) > 0


def add(session: Session, entry: ScheduleEntry) -> None:
    """Write a new schedule. Raises ScheduleExists."""
    if not seed(session, entry):
        raise ScheduleExists(
            f"there is a schedule {entry.name!r} already",
            next_step=f"choose another name, or take it away with `factory schedule remove {entry.name}`",
        )


def find(session: Session, name: str) -> ScheduleEntry | None:
    """Return a schedule as it stands in the database."""
    row = session.get(Schedule, name, populate_existing=True)
    return None if row is None else _entry(row)


def known(session: Session, name: str) -> ScheduleEntry:
    """Return a schedule, or raise UnknownSchedule."""
    entry = find(session, name)
    if entry is None:
        raise UnknownSchedule(f"there is no schedule {name[:80]!r}", next_step="see them with `factory schedule list`")
    return entry


def every(session: Session) -> tuple[ScheduleEntry, ...]:
    """Return all schedules by name."""
    return tuple(_entry(row) for row in session.scalars(sa.select(Schedule).order_by(Schedule.name)))


def set_paused(session: Session, name: str, paused: bool) -> None:
    known(session, name)
    session.execute(sa.update(Schedule).where(Schedule.name == name).values(paused=paused))


def remove(session: Session, name: str) -> None:
    """Take a schedule away with its history."""
    known(session, name)
    session.execute(sa.delete(ScheduleSlot).where(ScheduleSlot.schedule == name))
    session.execute(sa.delete(Schedule).where(Schedule.name == name))


# --- slots -----------------------------------------------------------------------------------------------------------


def take_slot(session: Session, schedule: str, due_at: datetime, *, note: str = "", state: SlotState = "done") -> bool:
    """Take a due moment; False where it was taken: of two schedulers, or one that is late, only the first acts."""
    slot = {"schedule": schedule, "due_at": due_at, "taken_at": utc_now(), "jobs": 0, "note": note}
    return insert_new(session, ScheduleSlot, [slot | {"state": state, "attempt": 1}]) > 0


def note_slot(
    session: Session,
    schedule: str,
    due_at: datetime,
    *,
    jobs: int,
    note: str = "",
    report: Mapping[str, Any] | None = None,
) -> None:
    """Write what a slot made."""
    slot = session.get_one(ScheduleSlot, (schedule, due_at))
    slot.jobs, slot.note = jobs, note
    slot.report, slot.ended_at = None if report is None else dict(report), utc_now()
    session.flush()


def begin(session: Session, schedule: str, due_at: datetime) -> int | None:
    """Take a slot to work on it, or one whose worker has gone; return the attempt, None where it is not to be had."""
    slot: dict[str, Any] = {"schedule": schedule, "due_at": due_at, "taken_at": utc_now(), "jobs": 0, "note": ""}
    if insert_new(session, ScheduleSlot, [slot | {"state": "running", "attempt": 1}]):
        keep(session, schedule, due_at, 1)
        return 1
    taken = sa.update(ScheduleSlot).where(
        _of(schedule, due_at),
        ScheduleSlot.state == "running",
        ScheduleSlot.lease_until < clock(session),
        ScheduleSlot.attempt < MAX_ATTEMPTS,
    )
    values = {"attempt": ScheduleSlot.attempt + 1, "lease_until": clock(session, LEASE)}
    told = taken.values(**values).returning(ScheduleSlot.attempt).execution_options(synchronize_session=False)
    return session.scalars(told).one_or_none()


def keep(session: Session, schedule: str, due_at: datetime, attempt: int, *, lease: timedelta = LEASE) -> bool:
    """Say that this attempt goes on; False where another has taken the slot over."""
    return _still(session, schedule, due_at, attempt, lease_until=clock(session, lease))


def hand_back(session: Session, schedule: str, due_at: datetime, attempt: int) -> bool:
    """Leave a slot to the next who looks, because this process is to end: no attempt is burnt."""
    now = clock(session, -timedelta(seconds=1))
    return _still(session, schedule, due_at, attempt, attempt_now=attempt - 1, lease_until=now)


def end(
    session: Session,
    schedule: str,
    due_at: datetime,
    attempt: int,
    state: SlotState,
    *,
    note: str = "",
    report: Mapping[str, Any] | None = None,
) -> bool:
    """Write how an attempt ended; False where another has taken the slot over."""
    said: dict[str, Any] = {"state": state, "note": note[:4000], "report": None if report is None else dict(report)}
    return _still(session, schedule, due_at, attempt, **said, lease_until=None, ended_at=clock(session))


def unfinished(session: Session, schedule: str) -> tuple[Slot, bool] | None:
    """Return the oldest slot that is running, and whether whoever works on it has been heard of lately."""
    alive = ScheduleSlot.lease_until >= clock(session)
    chosen = sa.select(ScheduleSlot, alive).where(ScheduleSlot.schedule == schedule, ScheduleSlot.state == "running")
    row = session.execute(chosen.order_by(ScheduleSlot.due_at).limit(1)).one_or_none()
    return None if row is None else (_slot(row[0]), bool(row[1]))


def last_slot(session: Session, schedule: str) -> datetime | None:
    """Return the newest due moment that was taken."""
    return session.scalar(sa.select(sa.func.max(ScheduleSlot.due_at)).where(ScheduleSlot.schedule == schedule))


def last_batch(session: Session, schedule: str) -> datetime | None:
    """Return when the last slot that made jobs was taken."""
    made = sa.select(sa.func.max(ScheduleSlot.taken_at)).where(ScheduleSlot.schedule == schedule, ScheduleSlot.jobs > 0)
    return session.scalar(made)


def history(session: Session, schedule: str | None = None, *, limit: int = 20) -> tuple[Slot, ...]:
    """Return slots, the newest first."""
    chosen = sa.select(ScheduleSlot).order_by(ScheduleSlot.due_at.desc(), ScheduleSlot.schedule).limit(limit)
    if schedule is not None:
        chosen = chosen.where(ScheduleSlot.schedule == schedule)
    return tuple(_slot(row) for row in session.scalars(chosen.execution_options(populate_existing=True)))


def prune(session: Session, before: datetime, *, dry_run: bool = False) -> int:
    """Forget slots that were taken before then and have ended; return how many.

    The newest of a schedule stays, which says what is due next; so does the newest that made jobs, which says what is
    new since.
    """
    newest = sa.select(ScheduleSlot.schedule, sa.func.max(ScheduleSlot.due_at)).group_by(ScheduleSlot.schedule)
    made = newest.where(ScheduleSlot.jobs > 0)
    kept = {(schedule, due_at) for chosen in (newest, made) for schedule, due_at in session.execute(chosen)}
    old = sa.select(ScheduleSlot.schedule, ScheduleSlot.due_at).where(
        ScheduleSlot.taken_at < before, ScheduleSlot.state != "running"
    )
    going = [(schedule, due_at) for schedule, due_at in session.execute(old) if (schedule, due_at) not in kept]
    if not dry_run:
        for schedule, due_at in going:
            session.execute(sa.delete(ScheduleSlot).where(_of(schedule, due_at)))
    return len(going)


def _of(schedule: str, due_at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(ScheduleSlot.schedule == schedule, ScheduleSlot.due_at == due_at)


def _still(
    session: Session, schedule: str, due_at: datetime, attempt: int, *, attempt_now: int | None = None, **values: Any
) -> bool:
    """Write to a running slot while it is this attempt's."""
    mine = sa.and_(_of(schedule, due_at), ScheduleSlot.state == "running", ScheduleSlot.attempt == attempt)
    written = sa.update(ScheduleSlot).where(mine).values(attempt=attempt if attempt_now is None else attempt_now)
    told = written.values(**values).returning(ScheduleSlot.attempt).execution_options(synchronize_session=False)
    return session.scalars(told).one_or_none() is not None


def _entry(row: Schedule) -> ScheduleEntry:
    times = (row.name, row.task, row.cron, row.zone, row.why, row.paused)
    return ScheduleEntry(*times, cast("CatchUp", row.catch_up), row.most, row.options or {})


def _slot(row: ScheduleSlot) -> Slot:
    told = (row.schedule, row.due_at, row.taken_at, cast("SlotState", row.state), row.attempt, row.jobs, row.note)
    return Slot(*told, row.ended_at, row.report or {})
