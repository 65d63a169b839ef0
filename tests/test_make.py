"""The main job, end to end, on real parts: drawn clips in, a finished video out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest

from factory.ingest import ingest, passed_over, wanted_files
from factory.orders import JobFailed, make
from factory.plan.brief import Brief
from factory.plan.timeline_json import from_json
from factory.samples import draw_library
from factory.settings import Settings
from factory.wiring import Parts, parts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """A library of the off-road clips, small, and a narrator who says nothing."""
    folder = tmp_path_factory.mktemp("make")
    from factory.samples import scenes

    stems = [scene.stem for scene in scenes() if scene.coarse == "off-road"]
    clips = draw_library(folder / "clips", only=stems, height=360)
    built = parts(Settings(home=folder / "home", voice="silent"))
    outcomes = [ingest(clip, built) for clip in clips]
    assert {outcome.status for outcome in outcomes} == {"added"}
    assert {ingest(clip, built).status for clip in clips} == {"known"}
    return built


@pytest.fixture(scope="module")
def made(house: Parts, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    brief = Brief(template="off_road", locale="en-US", seconds=15, draft=True, seed=3)
    return make(brief, house, tmp_path_factory.mktemp("out"), on_progress=lambda _share, _what: None)


def test_the_video_has_the_planned_frames_and_sound_to_its_end(made: dict[str, Any]) -> None:
    with av.open(made["video"]) as video:
        frames = sum(1 for _ in video.decode(video=0))
    timeline = from_json(Path(made["timeline"]).read_text(encoding="utf-8"))
    assert frames == made["frames"] == timeline.frames
    with av.open(made["video"]) as video:
        *_, last = video.decode(audio=0)
        assert last.pts is not None
        ends = float(last.pts * last.time_base) + last.samples / last.sample_rate
    assert abs(ends - made["seconds"]) <= 1 / made["fps"]


def test_every_shot_is_shown_once_and_answered_for(made: dict[str, Any]) -> None:
    record = json.loads(Path(made["trace"]).read_text(encoding="utf-8"))
    shots = [shot["shot"] for shot in record["shots"]]
    assert len(shots) == len(set(shots)) >= 3
    assert all(any(tag["tag"] == "off-road" for tag in shot["tags"]) or shot["reasons"] for shot in record["shots"])


def test_captions_and_poster_stand_beside_the_video(made: dict[str, Any]) -> None:
    assert Path(made["srt"]).read_text(encoding="utf-8").startswith("1\n")
    assert Path(made["vtt"]).read_text(encoding="utf-8").startswith("WEBVTT")
    assert Path(made["poster"]).stat().st_size > 1000


def test_too_little_material_is_refused_by_scene(house: Parts, tmp_path: Path) -> None:
    brief = Brief(template="accident_compilation", locale="en-US", draft=True)
    with pytest.raises(JobFailed, match="scene") as refusal:
        make(brief, house, tmp_path, on_progress=lambda _share, _what: None)
    assert refusal.value.code == "no-material"
    assert refusal.value.exit_code == 4
    assert not list(tmp_path.iterdir())


def test_every_broken_file_is_used_or_refused_as_promised(house: Parts, media: Path) -> None:
    import csv

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
    (named,) = wanted_files([tmp_path / "labels.csv"])
    assert not passed_over(named, ingest(named.path, house))
