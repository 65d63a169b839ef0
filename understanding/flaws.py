"""Stretches of a clip that an editor would not want, told from what was measured of its pictures."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LOW_LIGHT, BLACK, BLACK_PEAK = 0.10, 0.02, 24  # mean brightness 0..1; brightest grey level of a black picture
BLURRED: Final = 0.12  # sharpness
FROZEN_STEP: Final = 0.3  # grey levels between half seconds
COMBED: Final = 0.004  # share of the picture, see combing.combing
SHAKY: Final = 0.12  # picture widths a second by which the camera's motion jumps from half second to half second
STANDS: Final = 0.45  # share of the picture; a camera that leaves as much where it is does not shake
LEAST: Final = {"black": 1, "frozen": 2, "low-light": 2, "blurred": 2, "interlaced": 2, "shaky": 2}  # seconds

Wrong = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with [start, end) seconds of the file: one of LEAST."""

    name: str
    start: Fraction
    end: Fraction

    @property
    def seconds(self) -> Fraction:
        return self.end - self.start


def stretches(name: str, wrong: Wrong, rate: int) -> Iterator[Flaw]:
    """Yield the runs of `wrong`, which has `rate` entries a second, that last as long as LEAST says."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wrong, [False]])))
    for start, end in edges.reshape(-1, 2).tolist():
        if end - start >= LEAST[name] * rate:
            yield Flaw(name, Fraction(start, rate), Fraction(end, rate))


def within(flaws: Iterable[Flaw], start: Fraction, end: Fraction) -> tuple[Flaw, ...]:
    """Cut flaws to [start, end); a rest of less than a second is left out."""
    cut = [replace(flaw, start=max(start, flaw.start), end=min(end, flaw.end)) for flaw in flaws]
    return tuple(flaw for flaw in cut if flaw.seconds >= min(Fraction(1), end - start) and flaw.seconds > 0)


def mostly(flaws: Iterable[Flaw], name: str, seconds: Fraction) -> bool:
    """Whether more than half of `seconds` have the flaw."""
    return 2 * sum(flaw.seconds for flaw in flaws if flaw.name == name) > seconds


def black(peeks: NDArray[np.uint8]) -> Wrong:
    """Which of the small grey pictures (M, h, w) show nothing."""
    levels = peeks.reshape(len(peeks), -1)
    dark: Wrong = (levels.max(1) < BLACK_PEAK) & (levels.mean(1) < 255 * BLACK)
    return dark


def frozen(peeks: NDArray[np.uint8]) -> Wrong:
    """Which of the small grey pictures (M, h, w) are followed by the same."""
    steps = [np.abs(b.astype(np.int16) - a).mean() for a, b in itertools.pairwise(peeks)]
    same: Wrong = np.array([*steps, np.inf]) < FROZEN_STEP
    return same


def shaky(camera: NDArray[np.float32], cuts: Iterable[Fraction] = (), *, rate: int = 2) -> Wrong:
    """Which of the camera's rows (P, 5), `rate` a second, jump about: their motion is far from that before and behind.

    A pan, however fast, speeds up and slows down evenly; a hand on the run does not."""
    wrong = np.zeros(len(camera), bool)
    if len(camera) < 3:
        return wrong
    jumps: NDArray[Any] = np.hypot(*(camera[1:-1, :2] - (camera[:-2, :2] + camera[2:, :2]) / 2).T)
    for cut in cuts:  # what lies on both sides of a cut does not compare
        jumps[max(0, int(cut * rate) - 2) : int(cut * rate) + 1] = 0
    moving = np.nan_to_num(camera[1:-1, 4], nan=1.0) < STANDS
    jumps = np.pad(np.nan_to_num(jumps) * moving, 2, mode="edge")
    wrong[1:-1] = np.convolve(jumps, np.ones(5) / 5, mode="valid") > SHAKY
    return wrong
