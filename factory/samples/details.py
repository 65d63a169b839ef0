# ruff: noqa: E501, PERF401  (drawings: path data reads worse when it is broken)
"""Close looks at bodywork: headlight, wheel, grille, tail light."""

from __future__ import annotations

import math

import numpy as np

from factory.samples import paints
from factory.samples.cars import glow, rim_svg, tyre_svg
from factory.samples.lettering import text
from factory.samples.motion import ease
from factory.samples.outline import linear, radial
from factory.samples.paint import dark, light
from factory.samples.scene import Painter
from factory.samples.stage import Canvas, Stage


def sheet(paint: str, path: str, name: str = "sh") -> str:
    """A piece of painted bodywork lit from above."""
    return (
        f"<defs>{linear(name, [(0, light(paint, 0.5)), (0.3, light(paint, 0.1)), (0.62, paint), (1, dark(paint, 0.55))])}</defs>"
        f'<path d="{path}" fill="url(#{name})"/>'
    )


def headlight(stage: Stage) -> Painter:
    """The SUV's headlight wakes: segments run outwards, then the lenses come on with a flare."""
    paint = paints.NORTHWIND.paint
    body = stage.draw(_headlight(paint), 1500, 860, anchor=(110, 70))
    segments = [
        stage.draw(
            f'<path d="M0 {14 + i * 0.6} L70 0 L76 17 L6 {34 + i * 0.6}Z" fill="#ffffff"/>', 80, 56, anchor=(0, 20)
        )
        for i in range(9)
    ]
    streak = stage.draw(
        f"<defs>{linear('st', [(0, '#fff', 0), (0.5, '#dff1ff', 1), (1, '#fff', 0)], down=False)}</defs>"
        '<rect y="5" width="1200" height="5" fill="url(#st)"/>',
        1200,
        15,
        anchor=(600, 7),
    ).blurred(2 * stage.scale)

    def paint_frame(canvas: Canvas, t: float) -> None:
        canvas.put(body, -4 * t, 0)
        for i, segment in enumerate(segments):
            on = ease((t - 0.5 - i * 0.11) / 0.25) * (0.75 + 0.25 * math.sin(t * 3 - i * 0.4))
            x, y = 330 + i * 79 - 4 * t, 388 - i * 16.2
            canvas.put(segment, x, y, gain=max(0.12, on))
            canvas.glow(glow(stage, "#cfe8ff", 70), x + 36, y, gain=0.4 * on)
        main = ease((t - 2.0) / 0.4)
        for x, y in ((520, 468), (700, 436), (870, 404)):
            canvas.glow(glow(stage, "#eaf4ff", 190), x - 4 * t, y, gain=0.85 * main)
        canvas.glow(streak, 700, 436, gain=0.7 * main, stretch=0.6 + 0.5 * main)
        canvas.camera(1.02 + 0.12 * ease(t / 5), 660, 400)

    return paint_frame


def _headlight(paint: str) -> str:
    out = [
        sheet(dark(paint, 0.2), "M0 0 H1500 V860 H0Z", "wing"),
        sheet(paint, "M0 0 H1500 V300 Q1180 330 820 430 Q520 520 300 600 L0 690Z", "bonnet"),
    ]
    out.append(sheet(dark(paint, 0.12), "M0 690 L300 600 Q700 560 1120 620 Q1360 640 1500 600 V860 H0Z", "bumper"))
    out.append(
        f'<path d="M0 250 Q500 200 1500 60" stroke="{light(paint, 0.75)}" stroke-width="7" fill="none" opacity="0.6"/><path d="M0 690 L300 600 Q520 520 820 430" stroke="{dark(paint, 0.7)}" stroke-width="6" fill="none"/>'
    )
    out.append(
        f"<defs>{linear('hl', [(0, '#2b3644'), (0.4, '#121922'), (1, '#070a0f')])}{radial('ln', [(0, '#f4faff'), (0.35, '#9fb9cf'), (0.7, '#34465a'), (1, '#0b1016')])}</defs>"
    )
    shape = "M330 520 Q440 420 760 360 Q1000 312 1230 290 Q1262 330 1200 400 Q1120 500 930 556 Q660 630 420 612 Q330 596 330 520Z"
    out.append(
        f'<path d="{shape}" fill="#05070b" transform="translate(0 6)"/><path d="{shape}" fill="url(#hl)" stroke="#0a0d12" stroke-width="7"/>'
    )
    for x, y, r in ((630, 538, 58), (810, 506, 56), (980, 474, 52)):
        out.append(
            f'<circle cx="{x}" cy="{y}" r="{r + 11}" fill="#1c2530"/><circle cx="{x}" cy="{y}" r="{r + 11}" fill="none" stroke="#5a6b7d" stroke-width="3"/><circle cx="{x}" cy="{y}" r="{r}" fill="url(#ln)"/><ellipse cx="{x - r * 0.3}" cy="{y - r * 0.36}" rx="{r * 0.36}" ry="{r * 0.2}" fill="#fff" opacity="0.75"/>'
        )
    out.append(
        f'<path d="{shape}" fill="none" stroke="#9fb4c6" stroke-width="2.5" opacity="0.6"/><path d="M420 470 Q700 380 1190 318 L1150 352 Q760 410 460 500Z" fill="#ffffff" opacity="0.07"/>'
    )
    for i in range(5):
        out.append(f'<path d="M0 {708 + i * 28} L250 {640 + i * 30}" stroke="#0a0d12" stroke-width="12"/>')
    return "".join(out)


def wheel_rim(stage: Stage) -> Painter:
    """A turning rim fills the picture; the car rolls off gently and the light goes round the spokes."""
    look = paints.NORTHWIND
    body = stage.draw(_arch(look.paint), 1400, 800, anchor=(700, 430))
    wheel = stage.draw(rim_svg(270, look, spokes=7), 540, 540, anchor=(270, 270))
    tyre = stage.draw(tyre_svg(270, look), 540, 540, anchor=(270, 270))
    floor = stage.band(
        "".join(
            f'<rect x="{x}" width="100" height="90" fill="{c}"/>'
            for x, c in zip(range(0, 1200, 100), ("#6e747b", "#686e75") * 6, strict=True)
        )
        + '<rect width="1200" height="5" fill="#8b9198"/>',
        1200,
        90,
    )
    sheen = stage.draw(
        f"<defs>{radial('sn', [(0, '#fff', 0.65), (1, '#fff', 0)])}</defs>"
        '<ellipse cx="150" cy="60" rx="150" ry="60" fill="url(#sn)"/>',
        300,
        120,
        anchor=(150, 60),
    )

    def paint(canvas: Canvas, t: float) -> None:
        gone = 40 * t + 75 * max(0.0, t - 1.2) ** 2 / 2
        canvas.put(body, 640, 400)
        canvas.scroll(floor, gone, 656)
        canvas.put(tyre, 640, 402)
        canvas.put(wheel, 640, 402, angle=gone / 270 * 57.3)
        for i in range(2):
            a = t * 0.9 + i * math.pi
            canvas.glow(sheen, 640 + 170 * math.cos(a), 402 + 170 * math.sin(a), gain=0.4, angle=math.degrees(a) + 90)
        canvas.camera(1.22 - 0.16 * ease(t / 5), 640, 400, roll=-2 + 0.6 * t)

    return paint


def _arch(paint: str) -> str:
    return (
        f'<rect width="1400" height="800" fill="#50565d"/>{sheet(paint, "M0 0 H1400 V600 H1080 A380 380 0 0 0 320 600 H0Z")}'
        f'<path d="M0 90 Q700 60 1400 110" stroke="{light(paint, 0.8)}" stroke-width="9" fill="none" opacity="0.55"/><path d="M0 300 Q300 280 420 180 M980 180 Q1120 280 1400 290" stroke="{dark(paint, 0.5)}" stroke-width="5" fill="none" opacity="0.6"/>'
        '<path d="M0 560 H330 A378 378 0 0 1 1070 560 H1400 V640 H1056 A356 356 0 0 0 344 640 H0Z" fill="#22262c"/><path d="M344 640 A356 356 0 0 1 1056 640Z" fill="#07080b"/><path d="M344 640 A356 356 0 0 1 1056 640" fill="none" stroke="#4a515a" stroke-width="5"/>'
        '<rect y="640" width="1400" height="160" fill="#3d4249"/>'
    )


def grille(stage: Stage) -> Painter:
    """The coupe's nose, straight on and low: light runs across a grille of little diamonds and the badge."""
    paint = paints.KESTREL.paint
    nose = stage.draw(_nose(paint), 1400, 800, anchor=(700, 400))
    band = stage.draw(
        f"<defs>{linear('bd', [(0, '#fff', 0), (0.5, '#fff3e0', 0.8), (1, '#fff', 0)], down=False)}</defs>"
        '<path d="M150 0 H360 L210 800 H0Z" fill="url(#bd)"/>',
        360,
        800,
        anchor=(180, 400),
    ).blurred(14 * stage.scale)

    def paint_frame(canvas: Canvas, t: float) -> None:
        canvas.put(nose, 640 + 10 * math.sin(t * 0.4), 360)
        canvas.glow(band, -200 + 420 * t, 360, gain=0.3)
        canvas.glow(glow(stage, "#fff0dc", 170), 92, 262, gain=0.5 + 0.25 * math.sin(t * 2))
        canvas.glow(glow(stage, "#fff0dc", 170), 1188, 262, gain=0.5 + 0.25 * math.sin(t * 2))
        canvas.camera(1.06 + 0.1 * ease(t / 5), 640, 400)

    return paint_frame


def _nose(paint: str) -> str:
    out = [
        f'<rect width="1400" height="800" fill="{dark(paint, 0.55)}"/>',
        sheet(paint, "M0 0 H1400 V330 Q1040 300 700 300 Q360 300 0 330Z", "hood"),
        sheet(dark(paint, 0.1), "M0 330 Q360 300 700 300 Q1040 300 1400 330 V800 H0Z", "bump"),
    ]
    out.append(
        f'<path d="M380 0 Q420 180 470 296 M1020 0 Q980 180 930 296" stroke="{light(paint, 0.6)}" stroke-width="6" fill="none" opacity="0.6"/><path d="M0 330 Q360 300 700 300 Q1040 300 1400 330" stroke="{dark(paint, 0.75)}" stroke-width="5" fill="none"/>'
    )
    mouth = "M250 430 Q700 372 1150 430 L1060 640 Q700 690 340 640Z"
    out.append(
        f'<defs><clipPath id="mo"><path d="{mouth}"/></clipPath>{linear("cr", [(0, "#f4f6f8"), (0.5, "#8d959e"), (1, "#d5dae0")])}</defs><path d="{mouth}" fill="#0a0b0e"/><g clip-path="url(#mo)">'
    )
    for r in range(10):
        for c in range(34):
            x, y = 240 + c * 28 + (r % 2) * 14, 392 + r * 29
            out.append(
                f'<path d="M{x} {y - 10} L{x + 9} {y} L{x} {y + 10} L{x - 9} {y}Z" fill="none" stroke="#5b626b" stroke-width="2.6"/><circle cx="{x}" cy="{y}" r="2.4" fill="#aab2ba"/>'
            )
    out.append(f'</g><path d="{mouth}" fill="none" stroke="url(#cr)" stroke-width="9"/>')
    out.append(
        '<path d="M700 322 l44 26 v34 q0 44 -44 64 q-44 -20 -44 -64 v-34Z" fill="#14171c" stroke="url(#cr)" stroke-width="7"/><path d="M700 424 Q668 398 676 360 Q692 384 700 386 Q708 384 724 360 Q732 398 700 424Z" fill="#e23a33"/>'
    )
    for flip in (1, -1):
        out.append(
            f'<g transform="translate({0 if flip == 1 else 1400} 0) scale({flip} 1)"><path d="M-20 250 Q120 262 330 330 Q250 366 120 350 Q30 340 -20 330Z" fill="#0d1116" stroke="#2a3038" stroke-width="4"/><path d="M-20 272 Q120 284 306 332" stroke="#fff6e6" stroke-width="11" fill="none"/><circle cx="150" cy="326" r="17" fill="#c9d6e0"/><circle cx="80" cy="316" r="17" fill="#c9d6e0"/>'
        )
        out.append(
            '<path d="M40 470 L190 450 L240 560 L80 600Z" fill="#0b0d10"/><path d="M60 500 L210 476 M70 536 L222 510 M78 570 L234 542" stroke="#30363d" stroke-width="7"/></g>'
        )
    out.append('<path d="M120 740 Q700 690 1280 740 V800 H120Z" fill="#14161a"/>')
    return "".join(out)


def tail_light(stage: Stage) -> Painter:
    """Night rain on the coupe's rear: a light bar draws itself from the middle, then brakes flare; drops sit on the paint."""
    paint = dark(paints.KESTREL.paint, 0.5)
    rear = stage.draw(_tail(paint), 1400, 800, anchor=(700, 400))
    bar = stage.draw(
        f"<defs>{linear('tb', [(0, '#ff8a70'), (0.5, '#ff2a1c'), (1, '#c0101a')])}</defs>"
        '<rect width="40" height="26" fill="url(#tb)"/>',
        40,
        26,
        anchor=(0, 13),
    )

    def paint_frame(canvas: Canvas, t: float) -> None:
        canvas.put(rear, 640, 360)
        drawn = ease((t - 0.4) / 1.5)
        for side in (-1, 1):
            for i in range(13):
                if i / 13 < drawn:
                    x = 640 + side * i * 40 - (40 if side < 0 else 0)
                    y = 334 + max(0, i - 8) * 4
                    canvas.put(bar, x, y)
                    if i % 2 == 0:
                        canvas.glow(glow(stage, "#ff2418", 110), x + 20, y, gain=0.26)
        brake = ease((t - 2.6) / 0.2) * (1 - ease((t - 4.2) / 0.3))
        for x in (190, 1090):
            canvas.glow(glow(stage, "#ff2418", 320), x, 370, gain=0.2 + 0.75 * brake)
        canvas.camera(1.04 + 0.08 * ease(t / 5), 700 - 60 * ease(t / 5), 370)

    return paint_frame


def _tail(paint: str) -> str:
    rng = np.random.default_rng(9)
    out = [
        f"<defs>{linear('nt', [(0, '#0a0d18'), (1, '#171b2c')])}</defs>",
        '<rect width="1400" height="800" fill="url(#nt)"/>',
    ]
    for i in range(16):
        out.append(
            f'<circle cx="{(i * 197) % 1400}" cy="{20 + (i * 61) % 110}" r="{14 + i % 5 * 8}" fill="{["#ffb35a", "#6fa8ff", "#ff6a5a", "#fff0c9"][i % 4]}" opacity="0.2"/>'
        )
    out.append(sheet(paint, "M0 190 Q340 120 700 118 Q1060 120 1400 190 V300 Q1060 262 700 262 Q340 262 0 300Z", "lid"))
    out.append(sheet(dark(paint, 0.2), "M0 300 Q340 262 700 262 Q1060 262 1400 300 V800 H0Z", "low"))
    out.append(
        f'<path d="M0 190 Q340 120 700 118 Q1060 120 1400 190" stroke="{light(paint, 0.7)}" stroke-width="5" fill="none" opacity="0.7"/>'
    )
    out.append(
        '<path d="M60 330 Q380 300 700 300 Q1020 300 1340 330 L1310 470 Q1250 480 1120 420 Q900 394 700 394 Q500 394 280 420 Q150 480 90 470Z" fill="#12060a" stroke="#050306" stroke-width="5"/>'
    )
    for x in (110, 1130):
        out.append(
            "".join(
                f'<path d="M{x + k * 26} {352 + (k if x < 700 else 5 - k) * 0} l10 60" stroke="#7d0f16" stroke-width="9"/>'
                for k in range(6)
            )
        )
    out.append(
        '<rect x="560" y="470" width="280" height="86" rx="8" fill="#0b0d12"/><rect x="580" y="484" width="240" height="58" rx="5" fill="#9fc4b0"/><rect x="612" y="506" width="176" height="13" rx="6" fill="#5d8270"/>'
    )
    out.append(text("KESTREL GT", 700, 240, 42, "#c9d0d8", align="middle", extra='letter-spacing="14"'))
    out.append('<path d="M0 640 Q700 590 1400 640 V800 H0Z" fill="#0c0d11"/>')
    for _ in range(230):
        px, py, r = rng.uniform(0, 1400), rng.uniform(150, 640), rng.uniform(2, 7)
        out.append(
            f'<ellipse cx="{px:.0f}" cy="{py:.0f}" rx="{r:.1f}" ry="{r * 1.2:.1f}" fill="#dfe8ff" opacity="0.14"/><circle cx="{px - r * 0.3:.1f}" cy="{py - r * 0.4:.1f}" r="{r * 0.28:.1f}" fill="#fff" opacity="0.65"/>'
        )
    return "".join(out)
