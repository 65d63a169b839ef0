"""The table of an order: a CSV, a query in a file or on the command line, and never both."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from factory.data_in import table_asked
from factory.errors import WrongUsage
from tests.test_cli import factory


@pytest.fixture
def desk(tmp_path: Path) -> str:
    file = sqlite3.connect(tmp_path / "desk.db")
    with file:
        file.execute("CREATE TABLE orders (title TEXT, seed INTEGER)")
        file.execute("INSERT INTO orders VALUES ('One', 1), ('Two', -1)")
    file.close()
    return f"sqlite:///{tmp_path / 'desk.db'}"


def test_a_table_is_a_file_or_an_answer(desk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.csv").write_text("title\nOne\n", encoding="utf-8")
    (tmp_path / "rows.sql").write_text("SELECT title FROM orders ORDER BY seed;", encoding="utf-8")
    monkeypatch.setenv("DESK", desk)
    asked = table_asked(tmp_path / "rows.sql", "", "env:DESK")
    told = table_asked(None, "SELECT title FROM orders ORDER BY seed", desk)
    written = table_asked(tmp_path / "rows.csv", "", "")
    assert asked
    assert told
    assert written
    assert asked.rows == told.rows == (("Two",), ("One",))
    assert (asked.name, told.name, written.name) == ("rows.sql", "desk.db", "rows.csv")
    assert (asked.counted, written.counted) == ("row", "line")
    assert table_asked(None, "", "") is None


@pytest.mark.parametrize(
    ("data", "sql", "source", "says"),
    [
        ("rows.csv", "SELECT 1 AS a", "sqlite:///x", "a table and a query are given"),
        (None, "SELECT 1 AS a", "", "the query has no database"),
        ("rows.sql", "", "", "the query has no database"),
        ("rows.csv", "", "sqlite:///x", "no query asks it"),
        ("absent.sql", "", "sqlite:///x", "cannot be read"),
        (None, "SELECT 1 AS a", "env:NO_SUCH_NAME", "the environment has no 'NO_SUCH_NAME'"),
    ],
)
def test_what_contradicts_itself_is_refused(data: str | None, sql: str, source: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=says):
        table_asked(tmp_path / data if data else None, sql, source)


def test_a_batch_is_asked_of_a_database_and_its_rows_are_named_by_number(desk: str, tmp_path: Path) -> None:
    given = ["--sql", "SELECT title, seed FROM orders WHERE seed < 0", "--from", desk]
    told = factory(tmp_path / "home", "batch", "off_road", *given, FACTORY_VOICE="silent")
    assert told.returncode == 3
    assert "refused  row 1" in told.stderr
    assert "column 'seed'" in told.stderr
    assert told.stdout.startswith("1 rows: 0 made, 0 reused, 1 refused, 0 failed")


@pytest.mark.parametrize(
    "address", ["postgresql://u:hush-hush@127.0.0.1:1/x", "postgresql://u:hush-hush@h:port/x", "hush-hush"]
)
def test_an_address_is_told_to_nobody(address: str, tmp_path: Path) -> None:
    told = factory(tmp_path, "make", "ranking", "--sql", "SELECT 1 AS a", "--from", address, FACTORY_LOG_LEVEL="DEBUG")
    assert told.returncode in (1, 2)
    assert "Next: " in told.stderr
    assert "hush-hush" not in told.stderr + told.stdout
