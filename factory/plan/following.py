"""A crop that follows something through a shot without a nervous move: its path, from where the thing is over time.

The whole shot is known, so the path looks ahead. It is a uniform cubic B-spline whose control points a linear program
sets: the window stays, or moves at an even pace, wherever that keeps the thing inside (L1 camera paths, Grundmann,
Kwatra and Essa 2011), and neither speed nor acceleration passes its limit: control points bound both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

KNOT_SECONDS: Final = Fraction(2, 5)
MOST_SPEED: Final = 0.35  # of the picture's side a second
MOST_ACCELERATION: Final = 0.5  # of the picture's side a second, each second
LEAST_INSIDE: Final = 0.9  # share of the thing that the window has to show
MOST_OUTSIDE: Final = 0.05  # share of the sights in which it may show less, or the thing is too wide for it
AIR: Final = 0.12  # of the window's side on either side of the thing, where there is room
ENOUGH: Final = 0.75  # of that, for a window to stay where it is
SCARCE: Final = 0.25  # of that, where the window would only creep otherwise
CREEP: Final = 0.05  # of the picture's side: less than this in all is not worth a move
EVEN: Final = 1e-9
# What the path pays: for each second of speed and acceleration, each change of acceleration, and for each sight the
# share of the picture's side that the thing sticks out, or has too little air, or stands off the middle.
MOVING, PUSHING, JERKING = 2.0, 1.0, 0.5
OUT, AIRLESS, OFF_MIDDLE = 400.0, 6.0, 0.05

Axis = Literal["x", "y"]


@dataclass(frozen=True, slots=True)
class Sight:
    """Where the thing is along the axis at `seconds` of the layer: from `low` to `high`, in shares of the picture."""

    seconds: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Follow:
    """A window of `window` of the picture's side along `axis`, whole along the other, and its path.

    At frame n of the layer its near edge stands at the sum of knots[j] * B(n / step + 1 - j), in shares of the side,
    where B is the uniform cubic B-spline around 0.
    """

    axis: Axis
    window: float
    step: int  # output frames
    knots: tuple[float, ...]

    def at(self, frame: int) -> float:
        """Return where the window's near edge stands."""
        place = frame / self.step + 1
        return sum(knot * b_spline(place - number) for number, knot in enumerate(self.knots))

    @property
    def is_still(self) -> bool:
        return len(set(self.knots)) == 1


def b_spline(at: float) -> float:
    """Return the uniform cubic B-spline around 0, which reaches from -2 to 2."""
    near, far = max(1 - abs(at), 0.0), max(2 - abs(at), 0.0)
    return float((far**3 - 4 * near**3) / 6)


def follow(sights: Sequence[Sight], axis: Axis, window: float, frames: int, fps: Fraction) -> Follow | None:
    """Return the path of a window over `frames` frames that shows what was sighted.

    None where it cannot: the thing is wider than the window, or faster than the window may be. Without sights it rests
    in the middle.
    """
    step = max(1, round(KNOT_SECONDS * fps))
    count = ceil(max(frames - 1, 1) / step) + 3
    if sum(sight.high - sight.low > window for sight in sights) > MOST_OUTSIDE * len(sights):
        return None
    knots = _knots(sights, window, count, float(step / fps))
    if knots is None:
        return None
    places = tuple(round(float(knot), 5) + 0.0 for knot in knots)  # no -0.0, which reads as another path
    path = Follow(axis, round(window, 6), step, places)
    lost = sum(inside(path, sight, fps) < LEAST_INSIDE for sight in sights)
    return path if lost <= MOST_OUTSIDE * len(sights) else None


def inside(path: Follow, sight: Sight, fps: Fraction) -> float:
    """Return the share of the thing that the window shows at a sight."""
    left = path.at(round(sight.seconds * fps))
    shared = min(sight.high, left + path.window) - max(sight.low, left)
    return max(0.0, shared) / max(sight.high - sight.low, 1e-9)


def _knots(sights: Sequence[Sight], window: float, count: int, step: float) -> Sequence[float] | None:
    """Return the control points: all alike where the window can rest, or would only creep."""
    rest = _rest(sights, window, ENOUGH)
    if rest is not None:
        return [rest] * count
    knots = _solved(sights, window, count, step)
    if knots is not None and max(knots) - min(knots) < CREEP:
        rest = _rest(sights, window, SCARCE)
    return knots if rest is None else [rest] * count


def _rest(sights: Sequence[Sight], window: float, enough: float) -> float | None:
    """Return where the window can stay for the whole shot, as near to the thing's usual middle as it may; else None.

    `enough` is the share of the wanted air that it must leave.
    """
    if not sights:
        return (1 - window) / 2
    air = [enough * _air(sight, window) for sight in sights]
    least = max(0.0, *(sight.high + spare - window for sight, spare in zip(sights, air, strict=True)))
    most = min(1 - window, *(sight.low - spare for sight, spare in zip(sights, air, strict=True)))
    usual = float(np.median([sight.low + sight.high for sight in sights])) / 2 - window / 2
    return min(max(usual, least), most) if least <= most + EVEN else None


def _air(sight: Sight, window: float) -> float:
    """Return how much room the thing has on either side: as much as the window has over, but no more than is wanted."""
    return min(max((window - (sight.high - sight.low)) / 2, 0.0), AIR * window)


def _solved(sights: Sequence[Sight], window: float, count: int, step: float) -> Sequence[float] | None:
    """Return the control points, `step` seconds apart: a linear program over them and the size of what they pay for."""
    from scipy.optimize import linprog  # noqa: PLC0415  a third of a second that planning alone need not pay
    from scipy.sparse import csr_matrix, hstack, identity, vstack  # noqa: PLC0415  as slow, and wanted with it

    speed = np.diff(np.eye(count), axis=0) / step
    push = np.diff(np.eye(count), n=2, axis=0) / step**2
    jerk = np.diff(np.eye(count), n=3, axis=0) / step**3
    seen = _seen(sights, count, step)
    low = np.array([sight.low for sight in sights])
    high = np.array([sight.high for sight in sights])
    air = np.array([_air(sight, window) for sight in sights])
    middle = np.clip((low + high - window) / 2, 0.0, 1.0 - window)
    # Each part: what of the knots is paid for, from which value on, at which price, and its limit.
    parts = [
        *((side * speed, np.zeros(len(speed)), MOVING * step, MOST_SPEED) for side in (1, -1)),
        *((side * push, np.zeros(len(push)), PUSHING * step, MOST_ACCELERATION) for side in (1, -1)),
        *((side * jerk, np.zeros(len(jerk)), JERKING * step, None) for side in (1, -1)),
        (seen, low, OUT, None),
        (-seen, window - high, OUT, None),
        (seen, low - air, AIRLESS, None),
        (-seen, window - high - air, AIRLESS, None),
        *((side * seen, side * middle, OFF_MIDDLE, None) for side in (1, -1)),
    ]
    rows, slack = [], []
    for matrix, value, price, limit in parts:
        rows.append((csr_matrix(matrix), value))
        slack.append((len(value), price, limit))
    width = sum(number for number, _, _ in slack)
    matrix = hstack([vstack([row for row, _ in rows]), -identity(width, format="csr")], format="csr")
    bound = np.concatenate([value for _, value in rows])
    cost = np.concatenate([np.zeros(count), *(np.full(number, price) for number, price, _ in slack)])
    limits = [(0.0, 1.0 - window)] * count + [(0.0, limit) for number, _, limit in slack for _ in range(number)]
    found = linprog(cost, A_ub=matrix, b_ub=bound, bounds=limits, method="highs-ds")
    return [float(knot) for knot in found.x[:count]] if found.status == 0 else None


def _seen(sights: Sequence[Sight], count: int, step: float) -> NDArray[np.float64]:
    """Return how much each control point has of the window's place at each sight, (sights, count)."""
    weights = [[b_spline(sight.seconds / step + 1 - number) for number in range(count)] for sight in sights]
    return np.array(weights).reshape(len(sights), count)
