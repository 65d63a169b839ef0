"""The main job, end to end, on real parts: drawn clips in, a finished video out."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from factory import traces
from factory.brief_set.delivery import faults
from factory.ingest import ingest, passed_over, wanted_files
from factory.orders import JobFailed, load_table, make, table_of
from factory.plan.brief import Brief
from factory.plan.timeline import CardLayer
from factory.plan.timeline_json import from_json
from factory.samples import SAMPLE_CARS, SAMPLE_SALES, draw_library, scenes
from factory.settings import Settings
from factory.store.schema import JobStep
from factory.wiring import Parts, parts
from tests.collector import collecting
from understanding.burnt_in import TextReader

BRIEF = Brief(template="off_road", locale="en-US", seconds=15, draft=True, seed=3, set={"beats": "yes"})

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """A library of the off-road clips, small, and a narrator who says nothing."""
    folder = tmp_path_factory.mktemp("make")
    stems = [scene.stem for scene in scenes() if scene.coarse == "off-road"]
    clips = draw_library(folder / "clips", only=stems, height=360)
    built = parts(Settings(home=folder / "home", voice="silent"))
    outcomes = [ingest(clip, built) for clip in clips]
    assert {outcome.status for outcome in outcomes} == {"added"}
    assert {ingest(clip, built).status for clip in clips} == {"known"}
    return built


@pytest.fixture(scope="module")
def made(house: Parts, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return make(BRIEF, house, tmp_path_factory.mktemp("out"), on_progress=lambda _share, _what: None)


def test_finished_videos_have_nothing_to_send_back(made: dict[str, Any], counted: dict[str, Any], house: Parts) -> None:
    """Every planned frame, sound to the last of them, loudness, captions, no black or frozen stretch."""
    for record in (made, counted):
        assert faults(Path(record["video"]), house.files.path) == []
        timeline = from_json(Path(record["timeline"]).read_text(encoding="utf-8"))
        assert record["frames"] == timeline.frames
        assert record["seconds"] == pytest.approx(float(timeline.seconds), abs=1e-6)


def test_every_shot_is_shown_once_and_answered_for(made: dict[str, Any]) -> None:
    record = json.loads(Path(made["trace"]).read_text(encoding="utf-8"))
    shots = [shot["shot"] for shot in record["shots"]]
    assert len(shots) == len(set(shots)) >= 3
    assert all(any(tag["tag"] == "off-road" for tag in shot["tags"]) or shot["reasons"] for shot in record["shots"])


def test_shots_change_on_beats_and_the_trace_says_what_was_moved(made: dict[str, Any]) -> None:
    timeline = from_json(Path(made["timeline"]).read_text(encoding="utf-8"))
    told = json.loads(Path(made["trace"]).read_text(encoding="utf-8"))["beats"]
    assert timeline.music
    assert timeline.music.beat == told["frames_a_beat"] > 0
    assert all(start % timeline.music.beat == 0 for start in timeline.scene_starts())
    assert {"without", "with"} < set(told["scenes"][0])


def test_the_steps_of_a_job_are_spans_of_its_trace(made: dict[str, Any], house: Parts, tmp_path: Path) -> None:
    with collecting() as collector:
        traces.turn_on(collector.url)
        try:
            make(BRIEF, house, tmp_path, on_progress=lambda _share, _what: None)
        finally:
            traces.turn_off()
    assert len({span.trace for span in collector.spans}) == 1
    names = {span.id: span.name for span in collector.spans}
    within = {span.name: names.get(span.parent) for span in collector.spans}
    steps = dict.fromkeys(("claim", "plan", "render", "package", "covers"), "attempt")
    parts_of_film = dict.fromkeys(("encode", "mix", "join"), "render")
    assert within == {"order": None, "attempt": "order", "speak": "plan", **steps, **parts_of_film}
    shown = {shot["asset"] for shot in json.loads(Path(made["trace"]).read_text(encoding="utf-8"))["shots"]}
    assert collector.of("attempt")[0].attributes["assets"] == sorted(shown)


def test_the_ledger_knows_what_each_step_made_and_how_long_it_took(made: dict[str, Any], house: Parts) -> None:
    with house.sessions.read() as session:
        steps = {step.name: step for step in session.scalars(sa.select(JobStep).where(JobStep.job_id == made["job"]))}
    assert set(steps) == {"plan", "render 16:9"}
    film = hashlib.sha256(Path(made["video"]).read_bytes()).hexdigest()
    assert steps["render 16:9"].output_digest == film
    assert steps["plan"].output_digest == steps["render 16:9"].input_digest
    assert all(step.wall_seconds > 0 for step in steps.values())


def test_captions_and_poster_stand_beside_the_video(made: dict[str, Any]) -> None:
    assert Path(made["srt"]).read_text(encoding="utf-8").startswith("1\n")
    assert Path(made["vtt"]).read_text(encoding="utf-8").startswith("WEBVTT")
    assert Path(made["poster"]).stat().st_size > 1000


def test_covers_words_and_credits_stand_beside_the_video(made: dict[str, Any]) -> None:
    for cover, shape in ((made["cover"], 16 / 9), (made["covers"]["3:4"], 3 / 4), (made["covers"]["4:3"], 4 / 3)):
        with Image.open(cover) as picture:
            assert picture.width / picture.height == pytest.approx(shape, abs=0.01)
    words = json.loads(Path(made["package"]).read_text(encoding="utf-8"))
    timeline = from_json(Path(made["timeline"]).read_text(encoding="utf-8"))
    said = [line.speech.text for scene in timeline.scenes for line in scene.lines]
    assert all(sentence in words["platforms"]["youtube"]["description"] for sentence in said)
    shown = {shot["asset"] for shot in json.loads(Path(made["trace"]).read_text(encoding="utf-8"))["shots"]}
    credits = json.loads(Path(made["credits"]).read_text(encoding="utf-8"))
    assert {piece["sha256"] for piece in credits["material"] if piece["kind"] == "footage"} == shown
    assert "Noto Sans CJK" in Path(made["credits-text"]).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def counted(house: Parts, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A ranking over the sample table, with the cars that its places want."""
    backgrounds = ("coast", "showroom", "bridge", "countryside", "wagon")
    stems = [s.stem for s in scenes() if s.coarse == "exterior" and any(place in s.stem for place in backgrounds)]
    load_table(SAMPLE_CARS, house, {})
    for clip in draw_library(tmp_path_factory.mktemp("cars"), only=stems, height=360):
        ingest(clip, house)
    brief = Brief(template="ranking", data=table_of(SAMPLE_SALES), set={"top": "3"}, seconds=20, draft=True)
    return make(brief, house, tmp_path_factory.mktemp("ranking"), on_progress=lambda _share, _what: None)


def test_each_rank_card_shows_the_number_of_the_table(counted: dict[str, Any]) -> None:
    with SAMPLE_SALES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    latest = max(row["period"] for row in rows)
    sales = {row["name_zh"]: int(row["sales"]) for row in rows if row["period"] == latest}
    shown = dict(rank_cards(Path(counted["video"])))
    places = sorted(sales.values(), reverse=True)
    assert len(shown) == 4  # three places, the third of them shared by two
    for name, text in shown.items():
        numbers = re.findall(r"\d+", text.replace(",", "").replace("，", ""))
        assert str(sales[name]) in numbers, (name, text)
        assert not {str(other) for other in places if other != sales[name]} & set(numbers), (name, text)


def rank_cards(video: Path) -> Iterator[tuple[str, str]]:
    """Read what stands on each rank card, in the middle of its time: (the car's name in the plan, all that is read)."""
    timeline = from_json(video.with_suffix(".timeline.json").read_text(encoding="utf-8"))
    cards = {
        start + layer.start + layer.frames // 2: str(layer.data["name"])
        for scene, start in zip(timeline.scenes, timeline.scene_starts(), strict=True)
        for layer in scene.layers
        if isinstance(layer, CardLayer) and layer.card == "rank_card"
    }
    reader = TextReader()
    with av.open(str(video)) as file:
        for number, frame in enumerate(file.decode(video=0)):
            if number in cards:
                yield cards[number], reader.read(frame.to_rgb().to_ndarray().astype(np.uint8), 1.0).text


def test_too_little_material_is_refused_by_scene(house: Parts, tmp_path: Path) -> None:
    brief = Brief(template="accident_compilation", locale="en-US", draft=True)
    with pytest.raises(JobFailed, match="scene") as refusal:
        make(brief, house, tmp_path, on_progress=lambda _share, _what: None)
    assert refusal.value.code == "no-material"
    assert refusal.value.exit_code == 4
    assert not list(tmp_path.iterdir())


def test_every_broken_file_is_used_or_refused_as_promised(house: Parts, media: Path) -> None:
    with (media / "broken" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        promised = {row["file"]: row["expect"] for row in csv.DictReader(file)}
    kept = {"accept": {"added", "known"}, "refuse": {"refused"}, "either": {"added", "known", "refused"}}
    for name, expect in promised.items():
        outcome = ingest(media / "broken" / name, house)
        assert outcome.status in kept[expect], (name, outcome)
        assert (outcome.status == "refused") == bool(outcome.code and "Next:" in outcome.message)
    partial = house.settings.home / "partial"
    assert not partial.exists() or not any(path.is_file() and path.stat().st_size for path in partial.rglob("*"))


def test_a_folder_may_hold_notes_beside_its_clips(house: Parts, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("a,b\n", encoding="utf-8")
    (tmp_path / "text.mp4").write_text("no video", encoding="utf-8")
    outcomes = {file.path.name: (file, ingest(file.path, house)) for file in wanted_files([tmp_path])}
    assert passed_over(*outcomes["labels.csv"])
    assert not passed_over(*outcomes["text.mp4"])
    (tmp_path / "folder.mp4").mkdir()
    assert {file.path.name: ingest(file.path, house).code for file in wanted_files([tmp_path])}[
        "folder.mp4"
    ] == "not-a-file"
    (named,) = wanted_files([tmp_path / "labels.csv"])
    assert not passed_over(named, ingest(named.path, house))
