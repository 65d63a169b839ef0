# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""Accidents, shown plainly: what a fixed camera or a passer-by would see, and nobody hurt."""

from __future__ import annotations

import math
from dataclasses import replace

from factory.samples import paints, scenery
from factory.samples.above import HighCar
from factory.samples.cars import SideCar, glow
from factory.samples.high_camera import Clock, along, asphalt_svg, hazards, tree_top, zebra
from factory.samples.lettering import text
from factory.samples.motion import ease
from factory.samples.outline import linear
from factory.samples.paint import dark, light
from factory.samples.particles import Plume, Streaks, puff
from factory.samples.scene import Painter
from factory.samples.stage import HEIGHT, WIDTH, Canvas, Stage, gradient


def junction_bump(stage: Stage) -> Painter:
    """A fixed camera over a signal-controlled junction: a hatchback does not stop in time and touches the car before it."""
    ground = stage.draw(_junction(), WIDTH, HEIGHT)
    top = tree_top(stage, 46, "#5f8f55")
    first = HighCar.draw(stage, paints.TRAFFIC[0], 178, tilt=52)
    second = HighCar.draw(stage, paints.PICO, 142, tilt=52)
    other = HighCar.draw(stage, paints.TRAFFIC[5], 176, tilt=52)
    cross = HighCar.draw(stage, paints.TRAFFIC[2], 150, tilt=52)
    clock = Clock(stage, "路口监控 03  JUNCTION CAM", "2026-09-14", 8 * 3600 + 1326)
    glass = Plume(
        (puff(stage, "#cfd6dc", 16, opacity=0.7),), 80, 0.8, (-70, 90), (-60, 20), gravity=60, grow=(0.3, 1.3), seed=4
    )
    lead = along(
        [(-40, 452), (420, 452), (562, 452), (562, 452), (604, 452), (604, 452)], [-0.4, 0.7, 1.7, 2.55, 3.0, 8]
    )
    chase = along([(-420, 452), (80, 452), (398, 452), (424, 452), (424, 452)], [-0.4, 1.2, 2.55, 2.95, 8])
    crossing = along([(790, -120), (790, 860)], [0.2, 3.0])

    def paint(canvas: Canvas, t: float) -> None:
        canvas.put(ground, 0, 0)
        x, y = crossing(t)
        cross.put(canvas, x, y, 90)
        passing = -260 + 250 * t
        other.put(canvas, 1330 - passing, 318, 180)
        x1, y1 = lead(t)
        x2, y2 = chase(t)
        jolt = 2.2 * math.exp(-(t - 2.55) * 3) if t > 2.55 else 0
        first.put(canvas, x1, y1, jolt)
        if t > 2.0:
            canvas.glow(glow(stage, "#ff2a1a", 34), x2 - 62, y2 - 20, gain=0.5)
        canvas.glow(glow(stage, "#ff2a1a", 34), x1 - 84, y1 - 34, gain=0.8 if t > 1 else 0.2)
        second.put(canvas, x2, y2, -jolt * 2)
        glass.paint(canvas, t, lambda _: (500, 448), when=lambda born: 1.0 if 2.55 < born < 2.72 else 0.0)
        if t > 3.4:
            hazards(canvas, x1, y1, 178, 0, t)
            hazards(canvas, x2, y2, 142, 0, t)
        for tx, ty in ((80, 120), (210, 96), (1110, 116), (1220, 150), (90, 640), (1190, 640)):
            canvas.put(top, tx, ty)
        clock.put(canvas, t)

    return paint


def _junction() -> str:
    out = [
        '<rect width="1280" height="720" fill="#a9b48f"/>',
        '<rect y="216" width="1280" height="320" fill="#b9b4aa"/><rect x="636" width="300" height="720" fill="#b9b4aa"/>',
    ]
    out.append(
        f'<g><rect y="246" width="1280" height="262" fill="#61666d"/><rect x="664" width="244" height="720" fill="#61666d"/></g><svg x="0" y="246" width="1280" height="262">{asphalt_svg(1280, 262, "#61666d")}</svg>'
    )
    out.append(
        '<rect x="0" y="374" width="600" height="4" fill="#f0c94a"/><rect x="0" y="381" width="600" height="4" fill="#f0c94a"/><rect x="972" y="374" width="308" height="4" fill="#f0c94a"/><rect x="972" y="381" width="308" height="4" fill="#f0c94a"/>'
    )
    out.append(
        '<rect x="784" y="0" width="4" height="200" fill="#f0c94a"/><rect x="784" y="560" width="4" height="160" fill="#f0c94a"/>'
    )
    out.append(
        zebra(604, 256, 40, 244, across=False)
        + zebra(928, 256, 40, 244, across=False)
        + zebra(674, 204, 226, 34, across=True)
        + zebra(674, 516, 226, 34, across=True)
    )
    out.append(
        '<rect x="590" y="388" width="9" height="116" fill="#f2f0e8"/><rect x="972" y="250" width="9" height="120" fill="#f2f0e8"/>'
    )
    out.append(
        '<path d="M300 452 h70 m-22 -12 l22 12 l-22 12" stroke="#f2f0e8" stroke-width="7" fill="none" opacity="0.75"/>'
    )
    for x, y, c in (
        (30, 20, "#c4a98d"),
        (330, 8, "#b9c3cc"),
        (980, 10, "#cfb79a"),
        (300, 590, "#b7a9a0"),
        (960, 600, "#a9b7c0"),
    ):
        out.append(
            f'<rect x="{x + 10}" y="{y + 14}" width="240" height="150" fill="#05070c" opacity="0.25"/><rect x="{x}" y="{y}" width="240" height="150" fill="{c}"/><rect x="{x + 12}" y="{y + 12}" width="216" height="126" fill="{dark(c, 0.12)}"/><rect x="{x + 40}" y="{y + 36}" width="60" height="40" fill="{light(c, 0.25)}"/>'
        )
    return "".join(out)


def crossroads_impact(stage: Stage) -> Painter:
    """Seen straight from above at dusk: one car enters the crossing late and is met on its flank; both slide and stop."""
    ground = stage.draw(_crossroads(), WIDTH, HEIGHT)
    struck = HighCar.draw(stage, replace(paints.TRAFFIC[5], lights=True, gloom=0.2), 190, tilt=78)
    striker = HighCar.draw(stage, replace(paints.TRAFFIC[4], lights=True, gloom=0.2), 186, tilt=78)
    waiting = HighCar.draw(stage, replace(paints.TRAFFIC[2], lights=True, gloom=0.2), 150, tilt=78)
    cone = stage.draw(
        f"<defs>{linear('cn', [(0, '#fff0c4', 0.55), (1, '#fff0c4', 0)], down=False)}</defs>"
        '<path d="M0 46 L250 0 V110 L0 64Z" fill="url(#cn)"/>',
        250,
        110,
        anchor=(0, 55),
    ).blurred(6 * stage.scale)
    smoke = Plume((puff(stage, "#c9ccd2", 46, opacity=0.5),), 26, 1.8, (-24, 24), (-30, 10), grow=(0.3, 1.7), seed=5)
    bits = Plume(
        (puff(stage, "#dfe6ec", 7, opacity=0.9),), 160, 1.6, (-190, 190), (-190, 190), grow=(0.4, 0.7), seed=6, drag=3
    )
    skid = stage.draw(
        '<path d="M0 0 h190 v7 h-190Z M0 54 h190 v7 h-190Z" fill="#15171b" opacity="0.55"/>', 190, 62, anchor=(190, 31)
    )
    a = along([(-260, 400), (560, 400), (612, 352), (700, 250), (724, 226), (724, 226)], [-0.6, 2.0, 2.2, 2.9, 3.6, 9])
    b = along([(700, 980), (672, 470), (660, 372), (706, 230), (760, 150), (760, 150)], [-0.6, 1.85, 2.06, 2.8, 3.6, 9])

    def paint(canvas: Canvas, t: float) -> None:
        canvas.put(ground, 0, 0)
        after = max(0.0, t - 2.02)
        turn_a = -34 * ease(after / 1.3)
        turn_b = -90 + 30 * ease(after / 1.4)
        ax, ay = (a(t)[0], 420.0) if t < 2.02 else (a(2.02)[0] + 120 * ease(after / 1.4), 420 - 118 * ease(after / 1.4))
        bx, by = (
            (712.0, b(t)[1] + 60)
            if t < 2.02
            else (712 + 72 * ease(after / 1.5), b(2.02)[1] + 60 - 128 * ease(after / 1.5))
        )
        if t > 1.6:
            canvas.put(skid, bx - 4, by + 60, angle=-90 + 2 * after, gain=min(1.0, (t - 1.6) * 2))
        waiting.put(canvas, 1080, 290, 180)
        canvas.glow(cone, 1006, 290, angle=180, gain=0.5)
        for x, y, angle in ((ax, ay, turn_a), (bx, by, turn_b)):
            r = math.radians(angle)
            canvas.glow(cone, x + math.cos(r) * 84, y + math.sin(r) * 84, angle=angle, gain=0.75)
        struck.put(canvas, ax, ay, turn_a, sun=(0.3, -0.2))
        striker.put(canvas, bx, by, turn_b, sun=(0.3, -0.2))
        bits.paint(canvas, t, lambda _: (690, 400), when=lambda born: 1.0 if 2.02 < born < 2.16 else 0.0)
        smoke.paint(canvas, t, lambda _: (724, 300), when=lambda born: 0.8 if 2.1 < born < 4.6 else 0.0)
        if t > 3.4:
            hazards(canvas, ax, ay, 190, turn_a, t, squash=1, height=8)
            hazards(canvas, bx, by, 186, turn_b, t, squash=1, height=8)
        canvas.camera(1.04 + 0.14 * ease((t - 1.6) / 3.5), 690, 350)

    return paint


def _crossroads() -> str:
    out = ['<rect width="1280" height="720" fill="#3e4a45"/>']
    for x, y, w, h in ((-10, -10, 540, 210), (900, -10, 400, 210), (-10, 500, 540, 240), (900, 500, 400, 240)):
        out.append(
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="34" fill="#6d6f73"/><rect x="{x}" y="{y}" width="{w - 22 if x < 0 else w}" height="{h - 22 if y < 0 else h}" rx="26" fill="#46564a" transform="translate({22 if x > 0 else 0} {22 if y > 0 else 0})"/>'
        )
    out.insert(1, f'<svg width="1280" height="720">{asphalt_svg(1280, 720, "#3f444d")}</svg>')
    out.append(
        '<g fill="#d9b04a"><rect x="0" y="346" width="500" height="4"/><rect x="0" y="354" width="500" height="4"/><rect x="930" y="346" width="350" height="4"/><rect x="930" y="354" width="350" height="4"/><rect x="712" y="0" width="0" height="0"/></g>'
    )
    out.append(
        '<g fill="#c9c8c2">'
        + "".join(
            f'<rect x="642" y="{y}" width="5" height="40"/><rect x="780" y="{y}" width="5" height="40"/>'
            for y in (-10, 70, 560, 640)
        )
        + '<rect x="712" y="0" width="6" height="196"/><rect x="712" y="520" width="6" height="200"/></g>'
    )
    out.append(
        zebra(508, 214, 34, 270, across=False).replace("#eceae2", "#b9b9b4")
        + zebra(892, 214, 34, 270, across=False).replace("#eceae2", "#b9b9b4")
    )
    out.append(
        zebra(548, 178, 336, 30, across=True).replace("#eceae2", "#b9b9b4")
        + zebra(548, 500, 336, 30, across=True).replace("#eceae2", "#b9b9b4")
    )
    for x, y in ((540, 190), (898, 190), (540, 512), (898, 512)):
        out.append(
            f'<circle cx="{x}" cy="{y}" r="130" fill="#ffcf8a" opacity="0.09"/><circle cx="{x}" cy="{y}" r="70" fill="#ffdca6" opacity="0.12"/><circle cx="{x}" cy="{y}" r="6" fill="#fff0cf"/>'
        )
    return "".join(out)


def car_park_bump(stage: Stage) -> Painter:
    """A car-park camera: an SUV backs out of its bay and touches a wagon that was passing behind."""
    ground = stage.draw(_car_park(), WIDTH, HEIGHT)
    parked = [
        (HighCar.draw(stage, look, 172 if look.body != "hatchback" else 142, tilt=62), x, y, h)
        for look, x, y, h in (
            (paints.TRAFFIC[0], 210, 214, 90),
            (paints.TRAFFIC[2], 362, 214, -90),
            (paints.TRAFFIC[4], 818, 214, 90),
            (paints.TRAFFIC[3], 970, 214, -90),
            (paints.TRAFFIC[5], 286, 640, -90),
            (paints.PICO, 514, 640, 90),
            (paints.TRAFFIC[1], 894, 640, -90),
            (paints.TRAFFIC[4], 1122, 640, -90),
        )
    ]
    backing = HighCar.draw(stage, paints.TRAFFIC[1], 176, tilt=62)
    passing = HighCar.draw(stage, paints.VOYAGE, 176, tilt=62)
    clock = Clock(stage, "停车场 B2  CAR PARK B2", "2026-10-03", 17 * 3600 + 2544)
    out_route = along([(666, 210), (666, 214), (664, 288), (661, 316), (661, 316)], [-1, 0.6, 2.2, 2.75, 9])
    pass_route = along([(-200, 448), (360, 448), (596, 446), (612, 448), (612, 448)], [-1, 1.3, 2.75, 3.0, 9])

    bays = stage.canvas()
    bays.put(ground, 0, 0)
    for car, px, py, h in parked:
        car.put(bays, px, py, h)
    full = bays.kept()

    def paint(canvas: Canvas, t: float) -> None:
        canvas.lay(full)
        x, y = out_route(t)
        backing.put(canvas, x, y, -90 - 8 * ease((t - 1) / 1.8))
        canvas.glow(glow(stage, "#ffffff", 40), x - 22, y + 76, gain=0.75 if 0.5 < t < 2.9 else 0)
        canvas.glow(glow(stage, "#ffffff", 40), x + 26, y + 76, gain=0.75 if 0.5 < t < 2.9 else 0)
        u, v = pass_route(t)
        shake = 1.6 * math.exp(-(t - 2.75) * 4) * math.sin((t - 2.75) * 30) if t > 2.75 else 0
        passing.put(canvas, u, v + shake, shake)
        canvas.glow(glow(stage, "#ff2a1a", 40), u - 86, v - 14, gain=0.8 if t > 2.3 else 0.1)
        if t > 3.3:
            hazards(canvas, x, y, 176, -98, t, squash=0.88)
            hazards(canvas, u, v, 176, 0, t, squash=0.88)
        clock.put(canvas, t)

    return paint


def _car_park() -> str:
    out = [asphalt_svg(1280, 720, "#71767c")]
    for i in range(9):
        x = 134 + i * 152 - 76
        out.append(
            f'<rect x="{x}" y="96" width="5" height="214" fill="#eceae2"/><rect x="{x}" y="540" width="5" height="190" fill="#eceae2"/>'
        )
    out.append(
        '<rect y="0" width="1280" height="60" fill="#8a9a6c"/><rect y="60" width="1280" height="12" fill="#c3beb4"/>'
    )
    out.append(
        '<path d="M150 430 h90 m-28 -14 l28 14 l-28 14 M980 430 h90 m-28 -14 l28 14 l-28 14" stroke="#f0eee6" stroke-width="8" fill="none" opacity="0.7"/>'
    )
    for i, x in enumerate(range(134, 1280, 152)):
        out.append(text(f"B{i + 1:02d}", x, 296, 22, "#eceae2", align="middle", extra='opacity="0.7"'))
    return "".join(out)


def rain_skid(stage: Stage) -> Painter:
    """A motorway camera in the rain: a car loses grip, turns and comes to rest along the barrier; a triangle is set out."""
    ground = stage.draw(_wet_motorway(), WIDTH, HEIGHT)
    car = HighCar.draw(
        stage, replace(paints.TRAFFIC[4], paint="#7d8a97", lights=True, gloom=0.2, gloom_colour="#39424c"), 196, tilt=40
    )
    other = HighCar.draw(
        stage, replace(paints.TRAFFIC[3], lights=True, gloom=0.25, gloom_colour="#39424c"), 176, tilt=40
    )
    rail = stage.band(scenery.rail(1600, metal="#a3adb5"), 1600, 60)
    sheets = [
        Streaks.rain(stage, count=280, length=40, slant=-0.2, speed=1500, opacity=0.4, seed=21),
        Streaks.rain(stage, count=120, length=70, slant=-0.22, speed=2300, opacity=0.32, seed=22),
    ]
    spray = Plume((puff(stage, "#d5dde2", 50, opacity=0.45),), 44, 0.9, (-90, 40), (-50, -6), grow=(0.3, 1.5), seed=9)
    triangle = stage.draw(
        '<path d="M30 4 L58 54 H2Z" fill="#e8322a"/><path d="M30 20 L46 48 H14Z" fill="#f4f1ea"/>',
        60,
        58,
        anchor=(30, 54),
    )
    clock = Clock(stage, "高速 K128 雨  MOTORWAY K128 RAIN", "2026-07-21", 15 * 3600 + 502)
    route = along(
        [(-300, 470), (260, 462), (560, 400), (760, 306), (930, 288), (990, 287), (990, 287)],
        [-0.6, 1.0, 1.8, 2.5, 3.2, 3.7, 9],
    )
    spin = along(
        [(0, 0), (0, 0), (-34, 0), (-70, 0), (-172, 0), (-183, 0), (-183, 0)], [-0.6, 1.0, 1.8, 2.5, 3.2, 3.7, 9]
    )

    def paint(canvas: Canvas, t: float) -> None:
        canvas.put(ground, 0, 0)
        canvas.scroll(rail, 0, 196)
        x, y = route(t)
        angle = spin(t)[0]
        moving = 1.0 if t < 3.4 else 0.0
        spray.paint(
            canvas,
            t + 0.6,
            lambda born: (route(born - 0.6)[0] - 60, route(born - 0.6)[1] - 8),
            when=lambda born: 1.0 if born < 4.0 else 0,
        )
        ox = -700 + 250 * t
        late = 650 + 70 * ease((t - 3) / 2)
        car.put(canvas, x, y, angle, sun=(0.05, 0.0))
        if moving == 0:
            hazards(canvas, x, y, 196, angle, t, squash=0.64, height=52)
            canvas.put(triangle, 620, 330, scale=0.72, gain=min(1.0, max(0.0, (t - 4.4) * 3)))
        other.put(canvas, min(ox, late - 160), 598, 0, sun=(0.05, 0.0))
        canvas.glow(glow(stage, "#ff2a1a", 60), min(ox, late - 160) - 88, 556, gain=0.8 if t > 2 else 0.3)
        for sheet in sheets:
            sheet.paint(canvas, t)
        clock.put(canvas, t)

    return paint


def _wet_motorway() -> str:
    out = [
        f"<defs>{linear('wg', [(0, '#7f8f86'), (1, '#5b6b5c')])}{linear('wr', [(0, '#76818a'), (0.5, '#5d676f'), (1, '#4a5359')])}</defs>",
        '<rect width="1280" height="260" fill="url(#wg)"/>',
    ]
    out.append(scenery.row("pine", 1280, 190, 22, (110, 190), ["#4d655c", "#5a7267", "#42594f"], 23))
    out.append('<rect y="236" width="1280" height="490" fill="url(#wr)"/>')
    out.append(
        '<rect y="262" width="1280" height="7" fill="#e3e6e6"/><rect y="668" width="1280" height="8" fill="#e3e6e6"/>'
    )
    out.extend(
        f'<rect x="{x}" y="{y}" width="120" height="{h}" fill="#e3e6e6" opacity="0.9"/>'
        for y, h in ((380, 6), (516, 7))
        for x in range(20, 1280, 300)
    )
    out.extend(
        f'<ellipse cx="{(i * 239) % 1280}" cy="{290 + (i * 0.618 % 1) * 400:.0f}" rx="{60 + i % 7 * 18}" ry="{4 + i % 4}" fill="#c3d0d8" opacity="0.16"/>'
        for i in range(46)
    )
    return "".join(out)


def roadside(stage: Stage) -> Painter:
    """After a collision, at dusk on a country road: two cars at rest with hazard lights, a triangle in the foreground. Quiet."""
    sky = gradient(stage, [(0, "#2b3b63"), (220, "#7a6b95"), (370, "#e8a58a"), (430, "#f3c9a0"), (720, "#3d4438")])
    hills = stage.draw(scenery.hills(1500, 160, 110, 88, "#4a5270", "#6b6478", rough=5), 1500, 160)
    trees = stage.draw(scenery.row("poplar", 1500, 200, 14, (110, 195), ["#2f4045", "#38494a"], 89), 1500, 210)
    road = stage.draw(scenery.asphalt(1400, 200, colour="#434853", lane=0.42), 1400, 200)
    verge = stage.draw(scenery.grass(1400, 110, 90, "#39452f", blades=420, tall=26), 1400, 110)
    first = SideCar.draw(stage, paints.dusk(paints.TRAFFIC[3], 0.36), 400)
    second = SideCar.draw(stage, paints.dusk(replace(paints.TRAFFIC[2], mud=0.0), 0.36), 330)
    triangle = stage.draw(
        '<path d="M130 14 L244 212 H16Z" fill="#e8372c" stroke="#e8372c" stroke-width="20" stroke-linejoin="round"/><path d="M130 84 L188 184 H72Z" fill="#2a2f30"/><path d="M130 84 L188 184 H72Z" fill="#8d8f8a" opacity="0.35"/>'
        '<path d="M60 226 h140" stroke="#16181b" stroke-width="9"/>',
        260,
        236,
        anchor=(130, 232),
    )

    def paint(canvas: Canvas, t: float) -> None:
        push = ease(t / 6)
        canvas.lay(sky)
        canvas.put(hills, -80 - 10 * push, 290)
        canvas.put(trees, -80 - 22 * push, 262)
        canvas.put(road, -60 - 40 * push, 448)
        first.put(canvas, 900 - 44 * push, 560)
        second.put(canvas, 556 - 44 * push, 566, pitch=-1.0)
        if (t * 1.4) % 1 < 0.5:
            for x, y in ((722, 470), (1080, 486), (700, 498), (404, 480)):
                canvas.glow(glow(stage, "#ff9a1f", 80), x - 44 * push, y, gain=0.85)
        canvas.put(verge, -60 - 70 * push, 632)
        canvas.put(triangle, 250 - 84 * push, 690, scale=0.92)
        canvas.glow(glow(stage, "#ff5a3a", 150), 250 - 84 * push, 580, gain=0.12 + 0.1 * ((t * 1.4) % 1 < 0.5))
        canvas.camera(1.02 + 0.06 * push, 560, 430)

    return paint
