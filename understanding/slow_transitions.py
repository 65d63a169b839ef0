"""Cross-fades, dissolves and wipes, from small pictures: one shot becomes another without a cut.

In the middle of a transition a picture is made of both shots: a mixture in one proportion everywhere (cross-fade,
dissolve), or the one here and the other there (wipe). What moves inside a shot is neither. So each picture is explained
by those a quarter of a second to a second before and after it, as in the double-sided test of Lienhart (Reliable
Dissolve Detection, SPIE 4315, 2001), which looks for the synthesis error too.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE: Final = (32, 18)  # width and height of what is compared
RATE: Final = 8  # pictures a second
REACHES: Final = (2, 4, 8)  # pictures before and after
APART: Final = 15.0  # mean grey levels between both sides
CHANGED, STEP = 0.6, 12.0  # share of the picture that differs by STEP levels, whatever the light does
MIXED, MIXED_LIKE = 0.3, 0.5  # unexplained share of the difference, and correlation of both sides, at most
WIPED, WIPED_LIKE = 0.2, 0.6
MIDDLE: Final = (0.3, 0.7)  # proportion of the later shot
ONE: Final = Fraction(1)  # second; nearer finds are one transition

Picture = NDArray[np.float32]


@dataclass(slots=True)
class TransitionFinder:
    """Sees the pictures of a clip in order and remembers two seconds of them."""

    _seen: int = 0
    _held: deque[Picture] = field(default_factory=lambda: deque(maxlen=2 * max(REACHES) + 1))
    _finds: list[tuple[float, Fraction]] = field(default_factory=list)  # how ill explained, and when

    def see(self, bgr: NDArray[np.uint8], end: Fraction) -> None:
        """Look at a picture (height, width, 3) that is shown until `end` seconds."""
        if Fraction(self._seen, RATE) >= end:
            return
        small = np.asarray(cv2.resize(bgr, SIZE, interpolation=cv2.INTER_AREA), np.float32)
        while Fraction(self._seen, RATE) < end:
            self._held.append(small)
            self._seen += 1
            for reach in REACHES:
                self._judge(reach)

    def found(self) -> list[Fraction]:
        """Return the middles of the transitions so far, ascending: of finds close together the best explained."""
        groups: list[list[tuple[float, Fraction]]] = []
        for find in sorted(self._finds, key=lambda one: one[1]):
            if groups and find[1] - groups[-1][-1][1] <= ONE:
                groups[-1].append(find)
            else:
                groups.append([find])
        return [min(group)[1] for group in groups]

    def _judge(self, reach: int) -> None:
        if len(self._held) > 2 * reach:
            unexplained = mixture(self._held[-1 - 2 * reach], self._held[-1 - reach], self._held[-1])
            if unexplained is not None:
                self._finds.append((unexplained, Fraction(self._seen - 1 - reach, RATE)))


def mixture(before: Picture, middle: Picture, after: Picture) -> float | None:
    """Return how much of the middle both sides leave unexplained, 0..1 of what is allowed; None for no transition."""
    step = after - before
    apart = cv2.norm(step, cv2.NORM_L1) / step.size
    if apart < APART:
        return None
    like = _correlation(before, after)
    if like >= max(MIXED_LIKE, WIPED_LIKE) or _changed(step) < CHANGED:
        return None
    proportion = float((step * (middle - before)).sum() / (step * step).sum())
    mixed = float(np.abs(middle - before - proportion * step).mean()) / (apart * MIXED)
    if mixed < 1 and like < MIXED_LIKE and MIDDLE[0] < proportion < MIDDLE[1]:
        return mixed
    early, late = np.abs(middle - before).mean(2), np.abs(middle - after).mean(2)
    wiped = float(np.minimum(early, late).mean()) / (apart * WIPED)
    return wiped if wiped < 1 and like < WIPED_LIKE and MIDDLE[0] < (late < early).mean() < MIDDLE[1] else None


def _changed(step: Picture) -> float:
    """Share of the picture that changes otherwise than the whole of it does."""
    return float((np.abs(step - np.median(step, (0, 1))).max(2) > STEP).mean())


def _correlation(one: Picture, two: Picture) -> float:
    left, right = one - one.mean(), two - two.mean()
    return float((left * right).sum() / (np.sqrt((left * left).sum() * (right * right).sum()) + 1e-3))
