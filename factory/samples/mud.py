# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""Off the road in mud: deep ruts, and a wheel that spins."""

from __future__ import annotations

import math
from dataclasses import replace

from factory.samples import paints, scenery
from factory.samples.cars import Look, SideCar, rim_svg, tyre_svg
from factory.samples.motion import bob
from factory.samples.outline import linear
from factory.samples.paint import dark, light
from factory.samples.particles import Plume, Streaks, blob, puff
from factory.samples.scene import Painter
from factory.samples.stage import Canvas, Stage, gradient
from factory.samples.terrain import seat


def mud_ruts(stage: Stage) -> Painter:
    """A pickup ploughs through deep ruts in a wet wood; mud flies from each wheel."""
    sky = gradient(stage, [(0, "#7d8f8c"), (300, "#b9c3b4"), (720, "#3d3020")])
    far = stage.band(scenery.row("pine", 1800, 320, 30, (200, 320), ["#8a9c90", "#7d9186"], 17), 1800, 330)
    near = stage.band(
        scenery.row("pine", 2200, 400, 15, (230, 390), ["#4b6a50", "#3f5d48", "#587557"], 18), 2200, 410, smear=3
    )
    bank = stage.band(scenery.grass(1800, 130, 20, "#5d6b3a", tall=26), 1800, 130)
    soil = stage.band(_mud_bed(1800, 250), 1800, 250)
    lip = stage.band(_mud_lip(1800, 120), 1800, 120)
    car = SideCar.draw(stage, replace(paints.TERRA, mud=1.0), 720)
    lumps = tuple(blob(stage, c, r) for c, r in (("#6b4c2d", 12), ("#7d5a36", 8), ("#553b21", 16), ("#8a6a45", 6)))
    throw = Plume(lumps, 80, 1.1, (-640, -120), (-640, -140), gravity=1250, grow=(0.7, 1.3), seed=2, spread=(22, 8))
    spit = Plume(lumps, 30, 0.8, (-180, 300), (-420, -60), gravity=1250, grow=(0.5, 0.9), seed=7, spread=(30, 6))
    mist = Plume((puff(stage, "#8a6c48", 60, opacity=0.6),), 34, 0.9, (-220, -20), (-130, -20), grow=(0.4, 1.5), seed=3)
    sheet = Streaks.rain(stage, count=150, length=36, slant=-0.1, speed=1300, opacity=0.3, seed=8)

    def track(x: float) -> float:
        return 590 + 11 * math.sin(x * 0.011) + 7 * math.sin(x * 0.027 + 1)

    def paint(canvas: Canvas, t: float) -> None:
        go = 230 * t + 18 * math.sin(t * 2.6)
        x = 640 + 26 * math.sin(t * 1.1)
        y, pitch = seat(car, x + go, track)
        canvas.lay(sky)
        canvas.scroll(far, go * 0.12, 110)
        canvas.scroll(near, go * 0.4, 74)
        canvas.scroll(bank, go * 0.8, 440)
        canvas.scroll(soil, go, 500)
        mist.paint(canvas, t + 1, lambda _: (x - 250, y - 10), wind=-100)
        throw.paint(canvas, t + 1, lambda _: (x - 262, y - 24), floor=700)
        car.put(canvas, x, y + 10, travelled=go * 1.9, pitch=pitch, bob=bob(t, 2.2))
        spit.paint(canvas, t + 1, lambda _: (x + 180, y - 8), floor=700)
        throw.paint(canvas, t + 2.5, lambda _: (x + 120, y - 12), floor=690)
        canvas.scroll(lip, go * 1.12, 574)
        sheet.paint(canvas, t)
        canvas.camera(1.05, 640, 400 + 3 * math.sin(t * 8))

    return paint


def _mud_bed(width: float, height: float) -> str:
    out = [
        f"<defs>{linear('mb', [(0, '#7a5c3a'), (0.4, '#5f452a'), (1, '#3a2917')])}</defs>",
        f'<rect width="{width}" height="{height}" fill="url(#mb)"/>',
    ]
    for i in range(120):
        x, y = (i * 173) % (width - 160), 4 + (i * 0.618 % 1) ** 1.5 * height
        out.append(
            f'<ellipse cx="{x + 80:.0f}" cy="{y:.0f}" rx="{20 + i % 60}" ry="{3 + i % 6}" fill="{["#8a6a45", "#4d371f", "#6b4e2f"][i % 3]}" opacity="0.55"/>'
        )
    for i in range(5):
        x = 120 + i * 350
        out.append(
            f'<ellipse cx="{x}" cy="{64 + i % 3 * 16}" rx="110" ry="10" fill="#a9b5ae" opacity="0.75"/><ellipse cx="{x + 14}" cy="{62 + i % 3 * 16}" rx="70" ry="5" fill="#d5ddd6" opacity="0.7"/>'
        )
    return "".join(out)


def _mud_lip(width: float, height: float) -> str:
    line = scenery.ridge_line(width, 46, 34, 44, rough=14, sharp=0.3)
    path = f"M0 {height} " + " ".join(f"L{x:.1f} {y:.1f}" for x, y in line) + f" L{width} {height}Z"
    shine = "".join(
        f'<ellipse cx="{(i * 211) % int(width - 60) + 30}" cy="{52 + i % 4 * 12}" rx="{14 + i % 3 * 9}" ry="3" fill="#9a7b55" opacity="0.6"/>'
        for i in range(34)
    )
    return f'<defs>{linear("ml", [(0, "#6f5232"), (1, "#2d1f11")])}</defs><path d="{path}" fill="url(#ml)"/>{shine}'


def mud_wheel(stage: Stage) -> Painter:
    """Low and close: a coarse tyre spins in brown slush and flings it at the lens."""
    look = Look("suv", "#4b6b3f", rim="#868c93", mud=1.0)
    sky = gradient(stage, [(0, "#93a58f"), (330, "#c9cfb6"), (500, "#6b5536"), (720, "#3a2917")])
    wood = stage.band(scenery.row("leafy", 1800, 420, 8, (300, 420), ["#6d8560", "#7c9268"], 30), 1800, 430, smear=50)
    flank = stage.draw(_flank(look), 1700, 560, anchor=(850, 430))
    wheel = stage.draw(rim_svg(210, look, spokes=6) + _lugs(210), 420, 420, anchor=(210, 210))
    tyre = stage.draw(tyre_svg(210, look), 420, 420, anchor=(210, 210))
    spinning = wheel.blurred(1.2 * stage.scale)
    pool = stage.band(_mud_lip(1800, 170), 1800, 170)
    lumps = tuple(blob(stage, c, r) for c, r in (("#6b4c2d", 26), ("#7d5a36", 16), ("#553b21", 36), ("#8a6a45", 10)))
    throw = Plume(lumps, 80, 1.0, (-1050, -200), (-1000, -150), gravity=1700, grow=(0.5, 1.2), seed=12, spread=(50, 16))
    front = Plume(lumps, 20, 0.9, (-200, 500), (-600, -150), gravity=1700, grow=(0.3, 0.9), seed=13, spread=(60, 16))
    mist = Plume(
        (puff(stage, "#94744c", 110, opacity=0.6),), 20, 0.9, (-380, -80), (-240, -30), grow=(0.4, 1.6), seed=14
    )

    def paint(canvas: Canvas, t: float) -> None:
        go = 60 * t + 12 * math.sin(t * 2)
        x, y = 700 + 14 * math.sin(t * 1.7), 468 + 9 * math.sin(t * 4.3)
        canvas.lay(sky)
        canvas.scroll(wood, go * 0.5, 20)
        mist.paint(canvas, t + 1, lambda _: (x - 150, y + 130))
        canvas.put(flank, x, y - 14, angle=1.2 * math.sin(t * 2.1))
        burst = 0.5 + 0.5 * math.sin(t * 1.9)
        canvas.put(tyre, x, y)
        canvas.put(spinning if burst > 0.4 else wheel, x, y, angle=320 * t + 160 * math.sin(t * 1.9))
        throw.paint(
            canvas,
            t + 1,
            lambda _: (x - 130, y + 150),
            when=lambda born: 0.75 + 0.3 * math.sin((born - 1) * 1.9),
        )
        canvas.scroll(pool, go, 596)
        front.paint(canvas, t + 1, lambda _: (x + 60, y + 180))
        canvas.camera(1.04, 660, 400 + 3 * math.sin(t * 11))

    return paint


def _lugs(radius: float) -> str:
    out = []
    for i in range(28):
        a = 2 * math.pi * i / 28
        x, y = radius + math.cos(a) * (radius - 9), radius + math.sin(a) * (radius - 9)
        out.append(
            f'<rect x="{x - 13:.1f}" y="{y - 9:.1f}" width="26" height="18" rx="3" transform="rotate({math.degrees(a):.1f} {x:.1f} {y:.1f})" fill="#0f1114"/>'
        )
        out.append(
            f'<rect x="{x - 9:.1f}" y="{y - 3:.1f}" width="14" height="6" rx="2" transform="rotate({math.degrees(a):.1f} {x:.1f} {y:.1f})" fill="#5a4128" opacity="{0.9 if i % 3 else 0.3}"/>'
        )
    return "".join(out)


def _flank(look: Look) -> str:
    """The lower body around one wheel, seen large."""
    paint = look.paint
    return (
        f"<defs>{linear('fl', [(0, light(paint, 0.35)), (0.35, paint), (1, dark(paint, 0.5))])}</defs>"
        f'<path d="M0 0 H1700 V470 H1160 A310 310 0 0 0 540 470 H0Z" fill="url(#fl)"/><path d="M0 120 H1700" stroke="{light(paint, 0.5)}" stroke-width="6" opacity="0.6"/>'
        f'<path d="M0 330 H560 Q600 150 850 146 Q1100 150 1140 330 H1700 V480 H1120 A272 272 0 0 0 580 480 H0Z" fill="#23272d"/><path d="M580 480 A272 272 0 0 1 1120 480" fill="#08090b"/>'
        '<path d="M560 330 Q600 150 850 146 Q1100 150 1140 330" fill="none" stroke="#4a5058" stroke-width="4"/>'
        + "".join(
            f'<ellipse cx="{(i * 137) % 1700}" cy="{200 + (i * 71) % 270}" rx="{5 + i % 9 * 3}" ry="{4 + i % 5 * 2}" fill="#5b4228" opacity="0.85"/>'
            for i in range(90)
        )
        + f'<path d="M1240 0 V330 M300 0 V330" stroke="{dark(paint, 0.55)}" stroke-width="4"/>'
    )
