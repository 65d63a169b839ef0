"""Looking at jobs: which there are, where each stands, and what is saved of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.plan.brief import Brief
from factory.plan.embargo import Embargo
from factory.store import embargoes
from factory.store.job import Job, Output, SavedTimeline, State, UnknownJob
from factory.store.schema import JobOutput, JobRow, JobTimeline


def get(session: Session, job: str) -> Job:
    """Return a job by its id or by a beginning of it that fits no other."""
    exact = session.get(JobRow, job, populate_existing=True)
    if exact is None and job:
        like = sa.select(JobRow).where(JobRow.id.startswith(job, autoescape=True)).limit(2)
        found = session.scalars(like).all()
        exact = found[0] if len(found) == 1 else None
    if exact is None:
        raise UnknownJob(f"there is no job {job!r}", next_step="list the jobs with `factory jobs`")
    return _jobs(session, [exact])[0]


def kind_of(session: Session, job: str) -> str | None:
    """Return which verb works on a job, or None where there is no such job."""
    return session.scalar(sa.select(JobRow.kind).where(JobRow.id == job))


def newest_of(session: Session, key: str) -> tuple[str, Job] | None:
    """Return the newest job of an idempotency key, or of one that goes on after it with `/`, and its own key."""
    mine = sa.or_(JobRow.idempotency_key == key, JobRow.idempotency_key.startswith(f"{key}/", autoescape=True))
    row = session.scalars(sa.select(JobRow).where(mine).order_by(JobRow.created_at.desc(), JobRow.id).limit(1)).first()
    return None if row is None or row.idempotency_key is None else (row.idempotency_key, _jobs(session, [row])[0])


def list_jobs(session: Session, *, states: Iterable[State] = (), limit: int = 50) -> tuple[Job, ...]:
    """Return jobs, the newest first."""
    select = sa.select(JobRow).order_by(JobRow.created_at.desc(), JobRow.id).limit(limit)
    wanted = tuple(states)
    rows = session.scalars(select.where(JobRow.state.in_(wanted)) if wanted else select)
    return _jobs(session, rows.all())


def timelines(session: Session, job: str) -> dict[str, SavedTimeline]:
    """Return the newest timeline of each aspect."""
    rows = session.scalars(
        sa.select(JobTimeline).where(JobTimeline.job_id == job).order_by(JobTimeline.aspect, JobTimeline.version)
    )
    return {row.aspect: SavedTimeline(row.aspect, row.version, row.body, row.author) for row in rows}


def place_in_series(session: Session, brief: Brief, job: str | None = None) -> int:
    """Return how many jobs of the brief's series, of its template and locale, were ordered before `job` (or so far).

    It is the same however often the job is tried: jobs count as they were ordered, whatever became of them.
    """
    earlier = sa.select(JobRow.id, JobRow.spec).where(JobRow.series == brief.series)
    found = session.execute(earlier.order_by(JobRow.created_at, JobRow.id)).all()
    before = itertools.takewhile(lambda row: row.id != job, found)
    wanted = (brief.template, brief.locale)
    specs = (json.loads(row.spec) for row in before)
    return sum((spec.get("template"), spec.get("locale")) == wanted for spec in specs)


def _jobs(session: Session, rows: Sequence[JobRow]) -> tuple[Job, ...]:
    ids = [row.id for row in rows]
    outputs: dict[str, list[Output]] = {}
    named = sa.select(JobOutput).where(JobOutput.job_id.in_(ids)).order_by(JobOutput.aspect, JobOutput.role)
    for o in session.scalars(named):
        output = Output(o.aspect, o.role, o.digest, o.name, o.bytes, o.frames, o.fps)
        outputs.setdefault(o.job_id, []).append(output)
    held = embargoes.of_jobs(session, ids)
    return tuple(_job(row, tuple(outputs.get(row.id, ())), held.get(row.id)) for row in rows)


def _job(row: JobRow, outputs: tuple[Output, ...], embargo: Embargo | None) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        state=cast("State", row.state),
        spec=row.spec,
        attempt=row.attempt,
        progress=row.progress,
        step=row.step,
        cancel_asked=row.cancel_asked,
        error_code=row.error_code,
        error_text=row.error_text,
        next_step=row.next_step,
        submitted_by=row.submitted_by,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        worker=row.lease_owner,
        outputs=outputs,
        embargo=embargo,
        queue=row.queue,
        priority=row.priority,
        deadline=row.deadline,
    )
