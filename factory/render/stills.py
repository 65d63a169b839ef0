"""Still pictures made ready for the graph: decoded in a limited child, upright, flattened, fitted, at the size in which
they are shown.

A view that glides gets more pixels than the canvas has, so that what moves is a sharp picture read between its pixels.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil, sqrt
from pathlib import Path
from typing import Any, Final

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFilter, ImageOps, UnidentifiedImageError

from factory.errors import FactoryError
from factory.plan.framing import covering
from factory.plan.timeline import Canvas, ImageLayer, StillFit
from factory.render.command import digest_of
from factory.render.errors import RenderCancelled, disk_full_named
from factory.render.fit import BLUR_SHRINK, FULLER
from factory.render.overlays import Cached
from understanding.errors import MediaRefused
from understanding.sandbox import Cancelled, ChildRaised, Limits, run_limited

VERSION = 1  # raised whenever the same picture would be shown differently
FORMATS: Final = ("PNG", "JPEG", "WEBP")
MAX_PIXELS: Final = 80_000_000
MAX_BYTES: Final = 100 << 20
OVERSAMPLING = 1.15  # pixels of a gliding view for each one of the canvas, along a side: what its closest view wants
MAX_STAGE = 8_000_000  # pixels: a long pan is prepared less finely, or moving it would take too much memory
LIMITS = Limits(wall_seconds=120.0, cpu_seconds=120)
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


class PictureRefused(FactoryError):
    """A still picture that cannot be shown; names the file and what is wrong with it."""

    code = "picture-refused"
    exit_code = 2

    def __init__(self, name: str, cause: str, next_step: str = "") -> None:
        step = next_step or f"give a PNG, JPEG or WebP of at most {MAX_PIXELS // 1_000_000} million pixels"
        super().__init__(f"the picture {name} cannot be used: {cause}", next_step=step)


@dataclass(frozen=True, slots=True)
class View:
    """A picture as prepared: `width` x `height` pixels in `file`, `content` says what they show.

    `first` and `last` are what is seen at the layer's start and end, in pixels of it; the larger one fills
    `across` x `down` pixels. Where both are the same the file is the canvas as it is shown.
    """

    content: str
    file: Path
    width: int
    height: int
    first: Box
    last: Box
    across: int
    down: int

    @property
    def glides(self) -> bool:
        return self.first != self.last


@dataclass(frozen=True, slots=True)
class Stage:
    """What is cut out of a fitted picture: `box`, in pixels of the picture or, where it is contained, of the canvas
    (width, height); each becomes `scale` pixels of `size` (width, height)."""

    fit: StillFit
    ground: str
    canvas: tuple[int, int]
    box: Box
    scale: float
    size: tuple[int, int]


def picture_size(path: Path, name: str, cancelled: Callable[[], bool] = lambda: False) -> tuple[int, int]:
    """Return width and height as shown, after all of the picture was decoded; `PictureRefused` calls it `name`."""
    width, height = _asked(measure, path, name, cancelled, True)
    return int(width), int(height)


def prepare(
    layer: ImageLayer,
    path: Path,
    canvas: Canvas,
    cached: Cached,
    *,
    name: str,
    cancelled: Callable[[], bool] = lambda: False,
) -> View:
    """Return the picture of a layer as it is shown on `canvas` (or in an inset of that size)."""
    width, height = _asked(measure, path, name, cancelled, False)
    stage, (first, last) = _stage_of(layer, (int(width), int(height)), canvas)
    content = digest_of([VERSION, PIL.__version__, layer.asset, asdict(stage)])

    def make(target: Path) -> None:
        pixels = _asked(fitted, path, name, cancelled, stage)
        with disk_full_named(target):
            Image.fromarray(pixels).save(target, "PNG", compress_level=1)

    file = cached(f"picture-{content}", ".png", make)
    across, down = (_even(max(first[k + 2] - first[k], last[k + 2] - last[k]), stage.size[k]) for k in (0, 1))
    return View(content, file, *stage.size, first, last, across, down)


def _asked(function: Callable[..., object], path: Path, name: str, cancelled: Callable[[], bool], *more: object) -> Any:
    try:
        return run_limited(function, str(path.resolve()), *more, limits=LIMITS, path=path, cancelled=cancelled)
    except Cancelled as error:
        raise RenderCancelled from error
    except (MediaRefused, ChildRaised) as error:
        raise PictureRefused(name, str(error)) from error


# geometry


def _stage_of(layer: ImageLayer, size: tuple[int, int], canvas: Canvas) -> tuple[Stage, tuple[Box, Box]]:
    """Return what both views together need of a picture of `size`, how finely, and the views in pixels of it."""
    fit = _fit(layer.fit, size, canvas)
    width, height = size if fit == "cover" else (canvas.width, canvas.height)
    shape = Fraction(canvas.width, canvas.height)
    first, last = (
        (left * width, top * height, right * width, bottom * height)
        for left, top, right, bottom in (covering(width, height, shape, window) for window in (layer.first, layer.last))
    )
    left, top = min(first[0], last[0]), min(first[1], last[1])
    right, bottom = max(first[2], last[2]), max(first[3], last[3])
    box, across, down = (left, top, right, bottom), canvas.width, canvas.height
    scale = canvas.width / (right - left)
    if first != last:
        scale = OVERSAMPLING * canvas.width / max(first[2] - first[0], last[2] - last[0])
        scale = min(scale, sqrt(MAX_STAGE / ((right - left) * (bottom - top))))
        across, down = ceil((right - left) * scale / 2) * 2, ceil((bottom - top) * scale / 2) * 2
    wide, high = across / (right - left), down / (bottom - top)

    def seen(view: Box) -> Box:
        return (view[0] - left) * wide, (view[1] - top) * high, (view[2] - left) * wide, (view[3] - top) * high

    stage = Stage(fit, layer.ground, (canvas.width, canvas.height), box, scale, (across, down))
    return stage, (seen(first), seen(last))


def _fit(fit: StillFit, size: tuple[int, int], canvas: Canvas) -> StillFit:
    near = abs(Fraction(*size) / Fraction(canvas.width, canvas.height) - 1) < Fraction(2, 100)
    return "cover" if near else fit


def _even(pixels: float, most: int) -> int:
    return max(2, min(round(pixels / 2) * 2, most))


# in the child


def measure(path: str, whole: bool) -> list[int]:
    """Return width and height as shown; `whole` decodes all of it. Runs in the child."""
    picture = _opened(path)
    if whole:
        _loaded(picture)
    turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return [picture.height, picture.width] if turned else [picture.width, picture.height]


def fitted(path: str, stage: Stage) -> NDArray[np.uint8]:
    """Return the pixels of a stage, (height, width, 3) RGB. Runs in the child."""
    picture, box = _flat(_loaded(_opened(path)), stage.ground), stage.box
    if stage.fit != "cover":
        picture = _composed(picture, stage)
        box = (box[0] * stage.scale, box[1] * stage.scale, box[2] * stage.scale, box[3] * stage.scale)
    held = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], picture.width), min(box[3], picture.height))
    return np.asarray(picture.resize(stage.size, Image.Resampling.LANCZOS, box=held))


def _opened(path: str) -> Image.Image:
    file = Path(path)
    if file.stat().st_size > MAX_BYTES:
        raise _refused("too-large", f"it has more than {MAX_BYTES >> 20} MiB")
    Image.MAX_IMAGE_PIXELS = None  # ours is told with the figure
    try:
        picture = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _refused("not-media", "it is neither a PNG nor a JPEG nor a WebP") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise _refused("not-media", f"it is damaged ({error})") from error
    if picture.width * picture.height > MAX_PIXELS:
        raise _refused("too-large", f"it has {picture.width} x {picture.height} pixels")
    return picture


def _loaded(picture: Image.Image) -> Image.Image:
    """Decode all of it and turn it upright."""
    try:
        picture.load()
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise _refused("not-media", f"it is damaged ({error})") from error
    return ImageOps.exif_transpose(picture)


def _flat(picture: Image.Image, ground: str) -> Image.Image:
    """Return it as RGB (sRGB), what is clear in it filled with `ground`."""
    clear = picture.has_transparency_data
    if picture.mode.startswith("I"):  # 16 bits of grey, which PIL would clip
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    picture = _in_srgb(picture)
    if not clear:
        return picture.convert("RGB")
    below = Image.new("RGBA", picture.size, ground)
    below.alpha_composite(picture.convert("RGBA"))
    return below.convert("RGB")


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Apply the colour profile that a camera wrote, where it can be read."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return picture
    try:
        read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(picture, read, ImageCms.createProfile("sRGB"), outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def _composed(picture: Image.Image, stage: Stage) -> Image.Image:
    """Return the picture whole on a canvas: on its ground, or a little enlarged over a blur of itself."""
    across, down = (round(side * stage.scale) for side in stage.canvas)
    whole, full = min(across / picture.width, down / picture.height), max(across / picture.width, down / picture.height)
    factor = whole
    if stage.fit == "contain":
        canvas = Image.new("RGB", (across, down), stage.ground)
    else:
        factor = whole * min(float(FULLER), full / whole)
        small = (max(2, across // BLUR_SHRINK), max(2, down // BLUR_SHRINK))
        behind = ImageOps.fit(picture, small, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
        canvas = behind.point(lambda value: value // 2).resize((across, down), Image.Resampling.BICUBIC)
    shown = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    front = picture.resize(shown, Image.Resampling.LANCZOS)
    canvas.paste(front, ((across - shown[0]) // 2, (down - shown[1]) // 2))
    return canvas


def _refused(code: str, cause: str) -> MediaRefused:
    return MediaRefused(code, cause, next_step="give another picture")
