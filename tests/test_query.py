"""The query grammar: what it reads, what it refuses and where, and that it writes what it reads."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.query import (
    EVERYTHING,
    MAX_CHARACTERS,
    And,
    Compare,
    HasTag,
    HasText,
    Not,
    Or,
    Query,
    QuerySyntax,
    all_of,
    any_of,
    format_query,
    parse_query,
    tags_of,
)

NAMES = {
    "off-road": "off-road",
    "越野": "off-road",
    "mud": "mud",
    "泥地": "mud",
    "water-crossing": "water-crossing",
    "涉水": "water-crossing",
    "night": "night",
    "夜景": "night",
    "exterior": "exterior",
    "外观": "exterior",
}


def resolve(name: str) -> str | None:
    return NAMES.get(name.lower())


OFF, MUD, WATER, NIGHT = HasTag("off-road"), HasTag("mud"), HasTag("water-crossing"), HasTag("night")


def at_least(key: str, value: str) -> Compare:
    return Compare(key, ">=", Decimal(value))  # type: ignore[arg-type]  # callers give one of the literals


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("", EVERYTHING),
        ("  ", EVERYTHING),
        ("mud", MUD),
        ("MUD", MUD),
        ("off-road", OFF),
        ("-night", Not(NIGHT)),
        ("!night", Not(NIGHT)),
        ("off-road mud", And((OFF, MUD))),
        ("off-road & mud & -night", And((OFF, MUD, Not(NIGHT)))),
        ("mud | night off-road", Or((MUD, And((NIGHT, OFF))))),
        ("(mud | night) off-road", And((Or((MUD, NIGHT)), OFF))),
        ("-(mud | night)", Not(Or((MUD, NIGHT)))),
        ("((mud))", MUD),
        (
            'off-road & (mud | water-crossing) & -night duration:>=3 height:>=720 rights:ok "free words"',
            And(
                (
                    OFF,
                    Or((MUD, WATER)),
                    Not(NIGHT),
                    at_least("duration", "3"),
                    at_least("height", "720"),
                    Compare("rights", "=", "ok"),
                    HasText("free words"),
                )
            ),
        ),
        ("越野 & 泥地 & -夜景", And((OFF, MUD, Not(NIGHT)))),
        ("越野＆（泥地｜涉水）　－夜景　时长：≥3", And((OFF, Or((MUD, WATER)), Not(NIGHT), at_least("duration", "3")))),
        ("golf", HasText("golf")),
        ("e-tron", HasText("e-tron")),
        ("“红隼 GT”", HasText("红隼 GT")),
        ('"mud"', HasText("mud")),
        (r'"say \"hi\" \\ there"', HasText(r'say "hi" \ there')),
        ("duration:<2.5s", Compare("duration", "<", Decimal("2.5"))),
        ("height:720p", Compare("height", "=", Decimal(720))),
        ("aspect:9:16", Compare("aspect", "=", Decimal("0.5625"))),
        ("coarse:外观", Compare("coarse", "=", "exterior")),
        ("asset:AB12", Compare("asset", "=", "ab12")),
        ("-rights:blocked", Not(Compare("rights", "=", "blocked"))),
    ],
)
def test_reads(text: str, means: Query) -> None:
    assert parse_query(text, resolve) == means


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("mud &", 6, "expected a tag"),
        ("mud | | night", 7, "expected a tag"),
        ("& mud", 1, "expected a tag"),
        ("(mud", 5, r"expected \) for the \( in column 1, found the end"),
        ("mud)", 4, "expected & or |"),
        ("()", 2, "expected a tag"),
        ("mud - night", 6, "directly after '-'"),
        ("-", 2, "directly after '-'"),
        ('mud "open', 10, "closes the one in column 5"),
        ('""', 1, "words between the quotes"),
        ("duration:long", 10, "expected a number after duration:, found 'long'"),
        ("duration:", 10, "expected a number"),
        ("duration:>=1e9999", 10, "expected a number"),
        ("durations:>3", 1, r"no filter 'durations:' \(did you mean duration:"),
        ("qqq:3", 1, "known are duration, height"),
        ("rights:>ok", 8, "takes a name"),
        ("asset:../etc", 7, "hex digits"),
        ("coarse:nothing", 8, "expected a tag after coarse:"),
        ("mud\x00", 4, r"U\+0000"),
        ("(" * 40 + "mud" + ")" * 40, 33, "more than 32"),
        ("x" * (MAX_CHARACTERS + 1), MAX_CHARACTERS + 1, "characters"),
    ],
)
def test_refuses_at_a_column(text: str, column: int, says: str) -> None:
    with pytest.raises(QuerySyntax, match=says) as refusal:
        parse_query(text, resolve)
    assert refusal.value.column == column
    assert refusal.value.exit_code == 2


visible = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(lambda t: t.strip())
decimals = st.decimals(0, 99_999, places=2, allow_nan=False, allow_infinity=False)
quotes = st.text(alphabet='a "“”＂\\', min_size=1, max_size=8).filter(lambda t: t.strip())
leaves: st.SearchStrategy[Query] = st.one_of(
    st.sampled_from([OFF, MUD, WATER, NIGHT]),
    visible.map(HasText),
    quotes.map(HasText),
    st.builds(Compare, st.sampled_from(["duration", "height"]), st.sampled_from([">=", "<=", ">", "<", "="]), decimals),
    st.just(Compare("rights", "=", "ok")),
)
queries = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=4).map(all_of),
        st.lists(inner, min_size=1, max_size=4).map(any_of),
    ),
    max_leaves=12,
)


@given(queries)
def test_writes_what_it_reads(query: Query) -> None:
    assert parse_query(format_query(query), resolve) == query


@given(st.text(alphabet='mud nightx|&-!()":>=3越，（）｜：“\\\t', max_size=40))
def test_any_text_is_a_query_or_a_named_refusal(text: str) -> None:
    try:
        query = parse_query(text, resolve)
    except QuerySyntax as refusal:
        assert 1 <= refusal.column <= len(text) + 1  # noqa: PT017  refused or read: both are right here
    else:
        assert parse_query(format_query(query), resolve) == query


def test_everything_and_nothing() -> None:
    assert all_of([]) == EVERYTHING
    assert format_query(EVERYTHING) == ""
    with pytest.raises(ValueError, match="matches nothing"):
        any_of([])


def test_tags_of_names_what_is_asked_for() -> None:
    assert tags_of(parse_query("off-road (mud | night) -water-crossing golf mud", resolve)) == (
        "off-road",
        "mud",
        "night",
    )
