# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""Close looks at what an electric car shows: the charging port, the centre screen."""

from __future__ import annotations

import math

from factory.samples import paints
from factory.samples.cars import SideCar, glow
from factory.samples.details import sheet
from factory.samples.lettering import text
from factory.samples.motion import ease
from factory.samples.outline import linear, radial
from factory.samples.paint import dark, light
from factory.samples.scene import Painter
from factory.samples.stage import HEIGHT, WIDTH, Canvas, Stage


def charging_port(stage: Stage) -> Painter:
    """The sedan at a charger: the plug slides in, a ring of light pulses, the share on the post counts up."""
    paint = paints.LUMEN.paint
    body = stage.draw(_port(paint), WIDTH, HEIGHT)
    plug = stage.draw(_plug(), 960, 640, anchor=(60, 128))
    figures = [
        stage.draw(text(f"{n}%", 90, 62, 60, "#dffbf0", align="middle"), 180, 84, anchor=(90, 42))
        for n in range(62, 80)
    ]
    ring = stage.draw(
        '<circle cx="150" cy="150" r="128" fill="none" stroke="#3df0b0" stroke-width="12"/>',
        300,
        300,
        anchor=(150, 150),
    )
    halo = ring.blurred(12 * stage.scale)

    def paint_frame(canvas: Canvas, t: float) -> None:
        canvas.put(body, 0, 0)
        inserted = ease((t - 0.3) / 1.2)
        pulse = 0.55 + 0.45 * math.sin((t - 1.6) * 4)
        on = ease((t - 1.6) / 0.3)
        canvas.put(ring, 430, 350, gain=0.2 + 0.8 * on * pulse)
        canvas.glow(halo, 430, 350, gain=0.9 * on * pulse)
        canvas.put(plug, 700 - 236 * inserted, 350)
        canvas.put(figures[min(17, int(max(0.0, t - 1.6) * 4.2))], 1080, 166)
        for i in range(5):
            lit = on * (0.5 + 0.5 * math.sin(t * 5 - i * 0.9))
            canvas.glow(glow(stage, "#3df0b0", 30), 1000 + i * 40, 240, gain=lit)
        canvas.camera(1.0 + 0.06 * ease(t / 5.5), 660, 350)

    return paint_frame


def _port(paint: str) -> str:
    out = [
        f"<defs>{linear('bg', [(0, '#2f3d4b'), (1, '#141b23')])}</defs>",
        '<rect width="1280" height="720" fill="url(#bg)"/>',
    ]
    out.append(
        '<rect x="930" y="60" width="300" height="660" rx="26" fill="#10161d"/><rect x="930" y="60" width="300" height="660" rx="26" fill="none" stroke="#3c4a58" stroke-width="4"/><rect x="966" y="100" width="228" height="176" rx="14" fill="#0b2a24"/>'
        + text("正在充电 CHARGING", 1080, 316, 23, "#8fe8c8", align="middle")
    )
    out.append(sheet(paint, "M0 0 H760 Q820 200 800 420 Q780 600 820 720 H0Z"))
    out.append(
        f'<path d="M0 150 Q500 110 790 180" stroke="#ffffff" stroke-width="8" fill="none" opacity="0.8"/><path d="M0 560 Q400 590 790 540" stroke="{dark(paint, 0.35)}" stroke-width="6" fill="none" opacity="0.6"/>'
    )
    out.append(
        f'<path d="M250 150 L92 120 Q70 340 100 560 L250 545Z" fill="{light(paint, 0.25)}" stroke="{dark(paint, 0.4)}" stroke-width="4"/><circle cx="430" cy="350" r="206" fill="{dark(paint, 0.3)}"/><circle cx="430" cy="350" r="194" fill="#191e24"/><circle cx="430" cy="350" r="194" fill="none" stroke="#39424c" stroke-width="5"/>'
    )
    out.append('<circle cx="430" cy="350" r="100" fill="#0a0d11" stroke="#4a545f" stroke-width="6"/>')
    for x, y, r in (
        (396, 318, 20),
        (464, 318, 20),
        (430, 362, 15),
        (386, 378, 13),
        (474, 378, 13),
        (408, 412, 10),
        (452, 412, 10),
    ):
        out.append(
            f'<circle cx="{x}" cy="{y}" r="{r}" fill="#20272e"/><circle cx="{x}" cy="{y}" r="{r * 0.55}" fill="#c79a4a"/>'
        )
    return "".join(out)


def _plug() -> str:
    return (
        f"<defs>{linear('pg', [(0, '#4a5560'), (0.4, '#262d35'), (1, '#0d1115')])}</defs>"
        '<path d="M560 192 C740 214 700 420 930 640" stroke="#0f1317" stroke-width="58" fill="none"/><path d="M560 182 C752 204 716 410 946 630" stroke="#2a323a" stroke-width="8" fill="none"/>'
        '<rect x="0" y="54" width="90" height="148" rx="14" fill="#171c22"/><path d="M70 34 H300 Q360 36 400 84 L610 130 V250 Q520 260 420 226 Q360 216 300 222 H70Z" fill="url(#pg)"/><rect x="96" y="34" width="14" height="188" fill="#3df0b0"/>'
        '<path d="M150 60 H290 Q330 62 360 92" stroke="#6b7884" stroke-width="6" fill="none" opacity="0.7"/><rect x="180" y="14" width="80" height="24" rx="10" fill="#39434d"/>'
    )


def screen_ui(stage: Stage) -> Painter:
    """The sedan's centre screen, very close: a car turns on it, tiles come in, a finger-sized slider moves by itself."""
    frame = stage.draw(_screen(), WIDTH, HEIGHT)
    car = SideCar.draw(stage, paints.LUMEN, 440)
    bars = [
        stage.draw(f'<rect width="26" height="120" rx="8" fill="{c}"/>', 26, 120, anchor=(13, 120))
        for c in ("#35c6ff", "#4be3c1")
    ]
    knob = stage.draw('<circle cx="18" cy="18" r="17" fill="#ffffff"/>', 36, 36, anchor=(18, 18))
    tiles = [
        stage.draw(_tile(zh, en, value), 250, 132)
        for zh, en, value in (("续航", "Range", "605 km"), ("电量", "Battery", "86 %"), ("温度", "Climate", "21.5 °C"))
    ]

    def paint(canvas: Canvas, t: float) -> None:
        canvas.put(frame, 0, 0)
        canvas.put(car.shadow, 440, 430, gain=0.7)
        car.put(canvas, 440, 430, travelled=60 * t, bob=0.6 * math.sin(t * 2))
        for i, tile in enumerate(tiles):
            on = ease((t - 0.4 - i * 0.35) / 0.5)
            canvas.put(tile, 860 + 90 * (1 - on), 110 + i * 152, gain=on)
        for i in range(12):
            high = 0.25 + 0.7 * abs(math.sin(t * 1.7 + i * 0.7)) * ease(t / 1.5)
            canvas.put(bars[i % 2], 190 + i * 42, 610, scale=max(0.1, high) * 0.9)
        canvas.put(knob, 880 + 190 * (0.5 - 0.5 * math.cos(t * 1.3)), 598)
        canvas.camera(1.08 - 0.06 * ease(t / 5.5), 640, 360, roll=-1.2)

    return paint


def _tile(chinese: str, english: str, value: str) -> str:
    return (
        '<rect width="250" height="132" rx="18" fill="#16293a"/>'
        + text(f"{chinese}  {english}", 22, 44, 24, "#8fb0c6")
        + text(value, 22, 102, 46, "#ffffff")
    )


def _screen() -> str:
    out = [
        f"<defs>{linear('du', [(0, '#1e242b'), (1, '#0a0c0f')])}{linear('ui', [(0, '#0c1a28'), (1, '#12283a')])}{radial('fl', [(0, '#2a5a7c', 0.7), (1, '#2a5a7c', 0)])}</defs>",
        '<rect width="1280" height="720" fill="url(#du)"/>',
    ]
    out.append(
        '<rect x="60" y="36" width="1160" height="640" rx="30" fill="#05070a"/><rect x="78" y="54" width="1124" height="604" rx="18" fill="url(#ui)"/><ellipse cx="440" cy="430" rx="330" ry="70" fill="url(#fl)"/>'
    )
    out.append(
        text("10:24", 112, 98, 30)
        + text("流明 OS  LUMEN OS", 230, 98, 24, "#8fb0c6")
        + '<circle cx="780" cy="88" r="7" fill="#4be3c1"/><rect x="800" y="80" width="30" height="16" rx="4" fill="none" stroke="#8fb0c6" stroke-width="2.5"/><rect x="803" y="83" width="20" height="10" fill="#4be3c1"/>'
    )
    out.append(
        '<rect x="860" y="594" width="230" height="8" rx="4" fill="#24405a"/><rect x="150" y="618" width="540" height="3" fill="#24405a"/>'
    )
    return "".join(out)
