"""Which part of a picture is shown on a canvas, so that what is burnt in falls outside where that costs little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from factory.plan.selection import BurntRegion

LONGEST_ZOOM = 1.2  # how much larger than without regions the picture may be shown
MOST_REGIONS = 4  # more have no window that leaves all of them out
Window = tuple[float, float, float, float]  # left, top, right, bottom in shares of the picture
WHOLE: Window = (0.0, 0.0, 1.0, 1.0)


def covering(width: int, height: int, shape: Fraction, within: Window = WHOLE) -> Window:
    """Return the largest window of `shape` (width / height) inside `within`, as near to the middle as can be."""
    left, top, right, bottom = within
    ratio = float(shape * height / width)  # the window's sides in shares of the picture
    across = min(right - left, (bottom - top) * ratio)
    down = across / ratio
    x = min(max(0.5 - across / 2, left), right - across)
    y = min(max(0.5 - down / 2, top), bottom - down)
    return x, y, x + across, y + down


def clear_window(regions: Sequence[BurntRegion], width: int, height: int, shape: Fraction) -> Window | None:
    """Return the largest window that leaves all regions out, None where there is none that is large enough."""
    if not regions or len(regions) > MOST_REGIONS:
        return None
    usual = covering(width, height, shape)
    found = [covering(width, height, shape, free) for free in _free_of(regions)]
    best = max(found, key=lambda window: window[2] - window[0], default=None)
    return best if best and (best[2] - best[0]) * LONGEST_ZOOM >= usual[2] - usual[0] else None


def _free_of(regions: Sequence[BurntRegion]) -> Iterator[Window]:
    """Yield the rectangles on one side of each region."""
    sides = [
        ((0.0, 0.0, r.left, 1.0), (0.0, 0.0, 1.0, r.top), (r.right, 0.0, 1.0, 1.0), (0.0, r.bottom, 1.0, 1.0))
        for r in regions
    ]
    for chosen in product(*sides):
        left, top = (max(side[place] for side in chosen) for place in (0, 1))
        right, bottom = (min(side[place] for side in chosen) for place in (2, 3))
        if left < right and top < bottom:
            yield left, top, right, bottom
