"""Smooth outlines as SVG path data."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]
Knot = tuple[float, float] | tuple[float, float, str]
"""A point of an outline; a third part "c" makes it a corner."""


def smooth(knots: Sequence[Knot], *, closed: bool = False, tension: float = 0.5) -> str:
    """A Catmull-Rom curve through the knots, as cubic Bezier path data; corners stay sharp."""
    points = [(k[0], k[1]) for k in knots]
    corner = [len(k) == 3 for k in knots]
    count = len(points)
    path = [f"M{points[0][0]:.2f} {points[0][1]:.2f}"]
    for i in range(count if closed else count - 1):
        here, there = points[i], points[(i + 1) % count]
        before = points[i - 1] if (closed or i > 0) and not corner[i] else here
        after_at = (i + 2) % count
        after = points[after_at] if (closed or i + 2 < count) and not corner[(i + 1) % count] else there
        pull = tension / 3 * 2
        out = (here[0] + (there[0] - before[0]) * pull / 2, here[1] + (there[1] - before[1]) * pull / 2)
        back = (there[0] - (after[0] - here[0]) * pull / 2, there[1] - (after[1] - here[1]) * pull / 2)
        if corner[i]:
            out = (here[0] + (there[0] - here[0]) / 3, here[1] + (there[1] - here[1]) / 3)
        if corner[(i + 1) % count]:
            back = (there[0] - (there[0] - here[0]) / 3, there[1] - (there[1] - here[1]) / 3)
        path.append(f"C{out[0]:.2f} {out[1]:.2f} {back[0]:.2f} {back[1]:.2f} {there[0]:.2f} {there[1]:.2f}")
    return " ".join(path) + ("Z" if closed else "")


def polygon(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points) + "Z"


def linear(name: str, stops: Sequence[tuple[float, str] | tuple[float, str, float]], *, down: bool = True) -> str:
    """A linear gradient definition, top to bottom or left to right; stops are (offset, colour[, opacity])."""
    ends = 'x1="0" y1="0" x2="0" y2="1"' if down else 'x1="0" y1="0" x2="1" y2="0"'
    return f'<linearGradient id="{name}" {ends}>{_stops(stops)}</linearGradient>'


def radial(
    name: str,
    stops: Sequence[tuple[float, str] | tuple[float, str, float]],
    *,
    centre: Point = (0.5, 0.5),
    radius: float = 0.5,
) -> str:
    return (
        f'<radialGradient id="{name}" cx="{centre[0]}" cy="{centre[1]}" r="{radius}">{_stops(stops)}</radialGradient>'
    )


def _stops(stops: Sequence[tuple[float, str] | tuple[float, str, float]]) -> str:
    return "".join(
        f'<stop offset="{s[0]}" stop-color="{s[1]}" stop-opacity="{s[2] if len(s) == 3 else 1}"/>' for s in stops
    )
