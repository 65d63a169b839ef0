"""Engine, sessions and migrations: the one place that knows which database is underneath."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext, make_url
from sqlalchemy.orm import Session

import factory
from factory.errors import FactoryError
from factory.store.columns import Moment, utc_now
from factory.store.schema import Base

MIGRATIONS = Path(factory.__file__).parent.parent / "migrations"
BUSY_SECONDS = 30.0  # how long a writer waits for another before SQLite gives up
IDLE_SECONDS = 15.0  # how long PostgreSQL lets an open transaction lie still: its client is frozen or cut off
IDLE_ENDED = "25P03"  # what it says then
SILENCE = 30  # seconds after which a connection to PostgreSQL that nothing comes from is given up
PROBE_EVERY = 5


class DatabaseNotMigrated(FactoryError):
    code = "database-not-migrated"


class MigrationBreaksLinks(FactoryError):
    """Rows would name rows that are gone."""

    code = "migration-breaks-links"


class DatabaseUnreachable(FactoryError):
    code = "database-unreachable"


class Sessions:
    """Short transactions on one database: `with sessions.read() as session`, `with sessions.write() as session`.

    A write commits when its block ends and rolls back when it raises. On SQLite it takes the write lock at its start
    (BEGIN IMMEDIATE), so that two writers wait for each other instead of failing half-way.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(writes=True)

    @classmethod
    def open(cls, url: str, *, pool_size: int = 5) -> Sessions:
        engine = open_engine(url, pool_size=pool_size)
        if engine.dialect.name == "postgresql":
            _end_what_lies_still(engine)
        return cls(engine)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give the connections back. A child process that inherited them must call `forget` instead."""
        self.engine.dispose()

    def forget(self) -> None:
        """Drop connections inherited over a fork without closing the parent's."""
        self.engine.dispose(close=False)


def open_engine(url: str, *, pool_size: int = 5) -> Engine:
    """Return an engine for SQLite or PostgreSQL; other databases are refused."""
    target = _normalised(url)
    if target.get_backend_name() == "sqlite":
        return _open_sqlite(target)
    if target.get_backend_name() == "postgresql":
        return _open_postgres(target, pool_size)
    raise DatabaseUnreachable(
        f"{target.get_backend_name()} is not a database that AutoReel knows",
        next_step="set FACTORY_DATABASE_URL to sqlite:///path or postgresql://user@host/name",
    )


def _open_postgres(target: URL, pool_size: int) -> Engine:
    """A host that is cut off gets no answer and no refusal: both ends give a silent connection up after `SILENCE`, ours
    so that a worker goes on, the server's so that what a lost host holds locked is free again."""
    ours = {
        "connect_timeout": 10,
        "keepalives_idle": PROBE_EVERY,
        "keepalives_interval": PROBE_EVERY,
        "keepalives_count": SILENCE // PROBE_EVERY - 1,
        "tcp_user_timeout": SILENCE * 1000,
    }
    given = {name: value for name, value in ours.items() if name not in target.query}
    engine = sa.create_engine(
        target, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, connect_args=given
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute(
            f"SET tcp_keepalives_idle = {PROBE_EVERY}; SET tcp_keepalives_interval = {PROBE_EVERY}; "
            f"SET tcp_keepalives_count = {SILENCE // PROBE_EVERY - 1}; SET tcp_user_timeout = '{SILENCE}s'"
        )
        connection.commit()

    return engine


def _normalised(url: str) -> URL:
    """Accept the short spellings of PostgreSQL and always take the driver that is installed."""
    try:
        target = make_url(url.replace("postgres://", "postgresql://", 1))
    except sa.exc.ArgumentError as error:
        raise DatabaseUnreachable(
            "the database address cannot be read",  # without the address: it may hold a password
            next_step="write it as sqlite:////absolute/path or postgresql://user@host/name",
        ) from error
    return target.set(drivername="postgresql+psycopg") if target.drivername == "postgresql" else target


def _open_sqlite(target: URL) -> Engine:
    if target.database and target.database != ":memory:":
        Path(target.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(target, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN itself, below
        for pragma in (
            f"busy_timeout = {int(BUSY_SECONDS * 1000)}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _end_what_lies_still(engine: Engine) -> None:
    """Let PostgreSQL end a transaction of ours that lies still: a worker that is frozen in the middle of a write would
    hold up whoever wants the same row, for ever. If it wakes, its connection is gone, as after a restart of the server.
    """

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute(f"SET idle_in_transaction_session_timeout = {int(IDLE_SECONDS * 1000)}")
        connection.commit()

    @event.listens_for(engine, "handle_error")
    def _is_away(context: ExceptionContext) -> None:
        error = context.original_exception
        if getattr(error, "sqlstate", "") == IDLE_ENDED and error is not None:
            context.is_disconnect = True
            raise sa.exc.OperationalError(context.statement, None, error) from error


NO_TIME = timedelta(0)


def clock(session: Session, after: timedelta = NO_TIME) -> sa.ColumnElement[datetime]:
    """Return "now and `after`" for leases: by the database's own clock on PostgreSQL (many hosts), by this machine's on
    SQLite (one host)."""
    if session.get_bind().dialect.name == "postgresql":
        return sa.type_coerce(sa.func.clock_timestamp() + sa.literal(after, sa.Interval()), Moment())
    return sa.literal(utc_now() + after, Moment())


def insert_new(session: Session, table: type[Base], rows: list[dict[str, Any]]) -> int:
    """Insert the rows that no unique key forbids and return how many these are. Two writers at once are no error."""
    made = postgresql.insert(table) if session.get_bind().dialect.name == "postgresql" else sqlite.insert(table)
    keys = sa.inspect(table).primary_key
    return len(session.execute(made.values(rows).on_conflict_do_nothing().returning(*keys)).all())


# --- migrations ------------------------------------------------------------------------------------------------------

LOCK = 0x4155544F5245454C  # PostgreSQL advisory lock: one migration at a time ("AUTOREEL")


def migrate(url: str, revision: str = "head") -> str:
    """Bring the database to `revision` (up or down) in one transaction and return the revision it then has."""
    with migrating(url) as connection:
        step_to(connection, revision)
        return revision_of(connection) or "base"


@contextmanager
def migrating(url: str) -> Iterator[Connection]:
    """Yield a connection in the one transaction that changes tables: it commits when the block ends.

    SQLite follows no foreign keys in it, as its own procedure for writing a table anew asks: dropping the old table
    would delete all rows that name one of its rows. `step_to` looks afterwards that none names what is gone.
    """
    engine = open_engine(url)
    try:
        with _connected(engine.execution_options(writes=True)) as connection, _unlinked(connection), connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _unlinked(connection: Connection) -> Iterator[None]:
    """Let SQLite follow no foreign keys. It takes that word outside of transactions only, so the driver says it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    plain = connection.connection.driver_connection
    assert isinstance(plain, sqlite3.Connection)
    plain.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        plain.execute("PRAGMA foreign_keys = ON")


def _broken_links(connection: Connection) -> Counter[tuple[str, str]]:
    """Return how many rows of a table name a row of another that is gone. PostgreSQL never lets that come to be."""
    if connection.dialect.name != "sqlite":
        return Counter()
    return Counter((row[0], row[2]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check"))


def step_to(connection: Connection, revision: str) -> None:
    """Run the migrations between the database's revision and this one. Raises MigrationBreaksLinks."""
    before = _broken_links(connection)
    _run_migrations(connection, revision)
    for (table, parent), rows in (_broken_links(connection) - before).items():
        raise MigrationBreaksLinks(
            f"{rows} rows of {table} would name rows of {parent} that are gone; nothing was changed",
            next_step="report this as a fault, with the revision that the database stands at",
        )


def _run_migrations(connection: Connection, revision: str) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    wanted = script.get_revision(revision) if revision != "base" else None
    passed = {step.revision for step in script.iterate_revisions(revision_of(connection) or "base", "base")}
    if wanted is not None and wanted.revision not in passed:
        command.upgrade(config, revision)
    else:
        command.downgrade(config, revision)


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def database_revision(url: str) -> str | None:
    """Return the revision of a database, or None where it has none. Raises DatabaseUnreachable."""
    engine = open_engine(url)
    try:
        with _connected(engine) as connection:
            return revision_of(connection)
    finally:
        engine.dispose()


def knows_revision(revision: str) -> bool:
    """Does this version have a migration of this name?"""
    script = ScriptDirectory.from_config(alembic_config())
    return revision in {step.revision for step in script.walk_revisions()}


def newest_revision() -> str:
    """Return the revision that this version of AutoReel works with."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert head is not None
    return head


def require_migrated(engine: Engine) -> None:
    """Raise unless the database stands at the newest revision."""
    with _connected(engine) as connection:
        found = revision_of(connection)
    if found != newest_revision():
        raise DatabaseNotMigrated(
            f"the database stands at revision {found or 'none'}, this version needs {newest_revision()}",
            next_step="run `factory db migrate`; a SQLite file of our own is brought up to date without asking",
        )


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except sa.exc.OperationalError as error:
        why = " ".join(str(error.orig).split())  # on one line
        raise DatabaseUnreachable(
            f"the database {engine.url.render_as_string(hide_password=True)} cannot be opened: {why}",
            next_step="check FACTORY_DATABASE_URL, that the server runs and that its folder can be written",
        ) from error
    with connection:
        yield connection
