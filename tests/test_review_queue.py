"""The review queue over a library, and the word that settles a question."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import sqlalchemy as sa

from factory.review import NoCorrection, correct, queue, take_back
from factory.settings import Settings
from factory.store import assets, review
from factory.store.db import Sessions
from factory.store.desk import UnknownShot, UnknownTag
from factory.store.schema import Shot
from factory.wiring import Parts, parts
from tests.library import a_shot, adopted, put
from understanding.tagged import ShotQuality, TaggedShot


@pytest.fixture
def house(tmp_path: Path) -> Parts:
    return parts(Settings(home=tmp_path / "home"))


def shots(sessions: Sessions) -> list[int]:
    with sessions.read() as session:
        return list(session.scalars(sa.select(Shot.id).order_by(Shot.id)))


def fill(house: Parts) -> list[int]:
    with house.sessions.write() as session:
        put(session, "sure.mp4", a_shot({"night": 0.98, "suv": 0.97}))
        put(session, "unsure.mp4", a_shot({"parking": 0.95}), a_shot({"parking": 0.95, "mud": 0.31}))
        put(session, "bare.mp4", a_shot({"car": 0.97, "suv": 0.96, "asphalt": 0.98}))
    return shots(house.sessions)


def test_doubtful_shots_are_listed_with_their_place_and_why(house: Parts) -> None:
    sure, _, muddy, bare = fill(house)
    asked = {one["shot"]: one for one in queue(house)}
    assert set(asked) == {muddy, bare}
    assert sure not in asked
    place = {key: asked[muddy][key] for key in ("path", "asset", "start", "end")}
    assert place == {"path": "clips/unsure.mp4", "asset": adopted("unsure.mp4").digest, "start": 4.0, "end": 8.0}
    assert asked[muddy]["questions"][0]["tag"] == "mud"
    assert asked[muddy]["questions"][0]["confidence"] == 0.31
    assert "unsure" in asked[muddy]["questions"][0]["why"]
    assert [why for one in asked[bare]["questions"] for why in one["why"]][:1] == ["no-scene"]


def test_a_settled_question_is_asked_no_more_until_it_is_taken_back(house: Parts) -> None:
    _, _, muddy, bare = fill(house)
    assert correct(house, muddy, "泥地", present=False, author="Li") == f"shot {muddy} does not show mud"
    assert correct(house, bare, "夜景", present=True) == f"shot {bare} shows night"
    assert queue(house) == []
    take_back(house, muddy, "mud")
    assert [one["shot"] for one in queue(house)] == [muddy]


def test_the_desks_word_on_one_shot_puts_an_alike_one_in_question(house: Parts) -> None:
    with house.sessions.write() as session:
        for name in ("a.mp4", "b.mp4"):
            put(session, name, a_shot({"night": 0.98, "suv": 0.97}))
    first, second = shots(house.sessions)
    assert queue(house) == []
    correct(house, first, "suv", present=False)
    correct(house, first, "sedan", present=True)
    (asked,) = queue(house)
    assert asked["shot"] == second
    assert {(q["tag"], q["confidence"], "desk-differs" in q["why"]) for q in asked["questions"]} == {
        ("suv", 0.97, True), ("sedan", None, True)
    }  # fmt: skip


def test_retired_clips_and_black_shots_are_not_asked(house: Parts) -> None:
    with house.sessions.write() as session:
        put(session, "gone.mp4", a_shot({"parking": 0.95, "mud": 0.31}))
        assets.retire(session, adopted("gone.mp4").digest)
        lit = a_shot({"parking": 0.99})
        dark = ShotQuality(luma=0.0, sharpness=0.0, motion=0.0, text_area=0.0, loudness_db=-120)
        black = TaggedShot(Fraction(0), Fraction(2), (), lit.vector, dark)
        put(session, "black.mp4", black, lit)
    assert queue(house) == []


def test_what_cannot_be_said_is_refused(house: Parts) -> None:
    (first, *_) = fill(house)
    with pytest.raises(UnknownTag, match="parkin") as refusal:
        correct(house, first, "parkin", present=True)
    assert "parking" in refusal.value.next_step
    with pytest.raises(UnknownShot):
        correct(house, 10_000, "mud", present=True)
    with pytest.raises(NoCorrection):
        take_back(house, first, "mud")


def test_the_index_is_asked_alike_on_every_database(sessions: Sessions) -> None:
    with sessions.write() as session:
        put(session, "long.mp4", *(a_shot({"mud": 0.3 + k / 100}) for k in range(9)))
        put(session, "other.mp4", a_shot({"mud": 0.9, "night": 0.5}))
    first, *rest = shots(sessions)
    with sessions.read() as session:
        assert review.least_sure(session) == {first, *rest[: review.A_CLIP - 1], rest[-1]}
        assert review.carriers(session) == ({"mud": 10, "night": 1}, 10)
        assert review.without_any(session, ["night"]) == {first}  # one shot a clip, the first of equals
        assert review.without_any(session, ["mud"]) == set()
        assert review.said(session, rest[-1:]) == {rest[-1]: {"mud": 0.9, "night": 0.5}}
        assert len(review.vectors(session, rest)) == 9
