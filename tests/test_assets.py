from __future__ import annotations

import threading
from fractions import Fraction

import pytest
import sqlalchemy as sa

from factory.plan.query import EVERYTHING, HasTag, Not, parse_query
from factory.plan.selection import BurntRegion
from factory.store import assets, desk
from factory.store.db import Sessions
from factory.store.schema import Asset, Model, Shot, ShotTag, TagRow
from tests.library import TAXONOMY, a_clip, a_shot, adopted, put
from understanding.tagged import Box, Region


def tags_of(sessions: Sessions, shot: int) -> dict[str, tuple[float, str]]:
    with sessions.read() as session:
        return {t.tag: (t.confidence, t.modality) for t in assets.load_shots(session, [shot])[0].tags}


def test_a_clip_comes_back_as_exact_as_it_went_in(sessions: Sessions) -> None:
    clock = Region("timestamp", Box(0.75, 0.0, 1.0, 0.0625))
    odd = a_shot(
        {"mud": 0.75, "suv": 0.5}, seconds=Fraction(100100, 30000), burnt_in="北风 X5", speech="go", regions=(clock,)
    )
    clip = a_clip(odd, a_shot(["night"]), title="Dunes", warnings=("low-light",))
    with sessions.write() as session:
        added = put(session, "a.mp4", clip=clip)
        assert (added.new, added.shots) == (True, 2)
    with sessions.read() as session:
        ids = session.scalars(sa.select(Shot.id).order_by(Shot.id)).all()
        first, second = assets.load_shots(session, ids, vectors=True)
        assert session.scalars(sa.select(Asset)).one().warnings == ["low-light"]
    assert (first.start, first.end) == (Fraction(0), Fraction(1001, 300))
    assert second.start == first.end
    assert first.fps == Fraction(30000, 1001)
    assert [(t.tag, t.confidence, t.modality) for t in first.tags] == [
        ("mud", 0.75, "picture"),
        ("suv", 0.5, "picture"),
    ]
    assert first.regions == (BurntRegion("timestamp", 0.75, 0.0, 1.0, 0.0625),)
    assert second.regions == ()
    assert first.words == "Dunes\ngo\n北风 X5"
    assert sum(v * v for v in first.vector) == pytest.approx(1)
    assert (first.asset, first.model_version, first.has_sound) == (adopted("a.mp4").digest, "test-tagger-1", True)


def test_a_known_clip_changes_nothing(sessions: Sessions) -> None:
    with sessions.write() as session:
        first = put(session, "a.mp4", a_shot(["mud"]))
    with sessions.write() as session:
        again = put(session, "a.mp4", a_shot(["snow"]), a_shot(["snow"]))
    assert (again.asset, again.shots, again.new) == (first.asset, 1, False)
    with sessions.read() as session:
        assert assets.figures(session).shots == 1
        assert assets.known(session, adopted("a.mp4").digest) == again
        assert assets.known(session, adopted("b.mp4").digest) is None


def test_clips_added_at_once_by_many_writers_are_each_kept_once(sessions: Sessions) -> None:
    gate = threading.Barrier(6)
    new: list[bool] = []

    def add() -> None:
        gate.wait()
        for number in range(4):
            with sessions.write() as session:
                new.append(put(session, f"{number}.mp4", a_shot(["mud", "car"])).new)

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(new), sum(new)) == (24, 4)
    with sessions.read() as session:
        figures = assets.figures(session)
        assert (figures.assets, figures.shots, figures.postings, figures.seconds) == (4, 4, 8, 16.0)
        assert session.scalar(sa.select(sa.func.count(Model.id))) == 1
        assert session.scalar(sa.select(sa.func.count(TagRow.id))) == len(TAXONOMY)


def test_a_clip_is_added_whole_or_not_at_all(sessions: Sessions) -> None:
    def add_with_a_strange_tag() -> None:
        with sessions.write() as session:
            put(session, "a.mp4", a_shot(["mud"]), a_shot(["no-such-tag"]))

    with pytest.raises(desk.UnknownTag, match="no-such-tag"):
        add_with_a_strange_tag()
    with sessions.read() as session:
        assert assets.figures(session) == assets.LibraryFigures(0, 0, 0, 0, 0.0)


@pytest.mark.parametrize("name", ["nul\0byte.mp4", "caf\udce9.mp4", "'; DROP TABLE asset; --.mp4", "{{ 7*7 }}.mp4"])
def test_hostile_names_and_titles_are_only_text(sessions: Sessions, name: str) -> None:
    with sessions.write() as session:
        put(session, name, clip=a_clip(a_shot(["mud"], burnt_in=name, speech="a\0b"), title=name))
    with sessions.read() as session:
        found = assets.find_shots(session, EVERYTHING)
        assert found.total == 1
        given = assets.paths_as_given(session, [found.shots[0].asset])[found.shots[0].asset]
    assert "\0" not in given + found.shots[0].words
    given.encode()
    assert given.endswith(".mp4")


def test_retired_clips_are_found_no_more_until_restored(sessions: Sessions) -> None:
    with sessions.write() as session:
        put(session, "a.mp4", a_shot(["mud"]))
        assets.retire(session, adopted("a.mp4").digest)
    with sessions.read() as session:
        assert assets.find_shots(session, HasTag("mud")).total == 0
        assert assets.figures(session).retired == 1
    with sessions.write() as session:
        assert not put(session, "a.mp4", a_shot(["mud"])).new  # ingesting it again does not bring it back
        assert assets.find_shots(session, EVERYTHING).total == 0
        assets.restore(session, adopted("a.mp4").digest)
    with sessions.read() as session:
        assert assets.find_shots(session, HasTag("mud")).total == 1
    with sessions.write() as session, pytest.raises(assets.UnknownAsset):
        assets.retire(session, "0" * 64)


def test_a_correction_wins_stays_and_can_be_taken_back(sessions: Sessions) -> None:
    with sessions.write() as session:
        put(session, "a.mp4", a_shot({"mud": 0.9, "night": 0.6}))
        shot = session.scalars(sa.select(Shot.id)).one()
        desk.correct(session, shot, "mud", present=False, author="Li")
        desk.correct(session, shot, "snow", present=True)
    assert tags_of(sessions, shot) == {"snow": (1.0, "desk"), "night": (0.6, "picture")}
    with sessions.read() as session:
        assert assets.find_shots(session, HasTag("mud")).total == 0
        assert assets.find_shots(session, HasTag("snow")).scores == (1.0,)

    newer = a_clip(a_shot({"mud": 0.7, "snow": 0.4, "night": 0.5}), version="test-tagger-2")
    with sessions.write() as session:
        assets.retag(session, adopted("a.mp4").digest, newer, TAXONOMY)
    assert tags_of(sessions, shot) == {"snow": (1.0, "desk"), "night": (0.5, "picture")}

    with sessions.write() as session:
        desk.correct(session, shot, "mud", present=True)  # the editor thinks again, twice
        desk.correct(session, shot, "mud", present=False)
        assert desk.take_back(session, shot, "mud")
        assert desk.take_back(session, shot, "snow")
        assert not desk.take_back(session, shot, "night")
    assert tags_of(sessions, shot) == {"mud": (0.7, "picture"), "night": (0.5, "picture"), "snow": (0.4, "picture")}
    with sessions.read() as session:
        versions = session.scalars(sa.select(Model.version).join(ShotTag, ShotTag.model_id == Model.id)).all()
    assert set(versions) == {"test-tagger-2"}


def test_corrections_name_what_they_cannot_find(sqlite: Sessions) -> None:
    with sqlite.write() as session:
        put(session, "a.mp4", a_shot(["mud"]))
        shot = session.scalars(sa.select(Shot.id)).one()
        with pytest.raises(desk.UnknownShot, match="99"):
            desk.correct(session, 99, "mud", present=True)
        with pytest.raises(desk.UnknownTag, match="mudd"):
            desk.correct(session, shot, "mudd", present=True)
        with pytest.raises(desk.UnknownShot, match="77"):
            assets.load_shots(session, [shot, 77])


def test_a_tagger_that_cuts_otherwise_does_not_replace_shots(sqlite: Sessions) -> None:
    with sqlite.write() as session:
        put(session, "a.mp4", a_shot(["mud"]))
        with pytest.raises(assets.ShotsChanged, match=r"2, before 1"):
            assets.retag(session, adopted("a.mp4").digest, a_clip(a_shot(), a_shot()), TAXONOMY)


def test_a_clip_without_shots_or_tags_is_kept(sessions: Sessions) -> None:
    with sessions.write() as session:
        assert put(session, "black.mp4", a_shot()).shots == 1
        assert put(session, "short.mp4").shots == 0
    with sessions.read() as session:
        assert assets.find_shots(session, EVERYTHING).total == 1
        assert assets.find_shots(session, Not(HasTag("mud"))).total == 1


def test_orders_and_pages_are_stable(sessions: Sessions) -> None:
    with sessions.write() as session:
        for number in range(12):
            put(session, f"{number}.mp4", a_shot({"mud": 0.5}, seconds=Fraction(2 + number % 3)))
    query = parse_query("mud", TAXONOMY.resolve)
    with sessions.read() as session:
        whole = assets.find_shots(session, query, limit=12)
        pages = [assets.find_shots(session, query, limit=5, offset=at) for at in (0, 5, 10)]
        newest = assets.find_shots(session, query, limit=3, order="newest")
        longest = assets.find_shots(session, query, limit=4, order="longest")
    assert [s.shot for page in pages for s in page.shots] == [s.shot for s in whole.shots]
    assert {page.total for page in pages} == {12}
    assert [s.shot for s in newest.shots] == [s.shot for s in whole.shots][::-1][:3]
    assert [s.seconds for s in longest.shots] == [4, 4, 4, 4]


def test_the_tag_table_follows_the_taxonomy(sessions: Sessions) -> None:
    with sessions.write() as session:
        ids = assets.save_taxonomy(session, TAXONOMY)
        session.get_one(TagRow, ids["mud"]).zh = "?"
    with sessions.write() as session:
        assert assets.save_taxonomy(session, TAXONOMY) == ids
        mud = session.get_one(TagRow, ids["mud"])
        assert (mud.zh, mud.parent_id) == (TAXONOMY["mud"].zh, ids["off-road"])
