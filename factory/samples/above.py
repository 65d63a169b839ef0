# ruff: noqa: E501, PLR0917  (drawings: path data reads worse when it is broken)
"""Cars seen from a high camera: a stack of horizontal slices, so that a car keeps its height at any heading."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np

from factory.samples.bodies import Body
from factory.samples.cars import Look
from factory.samples.outline import polygon, smooth
from factory.samples.paint import dark, light, mix
from factory.samples.stage import Canvas, Pixels, Sprite, Stage, clear

MOST_SLICES = 42
HEADING_STEP = 2


@dataclass(slots=True)
class HighCar:
    """A car under a camera `tilt` degrees above the horizon (90 looks straight down); heading 0 drives right, 90 towards the viewer."""

    stage: Stage
    look: Look
    zoom: float
    tilt: float
    slices: list[Sprite]
    seen: dict[int, Sprite] = field(default_factory=dict)
    shadows: dict[int, Sprite] = field(default_factory=dict)

    @classmethod
    def draw(cls, stage: Stage, look: Look, length: float, *, tilt: float = 55) -> HighCar:
        body = look.shape()
        zoom = length / body.length
        levels = _levels(body, zoom * stage.scale, tilt)
        box = (body.length + 40, body.width + 60)
        slices = [
            stage.draw(slice_svg(look, level), *box, anchor=(box[0] / 2, box[1] / 2), zoom=zoom) for level in levels
        ]
        return cls(stage, look, zoom, tilt, slices)

    def put(
        self,
        canvas: Canvas,
        x: float,
        y: float,
        heading: float,
        *,
        scale: float = 1,
        sun: tuple[float, float] = (0.5, -0.25),
    ) -> None:
        key = round(heading / HEADING_STEP) % (360 // HEADING_STEP)
        if key not in self.seen:
            self.seen[key], self.shadows[key] = self._stacked(key * HEADING_STEP, sun)
        canvas.put(self.shadows[key], x, y, scale=scale)
        canvas.put(self.seen[key], x, y, scale=scale)

    def _stacked(self, heading: float, sun: tuple[float, float]) -> tuple[Sprite, Sprite]:
        """Return the car and its shadow, the sun's direction being (x, y) units of shadow for each unit of height."""
        body = self.look.shape()
        reach = (
            math.hypot(body.length + 40, body.width + 60)
            + 2.6 * body.height * math.cos(math.radians(self.tilt))
            + 0.8 * body.height
        ) * self.zoom
        board = _Board(self.stage, reach)
        shade = _Board(self.stage, reach)
        squash, lift = math.sin(math.radians(self.tilt)), math.cos(math.radians(self.tilt))
        for i, piece in enumerate(self.slices):
            height = body.height * i / (len(self.slices) - 1) * self.zoom
            if i % 3 == 0:
                shade.put(piece, height * sun[0], -height * sun[1] * squash, heading, squash)
            board.put(piece, 0, -height * lift, heading, squash)
        return board.sprite(), shade.shadow()


@dataclass(slots=True)
class _Board:
    """A transparent square on which slices are stacked."""

    stage: Stage
    size: float
    pixels: Pixels = field(init=False)

    def __post_init__(self) -> None:
        side = round(self.size * self.stage.scale)
        self.pixels = np.zeros((side, side, 4), dtype=np.uint8)

    def put(self, piece: Sprite, x: float, y: float, heading: float, squash: float) -> None:
        middle = self.pixels.shape[0] / 2
        a = math.radians(heading)
        cos, sin = math.cos(a), math.sin(a)
        ax, ay = piece.anchor
        scale = self.stage.scale
        matrix = np.array(
            [
                [cos, -sin, middle + x * scale - cos * ax + sin * ay],
                [sin * squash, cos * squash, middle + y * scale - (sin * ax + cos * ay) * squash],
            ]
        )
        moved = cv2.warpAffine(piece.pixels, matrix, self.pixels.shape[1::-1], flags=cv2.INTER_LINEAR)
        cv2.multiply(self.pixels, clear(np.asarray(moved, dtype=np.uint8)), dst=self.pixels, scale=1 / 255)
        cv2.add(self.pixels, moved, dst=self.pixels)

    def sprite(self) -> Sprite:
        return Sprite(self.pixels, (self.pixels.shape[1] / 2, self.pixels.shape[0] / 2))

    def shadow(self) -> Sprite:
        alpha = cv2.GaussianBlur(
            cv2.convertScaleAbs(self.pixels[..., 3], alpha=0.5), (0, 0), max(0.5, 2.2 * self.stage.scale)
        )
        dark_part = np.zeros_like(self.pixels)
        dark_part[..., 3] = alpha
        return Sprite(dark_part, (self.pixels.shape[1] / 2, self.pixels.shape[0] / 2))


def _levels(body: Body, dots: float, tilt: float) -> list[float]:
    """Heights to cut at: as many as show apart on the screen at `dots` pixels per cm."""
    shown = body.height * dots * math.cos(math.radians(tilt))
    count = min(MOST_SLICES, max(12, round(shown)))
    return [body.height * i / (count - 1) for i in range(count)]


def _reach(body: Body, level: float) -> tuple[float, float]:
    """The rear and front x of the side outline at one height."""
    xs: list[float] = []
    points = [(k[0], k[1]) for k in body.outline]
    points = [(points[0][0] + 4, body.sill), *points, (points[-1][0] - 4, body.sill)]
    for (x1, y1), (x2, y2) in pairwise(points):
        if min(y1, y2) <= level <= max(y1, y2) and y1 != y2:
            xs.append(x1 + (x2 - x1) * (level - y1) / (y2 - y1))
    if len(xs) < 2:
        middle = body.length * 0.45
        return middle - 60, middle + 60
    return min(xs), max(xs)


def slice_svg(look: Look, level: float) -> str:
    """One horizontal cut at `level` cm, front to the right, in a box 40 x 60 cm larger than the car."""
    body = look.shape()
    paint = look.toned(look.paint)
    mx, my = 20.0, body.width / 2 + 30
    if level < body.sill:
        return _tyres(body, mx, my, look) + (
            _plan(body, body.sill + 4, mx, my, 0.93, "#07090c", "#07090c") if level > body.sill * 0.5 else ""
        )
    belt = min(k[1] for k in body.glass) + 3
    roof = body.height - 9
    if level <= belt:
        shade = 0.28 - 0.2 * (level - body.sill) / (belt - body.sill)
        out = _plan(body, level, mx, my, 1.0, light(paint, 0.12), dark(paint, shade))
        if level < body.radius * 1.75:
            out += _tyres(body, mx, my, look)
        return out + _ends(body, level, mx, my, look)
    narrow = 1 - 0.2 * (level - belt) / (body.height - belt)
    if level < roof:
        glass = look.toned(mix(look.glass_top, look.glass_low, 0.75))
        return _plan(body, level, mx, my, narrow * 0.95, glass, dark(glass, 0.25)) + _posts(
            body, level, mx, my, narrow * 0.95, paint
        )
    return _plan(body, min(level, body.height - 2), mx, my, narrow * 0.97, light(paint, 0.3), paint)


def _plan(body: Body, level: float, mx: float, my: float, narrow: float, fill: str, edge: str) -> str:
    rear, front = _reach(body, level)
    half = body.width / 2 * narrow
    if level > body.height - 8:
        rear, front = rear + 14, front - 14
    nose = min(46.0, (front - rear) * 0.16)
    knots = [
        (mx + rear + 16, my - half),
        (mx + (rear + front) / 2, my - half),
        (mx + front - nose, my - half * 0.97),
        (mx + front - 8, my - half * 0.66),
        (mx + front, my),
        (mx + front - 8, my + half * 0.66),
        (mx + front - nose, my + half * 0.97),
        (mx + (rear + front) / 2, my + half),
        (mx + rear + 16, my + half),
        (mx + rear + 2, my + half * 0.7),
        (mx + rear, my),
        (mx + rear + 2, my - half * 0.7),
    ]
    return f'<path d="{smooth(knots, closed=True)}" fill="{fill}" stroke="{edge}" stroke-width="5"/>'


def _tyres(body: Body, mx: float, my: float, look: Look) -> str:
    out = ""
    for x in body.wheels:
        for side in (1, -1):
            y = my + side * (body.width / 2 - 9) - 12
            out += f'<rect x="{mx + x - body.radius * 0.85}" y="{y}" width="{body.radius * 1.7}" height="24" rx="7" fill="{look.toned("#101317")}"/>'
    return out


def _ends(body: Body, level: float, mx: float, my: float, look: Look) -> str:
    """Head and tail lamps where the slice passes through them."""
    rear, front = _reach(body, level)
    half = body.width / 2
    out = ""
    lamp = [p[1] for p in body.lamp]
    if min(lamp) - 3 <= level <= max(lamp) + 3:
        for side in (1, -1):
            shape = polygon(
                [
                    (mx + front - 34, my + side * half * 0.9),
                    (mx + front - 8, my + side * half * 0.56),
                    (mx + front - 16, my + side * half * 0.5),
                    (mx + front - 40, my + side * half * 0.8),
                ]
            )
            out += f'<path d="{shape}" fill="{"#fff7dc" if look.lights else "#eaf3fb"}"/>'
    tail = [p[1] for p in body.tail]
    if min(tail) - 3 <= level <= max(tail) + 3:
        for side in (1, -1):
            y = my + side * half * 0.72
            out += f'<rect x="{mx + rear - 1}" y="{y - 17}" width="15" height="34" rx="4" fill="{"#ff3a26" if look.brake or look.lights else "#c3151d"}"/>'
    return out


def _posts(body: Body, level: float, mx: float, my: float, narrow: float, paint: str) -> str:
    rear, front = _reach(body, level)
    half = body.width / 2 * narrow
    out = ""
    for share in (0.03, 0.3, 0.56, 0.9):
        x = mx + rear + (front - rear) * share
        for side in (1, -1):
            out += f'<rect x="{x}" y="{my + side * (half - 3) - 4}" width="9" height="8" fill="{dark(paint, 0.2)}"/>'
    return out
