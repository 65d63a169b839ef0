"""Pictures in pictures: where one stands on a canvas, its frame and corners, and how it is laid and faded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

import ffmpeg

from factory.plan.insets import shape_of
from factory.plan.timeline import Canvas, CardLayer, Inset
from factory.render.layout import layout_for
from factory.render.overlays import Cached, Cards, Drawing, draw_card, draw_still, read_sheet

STEP = 4  # everything stands on whole multiples of this, so that a draft of half the size keeps even pixels
FRAME = 4.0  # of the layout's units
RADIUS = 16.0


@dataclass(frozen=True, slots=True)
class Standing:
    """An inset in even pixels of the canvas that is encoded; `plate` lies under it, `mask` is white where it shows."""

    left: int
    top: int
    width: int
    height: int
    plate: Drawing | None = None
    mask: Drawing | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Left and top of all of it, its frame included."""
        return (self.plate.left, self.plate.top) if self.plate else (self.left, self.top)


def stand(
    inset: Inset,
    cards: Cards,
    cached: Cached,
    *,
    canvas: Canvas,
    brand: str,
    locale: str,
    scale: Fraction = Fraction(1),
) -> Standing:
    """Return where an inset stands, with its frame and corners drawn. `scale` shrinks everything for a draft."""
    left, top, width, height = box_of(inset, canvas)
    unit = min(canvas.width, canvas.height) / 1080
    radius = round(RADIUS * unit) if inset.rounded else 0
    plate = None
    if inset.frame:
        edge = _border(canvas)
        outer = [left - edge, top - edge, width + 2 * edge, height + 2 * edge]
        data: Mapping[str, Any] = {"box": outer, "radius": radius + edge if radius else 0}
        plate = draw_card(
            CardLayer("inset", data, 0, 1),
            cards,
            cached,
            canvas=canvas,
            brand=brand,
            locale=locale,
            scale=scale,
            where="the frame of a picture in picture",
        )
    mask = _mask(width, height, radius, cached, scale) if radius else None
    left, top, width, height = (int(side * scale / 2) * 2 for side in (left, top, width, height))
    return Standing(left, top, width, height, plate, mask)


def box_of(inset: Inset, canvas: Canvas) -> tuple[int, int, int, int]:
    """Return left, top, width and height of an inset on a canvas, without its frame."""
    if inset.box is not None:
        left, top, right, bottom = inset.box
        x, y = _stepped(left * canvas.width), _stepped(top * canvas.height)
        right_edge, bottom_edge = _stepped(right * canvas.width), _stepped(bottom * canvas.height)
        return x, y, max(right_edge - x, STEP), max(bottom_edge - y, STEP)
    layout, edge = layout_for(canvas), _border(canvas) if inset.frame else 0
    shape = float(shape_of(inset, canvas))
    longer = inset.share * sqrt(canvas.width * canvas.height)
    across = longer if shape >= 1 else longer * shape
    across = min(across, layout.span - 2 * edge, (layout.floor - layout.top - 2 * edge) * shape)
    width, height = max(_stepped(across), STEP), max(_stepped(across / shape), STEP)
    up, at_left = inset.corner.startswith("top"), inset.corner.endswith("left")
    x = -(-(layout.left + edge) // STEP) * STEP if at_left else _stepped(layout.right - edge - width)
    y = -(-(layout.top + edge) // STEP) * STEP if up else _stepped(layout.floor - edge - height)
    return x, y, width, height


def inlaid(picture: Any, standing: Standing, *, mask: Any | None, plate: Any | None) -> Any:
    """Return the picture with its corners cut and on its frame, see-through outside of it."""
    if mask is not None:
        mask = mask.filter("format", pix_fmts="gray").filter("setparams", range="tv")
        picture = ffmpeg.filter([picture, mask], "alphamerge")
    if plate is None or standing.plate is None:
        return picture if mask is not None else picture.filter("format", pix_fmts="yuva420p")
    x, y = standing.left - standing.plate.left, standing.top - standing.plate.top
    return ffmpeg.overlay(plate, picture, x=x, y=y, eval="init", format="yuv420", eof_action="pass")


def faded(picture: Any, inset: Inset, frames: int, skip: int) -> Any:
    """Fade a picture that starts with frame `skip` of a layer of `frames` frames, where the layer has it fade."""
    if not (inset.enter or inset.leave):
        return picture
    if skip:
        picture = picture.filter("tpad", start=skip, start_mode="clone")
    if inset.enter:
        picture = picture.filter("fade", type="in", start_frame=0, nb_frames=inset.enter, alpha=1)
    if inset.leave:
        picture = picture.filter("fade", type="out", start_frame=frames - inset.leave, nb_frames=inset.leave, alpha=1)
    return picture.filter("trim", start_frame=skip).filter("setpts", "PTS-STARTPTS") if skip else picture


def _mask(width: int, height: int, radius: int, cached: Cached, scale: Fraction) -> Drawing:
    box = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}><rect width="100%" height="100%" fill="#000000"/>'
        f'<rect width="{width}" height="{height}" rx="{radius}" fill="#ffffff"/></svg>'
    )
    where = "the corners of a picture in picture"
    return draw_still(read_sheet(svg, where), cached, scale, where)


def _border(canvas: Canvas) -> int:
    return max(STEP, _stepped(FRAME * min(canvas.width, canvas.height) / 1080))


def _stepped(pixels: float) -> int:
    return int(pixels // STEP) * STEP
