# ruff: noqa: E501, PERF401, PLR0917  (drawings: path data reads worse when it is broken)
"""What stands around a road: ridges, trees, towers, fences and skies, as SVG strips that repeat without a seam."""

from __future__ import annotations

import math

import numpy as np

from factory.samples.outline import linear, radial
from factory.samples.paint import dark, light, mix


def ridge_line(
    width: float, base: float, rise: float, seed: int, *, rough: int = 7, sharp: float = 0.55, step: float = 8
) -> list[tuple[float, float]]:
    """Points of a skyline of hills that meets itself after `width`: sines whose wavelengths divide it."""
    rng = np.random.default_rng(seed)
    waves = [(k, rng.uniform(0, 2 * math.pi), rng.uniform(0.6, 1) / k**sharp) for k in range(1, rough + 1)]
    total = sum(w[2] for w in waves)
    points = []
    for i in range(round(width / step) + 1):
        x = width * i / round(width / step)
        lift = sum(a * math.sin(2 * math.pi * k * x / width + p) for k, p, a in waves) / total
        points.append((x, base - rise * (0.5 + 0.5 * lift)))
    return points


def hills(
    width: float,
    height: float,
    rise: float,
    seed: int,
    top: str,
    low: str,
    *,
    rough: int = 6,
    sharp: float = 0.9,
    name: str = "h",
) -> str:
    """Rolling land, lit from above, filling down to `height`."""
    line = ridge_line(width, height * 0.6, rise, seed, rough=rough, sharp=sharp)
    path = "M0 " + f"{height} " + " ".join(f"L{x:.1f} {y:.1f}" for x, y in line) + f" L{width} {height}Z"
    return f'<defs>{linear(name, [(0, top), (1, low)])}</defs><path d="{path}" fill="url(#{name})"/>'


def mountains(
    width: float,
    height: float,
    rise: float,
    seed: int,
    rock: str,
    haze: str,
    *,
    snow: str = "",
    peaks: int = 7,
    name: str = "m",
) -> str:
    """Sharp peaks with a lit and a shaded side; with `snow`, caps of that colour; hazy towards their feet."""
    rng = np.random.default_rng(seed)
    parts = [
        f"<defs>{linear(name, [(0, rock), (1, haze)])}{linear(name + 's', [(0, dark(rock, 0.28)), (1, haze)])}</defs>"
    ]
    gap = width / peaks
    tops = [
        (gap * (i + 0.5) + rng.uniform(-0.2, 0.2) * gap, rise * rng.uniform(0.55, 1), gap * rng.uniform(0.8, 1.15))
        for i in range(peaks)
    ]
    for x, tall, wide in sorted(tops, key=lambda t: -t[1]):
        jags = [rng.uniform(-0.05, 0.05) for _ in range(4)]
        for shift in (-width, 0, width):
            parts.append(_peak(x + shift, height, tall, wide, jags, name, snow))
    return "".join(parts)


def _peak(x: float, foot: float, tall: float, wide: float, jags: list[float], name: str, snow: str) -> str:
    top = foot - tall
    left = [(x - wide * s, foot - tall * (1 - s) + jags[i] * tall) for i, s in ((0, 0.35), (1, 0.66))]
    right = [(x + wide * s, foot - tall * (1 - s) + jags[i] * tall) for i, s in ((2, 0.3), (3, 0.62))]
    fold = [
        (x + wide * 0.06, top + tall * 0.22),
        (x - wide * 0.05, top + tall * 0.45),
        (x + wide * 0.12, top + tall * 0.7),
        (x + wide * 0.02, foot),
    ]
    outer = [(x - wide, foot), *reversed(left), (x, top), *right, (x + wide, foot)]
    shade = [(x, top), *right, (x + wide, foot), *reversed(fold)]
    out = f'<path d="{_poly(outer)}" fill="url(#{name})"/><path d="{_poly(shade)}" fill="url(#{name}s)"/>'
    if snow:
        cap = 0.3
        edge = [
            (x - wide * cap, top + tall * (cap + jags[0] * 0.6)),
            (x - wide * 0.16, top + tall * 0.25),
            (x - wide * 0.07, top + tall * 0.33),
            (x + wide * 0.03, top + tall * 0.23),
            (x + wide * 0.12, top + tall * 0.34),
            (x + wide * 0.27, top + tall * (0.27 + jags[2])),
        ]
        out += f'<path d="{_poly([(x, top), *reversed(edge)])}" fill="{snow}" opacity="0.92"/>'
        out += f'<path d="{_poly([(x, top), edge[5], edge[4], edge[3], (x + wide * 0.05, top + tall * 0.16)])}" fill="{mix(snow, "#7f93b4", 0.45)}" opacity="0.8"/>'
    return out


def _poly(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def pine(x: float, foot: float, tall: float, colour: str, *, snow: str = "") -> str:
    """A conifer of four skirts, its right side in shade."""
    out = f'<rect x="{x - tall * 0.025}" y="{foot - tall * 0.14}" width="{tall * 0.05}" height="{tall * 0.14}" fill="{dark("#5a4130", 0.3)}"/>'
    for i in range(4):
        y = foot - tall * (0.1 + 0.21 * i)
        wide, high = tall * (0.24 - 0.045 * i), tall * 0.32
        out += f'<path d="M{x - wide:.1f} {y:.1f} Q{x:.1f} {y + tall * 0.04:.1f} {x + wide:.1f} {y:.1f} L{x:.1f} {y - high:.1f}Z" fill="{light(colour, 0.05 * i)}"/>'
        out += f'<path d="M{x + wide * 0.1:.1f} {y + tall * 0.02:.1f} L{x + wide:.1f} {y:.1f} L{x:.1f} {y - high:.1f}Z" fill="{dark(colour, 0.28)}" opacity="0.75"/>'
        if snow:
            out += f'<path d="M{x - wide * 0.62:.1f} {y - high * 0.36:.1f} Q{x - wide * 0.2:.1f} {y - high * 0.24:.1f} {x + wide * 0.3:.1f} {y - high * 0.5:.1f} L{x:.1f} {y - high:.1f}Z" fill="{snow}" opacity="0.95"/>'
    return out


def leafy(x: float, foot: float, tall: float, colour: str) -> str:
    """A round tree of overlapping crowns."""
    r = tall * 0.26
    out = f'<path d="M{x - tall * 0.03:.1f} {foot} L{x - tall * 0.018:.1f} {foot - tall * 0.5:.1f} H{x + tall * 0.018:.1f} L{x + tall * 0.03:.1f} {foot}Z" fill="#5b4636"/>'
    for dx, dy, k, shade in (
        (0.17, 0.5, 0.8, 0.3),
        (-0.2, 0.52, 0.82, 0.18),
        (0.05, 0.7, 1.0, 0.08),
        (-0.06, 0.62, 0.95, 0.0),
    ):
        out += f'<circle cx="{x + dx * tall:.1f}" cy="{foot - dy * tall:.1f}" r="{r * k:.1f}" fill="{dark(colour, shade)}"/>'
    return (
        out
        + f'<circle cx="{x - 0.1 * tall:.1f}" cy="{foot - 0.7 * tall:.1f}" r="{r * 0.5:.1f}" fill="{light(colour, 0.22)}" opacity="0.6"/>'
    )


def poplar(x: float, foot: float, tall: float, colour: str) -> str:
    return (
        f'<rect x="{x - 2}" y="{foot - tall * 0.2}" width="4" height="{tall * 0.2}" fill="#5b4636"/><ellipse cx="{x}" cy="{foot - tall * 0.56}" rx="{tall * 0.12}" ry="{tall * 0.44}" fill="{colour}"/>'
        f'<path d="M{x} {foot - tall * 0.13} A{tall * 0.12} {tall * 0.44} 0 0 0 {x} {foot - tall}Z" fill="{dark(colour, 0.25)}" opacity="0.7"/>'
    )


def palm(x: float, foot: float, tall: float, colour: str) -> str:
    tx, ty = x + tall * 0.12, foot - tall
    out = f'<path d="M{x - 4} {foot} Q{x} {foot - tall * 0.6} {tx} {ty} Q{x + 7} {foot - tall * 0.55} {x + 5} {foot}Z" fill="#7a6248"/>'
    for angle in (-170, -140, -100, -60, -30, 8, 30, 160):
        a = math.radians(angle)
        ex, ey = tx + math.cos(a) * tall * 0.42, ty + math.sin(a) * tall * 0.3 + tall * 0.1
        cx, cy = tx + math.cos(a) * tall * 0.24, ty + math.sin(a) * tall * 0.26 - tall * 0.07
        out += f'<path d="M{tx} {ty} Q{cx} {cy} {ex} {ey} Q{cx} {cy + tall * 0.1} {tx} {ty + 5}Z" fill="{colour if angle < 0 else dark(colour, 0.25)}"/>'
    return out


def row(
    kind: str,
    width: float,
    foot: float,
    count: int,
    tall: tuple[float, float],
    colours: list[str],
    seed: int,
    *,
    snow: str = "",
) -> str:
    """A row of trees spread over a strip, those near its ends drawn on both ends."""
    rng = np.random.default_rng(seed)
    gap = width / count
    trees = []
    for i in range(count):
        x, size = gap * (i + 0.5) + rng.uniform(-0.35, 0.35) * gap, rng.uniform(*tall)
        colour = colours[int(rng.integers(len(colours)))]
        trees.append((size, x, colour))
    out = []
    for size, x, colour in sorted(trees):
        for at in [x] + [x + s for s in (-width, width) if -size < x + s < width + size]:
            if kind == "pine":
                out.append(pine(at, foot, size, colour, snow=snow))
            else:
                out.append({"leafy": leafy, "palm": palm, "poplar": poplar}[kind](at, foot, size, colour))
    return "".join(out)


def skyline(
    width: float,
    height: float,
    seed: int,
    colour: str,
    *,
    windows: str = "",
    lit: float = 0.4,
    tall: tuple[float, float] = (0.3, 0.95),
    wide: tuple[float, float] = (46, 100),
    fade: str = "",
) -> str:
    """City towers side by side, with windows of which a share is lit."""
    rng = np.random.default_rng(seed)
    fade = fade or dark(colour, 0.2)
    parts = [
        f"<defs>{linear('tw', [(0, colour), (1, fade)])}{linear('ts', [(0, dark(colour, 0.18)), (1, fade)])}</defs>"
    ]
    x = 0.0
    while x < width:
        w = min(float(rng.uniform(*wide)), width - x)
        h = height * float(rng.uniform(*tall))
        parts.append(_tower(x, height, w, h, int(rng.integers(4)), windows, lit, rng, dark(colour, 0.18)))
        x += w + (float(rng.uniform(-6, 14)) if x + w < width - 20 else 0)
    return "".join(parts)


def _tower(
    x: float,
    foot: float,
    w: float,
    h: float,
    style: int,
    windows: str,
    lit: float,
    rng: np.random.Generator,
    shade: str,
) -> str:
    top = foot - h
    out = f'<rect x="{x:.1f}" y="{top:.1f}" width="{w:.1f}" height="{h:.1f}" fill="url(#tw)"/>'
    if style == 1:
        out += f'<path d="M{x:.1f} {top:.1f} L{x + w:.1f} {top - w * 0.35:.1f} V{foot} H{x:.1f}Z" fill="url(#tw)"/>'
    if style == 2:
        out += f'<rect x="{x + w * 0.2:.1f}" y="{top - 16:.1f}" width="{w * 0.6:.1f}" height="17" fill="url(#tw)"/><rect x="{x + w * 0.48:.1f}" y="{top - 46:.1f}" width="2.4" height="32" fill="{shade}"/>'
    out += f'<rect x="{x + w * 0.66:.1f}" y="{top:.1f}" width="{w * 0.34:.1f}" height="{h:.1f}" fill="url(#ts)" opacity="0.8"/>'
    if windows and w > 20:
        panes = []
        columns, rows = int(w // 11), int(min(h, 420) // 14)
        for c in range(columns):
            for r in range(rows):
                if rng.random() < lit:
                    panes.append(f"M{x + 4 + c * (w - 6) / columns:.1f} {top + 8 + r * 14:.1f}h5.5v7h-5.5z")
        out += f'<path d="{"".join(panes)}" fill="{windows}" opacity="0.85"/>'
    return out


def clouds(
    width: float, height: float, count: int, seed: int, colour: str, *, low: str = "", opacity: float = 0.9
) -> str:
    """Flat-bottomed clouds, lighter above."""
    rng = np.random.default_rng(seed)
    low = low or mix(colour, "#8fa7c0", 0.3)
    out = [f"<defs>{linear('cl', [(0, colour, opacity), (1, low, opacity * 0.55)])}</defs>"]
    for i in range(count):
        x, y, s = (
            width * (i + rng.uniform(0.15, 0.85)) / count,
            height * rng.uniform(0.55, 0.95),
            rng.uniform(0.6, 1.35),
        )
        for shift in (0, -width, width):
            out.append(_cloud(x + shift, y, s))
    return "".join(out)


def _cloud(x: float, y: float, s: float) -> str:
    d = f"M{-90 * s} 0 q{-14 * s} {-26 * s} {22 * s} {-28 * s} q{8 * s} {-34 * s} {48 * s} {-26 * s} q{26 * s} {-30 * s} {56 * s} {2 * s} q{38 * s} {-6 * s} {36 * s} {24 * s} q{34 * s} {2 * s} {22 * s} {28 * s}Z"
    return f'<path transform="translate({x:.1f} {y:.1f})" d="{d}" fill="url(#cl)"/>'


def disc(radius: float, core: str, halo: str, *, reach: float = 4) -> str:
    """The sun or the moon with its halo, in a box of `2 * radius * reach`."""
    c = radius * reach
    return (
        f"<defs>{radial('halo', [(0, halo, 0.75), (0.3, halo, 0.32), (1, halo, 0)])}</defs>"
        f'<circle cx="{c}" cy="{c}" r="{c}" fill="url(#halo)"/><circle cx="{c}" cy="{c}" r="{radius}" fill="{core}"/>'
    )


def rail(width: float, *, metal: str = "#b9c3cb", post_gap: float = 160) -> str:
    """A crash barrier 60 units high."""
    posts = "".join(
        f'<rect x="{x}" y="14" width="12" height="46" fill="{dark(metal, 0.45)}"/>'
        for x in np.arange(0, width, post_gap)
    )
    return (
        f"<defs>{linear('rl', [(0, light(metal, 0.45)), (0.3, metal), (0.5, dark(metal, 0.4)), (0.68, light(metal, 0.15)), (1, dark(metal, 0.45))])}</defs>"
        f'{posts}<rect y="6" width="{width}" height="28" fill="url(#rl)"/><rect y="5" width="{width}" height="2" fill="{light(metal, 0.7)}"/>'
    )


def asphalt(
    width: float,
    height: float,
    *,
    colour: str = "#4b5058",
    dash: str = "#f0ead8",
    edge: str = "#e8e4d8",
    lane: float = 0.5,
    gap: float = 260,
) -> str:
    """A road from the side: a far edge line, dashes at `lane` of its height, patches and grain."""
    rng = np.random.default_rng(3)
    marks = (
        "".join(
            f'<path d="M{x} {height * lane} h{gap * 0.46} l-6 7 h-{gap * 0.46}Z" fill="{dash}" opacity="0.9"/>'
            for x in np.arange(0, width, gap)
        )
        if dash
        else ""
    )
    grain = "".join(
        f'<rect x="{rng.uniform(0, width - 130):.0f}" y="{rng.uniform(8, height):.0f}" width="{rng.uniform(30, 130):.0f}" height="{rng.uniform(1, 2.5):.1f}" fill="{light(colour, 0.14) if rng.random() < 0.5 else dark(colour, 0.2)}" opacity="0.5"/>'
        for _ in range(round(width / 18))
    )
    line = f'<rect y="7" width="{width}" height="3.5" fill="{edge}" opacity="0.9"/>' if edge else ""
    return (
        f"<defs>{linear('as', [(0, light(colour, 0.1)), (1, dark(colour, 0.25))])}</defs>"
        f'<rect width="{width}" height="{height}" fill="url(#as)"/>{grain}{line}{marks}'
    )


def grass(width: float, height: float, seed: int, colour: str, *, blades: int = 300, tall: float = 16) -> str:
    """A verge whose upper edge is blades of grass."""
    rng = np.random.default_rng(seed)
    tufts = []
    for _ in range(blades):
        x, h, lean = rng.uniform(0, width), rng.uniform(0.4, 1) * tall, rng.uniform(-6, 6)
        shade = (
            light(colour, float(rng.uniform(0, 0.2)))
            if rng.random() < 0.5
            else dark(colour, float(rng.uniform(0, 0.25)))
        )
        tufts.append(
            f'<path d="M{x - 2.4:.1f} {tall + 3} Q{x:.1f} {tall - h * 0.5:.1f} {x + lean:.1f} {tall - h:.1f} Q{x + 1:.1f} {tall - h * 0.4:.1f} {x + 2.6:.1f} {tall + 3}Z" fill="{shade}"/>'
        )
    return (
        f"<defs>{linear('gr', [(0, colour), (1, dark(colour, 0.3))])}</defs>"
        f'<rect y="{tall}" width="{width}" height="{height - tall}" fill="url(#gr)"/>{"".join(tufts)}'
    )


def lamp_posts(width: float, height: float, gap: float, colour: str, *, lit: str = "") -> str:
    out = []
    for x in np.arange(gap / 2, width, gap):
        out.append(
            f'<path d="M{x - 3.5} {height} L{x - 2} 34 Q{x - 2} 8 {x + 30} 8 H{x + 60} V13 H{x + 30} Q{x + 3} 13 {x + 2} 36 L{x + 3.5} {height}Z" fill="{colour}"/>'
        )
        out.append(f'<rect x="{x + 34}" y="9" width="34" height="6" rx="3" fill="{lit or light(colour, 0.4)}"/>')
    return "".join(out)


def facades(width: float, height: float, seed: int, walls: list[str], *, night: bool = False) -> str:
    """A street of shops and flats with awnings, shutters and doors."""
    rng = np.random.default_rng(seed)
    count = round(width / 210)
    out = []
    for i in range(count):
        x, w = width * i / count, width / count
        h = height * float(rng.uniform(0.66, 1))
        out.append(_house(x, height, w, h, walls[i % len(walls)], rng, night))
    return "".join(out)


def _house(x: float, foot: float, w: float, h: float, wall: str, rng: np.random.Generator, night: bool) -> str:
    top = foot - h
    pane, frame = ("#ffd98a" if night else "#56728a"), light(wall, 0.55)
    out = f'<rect x="{x:.1f}" y="{top:.1f}" width="{w + 1:.1f}" height="{h:.1f}" fill="{wall}"/><rect x="{x:.1f}" y="{top:.1f}" width="{w:.1f}" height="13" fill="{light(wall, 0.3)}"/><rect x="{x:.1f}" y="{top + 13:.1f}" width="{w:.1f}" height="4" fill="{dark(wall, 0.3)}"/>'
    out += f'<rect x="{x + w - 10:.1f}" y="{top:.1f}" width="10" height="{h:.1f}" fill="{dark(wall, 0.22)}" opacity="0.6"/>'
    y = top + 36
    while y < foot - 190:
        for c in range(3):
            px = x + 24 + c * (w - 40) / 3
            dim = pane if not night or rng.random() < 0.55 else "#27324a"
            out += f'<rect x="{px - 4:.1f}" y="{y - 4:.1f}" width="38" height="62" fill="{frame}"/><rect x="{px:.1f}" y="{y:.1f}" width="30" height="54" fill="{dim}"/><path d="M{px:.1f} {y + 54:.1f} L{px + 30:.1f} {y + 8:.1f} V{y:.1f} H{px:.1f}Z" fill="#fff" opacity="0.16"/>'
            out += f'<rect x="{px - 16:.1f}" y="{y - 2:.1f}" width="10" height="58" fill="{dark(wall, 0.4)}"/><rect x="{px + 36:.1f}" y="{y - 2:.1f}" width="10" height="58" fill="{dark(wall, 0.4)}"/>'
        y += 92
    awning = ["#c8453c", "#2f7f79", "#e0a13a", "#4c6aa8", "#8a4f7d"][int(rng.integers(5))]
    out += f'<rect x="{x + 14:.1f}" y="{foot - 122:.1f}" width="{w - 76:.1f}" height="96" fill="{"#ffe2a0" if night else "#3d5060"}"/><path d="M{x + 14:.1f} {foot - 30:.1f} L{x + w * 0.5:.1f} {foot - 122:.1f} h24 L{x + 52:.1f} {foot - 30:.1f}Z" fill="#fff" opacity="0.13"/>'
    stripes = "".join(
        f'<path d="M{x + 8 + k * (w - 62) / 8:.1f} {foot - 150:.1f} h{(w - 62) / 8:.1f} v34 q-{(w - 62) / 16:.1f} 14 -{(w - 62) / 8:.1f} 0Z" fill="{awning if k % 2 else "#f6efe2"}"/>'
        for k in range(8)
    )
    return (
        out
        + stripes
        + f'<rect x="{x + w - 52:.1f}" y="{foot - 126:.1f}" width="36" height="126" fill="{dark(awning, 0.35)}"/><rect x="{x + w - 46:.1f}" y="{foot - 118:.1f}" width="24" height="54" fill="{pane}"/>'
    )
