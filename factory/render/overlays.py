"""Drawn things: SVG text in, RGBA pictures and short transparent clips out, each at its own size.

Still cards are drawn once by resvg and animated by ffmpeg; what changes from frame to frame (counting numbers, growing
bars) is drawn frame by frame through MoviePy, only while it changes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from factory.plan.timeline import Canvas, CardLayer, ColorLayer
from factory.render.cards import ease
from factory.render.command import digest_of
from factory.render.errors import RenderFailed, disk_full_named
from factory.render.fonts import FAMILY, check_glyphs, font_digest, font_file

Cached = Callable[[str, str, Callable[[Path], None]], Path]
MAX_SIDE = 8192


class Cards(Protocol):
    """Fills a card's template: `templates.Templates` in the factory."""

    def card(
        self, name: str, *, data: Mapping[str, Any], canvas: Canvas, brand: str, locale: str, progress: float
    ) -> str: ...


class CardUnreadable(RenderFailed):
    """A card's template gave something that is no picture."""

    code = "card-unreadable"

    def __init__(self, where: str, cause: str) -> None:
        super().__init__(f"{where} is no drawable SVG: {cause}", next_step="correct the template of that card")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture on the canvas: left and top in output pixels (even), `still` when at rest.

    `moving` holds the frames of its first `moving_frames` frames where it is drawn frame by frame. `content` and
    `moving_content` are digests of what the files show.
    """

    left: int
    top: int
    content: str
    still: Path
    moving_content: str = ""
    moving: Path | None = None
    moving_frames: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """SVG text with the box it fills on the canvas, as its viewBox says, in canvas pixels."""

    svg: str
    left: float
    top: float
    width: float
    height: float


def read_sheet(svg: str, where: str) -> Sheet:
    """Read the box of a card and check that every character of it can be drawn; `where` names the card in errors."""
    try:
        root = ElementTree.fromstring(svg)  # noqa: S314 - our own template's output, data escaped
        left, top, width, height = (float(part) for part in root.get("viewBox", "").replace(",", " ").split())
    except (ElementTree.ParseError, ValueError) as error:
        raise CardUnreadable(where, str(error)) from error
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise CardUnreadable(where, f"its viewBox is {width:g} x {height:g}")
    for text in _texts(root):
        check_glyphs(text, where)
    for link in _links(root):
        if not link.startswith(("#", "data:")):
            raise CardUnreadable(where, f"it links to {link[:80]!r}")
    return Sheet(svg, left, top, width, height)


def _texts(root: ElementTree.Element) -> Iterator[str]:
    for element in root.iter():
        if element.tag.rpartition("}")[2] == "text":
            yield from element.itertext()


def _links(root: ElementTree.Element) -> Iterator[str]:
    """Yield what the card would read from elsewhere: a card is drawn from its own text alone."""
    for element in root.iter():
        yield from (value for name, value in element.attrib.items() if name.rpartition("}")[2] == "href")


def draw_card(
    layer: CardLayer,
    cards: Cards,
    cached: Cached,
    *,
    canvas: Canvas,
    brand: str,
    locale: str,
    scale: Fraction = Fraction(1),
    where: str,
) -> Drawing:
    """Draw a card layer; `where` names it in errors. `scale` shrinks everything for a draft."""

    def filled(progress: float) -> Sheet:
        svg = cards.card(
            layer.card, data=layer.data, canvas=canvas, brand=brand, locale=locale, progress=round(progress, 4)
        )
        return read_sheet(svg, where)

    still = draw_still(filled(1.0), cached, scale, where)
    if not layer.counts or layer.enter <= 0:
        return still
    steps = min(layer.enter, layer.frames)
    sheets = [filled(ease((i + 1) / steps)) for i in range(steps)]
    if len({(s.left, s.top, s.width, s.height) for s in sheets}) > 1:
        raise CardUnreadable(where, "its box changes while it is drawn frame by frame")
    content = _digest(sheets, scale)
    pictures = (png_of(sheet, scale, where) for sheet in sheets)
    path = cached(f"motion-{content}", ".mov", lambda target: write_frames(target, list(pictures), float(canvas.fps)))
    return replace(still, moving_content=content, moving=path, moving_frames=steps)


def draw_color(layer: ColorLayer, canvas: Canvas, cached: Cached, scale: Fraction = Fraction(1)) -> Drawing:
    """Draw a ground of one colour, or of a vertical gradient, as large as the canvas."""
    stops = f'<stop offset="0" stop-color="{layer.color}"/><stop offset="1" stop-color="{layer.to or layer.color}"/>'
    box = f'viewBox="0 0 {canvas.width} {canvas.height}" width="{canvas.width}" height="{canvas.height}"'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}><linearGradient id="g" x2="0" y2="1">{stops}</linearGradient>'
        f'<rect width="100%" height="100%" fill="url(#g)"/></svg>'
    )
    return draw_still(read_sheet(svg, "a color layer"), cached, scale, "a color layer")


def draw_still(sheet: Sheet, cached: Cached, scale: Fraction, where: str) -> Drawing:
    """Draw one picture, kept by what it shows."""
    content = _digest([sheet], scale)
    path = cached(f"card-{content}", ".png", lambda target: _write(target, png_of(sheet, scale, where)))
    return Drawing(_even(sheet.left * scale), _even(sheet.top * scale), content, path)


def write_frames(target: Path, pictures: Sequence[bytes], fps: float) -> None:
    """Write PNG pictures of one size as a transparent clip (QuickTime Animation: exact, with alpha), one frame each."""
    from moviepy import VideoClip  # noqa: PLC0415 - slow to import, and wanted by frame-drawn cards only

    @lru_cache(maxsize=2)
    def frame(number: int) -> NDArray[np.uint8]:
        return np.asarray(Image.open(io.BytesIO(pictures[number])).convert("RGBA"))

    def at(seconds: float) -> NDArray[np.uint8]:
        return frame(min(round(seconds * fps), len(pictures) - 1))

    seconds = len(pictures) / fps
    mask = VideoClip(lambda t: at(t)[..., 3] / 255.0, duration=seconds, is_mask=True)
    clip = VideoClip(lambda t: at(t)[..., :3], duration=seconds).with_mask(mask)
    with disk_full_named(target):
        clip.write_videofile(str(target), fps=fps, codec="qtrle", audio=False, logger=None, ffmpeg_params=["-f", "mov"])


def png_of(sheet: Sheet, scale: Fraction, where: str) -> bytes:
    """Return a card's picture as PNG, `scale` times as large; `where` names it in errors."""
    try:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=sheet.svg,
                zoom=float(scale),
                font_files=[str(font_file())],
                skip_system_fonts=True,
                font_family=FAMILY,
                sans_serif_family=FAMILY,
            )
        )
    except ValueError as error:
        raise CardUnreadable(where, str(error)) from error


def _write(target: Path, data: bytes) -> None:
    with disk_full_named(target):
        target.write_bytes(data)


def _digest(sheets: Sequence[Sheet], scale: Fraction) -> str:
    return digest_of([[s.svg for s in sheets], str(scale), font_digest(), resvg_py.__version__])


def _even(pixels: float) -> int:
    """Round down to an even pixel: the colour planes of yuv420p have half the resolution."""
    return int(pixels // 2) * 2
