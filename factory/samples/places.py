# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""Cars that arrive or stand: an old town, wheat fields, a lake, a showroom."""

from __future__ import annotations

import math

from factory.samples import paints, scenery
from factory.samples.cars import Look, SideCar, glow
from factory.samples.motion import bob, ease
from factory.samples.outline import linear
from factory.samples.particles import Plume, puff
from factory.samples.scene import Painter
from factory.samples.stage import Canvas, Sprite, Stage, gradient


def old_town(stage: Stage) -> Painter:
    """A yellow hatchback rolls past painted shop fronts and stops at the kerb, the indicator blinking."""
    sky = gradient(stage, [(0, "#8cc4e8"), (400, "#dcecf2"), (720, "#c9b9a0")])
    houses = stage.band(
        scenery.facades(
            2100,
            500,
            8,
            [
                "#e2a07a",
                "#e9d3a4",
                "#a9c3bf",
                "#d98f86",
                "#cfd6b8",
                "#b7b2cf",
                "#efc99a",
                "#c5a58f",
                "#9fb8cf",
                "#e6bfae",
            ],
        ),
        2100,
        500,
    )
    pavement = stage.band(_paving(1200), 1200, 60)
    road = stage.band(_cobbles(1200, 170), 1200, 170)
    posts = stage.band(
        "".join(
            f'<path d="M{x - 4} 300 L{x - 3} 60 H{x + 3} L{x + 4} 300Z" fill="#28313a"/><path d="M{x - 15} 34 h30 l-6 28 h-18Z" fill="#f6e6b4"/><path d="M{x - 19} 34 h38 l-19 -20Z" fill="#28313a"/>'
            for x in (200, 900, 1600)
        ),
        2100,
        300,
    )
    car = SideCar.draw(stage, paints.PICO, 470)

    def gone(t: float) -> float:
        return 430 * (min(t, 4.2) - max(0.0, min(t, 4.2) - 2.2) ** 2 / 4)

    def paint(canvas: Canvas, t: float) -> None:
        go = gone(t)
        canvas.lay(sky)
        canvas.scroll(houses, go * 0.8, 26)
        canvas.scroll(pavement, go * 0.86, 516)
        canvas.scroll(posts, go * 0.86, 244)
        canvas.scroll(road, go, 560)
        moving = t < 4.2
        car.put(
            canvas,
            600,
            636,
            travelled=go,
            bob=bob(t, 0.7 if moving else 0.05),
            pitch=0.9 * max(0.0, 1 - abs(t - 3.8) / 0.9),
        )
        if t > 2 and (t * 1.6) % 1 < 0.5:
            canvas.glow(glow(stage, "#ff9a1f", 46), 600 + 212, 636 - 92)
            canvas.glow(glow(stage, "#ff9a1f", 40), 600 - 222, 636 - 112)
        canvas.camera(1.16 - 0.13 * ease(t / 5), 620, 520)

    return paint


def _paving(width: float) -> str:
    return (
        f'<rect width="{width}" height="60" fill="#cbbfa8"/>'
        + "".join(
            f'<rect x="{x}" y="{y}" width="57" height="17" fill="{"#d6cbb5" if (x // 60 + y // 20) % 2 else "#c4b79e"}"/>'
            for y in (2, 22)
            for x in range(0, int(width), 60)
        )
        + f'<rect y="44" width="{width}" height="16" fill="#a79b86"/>'
    )


def _cobbles(width: float, height: float) -> str:
    out = [f'<rect width="{width}" height="{height}" fill="#7d766c"/>']
    for r in range(10):
        y, h = r * 9 + r * r * 0.9, 8 + r * 1.8
        out.extend(
            f'<rect x="{x + (r % 2) * 20}" y="{y:.1f}" width="37" height="{h - 2:.1f}" rx="4" fill="{["#8d867b", "#968f83", "#847d73"][(x // 40 + r) % 3]}"/>'
            for x in range(0, int(width) - 39, 40)
        )
    return "".join(out)


def wheat_fields(stage: Stage) -> Painter:
    """The camera stands in a wheat field: the pickup comes through from the left, raising dust on a farm track, windmills behind."""
    sky = gradient(stage, [(0, "#5aa7dc"), (300, "#b8dcec"), (440, "#fdf1cf"), (720, "#c9a24a")])
    clouds = stage.band(scenery.clouds(2000, 150, 5, 14, "#ffffff"), 2000, 170)
    hills = stage.draw(scenery.hills(1500, 190, 120, 41, "#9dbb6a", "#c7b45c", rough=4), 1500, 190)
    field = stage.draw(_furrows(1500, 210), 1500, 210)
    tower = stage.draw(
        '<path d="M36 260 L44 10 h8 L60 260Z" fill="#f3f5f7"/><path d="M48 260 L50 10 h2 L60 260Z" fill="#cfd7de"/>',
        96,
        260,
        anchor=(48, 14),
    )
    blade = stage.draw('<path d="M14 112 Q6 60 14 4 Q20 60 17 112Z" fill="#ffffff"/>', 30, 116, anchor=(15, 112))
    wheat = stage.band(_wheat(1800, 150), 1800, 150)
    car = SideCar.draw(stage, paints.TERRA, 560)
    dust = Plume(
        (puff(stage, "#ecd9a8", 60, opacity=0.7), puff(stage, "#dcc390", 60, opacity=0.6)),
        34,
        2.0,
        (-150, -30),
        (-70, -10),
        grow=(0.4, 2.0),
        seed=9,
        drag=1.2,
    )

    def paint(canvas: Canvas, t: float) -> None:
        x = -300 + 290 * t
        canvas.lay(sky)
        canvas.scroll(clouds, 9 * t, 50)
        pan = 40 * ease(t / 6)
        canvas.put(hills, -60 - pan * 0.4, 330)
        for wx, wy, size in ((260, 360, 0.8), (520, 350, 1.0), (1050, 368, 0.66)):
            canvas.put(tower, wx - pan * 0.6, wy - 230 * size, scale=size)
            for arm in range(3):
                canvas.put(blade, wx - pan * 0.6, wy - 230 * size, angle=120 * arm + 46 * t + wx, scale=size)
        canvas.put(field, -60 - pan, 462)
        dust.paint(canvas, t, lambda born: (-300 + 290 * born - 190, 612))
        car.put(canvas, x, 618, travelled=290 * t, bob=bob(t, 1.6), pitch=0.5 * math.sin(t * 5))
        canvas.scroll(wheat, 30 + pan * 2 + 5 * math.sin(t * 1.3), 580)

    return paint


def _furrows(width: float, height: float) -> str:
    rows = "".join(
        f'<path d="M{750 + (k - 8) * 34} 0 L{750 + (k - 8) * 260} {height}" stroke="#b98f3a" stroke-width="7" opacity="0.5"/>'
        for k in range(17)
    )
    return (
        f"<defs>{linear('fu', [(0, '#e0bf63'), (1, '#b98b35')])}</defs>"
        f'<rect width="{width}" height="{height}" fill="url(#fu)"/>{rows}<rect y="132" width="{width}" height="40" fill="#c9a878"/><rect y="132" width="{width}" height="4" fill="#e9cfa0"/>'
    )


def _wheat(width: float, height: float) -> str:
    out = []
    for i in range(900):
        x, h, lean = (i * 0.618034 % 1) * width, 70 + (i * 31) % 60, -8 + (i * 11) % 17
        colour = ["#e8c765", "#d9b04e", "#c99a3c", "#f0d47c"][i % 4]
        top = height - h
        out.append(
            f'<path d="M{x:.0f} {height} Q{x:.0f} {height - h / 2:.0f} {x + lean:.0f} {top:.0f}" stroke="{colour}" stroke-width="2.4" fill="none"/><ellipse cx="{x + lean:.0f}" cy="{top:.0f}" rx="4" ry="15" transform="rotate({lean} {x + lean:.0f} {top:.0f})" fill="{colour}"/>'
        )
    return "".join(out)


def autumn_lake(stage: Stage) -> Painter:
    """The wagon stands on a jetty of a mountain lake in autumn and lies mirrored in the water; a slow push in."""
    sky = gradient(stage, [(0, "#7db3d3"), (260, "#d9e6e4"), (420, "#f6dfb8"), (430, "#7e9aa0"), (720, "#2f4d5c")])
    peaks = stage.draw(scenery.mountains(1400, 260, 240, 51, "#7f93a8", "#b9c0bd", snow="#f6f8fb", peaks=5), 1400, 260)
    wood = stage.draw(
        scenery.row("leafy", 1400, 180, 16, (110, 175), ["#d98a3a", "#c9632f", "#e2b04a", "#a8482f", "#8a9a4a"], 6),
        1400,
        190,
    )
    bank = stage.draw(
        f"<defs>{linear('bk', [(0, '#8a7a4a'), (1, '#5a4a34')])}</defs>"
        '<path d="M0 26 Q300 6 700 18 T1400 14 V60 H0Z" fill="url(#bk)"/>',
        1400,
        60,
    )
    car = SideCar.draw(stage, paints.VOYAGE, 540)
    leaf = stage.draw('<path d="M2 10 Q10 0 20 8 Q12 18 2 10Z" fill="#e09038"/>', 22, 18, anchor=(11, 9))

    def paint(canvas: Canvas, t: float) -> None:
        canvas.lay(sky)
        canvas.put(peaks, -60 + 4 * t, 170)
        canvas.put(wood, -60 + 7 * t, 262)
        canvas.put(bank, -60 + 7 * t, 426)
        car.put(canvas, 600 + 7 * t, 462, travelled=0)
        _mirror(canvas, 470, t)
        for i in range(9):
            fall = (t * 46 + i * 97) % 520
            canvas.put(
                leaf, (i * 151 + 40 * math.sin(t + i) + 30 * t) % 1320 - 20, 60 + fall, angle=t * 70 + i * 40, scale=0.8
            )
        canvas.camera(1.02 + 0.16 * ease(t / 6), 620, 410)

    return paint


def _mirror(canvas: Canvas, line: float, t: float) -> None:
    """Water below `line`: what stands above it, upside down, darker and rippled."""
    rows = canvas.pixels.shape[0]
    at = round(line * canvas.stage.scale)
    for row in range(at, rows):
        depth = row - at
        wave = math.sin(depth * 0.33 / canvas.stage.scale - t * 2.6) * (0.8 + depth * 0.02)
        source = max(0, at - 1 - round(depth * 0.92 + wave * canvas.stage.scale))
        shift = round(math.sin(depth * 0.19 / canvas.stage.scale + t * 1.9) * (0.5 + depth * 0.014))
        line_of = canvas.pixels[source]
        canvas.pixels[row, max(0, shift) : canvas.pixels.shape[1] + min(0, shift)] = line_of[
            max(0, -shift) : canvas.pixels.shape[1] - max(0, shift)
        ]
    water = canvas.pixels[at:]
    water[..., :3] = (water[..., :3].astype("uint16") * 190 // 255 + (12, 22, 30)).astype("uint8")


def showroom(stage: Stage) -> Painter:
    """A dark studio: a light bar sweeps over the sedan's roof line, the floor mirrors it."""
    back = gradient(stage, [(0, "#10141b"), (330, "#242c38"), (500, "#39434f"), (501, "#1b2129"), (720, "#07090c")])
    panels = stage.draw(
        "".join(
            f'<rect x="{x}" y="60" width="150" height="400" fill="#ffffff" opacity="0.025"/>'
            for x in range(40, 1280, 200)
        ),
        1280,
        720,
    )
    bar = stage.draw(
        f"<defs>{linear('lb', [(0, '#fff', 0), (0.5, '#eef6ff', 1), (1, '#fff', 0)], down=False)}</defs>"
        '<rect width="760" height="9" rx="4" fill="url(#lb)"/>',
        760,
        9,
        anchor=(380, 4),
    )
    halo = glow(stage, "#9fc4ff", 330)
    look = Look("sedan", "#d7dde4", glass_top="#5b6f86", glass_low="#0d1219", gloom=0.22, lights=True)
    car = SideCar.draw(stage, look, 760)
    upside = Sprite(
        car.shell.pixels[::-1].copy(), (car.shell.anchor[0], car.shell.pixels.shape[0] - car.shell.anchor[1])
    ).faded(0.24)
    wheel = car.wheel.faded(0.2)
    sweep = stage.draw(
        f"<defs>{linear('sw', [(0, '#fff', 0), (0.5, '#fff', 0.5), (1, '#fff', 0)], down=False)}</defs>"
        '<path d="M60 0 H160 L100 260 H0Z" fill="url(#sw)"/>',
        160,
        260,
        anchor=(80, 130),
    ).blurred(9 * stage.scale)

    def paint(canvas: Canvas, t: float) -> None:
        canvas.lay(back)
        canvas.put(panels, 0, 0)
        canvas.glow(halo, 640, 250, gain=0.22, stretch=3)
        canvas.put(bar, 640, 96)
        canvas.put(bar, 640, 130, scale=0.7)
        canvas.put(upside, 640, 568)
        for at in look.shape().wheels:
            canvas.put(wheel, 640 + (at - look.shape().length / 2) * car.zoom, 568 + look.shape().radius * car.zoom)
        car.put(canvas, 640, 566)
        masked = _masked(stage, car.shell, sweep, -160 + 1150 * ease((t - 0.5) / 3.6))
        canvas.glow(masked, 640, 566, gain=0.75)
        on = ease((t - 2.6) / 0.5)
        car.light(canvas, 640, 566, gain=0.35 * on, brake=0.4 * on)
        canvas.camera(1.2 - 0.18 * ease(t / 6), 700 - 60 * ease(t / 6), 430)

    return paint


def _masked(stage: Stage, shape: Sprite, light: Sprite, x: float) -> Sprite:
    """Light that falls only on a shape: `x` is where its middle stands within the shape, in units."""
    canvas = Canvas(stage, shape.pixels * 0)
    canvas.put(light, x, shape.pixels.shape[0] / stage.scale / 2)
    lit = canvas.pixels
    alpha = shape.pixels[..., 3:4].astype("uint16")
    return Sprite((lit.astype("uint16") * alpha // 255).astype("uint8"), shape.anchor)
