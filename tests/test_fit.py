"""A window that moves over footage: where it is said to be, to the pixel, on every kind of picture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from factory.plan.following import Follow
from factory.plan.timeline import Canvas, ClipLayer, ColorLayer
from factory.render.drawn import Drawn
from factory.render.ffmpeg import run
from factory.render.fit import path_of
from factory.render.footage import Footage
from factory.render.graph import Chunk, Window, compile_chunk
from factory.render.overlays import draw_color
from factory.render.source import read_source
from tests.render_kit import Store, ffmpeg, lumas

TALL = Canvas(202, 360)
FINE = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "3", "-threads", "1")
RAMP = "nullsrc=s=320x180:r=30:d=3,format=yuv444p,geq=lum='16.5+219*(X+0.5)/W':cb=128:cr=128"
CROP = round(202 / 360 * 180 / 320, 6)
SLOW = Follow("x", CROP, 12, (0.1, 0.1, 0.1, 0.11, 0.13, 0.16, 0.2, 0.24, 0.28, 0.32, 0.32, 0.32))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


def shown(
    store: Store, path: Path, follow: Follow | None, name: str, start: int = 0, frames: int = 60, canvas: Canvas = TALL
) -> list[NDArray[np.uint8]]:
    """Render frames [start, start + frames) of a tracked layer of 80 frames."""
    layer = ClipLayer("a", 1, Fraction(0), 0, 80, fit="track")
    black = ColorLayer("#000000", 0, 80)
    parts = (
        Drawn(black, draw_color(black, canvas, store.cached)),
        Footage(layer, read_source("a", path), follow=follow),
    )
    out = store.folder / f"{name}.mp4"
    run(compile_chunk(Chunk("x", (Window(parts, start, frames),), frames), canvas, FINE), output=out)
    pictures = lumas(out)
    assert [picture.shape for picture in pictures] == [(canvas.height, canvas.width)] * frames
    return pictures


@pytest.fixture(scope="module")
def ramp(store: Store) -> Path:
    """Footage whose brightness says how far to the right a place lies."""
    path = store.folder / "ramp.mp4"
    ffmpeg("-f", "lavfi", "-i", RAMP, "-c:v", "libx264", "-crf", "0", "-pix_fmt", "yuv444p", str(path))
    return path


def test_the_window_is_where_the_path_says_to_the_pixel(store: Store, ramp: Path) -> None:
    pictures = shown(store, ramp, SLOW, "slow")
    for frame, picture in enumerate(pictures):
        wanted = SLOW.at(frame) + SLOW.window / 2
        assert (picture.mean() - 16) / 219 == pytest.approx(wanted, abs=0.75 / (202 / CROP))


def test_a_move_has_no_steps(store: Store, ramp: Path) -> None:
    middles = np.array([picture.mean() for picture in shown(store, ramp, SLOW, "steps")]) * (202 / CROP) / 219
    ideal = np.array([SLOW.at(frame) for frame in range(60)]) * 202 / CROP
    assert np.abs(np.diff(middles) - np.diff(ideal)).max() <= 1.1  # a pixel of the canvas, never of the footage


def test_a_window_goes_on_in_the_next_chunk(store: Store, ramp: Path) -> None:
    whole = np.stack(shown(store, ramp, SLOW, "whole")).astype(int)
    pieces = [*shown(store, ramp, SLOW, "first", 0, 25), *shown(store, ramp, SLOW, "second", 25, 35)]
    assert np.abs(np.stack(pieces).astype(int) - whole).mean(axis=(1, 2)).max() < 0.2


def test_the_same_frames_have_the_same_path_in_any_chunk() -> None:
    terms = path_of(SLOW, 0, 80).split("/12+1);(")[1].removesuffix(")/6").split("+")
    later = path_of(SLOW, 30, 10).split("/12+1);(")[1].removesuffix(")/6").split("+")
    assert len(later) < len(terms)
    assert set(later) <= set(terms)


def test_a_window_that_rests_is_a_number() -> None:
    assert path_of(replace(SLOW, knots=(0.25,) * 12), 0, 80) == "0.25000"


def test_a_window_with_room_lies_over_a_blur(store: Store, ramp: Path) -> None:
    picture = shown(store, ramp, replace(SLOW, window=0.75, knots=(0.25,) * 12), "roomy", frames=3)[1]
    middle = picture[180]
    assert (middle[1] - 16) / 219 == pytest.approx(0.25, abs=0.01)
    assert (middle[-2] - 16) / 219 == pytest.approx(1.0, abs=0.02)
    assert picture[20, 190] < 140  # darkened


def test_without_a_path_it_is_shown_as_if_nobody_tracked(store: Store, ramp: Path) -> None:
    middle = shown(store, ramp, None, "none", frames=3)[1][180]
    assert (middle[1] - 16) / 219 == pytest.approx(0.125, abs=0.01)


def test_a_window_moves_down_a_tall_picture(store: Store) -> None:
    path = store.folder / "tall.mp4"
    down = "nullsrc=s=180x320:r=30:d=3,format=yuv420p,geq=lum='16.5+219*(Y+0.5)/H':cb=128:cr=128"
    ffmpeg("-f", "lavfi", "-i", down, "-c:v", "libx264", "-crf", "1", str(path))
    canvas = Canvas(320, 180)
    follow = replace(SLOW, axis="y", window=round(180 / 320 * 180 / 320, 6))
    for frame, picture in enumerate(shown(store, path, follow, "down", canvas=canvas)):
        assert (picture.mean() - 16) / 219 == pytest.approx(follow.at(frame) + follow.window / 2, abs=0.006)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    {
        "odd": ("-vf", "scale=321:181,format=yuv444p"),
        "tiny": ("-vf", "scale=64:36"),
        "ten-bit": ("-vf", "format=yuv420p10le"),
        "grey": ("-vf", "format=gray"),
        "full-range": ("-vf", "scale=out_range=pc,format=yuvj420p"),
        "interlaced": ("-vf", "interlace", "-flags", "+ildct+ilme"),
        "anamorphic": ("-vf", "scale=240:180,setsar=4/3"),
    }.items(),
)
def test_any_picture_can_be_followed_in(kind: str, arguments: tuple[str, ...], store: Store) -> None:
    path = store.folder / f"kind-{kind}.mp4"
    ffmpeg("-f", "lavfi", "-i", RAMP, *arguments, "-c:v", "libx264", "-crf", "3", str(path))
    for name, window in (("fills", CROP), ("roomy", 0.75)):
        picture = shown(store, path, replace(SLOW, window=window), f"{kind}-{name}", frames=50)[48]
        wanted = 16 + 219 * (SLOW.at(48) + window / 2)
        assert picture[150:210].mean() == pytest.approx(wanted, abs=6)
