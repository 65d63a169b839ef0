"""Whether two shots show the same moments: re-encoded, scaled, cropped, shortened, brightened, mirrored or not.

Two shots of one fixed camera share all of their picture but what moves, and are different shots. So only that is
compared: what changes in half a second, by normalised correlation in space and time (sequence matching as in Hampapur,
Hyun & Bolle, Comparison of Sequence Matching Techniques for Video Copy Detection, SPIE 4676, 2002), at every shift in
time and through a grid of crops. What stands still (a frozen or black picture, a logo, the background) says nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understanding.glances import GLANCES_A_SECOND, HEIGHT, WIDTH

LIKELY: Final = 0.8  # correlation of all that moves from which two shots are the same
STEADY: Final = 0.35  # ... and of three quarters of the moments at least
LEAST_STEPS: Final = 6  # that the shots share
LEAST_MOVING: Final = 5  # of them that show something moving

SKETCH: Final = 128  # numbers of a sketch

STEP: Final = 2  # glances: what changes in half a second
CELLS: Final = (9, 16)  # rows and columns in which a crop is compared
CROPS: Final = {0.9: (0.0, 0.5, 1.0), 0.85: (0.0, 0.25, 0.5, 0.75, 1.0)}  # share that is left -> where it lies
CONTRAST: Final = 50.0  # grey levels of spread that each glance is brought to
FAINTEST: Final = 4.0  # a flatter glance is black or blank
LEAST_SPREAD: Final = 12.0  # a fainter glance is not lifted further: its noise would be taken for motion
NOISE: Final = 1.5  # grey levels of change that are none
MOVING: Final = 200.0  # sum of squared changes over all cells

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Same:
    """What two shots have in common: what the first shows at t seconds, the second shows at t - `shift`."""

    likeness: float  # correlation of all that moves, LIKELY..1
    seconds: Fraction  # for how long
    shift: Fraction
    mirrored: bool = False

    def turned(self) -> Same:
        """The same, said of the second and the first."""
        return replace(self, shift=-self.shift)


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """What changes in a shot from glance to glance: in the whole picture first, then through each crop of it."""

    changes: Floats  # (C, T, rows * columns)
    energy: Floats  # (C, T) sum of squares

    @property
    def moving(self) -> NDArray[np.bool_]:
        """The steps (T,) in which something moves."""
        moving: NDArray[np.bool_] = self.energy[0] > MOVING
        return moving


def moves_of(glances: Grey) -> Moves:
    """Return what moves in the glances (G, 18, 32) of a shot; T is 0 where there are too few."""
    cells = _cropped(_levelled(glances.astype(np.float32)))
    cells -= cells.mean(axis=-1, keepdims=True)
    cells *= CONTRAST / np.maximum(cells.std(axis=-1, keepdims=True), CONTRAST / 2)
    changes = cells[:, STEP:] - cells[:, :-STEP]
    changes = np.sign(changes) * np.maximum(np.abs(changes) - NOISE, 0)
    return Moves(changes, np.square(changes).sum(axis=-1))


def compare(one: Moves, two: Moves) -> Same | None:
    """Say what two shots have in common, or None where they are different shots."""
    found = [
        *(_aligned(one, two, mirrored=mirrored) for mirrored in (False, True)),
        *(same and same.turned() for same in (_aligned(two, one, mirrored=mirrored) for mirrored in (False, True))),
    ]
    return max((same for same in found if same), key=lambda same: same.likeness, default=None)


def sketch(vector: Floats) -> NDArray[np.int8]:
    """Return (SKETCH,) of a shot's vector (D,): the cosine of two sketches is about that of the vectors.

    A random projection with entries of 1 and -1 (Achlioptas, Database-friendly random projections, JCSS 2003).
    """
    projected: Floats = vector.astype(np.float32) @ _signs(len(vector))
    largest = max(float(np.abs(projected).max()), 1e-6)
    rounded: NDArray[np.int8] = np.rint(projected * np.float32(127 / largest)).astype(np.int8)
    return rounded


@cache
def _signs(dimensions: int) -> Floats:
    """Return (dimensions, SKETCH) of 1 and -1, the same everywhere and always."""
    bits = np.unpackbits(np.frombuffer(hashlib.shake_256(b"sketch").digest(dimensions * SKETCH // 8), np.uint8))
    return (2.0 * bits.reshape(dimensions, SKETCH) - 1).astype(np.float32)


def _aligned(one: Moves, two: Moves, *, mirrored: bool) -> Same | None:
    """Lay the whole of `two` over each crop of `one` at each shift, and keep the best."""
    if not (one.moving.any() and two.moving.any()):
        return None
    whole = _mirrored(two.changes[0]) if mirrored else two.changes[0]
    products = one.changes @ whole.T  # (C, T1, T2)
    ones = np.ones((1, *products.shape[1:]), np.float32)
    steps = _diagonals(ones)[0]
    moving = _diagonals((one.moving[:, None] & two.moving[None, :])[None].astype(np.float32))[0]
    energy = _diagonals(one.energy[:, :, None] * ones) * _diagonals(two.energy[:1, None, :] * ones)
    likeness = _diagonals(products) / np.sqrt(energy + 1e-6)
    likeness[:, (steps < LEAST_STEPS) | (moving < LEAST_MOVING)] = 0
    crop, place = np.unravel_index(likeness.argmax(), likeness.shape)
    shift = len(one.energy[0]) - 1 - int(place)
    alike = float(likeness[crop, place])
    if alike < LIKELY or _steadily(products[crop], one.energy[crop], two.energy[0], shift) < STEADY:
        return None
    seconds = Fraction(int(steps[place]) + STEP, GLANCES_A_SECOND)
    return Same(round(min(1.0, alike), 3), seconds, Fraction(shift, GLANCES_A_SECOND), mirrored)


def _steadily(products: Floats, one: Floats, two: Floats, shift: int) -> float:
    """The correlation that three quarters of the moving moments reach; other cars in the same lane are alike at times.

    `products` is (T1, T2) of one crop, `one` and `two` are energies (T1,) and (T2,).
    """
    at = np.arange(max(0, shift), min(len(one), len(two) + shift))
    moving = at[two[at - shift] > MOVING]
    each = products[moving, moving - shift] / np.sqrt(one[moving] * two[moving - shift] + 1e-6)
    return float(np.quantile(each, 0.25)) if len(each) else 0.0


def _diagonals(table: Floats) -> Floats:
    """Sum the diagonals of (C, A, B): column A - 1 + k of (C, A + B - 1) sums [i, i + k]."""
    layers, high, wide = table.shape
    padded = np.zeros((layers, high, high + wide), np.float32)
    padded[:, :, :wide] = table[:, ::-1]
    slanted = padded.reshape(layers, -1)[:, : high * (high + wide - 1)].reshape(layers, high, high + wide - 1)
    summed: Floats = slanted.sum(axis=1)
    return summed


def _mirrored(changes: Floats) -> Floats:
    return changes.reshape(-1, *CELLS)[:, :, ::-1].reshape(len(changes), -1)


def _levelled(glances: Floats) -> Floats:
    """Bring each glance to one brightness and contrast; black and blank ones to nothing."""
    level = glances - glances.mean(axis=(1, 2), keepdims=True)
    spread = level.std(axis=(1, 2), keepdims=True)
    levelled: Floats = np.where(spread < FAINTEST, np.float32(0), level * (CONTRAST / np.maximum(spread, LEAST_SPREAD)))
    return levelled


def _cropped(glances: Floats) -> Floats:
    """Return the cells (C, G, rows * columns) of glances (G, H, W) through each crop, the whole first."""
    across = np.tensordot(glances, _COLUMNS, (2, 2))  # (G, H, crops, columns)
    cells = np.tensordot(across, _ROWS, (1, 2))  # (G, crops, columns, crops, rows)
    return cells.transpose(3, 1, 0, 4, 2)[_BOTH].reshape(len(_BOTH[0]), len(glances), CELLS[0] * CELLS[1])


def _cuts() -> list[tuple[float, float]]:
    """Return (start, share) of what a crop may leave of the width or the height; the whole is first."""
    return [(0.0, 1.0), *(((1 - share) * at, share) for share, places in CROPS.items() for at in places)]


def _both() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which cuts go together: of one share in both directions, or of one direction alone."""
    shares = np.array([share for _, share in _cuts()])
    down, across = np.nonzero((shares[:, None] == shares) | (shares[:, None] == 1) | (shares == 1))
    return down, across


def _crops(pixels: int, cells: int) -> Floats:
    """Return (crops, cells, pixels): the weights that average pixels into cells, for the whole and each crop of it."""
    return np.stack([_averages(pixels, cells, *cut) for cut in _cuts()])


def _averages(pixels: int, cells: int, start: float, share: float) -> Floats:
    edges = pixels * (start + share * np.arange(cells + 1) / cells)
    low, high = np.maximum(edges[:-1, None], np.arange(pixels)), np.minimum(edges[1:, None], np.arange(1, pixels + 1))
    covered = np.maximum(high - low, 0)
    weights: Floats = (covered / covered.sum(axis=1, keepdims=True)).astype(np.float32)
    return weights


_BOTH: Final = _both()
_ROWS: Final = _crops(HEIGHT, CELLS[0])
_COLUMNS: Final = _crops(WIDTH, CELLS[1])
