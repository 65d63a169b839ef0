"""The one vehicle that a shot is about, followed through it: sightings at an even step, joined to the best chain.

A sighting is a patch where the picture net is sure of a vehicle, or, where the camera stands still, one that differs
from the scene without it. Sightings of successive looks are joined to the chain that is worth most over the whole shot
(Zhang, Li and Nevatia 2008, for one object): large and sure ones count, jumps and gaps cost. A shot in which another
chain is worth half as much has no single subject.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from understanding.tagged import Box
from understanding.vehicles import CELL, Map, looked_size

# Of a patch in the net's map
SURE: Final = 1.5  # log odds from which a place belongs to it
SPILL: Final = 0.9  # cells by which the net sees a vehicle wider than it is, on either side
LEAST_LEFT: Final = 0.6  # of a patch when the spill is taken off
LEAST_AREA: Final = 0.002  # of the picture
# Of a patch that moves before a camera that stands
GREY_COLUMNS: Final = 128
LEAST_LOOKS: Final = 6  # to know the scene without what moves
EDGES: Final = 0.8  # quantile of the gradient: the fifth of the places that a moving camera would change most
STANDS: Final = 12.0  # grey levels within which a place is as it was
STILL_SHARE: Final = 0.75  # of the edges, from which the camera stands
MOVED: Final = 26.0  # grey levels
LEAST_MOVED: Final = 0.006  # of the picture
AGREE: Final = 0.3  # intersection over union from which net and motion speak of the same
FILLED: Final = 0.5  # of its box: what sprawls is dust, spray or leaves
EXPLAINED: Final = 0.15  # share of what moves that the net sees as a vehicle, from which the rest is its dust
MOVED_WORTH: Final = 0.6  # of what moves, beside what the net sees
UNSEEN_WORTH: Final = 0.3  # of what moves where the net sees nothing at all
MOVING_WORTH: Final = 1.6  # of a vehicle that moves, beside one that is parked
# Of a chain
LINK_COST: Final = 1.5  # a picture's width of travel, in square roots of area
GAP_COST: Final = 0.04  # a look that is left out
LONGEST_GAP: Final = 6  # looks
LEAST_SEEN: Final = 0.4  # of all looks
LEAST_SCORE: Final = 0.6  # mean of the surer half
RIVAL: Final = 0.5  # of the best chain's worth
SMOOTHED: Final = 5  # looks of the running median


@dataclass(frozen=True, slots=True)
class Sighting:
    """A box in shares of the picture, how sure the net is of a vehicle there (0..1), and what it is worth."""

    box: Box
    score: float
    worth: float


@dataclass(frozen=True, slots=True)
class Subject:
    """The looks at which a vehicle was seen, ascending, and its box at each."""

    looks: tuple[int, ...]
    boxes: tuple[Box, ...]


def sightings(evidence: Sequence[Map], greys: Sequence[NDArray[np.uint8]]) -> list[list[Sighting]]:
    """Return what is seen in each look, from the net's maps (h, w) and small grey pictures of the same looks."""
    moved = movers(greys)
    return [list(_seen(odds, boxes)) for odds, boxes in zip(evidence, moved, strict=True)]


def grey_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the small grey picture of an RGB picture (H, W, 3) that `sightings` wants."""
    lines = max(1, round(GREY_COLUMNS * picture.shape[0] / picture.shape[1]))
    small = cv2.resize(picture, (GREY_COLUMNS, lines), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def subject_of(seen: Sequence[Sequence[Sighting]]) -> Subject | None:
    """Return the vehicle that the shot is about; None where there is none, or no single one."""
    best = _chain(seen)
    if not best or len(best) < LEAST_SEEN * len(seen):
        return None
    found = [seen[look][place] for look, place in best]
    scores = sorted((sighting.score for sighting in found), reverse=True)
    if float(np.mean(scores[: (len(scores) + 1) // 2])) < LEAST_SCORE:
        return None
    if _worth(seen, _chain(_without(seen, best))) > RIVAL * _worth(seen, best):
        return None
    sides = np.array([_sides(sighting.box) for sighting in found])
    steady = median_filter(sides, size=(SMOOTHED, 1), mode="nearest")
    return Subject(tuple(look for look, _ in best), tuple(Box(*map(float, row)) for row in steady))


# what is seen in one look


def _seen(odds: Map, moved: Sequence[Box]) -> Iterator[Sighting]:
    taken = set[int]()
    found = list(patches(odds))
    for box, score in found:
        near = max(range(len(moved)), key=lambda place: box.overlap(moved[place]), default=None)
        if near is not None and box.overlap(moved[near]) >= AGREE:
            taken.add(near)
            shared = box.shared(moved[near])
            yield Sighting(shared, score, MOVING_WORTH * score * shared.area**0.5)
        else:
            yield Sighting(box, score, score * box.area**0.5)
    for place, box in enumerate(moved):
        if place in taken or any(one.shared(box).area > EXPLAINED * box.area for one, _ in found):
            continue
        score = _score_in(odds, box)
        yield Sighting(box, score, MOVED_WORTH * (UNSEEN_WORTH + (1 - UNSEEN_WORTH) * score) * box.area**0.5)


def patches(odds: Map) -> Iterator[tuple[Box, float]]:
    """Yield the patches of a map in which the net is sure, without what it sees of their surroundings."""
    lines, columns = odds.shape
    across, down = (SPILL * CELL / side for side in looked_size(columns, lines))
    count, labels, stats, _ = cv2.connectedComponentsWithStats((odds > SURE).astype(np.uint8), connectivity=4)
    for number in range(1, count):
        x, y, w, h, _ = (int(value) for value in stats[number])
        left, right = _narrowed(x / columns, (x + w) / columns, across)
        top, bottom = _narrowed(y / lines, (y + h) / lines, down)
        box = Box(left, top, right, bottom)
        if box.area >= LEAST_AREA:
            yield box, float(1 / (1 + np.exp(-odds[labels == number].max())))


def _narrowed(low: float, high: float, spill: float) -> tuple[float, float]:
    """Take the spill off both ends; an end at the picture's edge has none."""
    off = min(spill, (high - low) * (1 - LEAST_LEFT) / 2)
    return low + off * (low > 0), high - off * (high < 1)


def _score_in(odds: Map, box: Box) -> float:
    lines, columns = odds.shape
    rows = slice(int(box.top * lines), max(int(box.top * lines) + 1, round(box.bottom * lines)))
    across = slice(int(box.left * columns), max(int(box.left * columns) + 1, round(box.right * columns)))
    return float(1 / (1 + np.exp(-odds[rows, across].max())))


# what moves before a camera that stands


def movers(greys: Sequence[NDArray[np.uint8]]) -> list[list[Box]]:
    """Return what differs from the scene in each look; nothing where the camera moves, or too little is seen of it."""
    if len(greys) < LEAST_LOOKS:
        return [[] for _ in greys]
    pictures = np.stack(greys).astype(np.float32)
    levels = np.median(pictures, axis=(1, 2), keepdims=True)
    pictures *= np.median(levels) / np.maximum(levels, 1.0)  # a camera that opens its iris changes all places alike
    scene = np.median(pictures, axis=0)
    off = np.abs(pictures - scene)
    slope = np.hypot(*np.gradient(scene))
    if float(np.median((off[:, slope >= np.quantile(slope, EDGES)] < STANDS).mean(axis=1))) < STILL_SHARE:
        return [[] for _ in greys]
    return [list(_patched(picture > MOVED)) for picture in off]


def _patched(mask: NDArray[np.bool_]) -> Iterator[Box]:
    lines, columns = mask.shape
    whole = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(whole, connectivity=8)
    for x, y, w, h, filled in stats[1:count].tolist():
        if filled >= max(LEAST_MOVED * mask.size, FILLED * w * h):
            yield Box(x / columns, y / lines, (x + w) / columns, (y + h) / lines)


# chains


def _chain(seen: Sequence[Sequence[Sighting]]) -> list[tuple[int, int]]:
    """Return the chain of sightings (look, place) that is worth most: dynamic programming over the looks."""
    worth: list[list[float]] = []
    before: list[list[tuple[int, int] | None]] = []
    for look, here in enumerate(seen):
        worth.append([])
        before.append([])
        for sighting in here:
            gain, link = 0.0, None
            for back in range(1, min(LONGEST_GAP, look) + 1):
                for place, earlier in enumerate(seen[look - back]):
                    cost = LINK_COST * _apart(earlier.box, sighting.box) / back**0.5 + GAP_COST * (back - 1)
                    if worth[look - back][place] - cost > gain:
                        gain, link = worth[look - back][place] - cost, (look - back, place)
            worth[look].append(sighting.worth + gain)
            before[look].append(link)
    ends = [(value, look, place) for look, values in enumerate(worth) for place, value in enumerate(values)]
    if not ends:
        return []
    _, look, place = max(ends)
    chain: list[tuple[int, int]] = []
    at: tuple[int, int] | None = (look, place)
    while at is not None:
        chain.append(at)
        at = before[at[0]][at[1]]
    return chain[::-1]


def _worth(seen: Sequence[Sequence[Sighting]], chain: Sequence[tuple[int, int]]) -> float:
    return sum(seen[look][place].worth for look, place in chain)


def _without(seen: Sequence[Sequence[Sighting]], chain: Sequence[tuple[int, int]]) -> list[list[Sighting]]:
    """Leave out what touches the chain: pieces of the same vehicle are no rivals."""
    boxes = {look: seen[look][place].box for look, place in chain}
    return [
        [one for one in here if look not in boxes or not one.box.touches(boxes[look])] for look, here in enumerate(seen)
    ]


def _apart(one: Box, other: Box) -> float:
    return float(np.abs(np.subtract(_sides(one), _sides(other))).mean())


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom
