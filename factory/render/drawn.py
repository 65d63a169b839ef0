"""A card or a ground as ffmpeg shows it: held or played, faded, and sliding to its place."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from factory.plan.timeline import Canvas, CardLayer, CardRole, ColorLayer
from factory.render.command import Input
from factory.render.overlays import Drawing
from factory.render.streams import Opened, clear, held, rate, still

COUNTING_ENTRY = Fraction(2, 5)  # seconds in which a card that counts comes in
# Where a card comes from while it enters, in shares of the canvas height.
ENTRY: dict[CardRole, tuple[float, float]] = {
    "card": (0.0, 0.03),
    "lower_third": (-0.03, 0.0),
    "title": (0.0, 0.02),
    "label": (0.0, 0.0),
    "credits": (0.0, 0.02),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A card or a ground with its picture."""

    layer: CardLayer | ColorLayer
    drawing: Drawing


def shown(part: Drawn, first: int, last: int, canvas: Canvas, opened: Opened) -> Any:
    """Play a card from its own first frame, and cut [first, last) of the scene out of it."""
    layer, drawing = part.layer, part.drawing
    skip, until = first - layer.start, last - layer.start
    if drawing.moving is not None and skip < drawing.moving_frames:
        picture = opened.stream(Input(drawing.moving_content, drawing.moving, trusted=True))
        picture = clear(picture).filter("settb", expr=f"1/({rate(canvas)})").filter("setpts", "N")
        picture = picture.filter("tpad", stop_mode="clone", stop=max(until - drawing.moving_frames, 0))
        picture = picture.filter("fps", fps=rate(canvas)).filter("trim", end_frame=until)
    else:
        picture = held(clear(still(drawing, canvas, opened)), until)
    if isinstance(layer, CardLayer):
        picture = _faded(picture, layer, canvas)
    return picture.filter("trim", start_frame=skip).filter("setpts", "PTS-STARTPTS") if skip else picture


def _faded(picture: Any, layer: CardLayer, canvas: Canvas) -> Any:
    if layer.enter > 0:
        picture = picture.filter("fade", type="in", start_frame=0, nb_frames=_entering(layer, canvas), alpha=1)
    if layer.leave > 0:
        start = max(layer.frames - layer.leave, 0)
        picture = picture.filter("fade", type="out", start_frame=start, nb_frames=layer.leave, alpha=1)
    return picture


def _entering(layer: CardLayer, canvas: Canvas) -> int:
    """Return the frames of a card's fade and slide: a card that counts for longer is not kept half clear for it."""
    return min(layer.enter, max(round(COUNTING_ENTRY * canvas.fps), 1)) if layer.counts else layer.enter


def place(part: Drawn, first: int, window_start: int, canvas: Canvas) -> dict[str, Any]:
    """Return where the card stands: sliding in on an eased path while it enters, then at rest."""
    layer, drawing = part.layer, part.drawing
    rest = {"x": drawing.left, "y": drawing.top, "eval": "init"}
    if not isinstance(layer, CardLayer) or first - layer.start >= _entering(layer, canvas):
        return rest
    dx, dy = (round(share * canvas.height / 2) * 2 for share in ENTRY[layer.role])
    if not (dx or dy):
        return rest
    # whole frames: of the same frame the same place comes out, whichever window it is shown in
    frame = f"round(t*{rate(canvas)})-({layer.start - window_start})"
    far = f"pow(1-clip(({frame})/{_entering(layer, canvas)},0,1),3)"
    return {"x": _path(drawing.left, dx, far), "y": _path(drawing.top, dy, far), "eval": "frame"}


def _path(rest: int, far: int, share: str) -> str | int:
    return f"{rest}+({far})*{share}" if far else rest
