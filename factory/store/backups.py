"""A database is copied while it works, with a manifest beside the copy, and put back only after that was checked.

A SQLite file is copied by SQLite's own online backup, a PostgreSQL database by `pg_dump` over the snapshot that the
rows were counted in. The manifest comes last: a copy without one was never finished.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from factory.errors import FactoryError
from factory.store import postgres_tools
from factory.store.columns import utc_now
from factory.store.db import database_revision, knows_revision, migrate, newest_revision, open_engine
from factory.store.schema import Base

VERSIONS = "alembic_version"  # the table in which a database says its own revision
SUFFIXES = {"sqlite": ".db", "postgresql": ".dump"}
FORM = 1  # of the manifest


class BackupUnusable(FactoryError):
    """The copy is not what its manifest says, or not for this installation."""

    code = "backup-unusable"


class DatabaseHoldsRows(FactoryError):
    code = "database-holds-rows"


class NoDatabaseYet(FactoryError):
    code = "no-database-yet"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a copy is: the database's kind and revision, the rows of each table, and the sha256 of the copy."""

    made_at: str  # ISO 8601, UTC
    dialect: str
    revision: str
    file: str
    bytes: int
    sha256: str
    counts: Mapping[str, int]
    form: int = FORM


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, and the revision that the database has now."""

    manifest: Manifest
    revision: str
    replaced: int  # rows that stood there before


def backup(url: str, folder: Path) -> Path:
    """Copy the database into a dated file of `folder`, write its manifest and return the manifest's path.

    Raises NoDatabaseYet, DatabaseUnreachable, and for PostgreSQL `postgres_tools.ToolMissing`.
    """
    engine = open_engine(url)
    try:
        dialect = engine.dialect.name
        _require_tables(url)
        folder.mkdir(parents=True, exist_ok=True)
        now = utc_now()
        copy = folder / f"autoreel-{now:%Y%m%dT%H%M%S}.{now.microsecond:06d}Z{SUFFIXES[dialect]}"
        with _written(copy) as partial:
            if dialect == "sqlite":
                _copy_sqlite(Path(str(engine.url.database)), partial)
                revision, counts = _told_by(f"sqlite:///{partial}")
            else:
                revision, counts = _dump_postgres(engine, partial)
            size, digest = partial.stat().st_size, _sha256(partial)
        manifest = Manifest(now.isoformat(), dialect, revision, copy.name, size, digest, counts)
    finally:
        engine.dispose()
    place = copy.with_suffix(".json")
    with _written(place) as partial:
        partial.write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
    return place


def restore(url: str, manifest_path: Path, *, replace: bool = False) -> Restored:
    """Put a copy back and bring it up to the revision of this version; what stood there goes in the same step.

    Raises DatabaseHoldsRows unless `replace`, and BackupUnusable before anything is touched.
    """
    manifest = read_manifest(manifest_path)
    copy = manifest_path.parent / manifest.file
    engine = open_engine(url)
    try:
        _check(manifest, copy, engine.dialect.name)
        standing = _standing(engine)
        if any(standing.values()) and not replace:
            held = ", ".join(f"{name} {count}" for name, count in standing.items() if count)
            raise DatabaseHoldsRows(
                f"the database holds rows ({held})",
                next_step="stop whatever works on it, take a backup with `factory db backup`, then add --replace",
            )
        if engine.dialect.name == "sqlite":
            _put_back_sqlite(copy, Path(str(engine.url.database)))
        else:
            going = sorted({*(standing.keys() & Base.metadata.tables.keys()), *manifest.counts, VERSIONS})
            postgres_tools.put_back(engine.url, copy, going, server=_server(engine))
    finally:
        engine.dispose()
    _check_counts(manifest, _told_by(url)[1])
    return Restored(manifest, migrate(url), sum(standing.values()))


def read_manifest(path: Path) -> Manifest:
    """Read the manifest of a copy. Raises BackupUnusable."""
    next_step = "name the .json file that `factory db backup` wrote beside the copy"
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest(**told)
        counted = all(isinstance(count, int) for count in manifest.counts.values())
        plain = manifest.file == Path(manifest.file).name and manifest.file not in ("", ".", "..")
    except OSError as error:
        raise BackupUnusable(f"{str(path)!r} cannot be read: {error.strerror}", next_step=next_step) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise BackupUnusable(f"{str(path)!r} is no manifest of a backup", next_step=next_step) from error
    if not counted or not plain or manifest.form != FORM:
        raise BackupUnusable(f"{str(path)!r} is no manifest that this version reads", next_step=next_step)
    return manifest


def row_counts(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has, by name."""
    names = sorted(set(sa.inspect(connection).get_table_names()) - {VERSIONS})
    return {name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0 for name in names}


# --- checks ----------------------------------------------------------------------------------------------------------


def _check(manifest: Manifest, copy: Path, dialect: str) -> None:
    """Raise unless the copy is whole and of a kind and revision that can be put back here."""
    if manifest.dialect != dialect:
        raise BackupUnusable(
            f"the backup is of {manifest.dialect}, the database is {dialect}",
            next_step="set FACTORY_DATABASE_URL to a database of the same kind",
        )
    if not copy.is_file() or copy.stat().st_size != manifest.bytes or _sha256(copy) != manifest.sha256:
        raise BackupUnusable(
            f"{copy.name!r} is missing, cut short or changed: its sha256 is not the manifest's",
            next_step="copy both files again from where backups are kept, or take an older backup",
        )
    if not knows_revision(manifest.revision):
        raise BackupUnusable(
            f"the backup stands at revision {manifest.revision}, this version knows up to {newest_revision()}",
            next_step="install the version of AutoReel that made it, or a newer one",
        )


def _check_counts(manifest: Manifest, counts: Mapping[str, int]) -> None:
    wrong = [name for name, count in manifest.counts.items() if counts.get(name) != count]
    if wrong:
        raise BackupUnusable(
            f"after the restore {', '.join(wrong)} do not have the rows that the manifest counts",
            next_step="restore an older backup with --replace; this one is damaged",
        )


def _require_tables(url: str) -> None:
    if database_revision(url) is None:
        raise NoDatabaseYet("there is no database of AutoReel yet", next_step="make one with `factory db migrate`")


def _standing(engine: sa.Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return row_counts(connection)


def _told_by(url: str) -> tuple[str, dict[str, int]]:
    """Return the revision and the row counts of a database."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return database_revision(url) or "base", row_counts(connection)
    finally:
        engine.dispose()


# --- SQLite ----------------------------------------------------------------------------------------------------------


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database that others may be writing: SQLite's backup sees one committed state."""
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def _put_back_sqlite(copy: Path, target: Path) -> None:
    """Bring a copy of the copy up to date, then write it over the database in one transaction of SQLite."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".restore-") as folder:
        fresh = Path(folder) / "database.db"
        _copy_sqlite(copy, fresh)
        with contextlib.closing(sqlite3.connect(fresh)) as opened:
            found = opened.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise BackupUnusable(f"SQLite finds {copy.name!r} damaged: {found}", next_step="take an older backup")
        with contextlib.closing(sqlite3.connect(fresh)) as new, contextlib.closing(sqlite3.connect(target)) as old:
            new.backup(old)


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def _dump_postgres(engine: sa.Engine, target: Path) -> tuple[str, dict[str, int]]:
    """Dump the snapshot that the rows are counted in."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        snapshot = str(connection.scalar(sa.text("SELECT pg_export_snapshot()")))
        revision = str(connection.scalar(sa.select(sa.column("version_num")).select_from(sa.table(VERSIONS))))
        counts = row_counts(connection)
        postgres_tools.dump(engine.url, target, snapshot=snapshot, server=_server(engine))
    return revision, counts


def _server(engine: sa.Engine) -> int:
    """Return the server's major version."""
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT current_setting('server_version_num')")) or 0) // 10_000


# --- files -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _written(place: Path) -> Iterator[Path]:
    """Yield a path beside `place` that only this user reads; what was written there takes the place in one step."""
    partial = place.with_name(f".{place.name}.partial")
    partial.touch(mode=0o600)
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
