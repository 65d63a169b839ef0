"""Any table becomes a ranking: encodings, columns, periods, ties, changes, and bad rows named by line and column."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.brief import Table
from factory.plan.facts import Ranking
from factory.plan.periods import Period, month_of, parse_period
from factory.plan.ranking_table import rank_table, table_periods
from factory.plan.staleness import TableStale
from factory.plan.tables import BadRow, TableUnfit, TableUnreadable, read_table


def ranked(text: str, least: int = 1, today: date | None = None, **options: str) -> tuple[Ranking, tuple[BadRow, ...]]:
    return rank_table(read_table(text.encode(), "t.csv"), options, least=least, today=today)


def places(ranking: Ranking) -> list[tuple[int, str, str, str]]:
    return [(row.rank, row.name, str(row.value), row.change) for row in ranking.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_reads_what_spreadsheets_write(encoding: str, delimiter: str) -> None:
    text = f'车型{delimiter}销量\r\n北风 X5{delimiter}"12,345"\r\n"红隼{delimiter}GT"{delimiter}9\r\n'
    table = read_table(text.encode(encoding), "表.csv")
    assert table.columns == ("车型", "销量")
    assert table.rows == (("北风 X5", "12,345"), (f"红隼{delimiter}GT", "9"))


def test_western_text_of_old_programs_is_not_taken_for_chinese() -> None:
    table = read_table("name,value\nCitroën C3,1\nRenault\u00a0Zoe,2\n".encode("cp1252"), "t")
    assert table.rows == (("Citroën C3", "1"), ("Renault\u00a0Zoe", "2"))


def test_rows_stand_on_their_lines() -> None:
    table = read_table(b'name,value\n\n"two\nlines",3\nx,4\n', "t")
    assert table.rows == ((), ("two\nlines", "3"), (), ("x", "4"))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no header"),
        (b"\n\n", "no header"),
        (b"name,value\n", "no rows"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "no text"),
        (b"a,a\n1,2\n", "two columns are called 'a'"),
        (b'name,value\n"open,3\n', "line 2"),
        (b"a" * 3000 + b",b\n1,2\n", "more than 2000 characters"),
        (b",".join(b"c%d" % i for i in range(201)) + b"\n1\n", "201 columns"),
        (b"a,b\n" + b"1,2\n" * 50_001, "more than 50000 rows"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(TableUnreadable, match=says):
        read_table(data, "t.csv")


def test_an_overlong_cell_refuses_its_row_alone() -> None:
    data = b"name,sales\nOne,30\nTwo,20\n" + b"x" * 3000 + b",15\nThree,10\n"
    _ranking, bad = rank_table(read_table(data, "t.csv"), {})
    (row,) = bad
    assert str(row).startswith("line 4, column 'name': the name has ")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    try:
        assert isinstance(read_table(data, "t"), Table)
    except TableUnreadable as refusal:
        assert refusal.exit_code == 2  # noqa: PT017  refused or read: both are right here


SALES = """\
name,sales,previous_rank,source,date,sample
Northwind X5,"12,345",2,Desk,2026-11-02,yes
Lumen S,9000,1,Desk,2026-11-02,yes
Kestrel GT,9000,3,Desk,2026-11-02,yes
Pico E,1.2万,,Desk,2026-11-02,yes
"""


def test_ties_share_a_rank_and_new_entries_are_new() -> None:
    ranking, bad = ranked(SALES, title="Sales", top="3")
    assert not bad
    assert places(ranking) == [
        (1, "Northwind X5", "12345", "up"),
        (2, "Pico E", "12000", "new"),
        (3, "Lumen S", "9000", "down"),
        (3, "Kestrel GT", "9000", "same"),
    ]
    assert [row.tied for row in ranking.rows] == [False, False, True, True]
    assert (ranking.title, ranking.metric, ranking.unit) == ("Sales", "sales", "辆")
    assert (ranking.source.name, ranking.source.date, ranking.source.sample) == ("Desk", "2026-11-02", True)


def test_bad_rows_are_named_and_the_rest_load() -> None:
    text = "车型,销量（辆）\n甲,100\n乙,\n丙,abc\n丁,-5\n戊,0\n甲,90\n己,80 km\n,70\n庚,60,7\n辛\u202e,1\n壬,50\n"
    ranking, bad = ranked(text)
    assert places(ranking) == [(1, "甲", "100", "unknown"), (2, "壬", "50", "unknown")]
    assert [(b.line, b.column) for b in bad] == [
        (3, "销量（辆）"),
        (4, "销量（辆）"),
        (5, "销量（辆）"),
        (6, "销量（辆）"),
        (7, "车型"),
        (8, "销量（辆）"),
        (9, "车型"),
        (10, "销量（辆）"),
        (11, "车型"),
    ]
    whys = " | ".join(b.why for b in bad)
    for said in (
        "missing",
        "'abc' is not a number",
        "negative",
        "zero",
        "on line 2 already",
        "'km'",
        "3 cells",
        "U+202E",
    ):
        assert said in whys


def test_too_few_good_rows_name_the_bad_ones() -> None:
    with pytest.raises(TableUnfit, match="1 good rows; a ranking needs 3") as refusal:
        ranked("name,value\na,1\nb,x\nc,\n", least=3)
    assert "line 3, column 'value': 'x' is not a number" in refusal.value.next_step


MONTHLY = """\
Year,Month,Make,Model,Quantity
2016,11,"Volkswagen ",Volkswagen Golf,1000
2016,11,Tesla,Model S,900
2016,12,"Volkswagen ",Volkswagen Golf,800
2016,12,Tesla,Model S,950
2016,12,BMW,i3,700
2017,2,BMW,i3,500
2017,2,Tesla,Model S,400
"""


def test_a_period_is_compared_with_the_one_directly_before() -> None:
    ranking, _ = ranked(MONTHLY, where="Year=2016,Month=12")
    assert ranking.period == "2016-12"
    assert places(ranking) == [
        (1, "Tesla Model S", "950", "up"),
        (2, "Volkswagen Golf", "800", "down"),
        (3, "BMW i3", "700", "new"),
    ]
    assert ranking.rows[0].previous_value == 900
    assert ranked(MONTHLY, period="2016-12")[0].rows == ranking.rows


@pytest.mark.parametrize("quantity", ["", "-", "n/a", "many", "0"])
def test_who_stood_in_the_period_before_without_a_value_is_not_new(quantity: str) -> None:
    ranking, _ = ranked(f"{MONTHLY}2016,11,BMW,i3,{quantity}\n2016,12,Kia,EV6,10\n", period="2016-12")
    assert [(row.name, row.change, row.previous_rank) for row in ranking.rows[2:]] == [
        ("BMW i3", "unknown", None),
        ("Kia EV6", "new", None),
    ]


def test_a_name_told_twice_in_the_period_before_keeps_its_first_place() -> None:
    ranking, _ = ranked(f"{MONTHLY}2016,11,Tesla,Model S,1\n", period="2016-12")
    assert places(ranking)[0] == (1, "Tesla Model S", "950", "up")


def test_where_no_value_of_the_period_before_can_be_read_nobody_is_new() -> None:
    text = "月份,车型,销量\n2026-09,甲,\n2026-09,乙,-\n2026-10,甲,2\n2026-10,乙,1\n2026-10,丙,3\n"
    assert {row.change for row in ranked(text)[0].rows} == {"unknown"}


def test_without_the_period_before_the_change_is_unknown() -> None:
    latest, _ = ranked(MONTHLY)
    assert latest.period == "2017-02"
    assert {row.change for row in latest.rows} == {"unknown"}
    with pytest.raises(TableUnfit, match="no rows of the period") as refusal:
        ranked(MONTHLY, period="2030-01")
    assert "2016-11 to 2017-02" in refusal.value.next_step


def test_a_table_names_its_periods() -> None:
    table = read_table(MONTHLY.encode(), "t")
    assert table_periods(table, {}) == ("2016-11", "2016-12", "2017-02")
    assert all(ranked(MONTHLY, period=period)[0].period == period for period in table_periods(table, {}))
    assert table_periods(read_table(b"name,value\na,1\n", "t"), {}) == ()


def test_conditions_choose_rows() -> None:
    text = "name,value,fuel\na,3,ev\nb,2,Diesel\nc,1,ev\n"
    assert [row.name for row in ranked(text, where="fuel=EV")[0].rows] == ["a", "c"]
    assert [row.name for row in ranked(text, where="fuel!=ev")[0].rows] == ["b"]
    assert [row.name for row in ranked(text, where="value=2.0")[0].rows] == ["b"]
    with pytest.raises(TableUnfit, match="no condition"):
        ranked(text, where="fuel")
    with pytest.raises(TableUnfit, match="no column 'fule'") as refusal:
        ranked(text, where="fule=ev")
    assert "'fuel'" in refusal.value.next_step


def test_columns_are_found_or_asked_for() -> None:
    assert ranked("label,points\na,3\nb,4\n")[0].metric == "points"
    text = "label,this,that\na,3,9\nb,4,8\n"
    with pytest.raises(TableUnfit, match=r"several columns of numbers \(this, that\)"):
        ranked(text)
    assert places(ranked(text, value="that", order="asc")[0])[0][1] == "b"
    assert places(ranked("brand,model,range_km\nA,X,500\nA,Y,510\n")[0])[0][1] == "A Y"
    repeated = "Make,Model,Price\nOpel Corsa,Corsa,9\nOpel,Opel Astra,8\nOpel,,7\n"
    assert [row.name for row in ranked(repeated)[0].rows] == ["Opel Corsa", "Opel Astra", "Opel"]
    assert ranked("brand,model,range_km\nA,X,500\nA,Y,510\n")[0].unit == "km"
    with pytest.raises(TableUnfit, match="no column of numbers"):
        ranked("name,other\na,b\n")
    with pytest.raises(TableUnfit, match="order"):
        ranked(text, value="that", order="best")
    with pytest.raises(TableUnfit, match="top"):
        ranked(text, value="that", top="0")


def test_less_is_better_where_the_column_means_so() -> None:
    ranking, _ = ranked("name,zero_to_100_s\na,4.5\nb,3.9\n")
    assert not ranking.higher_is_better
    assert (ranking.rows[0].name, ranking.unit) == ("b", "s")


def test_stated_ranks_are_kept_and_contradictions_refused() -> None:
    text = "rank,name,sales\n1,a,50\n2,b,40\n2,c,39\n3,d,45\n4,e,20\n4,f,20\n"
    ranking, bad = ranked(text)
    assert [(r.rank, r.name, r.tied) for r in ranking.rows] == [
        (1, "a", False),
        (2, "b", False),
        (4, "e", True),
        (4, "f", True),
    ]
    assert [(b.line, b.column) for b in bad] == [(4, "rank"), (5, "rank")]
    assert "rank 2 stands on line 3 already" in bad[0].why


def test_previous_values_give_previous_ranks() -> None:
    ranking, _ = ranked("车型,销量,上月销量\n甲,30,5\n乙,20,9\n丙,10,\n")
    assert [(r.name, r.change, r.previous_rank) for r in ranking.rows] == [
        ("甲", "up", 2),
        ("乙", "down", 1),
        ("丙", "new", None),
    ]


@pytest.mark.parametrize(
    ("header", "cell", "why"),
    [
        ("range_km", "0", "it is zero"),
        ("range_km", "-5", "-5 is negative"),
        ("zero_to_100_s", "0", "it is zero"),
        ("power (kW)", "-1", "-1 is negative"),
        ("price", "-1", "-1 is negative"),
        ("sales", "12.5", "12.5 is no whole number"),
        ("sales", "0", "it is zero"),
        ("fuel (L/100km)", "-1", "-1 is negative"),
        ("fuel (L/100km)", "0", None),
        ("growth (%)", "-3.5", None),
        ("growth (%)", "0", None),
        ("sales", "1.25万", None),
        ("销量（万辆）", "1.25", None),
        ("score", "0", None),
    ],
)
def test_a_number_that_cannot_be_stops_its_row(header: str, cell: str, why: str | None) -> None:
    ranking, bad = ranked(f"name,{header}\na,7\nb,{cell}\n")
    assert [row.why for row in bad] == ([why] if why else [])
    assert len(ranking.rows) == (1 if why else 2)


def monthly(*periods: str, column: str = "period", sample: str = "") -> str:
    rows = [f"{name},{value},{period},{sample}" for period in periods for name, value in (("a", 3), ("b", 2))]
    return f"name,sales,{column},sample\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("periods", "last", "first"),
    [
        (["2026-09", "2026-10"], date(2027, 1, 1), date(2027, 1, 2)),
        (["2026-10"], date(2027, 1, 1), date(2027, 1, 2)),
        (["2026-Q3"], date(2027, 4, 2), date(2027, 4, 3)),
        (["2024", "2025"], date(2028, 1, 1), date(2028, 1, 2)),
        (["2026-10-30", "2026-10-31"], date(2026, 11, 14), date(2026, 11, 15)),
        (["2026-10-31"], date(2028, 10, 31), date(2028, 11, 1)),  # the date of a table, no frequency
    ],
)
def test_a_table_is_stale_when_two_periods_have_passed(periods: list[str], last: date, first: date) -> None:
    text = monthly(*periods)
    assert ranked(text, today=last)[0].period == periods[-1]
    with pytest.raises(TableStale, match=f"newest .* is {periods[-1]}") as refusal:
        ranked(text, today=first)
    assert refusal.value.code == "table-stale"
    assert "stale=allow" in refusal.value.next_step
    assert ranked(text)[0].period == periods[-1]  # who gives no day asks no such question


def test_an_old_period_that_is_asked_for_is_no_stale_table() -> None:
    text, today = monthly("2016-11", "2016-12"), date(2026, 11, 29)
    assert ranked(text, today=today, period="2016-11")[0].period == "2016-11"
    assert ranked(text, today=today, where="period=2016-12")[0].period == "2016-12"
    assert ranked(text, today=today, stale="allow")[0].period == "2016-12"
    assert ranked(monthly("2016-12", sample="SAMPLE"), today=today)[0].period == "2016-12"
    for where, stale in (("", ""), ("name!=c", ""), ("period!=2016-11", ""), ("", "refuse")):
        with pytest.raises(TableStale):
            ranked(text, today=today, where=where, stale=stale)


def test_a_table_without_periods_shows_its_date_and_is_not_stale() -> None:
    assert ranked("name,range_km,source_date\na,3,2001-01-01\nb,2,2001-01-01\n", today=date(2026, 11, 29))[0].rows


def test_nobody_has_figures_of_a_period_to_come() -> None:
    text = monthly("2026-10") + "a,9,2027-10,\nb,9,2026-11,\n"
    ranking, bad = ranked(text, today=date(2026, 11, 1))
    assert ranking.period == "2026-11"
    assert [str(row) for row in bad] == ["line 4, column 'period': its period 2027-10 has not begun on 2026-11-01"]


def test_prices_in_ten_thousands_stay_exact() -> None:
    ranking, bad = ranked("车型,指导价（万元）\n甲,12.98\n乙,13.5万元\n丙,$9\n")
    assert places(ranking) == [(1, "乙", "13.5", "unknown"), (2, "甲", "12.98", "unknown")]
    assert ranking.unit == "万元"
    assert "USD" in bad[0].why


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2026-10", "2026-10"),
        ("2026年10月", "2026-10"),
        ("202610", "2026-10"),
        ("2026/3", "2026-03"),
        ("2026-Q3", "2026-Q3"),
        ("2026年第三季度", None),
        ("2026年第3季度", "2026-Q3"),
        ("2026", "2026"),
        ("1997.0", "1997"),
        ("2026-10-31", "2026-10-31"),
        ("2026-02-30", None),
        ("2026-13", None),
        ("October", None),
    ],
)
def test_periods(text: str, period: str | None) -> None:
    found = parse_period(text)
    assert (str(found) if found else None) == period


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-02-28", date(2026, 2, 28), date(2026, 2, 28)),
    ],
)
def test_a_period_has_a_first_and_a_last_day(text: str, first: date, last: date) -> None:
    period = parse_period(text)
    assert period is not None
    assert (period.first_day(), period.last_day()) == (first, last)


def test_the_period_before() -> None:
    before = {
        text: str(p.before()) for text in ("2026", "2026-01", "2026-Q1", "2026-03-01") if (p := parse_period(text))
    }
    assert before == {"2026": "2025", "2026-01": "2025-12", "2026-Q1": "2025-Q4", "2026-03-01": "2026-02-28"}
    assert Period(2025, 12, 0, "month") < Period(2026, 1, 0, "month")
    assert [month_of(m) for m in ("3", "03", "3月", "March", "13", "Marvel")] == [3, 3, 3, 3, None, 3]


CELLS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10),
    st.sampled_from(
        ["2026-10", "2027-13", "-5", "1.2万", "0", "9" * 18, "1e30", "1E-99", "12.5", "n/a", "yes", "1e99亿"]
    ),
)
HEADS = [
    "name",
    "sales",
    "period",
    "rank",
    "previous_rank",
    "price",
    "range_km",
    "date",
    "source",
    "year",
    "month",
    "sample",
]


@given(
    st.lists(st.sampled_from(HEADS), min_size=1, max_size=7),
    st.lists(st.lists(CELLS, max_size=8), max_size=8),
    st.dates(date(2000, 1, 1), date(2040, 1, 1)),
)
def test_any_table_is_ranked_or_refused_with_a_way_out(columns: list[str], body: list[list[str]], today: date) -> None:
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line] for line in [columns, *body]]
    text = "\n".join(",".join(line) for line in quoted)
    try:
        ranking, bad = ranked(text, today=today)
    except (TableUnfit, TableUnreadable) as refusal:
        assert refusal.next_step  # noqa: PT017  refused or ranked: both are right here
        return
    assert ranking.rows
    assert all(row.line >= 2 and row.column and row.why for row in bad)


names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)


@given(st.dictionaries(names.map(str.casefold), st.integers(1, 20), min_size=3, max_size=12))
def test_ranks_count_those_who_are_better(values: dict[str, int]) -> None:
    table = Table(name="t", columns=("name", "value"), rows=tuple((name, str(value)) for name, value in values.items()))
    ranking, bad = rank_table(table, {}, least=1)
    assert len(ranking.rows) + len(bad) == len(values)
    shown = [row.value for row in ranking.rows]
    for row in ranking.rows:
        assert row.rank == 1 + sum(value > row.value for value in shown)
        assert row.tied == (shown.count(row.value) > 1)


@pytest.mark.media
def test_real_monthly_sales_are_ranked_as_a_plain_reading_does(media: Path) -> None:
    path = media / "tables" / "norway-new-car-sales-by-model.csv"
    ranking, _ = rank_table(read_table(path.read_bytes(), path.name), {"where": "Year=2016,Month=12", "top": "10"})
    with path.open(encoding="latin-1") as file:
        rows = [row for row in csv.DictReader(file) if (row["Year"], row["Month"]) == ("2016", "12")]
    expected = sorted((Decimal(row["Quantity"]) for row in rows), reverse=True)[: len(ranking.rows)]
    assert [row.value for row in ranking.rows] == expected
    assert ranking.period == "2016-12"
    assert {row.change for row in ranking.rows} <= {"up", "down", "same", "new"}
