# ruff: noqa: E501, PERF401  (drawings: path data reads worse when it is broken)
"""Cars seen from the front and from behind, symmetrical about their middle, in centimetres."""

from __future__ import annotations

from dataclasses import dataclass

from factory.samples.bodies import Body
from factory.samples.cars import Look, glow
from factory.samples.outline import Knot, linear, polygon, radial, smooth
from factory.samples.paint import dark, light, mix
from factory.samples.stage import Canvas, Sprite, Stage

AIR = 26.0


@dataclass(frozen=True, slots=True)
class FacingCar:
    """A car coming or going: one sprite anchored at the ground under its middle, and where its lamps are."""

    look: Look
    zoom: float
    sprite: Sprite
    shadow: Sprite
    lamps: tuple[tuple[float, float], ...]
    front: bool

    @classmethod
    def draw(cls, stage: Stage, look: Look, width: float, *, front: bool) -> FacingCar:
        """Draw a car `width` units wide without its mirrors."""
        body = look.shape()
        zoom = width / body.width
        box_w, box_h = body.width + 2 * AIR, body.height + AIR + 6
        svg = front_svg(look) if front else rear_svg(look)
        sprite = stage.draw(svg, box_w, box_h, anchor=(box_w / 2, box_h - 6), zoom=zoom)
        height = (body.lamp[1][1] if front else body.tail[1][1] - 6) + 2
        reach = body.width / 2 - 24
        shade = (
            f"<defs>{radial('s', [(0, '#05070c', 0.75), (0.6, '#05070c', 0.5), (1, '#05070c', 0)])}</defs>"
            f'<ellipse cx="{width * 0.65}" cy="20" rx="{width * 0.64}" ry="19" fill="url(#s)"/>'
        )
        dropped = stage.draw(shade, width * 1.3, 40, anchor=(width * 0.65, 20))
        return cls(look, zoom, sprite, dropped, ((-reach, height), (reach, height)), front)

    def put(
        self,
        canvas: Canvas,
        x: float,
        y: float,
        *,
        scale: float = 1,
        roll: float = 0,
        stretch: float = 1,
        shade: float = 1,
    ) -> None:
        canvas.put(self.shadow, x, y - 3 * scale, scale=scale, gain=shade, stretch=stretch)
        canvas.put(self.sprite, x, y, scale=scale, angle=roll, stretch=stretch)

    def light(
        self,
        canvas: Canvas,
        x: float,
        y: float,
        *,
        gain: float = 1,
        scale: float = 1,
        colour: str = "#fff2d2",
        radius: float = 120,
    ) -> None:
        for dx, height in self.lamps:
            canvas.glow(
                glow(canvas.stage, colour, radius),
                x + dx * self.zoom * scale,
                y - height * self.zoom * scale,
                gain=gain,
                scale=max(0.12, scale),
            )


def _mirrored(half: list[Knot], middle: float, ground: float) -> list[Knot]:
    """A closed outline from its right half, given upwards as (x from the middle, height)."""
    right: list[Knot] = [_at(k, middle, ground, 1) for k in half]
    left: list[Knot] = [_at(k, middle, ground, -1) for k in reversed(half) if k[0]]
    return right + left


def _at(knot: Knot, middle: float, ground: float, side: int) -> Knot:
    x, y = middle + side * knot[0], ground - knot[1]
    return (x, y, "c") if len(knot) == 3 else (x, y)


@dataclass(frozen=True, slots=True)
class _Front:
    """The measures that both ends share."""

    look: Look
    body: Body

    @property
    def middle(self) -> float:
        return self.body.width / 2 + AIR

    @property
    def ground(self) -> float:
        return self.body.height + AIR

    @property
    def half(self) -> float:
        return self.body.width / 2

    @property
    def belt(self) -> float:
        return min(k[1] for k in self.body.glass) + 4

    def outline(self, knots: list[Knot]) -> str:
        return smooth(_mirrored(knots, self.middle, self.ground), closed=True)

    def pair(self, points: list[tuple[float, float]], attributes: str) -> str:
        """A polygon and its mirror image."""
        out = []
        for side in (1, -1):
            out.append(
                f'<path d="{polygon([(self.middle + side * x, self.ground - y) for x, y in points])}" {attributes}/>'
            )
        return "".join(out)

    def shell(self) -> str:
        h, s, top, belt = self.half, self.body.sill, self.body.height, self.belt
        lean = 34 if self.body.name != "coupe" else 40
        return self.outline(
            [
                (h - 16, s, "c"),
                (h - 6, s + 4),
                (h - 1, s + 24),
                (h, belt * 0.72),
                (h - 5, belt - 4),
                (h - 13, belt + 3, "c"),
                (h - lean, top - 13),
                (h - lean - 12, top - 2),
                (h - lean - 34, top),
            ]
        )

    def tyres(self) -> str:
        tall = self.body.radius * 1.5
        out = ""
        for side in (1, -1):
            x = self.middle + side * (self.half - 17) - 13
            out += f'<rect x="{x}" y="{self.ground - tall}" width="26" height="{tall}" rx="6" fill="{self.look.toned("#14171b")}"/>'
            out += f'<rect x="{x + 3}" y="{self.ground - tall}" width="4" height="{tall}" fill="{self.look.toned("#24282e")}"/>'
        return out

    def glass(self, drop: float) -> str:
        h, top, belt = self.half, self.body.height, self.belt
        lean = 40 if self.body.name != "coupe" else 46
        return self.outline([(h - 21, belt + drop, "c"), (h - lean - 2, top - 12, "c"), (0, top - 8.5)])

    def mirrors(self) -> str:
        paint = self.look.toned(self.look.paint)
        out = ""
        for side in (1, -1):
            x, y = self.middle + side * (self.half + 1), self.ground - self.belt - 6
            out += f'<path d="M{x - side * 4} {y + 3} L{x - side * 20} {y + 8}" stroke="{dark(paint, 0.5)}" stroke-width="5"/>'
            out += f'<ellipse cx="{x}" cy="{y}" rx="11" ry="8" fill="{paint}" stroke="{dark(paint, 0.5)}" stroke-width="1.2"/>'
            out += (
                f'<path d="M{x - 9} {y - 4} q9 -6 18 0" fill="none" stroke="{light(paint, 0.6)}" stroke-width="1.6"/>'
            )
        return out


def _defs(look: Look, shell: str, glass: str) -> str:
    paint, tone = look.toned(look.paint), look.toned
    return (
        "<defs>"
        + linear(
            "paint",
            [
                (0, light(paint, 0.35)),
                (0.34, light(paint, 0.3)),
                (0.46, light(paint, 0.1)),
                (0.6, paint),
                (0.8, dark(paint, 0.25)),
                (1, dark(paint, 0.55)),
            ],
        )
        + linear(
            "pane",
            [
                (0, tone(look.glass_top)),
                (0.55, tone(mix(look.glass_top, look.glass_low, 0.7))),
                (1, tone(look.glass_low)),
            ],
        )
        + linear(
            "round",
            [(0, "#05070c", 0.45), (0.16, "#05070c", 0), (0.84, "#05070c", 0), (1, "#05070c", 0.45)],
            down=False,
        )
        + f'<clipPath id="in"><path d="{shell}"/></clipPath><clipPath id="win"><path d="{glass}"/></clipPath></defs>'
    )


def _window(part: _Front, glass: str) -> str:
    tone = part.look.toned
    x, y = part.middle - part.half * 0.3, part.ground - part.body.height
    streaks = "".join(
        f'<path d="M{x + a} {y} L{x + a + w} {y} L{x + a + w - 40} {y + 70} L{x + a - 40} {y + 70}Z" fill="#fff" opacity="0.14"/>'
        for a, w in ((20, 26), (54, 8))
    )
    seats = "".join(
        f'<rect x="{part.middle + side * 38 - 13}" y="{part.ground - part.belt - 24}" width="26" height="40" rx="9" fill="#0a0d12" opacity="0.55"/>'
        for side in (1, -1)
    )
    return (
        f'<path d="{glass}" fill="{tone("#0f1217")}" stroke="{tone("#0f1217")}" stroke-width="5" stroke-linejoin="round"/>'
        f'<path d="{glass}" fill="url(#pane)"/><g clip-path="url(#win)">{seats}{streaks}</g>'
    )


def _plate(part: _Front, height: float) -> str:
    x, y = part.middle - 23, part.ground - height
    return (
        f'<rect x="{x}" y="{y}" width="46" height="14" rx="2" fill="{part.look.toned("#bfe3cf")}"/>'
        f'<rect x="{x + 6}" y="{y + 6}" width="34" height="2.6" rx="1.3" fill="{part.look.toned("#6f9c86")}"/>'
    )


def front_svg(look: Look) -> str:
    body = look.shape()
    part = _Front(look, body)
    paint, trim = look.toned(look.paint), look.toned("#1a1e24")
    h, lamp_y, sill, m, g = part.half, body.lamp[1][1], body.sill, part.middle, part.ground
    shell, glass = part.shell(), part.glass(3)
    nose = lamp_y + 10
    bonnet = part.outline(
        [(h - 6, nose - 6, "c"), (h - 9, part.belt - 2), (h - 24, part.belt + 1, "c"), (0, part.belt + 4)]
    )
    lamps = [(h - 4, lamp_y + 7), (h - 46, lamp_y + 1), (h - 44, lamp_y - 6), (h - 8, lamp_y - 7)]
    drl = [(h - 5, lamp_y + 6), (h - 46, lamp_y), (h - 46, lamp_y - 2.6), (h - 6, lamp_y + 2)]
    lit = "#fff8e2" if look.lights else "#f3f9ff"
    out = [
        _defs(look, shell, glass),
        part.tyres(),
        f'<rect x="{m - h + 30}" y="{g - sill - 6}" width="{2 * h - 60}" height="18" fill="#0a0c10"/>',
        f'<path d="{shell}" fill="url(#paint)"/>',
        '<g clip-path="url(#in)">',
        f'<path d="{bonnet}" fill="{light(paint, 0.22)}" opacity="0.75"/>',
    ]
    for side in (1, -1):
        out.append(
            f'<path d="M{m + side * 40} {g - part.belt} L{m + side * 46} {g - nose}" stroke="{dark(paint, 0.3)}" stroke-width="2" opacity="0.5"/>'
        )
        out.append(
            f'<path d="M{m + side * 43} {g - part.belt} L{m + side * 49} {g - nose}" stroke="{light(paint, 0.6)}" stroke-width="1.5" opacity="0.6"/>'
        )
    out.append(_grille(part, lamp_y))
    out.append(
        f'<path d="{part.outline([(h + 4, sill - 6, "c"), (h - 4, sill + 16, "c"), (h - 40, sill + 9, "c"), (0, sill + 9)])}" fill="{trim}"/>'
    )
    out.append(
        part.pair([(h - 6, sill + 34), (h - 28, sill + 29), (h - 32, sill + 17), (h - 9, sill + 19)], f'fill="{trim}"')
    )
    out.append(f'<rect x="{m - h}" y="0" width="{2 * h}" height="{g}" fill="url(#round)"/></g>')
    out.append(_window(part, glass))
    out.append(part.pair(lamps, 'fill="#0e1217" stroke="#0b0e12" stroke-width="1.4" stroke-linejoin="round"'))
    out.append(part.pair(drl, f'fill="{lit}"'))
    for side in (1, -1):
        for at in (15, 28):
            out.append(
                f'<circle cx="{m + side * (h - at)}" cy="{g - lamp_y + 3}" r="3.4" fill="{lit}" opacity="{1 if look.lights else 0.75}"/>'
            )
    out += [_plate(part, sill + 27), part.mirrors()]
    if look.mud:
        out.append(
            f'<g clip-path="url(#in)"><path d="M{m - h} {g - sill - 34} q{h / 2} {22 * look.mud} {h} 8 q{h / 2} -14 {h} -6 V{g} H{m - h}Z" fill="#5b4228" opacity="0.8"/></g>'
        )
    return "".join(out)


def _grille(part: _Front, lamp_y: float) -> str:
    """Each body type has its own face."""
    h, m, g, name = part.half, part.middle, part.ground, part.body.name
    trim, chrome, sill = part.look.toned("#14181d"), part.look.toned("#c4ccd4"), part.body.sill
    if name in ("suv", "pickup"):
        top, low = lamp_y + 4, sill + (30 if name == "suv" else 34)
        wide = h - 50
        shape = part.outline([(wide - 14, low, "c"), (wide, (top + low) / 2, "c"), (wide - 4, top, "c")])
        bars = "".join(
            f'<rect x="{m - wide + 9}" y="{g - y}" width="{2 * wide - 18}" height="2.6" rx="1.3" fill="{chrome}" opacity="0.85"/>'
            for y in [low + (top - low) * i / 5 for i in range(1, 5)]
        )
        badge = (
            f'<circle cx="{m}" cy="{g - (top + low) / 2}" r="7.5" fill="{trim}" stroke="{chrome}" stroke-width="2"/>'
        )
        return f'<path d="{shape}" fill="{trim}" stroke="{chrome}" stroke-width="2.2"/>{bars}{badge}'
    if name == "coupe":
        shape = part.outline([(h - 52, sill + 12, "c"), (h - 40, sill + 27, "c"), (0, sill + 31)])
        mesh = "".join(
            f'<path d="M{m + i * 9 - 4} {g - sill - 30} l8 20" stroke="#2b3037" stroke-width="1.4"/>'
            for i in range(-6, 7)
        )
        return f'<defs><clipPath id="mesh"><path d="{shape}"/></clipPath></defs><path d="{shape}" fill="{trim}"/><g clip-path="url(#mesh)">{mesh}</g><path d="M{m - 5} {g - lamp_y + 2} l5 9 l5 -9Z" fill="{chrome}"/>'
    strip = (
        f'<path d="M{m - h + 44} {g - lamp_y + 3} H{m + h - 44}" stroke="#eef6ff" stroke-width="2.4" opacity="0.9"/>'
    )
    intake = part.outline([(h - 60, sill + 11, "c"), (h - 50, sill + 22, "c"), (0, sill + 24)])
    return f'{strip}<path d="{intake}" fill="{trim}"/><circle cx="{m}" cy="{g - lamp_y - 7}" r="5" fill="none" stroke="{chrome}" stroke-width="2"/>'


def rear_svg(look: Look) -> str:
    body = look.shape()
    part = _Front(look, body)
    paint, trim = look.toned(look.paint), look.toned("#1a1e24")
    h, m, g, sill = part.half, part.middle, part.ground, body.sill
    tail = body.tail[1][1] - 6
    shell, glass = part.shell(), part.glass(9 if not body.bed else 16)
    hot = look.brake
    red, core = ("#ff2d1c", "#ffd0c0") if hot else ("#c2131c", "#ff5a48" if look.lights else "#e33a33")
    out = [
        _defs(look, shell, glass),
        part.tyres(),
        f'<rect x="{m - h + 30}" y="{g - sill - 6}" width="{2 * h - 60}" height="16" fill="#0a0c10"/>',
        f'<path d="{shell}" fill="url(#paint)"/>',
        '<g clip-path="url(#in)">',
        f'<path d="{part.outline([(h + 4, sill - 6, "c"), (h - 2, sill + 20, "c"), (h - 34, sill + 15, "c"), (0, sill + 15)])}" fill="{trim}"/>',
        f'<path d="M{m - h + 20} {g - part.belt - 2} Q{m - h + 22} {g - sill - 34} {m - h + 40} {g - sill - 22} H{m + h - 40} Q{m + h - 22} {g - sill - 34} {m + h - 20} {g - part.belt - 2}" '
        f'fill="none" stroke="{dark(paint, 0.5)}" stroke-width="1.6" opacity="0.8"/>',
        f'<rect x="{m - h}" y="{g - tail + 12}" width="{2 * h}" height="3" fill="{light(paint, 0.5)}" opacity="0.35"/>',
        f'<rect x="{m - h}" y="0" width="{2 * h}" height="{g}" fill="url(#round)"/></g>',
        _window(part, glass),
    ]
    if body.bed:
        out.append(f'<path d="M{m - h + 10} {g - 124} H{m + h - 10}" stroke="{trim}" stroke-width="5"/>')
        out.append(
            part.pair(
                [(h - 3, 118), (h - 17, 118), (h - 17, 84), (h - 3, 84)],
                f'fill="{red}" stroke="#4d0a0e" stroke-width="1.3"',
            )
        )
        out.append(part.pair([(h - 6, 114), (h - 13, 114), (h - 13, 102), (h - 6, 102)], f'fill="{core}"'))
    else:
        out.append(
            part.pair(
                [(h - 3, tail + 5), (h - 52, tail + 2), (h - 50, tail - 7), (h - 6, tail - 12)],
                f'fill="{red}" stroke="#4d0a0e" stroke-width="1.3"',
            )
        )
        out.append(
            part.pair(
                [(h - 6, tail + 1.5), (h - 48, tail - 0.5), (h - 48, tail - 3.5), (h - 7, tail - 3)], f'fill="{core}"'
            )
        )
        out.append(
            f'<path d="M{m - h + 48} {g - tail + 2} H{m + h - 48}" stroke="{core if hot or look.lights else red}" stroke-width="3"/>'
        )
    if body.name in ("hatchback", "suv", "wagon"):
        out.append(
            f'<rect x="{m - h + 42}" y="{g - body.height + 6}" width="{2 * h - 84}" height="5" rx="2.5" fill="{dark(paint, 0.3)}"/>'
        )
    out.append(_plate(part, tail - 18))
    out.append(part.mirrors())
    if look.mud:
        out.append(
            f'<g clip-path="url(#in)"><path d="M{m - h} {g - sill - 30} q{h / 2} {20 * look.mud} {h} 6 q{h / 2} -12 {h} -6 V{g} H{m - h}Z" fill="#5b4228" opacity="0.8"/></g>'
        )
    return "".join(out)
