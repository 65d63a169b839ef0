"""The view over a still picture moves without a jerk, from its first window to its last, and never starts anew."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from factory.plan.timeline import Canvas, ColorLayer, ImageLayer
from factory.render.drawn import Drawn
from factory.render.ffmpeg import run
from factory.render.graph import Chunk, Photo, Window, compile_chunk
from factory.render.overlays import draw_color
from factory.render.stills import prepare
from tests.render_kit import Store, lumas

CANVAS = Canvas(640, 360)
FINE = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "2", "-threads", "1")
FRAMES = 40
Grey = NDArray[np.uint8]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def clouds(store: Store) -> Path:
    """A picture with detail everywhere, by which a shift can be measured to a hundredth of a pixel."""
    noise = np.random.default_rng(5).integers(0, 255, (720, 1280)).astype(np.uint8)
    soft = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]  # its stubs know no None
    path = store.folder / "clouds.png"
    Image.fromarray(soft).save(path)
    return path


def shown(layer: ImageLayer, path: Path, store: Store, start: int = 0, frames: int = FRAMES) -> list[Grey]:
    photo = Photo(layer, prepare(layer, path, CANVAS, store.cached, name="clouds"))
    color = ColorLayer("#000000", 0, FRAMES)
    ground = Drawn(color, draw_color(color, CANVAS, store.cached))
    out = store.folder / "shown.mp4"
    run(compile_chunk(Chunk("x", (Window((ground, photo), start, frames),), frames), CANVAS, FINE), output=out)
    return lumas(out)


def eased() -> NDArray[np.float64]:
    share = np.arange(FRAMES) / (FRAMES - 1)
    return np.asarray(share * share * (3 - 2 * share))


def shifts(pictures: list[Grey]) -> NDArray[np.float64]:
    """Return how far (x, y) the middle of the picture moved from each frame to the next, in pixels (Lucas-Kanade)."""
    grid = np.stack(np.meshgrid(np.arange(160, 480, 20), np.arange(90, 270, 20)), axis=-1)
    points = grid.reshape(-1, 1, 2).astype(np.float32)
    ways = []
    for one, other in pairwise(pictures):
        found, _, _ = cv2.calcOpticalFlowPyrLK(one, other, points, None, winSize=(41, 41))  # type: ignore[call-overload]  # its stubs know no None
        ways.append(np.median((found - points).reshape(-1, 2), axis=0))
    return np.asarray(ways, np.float64)


def test_a_slow_pan_has_no_jerk(clouds: Path, store: Store) -> None:
    pan = ImageLayer("a", 0, FRAMES, "cover", (0.0, 0.05, 0.9, 0.95), (0.03, 0.05, 0.93, 0.95))
    pictures = shown(pan, clouds, store)
    assert len(pictures) == FRAMES
    moved = shifts(pictures)
    wanted = -np.diff(eased()) * 0.03 / 0.9 * CANVAS.width  # at most 0.8 pixels a frame
    assert np.abs(moved[:, 0] - wanted).max() < 0.06
    assert np.abs(moved[:, 1]).max() < 0.02


def test_a_zoom_ends_at_its_last_window(clouds: Path, store: Store) -> None:
    zoom = ImageLayer("a", 0, FRAMES, "cover", (0.0, 0.0, 1.0, 1.0), (0.1, 0.1, 0.9, 0.9))
    pictures = shown(zoom, clouds, store)
    with Image.open(clouds) as whole:
        grey = whole.convert("L")
        first, last = grey.resize((640, 360)), grey.resize((640, 360), box=(128, 72, 1152, 648))
    for picture, wanted in ((pictures[0], first), (pictures[-1], last)):
        luma = 16 + np.asarray(wanted, np.float32) * 219 / 255
        assert np.abs(picture.astype(np.float32) - luma)[8:-8, 8:-8].mean() < 3
    assert np.abs(pictures[0].astype(int) - pictures[-1]).mean() > 10


def test_a_chunk_that_starts_within_the_layer_shows_the_same_frames(clouds: Path, store: Store) -> None:
    pan = ImageLayer("a", 5, FRAMES - 5, "cover", (0.0, 0.1, 0.8, 0.9), (0.2, 0.1, 1.0, 0.9))
    whole, rest = shown(pan, clouds, store), shown(pan, clouds, store, start=23, frames=FRAMES - 23)
    assert len(rest) == FRAMES - 23
    for one, other in zip(whole[23:], rest, strict=True):
        assert np.abs(one.astype(int) - other).mean() < 0.8
    assert np.abs(whole[23].astype(int) - rest[1]).mean() > 3  # one frame later would be seen


def test_a_view_that_stands_still_is_the_same_in_every_frame(clouds: Path, store: Store) -> None:
    still = ImageLayer("a", 0, FRAMES, "cover", (0.2, 0.2, 0.8, 0.8), (0.2, 0.2, 0.8, 0.8))
    pictures = shown(still, clouds, store)
    assert max(float(np.abs(pictures[0].astype(int) - p).mean()) for p in pictures) < 1.5
