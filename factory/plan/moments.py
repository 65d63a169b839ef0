"""The best moment of a shot: which part of it is shown where it is longer than its place.

Of each quarter of a second two things are known: how bright the picture is, and how much of it changes. A window is
better the more moves in it; black and dark stretches and jerks (a whip of the camera, a flash, the rest of a cut) count
against it. Where no window is clearly ahead, and where nothing is known, the middle of the shot is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from statistics import fmean, median

from factory.plan.scoring import EDGE_FRAMES, offset_for, speed_for
from factory.plan.selection import Candidate, Choice, Reason, Slot

LIVELY = 2.0  # grey levels of change in a quarter second from which a picture is as lively as can be
LIVELY_POINTS = 1.0
DARK, BLACK = 0.10, 0.02  # mean brightness
DARK_POINTS, BLACK_POINTS = -1.0, -3.0
JERK = 10.0  # grey levels of change, and
JERK_TIMES = 4.0  # times that of the shot's middle moment, from which it is a jerk
JERK_POINTS = -2.0
MIDDLE_POINTS = 0.1  # what the farthest window loses against the middle
BETTER = 0.1  # points that a window must be ahead of the middle


@dataclass(frozen=True, slots=True)
class Moment:
    """A look at a shot, `at` seconds from its start: brightness 0..1, and grey levels (0..255) of change since the last
    look."""

    at: Fraction
    light: float
    change: float


def at_best_moment(choice: Choice, moments: Sequence[Moment]) -> Choice:
    """Return the choice with where its shot starts to be read, and why where that is not its middle."""
    start = best_offset(choice.slot, choice.candidate, moments)
    if start == choice.offset:
        return choice
    why = f"is read from {float(start):.2f} s on, its best part, not from {float(choice.offset):.2f} s"
    return replace(choice, offset=start, reasons=(*choice.reasons, Reason(0.0, "motion", why)))


def best_offset(slot: Slot, candidate: Candidate, moments: Sequence[Moment]) -> Fraction:
    """Return where in the shot to start reading, in seconds: the best window, else the middle, clear of both edges.

    Windows start at whole half seconds of the file, where a mezzanine's groups begin.
    """
    middle = offset_for(slot, candidate)
    speed = speed_for(slot, candidate)
    if speed is None or not moments:
        return middle
    length = slot.seconds * speed
    last = candidate.seconds - length
    edge = Fraction(EDGE_FRAMES, 2) / candidate.fps
    first_half, last_half = ceil(2 * (candidate.start + edge)), floor(2 * (candidate.start + last - edge))
    starts = [Fraction(half, 2) - candidate.start for half in range(first_half, last_half + 1)]
    worth = dict(zip([moment.at for moment in moments], _worths(moments), strict=True))

    def window(start: Fraction) -> float:
        inside = [points for at, points in worth.items() if start <= at < start + length]
        far = abs(float((start - last / 2) / last)) * 2 if last > 0 else 0.0
        return (fmean(inside) if inside else 0.0) - MIDDLE_POINTS * far

    best = max(starts, key=lambda start: (window(start), -abs(start - middle)), default=middle)
    return best if window(best) > window(middle) + BETTER else middle


def _worths(moments: Sequence[Moment]) -> list[float]:
    usual = median(moment.change for moment in moments)
    return [_worth(moment, max(JERK, JERK_TIMES * usual)) for moment in moments]


def _worth(moment: Moment, jerk: float) -> float:
    if moment.light < BLACK:
        return BLACK_POINTS
    points = LIVELY_POINTS * min(1.0, moment.change / LIVELY)
    if moment.change > jerk:
        points = JERK_POINTS
    return points + (DARK_POINTS if moment.light < DARK else 0.0)
