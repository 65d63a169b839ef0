"""The cover of a video: which of its moments are looked at, which serves a shape best, and what of it is shown.

Covers are made of the footage and not of finished frames: nothing is burnt in, and no transition lies over it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from factory.plan.brief import CANVASES
from factory.plan.framing import WHOLE, Window, covering
from factory.plan.timeline import Canvas, ClipLayer, Timeline

SHAPES: Mapping[str, Canvas] = {
    **{str(aspect): canvas for aspect, canvas in CANVASES.items()},
    "4:3": Canvas(1440, 1080),
    "3:4": Canvas(1080, 1440),
}
ALWAYS = ("3:4", "4:3")  # shapes that feeds and lists cut their covers to, whatever the video's
MOST_LOOKS = 24
MOMENTS = (Fraction(1, 6), Fraction(1, 2), Fraction(5, 6))  # of a shot
LEAST_LIGHT, MOST_LIGHT = 0.12, 0.85  # mean brightness 0..1
LEAST_CONTRAST = 0.05  # standard deviation of brightness: less is fog, a wall, or black
GOOD_SIZE = 0.3  # of the cover, from which a larger car adds nothing
CLEAR = 0.05  # of the cover, between the car and the title
HIDDEN_COST = 0.6  # of a car that the title covers whole
LEAST_KEPT = 0.85  # of the car inside the cover, below which it is cut off
ROOM = 0.04  # of the picture, around the car


@dataclass(frozen=True, slots=True)
class Look:
    """A moment of footage that is looked at: seconds from the file's start, and the part without burnt-in text."""

    asset: str
    at: Fraction
    scene: str
    within: Window = WHOLE


@dataclass(frozen=True, slots=True)
class Sight:
    """What was measured of a look, 0..1: sharpness, mean brightness and its spread; how sure a car is seen and where.

    `face` says that a face was found where faces are hidden. `width` and `height` give the picture's shape.
    """

    look: Look
    sharpness: float
    light: float
    contrast: float
    sure: float = 0.0
    car: Window | None = None
    face: bool = False
    width: int = 16
    height: int = 9


@dataclass(frozen=True, slots=True)
class Cover:
    """A look as the cover of one shape: the window that is shown, and where the title stands."""

    sight: Sight
    window: Window
    place: str
    score: float


def looks(timeline: Timeline, avoid: Collection[int] = ()) -> tuple[Look, ...]:
    """Return the moments to look at, in the order of showing: outside transitions, never the brand's own clips.

    Shots in `avoid` are passed over unless there are no others.
    """
    found: list[tuple[bool, Look]] = []
    before = 0
    for scene in timeline.scenes:
        after = scene.transition.frames if scene.transition else 0
        for layer in scene.layers:
            if isinstance(layer, ClipLayer) and layer.inset is None and not scene.bare:
                first = max(layer.start, before)
                last = min(layer.start + layer.frames, scene.frames - after)
                found += [
                    (
                        layer.shot in avoid,
                        Look(layer.asset, _at(timeline, layer, frame), scene.id, layer.window or WHOLE),
                    )
                    for frame in (first + int((last - first) * moment) for moment in MOMENTS if last > first)
                ]
        before = after
    wanted = [look for avoided, look in found if not avoided] or [look for _, look in found]
    unlike = list({(look.asset, look.at, look.within): look for look in wanted[::-1]}.values())[::-1]
    step = max(Fraction(len(unlike), MOST_LOOKS), Fraction(1))
    return tuple(unlike[int(number * step)] for number in range(min(len(unlike), MOST_LOOKS)))


def _at(timeline: Timeline, layer: ClipLayer, frame: int) -> Fraction:
    return layer.source_start + Fraction(frame - layer.start) / timeline.canvas.fps * layer.speed


def hides_faces(timeline: Timeline) -> bool:
    return any(isinstance(layer, ClipLayer) and layer.blur_faces for scene in timeline.scenes for layer in scene.layers)


def best(sights: Sequence[Sight], canvas: Canvas, plates: Mapping[str, Window]) -> Cover | None:
    """Return the best cover of a canvas's shape, the earlier of equals; None where no sight can be shown.

    `plates` are the boxes of the title in shares of the canvas, by the places where it may stand.
    """
    covers = [_cover(sight, canvas, place, plates[place]) for sight in sights if _showable(sight) for place in plates]
    return max(covers, key=lambda cover: cover.score, default=None)


def _showable(sight: Sight) -> bool:
    lit = LEAST_LIGHT <= sight.light <= MOST_LIGHT
    return lit and sight.contrast >= LEAST_CONTRAST and not sight.face


def _cover(sight: Sight, canvas: Canvas, place: str, plate: Window) -> Cover:
    window = _around(sight, Fraction(canvas.width, canvas.height))
    car = _seen_in(sight.car, window) if sight.car else None
    hidden = _area(_shared(_grown(car), plate)) / _area(car) if car else 0.0
    return Cover(sight, window, place, _score(sight, window, car) - HIDDEN_COST * hidden)


def _around(sight: Sight, shape: Fraction) -> Window:
    """Return the largest window of the shape, moved so that the car is in its middle as far as the picture goes."""
    window = covering(sight.width, sight.height, shape, sight.look.within)
    if sight.car is None:
        return window
    left, top, right, bottom = sight.look.within
    across, down = window[2] - window[0], window[3] - window[1]
    x = min(max((sight.car[0] + sight.car[2] - across) / 2, left), right - across)
    y = min(max((sight.car[1] + sight.car[3] - down) / 2, top), bottom - down)
    return x, y, x + across, y + down


def _seen_in(box: Window, window: Window) -> Window:
    """Return a box of the picture in shares of the window, which may reach beyond it."""
    left, top, right, bottom = window
    across, down = right - left, bottom - top
    return (box[0] - left) / across, (box[1] - top) / down, (box[2] - left) / across, (box[3] - top) / down


def _shared(one: Window, other: Window) -> Window:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _grown(box: Window) -> Window:
    return box[0] - CLEAR, box[1] - CLEAR, box[2] + CLEAR, box[3] + CLEAR


def _area(box: Window) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _score(sight: Sight, window: Window, car: Window | None) -> float:
    """Return up to 1: a sharp and well lit picture is worth a half, a sure, large and whole car the other."""
    light = 1 - min(abs(sight.light - 0.48) / 0.4, 1.0)
    picture = 0.26 * sight.sharpness + 0.14 * light + 0.1 * min(sight.contrast / 0.22, 1.0)
    kept = (window[2] - window[0]) * (window[3] - window[1])  # an upright crop of a wide picture is enlarged
    if car is None:
        return picture * (0.8 + 0.2 * min(kept, 1.0))
    inside = _area(_shared(car, WHOLE))
    whole = min(inside / _area(car) / LEAST_KEPT, 1.0)
    margin = min(1.0, max(0.0, min(car[0], 1 - car[2])) / ROOM)  # a car that touches the edge is cut off by it
    return picture + 0.5 * sight.sure * whole**2 * (0.6 * min(inside / GOOD_SIZE, 1.0) + 0.4 * margin)
