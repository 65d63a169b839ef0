"""Which shots the videos of a series show, and when: what a cooldown looks at.

A shot is taken when its video is planned, in the transaction that saves the timeline, so that two jobs of a series that
are planned at once never take the same one. Whether a use still counts is the state of its job: what a failed, dead,
cancelled or withdrawn job took is free from that moment on, and nobody has to remember to release it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from factory.errors import FactoryError
from factory.store.columns import utc_now
from factory.store.db import insert_new
from factory.store.schema import JobRow, Shot, ShotUse

FREE: Final = ("failed", "dead", "cancelled", "withdrawn")  # states of a job that shows nothing to anybody


class ShotsTaken(FactoryError):
    """Another job of the series took the shots between the choice and the saving: choose anew."""

    code = "shots-taken"
    transient = True


@dataclass(frozen=True, slots=True)
class Issue:
    """A video of a series. `key` is the same for every making of it; none of them blocks another, nor `job` itself."""

    series: str | None
    key: str = ""
    job: str | None = None


def rested(issue: Issue, days: int, *, now: datetime | None = None) -> sa.ColumnElement[bool]:
    """Return the condition on `Shot` that neither it nor a near-duplicate was shown in the series for `days` days."""
    if issue.series is None or days <= 0:
        return sa.true()
    shown = aliased(Shot)
    since = (now or utc_now()) - timedelta(days=days)
    uses = (
        sa.select(shown.id)
        .join(ShotUse, ShotUse.shot_id == shown.id)
        .join(JobRow, JobRow.id == ShotUse.job_id)
        .where(
            ShotUse.series == issue.series,
            ShotUse.used_at > since,
            JobRow.state.not_in(FREE),
            sa.or_(ShotUse.video.is_(None), ShotUse.video != issue.key),
            ShotUse.job_id != (issue.job or ""),
        )
    )
    groups = uses.with_only_columns(shown.twins).where(shown.twins.is_not(None))
    return sa.and_(Shot.id.not_in(uses), sa.or_(Shot.twins.is_(None), Shot.twins.not_in(groups)))


def take(session: Session, issue: Issue, days_by_shot: Mapping[int, int], *, now: datetime | None = None) -> None:
    """Take the shots of a plan for its job, which gives back what an earlier plan of it took.

    `days_by_shot` says for how many days each must have rested. Raises ShotsTaken where one does not rest any more.
    """
    assert issue.job is not None
    _wait_for_turn(session, issue.series)
    for days in sorted(set(days_by_shot.values())):
        wanted = [shot for shot, wish in days_by_shot.items() if wish == days]
        select = sa.select(Shot.id).where(Shot.id.in_(wanted), rested(issue, days, now=now))
        if gone := sorted(set(wanted) - set(session.scalars(select))):
            raise ShotsTaken(
                f"another job of the series {issue.series!r} took shot {gone[0]}",
                next_step="nothing: the job is planned again",
            )
    _write(session, issue, days_by_shot, now)


def note_shown(session: Session, job: str, shots: Iterable[int], *, now: datetime | None = None) -> None:
    """Write that a finished job shows these shots, from now on, and no others."""
    series = session.scalar(sa.select(JobRow.series).where(JobRow.id == job))
    video = session.scalar(sa.select(ShotUse.video).where(ShotUse.job_id == job).limit(1))
    _write(session, Issue(series, video or "", job), shots, now)


def note_published(session: Session, job: str) -> None:
    """Let the shots of a video rest from its publication on: only then it is seen."""
    session.execute(sa.update(ShotUse).where(ShotUse.job_id == job).values(used_at=utc_now()))


def _write(session: Session, issue: Issue, shots: Iterable[int], now: datetime | None) -> None:
    session.execute(sa.delete(ShotUse).where(ShotUse.job_id == issue.job))
    said = {"job_id": issue.job, "series": issue.series, "video": issue.key or None}
    same: dict[str, Any] = said | {"used_at": now or utc_now()}
    rows = [{"shot_id": shot, **same} for shot in dict.fromkeys(shots)]
    if rows:
        insert_new(session, ShotUse, rows)


def _wait_for_turn(session: Session, series: str | None) -> None:
    """Let one plan of a series be saved at a time; on SQLite there is one writer anyway."""
    if series is not None and session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(series, 0))))
