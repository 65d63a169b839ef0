"""Chunks made together: what a joint reads from its bodies is what it would have decoded, and nothing stays behind."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from factory.plan.timeline import Canvas, CardLayer, ClipLayer, Cue, TimedScene, Timeline, Transition, Watermark
from factory.render import chunks
from factory.render.command import FfmpegCommand
from factory.render.errors import RenderFailed
from factory.render.ffmpeg import run
from factory.render.film import Film, render_film
from tests.render_kit import PlainCards, Store, ffmpeg, frames_digest, hum, numbered_clip

CANVAS = Canvas(640, 360)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("shelf")
    clip, late = numbered_clip(folder / "clip.mp4", frames=200), folder / "late.mkv"
    coded = ("-c:v", "libx264", "-crf", "12", "-g", "60", "-bf", "3", "-x264-params", "open-gop=1:scenecut=0")
    ffmpeg("-i", str(clip), "-vf", "hue=h=90:s=3,scale=400:300", *coded, "-an", str(late))
    return {"clip": clip, "late": late}


def store_at(folder: Path, shelf: dict[str, Path]) -> Store:
    store = Store(folder)
    store.shelf = shelf
    return store


def scene(name: str, asset: str, start: int, frames: int, over: str = "") -> TimedScene:
    """Footage under a card that slides in while the joint before is shown, and a caption that crosses into the next."""
    card = CardLayer(
        "plate", {"text": name, "box": (20, 100, 120, 40)}, 3, frames - 3, "lower_third", enter=14, leave=9
    )
    clip = ClipLayer(asset, 1, Fraction(start, 30), 0, frames, fit="contain" if asset == "late" else "cover")
    cue = Cue(frames - 25, frames, (f"Scene {name}",))
    return TimedScene(name, frames, (clip, card), Transition(over, 11) if over else None, cues=(cue,))


SCENES = (
    scene("a", "clip", 20, 50, "fade"),
    scene("b", "late", 64, 45, "wipeleft"),
    scene("c", "clip", 101, 22, "fadeblack"),  # all of it is shown in joints
    scene("d", "late", 7, 40),
)
FILM = Timeline("T", "en-US", "x", "plain", CANVAS, SCENES)


def render(film: Timeline, store: Store, out: Path, **options: object) -> Film:
    given = {"templates": PlainCards(), "write_music": hum, "jobs": 2, **options}
    return render_film(film, source=store.source, cached=store.cached, out=out, **given)  # type: ignore[arg-type]  # parts of a call, given by name


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool, int]]:
    """What each process was: its frames, whether it read handles, how many it wrote."""
    seen: list[tuple[int, bool, int]] = []

    def watched(command: FfmpegCommand, **options: object) -> None:
        seen.append((command.frames, any("rawvideo" in i.options for i in command.inputs), len(command.beside)))
        run(command, **options)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(chunks, "run", watched)
    return seen


@pytest.mark.parametrize("film", [FILM, replace(FILM, watermark=Watermark())], ids=["plain", "marked"])
def test_joints_are_the_same_from_handles_and_from_footage(
    film: Timeline, shelf: dict[str, Path], ran: list[tuple[int, bool, int]], tmp_path: Path
) -> None:
    cold = store_at(tmp_path / "cold", shelf)
    whole = render(film, cold, tmp_path / "whole.mp4")
    assert sum(handed for _, _, handed in ran) == 4  # three joints, whose inner ends have no body beside them
    assert [frames for frames, reads, _ in ran if reads] == [11] * 3
    joints = [path for path in cold.folder.glob("chunk-*.mp4") if chunks.count_frames(path) == 11]
    for joint in joints:
        joint.unlink()
    ran.clear()
    again = render(film, cold, tmp_path / "again.mp4")
    assert sorted(ran) == [(11, False, 0)] * 3  # the bodies are kept, so that the footage has to be decoded
    assert (again.chunks_made, again.chunks_reused) == (3, 3)
    assert frames_digest(again.video) == frames_digest(whole.video)


def test_an_edit_reads_handles_of_what_is_made_again_and_footage_of_the_rest(
    shelf: dict[str, Path], ran: list[tuple[int, bool, int]], tmp_path: Path
) -> None:
    store = store_at(tmp_path / "store", shelf)
    render(FILM, store, tmp_path / "whole.mp4")
    ran.clear()
    second = replace(FILM.scenes[1], layers=FILM.scenes[1].layers[:1])
    edited = replace(FILM, scenes=(FILM.scenes[0], second, *FILM.scenes[2:]))
    film = render(edited, store, tmp_path / "edited.mp4")
    assert sorted(ran) == [(11, True, 0), (11, True, 0), (23, False, 2)]
    fresh = render(edited, store_at(tmp_path / "fresh", shelf), tmp_path / "fresh.mp4", jobs=1)
    assert frames_digest(film.video) == frames_digest(fresh.video)


def test_no_handle_stays_behind(shelf: dict[str, Path], tmp_path: Path) -> None:
    render(FILM, store_at(tmp_path / "store", shelf), tmp_path / "out" / "film.mp4")
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".jpg", ".mp4", ".srt", ".vtt"]


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_failure_stops_the_rest_and_leaves_nothing(jobs: int, shelf: dict[str, Path], tmp_path: Path) -> None:
    stub = numbered_clip(tmp_path / "stub.mp4", frames=20)
    store = store_at(tmp_path / "store", {**shelf, "stub": stub})
    broken = replace(FILM, scenes=(*FILM.scenes[:2], scene("short", "stub", 0, 90, "fade"), *FILM.scenes[2:]))
    with pytest.raises(RenderFailed, match=r"scene short came out with \d+ frames instead of 68"):
        render(broken, store, tmp_path / "out" / "film.mp4", jobs=jobs)
    assert not list((tmp_path / "out").iterdir())
    assert not list(store.folder.glob("scratch-*"))
