"""The table that an order or a batch is made from: a CSV file, or what a database answers."""

from __future__ import annotations

import os
from pathlib import Path

from factory.errors import WrongUsage
from factory.orders import table_of
from factory.plan.brief import Table
from factory.small_files import read_small
from factory.store.sql_table import QueryRefused, table_from_sql

MOST_QUERY_BYTES = 1 << 20


def table_asked(data: Path | None, sql: str, source: str) -> Table | None:
    """Return the table that a person names: `data` a CSV, or a `.sql` file with `source`; or `sql` with `source`.

    `source` is an SQLAlchemy URL, or `env:NAME` for the one that an environment variable holds; it is told to nobody.
    None where nothing is named.
    """
    if sql and data is not None:
        raise WrongUsage("a table and a query are given", next_step="give --data or --sql")
    if sql or (data is not None and data.suffix.lower() == ".sql"):
        if not source:
            raise WrongUsage("the query has no database", next_step="name one with --from, as sqlite:///path")
        return table_from_sql(sql or _text(data), _address(source), data.name if data is not None else "")
    if source:
        raise WrongUsage("--from names a database, and no query asks it", next_step="give --sql, or --data query.sql")
    return table_of(data) if data is not None else None


def _address(source: str) -> str:
    kind, colon, name = source.partition(":")
    if kind != "env" or not colon:
        return source
    if not os.environ.get(name):
        raise WrongUsage(f"the environment has no {name[:60]!r}", next_step="set it to the address of the database")
    return os.environ[name]


def _text(path: Path | None) -> str:
    assert path is not None
    data = read_small(path, MOST_QUERY_BYTES, unread="name a query that exists", too_large="ask in fewer words")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise QueryRefused(f"{path} is no text in UTF-8", next_step="save the query in UTF-8") from None
