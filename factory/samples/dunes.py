# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""Off the road in sand: up a dune, and from the air."""

from __future__ import annotations

import math
from collections.abc import Callable

from factory.samples import paints, scenery
from factory.samples.above import HighCar
from factory.samples.cars import SideCar
from factory.samples.motion import bob, ease
from factory.samples.outline import linear, smooth
from factory.samples.particles import Plume, puff
from factory.samples.scene import Painter
from factory.samples.stage import Canvas, Stage, gradient


def dune_climb(stage: Stage) -> Painter:
    """The pickup runs up the crest of a great dune; sand sprays in an arc from its wheels against a hot sky."""
    sky = gradient(stage, [(0, "#3d8fd0"), (260, "#a7d6ec"), (430, "#fbeccb"), (720, "#e0a04c")])
    sun = stage.draw(scenery.disc(46, "#fffbe6", "#ffeab0", reach=5), 460, 460, anchor=(230, 230))
    far = stage.band(scenery.hills(2400, 200, 150, 33, "#eec07a", "#dca25a", rough=3, name="d1"), 2400, 200)
    mid = stage.band(_dune(2600, 300), 2600, 300)
    slope = stage.draw(_slope(), 1800, 720, anchor=(260, 160))
    car = SideCar.draw(stage, paints.TERRA, 480)
    sand = (
        puff(stage, "#f2cf8a", 56, opacity=0.75),
        puff(stage, "#d9a65c", 56, opacity=0.65),
        puff(stage, "#fbe3b0", 40, opacity=0.7),
    )
    rooster = Plume(sand, 80, 1.1, (-520, -180), (-330, -90), gravity=560, grow=(0.25, 1.5), seed=3, spread=(10, 4))
    skirt = Plume(sand, 40, 0.9, (-160, 40), (-110, -20), gravity=200, grow=(0.2, 1.0), seed=5)

    def paint(canvas: Canvas, t: float) -> None:
        go = 330 * t
        rise = -15.0
        x, y = 420 + 62 * t, 520 - 62 * t * math.tan(math.radians(-rise))
        canvas.lay(sky)
        canvas.put(sun, 1040, 130)
        canvas.scroll(far, go * 0.04, 300)
        canvas.scroll(mid, go * 0.12, 330)
        canvas.put(slope, 0 - (go * 0.2) % 3, 500, angle=rise)
        wheels = [car.hub(i, x, y, rise) for i in (0, 1)]
        rooster.paint(canvas, t + 1, lambda _: (wheels[0][0] - 10, wheels[0][1] - 6), wind=-200)
        car.put(canvas, x, y, travelled=go * 1.6, pitch=rise + 1.4 * math.sin(t * 5.2), bob=bob(t, 1.4))
        skirt.paint(canvas, t + 1, lambda _: (wheels[1][0], wheels[1][1] - 4), wind=-240)
        skirt.paint(canvas, t + 1.5, lambda _: (wheels[0][0], wheels[0][1] - 4), wind=-240)
        canvas.camera(1.1, 600 + 30 * t, 400 - 10 * t)

    return paint


def _dune(width: float, height: float) -> str:
    crests = "".join(
        f'<path d="M{x} {height} Q{x + w * 0.35} {top + 50} {x + w * 0.5} {top} Q{x + w * 0.62} {top + 70} {x + w} {height}Z" fill="url(#du)"/><path d="M{x + w * 0.5} {top} Q{x + w * 0.46} {top + 110} {x + w * 0.58} {height} H{x + w} Q{x + w * 0.62} {top + 70} {x + w * 0.5} {top}Z" fill="#a8682f" opacity="0.55"/>'
        for x, w, top in ((0, 900, 80), (700, 800, 130), (1400, 1100, 40))
    )
    return (
        f"<defs>{linear('du', [(0, '#f6cf8c'), (1, '#cf9148')])}</defs>{crests}"
        f'<rect y="{height - 24}" width="{width}" height="24" fill="#cf9148"/>'
    )


def _slope() -> str:
    ripples = "".join(
        f'<path d="M{-100 + (i * 61) % 260} {190 + i * 26} q220 -{10 + i % 5 * 3} 480 4 t520 -4 t520 6 t400 -2" stroke="{"#c98a40" if i % 2 else "#f3cb84"}" stroke-width="{2 + i * 0.25}" fill="none" opacity="0.55"/>'
        for i in range(20)
    )
    return (
        f"<defs>{linear('sl', [(0, '#f3c67c'), (0.25, '#e0a653'), (1, '#a8672c')])}</defs>"
        f'<path d="M-400 160 H1800 V720 H-400Z" fill="url(#sl)"/>{ripples}<path d="M-400 160 H1800" stroke="#fde4b4" stroke-width="4"/>'
    )


def dune_aerial(stage: Stage) -> Painter:
    """From a drone: a blue SUV draws one line across a sea of sand, crests throwing evening shadows."""
    sand = stage.draw(_sand_sea(), 2300, 1700, zoom=0.7)
    car = HighCar.draw(stage, paints.NORTHWIND, 112, tilt=66)
    dust = Plume(
        (puff(stage, "#f6d9a0", 30, opacity=0.55), puff(stage, "#e6bd7c", 30, opacity=0.5)),
        40,
        2.6,
        (-26, 26),
        (-18, 18),
        grow=(0.3, 2.2),
        seed=6,
    )
    mark = stage.draw(
        '<rect width="14" height="4" rx="2" y="0" fill="#a8682f" opacity="0.55"/><rect width="14" height="4" rx="2" y="34" fill="#a8682f" opacity="0.55"/>',
        14,
        38,
        anchor=(7, 19),
    )

    def path(u: float) -> tuple[float, float]:
        return 720 + 150 * u, 1020 - 80 * u + 120 * math.sin(u * 0.75)

    def paint(canvas: Canvas, t: float) -> None:
        x, y = path(t)
        left, top = x - 560 - 20 * t, y - 420
        canvas.put(sand, -left, -top, scale=1 / 0.7)
        for i in range(110):
            born = t - i * 0.06
            mx, my = path(born)
            nx, ny = path(born + 0.01)
            canvas.put(mark, mx - left, my - top, angle=math.degrees(math.atan2(ny - my, nx - mx)))
        dust.paint(canvas, t + 3, lambda born: _behind(path, born - 3, left, top))
        nx, ny = path(t + 0.02)
        car.put(
            canvas,
            x - left,
            y - top,
            math.degrees(math.atan2((ny - y) / 0.9, nx - x)) + 3 * math.sin(t * 2.2),
            sun=(1.3, 0.5),
        )
        canvas.camera(1.12 - 0.08 * ease(t / 6), 600, 400, roll=3 - t)

    return paint


def _behind(path: Callable[[float], tuple[float, float]], u: float, left: float, top: float) -> tuple[float, float]:
    x, y = path(u - 0.22)
    return x - left, y - top


def _sand_sea() -> str:
    out = [
        f"<defs>{linear('ss', [(0, '#e9b86c'), (1, '#d59a4c')])}</defs>",
        '<rect width="2300" height="1700" fill="url(#ss)"/>',
    ]
    for i in range(15):
        y = -80 + i * 128
        knots = [
            (x, y + 60 * math.sin(x * 0.0042 + i * 1.7) + 26 * math.sin(x * 0.011 + i)) for x in range(-100, 2500, 100)
        ]
        line = smooth(knots)
        shade = smooth([(x + 26, b + 34 + 24 * math.sin(x * 0.006 + i)) for x, b in reversed(knots)])
        out.append(
            f'<path d="{line} L{shade[1:]}Z" fill="#a25f2a" opacity="0.5"/><path d="{line}" stroke="#fbe0a8" stroke-width="4" fill="none" opacity="0.9"/>'
        )
        out.extend(
            f'<path d="{smooth([(x, b - 14 - k * 13) for x, b in knots])}" stroke="#c58a40" stroke-width="1.6" fill="none" opacity="0.35"/>'
            for k in range(4)
        )
    return "".join(out)
