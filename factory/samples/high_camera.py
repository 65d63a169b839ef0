# ruff: noqa: E501, PERF401, PLR0917  (drawings: path data reads worse when it is broken)
"""What every high or fixed camera needs: routes, running time, hazard lights, asphalt, trees from above."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from scipy.interpolate import PchipInterpolator

from factory.samples.cars import glow
from factory.samples.lettering import text
from factory.samples.paint import dark, light
from factory.samples.stage import Canvas, Sprite, Stage

Route = Callable[[float], tuple[float, float]]


def heading(route: Route, t: float, squash: float = 1.0) -> float:
    """The direction of travel in degrees, 0 to the right, 90 towards the viewer."""
    x, y = route(t - 0.04)
    u, v = route(t + 0.04)
    return math.degrees(math.atan2((v - y) / squash, u - x))


def along(points: Sequence[tuple[float, float]], times: Sequence[float]) -> Route:
    """A smooth route through points at given times (monotone cubic, so that a stop stays a stop)."""
    xs, ys = PchipInterpolator(times, [p[0] for p in points]), PchipInterpolator(times, [p[1] for p in points])
    return lambda t: (float(xs(min(max(t, times[0]), times[-1]))), float(ys(min(max(t, times[0]), times[-1]))))


def tree_top(stage: Stage, radius: float, colour: str) -> Sprite:
    crowns = "".join(
        f'<circle cx="{radius * (1 + 0.42 * math.cos(a))}" cy="{radius * (1 + 0.42 * math.sin(a))}" r="{radius * 0.5}" fill="{light(colour, 0.08) if math.cos(a + 0.8) < 0 else dark(colour, 0.14)}"/>'
        for a in [i * math.pi / 3 for i in range(6)]
    )
    shade = f'<circle cx="{radius * 1.35}" cy="{radius * 1.4}" r="{radius * 0.92}" fill="#05070c" opacity="0.28"/>'
    return stage.draw(
        f'{shade}{crowns}<circle cx="{radius}" cy="{radius}" r="{radius * 0.5}" fill="{light(colour, 0.16)}"/>',
        radius * 2.4,
        radius * 2.4,
        anchor=(radius, radius),
    )


def stamp(place: str, clock: str) -> str:
    """The corner words of a fixed camera, without the running seconds."""
    return text(place, 26, 44, 26, "#ffffff") + text(clock, 26, 78, 22, "#e9eef2")


class Clock:
    """The running time of a fixed camera, drawn once a second."""

    def __init__(self, stage: Stage, place: str, day: str, start: int) -> None:
        self.stage, self.place, self.day, self.start = stage, place, day, start
        self.drawn: dict[int, Sprite] = {}

    def put(self, canvas: Canvas, t: float) -> None:
        second = self.start + int(t)
        if second not in self.drawn:
            hours, rest = divmod(second, 3600)
            words = f"{self.day} {hours:02d}:{rest // 60:02d}:{rest % 60:02d}"
            back = '<rect width="470" height="92" fill="#000" opacity="0.42"/>'
            self.drawn[second] = self.stage.draw(back + stamp(self.place, words), 470, 92)
        canvas.put(self.drawn[second], 0, 0)
        if t % 1 < 0.5:
            canvas.put(_red_dot(self.stage), 1240, 36)


def _red_dot(stage: Stage) -> Sprite:
    return stage.draw('<circle cx="9" cy="9" r="8" fill="#e8322a"/>', 18, 18, anchor=(9, 9))


def hazards(
    canvas: Canvas, x: float, y: float, length: float, angle: float, t: float, squash: float = 0.8, height: float = 26
) -> None:
    """Four blinking corners."""
    if (t * 1.5) % 1 > 0.5:
        return
    a = math.radians(angle)
    for along_car, across in ((0.46, 0.17), (0.46, -0.17), (-0.46, 0.17), (-0.46, -0.17)):
        dx = (math.cos(a) * along_car - math.sin(a) * across) * length
        dy = (math.sin(a) * along_car + math.cos(a) * across) * length * squash
        canvas.glow(glow(canvas.stage, "#ff9a1f", 34), x + dx, y + dy - height, gain=0.95)


def asphalt_svg(width: float, height: float, colour: str) -> str:
    out = [f'<rect width="{width}" height="{height}" fill="{colour}"/>']
    for i in range(160):
        out.append(
            f'<ellipse cx="{(i * 197) % width}" cy="{(i * 113) % height}" rx="{20 + i % 50}" ry="{5 + i % 12}" fill="{"#fff" if i % 2 else "#000"}" opacity="0.028"/>'
        )
    return "".join(out)


def zebra(x: float, y: float, width: float, height: float, *, across: bool) -> str:
    if across:
        return "".join(
            f'<rect x="{x + i * 26}" y="{y}" width="14" height="{height}" fill="#eceae2"/>'
            for i in range(int(width // 26))
        )
    return "".join(
        f'<rect x="{x}" y="{y + i * 24}" width="{width}" height="13" fill="#eceae2"/>' for i in range(int(height // 24))
    )
