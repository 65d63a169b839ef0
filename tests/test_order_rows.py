"""Rows become orders: fields, inputs and names by column, bad rows by line and column, misspelt columns refused."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.errors import WrongUsage
from factory.plan.brief import Brief
from factory.plan.order_rows import OrderRow, order_rows
from factory.plan.tables import BadRow, TableUnfit, TableUnreadable, read_table
from factory.render.templates import UnknownTemplate

INPUTS = {"ranking": ("title", "places", "previous_rank"), "off_road": ("title", "beats")}
BATCH = Brief(template="ranking", locale="en-US", draft=True, set={"places": "5"})


def inputs_of(template: str) -> Collection[str]:
    if template not in INPUTS:
        raise UnknownTemplate("template", template, sorted(INPUTS))
    return INPUTS[template]


def rows(text: str, batch: Brief = BATCH) -> tuple[tuple[OrderRow, ...], tuple[BadRow, ...]]:
    return order_rows(read_table(text.encode(), "rows.csv"), batch, inputs_of)


def test_a_row_says_in_what_its_video_differs() -> None:
    text = (
        "Subject,seconds,aspect,locale,seed,series,brand,title,Previous Rank,data,output,draft\n"
        "SUV 销量,30,9:16|1:1,zh-CN,7,weekly,circuit,十月,last,oct.csv,suv,no\n"
        ",,,,,,,,,,,\n"
        "sales,,,,,,,,,,,\n"
    )
    (first, last), bad = rows(text)
    assert not bad
    assert first.brief == Brief(
        template="ranking",
        subject="SUV 销量",
        seconds=30,
        aspects=("9:16", "1:1"),
        locale="zh-CN",
        seed=7,
        series="weekly",
        brand="circuit",
        set={"places": "5", "title": "十月", "previous_rank": "last"},
    )
    assert (first.data, first.output, first.row.line) == ("oct.csv", "suv", 2)
    assert last.brief == BATCH.model_copy(update={"subject": "sales"})
    assert (last.data, last.output) == ("", "row-0004")


def test_each_row_may_ask_for_a_template_of_its_own() -> None:
    found, bad = rows(
        "template,title,beats\n,A,\noff_road,B,yes\nranking,C,yes\noff_raod,D,\n", Brief(template="ranking")
    )
    assert [order.brief.template for order in found] == ["ranking", "off_road"]
    assert found[1].brief.set == {"title": "B", "beats": "yes"}
    assert [(row.line, row.column) for row in bad] == [(4, "beats"), (5, "template")]
    assert "ranking has no input 'beats'" in bad[0].why
    assert "did you mean off_road?" in bad[1].why


def test_bad_rows_are_named_by_line_and_column_and_the_rest_stand() -> None:
    text = (
        "subject,seconds,aspect,seed,locale,output\n"
        "a,abc,,,,\n"
        "b,5,,,,\n"
        "c,,4:3,,,\n"
        "d,,,-1,,\n"
        "e,,,,fr-FR,\n"
        "f,,,,,a/b\n"
        "g,,,,,same\n"
        "h,,,,,SAME\n"
        "i,,,,,row-0011\n"
        "j,,,,,\n"
        "k,15,1:1,3,zh-CN,,7\n"
    )
    found, bad = rows(text)
    assert [order.brief.subject for order in found] == ["g", "i"]
    assert [(row.line, row.column) for row in bad] == [
        (2, "seconds"),
        (3, "seconds"),
        (4, "aspect"),
        (5, "seed"),
        (6, "locale"),
        (7, "output"),
        (9, "output"),
        (11, "output"),
        (12, "output"),
    ]
    assert "is that of line 8" in bad[6].why
    assert "7 cells" in bad[8].why


@pytest.mark.parametrize(
    ("text", "says", "step"),
    [
        ("subjct\na\n", "'subjct'", "did you mean 'subject'"),
        ("subject,Tilte\na,b\n", "'Tilte'", "did you mean 'title'"),
        ("subject,zzz\na,b\n", "'zzz'", "columns are: "),
        ("aspect,aspects\n1:1,1:1\n", "mean the same", "keep one"),
    ],
)
def test_a_column_that_means_nothing_is_refused_with_the_nearest(text: str, says: str, step: str) -> None:
    with pytest.raises(TableUnfit, match=says) as refusal:
        rows(text)
    assert step in refusal.value.next_step


def test_the_template_of_the_batch_must_exist() -> None:
    with pytest.raises(UnknownTemplate):
        rows("subject\na\n", Brief(template="rankin"))


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
headers = st.sampled_from(["subject", "seconds", "aspect", "seed", "output", "title", "template", "draft", "data"])


@given(st.lists(headers, min_size=1, max_size=6), st.lists(st.lists(cells, max_size=7), max_size=5))
def test_any_rows_are_orders_or_refused_by_name(columns: list[str], body: list[list[str]]) -> None:
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line] for line in [columns, *body]]
    try:
        found, bad = rows("\n".join(",".join(line) for line in quoted) + "\n")
    except (TableUnfit, TableUnreadable, WrongUsage) as refusal:
        assert refusal.next_step  # noqa: PT017  refused or read: both are right here
        return
    assert all(row.line >= 2 and row.why for row in bad)
    assert len({order.output.casefold() for order in found}) == len(found)
