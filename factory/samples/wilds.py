# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""Off the road on rocks, through a river, along a gravel track."""

from __future__ import annotations

import math
from dataclasses import replace

from factory.samples import paints, scenery
from factory.samples.cars import SideCar
from factory.samples.motion import bob, ease
from factory.samples.outline import linear, smooth
from factory.samples.particles import Plume, blob, puff
from factory.samples.scene import Painter
from factory.samples.stage import Canvas, Stage, gradient
from factory.samples.terrain import seat


def rock_crawl(stage: Stage) -> Painter:
    """The SUV climbs a staircase of boulders in a canyon, one wheel at a time."""
    sky = gradient(stage, [(0, "#4f9bd3"), (240, "#bfe0ee"), (720, "#d9a06a")])
    wall = stage.draw(_canyon(), 1500, 640)
    rocks = stage.draw(_boulders(), 2200, 420)
    car = SideCar.draw(stage, replace(paints.NORTHWIND, mud=0.35), 560)
    dust = Plume((puff(stage, "#e6b98a", 40, opacity=0.5),), 9, 1.3, (-60, 20), (-50, -8), grow=(0.3, 1.5), seed=2)
    pebble = Plume(
        (blob(stage, "#9a6443", 7), blob(stage, "#7d4d33", 5)),
        7,
        0.9,
        (-180, -20),
        (-160, -20),
        gravity=900,
        grow=(0.5, 0.8),
        seed=4,
    )

    def paint(canvas: Canvas, t: float) -> None:
        world = 520 + 118 * t + 20 * math.sin(t * 2.4)
        left = world - 560 - 12 * t
        y, pitch = seat(car, world, _rock_height)
        x = world - left
        canvas.lay(sky)
        canvas.put(wall, -90 - left * 0.16, 30)
        canvas.put(rocks, -left, 330)
        dust.paint(canvas, t + 1, lambda _: car.hub(0, x, y, pitch), wind=-20)
        car.put(canvas, x, y + 4, travelled=world * 1.1 + 26 * t, pitch=pitch + 0.8 * math.sin(t * 6), bob=bob(t, 2.0))
        pebble.paint(canvas, t + 1, lambda _: car.hub(0, x, y, pitch), floor=690)
        canvas.camera(1.08 + 0.03 * math.sin(t * 0.6), 620, 400)

    return paint


_ROCKS = ((430, 92, 60), (700, 130, 95), (980, 150, 120), (1240, 120, 150), (1500, 170, 150), (1800, 160, 190))


def _rock_height(x: float) -> float:
    """The top of the boulders: a smooth hull over round stones on rising ground."""
    base = 640 - x * 0.055
    lift = 0.0
    for centre, half, tall in _ROCKS:
        d = (x - centre) / (half * 1.35)
        if abs(d) < 1:
            lift = max(lift, tall * 0.62 * (1 - d * d) ** 0.8)
    return base - lift


def _boulders() -> str:
    out = [
        f"<defs>{linear('bo', [(0, '#d79a6a'), (0.5, '#a8683f'), (1, '#5f3520')])}{linear('fl', [(0, '#b57546'), (1, '#6e3f25')])}</defs>"
    ]
    line = " ".join(f"L{x} {640 - x * 0.055 - 330:.1f}" for x in range(0, 2201, 50))
    out.append(f'<path d="M0 420 {line} L2200 420Z" fill="url(#fl)"/>')
    for n, (centre, half, _tall) in enumerate(_ROCKS):
        points = [
            (x, _rock_height(x) - 330 + 3) for x in range(int(centre - half * 1.35), int(centre + half * 1.35) + 1, 14)
        ]
        shape = smooth([(x, y) for x, y in points]) + f"L{points[-1][0]} 420 L{points[0][0]} 420Z"
        top = min(y for _, y in points)
        out.append(f'<path d="{shape}" fill="url(#bo)"/>')
        out.append(
            f'<path d="M{centre + half * 0.2} {top + 4} L{centre + half * 0.5} {top + 70} L{centre + half * 0.3} 420 H{centre + half * 1.3} V{top + 120} Q{centre + half} {top + 40} {centre + half * 0.2} {top + 4}Z" fill="#3d2013" opacity="0.35"/>'
        )
        out.append(
            f'<path d="M{centre - half * 0.6} {top + 50} l{30 + n * 4} 26 l-12 40 M{centre + 10} {top + 40} l22 44" stroke="#5a321e" stroke-width="3" fill="none" opacity="0.6"/>'
        )
        out.append(
            f'<path d="M{centre - half * 0.7} {top + 36} Q{centre - half * 0.2} {top + 2} {centre + half * 0.1} {top + 6}" stroke="#f2c294" stroke-width="4" fill="none" opacity="0.7"/>'
        )
    return "".join(out)


def _canyon() -> str:
    back = "M0 640 V150 L60 130 L150 140 L170 60 L330 50 L350 180 L470 210 L500 320 L620 340 L660 420 L780 430 L860 300 L900 160 L1010 150 L1040 70 L1190 56 L1220 130 L1500 110 V640Z"
    front = "M0 640 V300 L120 290 L150 360 L300 380 L330 450 L520 470 L560 520 L760 530 L900 470 L960 380 L1100 360 L1140 280 L1300 270 L1340 330 L1500 320 V640Z"
    out = [f"<defs>{linear('ca', [(0, '#d98a5a'), (1, '#c9733f')])}{linear('cb', [(0, '#b9633c'), (1, '#8f4529')])}"]
    out.append(
        f'<clipPath id="wl"><path d="{back}"/></clipPath></defs><path d="{back}" fill="url(#ca)"/><g clip-path="url(#wl)">'
    )
    for i, y in enumerate((90, 130, 190, 230, 300, 370)):
        out.append(
            f'<path d="M0 {y} q200 {12} 400 0 t400 6 t400 -6 t400 4" stroke="{"#b0613a" if i % 2 else "#e8a878"}" stroke-width="{5 + i % 3 * 5}" fill="none" opacity="0.4"/>'
        )
    out.append(f'</g><path d="{front}" fill="url(#cb)"/>')
    return "".join(out)


def water_crossing(stage: Stage) -> Painter:
    """The pickup fords a mountain river: bow wave, spray, ripples running to the banks."""
    sky = gradient(stage, [(0, "#6fb0d9"), (260, "#d4e8ee"), (420, "#8fb0a0"), (720, "#2f5d68")])
    peaks = stage.band(scenery.mountains(1800, 300, 280, 93, "#7c93a6", "#c3d0d0", snow="#ffffff", peaks=5), 1800, 300)
    wood = stage.band(scenery.row("pine", 1800, 260, 26, (130, 260), ["#3f6b55", "#4b7a5e", "#35604d"], 94), 1800, 270)
    shore = stage.band(_pebbles(1600, 60), 1600, 60)
    river = stage.band(_river(1600, 250), 1600, 250)
    front = stage.band(_river_front(1600, 190), 1600, 190)
    car = SideCar.draw(stage, paints.TERRA, 560)
    foam = (puff(stage, "#ffffff", 40, opacity=0.75), puff(stage, "#d9eef2", 46, opacity=0.7))
    drop = (blob(stage, "#d8eef4", 6), blob(stage, "#ffffff", 4), blob(stage, "#a9d3de", 8))
    bow = Plume(foam, 60, 0.7, (-30, 190), (-240, -60), gravity=520, grow=(0.3, 1.2), seed=3, spread=(20, 6))
    spray = Plume(drop, 70, 0.9, (-160, 300), (-420, -120), gravity=1000, grow=(0.4, 0.9), seed=4, spread=(26, 6))
    wake = Plume(foam, 34, 1.5, (-190, -60), (-50, 8), gravity=80, grow=(0.4, 1.5), seed=5, spread=(30, 6))
    ring = stage.draw(
        '<ellipse cx="200" cy="20" rx="196" ry="17" fill="none" stroke="#e8f6f8" stroke-width="3" opacity="0.7"/>',
        400,
        40,
        anchor=(200, 20),
    )

    def paint(canvas: Canvas, t: float) -> None:
        go = 120 * t
        x, line = 420 + 66 * t, 580
        dip = 14 + 6 * math.sin(t * 1.3)
        canvas.lay(sky)
        canvas.scroll(peaks, go * 0.05, 80)
        canvas.scroll(wood, go * 0.16, 180)
        canvas.scroll(shore, go * 0.3, 430)
        canvas.scroll(river, go * 0.3 + 90 * t, 472)
        wake.paint(canvas, t + 1, lambda _: (x - 240, line - 14), wind=-60)
        car.put(
            canvas,
            x,
            line + 40 + dip * 0.4,
            travelled=go * 1.6,
            pitch=-1.5 + 1.6 * math.sin(t * 1.9),
            bob=bob(t, 2),
            shade=0.4,
        )
        for i in range(4):
            age = (t * 0.8 + i / 4) % 1
            canvas.put(ring, x + 40 - 50 * age, line + 16, scale=0.9 + age, gain=(1 - age) * 0.7)
        canvas.scroll(front, go * 0.55 + 120 * t, line - 10)
        for hub in (x + 196, x - 160):
            bow.paint(canvas, t + 1, lambda _, hub=hub: (hub + 26, line - 2))  # type: ignore[misc]  # mypy cannot type a lambda with a default
            spray.paint(canvas, t + 1, lambda _, hub=hub: (hub + 34, line - 6), floor=line + 60)  # type: ignore[misc]  # mypy cannot type a lambda with a default
        canvas.camera(1.06, 560 + 22 * t, 420)

    return paint


def _pebbles(width: float, height: float) -> str:
    stones = "".join(
        f'<ellipse cx="{(i * 83) % int(width - 40) + 20}" cy="{14 + (i * 29) % 40}" rx="{6 + i % 9}" ry="{4 + i % 5}" fill="{["#b9b3a6", "#9a9488", "#cfc9bc", "#85807a"][i % 4]}"/>'
        for i in range(170)
    )
    return f'<rect y="10" width="{width}" height="{height - 10}" fill="#a8a293"/>{stones}'


def _river(width: float, height: float) -> str:
    lines = "".join(
        f'<path d="M{(i * 149) % int(width - 240)} {6 + (i * 0.618 % 1) ** 1.4 * (height - 10):.0f} q{30 + i % 40} -5 {60 + i % 80} 0 t{60 + i % 60} 0" stroke="{"#d9f0f2" if i % 3 else "#1f5563"}" stroke-width="{1.5 + i % 3}" fill="none" opacity="{0.25 + i % 4 * 0.1}"/>'
        for i in range(110)
    )
    return (
        f"<defs>{linear('rv', [(0, '#9cc6c4'), (0.3, '#5f9fa8'), (1, '#23596a')])}</defs>"
        f'<rect width="{width}" height="{height}" fill="url(#rv)"/>{lines}'
    )


def _river_front(width: float, height: float) -> str:
    line = scenery.ridge_line(width, 16, 10, 12, rough=24, sharp=0.1, step=6)
    path = f"M0 {height} " + " ".join(f"L{x:.1f} {y:.1f}" for x, y in line) + f" L{width} {height}Z"
    lines = "".join(
        f'<path d="M{(i * 211) % int(width - 260)} {30 + (i * 0.618 % 1) * (height - 40):.0f} q{40 + i % 40} -7 {90 + i % 80} 0 t{80 + i % 60} 0" stroke="#e6f6f7" stroke-width="{2 + i % 3}" fill="none" opacity="{0.2 + i % 4 * 0.1}"/>'
        for i in range(60)
    )
    return (
        f"<defs>{linear('rf', [(0, '#6fb0b8', 0.82), (0.35, '#2f7483', 0.93), (1, '#174553')])}</defs>"
        f'<path d="{path}" fill="url(#rf)"/>{lines}'
    )


def gravel_wide(stage: Stage) -> Painter:
    """A steppe, very wide: a lone truck far off draws a long banner of dust along a gravel track."""
    sky = gradient(
        stage,
        [(0, "#5b9fd4"), (280, "#cfe6ef"), (420, "#f8eed6"), (421, "#b9ac6a"), (560, "#a2954f"), (720, "#6f6a36")],
    )
    peaks = stage.draw(scenery.mountains(1500, 190, 180, 95, "#8b9db8", "#d6d8cf", snow="#ffffff", peaks=8), 1500, 190)
    swell = stage.draw(scenery.hills(1500, 120, 60, 96, "#b5ad66", "#9d9650", rough=4), 1500, 120)
    clouds = stage.band(scenery.clouds(2000, 180, 5, 97, "#ffffff"), 2000, 200)
    track = stage.draw(
        f"<defs>{linear('gt', [(0, '#d8c8a0'), (1, '#b9a67c')])}</defs>"
        '<path d="M0 26 Q400 4 800 18 T1500 10 V38 Q1100 30 800 44 T0 56Z" fill="url(#gt)"/>',
        1500,
        60,
    )
    front = stage.band(scenery.grass(1800, 150, 98, "#8a8440", blades=700, tall=60), 1800, 150)
    car = SideCar.draw(stage, replace(paints.TERRA, paint="#d9d4c6", mud=0.5), 150)
    dust = Plume(
        (puff(stage, "#efe0bb", 60, opacity=0.6), puff(stage, "#dccaa0", 60, opacity=0.55)),
        26,
        4.5,
        (-26, 6),
        (-26, -8),
        grow=(0.15, 2.0),
        seed=3,
        spread=(6, 3),
    )

    def paint(canvas: Canvas, t: float) -> None:
        pan = 30 * ease(t / 6)
        canvas.lay(sky)
        canvas.scroll(clouds, 8 * t, 40)
        canvas.put(peaks, -60 - pan * 0.3, 250)
        canvas.put(swell, -60 - pan * 0.6, 380)
        canvas.put(track, -60 - pan, 500)
        x = 1180 - 170 * t
        dust.paint(canvas, t + 5, lambda born: (1180 - 170 * (born - 5) + 70, 524 + 6 * math.sin(born)), wind=8)
        car.put(
            canvas,
            x,
            530 + 4 * math.sin(x * 0.006),
            travelled=170 * t,
            flip=True,
            bob=bob(t, 3),
            pitch=0.8 * math.sin(t * 6),
        )
        canvas.scroll(front, pan * 2 + 8 * math.sin(t), 600)

    return paint
