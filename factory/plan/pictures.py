"""Still pictures in a plan: what is known of one, and how the view glides over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from factory.plan.framing import Window, covering
from factory.plan.insets import inset_of, shape_of
from factory.plan.layer_parts import ImagePart, Move
from factory.plan.scoring import LEAST_KEPT, kept_share
from factory.plan.timeline import Canvas, ImageLayer, StillFit, TimelineInvalid
from factory.plan.timing import SceneTiming, inset_span

ZOOM_A_SECOND, MOST_ZOOM = 0.025, 0.14  # of the view's side
PAN_A_SECOND, MOST_PAN = 0.05, 0.45  # of the view's side: slower than an eye follows without noticing
ROOMY = 0.12  # of a picture outside the view on one axis: enough to pan over


@dataclass(frozen=True, slots=True)
class Picture:
    """A still picture of the store: sha256 of its file, pixels as shown (upright)."""

    asset: str
    width: int
    height: int


def image_layers(
    part: ImagePart, timing: SceneTiming, canvas: Canvas, pictures: Mapping[str, Picture]
) -> tuple[ImageLayer, ...]:
    """Return the layer of a picture, none where it would start after its scene's end. `pictures` are known by the names
    that the storyboard calls them; raises `TimelineInvalid` for one that is not among them."""
    picture = pictures.get(part.file)
    if picture is None:
        raise TimelineInvalid(f"scene {timing.scene.id!r} shows the picture {part.file}, which nobody has looked at")
    start, end = inset_span(part.inset, timing.frames, canvas.fps)
    if start >= end:
        return ()
    inset = inset_of(part.inset, end - start, canvas.fps) if part.inset else None
    shape = shape_of(inset, canvas) if inset else Fraction(canvas.width, canvas.height)
    fit = _fit(part, picture, shape)
    if part.first and part.last:
        first, last = part.first, part.last
    else:
        turn = list(pictures).index(part.file)
        size = (picture.width, picture.height) if fit == "cover" else (shape.numerator, shape.denominator)
        first, last = glide(part.ken_burns, size, shape, seconds=float((end - start) / canvas.fps), turn=turn)
    return (ImageLayer(picture.asset, start, end - start, fit, first, last, part.ground, inset),)


def _fit(part: ImagePart, picture: Picture, shape: Fraction) -> StillFit:
    if part.fit != "auto":
        return part.fit
    kept = kept_share(picture.width, picture.height, shape)
    return "cover" if part.inset or kept >= LEAST_KEPT else "contain-blur"


def glide(
    move: Move, size: tuple[int, int], shape: Fraction, *, seconds: float, turn: int = 0
) -> tuple[Window, Window]:
    """Return the first and the last view of `shape` (width / height) on a picture of `size`, in shares of it.

    `auto` pans where the picture is much wider or taller than the view, else it zooms; `turn`, the picture's number in
    the film, lets one go in and the next one out.
    """
    view = covering(*size, shape)
    if move == "none":
        return view, view
    if move == "auto":
        move = _usual(view, turn)
    if move in ("in", "out"):
        near = _shrunk(view, 1 - min(ZOOM_A_SECOND * seconds, MOST_ZOOM))
        return (view, near) if move == "in" else (near, view)
    across = move in ("left", "right")
    low, high = _panned(view, across, seconds)
    return (low, high) if move in ("right", "down") else (high, low)


def _usual(view: Window, turn: int) -> Move:
    left, top, right, bottom = view
    moves: tuple[Move, Move] = ("in", "out")
    if 1 - (right - left) >= ROOMY:
        moves = ("right", "left")
    elif 1 - (bottom - top) >= ROOMY:
        moves = ("down", "up")
    return moves[turn % 2]


def _panned(view: Window, across: bool, seconds: float) -> tuple[Window, Window]:
    """Return the two ends of a pan around the middle; a view with no room beside it is taken a little closer."""
    side = view[2] - view[0] if across else view[3] - view[1]
    way = side * min(PAN_A_SECOND * seconds, MOST_PAN)
    closer = min(1.0, max(1 - MOST_ZOOM, (1 - way) / side))
    view = _shrunk(view, closer)
    half = min(way, 1 - side * closer) / 2
    return _moved(view, -half, across), _moved(view, half, across)


def _shrunk(view: Window, share: float) -> Window:
    left, top, right, bottom = view
    dx, dy = (right - left) * (1 - share) / 2, (bottom - top) * (1 - share) / 2
    return left + dx, top + dy, right - dx, bottom - dy


def _moved(view: Window, way: float, across: bool) -> Window:
    dx, dy = (way, 0.0) if across else (0.0, way)
    left, top, right, bottom = view
    return max(left + dx, 0.0), max(top + dy, 0.0), min(right + dx, 1.0), min(bottom + dy, 1.0)
