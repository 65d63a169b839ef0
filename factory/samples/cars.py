# ruff: noqa: E501, PERF401  (drawings: path data reads worse when it is broken)
"""Cars seen from the side: parametric SVG from a body's outline, wheels that turn, and their shadows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from factory.samples.bodies import BODIES, Body
from factory.samples.outline import Knot, Point, linear, polygon, radial, smooth
from factory.samples.paint import dark, light, mix
from factory.samples.stage import Canvas, Sprite, Stage

MARGIN = 30.0  # cm of air around a body in its sprite
Place = Callable[[Sequence[Point]], list[Point]]


@dataclass(frozen=True, slots=True)
class Look:
    """What makes one car its own: body type, paint, glass and the light in which it stands."""

    body: str
    paint: str
    glass_top: str = "#9fb9cc"
    glass_low: str = "#1d2a38"
    lights: bool = False
    brake: bool = False
    gloom: float = 0.0
    gloom_colour: str = "#0a1024"
    rim: str = "#ccd3da"
    livery: str = ""
    mud: float = 0.0

    def shape(self) -> Body:
        return BODIES[self.body]

    def toned(self, colour: str) -> str:
        """A colour as the scene's light leaves it."""
        return mix(colour, self.gloom_colour, self.gloom)


@dataclass(frozen=True, slots=True)
class SideCar:
    """Sprites of one car at one size: units per centimetre is `zoom`."""

    look: Look
    zoom: float
    shell: Sprite
    tyre: Sprite
    wheel: Sprite
    shadow: Sprite
    beam: Sprite
    flare: Sprite

    @classmethod
    def draw(cls, stage: Stage, look: Look, length: float) -> SideCar:
        """Draw a car `length` units long, anchored at the ground under its middle."""
        body = look.shape()
        zoom = length / body.length
        width, height = body.length + 2 * MARGIN, body.height + 2 * MARGIN
        shell = stage.draw(shell_svg(look), width, height, anchor=(width / 2, height - MARGIN), zoom=zoom)
        radius = body.radius
        tyre = stage.draw(tyre_svg(radius, look), 2 * radius, 2 * radius, anchor=(radius, radius), zoom=zoom)
        wheel = stage.draw(rim_svg(radius, look), 2 * radius, 2 * radius, anchor=(radius, radius), zoom=zoom)
        return cls(look, zoom, shell, tyre, wheel, shadow(stage, length), beam(stage, length), flare(stage))

    def put(
        self,
        canvas: Canvas,
        x: float,
        y: float,
        *,
        travelled: float = 0,
        pitch: float = 0,
        bob: float = 0,
        scale: float = 1,
        flip: bool = False,
        shade: float = 1,
    ) -> None:
        """Lay the car on the ground at (x, y): `travelled` units turn the wheels, `pitch` in degrees nose down, `bob` lifts the shell."""
        body, zoom = self.look.shape(), self.zoom * scale
        side = -1 if flip else 1
        canvas.put(self.shadow, x, y + 2 * zoom, scale=scale, angle=pitch * side, gain=shade)
        turned = travelled / (body.radius * zoom) * 180 / math.pi * side
        canvas.put(self.shell.mirrored() if flip else self.shell, x, y - bob * zoom, angle=pitch * side, scale=scale)
        for at in body.wheels:
            dx, dy = _turn((at - body.length / 2) * zoom * side, -body.radius * zoom, pitch * side)
            canvas.put(self.tyre, x + dx, y + dy, scale=scale)
            canvas.put(self.wheel, x + dx, y + dy, angle=turned, scale=scale)

    def light(
        self,
        canvas: Canvas,
        x: float,
        y: float,
        *,
        gain: float = 1,
        flip: bool = False,
        brake: float = 0,
        pitch: float = 0,
    ) -> None:
        """Add the headlight's beam and flare, and a brake light's glow."""
        body, side = self.look.shape(), -1 if flip else 1
        lx, ly = body.lamp[1]
        dx, dy = _turn((lx - body.length / 2) * self.zoom * side, -ly * self.zoom, pitch * side)
        canvas.glow(self.beam.mirrored() if flip else self.beam, x + dx, y + dy, gain=gain, angle=pitch * side)
        canvas.glow(self.flare, x + dx, y + dy, gain=gain)
        tx, ty = body.tail[1]
        dx, dy = _turn((tx - body.length / 2) * self.zoom * side, -ty * self.zoom, pitch * side)
        if brake:
            canvas.glow(glow(canvas.stage, "#ff2a18", 70), x + dx, y + dy, gain=brake)

    def hub(self, which: int, x: float, y: float, pitch: float = 0, *, flip: bool = False) -> Point:
        """Where a wheel (0 rear, 1 front) touches the ground."""
        body, side = self.look.shape(), -1 if flip else 1
        dx, dy = _turn((body.wheels[which] - body.length / 2) * self.zoom * side, 0, pitch * side)
        return x + dx, y + dy


def _turn(x: float, y: float, degrees: float) -> Point:
    a = math.radians(degrees)
    return x * math.cos(a) - y * math.sin(a), x * math.sin(a) + y * math.cos(a)


def shell_svg(look: Look) -> str:
    """The whole body without wheels, in centimetres plus MARGIN, ground at `height + MARGIN`."""
    body = look.shape()
    paint, tone = look.toned(look.paint), look.toned

    def at(points: Sequence[Point]) -> list[Point]:
        return [(x + MARGIN, body.height + MARGIN - y) for x, y in points]

    def curve(knots: Sequence[Knot]) -> str:
        return smooth(_placed(body, knots), closed=True)

    shell = curve((*body.outline, (body.outline[-1][0] - 6, body.sill, "c"), (body.outline[0][0] + 6, body.sill, "c")))
    glass = curve(body.glass)
    ground = body.height + MARGIN
    defs = (
        "<defs>"
        + linear(
            "paint",
            [
                (0, light(paint, 0.42)),
                (0.2, light(paint, 0.2)),
                (0.42, paint),
                (0.6, dark(paint, 0.12)),
                (0.74, dark(paint, 0.34)),
                (1, dark(paint, 0.62)),
            ],
        )
        + linear(
            "pane",
            [
                (0, tone(look.glass_top)),
                (0.5, tone(mix(look.glass_top, look.glass_low, 0.72))),
                (1, tone(look.glass_low)),
            ],
        )
    )
    defs += linear("lens", [(0, "#ffffff"), (1, tone("#b7c9d8") if not look.lights else "#fff3d0")], down=False)
    defs += linear("red", [(0, "#ff6a4d"), (1, "#b3121b")], down=False)
    defs += linear("sheen", [(0, "#ffffff", 0.0), (0.5, "#ffffff", 0.55), (1, "#ffffff", 0.0)], down=False)
    defs += (
        f'<clipPath id="shell"><path d="{shell}"/></clipPath><clipPath id="glass"><path d="{glass}"/></clipPath></defs>'
    )
    left, right = (MARGIN + at_wheel for at_wheel in body.wheels)
    chassis = f'<path d="M{left} {ground - body.sill - 8} H{right} V{ground - body.sill * 0.72} q-60 6 -90 6 H{left + 90} q-50 0 -90 -6Z" fill="#0a0c10"/>'
    parts = [
        defs,
        chassis,
        _mirror_and_rack(look, at, behind=True),
        f'<path d="{shell}" fill="url(#paint)"/>',
        '<g clip-path="url(#shell)">',
    ]
    parts.append(_flank(look, at, ground))
    if look.livery:
        parts.append(_livery(look, at))
    parts.append(_arches(look, at))
    parts.append("</g>")
    parts.append(_glasshouse(look, at, glass))
    for door in body.doors:
        parts.append(
            f'<path d="{curve(door)}" fill="none" stroke="{dark(paint, 0.55)}" stroke-width="1.1" opacity="0.75"/>'
        )
    for x, y in at(body.handles):
        parts.append(f'<rect x="{x}" y="{y}" width="20" height="3.6" rx="1.8" fill="{dark(paint, 0.35)}"/>')
        parts.append(
            f'<rect x="{x}" y="{y - 0.4}" width="20" height="1.4" rx="0.7" fill="{light(paint, 0.5)}" opacity="0.8"/>'
        )
    parts.append(_lamps(look, at))
    parts.append(_mirror_and_rack(look, at, behind=False))
    parts.append(
        f'<path d="{smooth(_placed(body, body.outline))}" fill="none" '
        f'stroke="{light(paint, 0.75)}" stroke-width="1.2" opacity="0.55"/>'
    )
    return "".join(parts)


def _placed(body: Body, knots: Sequence[Knot]) -> list[Knot]:
    moved: list[Knot] = []
    for knot in knots:
        x, y = knot[0] + MARGIN, body.height + MARGIN - knot[1]
        moved.append((x, y, "c") if len(knot) == 3 else (x, y))
    return moved


def _flank(look: Look, at: Place, ground: float) -> str:
    """Shoulder light, character line, cladding and bumpers."""
    body, paint, tone = look.shape(), look.toned(look.paint), look.toned
    belt = at(body.belt)
    line = smooth([(x, y) for x, y in belt])
    low = smooth([(x, y + 34) for x, y in belt])
    parts = [
        f'<path d="{line} L{belt[-1][0]} {belt[-1][1] + 13} {_back(belt, 9)}Z" fill="{light(paint, 0.35)}" opacity="0.34"/>',
        f'<path d="{line}" fill="none" stroke="{light(paint, 0.7)}" stroke-width="1.6" opacity="0.75"/>',
        f'<path d="{low}" fill="none" stroke="{dark(paint, 0.5)}" stroke-width="2.2" opacity="0.45"/>',
    ]
    trim = tone("#23272d")
    depth = 12 if body.cladding else 5
    y = ground - body.sill - depth
    parts.append(f'<rect x="0" y="{y}" width="{body.length + 2 * MARGIN}" height="60" fill="{trim}"/>')
    parts.append(
        f'<rect x="0" y="{y - 1.3}" width="{body.length + 2 * MARGIN}" height="1.5" fill="{light(trim, 0.3)}" opacity="0.7"/>'
    )
    front = MARGIN + body.length
    nose = body.sill + (26 if body.cladding else 17)
    parts.append(
        f'<path d="M{front - 34} {ground - body.sill + 6} L{front - 22} {ground - nose} L{front + 4} {ground - nose - 2} L{front + 4} {ground}Z" fill="{trim}"/>'
    )
    parts.append(
        f'<path d="M{MARGIN + 30} {ground - body.sill + 6} L{MARGIN + 20} {ground - nose + 4} L{MARGIN - 4} {ground - nose + 2} L{MARGIN - 4} {ground}Z" fill="{trim}"/>'
    )
    if look.mud:
        parts.append(_mud(body, look.mud, ground))
    return "".join(parts)


def _back(belt: list[Point], drop: float) -> str:
    return " ".join(f"L{x} {y + drop}" for x, y in reversed(belt))


def _arches(look: Look, at: Place) -> str:
    body = look.shape()
    parts = []
    for x, y in at(tuple((w, body.radius) for w in body.wheels)):
        if body.cladding:
            parts.append(f'<circle cx="{x}" cy="{y}" r="{body.radius + 12}" fill="{look.toned("#23272d")}"/>')
        else:
            parts.append(
                f'<circle cx="{x}" cy="{y}" r="{body.radius + 7.5}" fill="{light(look.toned(look.paint), 0.45)}" opacity="0.55"/>'
            )
        parts.append(f'<circle cx="{x}" cy="{y}" r="{body.radius + 5}" fill="#0a0c10"/>')
    return "".join(parts)


def _glasshouse(look: Look, at: Place, glass: str) -> str:
    body, tone = look.shape(), look.toned
    trim = tone("#101318")
    parts = [
        f'<path d="{glass}" fill="{trim}" stroke="{trim}" stroke-width="4.5" stroke-linejoin="round"/>',
        f'<path d="{glass}" fill="url(#pane)"/>',
    ]
    parts.append('<g clip-path="url(#glass)">')
    top, low = MARGIN, MARGIN + body.height * 0.5
    for x, width in ((0.34, 26), (0.42, 8), (0.62, 34), (0.73, 10)):
        left = MARGIN + body.length * x
        shape = polygon([(left, top), (left + width, top), (left + width - 42, low), (left - 42, low)])
        parts.append(f'<path d="{shape}" fill="#ffffff" opacity="0.13"/>')
    for seat in (0.47, 0.66) if len(body.pillars) > 1 or body.bed else (0.5,):
        x, y = at(((body.length * seat - 12, min(k[1] for k in body.glass)),))[0]
        parts.append(f'<rect x="{x}" y="{y - 19}" width="15" height="30" rx="6" fill="#0b0f15" opacity="0.6"/>')
    for low_end, high_end, thick in body.pillars:
        (ax, ay), (bx, by) = at((low_end, high_end))
        parts.append(f'<path d="M{ax} {ay} L{bx} {by}" stroke="{trim}" stroke-width="{thick}"/>')
    parts.append("</g>")
    parts.append(f'<path d="{glass}" fill="none" stroke="{tone("#c8d0d8")}" stroke-width="0.9" opacity="0.6"/>')
    return "".join(parts)


def _lamps(look: Look, at: Place) -> str:
    body = look.shape()
    lamp, tail = polygon(at(body.lamp)), polygon(at(body.tail))
    lit = "#fffbe8" if look.lights else "#eef5fb"
    red = "#ff3b28" if (look.brake or look.lights) else "#c4161c"
    first, second = at(body.lamp)[0], at(body.lamp)[1]
    return (
        f'<path d="{lamp}" fill="#11161d" stroke="#0c0f14" stroke-width="1.5" stroke-linejoin="round"/><path d="{lamp}" fill="url(#lens)" opacity="0.5"/>'
        f'<path d="M{first[0]} {first[1] + 1.5} L{second[0] - 1} {second[1] + 2}" stroke="{lit}" stroke-width="2.6" stroke-linecap="round"/>'
        f'<path d="{tail}" fill="{red}" stroke="#5c0a10" stroke-width="1.2" stroke-linejoin="round"/>'
        f'<path d="{tail}" fill="url(#red)" opacity="0.55"/>'
    )


def _mirror_and_rack(look: Look, at: Place, *, behind: bool) -> str:
    body, paint = look.shape(), look.toned(look.paint)
    if behind:
        if body.rack is None:
            return ""
        (x1, y1), (x2, y2) = at(body.rack)
        bar = look.toned("#2a2f36")
        return f'<path d="M{x1} {y1 + 3} q4 -7 14 -7 L{x2 - 16} {y2 - 4} q10 0 16 8" fill="none" stroke="{bar}" stroke-width="3.2"/>'
    cowl = max(body.glass, key=lambda k: k[0])
    x, y = at(((cowl[0] - 17, cowl[1] + 3),))[0]
    bed = ""
    if body.bed:
        (a, b), (c, d) = at(((150, 172), (206, 182)))
        (e, f), (g, h) = at(((86, 128), (186, 130)))
        bed = (
            f'<path d="M{c - 4} {d} C{a} {b} {e + 40} {f - 20} {e} {f}" fill="none" stroke="{look.toned("#1b1f25")}" stroke-width="7"/>'
            f'<path d="M{MARGIN + 8} {f} L{g} {h + 4}" stroke="{look.toned("#1b1f25")}" stroke-width="4"/>'
        )
    return (
        bed
        + f'<path d="M{x} {y} q3 -9 14 -9 q10 0 9 8 q-1 7 -12 6 q-9 -1 -11 -5Z" fill="{paint}" stroke="{dark(paint, 0.5)}" stroke-width="1"/>'
        f'<path d="M{x + 2} {y - 3} q5 -5 14 -4" fill="none" stroke="{light(paint, 0.6)}" stroke-width="1.4"/>'
    )


def _livery(look: Look, at: Place) -> str:
    """Racing stripes and a start number."""
    body = look.shape()
    (x, y), (x2, y2) = at(((body.length * 0.5, 62), (body.length, 44)))
    return (
        f'<path d="M{MARGIN} {y + 4} L{x2} {y2 - 6} L{x2} {y2 + 6} L{MARGIN} {y + 20}Z" fill="#f4f6f8" opacity="0.9"/>'
        f'<circle cx="{x}" cy="{y}" r="19" fill="#f4f6f8"/><text x="{x}" y="{y + 9.5}" font-family="Noto Sans CJK SC" font-size="27" '
        f'text-anchor="middle" fill="#14181f">{look.livery}</text>'
    )


def _mud(body: Body, amount: float, ground: float) -> str:
    rng = np.random.default_rng(11)
    edge = [
        (
            MARGIN - 10 + i * (body.length + 20) / 28,
            ground - body.sill - 8 - amount * (22 + 26 * rng.random() + 20 * _near(body, i)),
        )
        for i in range(29)
    ]
    cover = smooth([(x, y) for x, y in edge]) + f"L{body.length + 2 * MARGIN} {ground} L0 {ground}Z"
    spots = "".join(
        f'<ellipse cx="{MARGIN + rng.random() * body.length:.1f}" cy="{ground - body.sill - 20 - amount * rng.random() ** 1.6 * 80:.1f}" '
        f'rx="{1 + rng.random() * 3.2:.1f}" ry="{0.8 + rng.random() * 2.2:.1f}"/>'
        for _ in range(int(90 * amount))
    )
    return f'<path d="{cover}" fill="#5b4228" opacity="0.82"/><g fill="#6a4d30" opacity="0.85">{spots}</g>'


def _near(body: Body, i: int) -> float:
    x = -10 + i * (body.length + 20) / 28
    return max(0.0, 1 - min(abs(x - w) for w in body.wheels) / 60)


def tyre_svg(radius: float, look: Look) -> str:
    """What stays as a wheel turns: tyre, brake disc and calliper, in a box of twice the radius."""
    c, tone, rim = radius, look.toned, radius * 0.7
    return (
        f"<defs>{radial('tyre', [(0.7, tone('#2c3036')), (0.93, tone('#1a1d21')), (1, tone('#0d0f12'))])}</defs>"
        f'<circle cx="{c}" cy="{c}" r="{radius - 0.5}" fill="url(#tyre)"/>'
        f'<circle cx="{c}" cy="{c}" r="{radius * 0.84}" fill="none" stroke="{tone("#3a3f46")}" stroke-width="{radius * 0.022:.2f}"/>'
        f'<circle cx="{c}" cy="{c}" r="{rim}" fill="{tone("#15181d")}"/><circle cx="{c}" cy="{c}" r="{rim * 0.66}" fill="{tone("#4a525b")}"/>'
        f'<circle cx="{c}" cy="{c}" r="{rim * 0.5}" fill="{tone("#363d45")}"/>'
        f'<path d="M{c - rim * 0.7:.1f} {c + rim * 0.1:.1f} A{rim * 0.7:.1f} {rim * 0.7:.1f} 0 0 1 {c - rim * 0.4:.1f} {c - rim * 0.58:.1f} '
        f'L{c - rim * 0.24:.1f} {c - rim * 0.36:.1f} A{rim * 0.44:.1f} {rim * 0.44:.1f} 0 0 0 {c - rim * 0.43:.1f} {c + rim * 0.06:.1f}Z" fill="{tone("#c8202a")}"/>'
    )


def rim_svg(radius: float, look: Look, spokes: int = 5) -> str:
    """What turns: double spokes, the rim's edge and the cap, in a box of twice the radius."""
    c, metal, rim = radius, look.toned(look.rim), radius * 0.7
    parts = [f"<defs>{linear('metal', [(0, light(metal, 0.4)), (1, dark(metal, 0.15))])}</defs>"]
    for i in range(spokes):
        a = 2 * math.pi * i / spokes - math.pi / 2
        for side in (-1, 1):
            inner, outer = a + side * 0.22, a + side * (0.17 if spokes < 7 else 0.12)
            parts.append(
                f'<path d="M{c + math.cos(inner) * rim * 0.16:.2f} {c + math.sin(inner) * rim * 0.16:.2f} '
                f'L{c + math.cos(outer) * rim * 0.96:.2f} {c + math.sin(outer) * rim * 0.96:.2f}" stroke="{metal if side > 0 else dark(metal, 0.16)}" '
                f'stroke-width="{radius * 0.1:.2f}" stroke-linecap="round"/>'
            )
    parts.append(
        f'<circle cx="{c}" cy="{c}" r="{rim}" fill="none" stroke="url(#metal)" stroke-width="{radius * 0.07:.2f}"/>'
    )
    parts.append(
        f'<circle cx="{c}" cy="{c}" r="{rim * 0.2:.2f}" fill="{dark(metal, 0.25)}" stroke="{light(metal, 0.3)}" stroke-width="{radius * 0.02:.2f}"/>'
    )
    parts.extend(
        f'<circle cx="{c + math.cos(k * 1.2566) * rim * 0.12:.2f}" cy="{c + math.sin(k * 1.2566) * rim * 0.12:.2f}" r="{rim * 0.025:.2f}" fill="{dark(metal, 0.6)}"/>'
        for k in range(5)
    )
    return "".join(parts)


def shadow(stage: Stage, length: float) -> Sprite:
    """A soft shadow as long as the car, darkest where it touches."""
    svg = (
        f"<defs>{radial('s', [(0, '#05070c', 0.5), (0.6, '#05070c', 0.34), (1, '#05070c', 0)])}"
        f"{radial('t', [(0, '#05070c', 0.8), (0.7, '#05070c', 0.6), (1, '#05070c', 0)])}</defs>"
        f'<ellipse cx="{length * 0.6}" cy="15" rx="{length * 0.58}" ry="14" fill="url(#s)"/>'
        f'<ellipse cx="{length * 0.6}" cy="13" rx="{length * 0.5}" ry="8" fill="url(#t)"/>'
    )
    return stage.draw(svg, length * 1.2, 30, anchor=(length * 0.6, 15))


def beam(stage: Stage, length: float) -> Sprite:
    reach = length * 1.15
    svg = (
        f"<defs>{linear('b', [(0, '#fff2cf', 0.5), (0.35, '#ffe9b8', 0.2), (1, '#ffe2a0', 0)], down=False)}</defs>"
        f'<path d="M0 {reach * 0.2} L{reach} {reach * 0.04} L{reach} {reach * 0.48} L0 {reach * 0.215}Z" fill="url(#b)"/>'
    )
    return stage.draw(svg, reach, reach * 0.5, anchor=(0, reach * 0.205)).blurred(5 * stage.scale)


def flare(stage: Stage) -> Sprite:
    return glow(stage, "#fff0c8", 60)


def glow(stage: Stage, colour: str, radius: float) -> Sprite:
    """A round light for `Canvas.glow`."""
    key = (stage.height, colour, radius)
    if key not in _GLOWS:
        stops: list[tuple[float, str] | tuple[float, str, float]] = [
            (0, light(colour, 0.6), 0.95),
            (0.12, colour, 0.55),
            (0.4, colour, 0.16),
            (1, colour, 0),
        ]
        svg = f'<defs>{radial("g", stops)}</defs><circle cx="{radius}" cy="{radius}" r="{radius}" fill="url(#g)"/>'
        _GLOWS[key] = stage.draw(svg, 2 * radius, 2 * radius, anchor=(radius, radius))
    return _GLOWS[key]


_GLOWS: dict[tuple[int, str, float], Sprite] = {}
