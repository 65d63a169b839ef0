# ruff: noqa: E501, PERF401  (drawings: path data reads worse when it is broken)
"""Inside the cars: dashboards, seats, steering wheels, screens."""

from __future__ import annotations

import math

from factory.samples import scenery
from factory.samples.cars import glow
from factory.samples.lettering import text
from factory.samples.motion import ease
from factory.samples.outline import linear, radial
from factory.samples.paint import dark, light
from factory.samples.scene import Painter
from factory.samples.stage import HEIGHT, WIDTH, Canvas, Sprite, Stage, gradient


def steering_wheel(radius: float, accent: str, rim: str = "#1b1f26") -> str:
    """A three-spoke wheel, flat below, in a box of twice the radius."""
    c, w = radius, radius * 0.15
    out = [
        f"<defs>{linear('rim', [(0, light(rim, 0.28)), (0.5, rim), (1, dark(rim, 0.4))])}{radial('hub', [(0, light(rim, 0.16)), (1, rim)])}</defs>"
    ]
    out.append(
        f'<path d="M{c - radius * 0.86} {c} Q{c - radius * 0.5} {c + radius * 0.02} {c - radius * 0.3} {c - radius * 0.16} H{c + radius * 0.3} Q{c + radius * 0.5} {c + radius * 0.02} {c + radius * 0.86} {c} V{c + radius * 0.24} Q{c + radius * 0.4} {c + radius * 0.22} {c + radius * 0.28} {c + radius * 0.34} H{c - radius * 0.28} Q{c - radius * 0.4} {c + radius * 0.22} {c - radius * 0.86} {c + radius * 0.24}Z" fill="url(#hub)"/>'
    )
    out.append(
        f'<path d="M{c - radius * 0.16} {c + radius * 0.3} L{c - radius * 0.2} {c + radius * 0.84} H{c + radius * 0.2} L{c + radius * 0.16} {c + radius * 0.3}Z" fill="{dark(rim, 0.1)}"/>'
    )
    out.append(
        f'<path d="M{c - radius * 0.16} {c + radius * 0.36} L{c - radius * 0.2} {c + radius * 0.84} H{c + radius * 0.2} L{c + radius * 0.16} {c + radius * 0.36}Z" fill="none" stroke="{accent}" stroke-width="2.4" opacity="0.7"/>'
    )
    ring = f"M{c} {w / 2} A{c - w / 2} {c - w / 2} 0 0 1 {c + radius * 0.62} {c + radius * 0.68} Q{c + radius * 0.52} {c + radius * 0.85} {c + radius * 0.3} {c + radius * 0.86} H{c - radius * 0.3} Q{c - radius * 0.52} {c + radius * 0.85} {c - radius * 0.62} {c + radius * 0.68} A{c - w / 2} {c - w / 2} 0 0 1 {c} {w / 2}Z"
    out.append(
        f'<path d="{ring}" fill="none" stroke="url(#rim)" stroke-width="{w}"/><path d="{ring}" fill="none" stroke="{light(rim, 0.5)}" stroke-width="2" opacity="0.35"/>'
    )
    out.append(
        f'<circle cx="{c}" cy="{c + radius * 0.07}" r="{radius * 0.11}" fill="{dark(rim, 0.2)}" stroke="#c9d2da" stroke-width="3"/>'
    )
    for side in (-1, 1):
        x = c + side * radius * 0.46
        out.append(
            f'<rect x="{x - 26}" y="{c + radius * 0.04}" width="52" height="30" rx="9" fill="{dark(rim, 0.35)}"/><circle cx="{x - 11}" cy="{c + radius * 0.04 + 15}" r="4" fill="#d9e2ea"/><circle cx="{x + 11}" cy="{c + radius * 0.04 + 15}" r="4" fill="#d9e2ea"/>'
        )
    out.append(f'<path d="M{c - radius * 0.1} {w * 0.14} h{radius * 0.2}" stroke="{accent}" stroke-width="7"/>')
    return "".join(out)


def gauge_screen(width: float, height: float, accent: str, figure: str, unit: str) -> str:
    return (
        f"<defs>{linear('gs', [(0, '#0a1320'), (1, '#111c2b')])}</defs>"
        f'<rect width="{width}" height="{height}" rx="16" fill="url(#gs)" stroke="#39465a" stroke-width="2"/>'
        + "".join(
            f'<rect x="{24 + i * 15}" y="{height - 28 - i}" width="9" height="{10 + i}" fill="{accent}" opacity="{0.35 + i * 0.05:.2f}"/>'
            for i in range(10)
        )
        + text(figure, width * 0.5, height * 0.6, height * 0.5, "#f4f8fb", align="middle")
        + text(unit, width * 0.68, height * 0.6, height * 0.17, "#9fb0c2")
    )


def dashboard_drive(stage: Stage) -> Painter:
    """The SUV's cockpit by day: the road comes on through the windscreen, the wheel turns a little, the map moves on the screen."""
    sky = gradient(stage, [(0, "#69b1e4"), (190, "#cfe9f5"), (250, "#eef6ee"), (251, "#86aa5f"), (720, "#5f8044")])
    hills = stage.band(scenery.hills(2000, 110, 90, 5, "#6f9a68", "#8fb57a", rough=6), 2000, 110)
    trees = stage.band(scenery.row("leafy", 2200, 150, 14, (90, 150), ["#4f8a4d", "#5f9a58"], 6), 2200, 160)
    road = stage.draw(
        '<path d="M610 0 H670 L1150 300 H130Z" fill="#5b6066"/><path d="M612 0 L134 300 h14 L616 0Z M668 0 L1146 300 h-14 L664 0Z" fill="#f2efe6"/>',
        WIDTH,
        300,
    )
    dash = stage.draw(
        "".join(
            f'<path d="M{640 - w} {y} h{2 * w} l{w * 0.4} {h} h-{2.8 * w}Z" fill="#f2efe6"/>'
            for y, w, h in ((0, 5, 16),)
        ),
        WIDTH,
        40,
        anchor=(640, 0),
    )
    cabin = stage.draw(_cabin(), WIDTH, HEIGHT)
    wheel = stage.draw(steering_wheel(230, "#3fc8ff"), 460, 460, anchor=(230, 240))
    cluster = stage.draw(gauge_screen(270, 112, "#3fc8ff", "88", "km/h"), 270, 112)
    chart = stage.band(_map(900, 200), 900, 200)
    frame = stage.draw(_screen_frame(), 470, 240)
    shine = stage.draw(
        '<path d="M0 0 H1280 V330 Q640 270 0 330Z" fill="#ffffff" opacity="0.05"/><path d="M180 0 H330 L120 360 H-60Z" fill="#fff" opacity="0.09"/><path d="M960 0 H1020 L800 360 H740Z" fill="#fff" opacity="0.07"/>',
        WIDTH,
        360,
    )

    def paint(canvas: Canvas, t: float) -> None:
        lean = 12 * math.sin(t * 0.9)
        canvas.lay(sky)
        canvas.scroll(hills, 20 * t + lean * 3, 152)
        canvas.scroll(trees, 60 * t + lean * 5, 128)
        canvas.put(road, -lean * 0.5, 252)
        for i in range(7):
            share = ((i + t * 2.6) % 7) / 7
            depth = share**2.6
            canvas.put(dash, 640 - lean * 0.5, 252 + 300 * depth, scale=0.25 + 4.4 * depth)
        canvas.put(shine, 0, 0)
        canvas.put(cabin, 0, 0)
        canvas.put(cluster, 231, 350)
        offset = round((40 * t) * stage.scale) % chart.columns
        window = chart.pixels[:, offset : offset + round(430 * stage.scale)]
        canvas.put(Sprite(window), 640, 392)
        canvas.put(frame, 620, 372)
        canvas.put(wheel, 366, 704, angle=lean)
        canvas.camera(1.05, 640 + lean * 0.6, 372 + 2 * math.sin(t * 7))

    return paint


def _cabin() -> str:
    return (
        f"<defs>{linear('db', [(0, '#3a414b'), (0.12, '#262b33'), (1, '#0f1216')])}{linear('pl', [(0, '#171b21'), (1, '#0b0d11')], down=False)}{linear('wd', [(0, '#8a6240'), (1, '#5d3f28')])}</defs>"
        '<path d="M0 0 H120 L0 330Z" fill="url(#pl)"/><path d="M1280 0 H1160 L1280 330Z" fill="url(#pl)"/><path d="M0 0 H1280 V18 Q640 44 0 18Z" fill="#14181e"/>'
        '<rect x="560" y="20" width="170" height="52" rx="12" fill="#12161c"/><rect x="568" y="28" width="154" height="36" rx="8" fill="#9fc0d6"/><path d="M568 50 h154 v14 h-154Z" fill="#6b8a63"/>'
        '<path d="M0 400 Q160 330 420 336 Q640 322 860 338 Q1140 330 1280 400 V720 H0Z" fill="url(#db)"/><path d="M0 402 Q160 332 420 338 Q640 324 860 340 Q1140 332 1280 402" fill="none" stroke="#6a7683" stroke-width="3" opacity="0.7"/>'
        '<path d="M0 520 Q640 470 1280 520 V548 Q640 500 0 548Z" fill="url(#wd)"/><path d="M0 549 Q640 501 1280 549" stroke="#3fc8ff" stroke-width="4" fill="none" opacity="0.8"/>'
        + "".join(
            f'<rect x="{x}" y="{y}" width="120" height="34" rx="8" fill="#0a0c10"/>'
            + "".join(
                f'<path d="M{x + 8} {y + 8 + k * 7} h104" stroke="#3a414b" stroke-width="2.5"/>' for k in range(4)
            )
            for x, y in ((1110, 440), (60, 452))
        )
        + '<path d="M700 640 Q800 600 980 610 L1040 720 H660Z" fill="#1b2027"/><rect x="800" y="634" width="72" height="60" rx="16" fill="#0c0f13"/><rect x="812" y="622" width="48" height="54" rx="14" fill="#2c333c"/>'
        '<circle cx="942" cy="664" r="25" fill="#0c0f13" stroke="#59636e" stroke-width="3"/>'
    )


def _map(width: float, height: float) -> str:
    out = [f'<rect width="{width}" height="{height}" fill="#17324a"/>']
    for x in range(0, int(width), 90):
        out.append(f'<rect x="{x}" width="7" height="{height}" fill="#27496a"/>')
    for y in (30, 82, 150):
        out.append(f'<rect y="{y}" width="{width}" height="6" fill="#27496a"/>')
    out.extend(
        f'<rect x="{x + 14}" y="{y}" width="60" height="{h}" fill="{c}" rx="4"/>'
        for x in range(0, int(width), 90)
        for y, h, c in ((42, 32, "#1d3d58"), (94, 46, "#1f4f4a" if x % 180 else "#1d3d58"), (162, 30, "#1d3d58"))
    )
    out.append(
        f'<path d="M0 118 H{width}" stroke="#3fc8ff" stroke-width="11"/><path d="M0 118 H{width}" stroke="#dff6ff" stroke-width="3"/>'
    )
    return "".join(out)


def _screen_frame() -> str:
    return (
        '<path fill-rule="evenodd" d="M16 0 H454 A16 16 0 0 1 470 16 V224 A16 16 0 0 1 454 240 H16 A16 16 0 0 1 0 224 V16 A16 16 0 0 1 16 0Z M20 20 V220 H450 V20Z" fill="#0b0e12"/>'
        '<rect x="20" y="20" width="150" height="200" fill="#0d1822" opacity="0.86"/>'
        + text("400 m", 36, 66, 34)
        + text("前方右转", 36, 102, 25, "#9fd8f2")
        + text("Turn right", 36, 132, 22, "#9fb7c8")
        + '<path d="M60 200 V176 q0 -18 18 -18 h24 m-14 -12 l14 12 l-14 12" stroke="#3fc8ff" stroke-width="8" fill="none"/><path d="M226 138 l20 -44 l20 44 l-20 -10Z" fill="#ffffff"/>'
    )


def seats(stage: Stage) -> Painter:
    """The sedan's rear seats and glass roof: cream leather with stitching, light slides over it as the camera trucks."""
    room = stage.draw(_seats(), 1600, HEIGHT)
    sun = stage.draw(
        '<path d="M440 -60 H630 L400 780 H110Z" fill="#fff3d6" opacity="0.4"/><path d="M700 -60 H740 L510 780 H450Z" fill="#fff3d6" opacity="0.3"/>',
        860,
        HEIGHT,
        anchor=(430, 0),
    ).blurred(16 * stage.scale)

    def paint(canvas: Canvas, t: float) -> None:
        slide = ease(t / 6)
        canvas.put(room, -40 - 230 * slide, 0)
        canvas.glow(sun, 300 + 150 * t, 0, gain=0.55)
        canvas.camera(1.12 - 0.1 * slide, 640, 380)

    return paint


def _seats() -> str:
    leather, seam = "#e6d8c3", "#b9a587"
    out = [
        f"<defs>{linear('rf', [(0, '#39424d'), (1, '#1a2027')])}{linear('le', [(0, light(leather, 0.3)), (0.5, leather), (1, dark(leather, 0.3))])}{linear('lf', [(0, dark(leather, 0.12)), (0.5, light(leather, 0.15)), (1, dark(leather, 0.2))], down=False)}{linear('gl', [(0, '#8fc4ea'), (1, '#e4f1f4')])}</defs>"
    ]
    out.append(
        '<rect width="1600" height="720" fill="url(#rf)"/><path d="M240 0 H1360 L1240 96 H360Z" fill="url(#gl)"/><path d="M520 0 L560 96 M1080 0 L1040 96" stroke="#1a2027" stroke-width="10"/>'
    )
    out.append(
        '<path d="M0 120 L250 150 L290 330 L0 360Z" fill="url(#gl)"/><path d="M1600 120 L1350 150 L1310 330 L1600 360Z" fill="url(#gl)"/><path d="M330 130 H1270 L1240 250 H360Z" fill="url(#gl)" opacity="0.85"/>'
    )
    out.append(
        '<path d="M330 214 q120 -40 240 -8 t260 -6 t240 2 t200 12 L1240 250 H360Z" fill="#7d9a72"/><path d="M0 300 q80 -40 160 -20 l126 30 L290 330 L0 360Z" fill="#7d9a72"/><path d="M1600 300 q-80 -40 -160 -20 l-126 30 L1310 330 L1600 360Z" fill="#7d9a72"/>'
    )
    for x, w in ((300, 420), (880, 420)):
        out.append(
            f'<rect x="{x + w / 2 - 30}" y="216" width="14" height="70" fill="#8b939b"/><rect x="{x + w / 2 + 18}" y="216" width="14" height="70" fill="#8b939b"/><rect x="{x + w / 2 - 92}" y="140" width="184" height="100" rx="34" fill="url(#le)" stroke="{seam}" stroke-width="2"/>'
        )
        out.append(
            f'<path d="M{x + 30} 560 Q{x - 14} 340 {x + 44} 276 Q{x + w / 2} 236 {x + w - 44} 276 Q{x + w + 14} 340 {x + w - 30} 560Z" fill="url(#le)"/>'
        )
        out.append(
            f'<path d="M{x + 92} 556 Q{x + 70} 380 {x + 104} 306 Q{x + w / 2} 280 {x + w - 104} 306 Q{x + w - 70} 380 {x + w - 92} 556Z" fill="url(#lf)"/>'
        )
        for k in range(7):
            y = 330 + k * 32
            out.append(
                f'<path d="M{x + 92} {y} Q{x + w / 2} {y + 14} {x + w - 92} {y}" stroke="{seam}" stroke-width="2.6" fill="none" opacity="0.8"/><path d="M{x + 92} {y + 3} Q{x + w / 2} {y + 17} {x + w - 92} {y + 3}" stroke="#fff8ec" stroke-width="1.6" fill="none" opacity="0.7"/>'
            )
        out.append(
            f'<path d="M{x + 76} 548 Q{x + 50} 380 {x + 88} 298" stroke="#c98f4a" stroke-width="2.4" stroke-dasharray="7 5" fill="none"/><path d="M{x + w - 76} 548 Q{x + w - 50} 380 {x + w - 88} 298" stroke="#c98f4a" stroke-width="2.4" stroke-dasharray="7 5" fill="none"/>'
        )
        out.append(
            f'<path d="M{x - 6} 640 Q{x - 10} 540 {x + 50} 532 H{x + w - 50} Q{x + w + 10} 540 {x + w + 6} 640 L{x + w + 20} 720 H{x - 20}Z" fill="url(#lf)"/><path d="M{x + 6} 566 Q{x + w / 2} 590 {x + w - 6} 566" stroke="{seam}" stroke-width="2.6" fill="none"/>'
        )
        out.append(
            f'<path d="M{x + 60} 250 Q{x + 20} 420 {x + w * 0.55} 600" stroke="#2a2f36" stroke-width="17" fill="none" opacity="0.85"/><rect x="{x + w * 0.55 - 14}" y="586" width="30" height="40" rx="5" fill="#1a1d22"/><rect x="{x + w * 0.55 - 9}" y="592" width="20" height="9" rx="2" fill="#d8372e"/>'
        )
    out.append(
        f'<path d="M738 330 H862 L876 640 H724Z" fill="{dark(leather, 0.2)}"/><rect x="748" y="470" width="104" height="150" rx="16" fill="{leather}"/><circle cx="776" cy="510" r="19" fill="#20262d"/><circle cx="826" cy="510" r="19" fill="#20262d"/><path d="M0 720 V470 Q180 470 250 560 L280 720Z" fill="#252c34"/><path d="M1600 720 V470 Q1420 470 1350 560 L1320 720Z" fill="#252c34"/>'
    )
    return "".join(out)


def cockpit_night(stage: Stage) -> Painter:
    """The coupe at night, close on wheel and gauges: needles sweep up, red light lies on the leather."""
    back = gradient(stage, [(0, "#06070d"), (330, "#11131c"), (720, "#07080c")])
    board = stage.draw(_gauges(), WIDTH, HEIGHT)
    needle = stage.draw('<path d="M0 7 L118 3 V9 L0 9Z" fill="#ff4a3a"/>', 120, 12, anchor=(0, 7))
    hub = stage.draw(
        '<circle cx="24" cy="24" r="23" fill="#171a21" stroke="#3d4450" stroke-width="3"/>', 48, 48, anchor=(24, 24)
    )
    wheel = stage.draw(steering_wheel(540, "#ff3b30", "#14161c"), 1080, 1080, anchor=(540, 550))
    figures = {
        n: stage.draw(text(str(n), 60, 50, 56, "#ffffff", align="middle"), 120, 64, anchor=(60, 40))
        for n in range(0, 200, 4)
    }

    def paint(canvas: Canvas, t: float) -> None:
        canvas.lay(back)
        for i in range(14):
            x = (i * 173 - 340 * t * (0.6 + (i % 3) * 0.3)) % 1500 - 110
            canvas.glow(glow(stage, ("#ffb45a", "#ff5a4a", "#7fb4ff")[i % 3], 80), x, 46 + (i * 37) % 90, gain=0.5)
        canvas.put(board, 0, 0)
        share = 0.25 + 0.6 * ease((t - 0.4) / 4.2) + 0.02 * math.sin(t * 9)
        for x, k in ((430, share), (850, min(1.0, share * 1.1))):
            canvas.put(needle, x, 300, angle=-220 + 260 * k)
            canvas.put(hub, x, 300)
        speed = int(share * 210 / 4) * 4
        canvas.put(figures[min(speed, 196)], 640, 316)
        canvas.glow(glow(stage, "#ff3b30", 420), 640, 330, gain=0.14 + 0.05 * math.sin(t * 2))
        canvas.put(wheel, 640, 662, angle=7 * math.sin(t * 0.8))
        canvas.camera(1.0 + 0.07 * ease(t / 5.5), 640, 360)

    return paint


def _gauges() -> str:
    out = [
        f"<defs>{linear('cb', [(0, '#23262f'), (1, '#0b0c11')])}{radial('gd', [(0, '#1d1114'), (0.8, '#0d0b10'), (1, '#1b1d25')])}</defs>"
    ]
    out.append(
        '<path d="M-20 260 Q200 110 640 106 Q1080 110 1300 260 V740 H-20Z" fill="url(#cb)"/><path d="M180 470 Q180 140 430 132 H850 Q1100 140 1100 470Z" fill="#07080b"/><path d="M180 470 Q180 140 430 132 H850 Q1100 140 1100 470" stroke="#3a404c" stroke-width="5" fill="none"/>'
    )
    for x in (430, 850):
        out.append(f'<circle cx="{x}" cy="300" r="146" fill="url(#gd)" stroke="#474e5b" stroke-width="5"/>')
        for i in range(27):
            a = math.radians(-220 + i * 10)
            r1 = 118 if i % 3 == 0 else 126
            out.append(
                f'<path d="M{x + math.cos(a) * r1:.1f} {300 + math.sin(a) * r1:.1f} L{x + math.cos(a) * 138:.1f} {300 + math.sin(a) * 138:.1f}" stroke="{"#ff4a3a" if i > 20 else "#e9edf2"}" stroke-width="{5 if i % 3 == 0 else 2.5}"/>'
            )
            if i % 3 == 0:
                out.append(
                    text(
                        str(i // 3 if x == 850 else i // 3 * 30),
                        x + math.cos(a) * 96,
                        308 + math.sin(a) * 96,
                        21,
                        "#e9edf2",
                        align="middle",
                    )
                )
    out.append(
        text("km/h", 640, 352, 22, "#9aa3af", align="middle") + text("SPORT", 640, 232, 22, "#ff5a4a", align="middle")
    )
    out.append(
        '<path d="M0 560 Q300 520 640 520 Q980 520 1280 560" stroke="#ff3b30" stroke-width="5" fill="none" opacity="0.9"/>'
    )
    for x, y in ((70, 420), (1210, 420)):
        out.append(
            f'<circle cx="{x}" cy="{y}" r="56" fill="#0a0b0f" stroke="#3a404c" stroke-width="6"/>'
            + "".join(
                f'<path d="M{x - 44} {y - 30 + k * 15} h88" stroke="#2b303a" stroke-width="4"/>' for k in range(5)
            )
        )
    return "".join(out)
