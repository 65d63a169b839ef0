"""The oracle of refusals: it confirms what is true, and denies a refusal where every place could have been filled."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sqlalchemy.orm import Session

from factory.brief_set.index_rows import Row, answers, rows_of, shown_in
from factory.brief_set.thin import judge
from factory.plan.query import parse_query
from factory.plan.selection import Pick, Slot
from factory.store.db import Sessions
from factory.store.schema import JobRow, ShotUse
from tests.library import TAXONOMY, a_shot, put

FAMILIES = {label.name: TAXONOMY.children(label.name) for label in TAXONOMY.labels}


def row(shot: int, tags: str, *, seconds: int = 5, moment: int | None = None) -> Row:
    said = dict.fromkeys(tags.split(), 0.8)
    frame = Fraction(1, 30)
    return Row(shot, f"f{shot}", moment or shot, Fraction(seconds), frame, 720, 1280, True, "", said, frozenset())


def slot(scene: str, query: str, *, seconds: int = 3, cooldown: int = 14) -> Slot:
    asked = parse_query(query, TAXONOMY.resolve)
    return Slot(f"{scene}.0.0", scene, asked, query, Fraction(seconds), Pick(cooldown_days=cooldown))


def test_a_place_without_any_shot_is_confirmed() -> None:
    told = judge([slot("a", "mud")], [row(1, "snow")], FAMILIES)
    assert told.confirmed
    assert "scene 'a' wants 3.0 s of mud: 0 moments" in told.why


def test_a_refusal_is_denied_where_another_order_fills_every_place() -> None:
    wanted = [slot("first", "off-road"), slot("second", "off-road & mud")]
    told = judge(wanted, [row(1, "off-road mud"), row(2, "off-road")], FAMILIES)
    assert not told.confirmed


def test_two_places_cannot_share_a_moment() -> None:
    wanted = [slot("first", "mud"), slot("second", "mud")]
    assert judge(wanted, [row(1, "mud")], FAMILIES).confirmed
    assert judge(wanted, [row(1, "mud"), row(2, "mud", moment=1)], FAMILIES).confirmed
    assert not judge(wanted, [row(1, "mud"), row(2, "mud")], FAMILIES).confirmed


def test_a_shot_may_be_slowed_by_a_fifth_and_no_more() -> None:
    assert not judge([slot("a", "mud", seconds=6)], [row(1, "mud", seconds=5)], FAMILIES).confirmed
    assert judge([slot("a", "mud", seconds=7)], [row(1, "mud", seconds=5)], FAMILIES).confirmed


def test_what_the_series_has_shown_is_out_unless_a_place_takes_it_again() -> None:
    rows = [row(1, "mud"), row(2, "mud", moment=1)]
    assert judge([slot("a", "mud")], rows, FAMILIES, {2}).confirmed
    assert not judge([slot("a", "mud", cooldown=0)], rows, FAMILIES, {2}).confirmed


@pytest.fixture
def session(sqlite: Sessions) -> Session:
    with sqlite.write() as session:
        put(session, "Terra-Pro_mud.mp4", a_shot({"mud": 0.9, "suv": 0.2}, speech="Dig in"))
        put(session, "x.mp4", a_shot({"sedan": 0.7}, seconds=Fraction(2)))
        return session


@pytest.mark.parametrize(
    ("query", "shots"),
    [
        ("mud", 1),
        ("car", 2),  # by its children
        ("car confidence:>=0.5", 1),
        ('"terra pro"', 1),
        ('"dig in" & mud', 1),
        ("-mud", 1),
        ("duration:>=3", 1),
        ("mud | sedan", 2),
        ("mud & sedan", 0),
    ],
)
def test_rows_are_asked_one_by_one(session: Session, query: str, shots: int) -> None:
    asked = parse_query(query, TAXONOMY.resolve)
    assert sum(answers(one, asked, FAMILIES) for one in rows_of(session)) == shots


def test_what_finished_videos_of_a_series_show_is_read_from_their_rows(sqlite: Sessions) -> None:
    with sqlite.write() as session:
        put(session, "a.mp4", a_shot(["mud"]), a_shot(["snow"]))
        for job, state in (("one", "review"), ("two", "failed")):
            said = {"id": job, "kind": "produce", "spec": "{}", "spec_digest": "0" * 64, "series": "s", "state": state}
            session.add(
                JobRow(**said, submitted_by="", attempt=1, fence=1, rings=0, cancel_asked=False, progress=1.0, step="")
            )
            session.flush()
            session.add(ShotUse(shot_id=1 if job == "one" else 2, job_id=job, series="s"))
        session.flush()
        assert shown_in(session, "s") == {1}
        assert shown_in(session, "t") == frozenset()
