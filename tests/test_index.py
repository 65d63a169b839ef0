from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factory.plan.query import EVERYTHING, And, Compare, HasTag, HasText, Not, Or, Query, parse_query
from factory.plan.selection import Candidate
from factory.store import index
from factory.store.assets import Found, find_shots
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.schema import Asset
from factory.store.words import like_pattern, searchable
from tests.library import TAXONOMY, a_clip, a_shot, put
from tests.stores import BOTH, empty_store


def ask(sessions: Sessions, text: str, *, limit: int = 20) -> Found:
    with sessions.read() as session:
        return find_shots(session, parse_query(text, TAXONOMY.resolve), limit=limit)


def titles(sessions: Sessions, text: str) -> list[str]:
    return [shot.title for shot in ask(sessions, text).shots]


@pytest.fixture(scope="module", params=BOTH)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    with empty_store(request.param, request, tmp_path_factory.mktemp("library")) as sessions:
        fill(sessions)
        yield sessions


def fill(sessions: Sessions) -> None:
    clips = {
        "muddy": a_clip(a_shot({"off-road": 0.9, "mud": 0.8}, seconds=Fraction(5))),
        "dark mud": a_clip(a_shot({"mud": 0.7, "night": 0.6}, seconds=Fraction(2))),
        "dune": a_clip(a_shot({"dune": 0.95}, seconds=Fraction(3)), width=720, height=1280),
        "cabin": a_clip(a_shot({"interior": 0.85}, speech="this is no mud at all")),
        "faint": a_clip(a_shot({"mud": 0.2})),
        "report": a_clip(a_shot({"suv": 0.9}, burnt_in="北风X5 试驾\n100%_真实")),
        "X50 carpet start": a_clip(a_shot({"sedan": 0.9}), width=1920, height=1080),
    }
    with sessions.write() as session:
        for title, clip in clips.items():
            put(session, f"{title}.mp4", clip=clip, rights="ok" if title == "dune" else "unknown")
        came = utc_now() - timedelta(days=40, hours=6)
        session.execute(sa.update(Asset).where(Asset.title == "dune").values(created_at=came))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("mud", ["muddy", "dark mud"]),
        ("泥地", ["muddy", "dark mud"]),
        ("off-road", ["dune", "muddy", "dark mud"]),  # a parent finds its children
        ("off-road & -night", ["dune", "muddy"]),
        ("off-road & (dune | night)", ["dune", "dark mud"]),
        ("mud duration:>=3", ["muddy"]),
        ("off-road duration:3", ["dune"]),
        ("off-road rights:ok", ["dune"]),
        ("off-road aspect:<1", ["dune"]),
        ("aspect:9:16", ["dune"]),
        ("height:>=1080 aspect:16:9", ["X50 carpet start"]),
        ("width:>1919", ["X50 carpet start"]),
        ("mud confidence:>=0.1", ["muddy", "dark mud", "faint"]),
        ("mud confidence:>0.7", ["muddy"]),
        ("mud confidence:<0.75", ["dark mud"]),
        ("off-road age:<=30", ["muddy", "dark mud"]),
        ("off-road age:<1", ["muddy", "dark mud"]),
        ("off-road age:>=40", ["dune"]),
        ("off-road age:40", ["dune"]),
        ("off-road age:41", []),
        ("off-road -age:<=30", ["dune"]),
        ("off-road age:>999999999", []),
        ('"no mud at all"', ["cabin"]),
        ('mud | "no mud"', ["muddy", "dark mud", "cabin"]),  # a tag stands above words
        ("北风", ["report"]),
        ('"北风 x5"', ["report"]),
        ("x5", ["report"]),  # not X50
        ('"car"', []),  # not carpet
        ('"art"', []),  # not start
        ('"100%"', ["report"]),
        ('"%"', []),
        ('"1_0"', []),
        ("coarse:off-road", ["dune", "muddy", "dark mud"]),
        ("coarse:interior -coarse:off-road", ["cabin"]),
        ("-(mud | dune | suv | sedan | interior) ", ["faint"]),
        ("plane-crash-of-mud", []),
    ],
)
def test_queries_find_what_they_say(library: Sessions, query: str, expected: list[str]) -> None:
    assert titles(library, query) == expected


def test_the_score_is_the_mean_of_what_was_asked(library: Sessions) -> None:
    assert ask(library, "mud & night").scores == pytest.approx((0.65,))
    assert ask(library, "night | mud").scores == pytest.approx((0.8, 0.7))
    assert ask(library, 'suv & "北风"').scores == pytest.approx((0.9,))
    assert ask(library, "duration:>=5").scores == (0.0,)


def test_the_total_counts_beyond_the_limit(library: Sessions) -> None:
    found = ask(library, "", limit=2)
    assert (found.total, len(found.shots)) == (7, 2)
    with library.read() as session:
        assert find_shots(session, EVERYTHING, limit=0).total == 7


def test_an_asset_is_named_by_the_start_of_its_digest(library: Sessions) -> None:
    digest = ask(library, "dune").shots[0].asset
    assert titles(library, f"asset:{digest[:12]}") == ["dune"]
    assert titles(library, f"asset:{digest} mud") == []


def test_a_thin_result_names_the_condition_that_removes_most(library: Sessions) -> None:
    query = parse_query("mud -night duration:>=60 rights:unknown", TAXONOMY.resolve)
    with library.read() as session:
        assert index.count(session, query) == 0
        without = index.count_without(session, query)
        assert without == (("duration:>=60", 1), ("mud", 0), ("-night", 0), ("rights:unknown", 0))
        assert index.count_without(session, HasTag("mud")) == (("mud", 7),)


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        (Compare("rights", "=", "maybe"), "rights:maybe is none of"),
        (Compare("height", ">=", "tall"), "compares numbers"),
        (Not(Compare("confidence", ">=", Decimal("0.5"))), "cannot be negated"),
        (And(tuple(HasTag(f"t{n}") for n in range(101))), "101 terms"),
    ],
)
def test_a_query_without_meaning_is_refused(sqlite: Sessions, query: Query, cause: str) -> None:
    with sqlite.read() as session, pytest.raises(index.QueryNotSearchable, match=cause):
        index.count(session, query)


def test_a_hundred_terms_still_work(library: Sessions) -> None:
    many = Or((*(HasText(f"word{n}") for n in range(99)), HasTag("dune")))
    with library.read() as session:
        assert [s.title for s in find_shots(session, many).shots] == ["dune"]
        assert find_shots(session, Not(And(many.terms))).total == 7


# --- against a plain reading of the same query -----------------------------------------------------------------------


def carries(shot: Candidate, tag: str) -> float:
    family = {tag, *(TAXONOMY.children(tag) if tag in TAXONOMY else ())}
    return max((t.confidence for t in shot.tags if t.tag in family and t.confidence >= 0.3), default=0.0)


def matches(shot: Candidate, query: Query) -> bool:
    match query:
        case HasTag(tag):
            return carries(shot, tag) > 0
        case HasText(words):
            pattern = like_pattern(words)
            return pattern is not None and pattern.strip("%") in searchable(shot.words)
        case Compare("duration", ">=", value):
            return shot.seconds >= Fraction(str(value))
        case Compare(_, _, value):
            return shot.height < int(value)
        case Not(term):
            return not matches(shot, term)
        case And(terms):
            return all(matches(shot, term) for term in terms)
        case Or(terms):
            return any(matches(shot, term) for term in terms)


TAGS = ["off-road", "mud", "dune", "night", "car", "suv", "interior", "seat", "no-such-tag"]
LEAVES: st.SearchStrategy[Query] = st.one_of(
    st.sampled_from(TAGS).map(HasTag),
    st.sampled_from(["mud", "北风", "x5", "!!"]).map(HasText),
    st.sampled_from(["2", "3.5", "7"]).map(lambda s: Compare("duration", ">=", Decimal(s))),
    st.sampled_from(["721", "360"]).map(lambda h: Compare("height", "<", Decimal(h))),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda terms: And(tuple(terms))),
        st.lists(inner, min_size=1, max_size=3).map(lambda terms: Or(tuple(terms))),
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def random_library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    with empty_store("sqlite", request, tmp_path_factory.mktemp("random")) as sessions:
        fill_at_random(sessions)
        yield sessions


def fill_at_random(sessions: Sessions) -> None:
    chance = random.Random(7)
    with sessions.write() as session:
        for number in range(60):
            shots = [
                a_shot(
                    {tag: round(chance.uniform(0.1, 1), 2) for tag in chance.sample(TAGS[:-1], chance.randint(0, 4))},
                    seconds=Fraction(chance.randint(1, 40), 5),
                    burnt_in=chance.choice(["", "北风X5", "mud here", "X50"]),
                    sharpness=chance.random(),
                )
                for _ in range(chance.randint(1, 3))
            ]
            put(session, f"{number}.mp4", clip=a_clip(*shots, height=chance.choice([360, 720, 1080])))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES)
def test_sql_finds_what_a_plain_reading_finds(random_library: Sessions, query: Query) -> None:
    with random_library.read() as session:
        everything = find_shots(session, EVERYTHING, limit=1000).shots
        found = find_shots(session, query, limit=1000)
    assert {s.shot for s in found.shots} == {s.shot for s in everything if matches(s, query)}
    assert found.total == len(found.shots)
    order = [(-score, -shot.quality, shot.shot) for score, shot in zip(found.scores, found.shots, strict=True)]
    assert order == sorted(order)
    if isinstance(query, HasTag):
        assert found.scores == tuple(carries(shot, query.tag) for shot in found.shots)


# --- the plan --------------------------------------------------------------------------------------------------------


def test_tags_are_read_by_key_and_never_by_scanning(random_library: Sessions) -> None:
    query = parse_query("mud & (dune | suv) & -night duration:>=3", TAXONOMY.resolve)
    with random_library.read() as session:
        statement = index.matching_shots(index.compile_query(session, query))
        sql = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        steps = [row.detail for row in session.execute(sa.text(f"EXPLAIN QUERY PLAN {sql}"))]
    scans = [step for step in steps if step.startswith("SCAN")]
    assert not [step for step in scans if "shot_tag" in step or step.split()[1] == "shot"], steps
    assert any("SEARCH shot_tag USING" in step for step in steps)
