"""Databases for tests, migrated once and copied: `sqlite` is one, `sessions` runs a test on SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from factory.store import db
from tests.servers import fresh_database

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.server)]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "factory.db"
    db.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[str]:
    """The name of a migrated database that others are copied from."""
    with fresh_database(postgres_url) as url:
        db.migrate(url)
        yield str(make_url(url).database)


@contextlib.contextmanager
def empty_store(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[db.Sessions]:
    """Yield an empty migrated database of this kind, for fixtures of any scope."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "factory.db")
        with contextlib.closing(db.Sessions.open(f"sqlite:///{folder / 'factory.db'}")) as made:
            yield made
        return
    template = request.getfixturevalue("migrated_postgres")
    with (
        fresh_database(request.getfixturevalue("postgres_url"), template=template) as url,
        contextlib.closing(db.Sessions.open(url, pool_size=20)) as made,
    ):
        yield made


@pytest.fixture
def sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[db.Sessions]:
    """An empty migrated SQLite database."""
    with empty_store("sqlite", request, tmp_path) as made:
        yield made


@pytest.fixture(params=BOTH)
def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[db.Sessions]:
    """An empty migrated database, once on SQLite and once on PostgreSQL."""
    with empty_store(request.param, request, tmp_path) as made:
        yield made
