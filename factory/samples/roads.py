# ruff: noqa: E501, PERF401, PLR0917  (drawings: path data reads worse when it is broken)
"""Roads and land from above as textures, and what stands beside them."""

from __future__ import annotations

from factory.samples.ground import Eye
from factory.samples.outline import linear
from factory.samples.paint import dark, light
from factory.samples.stage import WIDTH, Canvas, Sprite, Stage


def highway(
    *,
    wide: float,
    long: float,
    road: str,
    side: str,
    lanes: int = 2,
    lane: float = 3.6,
    dash: str = "#f2efe4",
    edge: str = "#f2efe4",
    shoulder: float = 1.2,
    middle: str = "",
) -> str:
    """A road from above in metres, running along y: lanes, dashes, edge lines, worn tracks and the land beside it."""
    half = lanes * lane / 2
    c = wide / 2
    out = [f'<rect width="{wide}" height="{long}" fill="{side}"/>', specks(wide, long, side)]
    out.append(f'<rect x="{c - half - shoulder}" width="{2 * (half + shoulder)}" height="{long}" fill="{road}"/>')
    for i in range(lanes):
        for track in (0.27, 0.73):
            x = c - half + lane * (i + track)
            out.append(f'<rect x="{x - 0.28}" width="0.56" height="{long}" fill="#000" opacity="0.09"/>')
    for x in (c - half - 0.08, c + half - 0.08):
        out.append(f'<rect x="{x}" width="0.17" height="{long}" fill="{edge}"/>')
    for i in range(1, lanes):
        x = c - half + i * lane
        if middle and i == lanes // 2:
            out.append(
                f'<rect x="{x - 0.22}" width="0.14" height="{long}" fill="{middle}"/><rect x="{x + 0.08}" width="0.14" height="{long}" fill="{middle}"/>'
            )
        else:
            out.extend(
                f'<rect x="{x - 0.08}" y="{y}" width="0.16" height="4" fill="{dash}"/>' for y in range(1, int(long), 12)
            )
    out.append(
        "".join(
            f'<rect x="{c - half + (i * 1.7) % (2 * half - 1)}" y="{(i * 5.3) % long}" width="{0.4 + (i % 3) * 0.5}" height="{0.5 + (i % 4) * 0.7}" fill="{"#fff" if i % 2 else "#000"}" opacity="0.05"/>'
            for i in range(26)
        )
    )
    return "".join(out)


def specks(wide: float, long: float, colour: str) -> str:
    return "".join(
        f'<ellipse cx="{(i * 7.31) % wide:.2f}" cy="{(i * 3.77) % long:.2f}" rx="{0.5 + (i % 5) * 0.35:.2f}" ry="{0.3 + (i % 4) * 0.3:.2f}" fill="{light(colour, 0.12) if i % 2 else dark(colour, 0.14)}" opacity="0.6"/>'
        for i in range(round(wide * long / 7))
    )


def haze(stage: Stage, horizon: float, colour: str, *, depth: float = 90, strength: float = 0.9) -> Sprite:
    """Air between the viewer and the horizon: a veil that thins downwards and upwards from it."""
    svg = (
        f"<defs>{linear('hz', [(0, colour, 0), (0.5, colour, strength), (1, colour, 0)])}</defs>"
        f'<rect width="{WIDTH}" height="{depth * 2}" fill="url(#hz)"/>'
    )
    return stage.draw(svg, WIDTH, depth * 2, anchor=(0, depth - horizon))


def stand(
    canvas: Canvas, eye: Eye, sprite: Sprite, tall: float, metres: float, x: float, z: float, *, gain: float = 1
) -> None:
    """Put a sprite drawn `tall` units high that is `metres` high in the world at (x, z); far things fade in."""
    sx, sy, scale = eye.place(x, z)
    canvas.put(sprite, sx, sy, scale=scale * metres / tall, gain=gain * min(1.0, (260 - z) / 60))
