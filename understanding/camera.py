"""How the camera moves: dense optical flow between pairs of small grey pictures, and the affine motion behind it.

Farneback's flow (Two-Frame Motion Estimation Based on Polynomial Expansion, SCIA 2003) on pictures of 96 x 54 costs
a few milliseconds; an affine motion is fitted to it by iteratively reweighted least squares, so that cars that drive
through the picture do not count as the camera's motion. Driving forward makes the picture flow apart from a point
ahead; a camera on a mast leaves most of the picture where it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from understanding.tagged import CameraMotion

SIZE: Final = (96, 54)  # width and height of a picture, whatever its shape
PAIRS_A_SECOND: Final = 2
STEP: Final = (Fraction(1, 8), Fraction(1, 2))  # seconds between the two pictures of a pair, at least and at most
COLUMNS: Final = 5  # pan and tilt in picture widths a second, growth and spread in 1/s, share that stands still
ROUNDS: Final = 3  # of reweighting
OFF: Final = 0.5  # pixels off the camera's motion at which a place counts half
STANDS: Final = 0.25  # pixels; less is standing still

Rows = NDArray[np.float32]
_WIDTH, _HEIGHT = SIZE
_BOTTOM = slice(_HEIGHT // 2, None)
_LEFT, _RIGHT = slice(0, _WIDTH // 3), slice(-(_WIDTH // 3), None)


@dataclass(slots=True)
class CameraEye:
    """Sees the pictures of a clip in order and keeps a row for each half second that has a pair."""

    rows: dict[int, Rows] = field(default_factory=dict)  # half second -> (COLUMNS,)
    _held: tuple[Fraction, NDArray[np.uint8]] | None = None

    def wants(self, at: Fraction) -> bool:
        """Say whether the picture at `at` seconds begins or ends a pair."""
        if self._held is None:
            return at * PAIRS_A_SECOND >= self._next
        return at - self._held[0] >= STEP[0]

    def see(self, at: Fraction, grey: NDArray[np.uint8]) -> None:
        """Look at a picture of SIZE that is wanted."""
        held, self._held = self._held, None
        if held is None or at - held[0] > STEP[1]:  # a hole: what lies between is unknown
            self._held = at, grey
        else:
            self.rows[int(held[0] * PAIRS_A_SECOND)] = camera_row(held[1], grey, at - held[0])

    def found(self) -> Rows:
        """Return (M, COLUMNS), a row for each half second up to the last one seen; NaN where there was no pair."""
        table = np.full((max(self.rows, default=-1) + 1, COLUMNS), np.nan, np.float32)
        for place, row in self.rows.items():
            table[place] = row
        return table

    @property
    def _next(self) -> int:
        return max(self.rows, default=-1) + 1


def camera_row(before: NDArray[np.uint8], after: NDArray[np.uint8], seconds: Fraction) -> Rows:
    """Return (COLUMNS,) of two grey pictures of SIZE that are `seconds` apart."""
    blank = np.zeros((*before.shape, 2), np.float32)
    flow = cv2.calcOpticalFlowFarneback(before, after, blank, 0.5, 3, 13, 3, 5, 1.1, 0).astype(np.float64)
    across, down = _affine(flow, _trust(before))
    span = flow[_BOTTOM, _RIGHT, 0].mean() - flow[_BOTTOM, _LEFT, 0].mean()
    apart = np.array([across[0], down[0], across[1] + down[2], span]) / (_WIDTH * float(seconds))
    still = (np.hypot(flow[..., 0], flow[..., 1]) < STANDS).mean()
    return np.array([*apart, still], np.float32)


def motion_of(rows: Rows) -> CameraMotion | None:
    """Sum up the rows (M, COLUMNS) of a shot; None where no pair was seen."""
    seen = rows[np.isfinite(rows).all(axis=1)].astype(np.float64)
    if not len(seen):
        return None
    pan, tilt, growth, spread, still = np.median(seen, axis=0)
    travel = float(np.median(np.hypot(seen[:, 0], seen[:, 1])))
    forward = _rise(growth, 0.05, 0.11) * _rise(spread, 0.02, 0.075)
    static = _rise(still, 0.45, 0.70) * (1 - _rise(travel, 0.0125, 0.0375))
    jitter = float(np.hypot(seen[:, 0] - pan, seen[:, 1] - tilt).mean())
    return CameraMotion(
        forward=round(forward, 3),
        static=round(static, 3),
        pan=round(float(pan), 3),
        shake=round(_rise(jitter, 0.03, 0.12), 3),
    )


def _rise(value: float, low: float, high: float) -> float:
    return float(min(1.0, max(0.0, (value - low) / (high - low))))


def _trust(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far the flow at each place can be believed: a plain surface shows no motion. (pixels,)"""
    gradients = [cv2.Sobel(grey, cv2.CV_64F, *order) for order in ((1, 0), (0, 1))]
    trust: NDArray[np.float64] = np.minimum(np.hypot(*gradients), 200.0).ravel() + 1e-3
    return trust


def _places() -> NDArray[np.float64]:
    """Columns 1, x, y of each place, (pixels, 3), with x in -1..1."""
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float64)
    half = _WIDTH / 2
    return np.stack([np.ones(x.size), (x.ravel() - half) / half, (y.ravel() - _HEIGHT / 2) / half], axis=1)


_PLACES: Final = _places()


def _affine(flow: NDArray[np.float64], trust: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coefficients (2, 3) of 1, x and y for the motion across and down, in pixels."""
    moved = flow.reshape(-1, 2)
    fitted = _fitted(moved, trust)
    for _ in range(ROUNDS - 1):
        fitted = _fitted(moved, _less_trusted(trust, moved - _PLACES @ fitted))
    return fitted.T


def _fitted(moved: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted least squares: the coefficients (3, 2) of `_PLACES` for `moved` (pixels, 2)."""
    weighted = _PLACES * weight[:, None]
    fitted = np.linalg.solve(weighted.T @ _PLACES + 1e-6 * np.eye(3), weighted.T @ moved)
    return fitted.astype(np.float64)


def _less_trusted(trust: NDArray[np.float64], off: NDArray[np.float64]) -> NDArray[np.float64]:
    """Doubt places that are `off` (pixels, 2) the camera's motion, as a Cauchy loss does."""
    weight: NDArray[np.float64] = trust / (1 + (np.hypot(off[:, 0], off[:, 1]) / OFF) ** 2)
    return weight
