"""A job handed to the cutting room: a folder that can be carried away, whose lists name the files beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import opentimelineio as otio
import pytest
import soundfile
from PIL import Image

from factory.cutting_room import NothingPlanned, export, portable
from factory.plan.brief import Brief
from factory.plan.cutting_losses import Target
from factory.plan.timeline import (
    Canvas,
    CardLayer,
    ClipLayer,
    ColorLayer,
    Cue,
    ImageLayer,
    Music,
    Speech,
    SpokenLine,
    TimedScene,
    Timeline,
    Transition,
)
from factory.plan.timeline_json import to_json
from factory.settings import Settings
from factory.store import jobs
from factory.store.files import FileMissing
from factory.wiring import Parts, parts
from tests.render_kit import numbered_clip

TITLE = '试片/one: "a" & <b>'
TARGETS: tuple[Target, ...] = ("otio", "fcp7", "edl")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return parts(Settings(home=tmp_path_factory.mktemp("home"), voice="silent"))


@pytest.fixture(scope="module")
def timeline(house: Parts, tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    folder = tmp_path_factory.mktemp("media")
    footage = house.files.adopt(numbered_clip(folder / "a.mp4", rate="25", frames=75)).digest
    soundfile.write(folder / "v.wav", np.zeros(24_000), 48_000)
    voice = house.files.adopt(folder / "v.wav").digest
    Image.new("RGB", (64, 48), "#804020").save(folder / "p.jpg")
    picture = house.files.adopt(folder / "p.jpg").digest
    shot = ClipLayer(footage, 1, Fraction(1, 2), 0, 45, sound_db=-6.0, blur_faces=True)
    title = CardLayer("title", {"title": "A", "kicker": "B", "subtitle": ""}, 0, 45, "title")
    line = SpokenLine(Speech("one", voice, Fraction(1, 2)), 3)
    scenes = (
        TimedScene("one", 45, (shot, title), Transition("wipeleft", 10), (line,), (Cue(3, 30, ("one",)),)),
        TimedScene("two", 45, (ImageLayer(picture, 0, 45, last=(0.0, 0.0, 0.9, 0.9)),)),
        TimedScene("end", 30, (ColorLayer("#101010", 0, 30),), still=True),
    )
    return Timeline(TITLE, "zh-CN", "t", "autoreel", Canvas(320, 180), scenes, Music("calm", 1))


def job_of(house: Parts, *timelines: Timeline) -> str:
    aspects = ("16:9", "9:16")[: max(len(timelines), 1)]
    with house.sessions.write() as session:
        job = jobs.submit(session, Brief(template="off_road", aspects=aspects)).job
    with house.sessions.write() as session:
        held = jobs.claim(session, job, worker="w")
        assert held
        if timelines:
            bodies = {aspect: to_json(one) for aspect, one in zip(aspects, timelines, strict=True)}
            jobs.save_timelines(session, held, bodies)
    return job


@pytest.mark.parametrize("target", TARGETS)
def test_the_folder_holds_all_that_its_list_names(
    house: Parts, timeline: Timeline, target: Target, tmp_path: Path
) -> None:
    bundle = export(job_of(house, timeline), target, tmp_path / "cut", house)
    moved = (tmp_path / "cut").rename(tmp_path / "carried away")
    (file,) = (moved / path.name for path in bundle.lists)
    text = file.read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    named = [f.relative_to(moved).as_posix() for f in moved.rglob("*") if f.is_file() and f.parent != moved]
    assert len(named) == bundle.media >= 6
    lowest = [name for name in named if not name.startswith("graphics/16x9/title")]
    assert all(name in unquote(text) for name in (lowest if target == "edl" else named))
    assert all(name.isascii() and " " not in name for name in named)
    assert (moved / file.with_suffix(".srt").name).read_text(encoding="utf-8").startswith("1\n00:00:00,100")


def test_a_card_is_a_picture_as_large_as_the_canvas(house: Parts, timeline: Timeline, tmp_path: Path) -> None:
    export(job_of(house, timeline), "otio", tmp_path, house)
    (card,) = tmp_path.glob("graphics/16x9/title-*.png")
    with Image.open(card) as picture:
        assert picture.size == (320, 180)
        left, top, right, bottom = picture.getchannel("A").getbbox() or (0, 0, 0, 0)
    assert (left, right > left, top > 0, bottom <= 180) == (16, True, True, True)


def test_what_is_lost_is_said_first_of_all_that_faces_show(house: Parts, timeline: Timeline, tmp_path: Path) -> None:
    bundle = export(job_of(house, timeline), "edl", tmp_path, house)
    lost = json.loads((tmp_path / "losses.json").read_text(encoding="utf-8"))["16:9"]
    assert lost == bundle.record()["losses"]["16:9"]
    assert (lost[0]["what"], lost[0]["count"]) == ("faces hidden by a mosaic", 1)
    assert {"glides over still pictures", "upper picture tracks", "footage at another frame rate"} < {
        one["what"] for one in lost
    }
    assert "faces hidden by a mosaic (1)" in (tmp_path / "LOSSES.txt").read_text(encoding="utf-8")


def test_each_aspect_has_a_list_and_footage_is_copied_once(house: Parts, timeline: Timeline, tmp_path: Path) -> None:
    upright = replace(timeline, canvas=Canvas(180, 320))
    bundle = export(job_of(house, timeline, upright), "otio", tmp_path, house)
    assert [path.name.rpartition("-")[2] for path in bundle.lists] == ["16x9.otio", "9x16.otio"]
    assert len(list(tmp_path.glob("media/*.mp4"))) == len(list(tmp_path.glob("sound/voice-*.wav"))) == 1
    wide, tall = (otio.adapters.read_from_file(str(path)) for path in bundle.lists)
    assert [clip.name for clip in wide.find_clips()] == [clip.name for clip in tall.find_clips()]


def test_the_store_keeps_its_own_bytes(house: Parts, timeline: Timeline, tmp_path: Path) -> None:
    """What a cutting program writes into a file of the bundle does not reach the library."""
    export(job_of(house, timeline), "otio", tmp_path, house)
    (copy,) = tmp_path.glob("media/*.mp4")
    original = house.files.path(timeline.scenes[0].layers[0].asset)  # type: ignore[union-attr]
    before = original.read_bytes()
    with copy.open("ab") as file:
        file.write(b"note")
    assert original.read_bytes() == before


def test_a_job_without_a_timeline_and_footage_that_is_gone_are_refused(
    house: Parts, timeline: Timeline, tmp_path: Path
) -> None:
    with pytest.raises(NothingPlanned, match="has no timeline"):
        export(job_of(house), "otio", tmp_path, house)
    gone = replace(timeline.scenes[0], layers=(ClipLayer("0" * 64, 1, Fraction(0), 0, 45),))
    with pytest.raises(FileMissing):
        export(job_of(house, replace(timeline, scenes=(gone, *timeline.scenes[1:]))), "otio", tmp_path, house)


@pytest.mark.parametrize(
    ("text", "name"),
    [("北风 X5", "X5"), ("../../etc/passwd", "etc-passwd"), ("", "clip"), ("Škoda é", "Skoda-e"), ("a" * 99, "a" * 60)],
)
def test_names_are_plain(text: str, name: str) -> None:
    assert portable(text) == name
