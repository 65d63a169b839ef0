# ruff: noqa: E501, PERF401  (drawings: path data reads worse when it is broken)
"""Roads from the driver's seat, from a reversing camera and from a footbridge."""

from __future__ import annotations

import math
from dataclasses import replace

from factory.samples import paints, scenery
from factory.samples.cars import glow
from factory.samples.faces import FacingCar
from factory.samples.ground import Eye, Ground, repeats
from factory.samples.lettering import text
from factory.samples.motion import ease
from factory.samples.outline import linear, radial
from factory.samples.paint import dark, light
from factory.samples.particles import Plume, Streaks, puff
from factory.samples.roads import haze, highway, specks, stand
from factory.samples.scene import Painter
from factory.samples.stage import HEIGHT, WIDTH, Canvas, Sprite, Stage, gradient


def mountain_pov(stage: Stage) -> Painter:
    """The driver's view of an open highway towards snowy mountains: a van is overtaken, cars come the other way."""
    eye = Eye(height=1.35, horizon=338, focal=860, bend=0.00055, aside=1.8)
    sky = gradient(stage, [(0, "#3c86c8"), (230, "#9fd0ee"), (338, "#eef6f4"), (720, "#8fae6c")])
    peaks = stage.draw(scenery.mountains(1500, 250, 230, 61, "#6f88a6", "#c5d3dc", snow="#ffffff", peaks=6), 1500, 250)
    hills = stage.draw(scenery.hills(1500, 90, 60, 62, "#7fa06a", "#a3bd84", rough=7), 1500, 90)
    clouds = stage.band(scenery.clouds(2000, 160, 6, 31, "#ffffff"), 2000, 180)
    ground = Ground.draw(
        stage,
        eye,
        highway(wide=60, long=24, road="#5d6268", side="#86a65c", lanes=2, middle="#f5cf4a"),
        wide=60,
        long=24,
    )
    air = haze(stage, 338, "#e8f1f0", depth=60)
    tree = stage.draw(scenery.pine(110, 300, 290, "#3f7350"), 220, 304, anchor=(110, 300))
    post = stage.draw(
        '<rect x="6" y="0" width="8" height="60" rx="3" fill="#f4f5f5"/><rect x="6" y="10" width="8" height="10" fill="#d8433b"/>',
        20,
        60,
        anchor=(10, 60),
    )
    ahead = FacingCar.draw(stage, paints.TRAFFIC[5], 300, front=False)
    oncoming = [
        FacingCar.draw(stage, look, 300, front=True)
        for look in (paints.TRAFFIC[0], paints.TRAFFIC[2], paints.TRAFFIC[3])
    ]
    bonnet = stage.draw(_bonnet("#2b3a4a"), WIDTH, 130, anchor=(0, 130))

    def paint(canvas: Canvas, t: float) -> None:
        gone = 27 * t
        sway = math.sin(t * 0.8) * 0.25
        canvas.lay(sky)
        canvas.scroll(clouds, 6 * t, 4)
        canvas.put(peaks, -110 - 5 * t, 100)
        canvas.put(hills, -110 - 9 * t, 262)
        ground.paint(canvas, gone)
        canvas.put(air, 0, 0)
        for n, z in repeats(gone, 13, far=250, near=4):
            stand(canvas, eye, tree, 290, 7.5 + (n % 4), 15 + (n * 7) % 12, z)
            stand(canvas, eye, tree, 290, 6.5 + (n % 3) * 1.6, -(14 + (n * 5) % 14), z + 4)
            stand(canvas, eye, post, 60, 1.0, 5.3, z)
            stand(canvas, eye, post, 60, 1.0, -5.3, z)
        for i, car in enumerate(oncoming):
            z = 60 + i * 95 - 52 * t + 60
            if 4 < z < 250:
                x, y, scale = eye.place(-1.8, z)
                car.put(canvas, x, y, scale=scale * 1.9 / 300)
        z = 46 - 3.4 * t
        x, y, scale = eye.place(1.8 + sway * 0.3, z)
        ahead.put(canvas, x, y, scale=scale * 2.0 / 300)
        canvas.put(bonnet, 0, HEIGHT + 2 * math.sin(t * 9))
        canvas.camera(1.03, 640 + sway * 20, 360 + 2 * math.sin(t * 6.5), roll=sway * 1.2)

    return paint


def _bonnet(colour: str) -> str:
    return (
        f"<defs>{linear('bn', [(0, light(colour, 0.35)), (0.25, colour), (1, dark(colour, 0.5))])}</defs>"
        f'<path d="M60 130 Q200 44 640 34 Q1080 44 1220 130Z" fill="url(#bn)"/><path d="M200 130 Q330 62 640 52" fill="none" stroke="{light(colour, 0.5)}" stroke-width="3" opacity="0.5"/>'
        f'<path d="M1080 130 Q950 62 640 52" fill="none" stroke="{dark(colour, 0.4)}" stroke-width="3" opacity="0.6"/>'
    )


def rain_pov(stage: Stage) -> Painter:
    """The driver's view in heavy rain behind a hatchback: spray, drops, wipers, red light on the wet road."""
    eye = Eye(height=1.3, horizon=330, focal=860)
    sky = gradient(stage, [(0, "#5e6b78"), (330, "#aeb8bd"), (720, "#4d565c")])
    ground = Ground.draw(
        stage,
        eye,
        highway(wide=50, long=24, road="#555e66", side="#5f6b5c", lanes=3, dash="#d8dcde", edge="#d8dcde"),
        wide=50,
        long=24,
    )
    air = haze(stage, 330, "#aeb8bd", depth=120, strength=1)
    wood = stage.band(scenery.row("leafy", 2000, 150, 22, (90, 150), ["#6d7d74", "#76857a"], 12), 2000, 150, smear=4)
    car = FacingCar.draw(
        stage, replace(paints.TRAFFIC[2], lights=True, gloom=0.25, gloom_colour="#4b555c"), 330, front=False
    )
    lorry = stage.draw(_lorry(), 260, 330, anchor=(130, 322))
    spray = Plume((puff(stage, "#cfd8dc", 60, opacity=0.4),), 26, 0.9, (-90, 90), (-110, -20), grow=(0.4, 1.5), seed=5)
    sheets = [
        Streaks.rain(stage, count=260, length=46, slant=-0.12, speed=1500, opacity=0.4, seed=2),
        Streaks.rain(stage, count=120, length=80, slant=-0.14, speed=2300, opacity=0.34, seed=3),
    ]
    drops = [stage.draw(_drop(), 30, 34, anchor=(15, 17))]
    wiper = stage.draw(
        '<path d="M0 14 L620 4 L622 12 L0 26Z" fill="#11151a"/><path d="M150 22 L640 8 L640 16 L152 32Z" fill="#1d2329"/>',
        642,
        40,
        anchor=(0, 20),
    )
    dash = stage.draw('<path d="M0 60 Q640 0 1280 60 V100 H0Z" fill="#12161b"/>', WIDTH, 100, anchor=(0, 100))

    def paint(canvas: Canvas, t: float) -> None:
        gone = 22 * t
        canvas.lay(sky)
        canvas.scroll(wood, 5 * t, 212)
        ground.paint(canvas, gone)
        canvas.put(air, 0, 0)
        x, y, scale = eye.place(3.6, 40 + 3 * math.sin(t * 0.6))
        canvas.put(lorry, x, y, scale=scale * 2.6 / 240)
        z = 9.5 + 1.2 * math.sin(t * 0.7)
        x, y, scale = eye.place(-0.1, z)
        car.put(canvas, x, y, scale=scale * 1.85 / 330)
        braking = 0.9 if 2.6 < t < 4.2 else 0.3
        car.light(canvas, x, y, scale=scale * 1.85 / 330, gain=braking, colour="#ff2a1a")
        for side in (-1, 1):
            canvas.glow(glow(stage, "#ff3020", 70), x + side * 62, y + 70, gain=braking * 0.55, stretch=0.5, scale=1.4)
        spray.paint(canvas, t + 1, lambda _: (x, y - 4))
        for sheet in sheets:
            sheet.paint(canvas, t)
        _glass_drops(canvas, drops[0], t, _wiper_angle(t))
        canvas.put(dash, 0, HEIGHT)
        for px in (130, 700):
            canvas.put(wiper, px, 690, angle=-8 - _wiper_angle(t), scale=0.86)
        canvas.camera(1.02, 640, 360 + 1.5 * math.sin(t * 8))

    return paint


def _wiper_angle(t: float) -> float:
    return 62 * (0.5 - 0.5 * math.cos(2 * math.pi * t / 1.3))


def _glass_drops(canvas: Canvas, drop: Sprite, t: float, _angle: float) -> None:
    """Drops gather on the screen and go when the wiper has passed."""
    cycle = (t / 1.3) % 1
    for i in range(46):
        born = ((i * 0.618) % 1) * 0.9
        if cycle < born:
            continue
        canvas.put(
            drop,
            (i * 211 + int(t / 1.3) * 67) % 1280,
            30 + (i * 137 + int(t / 1.3) * 91) % 560,
            scale=0.35 + (i % 5) * 0.13,
            gain=0.75,
        )


def _drop() -> str:
    return '<path d="M15 2 Q28 16 25 24 Q20 33 15 32 Q9 33 5 24 Q2 16 15 2Z" fill="#e6eef2" opacity="0.4"/><path d="M9 22 Q12 28 18 27" stroke="#fff" stroke-width="2.4" fill="none" opacity="0.8"/>'


def _lorry() -> str:
    return (
        f"<defs>{linear('lo', [(0, '#7d8890'), (1, '#5c666e')])}</defs>"
        '<rect x="10" y="10" width="240" height="250" rx="4" fill="url(#lo)"/><path d="M130 14 V256" stroke="#495259" stroke-width="3"/><rect x="20" y="262" width="220" height="26" fill="#2a3036"/>'
        '<rect x="24" y="280" width="40" height="42" rx="6" fill="#14171b"/><rect x="196" y="280" width="40" height="42" rx="6" fill="#14171b"/><rect x="22" y="264" width="34" height="12" fill="#e02a20"/>'
        '<rect x="204" y="264" width="34" height="12" fill="#e02a20"/><path d="M40 290 h180" stroke="#f2c230" stroke-width="5" stroke-dasharray="18 12"/>'
    )


def bridge_traffic(stage: Stage) -> Painter:
    """From a footbridge over a six-lane road: cars come and go below, in clear morning light."""
    eye = Eye(height=8.5, horizon=190, focal=900)
    sky = gradient(stage, [(0, "#9cc7e6"), (150, "#dcebf0"), (190, "#f1efe2"), (720, "#8a9a78")])
    city = stage.draw(
        scenery.skyline(1400, 130, 83, "#b4c3cf", windows="#e2edf3", lit=0.6, fade="#dfe3df", wide=(26, 60)), 1400, 130
    )
    ground = Ground.draw(stage, eye, _carriageways(), wide=80, long=24)
    air = haze(stage, 190, "#eef0e8", depth=70, strength=0.9)
    tree = stage.draw(scenery.leafy(120, 250, 240, "#6f9a5a"), 240, 254, anchor=(120, 250))
    fronts = [FacingCar.draw(stage, look, 200, front=True) for look in (*paints.TRAFFIC, paints.PICO, paints.TERRA)]
    backs = [
        FacingCar.draw(stage, look, 200, front=False)
        for look in (*paints.TRAFFIC[::-1], paints.NORTHWIND, paints.VOYAGE)
    ]

    def paint(canvas: Canvas, t: float) -> None:
        canvas.lay(sky)
        canvas.put(city, -60, 66)
        ground.paint(canvas, 0)
        canvas.put(air, 0, 0)
        for n, z in repeats(0, 14, far=240, near=16):
            stand(canvas, eye, tree, 240, 6 + (n % 3), 19 + (n * 3) % 4, z)
            stand(canvas, eye, tree, 240, 6 + (n % 2), -19 - (n * 5) % 5, z)
        seen = []
        for i in range(14):
            lane, speed = i % 3, 17 + 4 * (i % 3)
            seen.append(((230 - (i * 61 + speed * t)) % 230 + 13, -(3.4 + lane * 3.7), fronts[i % 8]))
            seen.append(((i * 53 + (speed + 3) * t) % 230 + 13, 3.4 + lane * 3.7, backs[(i * 3) % 8]))
        for z, x, car in sorted(seen, key=lambda s: -s[0]):
            sx, sy, scale = eye.place(x, z)
            car.put(canvas, sx, sy, scale=scale * 1.9 / 200)
        canvas.camera(1.0 + 0.06 * ease(t / 6), 640, 420)

    return paint


def _carriageways() -> str:
    out = [
        '<rect width="80" height="24" fill="#93a972"/>',
        specks(80, 24, "#93a972"),
        '<rect x="26" width="28" height="24" fill="#6e737a"/><rect x="39.2" width="1.6" height="24" fill="#a9aeb2"/><rect x="39.2" width="0.3" height="24" fill="#d8dcde"/>',
    ]
    for side in (-1, 1):
        for k in (1.4, 12.7):
            out.append(f'<rect x="{40 + side * k - 0.1}" width="0.2" height="24" fill="#f2f0e6"/>')
        for k in (5.2, 8.9):
            out.extend(
                f'<rect x="{40 + side * k - 0.09}" y="{y}" width="0.18" height="4.5" fill="#f2f0e6"/>' for y in (1, 13)
            )
    return "".join(out)


def rear_camera(stage: Stage) -> Painter:
    """The picture of a reversing camera: bays come nearer, coloured guide lines bend with the wheel, a car to each side."""
    eye = Eye(height=1.15, horizon=250, focal=560)
    sky = gradient(stage, [(0, "#b9c9d4"), (250, "#e3e6e2"), (720, "#6d7378")])
    hedge = stage.draw(
        scenery.row("leafy", 1400, 190, 22, (120, 190), ["#6f8f5c", "#7d9a66", "#62834f"], 29)
        + '<rect y="170" width="1400" height="60" fill="#b3a898"/><rect y="170" width="1400" height="8" fill="#d5cbbb"/>',
        1400,
        230,
    )
    ground = Ground.draw(stage, eye, _bay_floor(), wide=30, long=20, dots=60)
    sides = [
        (FacingCar.draw(stage, paints.TRAFFIC[3], 420, front=True), -2.75),
        (FacingCar.draw(stage, paints.TRAFFIC[5], 420, front=True), 2.75),
    ]
    bumper = stage.draw(
        '<path d="M0 120 V60 Q640 -10 1280 60 V120Z" fill="#f3c12e"/><path d="M0 120 V84 Q640 20 1280 84 V120Z" fill="#1a1d22"/>',
        WIDTH,
        120,
        anchor=(0, 120),
    )
    still = [stage.draw(_guides(bend), WIDTH, HEIGHT) for bend in range(-60, 61, 12)]
    words = stage.draw(
        '<rect width="330" height="84" rx="8" fill="#0b1016" opacity="0.7"/>'
        + text("倒车影像", 20, 40, 30)
        + text("REAR CAMERA", 20, 70, 21, "#b9c6d4"),
        330,
        84,
    )
    vignette = stage.draw(
        f"<defs>{radial('vg', [(0, '#000', 0), (0.72, '#000', 0), (1, '#000', 0.75)], radius=0.72)}</defs>"
        '<rect width="1280" height="720" fill="url(#vg)"/>',
        WIDTH,
        HEIGHT,
    )

    def paint(canvas: Canvas, t: float) -> None:
        gone = 2.6 * ease(t / 5.2)
        swing = 50 * math.sin(t * 0.9) * (1 - ease(t / 5))
        canvas.lay(sky)
        canvas.put(hedge, -60 - swing * 0.3, 60 - gone * 6, scale=1 + gone * 0.03)
        ground.paint(canvas, gone)
        for car, x in sides:
            sx, sy, scale = eye.place(x, 7.2 - gone)
            car.put(canvas, sx - swing * 0.4, sy, scale=scale * 1.85 / 420)
        canvas.put(still[round((swing + 60) / 12)], 0, 0)
        canvas.put(bumper, 0, HEIGHT)
        canvas.put(vignette, 0, 0)
        canvas.put(words, 40, 36)

    return paint


def _bay_floor() -> str:
    out = ['<rect width="30" height="20" fill="#6d7278"/>', specks(30, 20, "#6d7278")]
    out.extend(
        f'<rect x="{15 + (i - 0.5) * 2.75 - 0.06}" width="0.12" height="20" fill="#f2efe6"/>' for i in range(-4, 6)
    )
    out.append('<rect x="13.7" y="9" width="2.6" height="0.12" fill="#f2efe6"/>')
    return "".join(out)


def _guides(bend: float) -> str:
    """Three zones of a path that narrows towards the horizon and bends with the wheel."""
    rows = ((690, 420, "#ff4a3a"), (560, 318, "#ffc83a"), (450, 232, "#4be38f"), (372, 172, "#4be38f"))
    out = []
    for (y1, w1, _), (y2, w2, colour), at in zip(rows, rows[1:], (0.1, 0.4, 0.8), strict=False):
        for side in (-1, 1):
            x1, x2 = 640 + side * w1 + bend * at, 640 + side * w2 + bend * (at + 0.4)
            out.append(
                f'<path d="M{x1} {y1} L{x2} {y2}" stroke="{colour}" stroke-width="8" stroke-linecap="round" opacity="0.9"/>'
            )
        x = bend * (at + 0.4)
        out.append(
            f'<path d="M{640 - w2 + x} {y2} h46 M{640 + w2 + x} {y2} h-46" stroke="{colour}" stroke-width="7" stroke-linecap="round" opacity="0.9"/>'
        )
    return "".join(out)
