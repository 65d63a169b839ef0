"""Small grey pictures of a shot, four a second: enough to tell whether two shots show the same moments."""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

GLANCES_A_SECOND: Final = 4
HEIGHT: Final = 18
WIDTH: Final = 32

Glances = NDArray[np.uint8]  # (G, 18, 32), shown upright, squeezed to this shape


def no_glances() -> Glances:
    return np.zeros((0, HEIGHT, WIDTH), np.uint8)


def pack(glances: Glances) -> bytes:
    """Return glances as bytes, each but the first as what changed: about half their size."""
    first = np.zeros((1, HEIGHT, WIDTH), np.uint8)
    return zlib.compress(np.diff(glances, axis=0, prepend=first).tobytes(), level=6)


def unpack(packed: bytes) -> Glances:
    """Return what `pack` was given."""
    changes = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(-1, HEIGHT, WIDTH)
    return np.cumsum(changes, axis=0, dtype=np.uint8)
