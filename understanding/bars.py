"""Black bars above and below or left and right of the picture, measured over a whole clip.

A bar is dark and even in every picture that was looked at, ends in a sharp edge and has a twin of the same width on
the other side: a night sky, which is dark and even too, has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

DARK: Final = 40  # grey level that no pixel of a bar exceeds: black is 16 in broadcast range, and codecs ring
EVEN: Final = 20  # levels between the darkest and the brightest pixel of a line
EDGE: Final = 24  # levels that the picture rises over the bar within EDGE_LINES of it
EDGE_LINES: Final = 4
LEAST: Final = 0.02  # of the side; a narrower bar is a codec's rim
TWIN: Final = 0.02  # of the side, by which two bars may differ
LEAST_PICTURE: Final = 0.2  # of the side

Levels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Area:
    """The part of a picture that shows something, in whole pixels of the picture as shown, half-open."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(slots=True)
class BarFinder:
    """Sees grey pictures of a clip at full size and keeps the range of levels of each line and column."""

    _shape: tuple[int, ...] = ()
    _low: list[Levels] = field(default_factory=list)  # of each line, of each column
    _high: list[Levels] = field(default_factory=list)
    _changed: bool = False

    def see(self, grey: Levels) -> None:
        """Look at an upright picture (H, W)."""
        low, high = [grey.min(1), grey.min(0)], [grey.max(1), grey.max(0)]
        if not self._shape:
            self._shape, self._low, self._high = grey.shape, low, high
        elif self._shape == grey.shape:
            self._low = [np.minimum(*pair) for pair in zip(self._low, low, strict=True)]
            self._high = [np.maximum(*pair) for pair in zip(self._high, high, strict=True)]
        else:  # a stream that changes its size has no bars that hold for all of it
            self._changed = True

    def found(self) -> Area | None:
        """Return the area inside the bars; None where there are no bars."""
        if not self._shape or self._changed:
            return None
        height, width = self._shape
        top, bottom = _bars(self._low[0], self._high[0])
        left, right = _bars(self._low[1], self._high[1])
        if not (top or left):
            return None
        return Area(left, top, width - right, height - bottom)


def _bars(low: Levels, high: Levels) -> tuple[int, int]:
    """How many lines at the beginning and at the end are bars; none unless both sides have them."""
    count = len(high)
    first, last = _dark_lines(low, high), _dark_lines(low[::-1], high[::-1])
    twins = min(first, last) >= LEAST * count and abs(first - last) <= max(4, TWIN * count)
    if not twins or count - first - last < LEAST_PICTURE * count:
        return 0, 0
    return first, last


def _dark_lines(low: Levels, high: Levels) -> int:
    """How many lines from the beginning are dark and even; 0 unless a sharp edge ends them."""
    bar = (high <= DARK) & (high.astype(np.int16) - low <= EVEN)
    lines = int(np.argmin(bar)) if not bar.all() else 0
    beyond = high[lines : lines + EDGE_LINES].max(initial=0)
    return lines if lines and int(beyond) - int(high[: lines - 1].max(initial=0)) >= EDGE else 0
