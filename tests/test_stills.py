"""Still pictures of every kind are made ready upright and flat, and what is no picture is refused by name and cause."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from factory.plan.timeline import Canvas, ImageLayer
from factory.render.stills import MAX_PIXELS, PictureRefused, View, picture_size, prepare
from tests.render_kit import Store

CANVAS = Canvas(320, 180)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def halves(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Red at the left, blue at the right."""
    picture = Image.new("RGB", (width, height), "#c02020")
    picture.paste("#2020c0", (width // 2, 0, width, height))
    return picture.convert(mode)


def saved(path: Path, picture: Image.Image, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def made(path: Path, store: Store, canvas: Canvas = CANVAS, **changes: Any) -> tuple[View, NDArray[np.uint8]]:
    layer = ImageLayer(store.adopt(path), 0, 30, **changes)
    view = prepare(layer, path, canvas, store.cached, name=path.name)
    return view, np.asarray(Image.open(view.file))


def turned(path: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: to be turned clockwise
    return saved(path, halves(180, 320), exif=exif)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.png", {}),
        ("plain.jpg", {"quality": 95}),
        ("plain.webp", {"lossless": True}),
        ("odd-321x181.png", {}),
        ("palette.png", {"mode": "P"}),
        ("print.jpg", {"mode": "CMYK"}),
    ],
)
def test_every_kind_of_file_comes_out_as_it_looks(name: str, options: dict[str, Any], store: Store) -> None:
    mode = options.pop("mode", "RGB")
    size = (321, 181) if name.startswith("odd") else (640, 360)
    path = saved(store.folder / name, halves(*size, mode), **options)
    assert picture_size(path, name) == size
    view, pixels = made(path, store)
    assert pixels.shape == (180, 320, 3)
    assert not view.glides
    assert np.abs(pixels[90, 40].astype(int) - (0xC0, 0x20, 0x20)).max() < 12
    assert np.abs(pixels[90, 280].astype(int) - (0x20, 0x20, 0xC0)).max() < 12


def test_a_picture_that_lies_on_its_side_is_turned_upright(store: Store) -> None:
    path = turned(store.folder / "turned.jpg")
    assert picture_size(path, "turned.jpg") == (320, 180)
    _, pixels = made(path, store)
    assert pixels[20, 160, 0] > 150  # red was left, and is on top
    assert pixels[160, 160, 2] > 150


def test_what_is_clear_shows_the_ground(store: Store) -> None:
    picture = halves(320, 180, "RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 160, 180))
    _, pixels = made(saved(store.folder / "clear.png", picture), store, ground="#20c040")
    assert tuple(pixels[90, 40]) == (0x20, 0xC0, 0x40)
    assert tuple(pixels[90, 280]) == (0x20, 0x20, 0xC0)


def test_sixteen_bits_of_grey_keep_their_middle(store: Store) -> None:
    grey = np.full((180, 320), 0x8000, np.uint16)
    _, pixels = made(saved(store.folder / "deep.png", Image.fromarray(grey)), store)
    assert pixels[90, 160, 0] == pytest.approx(128, abs=1)


def test_a_colour_profile_is_applied(store: Store) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    path = saved(store.folder / "odd-profile.png", halves(320, 180), icc_profile=profile.tobytes())
    _, pixels = made(path, store)  # one that does not fit the picture is passed over
    assert tuple(pixels[90, 40]) == (0xC0, 0x20, 0x20)


@pytest.mark.parametrize(("fit", "corner"), [("contain", (0x10, 0x20, 0x30)), ("contain-blur", (0x60, 0x10, 0x10))])
def test_a_contained_picture_stands_whole_on_its_ground(fit: Any, corner: tuple[int, ...], store: Store) -> None:
    path = saved(store.folder / "tall.png", halves(300, 600))
    _, pixels = made(path, store, fit=fit, ground="#102030")
    assert np.abs(pixels[90, 5].astype(int) - corner).max() < 20
    assert np.abs(pixels[90, 140].astype(int) - (0xC0, 0x20, 0x20)).max() < 12


def test_a_gliding_view_has_the_pixels_that_its_closest_view_needs(store: Store) -> None:
    path = saved(store.folder / "wide.png", halves(4000, 1000))
    view, pixels = made(path, store, first=(0.0, 0.0, 0.4, 1.0), last=(0.6, 0.1, 0.95, 0.9))
    assert view.glides
    assert pixels.shape == (view.height, view.width, 3)
    closest = min(box[2] - box[0] for box in (view.first, view.last))
    assert closest >= 0.99 * CANVAS.width
    assert view.first[0] == 0
    assert view.last[2] <= view.width
    for box in (view.first, view.last):
        assert (box[2] - box[0]) / (box[3] - box[1]) == pytest.approx(16 / 9, rel=0.01)


def test_the_same_picture_is_prepared_once(store: Store) -> None:
    path = saved(store.folder / "once.png", halves(640, 360))
    made(path, store)
    made(path, store)
    assert len(store.made) == 1
    made(path, store, last=(0.1, 0.1, 0.9, 0.9))
    assert len(store.made) == 2


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 40,000 x 40,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def cut_short() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)).save(file, "JPEG")
    return file.getvalue()[:4000]


def as_gif() -> bytes:
    file = io.BytesIO()
    halves(32, 18).save(file, "GIF")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (lambda: b"", "neither a PNG nor a JPEG nor a WebP"),
        (lambda: b"<svg/>", "neither a PNG"),
        (as_gif, "neither a PNG"),
        (bomb, "40000 x 40000 pixels"),
        (cut_short, "damaged"),
    ],
)
def test_what_is_no_picture_is_refused_by_name_and_cause(
    content: Callable[[], bytes], cause: str, store: Store
) -> None:
    path = store.folder / "car.jpg"
    path.write_bytes(content())
    with pytest.raises(PictureRefused, match=f"the picture car.jpg cannot be used: .*{cause}") as refused:
        picture_size(path, "car.jpg")
    assert f"{MAX_PIXELS // 1_000_000} million" in refused.value.next_step
    with pytest.raises(PictureRefused, match="the picture car"):
        prepare(ImageLayer("a" * 64, 0, 9), path, CANVAS, store.cached, name="car.jpg")
    assert not store.made
