"""Near-duplicates in the library: found when a clip comes in, kept, forgotten and listed."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from factory.cli import app
from factory.store import assets, db, twins
from factory.store.schema import Shot, ShotGlances, ShotSketch, ShotTwin
from tests.library import TAXONOMY, a_clip, a_shot, adopted, put
from tests.test_near_duplicates import Film, cropped, glances, street
from understanding.glances import no_glances
from understanding.near_duplicates import LIKELY
from understanding.tagged import TaggedShot


def filmed(film: Film, place: int = 0, *, spread: float = 0.0) -> TaggedShot:
    """A tagged shot of this film; `place` is what its picture embedding is like, `spread` how far off."""
    random = np.random.default_rng(place)
    vector = random.normal(size=64) + spread * np.random.default_rng(99).normal(size=64)
    shot = a_shot(["exterior"], seconds=Fraction(len(film), 4))
    return replace(shot, glances=glances(film), vector=(vector / np.linalg.norm(vector)).astype(np.float32))


def add(session: Session, name: str, *shots: TaggedShot) -> list[int]:
    """Add a clip of these shots and return their ids."""
    made = put(session, name, *shots)
    return list(session.scalars(sa.select(Shot.id).where(Shot.asset_id == made.asset).order_by(Shot.number)))


def tag_anew(session: Session, name: str, *shots: TaggedShot) -> None:
    assets.retag(session, adopted(name).digest, a_clip(*shots, version="newer"), TAXONOMY)


def groups_of(session: Session, ids: list[int]) -> list[int | None]:
    return [shot.twins for shot in assets.load_shots(session, ids)]


def test_a_copy_that_comes_in_is_grouped_with_what_it_copies(sessions: db.Sessions) -> None:
    with sessions.write() as session:
        first = add(session, "a.mp4", filmed(street(1)), filmed(street(2)))
        alone = add(session, "b.mp4", filmed(street(3)))
        copy = add(session, "c.mp4", filmed(cropped(street(2), 0.85, 1, 0)[8:], spread=0.3))
    with sessions.read() as session:
        assert groups_of(session, first + alone + copy) == [None, first[1], None, first[1]]
        (group,) = twins.groups(session)
        assert [(m.shot, m.path, m.start, m.end) for m in group.shots] == [
            (first[1], "clips/a.mp4", Fraction(8), Fraction(16)),
            (copy[0], "clips/c.mp4", Fraction(0), Fraction(6)),
        ]
        (pair,) = group.pairs
        assert (pair.shot, pair.twin, pair.seconds, pair.shift) == (first[1], copy[0], Fraction(6), Fraction(2))
        assert pair.likeness >= LIKELY


def test_twins_of_twins_are_one_group_until_the_one_between_goes(sessions: db.Sessions) -> None:
    film = street(4, 24)
    with sessions.write() as session:
        (begin,) = add(session, "begin.mp4", filmed(film[:48]))
        (end,) = add(session, "end.mp4", filmed(film[48:]))
        assert groups_of(session, [begin, end]) == [None, None]
        (middle,) = add(session, "middle.mp4", filmed(film[28:68]))
        assert groups_of(session, [begin, end, middle]) == [begin, begin, begin]
        (group,) = twins.groups(session)
        assert {(pair.shot, pair.twin) for pair in group.pairs} == {(begin, middle), (end, middle)}
        twins.record(session, {middle: filmed(street(5))})
        assert groups_of(session, [begin, end, middle]) == [None, None, None]
        assert twins.groups(session) == ()


def test_tagging_anew_finds_the_same_pairs(sessions: db.Sessions) -> None:
    film = street(6)
    with sessions.write() as session:
        ids = add(session, "a.mp4", filmed(film)) + add(session, "b.mp4", filmed(film[4:]))
        before = twins.groups(session)
        tag_anew(session, "b.mp4", filmed(film[4:]))
        assert twins.groups(session) == before
        assert groups_of(session, ids) == [ids[0], ids[0]]


def test_what_was_tagged_before_there_were_glances_is_found_once_it_is_tagged_anew(sqlite: db.Sessions) -> None:
    with sqlite.write() as session:
        (old,) = add(session, "old.mp4", replace(filmed(street(7)), glances=no_glances()))
        assert session.scalar(sa.select(sa.func.count()).select_from(ShotSketch)) == 0
        (new,) = add(session, "new.mp4", filmed(street(7)))
        assert groups_of(session, [old, new]) == [None, None]
        tag_anew(session, "old.mp4", filmed(street(7)))
        assert groups_of(session, [old, new]) == [old, old]


def test_shots_that_look_unlike_are_not_even_compared(sqlite: db.Sessions) -> None:
    with sqlite.write() as session:
        ids = add(session, "a.mp4", filmed(street(8), 1)) + add(session, "b.mp4", filmed(street(8), 2))
        assert groups_of(session, ids) == [None, None]


def test_a_retired_clip_is_in_no_group_and_comes_back_with_its_own(sqlite: db.Sessions) -> None:
    with sqlite.write() as session:
        add(session, "a.mp4", filmed(street(1)))
        add(session, "b.mp4", filmed(street(1)))
        assets.retire(session, adopted("b.mp4").digest)
        assert twins.groups(session) == ()
        assets.restore(session, adopted("b.mp4").digest)
        assert len(twins.groups(session)) == 1


def test_nothing_is_left_of_a_shot_that_is_deleted(sqlite: db.Sessions) -> None:
    with sqlite.write() as session:
        ids = add(session, "a.mp4", filmed(street(1))) + add(session, "b.mp4", filmed(street(1)))
        session.execute(sa.delete(Shot).where(Shot.id == ids[1]))
        for table, left in ((ShotSketch, 1), (ShotGlances, 1), (ShotTwin, 0)):
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == left


def test_the_command_lists_groups_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTORY_HOME", str(tmp_path))
    monkeypatch.delenv("FACTORY_DATABASE_URL", raising=False)
    url = f"sqlite:///{tmp_path / 'factory.db'}"
    db.migrate(url)
    sessions = db.Sessions.open(url)
    with sessions.write() as session:
        one, two = add(session, "a.mp4", filmed(street(1))) + add(session, "b.mp4", filmed(street(1)[12:, :, ::-1]))
    sessions.close()
    (group,) = json.loads(CliRunner().invoke(app, ["duplicates", "--json"]).stdout)
    assert [shot["path"] for shot in group["shots"]] == ["clips/a.mp4", "clips/b.mp4"]
    assert (group["shots"][1]["start"], group["shots"][1]["end"]) == (0, 5)
    (pair,) = group["pairs"]
    assert (pair["shots"], pair["seconds"], pair["shift"], pair["mirrored"]) == ([one, two], 5, 3, True)
    told = CliRunner().invoke(app, ["duplicates"])
    assert f"{one} and {two}: what moves is alike by 1.00 for 5 s, 3 s earlier in the second, mirrored" in told.stdout
    assert "1 groups" in told.stderr
