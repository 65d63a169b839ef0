"""What the compiler must know of a piece of footage: its displayed shape, its colour, its sound."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

Matrix = Literal["bt709", "bt601", "bt2020", "rgb"]


@dataclass(frozen=True, slots=True)
class Source:
    """A file of footage. `width` and `height` are as displayed: turned upright, pixels made square, not yet even.

    `matrix` says how its colours were coded, guessed by size where the file does not say. `raw` marks streams
    without a time stamp, which cannot be sought.
    """

    asset: str
    path: Path
    width: int
    height: int
    fps: Fraction
    matrix: Matrix = "bt709"
    full_range: bool = False
    hdr: bool = False
    interlaced: bool = False
    has_sound: bool = False
    raw: bool = False
