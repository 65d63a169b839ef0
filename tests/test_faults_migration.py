"""The newest migration is undone and made anew under a full ledger: nothing of it is lost, and its jobs go on."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from factory.store import bell, db, jobs, urgency
from factory.store.db import Sessions
from factory.store.job import ENDED
from factory.store.lease import Holding, Made, work
from factory.store.schema import JobRow, JobStep
from tests.test_jobs import VIDEO, claimed, do, set_row, state, submit
from tests.working import Tell

pytestmark = [pytest.mark.fault, pytest.mark.slow]

SOON: Final = timedelta(milliseconds=1)
OF_EACH: Final = 5
IN_FLIGHT: Final = ("queued", "rung", "planning", "planning, silent", "rendering", "rendering, silent", "cancel asked")


def in_flight(sessions: Sessions, how: str, number: int) -> str:
    """Order a job and take it so far."""
    job = submit(sessions, f"{how}-{number}")
    if how == "rung":
        bell.relay(sessions, lambda _task, _job: None)
    if how in ("queued", "rung"):
        return job
    held = claimed(sessions, job, SOON if "silent" in how or how == "cancel asked" else timedelta(seconds=4))
    do(sessions, jobs.save_timelines, held, {"16:9": "{}"})
    if how.startswith("rendering"):
        do(sessions, jobs.start_rendering, held)
        digests = {"input_digest": "b" * 64, "output_digest": "c" * 64}
        do(sessions, jobs.save_step, held, "chunk-1", **digests, seconds=1.0)
    else:
        set_row(sessions, job, state="planning")
    if how == "cancel asked":
        do(sessions, jobs.cancel, job)
    return job


def ended(sessions: Sessions, number: int) -> str:
    """Order a job, make it, and let a person do what comes next."""
    job = submit(sessions, f"ended-{number}")
    do(sessions, jobs.finish, claimed(sessions, job), [VIDEO])
    for verb in ((), (jobs.approve,), (jobs.approve, jobs.publish))[number % 3]:
        do(sessions, verb, job)
    return job


def rows(sessions: Sessions, columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the tables hold, in the columns that both revisions have."""
    with sessions.read() as session:
        return {
            table: sorted(map(tuple, session.execute(sa.text(f"SELECT {', '.join(names)} FROM {table}"))), key=repr)
            for table, names in columns.items()
        }


def columns_of(sessions: Sessions) -> dict[str, list[str]]:
    seen = sa.inspect(sessions.engine)
    return {
        table: [column["name"] for column in seen.get_columns(table)]
        for table in ("job", "job_output", "job_step", "job_timeline", "outbox")
    }


def test_a_migration_comes_and_goes_under_jobs_in_every_state(sessions: Sessions, record_property: Tell) -> None:
    working = {in_flight(sessions, how, number): how for how in IN_FLIGHT for number in range(OF_EACH)}
    done = [ended(sessions, number) for number in range(3 * OF_EACH)]
    url = sessions.engine.url.render_as_string(hide_password=False)
    newest = ScriptDirectory.from_config(db.alembic_config()).get_revision("head")
    assert newest is not None
    assert isinstance(newest.down_revision, str)

    before_columns = columns_of(sessions)
    sessions.close()
    db.migrate(url, newest.down_revision)
    shared = {table: [n for n in names if n in before_columns[table]] for table, names in columns_of(sessions).items()}
    older = rows(sessions, shared)
    sessions.close()
    db.migrate(url)
    assert rows(sessions, shared) == older
    assert Counter(len(older[table]) for table in ("job", "job_output")) == Counter(
        [len(working) + len(done), len(done)]
    )
    assert len(older["job_step"]) == 2 * OF_EACH

    made = Counter[str]()

    def make(holding: Holding) -> Made:
        made[holding.claim.job] += 1
        return Made([VIDEO])

    give_up = time.monotonic() + 60
    while any(state(sessions, job) not in ENDED for job in working) and time.monotonic() < give_up:
        bell.reap(sessions)
        with sessions.read() as session:
            waiting = urgency.next_due(session, limit=100)
        for job in waiting:
            work(sessions, job, make)
    cancelled = [job for job, how in working.items() if how == "cancel asked"]
    assert {job: made[job] for job in working} == {job: int(job not in cancelled) for job in working}
    assert {state(sessions, job) for job in cancelled} == {"cancelled"}
    assert Counter(state(sessions, job) for job in done) == Counter(review=OF_EACH, approved=OF_EACH, published=OF_EACH)
    with sessions.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(JobStep)) == 2 * OF_EACH
        assert session.scalars(sa.select(sa.func.count(JobRow.id)).where(JobRow.attempt > 2)).one() == 0
    record_property("jobs in flight, ended", f"{len(working)}, {len(done)}")
