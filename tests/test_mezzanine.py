"""Shots that were encoded before: what is copied, that it is the picture that would have been encoded, and no seam."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from pydantic import ValidationError

from factory.mezzanines import encode_library
from factory.plan.following import Follow
from factory.plan.timeline import Canvas, CardLayer, ClipLayer, ColorLayer, Cue, TimedScene, Timeline, Transition
from factory.render.drawn import Drawn
from factory.render.film import Film, render_film
from factory.render.footage import Footage
from factory.render.graph import Chunk, Part, Window
from factory.render.mezzanine import BLOCK, blocks_of, copying, group_frames
from factory.render.overlays import Drawing
from factory.render.source import Source
from factory.settings import Settings
from factory.store.assets import add_clip
from factory.wiring import parts
from tests.library import TAXONOMY, a_clip, a_shot
from tests.render_kit import PlainCards, Store, frame_times, hum, lumas, number_in, numbered_clip

CANVAS = Canvas(320, 180)
SOURCE = Source("a" * 64, Path("a.mp4"), 320, 180, Fraction(30), seconds=Fraction(8))
BLACK = Drawing(0, 0, "g", Path("g.png"))
CARD = CardLayer("plate", {}, 0, 60, enter=0, leave=0)


def chunk(layer: ClipLayer, *cards: CardLayer, source: Source = SOURCE, start: int = 0, frames: int = 0) -> Chunk:
    ground = ColorLayer("#000000", 0, layer.start + layer.frames)
    shown: tuple[Part, ...] = (Drawn(ground, BLACK), Footage(layer, source), *(Drawn(card, BLACK) for card in cards))
    frames = frames or layer.frames
    return Chunk("scene a", (Window(shown, start, frames),), frames)


def clip(start: int, frames: int, at: int = 0) -> ClipLayer:
    return ClipLayer(SOURCE.asset, 1, Fraction(start, 30), at, frames)


def told(*chunks: Chunk, canvas: Canvas = CANVAS) -> list[tuple[bool, int, int]]:
    return [(part.copied, part.first, part.frames) for part in copying(chunks, canvas)]


def test_whole_groups_are_copied_and_both_ends_encoded() -> None:
    assert told(chunk(clip(10, 60))) == [(False, 0, 5), (True, 15, 45), (False, 0, 10)]
    assert told(chunk(clip(30, 60))) == [(True, 30, 60)]


def test_a_stretch_under_a_card_is_encoded_and_the_rest_copied() -> None:
    assert told(chunk(clip(0, 120), CARD)) == [(False, 0, 60), (True, 60, 60)]
    late = replace(CARD, start=40, frames=20)
    assert told(chunk(clip(0, 120), late)) == [(True, 0, 30), (False, 0, 30), (True, 60, 60)]


def test_a_block_ends_and_the_next_goes_on() -> None:
    edge = BLOCK * 15
    parts = copying([chunk(clip(edge - 30, 60))], CANVAS)
    assert [(part.copied, part.first, part.frames) for part in parts] == [(True, edge - 30, 30), (True, 0, 30)]
    assert parts[0].chunk != parts[1].chunk


@pytest.mark.parametrize(
    "piece",
    [
        chunk(replace(clip(0, 60), speed=Fraction(9, 10))),
        chunk(replace(clip(0, 60), source_start=Fraction(1, 100))),
        chunk(clip(0, 60), source=replace(SOURCE, raw=True)),
        chunk(clip(0, 60), source=replace(SOURCE, seconds=Fraction(0))),
        replace(chunk(clip(0, 60)), captions="script"),
        replace(chunk(clip(0, 60)), transition="fade"),
        replace(chunk(clip(0, 60)), mark=BLACK),
        chunk(clip(3, 20)),
    ],
    ids=[
        "slowed",
        "between frames",
        "without times",
        "of unknown length",
        "captions",
        "joint",
        "under a watermark",
        "shorter than a group",
    ],
)
def test_what_is_not_the_shot_as_it_is_stays_one_chunk(piece: Chunk) -> None:
    (part,) = copying([piece], CANVAS)
    assert part.chunk is piece
    assert not part.copied


def test_a_shot_whose_window_follows_its_car_is_not_copied_and_one_without_a_car_is() -> None:
    tracked = replace(clip(0, 60), fit="track")
    without = chunk(tracked)
    followed = Footage(tracked, SOURCE, follow=Follow("x", 0.5, 12, (0.1,) * 8))
    window = replace(without.windows[0], parts=(without.windows[0].parts[0], followed))
    assert any(copied for copied, _, _ in told(without))
    assert not any(copied for copied, _, _ in told(replace(without, windows=(window,))))


def test_a_rate_without_whole_half_seconds_copies_nothing() -> None:
    assert group_frames(Fraction(25)) == 0
    assert told(chunk(clip(0, 60)), canvas=replace(CANVAS, fps=Fraction(25))) == [(False, 0, 60)]


def test_blocks_cover_the_whole_groups_of_a_file_and_are_those_that_films_copy_from() -> None:
    blocks = blocks_of(Footage(clip(0, 60), replace(SOURCE, seconds=Fraction(79, 10))), Fraction(30))
    assert [block.frames for block in blocks] == [150, 75]
    (part,) = copying([chunk(clip(150, 30), source=replace(SOURCE, seconds=Fraction(79, 10)))], CANVAS)
    assert part.chunk == blocks[1].chunk


# on real frames


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("mezzanine"))


@pytest.fixture(scope="module")
def asset(store: Store) -> str:
    return store.adopt(numbered_clip(store.folder / "clip.mp4", frames=240))


def program(asset: str) -> Timeline:
    def scene(name: str, start: int, over: Transition | None = None, cues: tuple[Cue, ...] = ()) -> TimedScene:
        card = CardLayer("plate", {"box": (20, 110, 200, 60)}, 0, 30, enter=4)
        return TimedScene(name, 90, (ClipLayer(asset, 1, Fraction(start, 30), 0, 90), card), over, cues=cues)

    scenes = (
        scene("a", 0),
        scene("b", 97, Transition("fade", 12)),
        scene("c", 60),
        scene("d", 15, None, (Cue(5, 80, ("Hi",)),)),
    )
    return Timeline("M", "en-US", "test", "plain", CANVAS, scenes)


def render(timeline: Timeline, store: Store, out: Path, *, copy_shots: bool, jobs: int = 2) -> Film:
    return render_film(
        timeline,
        source=store.source,
        cached=store.cached,
        templates=PlainCards(),
        write_music=hum,
        out=out,
        jobs=jobs,
        copy_shots=copy_shots,
    )


def test_a_film_with_copied_shots_shows_what_the_encoded_one_shows(asset: str, store: Store, tmp_path: Path) -> None:
    plain = render(program(asset), store, tmp_path / "plain.mp4", copy_shots=False)
    film = render(program(asset), store, tmp_path / "copied.mp4", copy_shots=True)
    assert plain.frames_copied == 0
    assert film.frames_copied == 60 + 30 + 60
    assert film.frames == plain.frames == 348
    ours, theirs = lumas(film.video), lumas(plain.video)
    assert len(ours) == len(theirs) == 348
    numbers = [number_in(luma[:90]) for luma in ours]
    assert numbers[:90] == list(range(90))
    assert numbers[90:168] == list(range(97, 175))
    assert numbers[180:258] == list(range(72, 150))
    assert max(float(np.abs(a.astype(int) - b).mean()) for a, b in zip(ours, theirs, strict=True)) < 3


def test_no_decoder_complains_and_every_picture_has_its_time(asset: str, store: Store, tmp_path: Path) -> None:
    film = render(program(asset), store, tmp_path / "copied.mp4", copy_shots=True)
    with av.logging.Capture() as said:
        times = frame_times(film.video)
    assert not [line for line in said if line[0] <= av.logging.WARNING]
    assert times == [Fraction(k, 30) for k in range(348)]


def test_the_frames_depend_on_no_cache_and_an_edit_leaves_what_is_copied(
    asset: str, store: Store, tmp_path: Path
) -> None:
    fresh = Store(tmp_path / "fresh")
    fresh.shelf = store.shelf
    one = render(program(asset), store, tmp_path / "one.mp4", copy_shots=True)
    two = render(program(asset), fresh, tmp_path / "two.mp4", copy_shots=True, jobs=1)
    assert [luma.tobytes() for luma in lumas(one.video)] == [luma.tobytes() for luma in lumas(two.video)]
    whole = program(asset)
    first = replace(whole.scenes[0], layers=(whole.scenes[0].layers[0],))
    edited = render(replace(whole, scenes=(first, *whole.scenes[1:])), store, tmp_path / "edited.mp4", copy_shots=True)
    assert edited.chunks_made == 0  # without its card the scene is copied whole


# ahead of any video


def test_the_library_is_encoded_once_and_a_broken_clip_is_told(tmp_path: Path) -> None:
    house = parts(Settings(home=tmp_path, mezzanine="1:1,1:1"))
    assert house.settings.mezzanines == ("1:1",)
    sound = numbered_clip(tmp_path / "sound.mp4", frames=70)
    (tmp_path / "broken.mp4").write_bytes(b"no clip")
    with house.sessions.write() as session:
        for path in (sound, tmp_path / "broken.mp4"):
            add_clip(session, house.files.adopt(path), a_clip(a_shot()), original=path.name, taxonomy=TAXONOMY)
    good, bad = encode_library(house)
    assert (good.blocks, good.made, good.message) == (1, 1, "")
    assert (bad.blocks, bad.made) == (0, 0)
    assert "cannot be opened" in bad.message
    again, _ = encode_library(house)
    assert (again.blocks, again.made) == (1, 0)


def test_an_unknown_aspect_is_refused() -> None:
    with pytest.raises(ValidationError, match="mezzanine"):
        Settings(mezzanine="4:3")
