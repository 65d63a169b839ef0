# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""Night and racing: a neon street, a drive through bokeh, the side of a race track."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from factory.samples import paints, scenery
from factory.samples.cars import SideCar, glow
from factory.samples.faces import FacingCar
from factory.samples.ground import Eye, Ground, repeats
from factory.samples.motion import bob, ease
from factory.samples.outline import linear
from factory.samples.particles import Plume, puff
from factory.samples.roads import highway
from factory.samples.scene import Painter
from factory.samples.stage import HEIGHT, WIDTH, Canvas, Stage, gradient


def city_bokeh(stage: Stage) -> Painter:
    """The driver's view through a city at night: lamps drift past as soft discs, tail lights ahead, lights lie on the wet road."""
    eye = Eye(height=1.25, horizon=336, focal=820, aside=1.6)
    sky = gradient(stage, [(0, "#070a18"), (250, "#161a38"), (336, "#3a2a4e"), (720, "#0c0e18")])
    towers = stage.draw(
        scenery.skyline(1500, 300, 7, "#141a33", windows="#ffd58a", lit=0.13, fade="#2a2140"), 1500, 300
    )
    ground = Ground.draw(
        stage,
        eye,
        highway(
            wide=40, long=24, road="#1d2130", side="#151826", lanes=4, dash="#7d8296", edge="#8a8494", middle="#a8873c"
        ),
        wide=40,
        long=24,
    )
    discs = [
        stage.draw(
            f'<circle cx="40" cy="40" r="38" fill="{c}" opacity="0.5"/><circle cx="40" cy="40" r="37" fill="none" stroke="{c}" stroke-width="3" opacity="0.8"/>',
            80,
            80,
            anchor=(40, 40),
        )
        for c in ("#ffb45a", "#ff6a4a", "#6fa8ff", "#ffe0a0", "#7ff0c9", "#ff5aa8")
    ]
    lamp = stage.draw(scenery.lamp_posts(140, 560, 140, "#10131f", lit="#ffe6b0"), 140, 560, anchor=(70, 560))
    ahead = [
        FacingCar.draw(stage, replace(look, gloom=0.42, gloom_colour="#0a0c1a", lights=True), 300, front=False)
        for look in (paints.TRAFFIC[1], paints.TRAFFIC[4])
    ]
    coming = FacingCar.draw(
        stage, replace(paints.TRAFFIC[0], gloom=0.66, gloom_colour="#0a0c1a", lights=True), 300, front=True
    )
    edge = stage.draw('<path d="M0 120 Q640 10 1280 120 V160 H0Z" fill="#05060b"/>', WIDTH, 160, anchor=(0, 160))

    def paint(canvas: Canvas, t: float) -> None:
        gone = 15 * t
        canvas.lay(sky)
        canvas.put(towers, -110 - 6 * t, 44)
        ground.paint(canvas, gone)
        for n, z in repeats(gone, 22, far=200, near=3):
            for side in (-1, 1):
                x, y, scale = eye.place(side * 9.5, z)
                canvas.put(
                    lamp.mirrored() if side > 0 else lamp, x, y, scale=scale * 9 / 560, gain=min(1.0, (200 - z) / 60)
                )
                canvas.glow(
                    glow(stage, "#ffcf8a", 90),
                    x - side * scale,
                    y - 8.8 * scale,
                    gain=0.8,
                    scale=max(0.1, min(1.6, scale / 22)),
                )
                canvas.glow(
                    glow(stage, "#ffb45a", 90),
                    x - side * 2.4 * scale,
                    y,
                    gain=0.3,
                    scale=max(0.1, min(2.2, scale / 14)),
                    stretch=2.2,
                )
            for k in range(4):
                x, y, scale = eye.place((11 + (n * 5 + k * 3) % 6) * (1 if (n + k) % 2 else -1), z + k * 5)
                canvas.glow(
                    discs[(n * 3 + k) % 6],
                    x,
                    y - (2 + (n + k) % 4) * scale,
                    gain=0.55,
                    scale=max(0.15, min(1.5, scale / 26)),
                )
        z = 70 - (26 * t) % 66
        x, y, scale = eye.place(-1.8, z)
        coming.put(canvas, x, y, scale=scale * 1.85 / 300)
        coming.light(canvas, x, y, scale=scale * 1.85 / 300, gain=0.9, radius=220)
        for i, car in enumerate(ahead):
            x, y, scale = eye.place(1.9 + 3.3 * i, 13 + 12 * i + 2 * math.sin(t * 0.7 + i))
            size = scale * 1.9 / 300
            car.put(canvas, x, y, scale=size)
            braking = 0.95 if 2.4 < t < 3.8 and i == 0 else 0.4
            car.light(canvas, x, y, scale=size, gain=braking, colour="#ff2a1a", radius=110)
            for dx in (-0.7, 0.7):
                canvas.glow(
                    glow(stage, "#ff2a1a", 80),
                    x + dx * scale,
                    y + 0.7 * scale,
                    gain=braking * 0.5,
                    stretch=0.4,
                    scale=max(0.2, size * 1.6),
                )
        canvas.put(edge, 0, HEIGHT)
        canvas.camera(1.03, 640 + 6 * math.sin(t * 0.7), 360 + 1.5 * math.sin(t * 6))

    return paint


def neon_street(stage: Stage) -> Painter:
    """A wagon-long shot at night: shop windows and neon behind, everything doubled in the wet road; the hatchback passes the sedan."""
    sky = gradient(stage, [(0, "#080a1a"), (330, "#1c1838"), (720, "#0a0b14")])
    shops = stage.band(
        scenery.facades(2100, 470, 18, ["#2c2a44", "#3a2c46", "#26324a", "#33283c", "#2a3646"], night=True) + _neon(),
        2100,
        470,
    )
    walk = stage.band(
        '<rect width="1200" height="46" fill="#262a3c"/><rect width="1200" height="4" fill="#59607d"/>', 1200, 46
    )
    wet = stage.draw(
        f"<defs>{linear('wt', [(0, '#0a0c16', 0.35), (1, '#05060c', 0.8)])}</defs>"
        '<rect width="1280" height="230" fill="url(#wt)"/>',
        WIDTH,
        230,
    )
    first = SideCar.draw(stage, replace(paints.LUMEN, gloom=0.5, gloom_colour="#12102a", lights=True), 540)
    second = SideCar.draw(stage, replace(paints.PICO, gloom=0.45, gloom_colour="#12102a", lights=True), 400)

    def paint(canvas: Canvas, t: float) -> None:
        go = 330 * t
        canvas.lay(sky)
        canvas.scroll(shops, go * 0.8, 16)
        canvas.scroll(walk, go, 480)
        x2 = 1440 - 330 * t
        second.put(canvas, x2, 540, travelled=go * 2, flip=True)
        second.light(canvas, x2, 540, gain=0.7, flip=True, brake=0.3)
        _reflected(canvas, 526)
        canvas.put(wet, 0, 500)
        x = 520 + 60 * ease(t / 5.5)
        first.put(canvas, x, 628, travelled=go, bob=bob(t, 0.5))
        first.light(canvas, x, 628, gain=0.75, brake=0.5)
        for dx, colour in ((-250, "#ff2a1a"), (270, "#ffe6b0")):
            canvas.glow(glow(canvas.stage, colour, 120), x + dx, 668, gain=0.4, stretch=0.6)
        canvas.camera(1.04, 640, 380)

    return paint


def _neon() -> str:
    out = []
    signs = (
        ("茶", "#ff5a8a"),
        ("NIGHT", "#4bd8ff"),
        ("书店", "#ffd24a"),
        ("HOTEL", "#b48cff"),
        ("面馆", "#5affb0"),
        ("CAFE", "#ff8a4a"),
    )
    for i, (words, colour) in enumerate(signs):
        x = 130 + i * 340
        wide = 30 + 34 * len(words)
        out.append(
            f'<rect x="{x - 12}" y="{250 + i % 3 * 24}" width="{wide}" height="56" rx="10" fill="#0c0d18" stroke="{colour}" stroke-width="4"/>'
        )
        out.append(
            f'<text x="{x + wide / 2 - 12}" y="{291 + i % 3 * 24}" font-family="Noto Sans CJK SC" font-size="36" fill="{colour}" text-anchor="middle">{words}</text>'
        )
    return "".join(out)


def _reflected(canvas: Canvas, line: float) -> None:
    """Lay the picture above `line` upside down below it, blurred as on a wet road."""
    at = round(line * canvas.stage.scale)
    rows = canvas.pixels.shape[0] - at
    mirror = canvas.pixels[at - rows : at][::-1]
    soft = cv2.blur(mirror, (max(1, round(5 * canvas.stage.scale)), max(1, round(34 * canvas.stage.scale))))
    mixed = cv2.addWeighted(canvas.pixels[at:], 0.25, soft, 0.75, 0)
    canvas.pixels[at:] = np.asarray(mixed, dtype=np.uint8)
    canvas.pixels[at:, :, 3] = 255


def race_side(stage: Stage) -> Painter:
    """At the wall of a race track: coupes fly by under flags and grandstands, kerb in front, the camera swings with the leader."""
    sky = gradient(stage, [(0, "#4d9bdc"), (300, "#c4e2f2"), (720, "#8a9a80")])
    stand = stage.band(_stand(1600, 250), 1600, 250, smear=14)
    flags = stage.band(
        "".join(f'<rect x="{x}" y="0" width="5" height="130" fill="#e8ebee"/>' for x in range(60, 1600, 160)),
        1600,
        130,
        smear=8,
    )
    cloth = [
        stage.draw(
            f'<path d="M0 0 Q24 -8 48 2 T96 0 V44 Q72 50 48 44 T0 46Z" fill="{c}"/><path d="M0 18 Q24 10 48 20 T96 18 V28 Q72 34 48 28 T0 30Z" fill="#fff" opacity="0.85"/>',
            96,
            54,
            anchor=(0, 0),
        )
        for c in ("#d6322c", "#2f6fb5", "#f2b21f")
    ]
    wall = stage.band(_wall(1500, 80), 1500, 80, smear=24)
    road = stage.band(scenery.asphalt(1560, 190, colour="#565b62", dash="", edge="#f2f2ee"), 1560, 190, smear=60)
    kerb = stage.band(
        "".join(
            f'<path d="M{x} 6 h60 l-16 50 h-60Z" fill="{c}"/>'
            for x, c in zip(range(0, 1440, 60), ("#d6322c", "#f4f4f0") * 12, strict=True)
        ),
        1440,
        60,
        smear=20,
    )
    grass = stage.band(scenery.grass(1500, 90, 33, "#6f9f4a"), 1500, 90, smear=70)
    red = SideCar.draw(stage, replace(paints.KESTREL, livery="7"), 500)
    blue = SideCar.draw(stage, replace(paints.KESTREL, paint="#1f5fae", livery="22"), 480)
    gold = SideCar.draw(stage, replace(paints.KESTREL, paint="#e8b21f", livery="4"), 470)
    smoke = Plume((puff(stage, "#e9ecee", 50, opacity=0.5),), 26, 0.7, (-60, 20), (-50, -8), grow=(0.3, 1.4), seed=4)

    def paint(canvas: Canvas, t: float) -> None:
        go = 2300 * t
        canvas.lay(sky)
        canvas.scroll(stand, go * 0.18, 170)
        canvas.scroll(flags, go * 0.3, 96)
        shift = go * 0.3
        for k in range(int((shift - 220) // 160), int((shift + 1320) // 160) + 1):
            x = 65 + 160 * k - shift
            canvas.put(
                cloth[k % 3],
                x,
                98 + 3 * math.sin(t * 9 + k),
                stretch=1 + 0.06 * math.sin(t * 14 + k),
                angle=2 * math.sin(t * 8 + k),
            )
        canvas.scroll(wall, go * 0.7, 408)
        canvas.scroll(road, go, 486)
        gold.put(canvas, 130 + 30 * math.sin(t), 548, travelled=go, bob=bob(t, 0.5))
        blue.put(canvas, 560 + 180 * ease(t / 5) - 30 * math.sin(t * 0.8), 588, travelled=go, bob=bob(t + 1, 0.5))
        x = 900 - 170 * ease(t / 5)
        smoke.paint(
            canvas, t + 1, lambda _: (x - 170, 632), wind=-900, when=lambda born: 0.8 if 1.8 < born - 1 < 2.6 else 0
        )
        red.put(canvas, x, 640, travelled=go, bob=bob(t + 2, 0.5), pitch=0.8 * math.sin(t * 2.2))
        canvas.scroll(kerb, go * 1.15, 650)
        canvas.scroll(grass, go * 1.3, 684)
        canvas.camera(1.06, 640 + 30 * math.sin(t), 420, roll=-1.4)

    return paint


def _stand(width: float, height: float) -> str:
    out = [
        '<path d="M0 40 H1600 V56 H0Z" fill="#e9ecef"/><path d="M0 40 L40 12 H1600 V40Z" fill="#c23b36"/>',
        f'<rect y="56" width="{width}" height="{height - 56}" fill="#7b838c"/>',
    ]
    for r in range(9):
        out.append(f'<rect y="{64 + r * 20}" width="{width}" height="15" fill="#646c75"/>')
        out.extend(
            f'<circle cx="{x + (r % 2) * 7}" cy="{68 + r * 20}" r="5.4" fill="{["#d8433b", "#f2c230", "#2f6fb5", "#f4f4f4", "#2fa37a", "#e88a3a"][(x // 14 * 7 + r * 3) % 6]}"/>'
            for x in range(4, int(width), 14)
            if (x // 14 + r) % 9
        )
    out.extend(
        f'<rect x="{x}" y="56" width="14" height="{height - 56}" fill="#4f5760"/>' for x in range(100, int(width), 400)
    )
    return "".join(out)


def _wall(width: float, height: float) -> str:
    out = [f'<rect width="{width}" height="{height}" fill="#dfe3e6"/><rect width="{width}" height="9" fill="#f7f8f9"/>']
    for i, c in enumerate(("#1d5aa8", "#d6322c", "#12161c", "#f2b21f", "#1f7f5c")):
        x = i * 300
        out.append(
            f'<rect x="{x}" y="14" width="290" height="56" fill="{c}"/><path d="M{x + 30} 56 l40 -28 h30 l-40 28Z M{x + 90} 56 l40 -28 h110 l-40 28Z" fill="#fff" opacity="0.85"/>'
        )
    return "".join(out)
