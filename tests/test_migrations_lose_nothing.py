"""A migration that writes a table anew keeps every row that hangs on it, up, down and up again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from factory.plan.clip_order import ClipOrder
from factory.store import db, jobs
from factory.store.db import Sessions
from factory.store.rollback import RollbackLosesData, roll_back
from factory.store.schema import Base, JobRow
from tests.ledger_acts import BRIEF, do, now, order, taken
from tests.test_jobs import VIDEO

OF_JOBS = ("job", "job_timeline", "job_step", "job_output", "outbox")
BEFORE = "0010"  # the revision before jobs had queues


@contextlib.contextmanager
def opened(url: str) -> Iterator[Sessions]:
    with contextlib.closing(Sessions.open(url)) as sessions:
        yield sessions


def rows(url: str) -> dict[str, set[tuple[Any, ...]]]:
    """Return what the tables of jobs held before they had queues."""
    with opened(url) as sessions, sessions.read() as session:
        connection = session.connection()
        looked = sa.inspect(connection)
        found = {}
        for table in OF_JOBS:
            names = sorted({column["name"] for column in looked.get_columns(table)} - set(NEW))
            columns = ", ".join(names)
            found[table] = {tuple(row) for row in connection.exec_driver_sql(f"SELECT {columns} FROM {table}")}
        return found


NEW = ("queue", "priority", "deadline", "traceparent")


@pytest.fixture
def url(sessions: Sessions) -> str:
    """A database full of jobs in all states, with what hangs on them."""
    for number in range(30):
        job = order(sessions, BRIEF.model_copy(update={"seed": number}), key=f"k{number}")
        if number % 3:
            held = taken(sessions, job)
            do(sessions, jobs.save_timelines, held, {"16:9": "{}", "9:16": "{}"})
            digests = {"input_digest": "0" * 64, "output_digest": "1" * 64}
            do(sessions, jobs.save_step, held, "voice", **digests, seconds=1.0)
            if number % 3 == 2:
                do(sessions, jobs.finish, held, [VIDEO])
    sessions.close()
    return sessions.engine.url.render_as_string(hide_password=False)


def test_nothing_is_lost_down_and_up_again(url: str) -> None:
    full = rows(url)
    assert {table: len(found) for table, found in full.items()} == {
        "job": 30, "job_timeline": 40, "job_step": 20, "job_output": 10, "outbox": 10,
    }  # fmt: skip
    db.migrate(url, BEFORE)
    assert rows(url) == full
    db.migrate(url)
    assert rows(url) == full


def test_the_table_that_was_written_anew_is_the_one_of_the_schema(url: str) -> None:
    db.migrate(url, BEFORE)
    db.migrate(url)
    with opened(url) as sessions, sessions.read() as session:
        connection = session.connection()
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        looked = sa.inspect(connection)
        assert sorted(check["name"] or "" for check in looked.get_check_constraints("job")) == [
            "ck_job_attempt",
            "ck_job_state",
        ]
        known = {"sqlite": "SELECT name FROM sqlite_master", "postgresql": "SELECT indexname FROM pg_indexes"}
        names = {name for (name,) in connection.exec_driver_sql(known[connection.dialect.name])}
        assert {"ix_job_waiting", "ix_job_with_deadline", "ix_job_created_at", "ix_job_state_lease_until"} <= names


def test_foreign_keys_are_followed_again_afterwards(url: str) -> None:
    db.migrate(url, BEFORE)
    db.migrate(url)
    with opened(url) as sessions:
        job = order(sessions)
        with sessions.write() as session:
            session.execute(sa.delete(JobRow).where(JobRow.id == job))
    assert job not in {row for found in rows(url)["outbox"] for row in found}
    with opened(url) as sessions, pytest.raises(sa.exc.IntegrityError), sessions.write() as session:
        jobs.ring(session, "nobody", "produce")


def test_a_rollback_names_the_jobs_of_clips_and_keeps_all_others(url: str) -> None:
    full = rows(url)
    with opened(url) as sessions:
        held = taken(sessions, order(sessions, ClipOrder(path="/inbox/a.mp4")))
        do(sessions, jobs.settle, held, "added")
        order(sessions, ClipOrder(path="/inbox/b.mp4"))
    with pytest.raises(RollbackLosesData, match="2 rows of the table job; 1 rows of the table outbox"):
        roll_back(url)
    with opened(url) as sessions:
        assert now(sessions, held.job).state == "done"
    assert "2 rows of the table job" in roll_back(url, accept_loss=True).lost
    assert rows(url) == full


def test_a_migration_that_breaks_links_changes_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not url.startswith("sqlite"):
        pytest.skip("PostgreSQL follows foreign keys all the time")
    full, run = rows(url), db._run_migrations

    def careless(connection: sa.Connection, revision: str) -> None:
        run(connection, revision)
        connection.exec_driver_sql("DELETE FROM job WHERE state = 'review'")

    monkeypatch.setattr(db, "_run_migrations", careless)
    with pytest.raises(db.MigrationBreaksLinks, match="rows of job_output would name rows of job that are gone"):
        db.migrate(url, BEFORE)
    assert (rows(url), db.database_revision(url)) == (full, db.newest_revision())
