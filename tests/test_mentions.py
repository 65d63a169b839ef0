"""Shots that name cars: found by the car, preferred for it, and passed over for another."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
import sqlalchemy as sa

from factory.find import find
from factory.plan.choosing import choose_shots
from factory.plan.facts import Car, Source
from factory.plan.query import parse_query
from factory.plan.scoring import score
from factory.plan.selection import Slot
from factory.plan.storyboard import ShotQuery
from factory.plan.wants import storyboard_query
from factory.settings import Settings
from factory.store.assets import find_shots, retag
from factory.store.catalog import UnknownSubject, save_cars
from factory.store.db import Sessions
from factory.store.mentions import mentions_of
from factory.store.schema import CarRow, ShotMention
from factory.wiring import Parts, parts
from tests.library import TAXONOMY, a_clip, a_shot, adopted, put

SOURCE = Source("test", "2026-10")
SEAL = Car("byd-seal", "BYD", "比亚迪海豹", "BYD Seal", "sedan", (), SOURCE, ("Ocean-M",))
DOLPHIN = Car("byd-dolphin", "BYD", "比亚迪海豚", "BYD Dolphin", "hatchback", (), SOURCE)
NORTHWIND = Car("northwind-x5", "北风 Northwind", "北风 X5", "Northwind X5", "suv", (), SOURCE)


@pytest.fixture
def library(sessions: Sessions) -> Sessions:
    with sessions.write() as session:
        save_cars(session, (SEAL, DOLPHIN, NORTHWIND))
        put(session, "BYD_Seal-front.mp4", a_shot(["exterior"]))
        put(session, "one.mp4", a_shot(["exterior"], burnt_in="NORTHWLND X5\n试驾"), a_shot(["interior"]))
        put(session, "two.mp4", a_shot(["exterior"], speech="今天看比亚迪海豚"))
        put(session, "seal on the beach.mp4", a_shot(["exterior"]))
        put(session, "plain.mp4", a_shot(["exterior"], sharpness=0.1))
    return sessions


def named(sessions: Sessions, text: str) -> list[str]:
    with sessions.read() as session:
        found = find_shots(session, parse_query(text, TAXONOMY.resolve))
    return sorted(shot.title for shot in found.shots)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("car:byd-seal", ["BYD Seal-front"]),
        ("car:比亚迪海豹", ["BYD Seal-front"]),
        ("车型：BYDSeal", ["BYD Seal-front"]),
        ("car:northwind-x5", ["one"]),
        ("car:northwind-x5 & interior", []),
        ("car:byd-seal | car:byd-dolphin", ["BYD Seal-front", "two"]),
        ("exterior & -car:byd-seal & -car:byd-dolphin", ["one", "plain", "seal on the beach"]),
        ("car:nothing-such", []),
    ],
)
def test_shots_are_found_by_the_car_that_they_name(library: Sessions, query: str, titles: list[str]) -> None:
    assert named(library, query) == titles


def test_what_is_read_counts_more_than_a_title_and_a_slip_less(library: Sessions) -> None:
    with library.read() as session:
        rows = session.execute(
            sa.select(CarRow.slug, ShotMention.confidence, ShotMention.source)
            .join(CarRow, CarRow.id == ShotMention.car_id)
            .order_by(CarRow.slug)
        )
        told = [tuple(row) for row in rows]
    assert told == [("byd-dolphin", 0.7, "speech"), ("byd-seal", 0.6, "title"), ("northwind-x5", 0.6, "screen")]


def test_a_catalogue_that_comes_later_or_changes_is_matched_anew(sessions: Sessions) -> None:
    with sessions.write() as session:
        put(session, "Ocean-M at sea.mp4", a_shot(["exterior"]))
        put(session, "BYD Ocean M.mp4", a_shot(["exterior"]))
        assert mentions_of(session, [1, 2]) == {}
        save_cars(session, (SEAL,))
        assert mentions_of(session, [1, 2]) == {2: ("byd-seal",)}
        save_cars(session, (Car("byd-seal", "BYD", "海豹", "Seal", "sedan", (), SOURCE),))
        assert mentions_of(session, [1, 2]) == {}


def test_words_that_change_change_what_is_named(library: Sessions) -> None:
    with library.write() as session:
        retag(session, adopted("two.mp4").digest, a_clip(a_shot(["exterior"], burnt_in="BYD Seal")), TAXONOMY)
    assert named(library, "car:byd-dolphin") == []
    assert named(library, "car:byd-seal") == ["BYD Seal-front", "two"]


def slot(car: str, **wants: object) -> Slot:
    query = storyboard_query(ShotQuery.model_validate({"car": car, **wants}), TAXONOMY.resolve)
    return Slot("a.0.0", "a", query, "", Fraction(2), car=car)


def test_a_shot_that_names_the_car_is_taken_and_one_that_names_another_is_left(library: Sessions) -> None:
    with library.read() as session:
        shots = find_shots(session, parse_query("exterior", TAXONOMY.resolve)).shots
    for car, title in (("byd-seal", "BYD Seal-front"), ("northwind-x5", "one"), ("byd-dolphin", "two")):
        (choice,) = choose_shots([slot(car, tags_all=["exterior"])], {"a.0.0": shots}, seed=1)
        assert choice.candidate.title == title
        assert f"names the {car}" in [reason.why for reason in choice.reasons]
    others = [shot for shot in shots if shot.title in ("two", "plain")]
    (choice,) = choose_shots([slot("byd-seal", tags_all=["exterior"])], {"a.0.0": others}, seed=1)
    assert choice.candidate.title == "plain"  # a dull picture of nobody's car, rather than a crisp one of another's
    worth = {shot.title: score(slot(""), shot)[0] for shot in others}
    assert worth["two"] > worth["plain"]  # where no car is spoken of, names do not matter


def test_a_slip_of_the_reader_still_serves_a_storyboard(library: Sessions) -> None:
    wants = {"tags_all": ["exterior"], "text": ["北风 X5", "Northwind X5"]}
    with library.read() as session:
        assert find_shots(session, slot("", **wants).query).total == 0
        assert [s.title for s in find_shots(session, slot("northwind-x5", **wants).query).shots] == ["one"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Parts]:
    built = parts(Settings(home=tmp_path / "home", database_url=""))
    yield built
    built.sessions.close()


def test_a_car_that_is_not_known_is_refused_with_near_names(house: Parts) -> None:
    with house.sessions.write() as session:
        save_cars(session, (SEAL,))
        put(session, "BYD Seal.mp4", a_shot(["mud"]))
    assert find(house, "car:byd-seal & mud")["total"] == 1
    with pytest.raises(UnknownSubject, match="byd-seel") as refused:
        find(house, "car:byd-seel")
    assert "byd-seal" in refused.value.next_step
