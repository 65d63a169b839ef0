"""Notices as rows: written beside what they tell of, kept until they were taken in, each once by its key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.plan.clip_order import ClipOrder
from factory.store.columns import utc_now
from factory.store.db import clock, insert_new
from factory.store.schema import JobRow, Notice, ScheduleSlot
from factory.store.words import storable

TAKEN = timedelta(seconds=60)  # how long a sender may need for what it took
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)
LOOK_BACK = timedelta(days=1)  # a failure that is older was there before anybody wanted notices
MOST_TEXT = 500  # characters of a cause


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice on its way. `attempt` counts from 1."""

    id: int
    key: str
    event: str
    body: Mapping[str, Any]
    attempt: int
    created_at: datetime


def put(session: Session, key: str, event: str, body: Mapping[str, Any]) -> bool:
    """Keep a notice; False where one of this key was kept before."""
    now = utc_now()
    row = {"key": key[:200], "event": event, "body": dict(body), "created_at": now, "next_at": now}
    return insert_new(session, Notice, [row | {"attempt": 0, "error": ""}]) > 0


def put_failures(session: Session) -> int:
    """Keep a notice of each job and each duty that failed lately, once; return how many are new."""
    since = utc_now() - LOOK_BACK
    jobs = session.scalars(sa.select(JobRow).where(JobRow.state.in_(("failed", "dead")), JobRow.ended_at >= since))
    slots = session.scalars(
        sa.select(ScheduleSlot).where(ScheduleSlot.state == "failed", ScheduleSlot.ended_at >= since)
    )
    told = [_of_job(row) for row in jobs] + [_of_slot(row) for row in slots]
    return sum(put(session, *notice) for notice in _unknown(session, told))


def take(session: Session, *, limit: int = 10) -> tuple[Waiting, ...]:
    """Take notices that are due, the oldest first; no other sender gets them while this one is at work."""
    due = sa.select(Notice.id).where(Notice.next_at <= clock(session)).order_by(Notice.next_at, Notice.id).limit(limit)
    chosen = session.scalars(due.with_for_update(skip_locked=True)).all()
    if not chosen:
        return ()
    taken = sa.update(Notice).where(Notice.id.in_(chosen))
    taken = taken.values(next_at=clock(session, TAKEN), attempt=Notice.attempt + 1)
    session.execute(taken.execution_options(synchronize_session=False))
    rows = session.scalars(sa.select(Notice).where(Notice.id.in_(chosen)).order_by(Notice.id))
    return tuple(Waiting(row.id, row.key, row.event, row.body, row.attempt, row.created_at) for row in rows)


def sent(session: Session, notice: Waiting) -> None:
    """Remember that a notice was taken in."""
    _write(session, notice, next_at=None, sent_at=utc_now(), error="")


def failed(session: Session, notice: Waiting, error: str) -> datetime | None:
    """Try a notice again later, each time after twice as long; after three days it is given up and None returned."""
    now = utc_now()
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(notice.attempt - 1, 20))
    again = None if now - notice.created_at > GIVE_UP_AFTER else now + wait
    _write(session, notice, next_at=again, error=storable(error)[:MOST_TEXT])
    return again


def let_go(session: Session, notice: Waiting) -> None:
    """Give a notice back that was taken and not tried."""
    _write(session, notice, next_at=utc_now(), attempt=notice.attempt - 1)


def prune(session: Session, before: datetime, *, dry_run: bool = False) -> int:
    """Forget notices that were sent or given up and were put before then; return how many. What waits stays.

    `before` is at least as long ago as failures are looked for, or one would be told of twice.
    """
    over = sa.and_(Notice.next_at.is_(None), Notice.created_at < min(before, utc_now() - LOOK_BACK))
    if dry_run:
        return session.scalars(sa.select(sa.func.count()).select_from(Notice).where(over)).one()
    gone = sa.delete(Notice).where(over).returning(Notice.id).execution_options(synchronize_session=False)
    return len(session.scalars(gone).all())


def _write(session: Session, notice: Waiting, **values: Any) -> None:
    """Write to a notice unless another sender has it by now."""
    mine = sa.and_(Notice.id == notice.id, Notice.attempt == notice.attempt)
    session.execute(sa.update(Notice).where(mine).values(**values).execution_options(synchronize_session=False))


def _unknown(
    session: Session, told: Iterable[tuple[str, str, dict[str, Any]]]
) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Return the notices that are not kept yet."""
    notices = {key: (key, event, body) for key, event, body in told}
    known = set(session.scalars(sa.select(Notice.key).where(Notice.key.in_(notices))))
    return [notice for key, notice in notices.items() if key not in known]


def _of_job(row: JobRow) -> tuple[str, str, dict[str, Any]]:
    body = {
        "job": row.id,
        "kind": row.kind,
        "submitted_by": row.submitted_by,
        "attempt": row.attempt,
        "code": row.error_code or "",
        "cause": (row.error_text or "")[-MOST_TEXT:],
        "next_step": (row.next_step or "")[:MOST_TEXT],
        "at": row.ended_at.isoformat() if row.ended_at else "",
    }
    if row.kind == ClipOrder.kind:
        body["file"] = ClipOrder.model_validate_json(row.spec).file_name
    unbegun = "/late" if row.error_code == "deadline-passed" else ""  # its fence is that of an earlier failure
    return f"job/{row.id}/{row.fence}{unbegun}", f"job-{row.state}", body


def _of_slot(row: ScheduleSlot) -> tuple[str, str, dict[str, Any]]:
    due = row.due_at.isoformat()
    body = {"schedule": row.schedule, "due_at": due, "cause": row.note[:MOST_TEXT], "attempt": row.attempt}
    body["next_step"] = f"look at `factory schedule history {row.schedule}`"
    return f"slot/{row.schedule}/{due}", "duty-failed", body
