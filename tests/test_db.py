from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from factory.plan.brief import Brief
from factory.store import db, jobs
from factory.store.schema import Base, Model, TagRow
from tests.servers import fresh_database
from tests.stores import empty_store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'factory.db'}"
        return
    with fresh_database(request.getfixturevalue("postgres_url")) as made:
        yield made


def tables(url: str) -> set[str]:
    engine = db.open_engine(url)
    try:
        return set(sa.inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def test_migrations_go_up_down_and_up_again(url: str) -> None:
    everything = set(Base.metadata.tables)
    assert db.migrate(url) == db.newest_revision()
    assert tables(url) == everything
    assert db.migrate(url, "0001") == "0001"
    assert "job" not in tables(url)
    assert "shot_tag" in tables(url)
    assert db.migrate(url, "base") == "base"
    assert tables(url) == set()
    assert db.migrate(url) == db.newest_revision()
    assert db.migrate(url) == db.newest_revision()  # a second time changes nothing
    assert tables(url) == everything


def test_rows_survive_a_migration_of_other_tables(url: str) -> None:
    db.migrate(url)
    sessions = db.Sessions.open(url)
    with sessions.write() as session:
        session.add(Model(version="tagger-1"))
    db.migrate(url, "0001")
    db.migrate(url)
    with sessions.read() as session:
        assert session.scalar(sa.select(Model.version)) == "tagger-1"
    sessions.close()


def test_the_migrated_tables_are_the_ones_of_the_schema(url: str) -> None:
    db.migrate(url)
    engine = db.open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_checks_stand_in_the_database(url: str) -> None:
    db.migrate(url)
    engine = db.open_engine(url)
    names = {c["name"] for table in Base.metadata.tables for c in sa.inspect(engine).get_check_constraints(table)}
    engine.dispose()
    assert {"ck_asset_status", "ck_asset_rights", "ck_job_state", "ck_job_attempt"} <= names


def test_a_database_without_tables_is_named_with_its_remedy(url: str) -> None:
    engine = db.open_engine(url)
    with pytest.raises(db.DatabaseNotMigrated, match="stands at revision none"):
        db.require_migrated(engine)
    db.migrate(url)
    db.require_migrated(engine)
    engine.dispose()


def test_a_write_that_raises_leaves_nothing(url: str) -> None:
    db.migrate(url)
    sessions = db.Sessions.open(url)

    def stop_half_way() -> None:
        with sessions.write() as session:
            session.add(Model(version="never"))
            session.flush()
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        stop_half_way()
    with sessions.read() as session:
        assert session.scalars(sa.select(Model)).all() == []
    sessions.close()


def test_writers_wait_for_each_other(url: str) -> None:
    db.migrate(url)
    sessions = db.Sessions.open(url, pool_size=8)
    with sessions.write() as session:
        session.add(TagRow(name="counter", facet="test", zh="0", en="0"))

    def count(times: int) -> None:
        for _ in range(times):
            with sessions.write() as session:
                row = session.scalars(sa.select(TagRow).with_for_update()).one()
                row.en = str(int(row.en) + 1)

    threads = [threading.Thread(target=count, args=(10,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sessions.read() as session:
        assert session.scalar(sa.select(TagRow.en)) == "60"
    sessions.close()


def test_sqlite_is_set_to_lose_nothing(tmp_path: Path) -> None:
    engine = db.open_engine(f"sqlite:///{tmp_path / 'deep' / 'er' / 'factory.db'}")
    with engine.connect() as connection:
        told = {
            p: connection.exec_driver_sql(f"PRAGMA {p}").scalar()
            for p in ("journal_mode", "synchronous", "foreign_keys")
        }
    engine.dispose()
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize("url", ["mysql://somewhere/x", "not a url", "postgresql://nobody:secret@127.0.0.1:1/none"])
def test_an_unusable_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(db.DatabaseUnreachable) as refusal:
        db.migrate(url)
    assert "secret" not in refusal.value.sentence()
    assert "FACTORY_DATABASE_URL" in refusal.value.next_step or "write it as" in refusal.value.next_step


@pytest.mark.server
def test_a_transaction_whose_client_is_stopped_holds_nobody_up(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "IDLE_SECONDS", 1.0)
    with empty_store("postgresql", request, tmp_path) as sessions:
        with sessions.write() as session:
            job = jobs.submit(session, Brief(template="stub")).job

        def stop_and_go_on() -> None:
            with sessions.write() as stopped:
                assert jobs.claim(stopped, job, worker="stopped:1")
                with sessions.write() as session:
                    assert jobs.claim(session, job, worker="other:1")
                stopped.execute(sa.text("SELECT 1"))

        with pytest.raises(sa.exc.OperationalError):
            stop_and_go_on()
