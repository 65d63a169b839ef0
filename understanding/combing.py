"""Combing: the teeth that moving edges have where two fields of different times lie in one picture.

Tooth: a line darker or brighter than both its neighbours, which are alike. Lines two apart are of one field and
have none; fine texture has them at both steps, so the share at one line is weighed against that at two.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

TOOTH: Final = 12  # grey levels between a line and its neighbours
COLUMNS: Final = 640  # of the middle, at most: enough to see motion


def combing(grey: NDArray[np.uint8]) -> float:
    """Return the share of a full-size upright picture (H, W) that has teeth and no texture to explain them.

    Where little moves, woven fields have few teeth and are not told from a plain picture."""
    if min(grey.shape) < 32:
        return 0.0
    left = max(0, (grey.shape[1] - COLUMNS) // 2)
    middle = grey[:, left : left + COLUMNS].astype(np.int16)
    return max(0.0, _teeth(middle, 1) - _teeth(middle, 2))


def _teeth(grey: NDArray[np.int16], step: int) -> float:
    above, line, below = grey[: -2 * step], grey[step:-step], grey[2 * step :]
    up, down = line - above, line - below
    alike = np.abs(above - below) < TOOTH
    return float((alike & (np.minimum(np.abs(up), np.abs(down)) > TOOTH) & ((up > 0) == (down > 0))).mean())
