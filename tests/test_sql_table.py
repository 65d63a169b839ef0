"""A database answers as a table: by reading alone, within limits, and without a word of its address."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from factory.errors import FactoryError
from factory.plan.ranking_table import rank_table
from factory.plan.tables import TableUnreadable
from factory.store.sql_table import QueryRefused, SourceUnreachable, table_from_sql
from tests.servers import fresh_database

STOCK = (
    "CREATE TABLE sales (name TEXT, units NUMERIC, share REAL, period DATE, note BYTEA)",
    "INSERT INTO sales VALUES ('北风 X5', 18234, 0.1, '2026-10-01', NULL)",
    "INSERT INTO sales VALUES ('Lumen 100%; S', 15210, 0.25, '2026-10-01', NULL)",
    "INSERT INTO sales VALUES ('Kestrel GT', -5, NULL, '2026-10-01', NULL), ('Pico E', 900, 1, NULL, NULL)",
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """A stocked database of somebody else's."""
    if request.param == "sqlite":
        with sqlite3.connect(tmp_path / "desk.db") as file:
            for statement in STOCK:
                file.execute(statement)
        file.close()
        yield f"sqlite:///{tmp_path / 'desk.db'}"
        return
    with fresh_database(request.getfixturevalue("postgres_url")) as made:
        with psycopg.connect(plain(made), autocommit=True) as connection:
            for statement in STOCK:
                connection.execute(statement.encode())
        yield made


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def count(url: str) -> int:
    if url.startswith("sqlite"):
        with sqlite3.connect(make_url(url).database or "") as file:
            return int(file.execute("SELECT count(*) FROM sales").fetchone()[0])
    with psycopg.connect(plain(url)) as connection:
        row = connection.execute(b"SELECT count(*) FROM sales").fetchone()
        assert row is not None
        return int(row[0])


def test_an_answer_is_a_table_and_its_bad_rows_are_named_by_row(url: str) -> None:
    table = table_from_sql("SELECT name, units AS sales, share FROM sales ORDER BY units DESC;\n", url, "sales.sql")
    assert table.columns == ("name", "sales", "share")
    assert table.rows[0] == ("北风 X5", "18234", "0.1")
    assert table.rows[3] == ("Kestrel GT", "-5", "")
    ranking, bad = rank_table(table, {"value": "sales"})
    assert (ranking.rows[0].name, ranking.rows[0].value) == ("北风 X5", Decimal(18234))
    assert [str(row) for row in bad] == ["row 4, column 'sales': -5 is negative"]
    assert ranking.source.name == "sales.sql"


def test_signs_and_semicolons_inside_a_text_are_text(url: str) -> None:
    asked = "SELECT name, units FROM sales WHERE name LIKE '%100\\%; S' ESCAPE '\\' -- a ; here\n/* and ; here */ ;"
    assert [row[0] for row in table_from_sql(asked, url).rows] == ["Lumen 100%; S"]
    assert table_from_sql("WITH t AS (SELECT 1 AS a) SELECT a, 2 AS b FROM t", url).rows == (("1", "2"),)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM sales",
        "SELECT 1 AS a; DELETE FROM sales",
        "SELECT 1 AS a;;DROP TABLE sales;",
        "/* SELECT */ DROP TABLE sales",
        "WITH gone AS (DELETE FROM sales RETURNING name) SELECT name FROM gone",
        "SELECT E'\\'' AS a; DELETE FROM sales --'",
        "SELECT $a$ ' $a$ AS a; DELETE FROM sales --'",
        'SELECT 1 AS "a;" ; COMMIT; DELETE FROM sales',
        "SELECT '\\' AS a; DELETE FROM sales; --'",
        "INSERT INTO sales SELECT * FROM sales",
        "SELECT * INTO other FROM sales",
        "PRAGMA writable_schema=1",
        "ATTACH 'x.db' AS x",
        "",
        ";",
        "SELECT" + " 1," * 10_000,
    ],
)
def test_nothing_but_one_select_runs(url: str, statement: str) -> None:
    with pytest.raises((QueryRefused, TableUnreadable)):
        table_from_sql(statement, url)
    assert count(url) == 4


def test_the_connection_itself_cannot_write(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would pass for one SELECT still meets a database that only reads."""
    monkeypatch.setattr("factory.store.sql_table._checked", lambda statement: statement)
    for statement in (
        "DELETE FROM sales",
        "DELETE FROM sales RETURNING name",
        "SELECT 1 AS a; COMMIT; DELETE FROM sales",
    ):
        with pytest.raises((QueryRefused, sqlite3.Warning)):
            table_from_sql(statement, url)
    assert count(url) == 4


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("SELECT name FROM sales WHERE units > 99999", "no row"),
        ("SELECT name, name FROM sales", "two columns"),
        ("SELECT name FROM sales a CROSS JOIN (SELECT 1 AS one UNION SELECT 2 UNION SELECT 3) b", "more than 10 rows"),
    ],
)
def test_an_answer_that_is_no_table_is_refused(url: str, statement: str, says: str) -> None:
    with pytest.raises(TableUnreadable, match=says):
        table_from_sql(statement, url, most=10)


def test_a_query_ends_with_its_time(url: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS all_of_them FROM n"
    with pytest.raises(QueryRefused, match=r"more than 0.3 s"):
        table_from_sql(endless, url, seconds=0.3)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///absent/secret-word.db?password=secret-word",
        "postgresql://desk:secret-word@127.0.0.1:1/sales?sslpassword=secret-word",
        "postgresql://desk:secret-word@127.0.0.1:port/sales",
        "mysql://desk:secret-word@127.0.0.1/sales",
        "secret-word",
        "sqlite://",
    ],
)
def test_no_secret_of_an_address_is_told(url: str) -> None:
    with pytest.raises(FactoryError) as refusal:
        table_from_sql("SELECT 1 AS a", url)
    trace = "".join(str(frame) for frame in (refusal.value.sentence(), refusal.value.__cause__))
    assert "secret-word" not in trace.replace("secret-word.db", "")
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match="'sales' cannot be opened"):
        table_from_sql("SELECT 1 AS a", "postgresql://desk@127.0.0.1:1/sales")
    (tmp_path / "note.db").write_text("no database, a note of some length", encoding="utf-8")
    with pytest.raises(QueryRefused, match="not a database"):
        table_from_sql("SELECT name FROM sales", f"sqlite:///{tmp_path / 'note.db'}")
