"""Pictures in pictures: in the safe area of every canvas, exact in frames, framed, faded, the same in every chunk."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from factory.plan.timeline import Canvas, ClipLayer, ColorLayer, Corner, ImageLayer, Inset
from factory.render.drawn import Drawn
from factory.render.ffmpeg import run
from factory.render.footage import Footage
from factory.render.graph import Chunk, Part, Photo, Window, compile_chunk, covers, ground_of
from factory.render.inlay import box_of, stand
from factory.render.layout import layout_for
from factory.render.overlays import draw_color
from factory.render.probe import X264
from factory.render.source import read_source
from factory.render.stills import prepare
from factory.render.templates import Templates
from tests.render_kit import Store, lumas, number_in, numbered_clip

CANVAS = Canvas(640, 360)
ENCODER = X264.arguments(CANVAS.fps, draft=True)
FRAMES = 40
INSET = Inset("top-right", 0.5, frame=True)
CANVASES = (Canvas(1920, 1080), Canvas(1080, 1920), Canvas(1080, 1080))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    store.shelf["clip"] = numbered_clip(store.folder / "clip.mp4", frames=120)
    return store


def look(**options: Any) -> dict[str, Any]:
    return {"canvas": CANVAS, "brand": "circuit", "locale": "zh-CN", **options}


def inset_clip(store: Store, inset: Inset, start: int = 0, frames: int = FRAMES, at: int = 20) -> Footage:
    layer = ClipLayer("clip", 1, Fraction(at, 30), start, frames, inset=inset)
    return Footage(
        layer, read_source("clip", store.shelf["clip"]), None, stand(inset, Templates(), store.cached, **look())
    )


def shown(parts: tuple[Part, ...], store: Store, start: int = 0, frames: int = FRAMES) -> list[NDArray[np.uint8]]:
    color = ColorLayer("#c0c0c0", 0, FRAMES)
    ground = Drawn(color, draw_color(color, CANVAS, store.cached))
    out = store.folder / "shown.mp4"
    run(compile_chunk(Chunk("x", (Window((ground, *parts), start, frames),), frames), CANVAS, ENCODER), output=out)
    return lumas(out)


def within(picture: NDArray[np.uint8], inset: Inset = INSET) -> NDArray[np.uint8]:
    left, top, width, height = box_of(inset, CANVAS)
    return picture[top : top + height, left : left + width]


@pytest.mark.parametrize(("canvas", "corner"), list(product(CANVASES, get_args(Corner))))
def test_every_corner_lies_in_the_safe_area_above_the_captions(canvas: Canvas, corner: Corner) -> None:
    layout = layout_for(canvas)
    for share in (0.2, 0.4, 1.0):
        left, top, width, height = box_of(Inset(corner, share), canvas)
        assert layout.left < left
        assert left + width < layout.right
        assert layout.top < top
        assert top + height < layout.floor
        assert width / height == pytest.approx(16 / 9, rel=0.03)
        assert not any(side % 4 for side in (left, top, width, height))
        assert (left < canvas.width - left - width) == corner.endswith("left") or share == 1.0


def test_an_exact_box_is_kept() -> None:
    assert box_of(Inset(box=(0.25, 0.5, 0.75, 1.0)), Canvas(1920, 1080)) == (480, 540, 960, 540)


def test_an_inset_shows_its_own_frames_and_leaves_the_rest_alone(store: Store) -> None:
    pictures = shown((inset_clip(store, INSET),), store)
    assert [number_in(within(p)) for p in pictures] == list(range(20, 60))
    left, top, _, height = box_of(INSET, CANVAS)
    for picture in (pictures[0], pictures[-1]):
        assert np.ptp(picture[:, : left - 12].astype(int)) < 12
        assert np.ptp(picture[top + height + 12 :].astype(int)) < 12
        assert picture[top + height // 2, left - 2] < 60  # the frame, dark
    assert not covers(inset_clip(store, INSET))


def test_it_comes_and_goes_when_it_is_asked_to(store: Store) -> None:
    part = inset_clip(store, replace(INSET, enter=8, leave=6), start=10, frames=25)
    pictures = shown((part,), store)
    edge = [float(within(p)[:, -30:-20].mean()) for p in pictures]  # the highest bit: black in all frames
    assert edge[:10] == pytest.approx([edge[0]] * 10, abs=2)
    assert all(np.diff(edge[11:18]) < 0)
    assert edge[18:28] == pytest.approx([edge[20]] * 10, abs=3)
    assert all(np.diff(edge[29:35]) > 0)
    assert edge[35:] == pytest.approx([edge[0]] * 5, abs=2)


@pytest.mark.parametrize("start", [4, 17, 33])
def test_a_chunk_that_starts_within_it_shows_the_same_frames(start: int, store: Store) -> None:
    part = inset_clip(store, replace(INSET, enter=8, leave=10, rounded=True))
    whole, rest = shown((part,), store), shown((part,), store, start, FRAMES - start)
    assert [number_in(within(p)) for p in rest[:4]] == [number_in(within(p)) for p in whole[start : start + 4]]
    for one, other in zip(whole[start:], rest, strict=True):
        assert np.abs(within(one).astype(int) - within(other)).mean() < 2.5


def test_round_corners_show_what_lies_below(store: Store) -> None:
    inset = replace(INSET, frame=False)
    square, round_ = (shown((inset_clip(store, i, at=0),), store)[0] for i in (inset, replace(inset, rounded=True)))
    left, top, *_ = box_of(inset, CANVAS)
    assert square[top + 1, left + 1] < 60  # frame 0 of the clip is black all over
    assert round_[top, left] > 120
    assert round_[top + 20, left + 20] < 60


def test_a_still_picture_stands_in_a_picture_too(store: Store) -> None:
    path = store.folder / "white.png"
    Image.new("RGB", (300, 200), "#ffffff").save(path)
    standing = stand(INSET, Templates(), store.cached, **look())
    layer = ImageLayer("i", 5, 20, last=(0.1, 0.1, 0.9, 0.9), inset=INSET)
    inner = replace(CANVAS, width=standing.width, height=standing.height)
    photo = Photo(layer, prepare(layer, path, inner, store.cached, name="white"), standing)
    levels = [float(within(p)[10:-10, 10:-10].mean()) for p in shown((photo,), store)]
    assert min(levels[5:25]) > 228
    assert max(levels[:5] + levels[25:]) < 200


def test_a_draft_stands_in_the_same_place(store: Store) -> None:
    whole, half = (stand(INSET, Templates(), store.cached, **look(scale=s)) for s in (Fraction(1), Fraction(1, 2)))
    assert (half.left, half.top, half.width, half.height) == (
        *(whole.left // 2, whole.top // 2),
        *(whole.width // 2, whole.height // 2),
    )
    assert half.plate is not None
    assert half.left - half.plate.left == 2


def test_an_inset_is_no_ground(store: Store) -> None:
    part = inset_clip(store, INSET)
    base = Footage(ClipLayer("clip", 1, Fraction(0), 0, FRAMES), part.source)
    spans, above = ground_of(Window((base, part), 0, FRAMES))
    assert [span[0] for span in spans] == [base]
    assert above == (part,)
