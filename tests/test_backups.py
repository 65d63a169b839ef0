from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from factory.cli import main
from factory.plan.brief import Brief
from factory.store import backups, db, jobs, postgres_tools, schedules
from factory.store.backups import BackupUnusable, DatabaseHoldsRows, NoDatabaseYet, backup, read_manifest, restore
from factory.store.columns import utc_now
from factory.store.rollback import NothingToRollBack, RollbackLosesData, roll_back
from factory.store.schedules import ScheduleEntry
from factory.store.schema import Model
from tests.servers import fresh_database, postgres_binaries


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs that came with the server stand first on PATH."""
    binaries = postgres_binaries()
    if binaries is not None:
        monkeypatch.setenv("PATH", str(binaries), prepend=":")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def urls(request: pytest.FixtureRequest, tmp_path: Path, tools: None) -> Iterator[tuple[str, str]]:
    """A database with rows, and another without tables."""
    if request.param == "sqlite":
        pair = f"sqlite:///{tmp_path / 'one.db'}", f"sqlite:///{tmp_path / 'deep' / 'two.db'}"
        fill(pair[0])
        yield pair
        return
    server = request.getfixturevalue("postgres_url")
    with fresh_database(server) as one, fresh_database(server) as two:
        fill(one)
        yield one, two


def fill(url: str) -> None:
    db.migrate(url)
    add(url, "tagger-1")
    sessions = db.Sessions.open(url)
    with sessions.write() as session:
        jobs.submit(session, Brief(template="off_road", subject="越野"))
    sessions.close()


def add(url: str, model: str) -> None:
    sessions = db.Sessions.open(url)
    with sessions.write() as session:
        session.add(Model(version=model))
    sessions.close()


def models(url: str) -> list[str]:
    sessions = db.Sessions.open(url)
    with sessions.read() as session:
        found = list(session.scalars(sa.select(Model.version).order_by(Model.version)))
    sessions.close()
    return found


def test_a_copy_comes_back_with_every_row(urls: tuple[str, str], tmp_path: Path) -> None:
    old, new = urls
    place = backup(old, tmp_path / "backups")
    manifest = read_manifest(place)
    assert (manifest.revision, manifest.counts["model"], manifest.counts["job"]) == (db.newest_revision(), 1, 1)
    assert {path.stat().st_mode & 0o777 for path in place.parent.iterdir()} == {0o600}
    done = restore(new, place)
    assert (models(new), done.revision, done.replaced) == (["tagger-1"], db.newest_revision(), 0)
    add(new, "tagger-2")
    assert models(old) == ["tagger-1"]


def test_rows_are_not_overwritten_unless_told(urls: tuple[str, str], tmp_path: Path) -> None:
    old, _ = urls
    place = backup(old, tmp_path)
    add(old, "tagger-2")
    with pytest.raises(DatabaseHoldsRows, match="model 2") as refusal:
        restore(old, place)
    assert "--replace" in refusal.value.next_step
    assert models(old) == ["tagger-1", "tagger-2"]
    assert restore(old, place, replace=True).replaced > 2
    assert models(old) == ["tagger-1"]
    add(old, "tagger-3")  # numbers of rows go on where the copy's ended


def test_an_older_copy_is_brought_up_to_date(urls: tuple[str, str], tmp_path: Path) -> None:
    old, new = urls
    db.migrate(old, "0005")
    place = backup(old, tmp_path)
    assert read_manifest(place).revision == "0005"
    assert restore(new, place).revision == db.newest_revision()
    assert models(new) == ["tagger-1"]


def test_a_damaged_or_foreign_copy_touches_nothing(urls: tuple[str, str], tmp_path: Path) -> None:
    old, _ = urls
    place = backup(old, tmp_path)
    copy, told = tmp_path / read_manifest(place).file, json.loads(place.read_text())
    data = copy.read_bytes()
    for change in (data[:-1], data[:-1] + bytes([data[-1] ^ 1]), b""):
        copy.write_bytes(change)
        with pytest.raises(BackupUnusable, match="sha256"):
            restore(old, place, replace=True)
    copy.write_bytes(data)
    other = "postgresql" if told["dialect"] == "sqlite" else "sqlite"
    for key, value in (("revision", "9999"), ("dialect", other), ("file", "../x"), ("form", 2), ("counts", {"a": "b"})):
        place.write_text(json.dumps(told | {key: value}))
        with pytest.raises(BackupUnusable):
            restore(old, place, replace=True)
    for text in ("", "[]", '{"made_at": 1}', "\x00"):
        place.write_text(text)
        with pytest.raises(BackupUnusable, match="no manifest"):
            restore(old, place, replace=True)
    with pytest.raises(BackupUnusable, match="cannot be read"):
        restore(old, tmp_path / "none.json", replace=True)
    assert models(old) == ["tagger-1"]


def test_a_database_without_tables_has_no_copy(tmp_path: Path) -> None:
    with pytest.raises(NoDatabaseYet):
        backup(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "backups")
    assert not (tmp_path / "backups").exists()


def test_a_copy_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'one.db'}"
    fill(url)
    monkeypatch.setattr(backups, "_sha256", lambda path: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        backup(url, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_copy_is_made_while_another_writes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'one.db'}"
    fill(url)
    sessions = db.Sessions.open(url)
    with sessions.write() as session:
        session.add(Model(version="not committed"))
        session.flush()
        place = backup(url, tmp_path / "backups")
    sessions.close()
    assert read_manifest(place).counts["model"] == 1
    copy = sqlite3.connect(tmp_path / "backups" / read_manifest(place).file)
    assert copy.execute("SELECT version FROM model").fetchall() == [("tagger-1",)]
    copy.close()


@pytest.mark.server
def test_a_missing_or_old_program_is_named(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_tools, "INSTALLED", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    with fresh_database(postgres_url) as url:
        fill(url)
        with pytest.raises(postgres_tools.ToolMissing, match="pg_dump is not here") as refusal:
            backup(url, tmp_path / "backups")
        assert "postgresql-client-" in refusal.value.next_step
        old = tmp_path / "pg_dump"
        old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
        old.chmod(0o755)
        with pytest.raises(postgres_tools.ToolMissing, match="only of version 9"):
            backup(url, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.server
def test_a_restore_that_fails_half_way_changes_nothing(postgres_url: str, tmp_path: Path, tools: None) -> None:
    with fresh_database(postgres_url) as url:
        fill(url)
        place = backup(url, tmp_path)
        add(url, "tagger-2")
        engine = db.open_engine(url)
        with engine.begin() as connection:  # a view of ours goes with CASCADE, a type of the same name as a table stays
            connection.execute(sa.text("DROP TABLE outbox"))
            connection.execute(sa.text("CREATE TYPE outbox AS ENUM ('in the way')"))
        engine.dispose()
        with pytest.raises(postgres_tools.ToolFailed, match="outbox"):
            restore(url, place, replace=True)
        assert models(url) == ["tagger-1", "tagger-2"]


def test_a_password_is_not_an_argument(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump 99.1" && exit\necho "$PGPASSWORD $*" >{tmp_path}/told\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    url = sa.make_url("postgresql+psycopg://desk:s3cret@db.example/autoreel")
    postgres_tools.dump(url, tmp_path / "x", snapshot="1", server=18)
    first, _, arguments = (tmp_path / "told").read_text().partition(" ")
    assert first == "s3cret"
    assert "s3cret" not in arguments
    assert "postgresql://desk@db.example/autoreel" in arguments


# --- one revision back -----------------------------------------------------------------------------------------------


def test_a_rollback_that_would_lose_rows_asks_first(urls: tuple[str, str]) -> None:
    url, _ = urls
    db.migrate(url, "0003")
    with pytest.raises(RollbackLosesData, match="the table job with 1 rows") as refusal:
        roll_back(url)
    assert "--yes" in refusal.value.next_step
    assert db.database_revision(url) == "0003"
    told = roll_back(url, keep=False)
    assert (told.undone, told.revision, db.database_revision(url)) == ("0003", "0002", "0003")
    assert roll_back(url, accept_loss=True).lost == told.lost
    assert db.database_revision(url) == "0002"
    assert not roll_back(url).lost  # cars and rankings are empty
    assert models(url) == ["tagger-1"]
    assert roll_back(url, accept_loss=True).revision == "base"
    with pytest.raises(NothingToRollBack):
        roll_back(url)


def test_slots_outlive_the_columns_that_came_later(urls: tuple[str, str]) -> None:
    url, _ = urls
    sessions = db.Sessions.open(url)
    with sessions.write() as session:
        schedules.add(session, ScheduleEntry("nightly", "ranking_batch", "30 2 * * *", "UTC", "", options={"a": 1}))
        schedules.take_slot(session, "nightly", utc_now(), note="kept")
    sessions.close()
    undone = roll_back(url, accept_loss=True)
    while not undone.meaning.startswith("Schedules catch up by a rule"):
        undone = roll_back(url, accept_loss=True)
    assert undone.lost == ("the column schedule.options of 1 rows",)  # what every row has by itself is no loss
    db.migrate(url)
    sessions = db.Sessions.open(url)
    with sessions.read() as session:
        assert [(slot.state, slot.note) for slot in schedules.history(session)] == [("done", "kept")]
    sessions.close()


def test_a_column_that_holds_something_is_lost_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'one.db'}"
    db.migrate(url, "0006")
    with contextlib.closing(sqlite3.connect(tmp_path / "one.db")) as plain:  # which holds nobody to foreign keys
        names = [name for _, name, _, needed, *_ in plain.execute("PRAGMA table_info(shot)") if needed]
        values = ", ".join("'1'" for _ in names)
        plain.execute(f"INSERT INTO shot ({', '.join(names)}, regions) VALUES ({values}, '[]')")
        plain.commit()
    with pytest.raises(RollbackLosesData, match=r"the column shot\.regions of 1 rows"):
        roll_back(url)
    assert roll_back(url, accept_loss=True).undone == "0006"


def test_the_commands_speak_for_people_and_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACTORY_HOME", str(tmp_path / "home"))

    def factory(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["factory", "db", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    assert factory("backup")[0] == 1
    assert factory("migrate")[0] == 0
    code, out, err = factory("backup")
    assert (code, Path(out.strip()).parent) == (0, tmp_path / "home" / "backups")
    assert "0 rows at revision" in err
    assert json.loads(factory("restore", out.strip(), "--json")[1])["manifest"]["dialect"] == "sqlite"
    assert "would undo" in factory("rollback", "--dry-run")[1]
    undone = json.loads(factory("rollback", "--json")[1])
    assert undone["undone"] == db.newest_revision()
