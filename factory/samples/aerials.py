# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""From above: an interchange, a parking manoeuvre, a race."""

from __future__ import annotations

import math
from dataclasses import replace

from factory.samples import paints
from factory.samples.above import HighCar
from factory.samples.cars import glow
from factory.samples.high_camera import asphalt_svg, heading, tree_top
from factory.samples.motion import ease
from factory.samples.outline import smooth
from factory.samples.paint import dark, light
from factory.samples.particles import Plume, puff
from factory.samples.scene import Painter
from factory.samples.stage import HEIGHT, WIDTH, Canvas, Stage


def parking_manoeuvre(stage: Stage) -> Painter:
    """Straight from above: the hatchback swings out and backs neatly into a bay between two cars, a guide line showing its way."""
    ground = stage.draw(_bays(), WIDTH, HEIGHT)
    car = HighCar.draw(stage, replace(paints.PICO, lights=True), 214, tilt=90)
    left = HighCar.draw(stage, paints.TRAFFIC[4], 262, tilt=90)
    right = HighCar.draw(stage, paints.LUMEN, 268, tilt=90)
    far = HighCar.draw(stage, paints.TRAFFIC[0], 266, tilt=90)
    guide = stage.draw(
        '<path d="M1010 214 C800 214 640 240 640 470" stroke="#4be3c1" stroke-width="7" stroke-dasharray="22 16" fill="none" opacity="0.85"/><path d="M560 430 V640 H720 V430" stroke="#4be3c1" stroke-width="5" fill="none" opacity="0.6"/>',
        WIDTH,
        HEIGHT,
    )
    top = tree_top(stage, 66, "#6f9c58")

    def pose(t: float) -> tuple[float, float, float]:
        if t < 2.2:
            u = ease(t / 2.2)
            return 60 + 900 * u, 236 - 34 * max(0.0, (u - 0.7) / 0.3), 0.0 - 12 * max(0.0, (u - 0.7) / 0.3)
        u = ease((t - 2.5) / 3.0)
        angle = -12 - 78 * min(1.0, u * 1.25)
        a = math.radians(-90 * min(1.0, u * 1.25))
        return (
            960 - 320 * (1 - math.cos(a)) if u < 0.8 else 640,
            202 + 190 * (-math.sin(a)) ** 1.4 + 170 * max(0.0, u - 0.55) / 0.45 * (1 if u > 0.55 else 0),
            angle,
        )

    bays = stage.canvas()
    bays.put(ground, 0, 0)
    for other, bay in ((left, 440), (right, 840), (far, 1040)):
        other.put(bays, bay, 566, -90, sun=(0.4, -0.3))
    for tx, ty in ((120, 40), (330, 10), (1180, 30), (930, -6)):
        bays.put(top, tx, ty)
    full = bays.kept()

    def paint(canvas: Canvas, t: float) -> None:
        canvas.lay(full)
        x, y, angle = pose(t)
        shown = min(1.0, max(0.0, (t - 1.9) * 2)) * min(1.0, max(0.0, (5.4 - t) * 2))
        canvas.put(guide, 0, 0, gain=shown)
        car.put(canvas, x, y, angle, sun=(0.4, -0.3))
        r = math.radians(angle)
        if t > 2.4:
            for side in (-1, 1):
                px, py = (
                    x - math.cos(r) * 104 - math.sin(r) * side * 34,
                    y - math.sin(r) * 104 + math.cos(r) * side * 34,
                )
                canvas.glow(glow(stage, "#ffffff", 42), px, py, gain=0.7)

    return paint


def _bays() -> str:
    out = [
        asphalt_svg(1280, 720, "#5f646b"),
        '<rect width="1280" height="70" fill="#7f9a62"/><rect y="70" width="1280" height="16" fill="#c9c4ba"/>',
    ]
    out.extend(f'<rect x="{x}" y="420" width="6" height="300" fill="#f2efe6"/>' for x in range(137, 1280, 200))
    out.append('<rect y="700" width="1280" height="8" fill="#f2efe6"/>')
    out.extend(f'<rect x="{x}" y="664" width="96" height="12" rx="6" fill="#e8c23a"/>' for x in range(192, 1280, 200))
    out.append(
        '<path d="M180 160 h120 m-34 -18 l34 18 l-34 18 M820 160 h120 m-34 -18 l34 18 l-34 18" stroke="#f2efe6" stroke-width="9" fill="none" opacity="0.55"/>'
    )
    return "".join(out)


def race_aerial(stage: Stage) -> Painter:
    """A race from the air: three coupes through an S of red and white kerbs, grandstands and gravel traps."""
    track = stage.draw(_circuit(), 2000, 1300)
    looks = (
        paints.KESTREL,
        replace(paints.KESTREL, paint="#1f5fae"),
        replace(paints.KESTREL, paint="#e8b21f"),
        replace(paints.KESTREL, paint="#eef1f4"),
    )
    cars = [HighCar.draw(stage, look, 104, tilt=70) for look in looks]
    smoke = Plume((puff(stage, "#e6e8ea", 26, opacity=0.5),), 34, 0.9, (-20, 20), (-20, 20), grow=(0.3, 1.6), seed=4)

    def route(t: float) -> tuple[float, float]:
        return _line(120 + 330 * t)

    def paint(canvas: Canvas, t: float) -> None:
        cx, cy = route(t + 0.9)
        left, top = min(max(cx - 640, 0), 720), min(max(cy - 360, 0), 580)
        canvas.put(track, -left, -top)
        for i, car in enumerate(cars):
            lag = t + 1.25 - i * 0.42 - 0.05 * math.sin(t * 1.3 + i)
            x, y = route(lag)
            y += (-1) ** i * 20
            if i == 1:
                smoke.paint(canvas, t + 1, lambda born: _shift(route(born - 0.29), left, top - 20))
            car.put(
                canvas,
                x - left,
                y - top,
                heading(route, lag, 0.94) + (9 * math.sin(lag * 2.4) if i == 1 else 0),
                sun=(0.7, -0.4),
            )
        canvas.camera(1.04, 640, 360, roll=2 * math.sin(t * 0.5))

    return paint


def _shift(at: tuple[float, float], left: float, top: float) -> tuple[float, float]:
    return at[0] - left, at[1] - top


def _line(x: float) -> tuple[float, float]:
    """The middle of the S-shaped track at one x."""
    return x, 650 + 330 * math.sin((x - 300) * 0.0046)


_STANDS = ((330, 110), (980, 1090), (1560, 120))


def _by_stand(x: float, y: float) -> bool:
    return any(sx - 50 < x < sx + 420 and sy - 50 < y < sy + 170 for sx, sy in _STANDS)


def _circuit() -> str:
    spine = [_line(x) for x in range(-100, 2200, 60)]
    path = smooth(spine)
    grass = "".join(f'<rect x="{i * 80}" width="40" height="1300" fill="#6fa04f"/>' for i in range(26))
    out = [f'<rect width="2000" height="1300" fill="#669648"/>{grass}']
    out.append(
        f'<path d="{path}" stroke="#d9c793" stroke-width="330" fill="none" opacity="0.55"/><path d="{path}" stroke="#669648" stroke-width="232" fill="none"/>'
    )
    out.append(
        f'<path d="{path}" stroke="#ffffff" stroke-width="196" fill="none"/><path d="{path}" stroke="#d6322c" stroke-width="196" stroke-dasharray="26 26" fill="none"/>'
    )
    out.append(
        f'<path d="{path}" stroke="#f0f0ec" stroke-width="172" fill="none"/><path d="{path}" stroke="#52565d" stroke-width="164" fill="none"/><path d="{path}" stroke="#43474d" stroke-width="56" fill="none" opacity="0.6"/>'
    )
    for gx, gy in _STANDS:
        out.append(
            f'<rect x="{gx + 14}" y="{gy + 18}" width="360" height="110" fill="#05070c" opacity="0.3"/><rect x="{gx}" y="{gy}" width="360" height="110" fill="#c9ced4"/>'
        )
        for r in range(6):
            out.extend(
                f'<rect x="{gx + 8 + k * 9}" y="{gy + 8 + r * 16}" width="6" height="8" fill="{["#d8433b", "#f2c230", "#2f6fb5", "#ffffff", "#2fa37a"][(k * 7 + r * 3) % 5]}"/>'
                for k in range(39)
                if (k * r) % 7 != 3
            )
    for x in range(60, 2000, 150):
        px, py = _line(x)
        out.append(
            f'<rect x="{px - 26}" y="{py + 190}" width="60" height="16" fill="{["#2f6fb5", "#d8433b", "#f2c230"][x // 150 % 3]}"/>'
        )
    for i in range(40):
        x, y = (i * 263) % 2000, (i * 397) % 1300
        if abs(y - _line(x)[1]) > 260 and not _by_stand(x, y):
            out.append(
                f'<circle cx="{x + 10}" cy="{y + 12}" r="34" fill="#05070c" opacity="0.22"/><circle cx="{x}" cy="{y}" r="34" fill="#3f7340"/><circle cx="{x - 8}" cy="{y - 9}" r="20" fill="#55894e"/>'
            )
    return "".join(out)


def interchange(stage: Stage) -> Painter:
    """A drone over a city interchange at golden hour: ramps cross, traffic flows on three levels."""
    ground = stage.draw(_interchange(), 1500, 900)
    deck = stage.draw(_flyover(), 1500, 900)
    looks = (*paints.TRAFFIC, paints.NORTHWIND, paints.PICO, paints.KESTREL)
    cars = [HighCar.draw(stage, look, 66 if look.body != "hatchback" else 54, tilt=72) for look in looks]

    def paint(canvas: Canvas, t: float) -> None:
        dx, dy = -60 - 14 * t, -90 + 6 * t
        canvas.put(ground, dx, dy)
        for i in range(12):
            lane = i % 4
            speed = (150 + 22 * lane) * (1 if lane < 2 else -1)
            x = (i * 149 + speed * t) % 1640 - 70
            cars[i % 9].put(canvas, x + dx, (386, 424, 474, 512)[lane] + dy, 0 if lane < 2 else 180, sun=(1.1, 0.5))
        canvas.put(deck, dx, dy)
        for i in range(9):
            lane = i % 2
            u = ((i * 0.137 + (0.085 if lane else -0.095) * t) % 1.16) - 0.08
            x, y = _ramp(u)
            nx, ny = _ramp(u + 0.01)
            angle = math.atan2(ny - y, nx - x)
            off = 24 if lane else -24
            cars[(i * 2 + 3) % 9].put(
                canvas,
                x - math.sin(angle) * off + dx,
                y + math.cos(angle) * off + dy,
                math.degrees(angle) + (0 if lane else 180),
                sun=(1.1, 0.5),
            )
        canvas.camera(1.06 + 0.05 * ease(t / 6), 640, 360, roll=-2 + 0.7 * t)

    return paint


def _ramp(u: float) -> tuple[float, float]:
    return 260 + 980 * u + 120 * math.sin(u * math.pi), 960 - 1020 * u + 130 * math.sin(u * 2 * math.pi)


def _interchange() -> str:
    out = ['<rect width="1500" height="900" fill="#94a377"/>']
    blocks = (
        (20, 20, 220, 150),
        (270, 40, 150, 190),
        (60, 210, 160, 110),
        (930, 30, 140, 140),
        (1260, 60, 200, 220),
        (60, 620, 260, 200),
        (380, 700, 160, 150),
        (1000, 640, 190, 180),
        (1240, 600, 220, 240),
        (20, 850, 400, 60),
    )
    for i, (x, y, w, h) in enumerate(blocks):
        c = ["#d9c3a0", "#c4a58a", "#b9bec4", "#cbb7a4", "#a9b3b8"][i % 5]
        out.append(
            f'<path d="M{x} {y + h} l70 34 h{w} l-0 -{h} l-70 -34Z" fill="#05070c" opacity="0.26"/><rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{c}"/><rect x="{x + 8}" y="{y + 8}" width="{w - 16}" height="{h - 16}" fill="{light(c, 0.16)}"/>'
        )
        out.append(
            f'<rect x="{x + w * 0.2}" y="{y + h * 0.25}" width="{w * 0.25}" height="{h * 0.2}" fill="{dark(c, 0.2)}"/><rect x="{x + w * 0.6}" y="{y + h * 0.55}" width="{w * 0.2}" height="{h * 0.22}" fill="#6f8aa0"/>'
        )
    out.append(
        '<rect y="352" width="1500" height="194" fill="#c3beb2"/><rect y="360" width="1500" height="178" fill="#5d6268"/><rect y="446" width="1500" height="8" fill="#a9b58a"/>'
    )
    out.extend(
        f'<rect x="{x}" y="{y}" width="34" height="3.4" fill="#f2efe6"/>'
        for y in (404, 492)
        for x in range(0, 1500, 80)
    )
    out.append(
        '<path d="M-20 540 Q300 560 420 700 T640 920" stroke="#5d6268" stroke-width="52" fill="none"/><path d="M-20 540 Q300 560 420 700 T640 920" stroke="#f2efe6" stroke-width="3" stroke-dasharray="24 24" fill="none"/>'
    )
    out.append(
        '<path d="M1520 356 Q1250 330 1130 210 T1010 -20" stroke="#5d6268" stroke-width="52" fill="none"/><path d="M1520 356 Q1250 330 1130 210 T1010 -20" stroke="#f2efe6" stroke-width="3" stroke-dasharray="24 24" fill="none"/>'
    )
    for i in range(46):
        x, y = (i * 331) % 1500, (i * 211) % 900
        if not 330 < y < 570 and not any(
            bx - 20 < x < bx + w + 80 and by - 20 < y < by + h + 40 for bx, by, w, h in blocks
        ):
            out.append(
                f'<circle cx="{x + 12}" cy="{y + 8}" r="19" fill="#05070c" opacity="0.25"/><circle cx="{x}" cy="{y}" r="19" fill="#5f8a4a"/><circle cx="{x - 4}" cy="{y - 5}" r="11" fill="#7aa35c"/>'
            )
    return "".join(out)


def _flyover() -> str:
    path = smooth([_ramp(u / 20) for u in range(-3, 25)])
    return (
        f'<path d="{path}" transform="translate(46 30)" stroke="#05070c" stroke-width="108" fill="none" opacity="0.3"/><path d="{path}" stroke="#d5d0c4" stroke-width="118" fill="none"/>'
        f'<path d="{path}" stroke="#676c73" stroke-width="106" fill="none"/><path d="{path}" stroke="#f0c94a" stroke-width="5" fill="none"/><path d="{path}" stroke="#f2efe6" stroke-width="96" fill="none" opacity="0"/>'
    )
