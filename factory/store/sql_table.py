"""A table out of somebody else's database: one SELECT, which can only read, within a time and a number of rows.

The statement is the person's own; what keeps it from writing is the connection. SQLite files are opened read-only and
allow nothing but reading; PostgreSQL runs it as a cursor, which takes one SELECT alone, in a read-only transaction.
Nothing that is said here names the address: it may hold a password.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from factory.errors import FactoryError, WrongUsage
from factory.plan.brief import Table
from factory.plan.tables import MAX_CELL, MAX_COLUMNS, MAX_ROWS, TableUnreadable

SECONDS = 30.0  # that a query may take
CONNECT_SECONDS = 10
MOST_STATEMENT = 20_000  # characters
_SQLITE_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_SQLITE_KEPT_OUT = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
_STEPS = 1000  # of SQLite's machine between two looks at the clock
_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`"""
    r"""|\$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$|\s+|;|[A-Za-z_]+|.""",
    re.DOTALL,
)


_Answer = tuple[Sequence[str], Sequence[Sequence[Any]]]
"""The names of the columns, and the rows."""


class QueryRefused(WrongUsage):
    """Not one SELECT, or its database does not run it."""

    code = "query-refused"


class SourceUnreachable(FactoryError):
    """The database that was to be asked does not answer."""

    code = "source-unreachable"


def table_from_sql(
    statement: str, url: str, name: str = "", *, seconds: float = SECONDS, most: int = MAX_ROWS
) -> Table:
    """Return what a SELECT answers as a table, its rows counted from 1; without a `name` it has that of the database.

    Raises QueryRefused, SourceUnreachable, or TableUnreadable where the answer is no table (too many rows, a column
    without a name, two of one name).
    """
    asked = _checked(statement)
    target = _target(url)
    try:
        ask = _ask_sqlite if target.get_backend_name() == "sqlite" else _ask_postgresql
        heads, rows = ask(target, asked, seconds, most + 1)
    except (sa.exc.SQLAlchemyError, sqlite3.Error, sqlite3.Warning) as error:
        raise _told(error, target, seconds) from None  # the driver's own trace may show the address
    return _table(name or _place(target), heads, rows, most)


def _checked(statement: str) -> str:
    """Return the statement without its last semicolon; refuse what is not one SELECT before anything is opened."""
    if len(statement) > MOST_STATEMENT:
        raise QueryRefused(f"the query has {len(statement)} characters", next_step=f"{MOST_STATEMENT} are allowed")
    said = [m[0] for m in _TOKEN.finditer(statement) if not m[0].isspace() and not m[0].startswith(("--", "/*"))]
    while said and said[-1] == ";":
        said.pop()
    if not said or said[0].casefold() not in ("select", "with"):
        raise QueryRefused("the query is no SELECT", next_step="write one SELECT, or WITH ... SELECT")
    if ";" in said:
        raise QueryRefused("the query holds more than one statement", next_step="write one SELECT")
    return statement.strip().rstrip("; \t\r\n") if statement.rstrip().endswith(";") else statement.strip()


def _target(url: str) -> URL:
    try:
        target = make_url(url.replace("postgres://", "postgresql://", 1))
    except (sa.exc.ArgumentError, ValueError):
        raise QueryRefused(
            "the address of the database cannot be read",
            next_step="write it as sqlite:///path or postgresql://user@host/name",
        ) from None
    backend = target.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise QueryRefused(
            f"{backend} is not a database that can be asked", next_step="use SQLite, PostgreSQL or a CSV"
        )
    return target.set(drivername="postgresql+psycopg") if backend == "postgresql" else target


def _named(target: URL) -> str:
    """Return how the database is called to a person: never its user, password or options."""
    return f"the {target.get_backend_name()} database {_place(target)!r}"


def _place(target: URL) -> str:
    place = target.database or ""
    return Path(place).name if target.get_backend_name() == "sqlite" else place


def _ask_sqlite(target: URL, statement: str, seconds: float, most: int) -> _Answer:
    path = Path(target.database or "")
    if not target.database or not path.is_file():
        raise SourceUnreachable(f"there is no file of {_named(target)}", next_step="name a SQLite file that exists")
    with contextlib.closing(
        sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=CONNECT_SECONDS)
    ) as connection:
        connection.set_authorizer(_allowed)
        ends = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
        cursor = connection.execute(statement)
        return [column[0] for column in cursor.description or ()], cursor.fetchmany(most)


def _allowed(action: int, _first: str | None, second: str | None, *_: str | None) -> int:
    reads = action in _SQLITE_READS and (second or "").casefold() not in _SQLITE_KEPT_OUT
    return sqlite3.SQLITE_OK if reads else sqlite3.SQLITE_DENY


def _ask_postgresql(target: URL, statement: str, seconds: float, most: int) -> _Answer:
    given = {"connect_timeout": CONNECT_SECONDS, "application_name": "autoreel"}
    engine = sa.create_engine(target, poolclass=sa.pool.NullPool, connect_args=given)
    try:
        with _opened(engine, target) as connection, connection.begin():
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
            as_cursor = {"stream_results": True, "no_parameters": True}
            with contextlib.closing(connection.exec_driver_sql(statement, execution_options=as_cursor)) as answer:
                return list(answer.keys()), answer.fetchmany(most)
    finally:
        engine.dispose()


def _opened(engine: sa.Engine, target: URL) -> sa.Connection:
    """Open the database for reading; what it says when it does not open is told without its address."""
    try:
        return engine.connect().execution_options(postgresql_readonly=True)
    except sa.exc.SQLAlchemyError as error:
        raise SourceUnreachable(
            f"{_named(target)} cannot be opened: {_words(error, target)}",
            next_step="check the address that --from gives, and that the server runs",
        ) from None


def _table(name: str, heads: Sequence[str], rows: Sequence[Sequence[Any]], most: int) -> Table:
    if len(rows) > most:
        raise TableUnreadable(name, f"the query answers with more than {most} rows")
    if not rows:
        raise TableUnreadable(name, "the query answers with no row")
    columns = tuple(str(head).strip() for head in heads)
    if len(columns) > MAX_COLUMNS:
        raise TableUnreadable(name, f"the query answers with {len(columns)} columns; {MAX_COLUMNS} are allowed")
    if not all(columns):
        raise TableUnreadable(name, "a column of the answer has no name; give it one with AS")
    if twice := next((column for column in columns if columns.count(column) > 1), None):
        raise TableUnreadable(name, f"two columns of the answer are called {twice[:60]!r}; rename one with AS")
    cells = tuple(tuple(_cell(value) for value in row) for row in rows)
    return Table(name=name[-255:], columns=columns, rows=cells, counted="row")


def _cell(value: object) -> str:
    """Return a value as a CSV would hold it, exactly; NULL is an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes | memoryview):
        return "(bytes)"  # no number and no date: its row is refused where the column is read
    return str(value).replace("\0", "").strip()[:MAX_CELL]


def _told(error: Exception, target: URL, seconds: float) -> FactoryError:
    words = _words(error, target)
    if re.search(r"interrupted|statement timeout", words):
        return QueryRefused(
            f"{_named(target)} takes more than {seconds:g} s for the query", next_step="ask for less, or give a CSV"
        )
    if re.search(r"not authorized|read-only|readonly", words):
        return QueryRefused(f"the query does more than read: {words}", next_step="write one SELECT")
    return QueryRefused(f"{_named(target)} refuses the query: {words}", next_step="mend the query")


def _words(error: Exception, target: URL) -> str:
    """Return what the driver says, on one line, without anything secret of the address."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    secrets = [str(target.password or ""), *(str(value) for value in target.query.values())]
    for secret in sorted((text for text in secrets if text), key=len, reverse=True):
        said = said.replace(secret, "***")
    return said[:300]
