"""Cutting and joining: exact frames across every kind of joint, keys that know what matters and nothing else."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest

from factory.errors import WrongUsage
from factory.plan.timeline import Canvas, ClipLayer, ColorLayer, TimedScene, Timeline, Transition, TransitionName
from factory.render import chunks
from factory.render.drawn import Drawn
from factory.render.errors import RenderFailed, TimelineImpossible
from factory.render.footage import Footage
from factory.render.graph import Chunk, Part, compile_chunk
from factory.render.overlays import Drawing, draw_color
from factory.render.probe import X264
from factory.render.source import Source, read_source
from factory.render.transitions import XFADE, xfade_name
from tests.render_kit import Store, frame_times, lumas, number_in, numbered_clip

CANVAS = Canvas(320, 180)
ENCODER = X264.arguments(CANVAS.fps, draft=True)
SOURCE = Source("a" * 64, Path("a.mp4"), 320, 180, Fraction(30))


BLACK = Drawing(0, 0, "g", Path("g.png"))


def scene(name: str, frames: int, start: int, transition: Transition | None = None) -> TimedScene:
    return TimedScene(name, frames, (ClipLayer("a" * 64, 1, Fraction(start, 30), 0, frames),), transition)


def program(*scenes: TimedScene) -> Timeline:
    return Timeline("t", "en-US", "x", "b", CANVAS, scenes)


def parts_of(timeline: Timeline, source: Source = SOURCE, black: Drawing = BLACK) -> list[tuple[Part, ...]]:
    return [
        (
            Drawn(ColorLayer("#000000", 0, s.frames), black),
            *(Footage(layer, source) for layer in s.layers if isinstance(layer, ClipLayer)),
        )
        for s in timeline.scenes
    ]


def silent(_start: int, _end: int) -> str:
    return ""


def test_bodies_and_joints_add_up_to_the_program() -> None:
    timeline = program(
        scene("a", 60, 0, Transition("fade", 15)),
        scene("b", 40, 70),
        scene("c", 50, 120, Transition("wipeleft", 10)),
        scene("d", 30, 0),
    )
    pieces = chunks.cut(timeline, parts_of(timeline), silent)
    assert [(p.name, p.frames, p.transition) for p in pieces] == [
        ("scene a", 45, ""),
        ("joint of a and b", 15, "fade"),
        ("scene b", 25, ""),
        ("scene c", 40, ""),
        ("joint of c and d", 10, "wipeleft"),
        ("scene d", 20, ""),
    ]
    assert sum(p.frames for p in pieces) == timeline.frames


def test_a_scene_that_is_all_transition_has_no_body() -> None:
    timeline = program(
        scene("a", 30, 0, Transition("fade", 10)), scene("b", 20, 0, Transition("fade", 10)), scene("c", 30, 0)
    )
    pieces = chunks.cut(timeline, parts_of(timeline), silent)
    assert [p.frames for p in pieces] == [20, 10, 10, 20]


def test_a_body_is_cut_where_its_footage_changes() -> None:
    two = TimedScene("a", 60, (ClipLayer("a", 1, Fraction(0), 0, 25), ClipLayer("a", 2, Fraction(3), 25, 35)))
    timeline = program(two)
    assert [p.frames for p in chunks.cut(timeline, parts_of(timeline), silent)] == [25, 35]


def test_captions_are_asked_for_in_frames_of_the_program() -> None:
    timeline = program(scene("a", 60, 0, Transition("fade", 15)), scene("b", 40, 70))
    asked: list[tuple[int, int]] = []

    def script(start: int, end: int) -> str:
        asked.append((start, end))
        return "script"

    pieces = chunks.cut(timeline, parts_of(timeline), script)
    assert all(piece.captions == "script" for piece in pieces)
    assert asked == [(0, 45), (45, 60), (60, 85)]


@pytest.mark.parametrize(
    ("timeline", "cause"),
    [
        (program(), "no scene"),
        (program(scene("a", 20, 0, Transition("fade", 12)), scene("b", 10, 0)), "'b' has 10 frames.*12"),
        (program(scene("a", 20, 0, Transition("fade", 0)), scene("b", 10, 0)), "'a' has 0 frames"),
        (program(scene("a", 20, 0, Transition("fade", 5))), "last scene 'a'"),
        (replace(program(scene("a", 20, 0)), canvas=Canvas(321, 180)), "321 x 180"),
    ],
)
def test_an_impossible_timeline_names_the_scene(timeline: Timeline, cause: str) -> None:
    with pytest.raises(TimelineImpossible, match=cause):
        chunks.check(timeline)


def test_an_unknown_transition_names_the_nearest() -> None:
    with pytest.raises(WrongUsage, match="'fadeblak'") as caught:
        xfade_name("fadeblak")
    assert "did you mean 'fadeblack'" in caught.value.next_step


def test_every_transition_that_a_storyboard_may_name_is_drawn() -> None:
    assert set(XFADE) == set(get_args(TransitionName))
    assert len(set(XFADE.values())) >= 12


def test_the_key_knows_what_decides_the_frames() -> None:
    timeline = program(scene("a", 60, 0))

    def key(timeline: Timeline = timeline, source: Source = SOURCE, encoder: tuple[str, ...] = ENCODER) -> str:
        (piece,) = chunks.cut(timeline, parts_of(timeline, source), silent)
        return chunks.key_of(compile_chunk(piece, CANVAS, encoder))

    assert key() == key(replace(timeline, title="another"))
    assert key() == key(source=replace(SOURCE, path=Path("moved.mp4")))
    assert key() == key(program(replace(scene("renamed", 60, 0))))
    others = [
        key(program(scene("a", 60, 1))),
        key(program(scene("a", 61, 0))),
        key(source=replace(SOURCE, asset="b" * 64)),
        key(encoder=X264.arguments(CANVAS.fps, draft=False)),
    ]
    assert len({key(), *others}) == 5


# on real frames


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    store.shelf["clip"] = numbered_clip(store.folder / "clip.mp4", frames=200)
    return store


def render(timeline: Timeline, store: Store, out: Path) -> int:
    canvas = timeline.canvas
    source = read_source("a" * 64, store.shelf["clip"])
    black = draw_color(ColorLayer("#000000", 0, 1), canvas, store.cached)
    files = [made(piece, canvas, store) for piece in chunks.cut(timeline, parts_of(timeline, source, black), silent)]
    return chunks.join([chunks.Pictures(file) for file in files], None, out, canvas=canvas, metadata={"title": "x"})


def made(piece: Chunk, canvas: Canvas, store: Store) -> Path:
    command = compile_chunk(piece, canvas, X264.arguments(canvas.fps, draft=False))
    file, _ = chunks.make_chunk(
        command, store.cached, name=piece.name, on_progress=lambda _: None, cancelled=lambda: False
    )
    return file


@pytest.mark.parametrize("name", sorted(set(XFADE) - {"crossfade"}))
def test_no_frame_is_lost_or_doubled_at_a_joint(name: str, store: Store, tmp_path: Path) -> None:
    timeline = program(scene("a", 24, 10, Transition(name, 8)), scene("b", 24, 100))
    assert render(timeline, store, tmp_path / "x.mp4") == 40
    pictures = lumas(tmp_path / "x.mp4")
    assert len(pictures) == 40
    numbers = [number_in(picture) for picture in pictures]
    assert numbers[:16] == list(range(10, 26))
    assert numbers[24:] == list(range(108, 124))
    if name != "fadeblack":
        assert min(picture.mean() for picture in pictures[16:24]) > 20
    ends = np.abs(pictures[16].astype(int) - pictures[15].astype(int)).mean()
    assert ends < 60  # the joint begins with the scene that goes


def test_times_are_exact_and_decoding_is_clean(store: Store, tmp_path: Path) -> None:
    timeline = program(
        *(scene(f"s{n}", 13 + n, 5 * n, Transition("fade", 1 + n % 3)) for n in range(8)), scene("end", 9, 150)
    )
    render(timeline, store, tmp_path / "x.mp4")
    assert frame_times(tmp_path / "x.mp4") == [Fraction(n, 30) for n in range(timeline.frames)]
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert container.duration == round(timeline.seconds * av.time_base)


def test_a_rate_that_is_no_whole_number_stays_exact(store: Store, tmp_path: Path) -> None:
    ntsc = Canvas(320, 180, Fraction(30_000, 1001))
    timeline = replace(program(scene("a", 40, 10, Transition("fade", 10)), scene("b", 40, 100)), canvas=ntsc)
    assert render(timeline, store, tmp_path / "x.mp4") == 70
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert container.streams.video[0].average_rate == Fraction(30_000, 1001)
    assert frame_times(tmp_path / "x.mp4") == [n / ntsc.fps for n in range(70)]


def test_a_chunk_of_one_frame_is_joined_too(store: Store, tmp_path: Path) -> None:
    timeline = program(scene("a", 1, 10), scene("b", 2, 20), scene("c", 1, 30), scene("d", 20, 40), scene("e", 1, 70))
    assert render(timeline, store, tmp_path / "x.mp4") == 25
    assert [number_in(luma) for luma in lumas(tmp_path / "x.mp4")] == [10, 20, 21, 30, *range(40, 60), 70]


def test_footage_that_ends_too_early_is_named_and_not_kept(store: Store) -> None:
    timeline = program(scene("a", 90, 180))
    before = len(store.made)
    with pytest.raises(RenderFailed, match=r"scene a came out with \d+ frames instead of 90 \(footage: aaaaaaaaaaaa\)"):
        render(timeline, store, store.folder / "x.mp4")
    assert len(store.made) == before


def test_chunks_of_other_settings_are_not_joined(store: Store, tmp_path: Path) -> None:
    small = tmp_path / "small.mp4"
    numbered_clip(small, size="160x90", frames=5)
    good = tmp_path / "good.mp4"
    numbered_clip(good, frames=5)
    with pytest.raises(RenderFailed, match="other settings"):
        chunks.join(
            [chunks.Pictures(good), chunks.Pictures(small)], None, tmp_path / "x.mp4", canvas=CANVAS, metadata={}
        )
