# ruff: noqa: E501, PERF401  (drawings: path data reads worse when it is broken)
"""Cars coming and going on a ground plane in perspective."""

from __future__ import annotations

import math
from dataclasses import replace

from factory.samples import paints, scenery
from factory.samples.cars import glow
from factory.samples.faces import FacingCar
from factory.samples.ground import Eye, Ground, repeats
from factory.samples.motion import ease
from factory.samples.outline import linear, radial
from factory.samples.particles import Plume, Streaks, blob, puff
from factory.samples.roads import haze, highway, stand
from factory.samples.scene import Painter
from factory.samples.stage import HEIGHT, WIDTH, Canvas, Stage, gradient


def mountain_front(stage: Stage) -> Painter:
    """A mountain road at dusk: the SUV comes towards the camera with its lamps on, until it fills the picture."""
    eye = Eye(height=1.1, horizon=360, focal=900, bend=-0.0011)
    sky = gradient(stage, [(0, "#1d2b52"), (200, "#5b5a8c"), (320, "#d98a7a"), (362, "#ffcf9a"), (720, "#2b3040")])
    peaks = stage.draw(scenery.mountains(1500, 330, 320, 71, "#3a3f66", "#b07f86", peaks=5), 1500, 330)
    near = stage.draw(scenery.mountains(1500, 170, 150, 72, "#262b47", "#4e4560", peaks=8, name="n"), 1500, 170)
    ground = Ground.draw(
        stage,
        eye,
        highway(wide=50, long=24, road="#3b4050", side="#39402f", lanes=2, middle="#d9b45a", edge="#c9c6c0"),
        wide=50,
        long=24,
        dots=40,
    )
    air = haze(stage, 362, "#d99a86", depth=70, strength=0.7)
    tree = stage.draw(scenery.pine(110, 300, 290, "#1f2c38"), 220, 304, anchor=(110, 300))
    car = FacingCar.draw(stage, paints.dusk(paints.NORTHWIND, 0.3, "#1c1838"), 620, front=True)

    def paint(canvas: Canvas, t: float) -> None:
        canvas.lay(sky)
        canvas.put(peaks, -110, 52)
        canvas.put(near, -110, 206)
        ground.paint(canvas, 0)
        canvas.put(air, 0, 0)
        for n, z in repeats(0, 9, far=200, near=7):
            stand(canvas, eye, tree, 290, 7 + (n * 3) % 4, 8 + (n * 5) % 9, z)
            stand(canvas, eye, tree, 290, 8 + (n * 7) % 4, -8.5 - (n * 3) % 9, z + 3)
        z = 1 / (1 / 27 + (1 / 6.3 - 1 / 27) * min(1.0, t / 5.6))
        x, y, scale = eye.place(-1.6 + 1.5 * ease(t / 5.6), z)
        size = scale * 1.96 / 620
        canvas.glow(glow(stage, "#ffdf9e", 300), x, y + 30 * size, gain=0.35, stretch=2.4, scale=max(0.2, size))
        car.put(canvas, x, y, scale=size, roll=0.5 * math.sin(t * 4))
        car.light(canvas, x, y, scale=size, gain=0.8, radius=200)
        canvas.camera(1.04 + 0.04 * ease(t / 5.6), 640, 380)

    return paint


def tunnel_front(stage: Stage) -> Painter:
    """A tunnel, the camera rides in front of the coupe: light frames fly past and slide over its bonnet."""
    eye = Eye(height=0.95, horizon=330, focal=760)
    dark_sky = gradient(stage, [(0, "#0b0d14"), (330, "#191d29"), (720, "#0d0f15")])
    ground = Ground.draw(
        stage,
        eye,
        highway(wide=24, long=24, road="#2b3039", side="#20242c", lanes=2, dash="#c9ccd2", edge="#e0b34a"),
        wide=24,
        long=24,
        dots=40,
    )
    walls = stage.draw(_tunnel_walls(), WIDTH, HEIGHT)
    ring = stage.draw(_tunnel_ring(), 800, 500, anchor=(400, 400))
    end = glow(stage, "#ffe6bd", 150)
    car = FacingCar.draw(
        stage, replace(paints.KESTREL, lights=True, gloom=0.24, gloom_colour="#0c0e1a"), 560, front=True
    )
    gleam = stage.draw(
        '<ellipse cx="150" cy="14" rx="150" ry="14" fill="#fff4dc" opacity="0.5"/>', 300, 28, anchor=(150, 14)
    ).blurred(5 * stage.scale)

    def paint(canvas: Canvas, t: float) -> None:
        gone = -24 * t
        canvas.lay(dark_sky)
        ground.paint(canvas, gone)
        canvas.put(walls, 0, 0)
        canvas.glow(end, 640, 322, gain=0.9)
        for _, z in repeats(gone, 6, far=150, near=1.2):
            sx, sy, scale = eye.place(0, z)
            canvas.put(ring, sx, sy, scale=scale * 8.4 / 800, gain=min(1.0, (150 - z) / 60))
        x, y = 640 + 26 * math.sin(t * 0.7), 640 - 20 * ease(t / 5)
        canvas.glow(glow(stage, "#ffe3ad", 260), x, y + 46, gain=0.4, stretch=2.4)
        car.put(canvas, x, y, scale=0.94 + 0.08 * ease(t / 5), roll=0.4 * math.sin(t * 3))
        passing = (24 * t / 6) % 1
        canvas.glow(gleam, x, y - 186 + 90 * passing, gain=0.5 * math.sin(math.pi * passing), stretch=0.7 + passing)
        car.light(canvas, x, y, gain=0.75, radius=170)

    return paint


def _tunnel_walls() -> str:
    """The lining of the tunnel, drawn towards its far end."""
    sides = [
        ("#171b25", "M0 0 H1280 L660 318 H620Z"),
        ("#222836", "M0 0 L620 318 V332 L0 560Z"),
        ("#222836", "M1280 0 L660 318 V332 L1280 560Z"),
        ("#2f3747", "M0 330 L620 326 V330 L0 430Z"),
        ("#2f3747", "M1280 330 L660 326 V330 L1280 430Z"),
    ]
    joints = "".join(
        f'<path d="M{x} 0 L{640 + (x - 640) * 0.03:.0f} 318" stroke="#0d1018" stroke-width="3"/>'
        for x in range(-800, 2100, 220)
    )
    shade = radial(
        "tn", [(0, "#ffdca6", 0.35), (0.3, "#ffc98a", 0.08), (1, "#000000", 0.35)], centre=(0.5, 0.45), radius=0.6
    )
    return (
        "".join(f'<path d="{d}" fill="{c}"/>' for c, d in sides)
        + f'{joints}<defs>{shade}</defs><path d="M0 0 H1280 V560 L660 332 H620 L0 560Z" fill="url(#tn)"/>'
    )


def _tunnel_ring() -> str:
    return (
        '<path d="M0 400 V190 Q10 20 400 14 Q790 20 800 190 V400 H782 V196 Q770 42 400 34 Q30 42 18 196 V400Z" fill="#363d4b"/>'
        '<path d="M120 92 L300 62 L300 70 L124 102Z" fill="#fff0cd"/><path d="M680 92 L500 62 L500 70 L676 102Z" fill="#fff0cd"/>'
        '<rect x="10" y="300" width="10" height="36" fill="#e8b24a"/><rect x="780" y="300" width="10" height="36" fill="#e8b24a"/>'
    )


def highway_rear(stage: Stage) -> Painter:
    """Following the sedan along an evening motorway: guard rails, gantries, city glow ahead; it changes lane."""
    eye = Eye(height=1.7, horizon=318, focal=820, bend=0.0004)
    sky = gradient(stage, [(0, "#28356b"), (170, "#7a5f9c"), (280, "#f0937a"), (318, "#ffd9a3"), (720, "#39404f")])
    city = stage.draw(
        scenery.skyline(1500, 110, 81, "#5a4a78", windows="#ffe3b0", lit=0.45, fade="#c98a86", wide=(22, 54)), 1500, 110
    )
    ground = Ground.draw(
        stage,
        eye,
        highway(wide=60, long=24, road="#474c5c", side="#4d5546", lanes=3, edge="#e6dfd2", dash="#e6dfd2"),
        wide=60,
        long=24,
    )
    air = haze(stage, 318, "#ffc79a", depth=60, strength=0.75)
    post = stage.draw(scenery.lamp_posts(140, 560, 140, "#2a2f42", lit="#ffe6b0"), 140, 560, anchor=(70, 560))
    gantry = stage.draw(_gantry(), 900, 340, anchor=(450, 340))
    car = FacingCar.draw(stage, paints.dusk(paints.LUMEN, 0.3, "#2a2246"), 430, front=False)
    others = [FacingCar.draw(stage, paints.dusk(look, 0.4), 300, front=False) for look in paints.TRAFFIC[3:5]]

    def paint(canvas: Canvas, t: float) -> None:
        gone = 30 * t
        canvas.lay(sky)
        canvas.put(city, -110 - 3 * t, 214)
        ground.paint(canvas, gone)
        canvas.put(air, 0, 0)
        for n, z in repeats(gone, 30, far=250, near=3):
            for side, lamp in ((1, post.mirrored()), (-1, post)):
                stand(canvas, eye, lamp, 560, 9, 7.6 * side, z)
                sx, sy, scale = eye.place(6.8 * side, z)
                size = max(0.1, min(1.5, scale / 14))
                canvas.glow(glow(stage, "#ffd890", 60), sx, sy - 8.8 * scale, gain=0.6, scale=size)
            if n % 4 == 2:
                stand(canvas, eye, gantry, 340, 7.5, 0, z)
        for i, other in enumerate(others):
            x, y, scale = eye.place(3.6 if i else -3.6, 60 - 7 * t * (0.6 + 0.4 * i) + 20 * i)
            other.put(canvas, x, y, scale=scale * 1.85 / 300)
            other.light(canvas, x, y, scale=scale * 1.85 / 300, gain=0.5, colour="#ff2a1a", radius=60)
        lane = -3.4 * ease((t - 1.5) / 2.6)
        x, y, scale = eye.place(lane, 6.2 + 1.0 * ease(t / 6))
        size = scale * 1.88 / 430
        car.put(canvas, x, y, scale=size, roll=-0.9 * math.sin(math.pi * min(max((t - 1.5) / 2.6, 0), 1)))
        car.light(canvas, x, y, scale=size, gain=0.32, colour="#ff3322", radius=90)
        if 1.1 < t < 4.2 and (t * 1.7) % 1 < 0.5:
            lx, ly = car.lamps[0]
            canvas.glow(glow(stage, "#ffa52a", 60), x + (lx - 12) * car.zoom * size, y - ly * car.zoom * size, gain=0.9)
        canvas.camera(1.05, 640 + lane * 14, 360, roll=-0.5 * math.sin(math.pi * min(max((t - 1.5) / 2.6, 0), 1)))

    return paint


def _gantry() -> str:
    return (
        '<rect x="0" y="40" width="14" height="300" fill="#2c3248"/><rect x="886" y="40" width="14" height="300" fill="#2c3248"/><rect x="0" y="40" width="900" height="14" fill="#2c3248"/>'
        '<rect x="90" y="10" width="300" height="86" rx="6" fill="#1d6a52"/><rect x="98" y="18" width="284" height="70" rx="4" fill="none" stroke="#e8f4ee" stroke-width="3"/>'
        '<rect x="500" y="10" width="300" height="86" rx="6" fill="#1d5a8a"/><rect x="508" y="18" width="284" height="70" rx="4" fill="none" stroke="#e8f0f6" stroke-width="3"/>'
        '<path d="M130 70 V40 l-10 12 m10 -12 l10 12" stroke="#fff" stroke-width="6" fill="none"/><rect x="170" y="36" width="170" height="12" fill="#fff" opacity="0.9"/><rect x="170" y="60" width="110" height="10" fill="#fff" opacity="0.7"/>'
        '<path d="M540 70 V40 l-10 12 m10 -12 l10 12" stroke="#fff" stroke-width="6" fill="none"/><rect x="580" y="36" width="150" height="12" fill="#fff" opacity="0.9"/><rect x="580" y="60" width="90" height="10" fill="#fff" opacity="0.7"/>'
    )


def mud_front(stage: Stage) -> Painter:
    """The SUV climbs out of a muddy cutting towards the camera, throwing mud to both sides."""
    eye = Eye(height=1.0, horizon=300, focal=900)
    sky = gradient(stage, [(0, "#8fa3a3"), (300, "#d3d9cc"), (720, "#5a4630")])
    wood = stage.draw(scenery.row("pine", 1400, 300, 20, (170, 300), ["#5c7a62", "#4d6b56", "#6d8a70"], 91), 1400, 310)
    ground = Ground.draw(stage, eye, _mud_track(), wide=40, long=20, dots=60)
    banks = stage.draw(_banks("#5f6b3c", "#6b5436"), WIDTH, HEIGHT)
    air = haze(stage, 305, "#cdd4c8", depth=70, strength=0.8)
    car = FacingCar.draw(stage, replace(paints.NORTHWIND, lights=True, mud=0.9), 560, front=True)
    mud = tuple(blob(stage, c, r) for c, r in (("#5a4026", 9), ("#6d4f30", 6), ("#4b341e", 13)))
    throw = [
        Plume(mud, 44, 1.0, x, (-560, -180), gravity=980, grow=(0.5, 0.9), seed=s, spread=(14, 8))
        for s, x in ((3, (-360, -40)), (4, (40, 360)))
    ]
    spray = Plume((puff(stage, "#7a6244", 70, opacity=0.5),), 22, 0.9, (-60, 60), (-120, -30), grow=(0.4, 1.6), seed=8)

    def paint(canvas: Canvas, t: float) -> None:
        z = 1 / (1 / 15 + (1 / 5.3 - 1 / 15) * min(1.0, t / 5.6))
        x, y, scale = eye.place(0.5 * math.sin(t * 1.4), z)
        size = scale * 1.96 / 560
        canvas.lay(sky)
        canvas.put(wood, -60, 36)
        ground.paint(canvas, 0)
        canvas.put(air, 0, 0)
        canvas.put(banks, 0, 0)
        y -= 10 * size * math.sin(t * 6)
        spray.paint(canvas, t + 1, lambda _: (x, y - 10))
        car.put(canvas, x, y, scale=size, roll=2.2 * math.sin(t * 3.1))
        car.light(canvas, x, y, scale=size, gain=0.7, radius=150)
        for side, plume in zip((-1, 1), throw, strict=True):
            plume.paint(canvas, t + 1, lambda _, side=side: (x + side * 210 * size, y - 6 * size), floor=y + 40)  # type: ignore[misc]  # mypy cannot type a lambda with a default
        canvas.camera(1.06, 640, 380 + 3 * math.sin(t * 9), roll=0.5 * math.sin(t * 2.3))

    return paint


def _mud_track() -> str:
    out = ['<rect width="40" height="20" fill="#6b5032"/>']
    for i in range(220):
        out.append(
            f'<ellipse cx="{(i * 7.7) % 40:.1f}" cy="{(i * 3.1) % 20:.1f}" rx="{0.3 + (i % 5) * 0.25:.2f}" ry="{0.2 + (i % 3) * 0.2:.2f}" fill="{["#5a4128", "#7a5d3c", "#4d3722"][i % 3]}" opacity="0.6"/>'
        )
    for x in (19.05, 20.95):
        out.append(
            f'<rect x="{x - 0.42}" width="0.84" height="20" fill="#3d2b1a"/><rect x="{x - 0.3}" width="0.6" height="20" fill="#4a3520"/>'
        )
        out.extend(
            f'<ellipse cx="{x}" cy="{y}" rx="0.34" ry="0.9" fill="#93a5ab" opacity="0.75"/>' for y in (2.5, 9, 15.5)
        )
        out.extend(
            f'<rect x="{x - 0.4}" y="{y * 0.5}" width="0.8" height="0.14" fill="#33230f" opacity="0.6"/>'
            for y in range(40)
        )
    return "".join(out)


def _banks(grass: str, soil: str) -> str:
    return (
        f"<defs>{linear('bl', [(0, grass), (1, soil)])}</defs>"
        f'<path d="M0 240 Q160 262 300 322 Q380 356 430 380 Q300 420 190 520 Q90 620 60 720 H0Z" fill="url(#bl)"/>'
        f'<path d="M1280 228 Q1120 256 980 318 Q900 352 856 378 Q990 424 1100 520 Q1190 620 1215 720 H1280Z" fill="url(#bl)"/>'
    )


def snow_rear(stage: Stage) -> Painter:
    """Behind an SUV on a forest trail deep in snow: flakes fall, snow flies from its wheels, tail lamps glow red."""
    eye = Eye(height=1.6, horizon=320, focal=820, bend=-0.0016)
    sky = gradient(stage, [(0, "#8ea6bf"), (320, "#dfe8ef"), (720, "#eef3f7")])
    far = stage.draw(
        scenery.row("pine", 1400, 220, 30, (130, 220), ["#7f9aa8", "#8ba5b2"], 14, snow="#f2f7fb"), 1400, 230
    )
    ground = Ground.draw(stage, eye, _snow_track(), wide=40, long=20, dots=40)
    air = haze(stage, 322, "#e6eef4", depth=100, strength=0.9)
    trees = [
        stage.draw(scenery.pine(130, 340, 330, c, snow="#ffffff"), 260, 344, anchor=(130, 340))
        for c in ("#2f5148", "#3a5d50")
    ]
    car = FacingCar.draw(stage, replace(paints.TRAFFIC[1], paint="#2f5d50", lights=True), 420, front=False)
    powder = Plume((puff(stage, "#f4f8fc", 60, opacity=0.3),), 30, 0.9, (-70, 70), (-120, -10), grow=(0.3, 1.5), seed=6)
    flakes = [
        Streaks.snow(stage, count=190, radius=2.2, speed=90, drift=-30, opacity=0.8, seed=4),
        Streaks.snow(stage, count=70, radius=5, speed=170, drift=-60, opacity=0.75, seed=5),
    ]

    def paint(canvas: Canvas, t: float) -> None:
        gone = 9 * t
        canvas.lay(sky)
        canvas.put(far, -60 - 3 * t, 116)
        ground.paint(canvas, gone)
        canvas.put(air, 0, 0)
        for n, z in repeats(gone, 7, far=130, near=3):
            stand(canvas, eye, trees[n % 2], 330, 7 + (n * 5) % 5, 5.5 + (n * 7) % 8, z)
            stand(canvas, eye, trees[(n + 1) % 2], 330, 6.5 + (n * 3) % 5, -5.5 - (n * 5) % 9, z + 3)
        z = 9.5 + 1.4 * math.sin(t * 0.7)
        x, y, scale = eye.place(0.25 * math.sin(t * 1.6), z)
        size = scale * 1.96 / 420
        car.put(canvas, x, y, scale=size, roll=1.6 * math.sin(t * 2.2), shade=0.6)
        car.light(canvas, x, y, scale=size, gain=0.55, colour="#ff3a2a", radius=90)
        for side in (-1, 1):
            powder.paint(canvas, t + 1 + side * 0.01, lambda _, side=side: (x + side * 130 * size, y - 8))  # type: ignore[misc]  # mypy cannot type a lambda with a default
        for sheet in flakes:
            sheet.paint(canvas, t)
        canvas.camera(1.05, 640, 350 + 3 * math.sin(t * 5), roll=0.6 * math.sin(t * 1.7))

    return paint


def _snow_track() -> str:
    out = ['<rect width="40" height="20" fill="#eef3f8"/>']
    for i in range(120):
        out.append(
            f'<ellipse cx="{(i * 7.7) % 40:.1f}" cy="{(i * 3.1) % 20:.1f}" rx="{0.5 + (i % 5) * 0.3:.2f}" ry="{0.2 + (i % 3) * 0.15:.2f}" fill="{["#dfe8f1", "#ffffff"][i % 2]}" opacity="0.8"/>'
        )
    for x in (19.1, 20.9):
        out.append(
            f'<rect x="{x - 0.45}" width="0.9" height="20" fill="#c3d1df"/><rect x="{x - 0.3}" width="0.6" height="20" fill="#adbfd0"/>'
        )
        out.extend(f'<rect x="{x - 0.3}" y="{y * 0.4}" width="0.6" height="0.14" fill="#a0b3c6"/>' for y in range(50))
    return "".join(out)
