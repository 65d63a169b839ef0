"""Any timeline that is valid comes out with exactly its frames, without a black one where scenes meet."""

from __future__ import annotations

import os
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from factory.plan.timeline import Canvas, CardLayer, ClipLayer, Cue, Fit, Layer, TimedScene, Timeline, Transition
from factory.render import chunks
from factory.render.drawn import Drawn
from factory.render.film import render_film
from factory.render.footage import Footage
from factory.render.graph import Part
from factory.render.mezzanine import copying, group_frames
from factory.render.overlays import Drawing
from factory.render.source import Source
from factory.render.transitions import XFADE
from tests.render_kit import PlainCards, Store, complaints, hum, lumas, numbered_clip
from understanding.vehicles import COLUMNS, Map

PLANNED = 400
RENDERED = int(os.environ.get("FACTORY_RANDOM_FILMS", "12"))  # films that are rendered; 300 take minutes
LENGTHS = {"a": 250, "b": 180}  # frames of the clips
RATES = (Fraction(30), Fraction(24), Fraction(25), Fraction(30_000, 1001))
SPEEDS = (Fraction(1), Fraction(1), Fraction(4, 5), Fraction(1, 2), Fraction(3, 2), Fraction(8, 5), Fraction(2))
LIT = ",lutyuv=y=max(val\\,70)"  # no picture of a clip is black
FITS: tuple[Fit, ...] = ("cover", "contain-blur", "track")
DARKENING = {"fadeblack", "fadewhite"}


class Passing:
    """Sees a vehicle that goes from left to right and down as pictures grow darker."""

    name = "passing"

    def evidence(self, picture: NDArray[np.uint8]) -> Map:
        odds = np.full((COLUMNS * picture.shape[0] // picture.shape[1], COLUMNS), -5.0, np.float32)
        along = 0.1 + 0.6 * (1 - float(picture.mean()) / 255)
        rows, columns = (slice(int(along * side), int((along + 0.2) * side)) for side in odds.shape)
        odds[rows, columns] = 5.0
        return odds


def random_timeline(seed: int, assets: dict[str, str]) -> Timeline:
    chance = random.Random(seed)
    fps = chance.choice(RATES)
    names = sorted(set(XFADE) - DARKENING)
    scenes: list[TimedScene] = []
    before, count = 0, chance.randint(1, 5)
    for number in range(count):
        after = chance.choice([0, 0, 1, 7, 15]) if number < count - 1 else 0
        frames = before + after + chance.randint(1, 70)
        over = Transition(chance.choice(names), after) if after else None
        cues = (Cue(0, frames, ("Words",)),) if chance.random() < 0.2 else ()
        scenes.append(TimedScene(f"s{number}", frames, _layers(chance, frames, fps, assets), over, cues=cues))
        before = after
    return Timeline("Random", "en-US", "test", "plain", Canvas(96, 54, fps), tuple(scenes))


def _layers(chance: random.Random, frames: int, fps: Fraction, assets: dict[str, str]) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    at = 0
    while at < frames:
        asset, length = chance.choice(sorted(LENGTHS.items()))
        part = min(frames - at, chance.choice([frames, max(1, frames // 2), 20]))
        speed = chance.choice([s for s in SPEEDS if _room(length, part, fps, s) > Fraction(1, 30)])
        room = _room(length, part, fps, speed)
        start = chance.choice([Fraction(1, 2), Fraction(1, 30), Fraction(chance.randint(2, 1000), 1000)])
        start = max(min(start, room), Fraction(1, 30))
        fit = chance.choice(FITS)
        layers.append(ClipLayer(assets[asset], 1, start, at, part, speed=speed, fit=fit))
        at += part
    if chance.random() < 0.5:
        first = chance.randrange(frames)
        box = {"box": (4, 30, 40, 20)}
        layers.append(CardLayer("plate", box, first, chance.randint(1, frames - first), enter=3, leave=0))
    return tuple(layers)


def _room(length: int, part: int, fps: Fraction, speed: Fraction) -> Fraction:
    """Return the last second of a clip at which a part may begin."""
    return Fraction(length, 30) - part / fps * speed - Fraction(1, 10)


@pytest.mark.parametrize("seed", range(0, PLANNED, 100))
def test_pieces_add_up_to_the_plan_and_what_is_copied_is_whole_groups(seed: int) -> None:
    for number in range(seed, seed + 100):
        timeline = random_timeline(number, {name: name * 64 for name in LENGTHS})
        chunks.check(timeline)
        parts: list[tuple[Part, ...]] = [tuple(_part(layer) for layer in scene.layers) for scene in timeline.scenes]
        pieces = chunks.cut(timeline, parts, lambda start, end: "script" if end - start > 60 else "")
        assert sum(piece.frames for piece in pieces) == timeline.frames
        stretches = copying(pieces, timeline.canvas)
        assert sum(stretch.frames for stretch in stretches) == timeline.frames
        size = group_frames(timeline.canvas.fps)
        for stretch in stretches:
            assert 0 <= stretch.first < stretch.first + stretch.frames <= stretch.chunk.frames
            if stretch.copied:
                assert stretch.first % size == stretch.frames % size == 0


def _part(layer: Layer) -> Part:
    if isinstance(layer, ClipLayer):
        seconds = Fraction(LENGTHS[layer.asset[0]], 30)
        return Footage(layer, Source(layer.asset, Path("x.mp4"), 320, 180, Fraction(30), seconds=seconds))
    assert isinstance(layer, CardLayer)
    return Drawn(layer, Drawing(0, 0, "g", Path("g.png")))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("random"))


@pytest.fixture(scope="module")
def assets(store: Store) -> dict[str, str]:
    sizes = {"a": "320x180", "b": "180x320"}
    return {
        name: store.adopt(numbered_clip(store.folder / f"{name}.mp4", size=sizes[name], frames=frames, extra=LIT))
        for name, frames in LENGTHS.items()
    }


@pytest.mark.parametrize("seed", range(RENDERED))
def test_a_film_has_exactly_the_planned_frames_and_none_is_black(
    seed: int, store: Store, assets: dict[str, str], tmp_path: Path
) -> None:
    timeline = random_timeline(seed, assets)
    film = render_film(
        timeline,
        source=store.source,
        cached=store.cached,
        templates=PlainCards(),
        write_music=hum,
        out=tmp_path / "film.mp4",
        jobs=2,
        copy_shots=bool(seed % 2),
        eye=Passing(),
    )
    pictures = lumas(film.video)
    assert len(pictures) == film.frames == timeline.frames
    assert min(float(picture.mean()) for picture in pictures) > 35
    assert complaints(film.video) == []
