"""Repeated duties as rows, and their due moments, each taken once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.store.columns import utc_now
from factory.store.db import insert_new
from factory.store.schema import Schedule, ScheduleSlot


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """What is done when: `cron` is five fields in the time zone `zone`, `why` is for the people who read it."""

    name: str
    task: str
    cron: str
    zone: str
    why: str
    paused: bool = False


def seed(session: Session, entry: ScheduleEntry) -> bool:
    """Write a schedule if its name is new; what a person changed stays."""
    return insert_new(session, Schedule, [asdict(entry)]) > 0


def find(session: Session, name: str) -> ScheduleEntry | None:
    """Return a schedule as it stands in the database."""
    row = session.get(Schedule, name, populate_existing=True)
    return None if row is None else ScheduleEntry(row.name, row.task, row.cron, row.zone, row.why, row.paused)


def take_slot(session: Session, schedule: str, due_at: datetime, *, note: str = "") -> bool:
    """Take a due moment; False where it was taken: of two schedulers, or one that is late, only the first acts."""
    slot = {"schedule": schedule, "due_at": due_at, "taken_at": utc_now(), "jobs": 0, "note": note}
    return insert_new(session, ScheduleSlot, [slot]) > 0


def note_slot(session: Session, schedule: str, due_at: datetime, *, jobs: int, note: str = "") -> None:
    """Write what a slot made."""
    slot = session.get_one(ScheduleSlot, (schedule, due_at))
    slot.jobs, slot.note = jobs, note
    session.flush()


def last_batch(session: Session, schedule: str) -> datetime | None:
    """Return when the last slot that made jobs was taken."""
    made = sa.select(sa.func.max(ScheduleSlot.taken_at)).where(ScheduleSlot.schedule == schedule, ScheduleSlot.jobs > 0)
    return session.scalar(made)
