# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""Cars from the side on the move: coast, forest, boulevard, desert, bridge."""

from __future__ import annotations

import math

from factory.samples import paints, scenery
from factory.samples.cars import SideCar
from factory.samples.lettering import text
from factory.samples.motion import bob, ease
from factory.samples.outline import linear
from factory.samples.particles import Plume, puff
from factory.samples.scene import Painter
from factory.samples.stage import Canvas, Stage, gradient


def coast(stage: Stage) -> Painter:
    """A bright coast road: headlands, sea with glitter, a crash barrier, the SUV overtaking the camera a little."""
    sky = gradient(
        stage,
        [(0, "#3f93d6"), (200, "#8cc6ec"), (330, "#dcf0f6"), (331, "#2f8fb4"), (470, "#1f6f9c"), (720, "#174f78")],
    )
    sun = stage.draw(scenery.disc(40, "#fffdf0", "#fff3c4", reach=5), 400, 400, anchor=(200, 200))
    clouds = stage.band(scenery.clouds(2200, 170, 5, 4, "#ffffff"), 2200, 190)
    cape = stage.band(
        scenery.hills(2600, 130, 110, 7, "#7fa9b8", "#5c93ac", rough=5) + _light_house(1400, 40), 2600, 130
    )
    glitter = stage.band(_glitter(1600, 150), 1600, 150)
    shore = f'<g transform="translate(0 110)">{scenery.hills(3000, 120, 60, 21, "#6f9a58", "#4d7a4b", rough=9, name="c")}</g>'
    cliff = stage.band(shore + scenery.row("palm", 3000, 206, 11, (100, 170), ["#3f8250", "#4c9358"], 3), 3000, 230)
    road = stage.band(scenery.asphalt(1560, 170, colour="#5a6068"), 1560, 170, smear=22)
    verge = stage.band(scenery.grass(2000, 80, 6, "#6b9a4c"), 2000, 80, smear=34)
    rail = stage.band(scenery.rail(1600), 1600, 60, smear=10)
    car = SideCar.draw(stage, paints.NORTHWIND, 590)

    def paint(canvas: Canvas, t: float) -> None:
        go = 760 * t
        canvas.lay(sky)
        canvas.put(sun, 1010, 120)
        canvas.scroll(clouds, go * 0.012, 70)
        canvas.scroll(cape, go * 0.03, 206)
        canvas.scroll(glitter, go * 0.06 + 14 * t, 332)
        canvas.scroll(cliff, go * 0.16, 306)
        canvas.scroll(rail, go * 0.84, 462)
        canvas.scroll(road, go, 512)
        x = 560 + 90 * ease(t / 6)
        car.put(canvas, x, 612, travelled=go, bob=bob(t))
        canvas.scroll(verge, go * 1.25, 664)
        canvas.camera(1.0 + 0.05 * ease(t / 6), 640, 420)

    return paint


def _light_house(x: float, foot: float) -> str:
    return (
        f'<path d="M{x - 9} {foot} L{x - 5} {foot - 54} H{x + 5} L{x + 9} {foot}Z" fill="#f5f1ea"/><rect x="{x - 7}" y="{foot - 30}" width="14" height="10" fill="#c9463d"/>'
        f'<rect x="{x - 6}" y="{foot - 62}" width="12" height="9" fill="#c9463d"/>'
    )


def _glitter(width: float, height: float) -> str:
    out = []
    for i in range(260):
        share = (i * 0.618) % 1
        x, y, w = (i * 137.5) % (width - 90), height * share**1.4, 14 + 60 * share
        out.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{w:.0f}" height="{1.2 + 2.4 * share:.1f}" rx="1" fill="#dff3fb" opacity="{0.16 + 0.3 * ((i * 7) % 5) / 5:.2f}"/>'
        )
    return "".join(out)


def forest_tracking(stage: Stage) -> Painter:
    """Close to the SUV's flank among firs, light falling through the trunks: the car fills the picture and is cut by it."""
    sky = gradient(stage, [(0, "#c9dfae"), (250, "#e9efc4"), (480, "#a9c488"), (720, "#4d6a3e")])
    far = stage.band(scenery.row("pine", 1800, 330, 34, (200, 330), ["#8fb48a", "#9cbd92"], 2), 1800, 340, smear=6)
    mid = stage.band(scenery.row("pine", 2200, 470, 20, (330, 470), ["#4f8257", "#5a8c5a"], 9), 2200, 480, smear=16)
    trunks = stage.band(_trunks(720), 2400, 720, smear=46)
    road = stage.band(scenery.asphalt(1560, 190, colour="#53565a", dash="", lane=0.7), 1560, 190, smear=30)
    verge = stage.band(scenery.grass(1800, 70, 12, "#4d7a3a", tall=20), 1800, 70, smear=26)
    rays = stage.draw(_rays(), 1280, 720).blurred(14 * stage.scale)
    car = SideCar.draw(stage, paints.NORTHWIND, 980)

    def paint(canvas: Canvas, t: float) -> None:
        go = 1150 * t
        canvas.lay(sky)
        canvas.scroll(far, go * 0.1, 80)
        canvas.scroll(mid, go * 0.3, 20)
        canvas.scroll(verge, go * 0.75, 474)
        canvas.scroll(road, go, 536)
        canvas.glow(rays, 40 * math.sin(t * 0.5), 0, gain=0.5)
        car.put(canvas, 500 + 260 * ease(t / 5.5), 646, travelled=go, bob=bob(t, 0.7))
        canvas.glow(rays, 60 * math.sin(t * 0.5), 0, gain=0.14 + 0.06 * math.sin(t * 5))
        canvas.scroll(trunks, go * 1.7, 0, gain=0.9)

    return paint


def _trunks(height: float) -> str:
    return f"<defs>{linear('tk', [(0, '#1f2a1c'), (0.4, '#39452f'), (1, '#141b12')], down=False)}</defs>" + "".join(
        f'<rect x="{x}" y="0" width="{w}" height="{height}" fill="url(#tk)"/>'
        for x, w in ((240, 46), (1120, 70), (1760, 38))
    )


def _rays() -> str:
    return "".join(
        f'<path d="M{x} -20 L{x + w} -20 L{x + w - 330} 740 L{x - 420} 740Z" fill="#f8f3bf" opacity="{o}"/>'
        for x, w, o in ((520, 60, 0.35), (740, 110, 0.28), (1010, 50, 0.4), (1240, 120, 0.25), (1500, 90, 0.3))
    )


def boulevard(stage: Stage) -> Painter:
    """A wide avenue in the morning, glass towers and plane trees; the sedan glides right to left. A name plate comes in."""
    sky = gradient(stage, [(0, "#86b7df"), (260, "#cfe4f0"), (430, "#f4e9d8"), (720, "#c9c4b8")])
    towers = stage.band(
        scenery.skyline(2400, 380, 5, "#a9c0d3", windows="#d8e8f3", lit=0.75, fade="#d5dde2"), 2400, 380
    )
    near = stage.band(
        scenery.skyline(
            2600, 330, 15, "#7f9bb5", windows="#bcd6e8", lit=0.8, fade="#b7c4cf", tall=(0.3, 0.9), wide=(90, 180)
        ),
        2600,
        330,
    )
    trees = stage.band(
        scenery.row("leafy", 2400, 190, 9, (150, 195), ["#6d9d5d", "#7dab63", "#5f9160"], 4), 2400, 200, smear=10
    )
    kerb = stage.band(_kerb(1200), 1200, 60, smear=16)
    road = stage.band(scenery.asphalt(1560, 190, colour="#666b73", lane=0.28), 1560, 190, smear=24)
    posts = stage.band(scenery.lamp_posts(2600, 560, 1300, "#3d4650"), 2600, 560, smear=22)
    car = SideCar.draw(stage, paints.LUMEN, 640)
    plate = stage.draw(_name_plate("流明 S", "LUMEN S", "#2fb7a3"), 330, 110)

    def paint(canvas: Canvas, t: float) -> None:
        go = -620 * t
        canvas.lay(sky)
        canvas.scroll(towers, go * 0.05, 60)
        canvas.scroll(near, go * 0.13, 140)
        canvas.scroll(trees, go * 0.42, 290)
        canvas.scroll(kerb, go * 0.85, 476)
        canvas.scroll(road, go, 530)
        car.put(canvas, 690 - 70 * ease(t / 6), 626, travelled=-go, bob=bob(t, 0.5), flip=True)
        canvas.scroll(posts, go * 1.5, 130)
        slide = ease((t - 0.6) / 0.5)
        canvas.put(plate, 72 - 60 * (1 - slide), 70, gain=slide)

    return paint


def _kerb(width: float) -> str:
    stones = "".join(
        f'<rect x="{x}" y="30" width="58" height="26" fill="{c}"/>'
        for x, c in zip(range(0, int(width), 60), ["#c9c6be", "#bdbab2"] * 30, strict=False)
    )
    return (
        f'<rect width="{width}" height="60" fill="#b4b1a9"/><rect width="{width}" height="8" fill="#86a463"/>{stones}'
    )


def _name_plate(chinese: str, english: str, accent: str) -> str:
    return (
        f'<rect width="330" height="104" rx="6" fill="#0e141d" opacity="0.78"/><rect width="8" height="104" fill="{accent}"/>'
        + text(chinese, 30, 52, 40)
        + text(english, 31, 86, 24, "#b9c6d4")
    )


def desert_sunset(stage: Stage) -> Painter:
    """A wide shot: a small red coupe crosses a red desert under a huge sun, its shadow long before it."""
    sky = gradient(
        stage,
        [(0, "#3a2a63"), (180, "#a8456b"), (340, "#f08a4b"), (470, "#ffd58a"), (520, "#c8743f"), (720, "#7d3a24")],
    )
    sun = stage.draw(scenery.disc(120, "#ffe9b0", "#ffb35c", reach=3.2), 768, 768, anchor=(384, 384))
    mesas = stage.band(_mesas(2600, 190, "#8a3d4a", "#b45a45"), 2600, 190)
    mesas_near = stage.band(_mesas(3400, 130, "#5e2636", "#7e3a33"), 3400, 130)
    plain = stage.band(scenery.hills(2200, 200, 40, 31, "#a8542f", "#6e2f1f", rough=4), 2200, 200)
    road = stage.band(scenery.asphalt(1560, 44, colour="#4a2f36", dash="#ffd9a0", edge="#e8b48a"), 1560, 44, smear=8)
    front = stage.band(_scrub(2400, 150), 2400, 150, smear=14)
    car = SideCar.draw(stage, paints.dusk(paints.KESTREL, 0.38, "#3a1428"), 300)
    dust = Plume((puff(stage, "#ffb980", 40, opacity=0.35),), 22, 1.9, (-40, 30), (-26, -6), grow=(0.25, 1.5), seed=4)

    def paint(canvas: Canvas, t: float) -> None:
        go = 420 * t
        x = 330 + 96 * t
        canvas.lay(sky)
        canvas.put(sun, 860, 400)
        canvas.scroll(mesas, go * 0.03, 330)
        canvas.scroll(mesas_near, go * 0.07, 412)
        canvas.scroll(plain, go * 0.35, 448)
        canvas.scroll(road, go, 566)
        dust.paint(canvas, t + 2, lambda born: (330 + 96 * (born - 2) - 130, 592), wind=-320)
        car.put(canvas, x, 594, travelled=go, bob=bob(t, 0.6))
        car.light(canvas, x, 594, gain=0.5, brake=0.25)
        canvas.scroll(front, go * 1.9, 588)

    return paint


def _mesas(width: float, height: float, rock: str, foot: str) -> str:
    out = [f"<defs>{linear('me', [(0, rock), (1, foot)])}</defs>"]
    for i in range(7):
        x, w, h = (
            width * (i + 0.1 + 0.4 * ((i * 37) % 10) / 10) / 7,
            120 + (i * 53) % 130,
            height * (0.45 + ((i * 29) % 10) / 20),
        )
        top = height - h
        out.append(
            f'<path d="M{x - 46} {height} L{x - 12} {top + h * 0.4} L{x} {top} L{x + w * 0.4} {top + 5} L{x + w} {top - 3} L{x + w + 10} {top + h * 0.45} L{x + w + 60} {height}Z" fill="url(#me)"/>'
        )
        out.append(
            f'<path d="M{x + w * 0.6} {height} L{x + w * 0.66} {top + 3} L{x + w} {top - 3} L{x + w + 10} {top + h * 0.45} L{x + w + 60} {height}Z" fill="#2a0f22" opacity="0.22"/>'
        )
    return "".join(out)


def _scrub(width: float, height: float) -> str:
    out = [f'<path d="M0 {height} V70 Q{width * 0.25} 50 {width * 0.5} 72 T{width} 70 V{height}Z" fill="#3d1a1c"/>']
    for i in range(16):
        x, s = width * (i + 0.5 * ((i * 7) % 10) / 10) / 16, 0.6 + ((i * 13) % 10) / 12
        out.append(
            "".join(
                f'<path d="M{x} 78 q{a * s} {-20 * s} {a * 1.6 * s} {-44 * s + abs(a)}" stroke="#2b1015" stroke-width="4" fill="none"/>'
                for a in (-24, -12, 0, 12, 24)
            )
        )
    return "".join(out)


def bridge(stage: Stage) -> Painter:
    """A cable bridge at dusk seen from beside it: stays and lamps pass in front of the coupe, a city glows behind the bay."""
    sky = gradient(
        stage,
        [
            (0, "#1c2350"),
            (220, "#5a3f7d"),
            (360, "#d5677a"),
            (430, "#ffb37a"),
            (431, "#6b4a78"),
            (560, "#2a2852"),
            (720, "#141632"),
        ],
    )
    city = stage.band(
        scenery.skyline(2200, 150, 25, "#4a3565", windows="#ffd9a0", lit=0.35, fade="#8a4f72", wide=(30, 70)), 2200, 150
    )
    shine = stage.band(_shimmer(1600, 130), 1600, 130)
    deck = stage.band(_deck(1600), 1600, 250, smear=12)
    stays = stage.band(_stays(), 3000, 720, smear=12)
    car = SideCar.draw(stage, paints.dusk(paints.KESTREL, 0.3, "#2a1a46"), 520)

    def paint(canvas: Canvas, t: float) -> None:
        go = 900 * t
        canvas.lay(sky)
        canvas.scroll(city, go * 0.02, 282)
        canvas.scroll(shine, go * 0.03 + t * 8, 432)
        canvas.scroll(deck, go, 470)
        x = 760 - 120 * ease(t / 5.5)
        car.put(canvas, x, 566, travelled=go, bob=bob(t, 0.6))
        car.light(canvas, x, 566, gain=0.75, brake=0.3)
        canvas.scroll(stays, go * 1.25, 0)
        canvas.camera(1.08 - 0.08 * ease(t / 5.5), 700, 470, roll=-1.2)

    return paint


def _shimmer(width: float, height: float) -> str:
    return "".join(
        f'<rect x="{(i * 211) % (width - 60)}" y="{(i * 0.618 % 1) ** 1.3 * height:.0f}" width="{10 + (i * 17) % 46}" height="2" fill="{"#ffb98a" if i % 3 else "#ff8f8f"}" opacity="{0.15 + (i % 4) * 0.1}"/>'
        for i in range(150)
    )


def _deck(width: float) -> str:
    rails = "".join(f'<rect x="{x}" y="12" width="3.5" height="46" fill="#1a1836"/>' for x in range(0, int(width), 40))
    lamps = "".join(f'<circle cx="{x}" cy="16" r="5" fill="#ffe2a8"/>' for x in range(100, int(width), 400))
    return (
        f'{rails}<rect y="10" width="{width}" height="5" fill="#2c2950"/><rect y="34" width="{width}" height="3" fill="#2c2950"/>{lamps}'
        f'<rect y="56" width="{width}" height="66" fill="#3a3554"/><rect y="58" width="{width}" height="3" fill="#ffc59a" opacity="0.5"/>'
        + "".join(
            f'<rect x="{x}" y="98" width="120" height="5" fill="#d9c6c8" opacity="0.8"/>'
            for x in range(0, int(width), 320)
        )
        + f'<rect y="122" width="{width}" height="30" fill="#25224a"/><rect y="122" width="{width}" height="4" fill="#544b7a"/>'
        + "".join(f'<path d="M{x} 152 h160 l-24 40 h-112Z" fill="#1a1838"/>' for x in range(0, int(width), 200))
    )


def _stays() -> str:
    out = []
    for x in (500, 2000):
        out.append(
            f'<path d="M{x - 26} 0 L{x + 26} 0 L{x + 38} 720 L{x - 38} 720Z" fill="#17163a"/><path d="M{x + 8} 0 L{x + 26} 0 L{x + 38} 720 L{x + 12} 720Z" fill="#0f0e2a"/>'
        )
        out.extend(
            f'<path d="M{x} {-260 + k * 40} L{x + s * (220 + k * 90)} 640" stroke="#2b2854" stroke-width="6"/>'
            for k in range(6)
            for s in (-1, 1)
        )
    return "".join(out)
