"""The drawn library: what the list promises, and that files are made once, whole, and again where they are not."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from factory.errors import WrongUsage
from factory.samples import draw_library, scenes
from factory.samples.drawn import MANIFEST
from factory.samples.scene import FPS, Scene
from factory.samples.sounds import RATE
from factory.samples.stage import Stage
from factory.samples.writer import ClipNotDrawn, write_scene
from understanding.labels import load_taxonomy

CARS = {"northwind-x5", "lumen-s", "kestrel-gt", "terra-pro", "pico-e", "voyage-w"}
SMALL = 180
TWO = ("detail-kestrel-gt-grille", "detail-lumen-s-charging-port")


def _of(stem: str) -> Scene:
    return next(s for s in scenes() if s.stem == stem)


def test_stems_are_plain_and_no_two_are_alike() -> None:
    stems = [s.stem for s in scenes()]
    assert len(stems) == len(set(stems)) >= 34
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", stem) for stem in stems)


def test_every_tag_is_of_the_taxonomy() -> None:
    taxonomy = load_taxonomy()
    known = set(taxonomy.tags)
    for scene in scenes():
        assert scene.coarse in known, scene.stem
        assert set(scene.tags) <= known, (scene.stem, set(scene.tags) - known)


def test_stems_and_titles_begin_with_what_they_show() -> None:
    taxonomy = load_taxonomy()
    for scene in scenes():
        assert scene.stem.startswith(scene.coarse)
        assert scene.car in CARS | {""}
        assert (scene.car in scene.stem) if scene.car else not any(car in scene.stem for car in CARS)
        assert taxonomy.resolve(scene.coarse) == scene.coarse


def test_the_library_is_rich_enough_for_the_four_templates() -> None:
    by = {coarse: [s for s in scenes() if s.coarse == coarse] for coarse in {s.coarse for s in scenes()}}
    assert {s.car for s in by["exterior"]} == CARS
    for car in ("northwind-x5", "lumen-s", "kestrel-gt"):
        of_car = [s for s in scenes() if s.car == car]
        assert sum(s.coarse == "exterior" for s in of_car) >= 2
        assert sum(s.coarse == "interior" for s in of_car) >= 1
        assert sum(s.coarse == "detail" for s in of_car) >= 2
    assert len(by["off-road"]) >= 8
    assert len(by["accident"]) >= 5
    terrain = [tag for s in by["off-road"] for tag in s.tags]
    assert terrain.count("mud") >= 3
    assert terrain.count("dune") >= 2
    assert {"rock", "water-crossing", "snow", "gravel"} <= set(terrain)
    assert all(len(by[coarse]) >= 2 for coarse in ("race", "parking", "night", "driving-view"))
    assert all(5 <= s.seconds <= 7 for s in scenes())


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw_library(folder, only=TWO, height=SMALL)
    return folder


def test_a_drawn_clip_has_the_frames_sound_and_title_that_the_list_says(library: Path) -> None:
    for stem in TWO:
        scene = _of(stem)
        with av.open(str(library / scene.file_name)) as film:
            video = film.streams.video[0]
            frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video)]
            assert film.metadata["title"] == scene.title
            assert video.average_rate == FPS
            assert bool(film.streams.audio) == (scene.sound is not None)
        assert len(frames) == scene.frames
        assert frames[0].shape == (SMALL, 320, 3)
        assert np.abs(frames[10].astype(int) - frames[-10]).mean() > 1
        assert 20 < frames[30].mean() < 230


def test_known_clips_are_not_drawn_again(library: Path) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in library.glob("*.mp4")}
    told: list[str] = []
    paths = draw_library(library, only=TWO, height=SMALL, on_progress=lambda _done, _all, name: told.append(name))
    assert {p.name for p in paths} == set(before)
    assert {p.name: p.stat().st_mtime_ns for p in paths} == before
    assert told == []


def test_a_missing_and_a_changed_clip_are_drawn_anew(library: Path) -> None:
    first, second = (library / _of(stem).file_name for stem in TWO)
    kept, spoilt = second.read_bytes(), first.read_bytes()
    told: list[tuple[int, int, str]] = []

    def tell(done: int, of: int, name: str) -> None:
        told.append((done, of, name))

    first.write_bytes(spoilt[: len(spoilt) // 2])
    draw_library(library, only=TWO, height=SMALL, on_progress=tell)
    first.unlink()
    draw_library(library, only=TWO, height=SMALL, on_progress=tell)
    assert told == [(2, 2, first.name)] * 2
    assert first.read_bytes() == spoilt, "the same scene is the same file"
    assert second.read_bytes() == kept


def test_an_interrupted_library_is_taken_up_and_leaves_no_halves(tmp_path: Path) -> None:
    class Interrupt(Exception):
        pass

    def stop(_done: int, _all: int, _name: str) -> None:
        raise Interrupt

    with pytest.raises(Interrupt):
        draw_library(tmp_path, only=TWO, height=90, on_progress=stop)
    noted = json.loads((tmp_path / MANIFEST).read_text())["clips"]
    assert noted
    paths = draw_library(tmp_path, only=TWO, height=90)
    assert all(path.exists() for path in paths)
    assert {p.name for p in tmp_path.iterdir()} == {MANIFEST, *(p.name for p in paths)}


@pytest.mark.parametrize("manifest", ["{", "[]", '{"version": "0", "height": 90, "clips": {"x.mp4": "0"}}'])
def test_an_old_or_damaged_manifest_counts_as_none(tmp_path: Path, manifest: str) -> None:
    (tmp_path / MANIFEST).write_text(manifest)
    (path,) = draw_library(tmp_path, only=TWO[:1], height=90)
    assert list(json.loads((tmp_path / MANIFEST).read_text())["clips"]) == [path.name]


def test_an_unknown_stem_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="no drawn clip is called no-such"):
        draw_library(tmp_path, only=["no-such"])


def test_a_failing_encoder_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "encoder"
    broken.write_text("#!/bin/sh\necho disk is full >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(broken))
    with pytest.raises(ClipNotDrawn, match=r"ended with 3 while writing .*disk is full"):
        write_scene(_of(TWO[0]), tmp_path / "out" / "clip.mp4", height=90)
    assert list((tmp_path / "out").iterdir()) == []


def test_every_scene_paints_and_moves_at_any_time() -> None:
    stage = Stage(90)
    for scene in scenes():
        paint = scene.setting(stage)
        canvas = stage.canvas()
        paint(canvas, 0.0)
        first = canvas.pixels.copy()
        paint(canvas, scene.seconds / 2)
        moved = np.abs(canvas.pixels.astype(int) - first).mean()
        assert canvas.pixels.shape == (90, 160, 4)
        assert canvas.pixels[..., 3].min() == 255, scene.stem
        assert moved > 0.4, (scene.stem, moved)


def test_every_sound_is_clean() -> None:
    for scene in scenes():
        if scene.sound is None:
            continue
        sound = scene.sound(1.5, 7)
        assert sound.shape == (round(1.5 * RATE), 2)
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() <= 1
        assert 0.003 < np.sqrt((sound**2).mean()) < 0.3, scene.stem
        assert np.abs(sound[0]).max() < 1e-3, "no click at the start"


def test_ffmpeg_reads_colour_as_it_was_meant(library: Path) -> None:
    exe = imageio_ffmpeg.get_ffmpeg_exe()
    told = subprocess.run(
        [exe, "-hide_banner", "-i", str(library / _of(TWO[0]).file_name)], capture_output=True, text=True, check=False
    ).stderr
    assert "bt709" in told
    assert "yuv420p" in told
