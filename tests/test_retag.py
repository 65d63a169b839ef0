"""The library is tagged anew clip by clip: resumed where it stopped, the desk's word kept, a refusal no stop."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from factory.ingest import ingest
from factory.retag import outdated, retag
from factory.settings import Settings
from factory.store import assets, desk
from factory.store.schema import Shot
from factory.wiring import Parts, parts
from tests.library import a_clip, a_shot
from understanding.errors import MediaRefused
from understanding.tagged import TaggedClip


class Speaker:
    """A tagger that says one thing of every clip, and refuses what is named so."""

    def __init__(self, version: str, tag: str, shots: int = 1) -> None:
        self.version, self._tag, self._shots = version, tag, shots
        self.read_names: list[str] = []

    def read_as(self, path: Path, file_name: str) -> TaggedClip:
        assert path.is_file()
        self.read_names.append(file_name)
        if "refused" in file_name and self.version != "one":
            raise MediaRefused("no-frames", "it has no frames any more", next_step="ingest it anew")
        return a_clip(*(a_shot({self._tag: 0.8}) for _ in range(self._shots)), version=self.version)


@pytest.fixture
def house(tmp_path: Path) -> Parts:
    made = parts(Settings(home=tmp_path / "home"))
    speak(made, Speaker("one", "mud"))
    for name in ("a.mp4", "refused.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(name.encode())
        assert ingest(tmp_path / name, made).status == "added"
    return made


def speak(house: Parts, speaker: Speaker) -> Speaker:
    house.__dict__["_tagger"] = speaker
    return speaker


def tags(house: Parts) -> list[dict[str, float]]:
    with house.sessions.read() as session:
        found = assets.load_shots(session, list(session.scalars(sa.select(Shot.id).order_by(Shot.id))))
    return [{tag.tag: tag.confidence for tag in shot.tags} for shot in found]


def test_every_clip_is_tagged_anew_and_a_refused_one_keeps_its_tags(house: Parts) -> None:
    speak(house, Speaker("two", "snow"))
    told = list(retag(house))
    assert [(clip.file_name, clip.status) for clip in told] == [
        ("a.mp4", "retagged"), ("refused.mp4", "refused"), ("b.mp4", "retagged")
    ]  # fmt: skip
    assert told[1].code == "no-frames"
    assert "Next: ingest it anew" in told[1].message
    assert tags(house) == [{"snow": 0.8}, {"mud": 0.8}, {"snow": 0.8}]


def test_a_run_that_was_stopped_goes_on_where_it_stopped(house: Parts) -> None:
    first = speak(house, Speaker("two", "snow"))
    next(iter(retag(house)))
    again = speak(house, Speaker("two", "snow"))
    list(retag(house))
    assert first.read_names == ["a.mp4"]
    assert again.read_names == ["refused.mp4", "b.mp4"]
    assert [clip.file_name for clip in outdated(house)] == ["refused.mp4"]


def test_the_desks_word_stays(house: Parts) -> None:
    with house.sessions.write() as session:
        desk.correct(session, session.scalars(sa.select(Shot.id)).first() or 0, "night", present=True)
    speak(house, Speaker("two", "snow"))
    list(retag(house))
    assert tags(house)[0] == {"night": 1.0, "snow": 0.8}


def test_a_clip_that_is_cut_otherwise_is_told_and_kept(house: Parts) -> None:
    speak(house, Speaker("three", "snow", shots=2))
    assert {clip.code for clip in retag(house)} == {"shots-changed", "no-frames"}
    assert tags(house) == [{"mud": 0.8}] * 3


def test_retired_clips_are_left_alone(house: Parts) -> None:
    with house.sessions.write() as session:
        assets.retire(session, outdated_digest(house, "a.mp4"))
    speak(house, Speaker("two", "snow"))
    assert [clip.file_name for clip in outdated(house)] == ["refused.mp4", "b.mp4"]


def outdated_digest(house: Parts, name: str) -> str:
    with house.sessions.read() as session:
        return next(clip.digest for clip in assets.tagged_by_others(session, "none") if clip.file_name == name)
