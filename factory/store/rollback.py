"""One revision back. What that would lose is found by doing it in a transaction that is then taken back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from factory.errors import FactoryError
from factory.store.db import alembic_config, migrating, revision_of, step_to


class NothingToRollBack(FactoryError):
    code = "nothing-to-roll-back"


class RollbackLosesData(FactoryError):
    code = "rollback-loses-data"


@dataclass(frozen=True, slots=True)
class RolledBack:
    """From which revision to which, what the undone one had brought, and what went with it."""

    undone: str
    meaning: str  # the migration's own sentence
    revision: str
    lost: tuple[str, ...]


def roll_back(url: str, *, accept_loss: bool = False, keep: bool = True) -> RolledBack:
    """Undo the newest migration of a database; with `keep` off only tell what would happen.

    Raises NothingToRollBack, and RollbackLosesData unless `accept_loss`; then nothing has changed.
    """
    scripts = ScriptDirectory.from_config(alembic_config())
    with migrating(url) as connection:
        standing = revision_of(connection)
        if standing is None:
            raise NothingToRollBack("the database has no revision", next_step="make one with `factory db migrate`")
        newest = scripts.get_revision(standing)
        below = newest.down_revision
        assert below is None or isinstance(below, str)  # the house has no branches
        before = _columns(connection)
        held = {place: _rows(connection, *place, default) for place, default in before.items()}
        counted = _counts(connection)
        step_to(connection, below or "base")
        gone = before.keys() - _columns(connection).keys()
        lost = (*_told(gone, before.keys(), held), *_fewer(counted, _counts(connection)))
        done = RolledBack(standing, (newest.doc or "").splitlines()[0], below or "base", lost)
        if lost and not accept_loss and keep:
            raise RollbackLosesData(
                f"undoing {standing} ({done.meaning.rstrip('.')}) would lose {'; '.join(lost)}",
                next_step="take a backup with `factory db backup`, then add --yes",
            )
        if not keep:
            connection.get_transaction().rollback()  # type: ignore[union-attr]  # `migrating` has begun one
    return done


def _columns(connection: Connection) -> dict[tuple[str, str], str | None]:
    """Return every (table, column) with the SQL of its default, where that is a plain value."""
    looked = sa.inspect(connection)
    columns = [(table, column) for table in looked.get_table_names() for column in looked.get_columns(table)]
    plain = re.compile(r"'[^']*'(::[a-z ]+)?|\d+")  # never a call, as of the sequence that numbers rows
    return {
        (table, column["name"]): column["default"] if plain.fullmatch(column["default"] or "") else None
        for table, column in columns
    }


def _rows(connection: Connection, table: str, column: str, default: str | None) -> int:
    """Return how many rows hold something in a column, beyond what it gives to every row."""
    where: sa.ColumnElement[bool] = sa.column(column).is_not(None)
    if default is not None:
        where = sa.and_(where, sa.column(column).is_distinct_from(sa.literal_column(default)))
    return connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table)).where(where)) or 0


def _counts(connection: Connection) -> Counter[str]:
    """Return how many rows each table has. The row that names the revision is no data."""
    tables = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
    counted = sa.select(sa.func.count())
    return Counter({name: connection.scalar(counted.select_from(sa.table(name))) or 0 for name in tables})


def _fewer(before: Counter[str], after: Counter[str]) -> Iterator[str]:
    """Say which tables that stay have lost rows."""
    for table, rows in sorted((before - after).items()):
        if table in after:
            yield f"{rows} rows of the table {table}"


def _told(
    gone: Set[tuple[str, str]], before: Set[tuple[str, str]], held: Mapping[tuple[str, str], int]
) -> Iterator[str]:
    """Say what goes: a table at once, a column of a table that stays by its name."""
    for table in sorted({table for table, _ in gone}):
        columns = sorted(column for name, column in gone if name == table)
        if len(columns) == sum(name == table for name, _ in before):
            rows = max(held[table, column] for column in columns)
            if rows:
                yield f"the table {table} with {rows} rows"
        else:
            for column in columns:
                if held[table, column]:
                    yield f"the column {table}.{column} of {held[table, column]} rows"
