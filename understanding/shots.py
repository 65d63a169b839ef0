"""A file into shots: half-open spans of exact time that cover it without gap or overlap."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SHORTEST = Fraction(1)  # seconds; a shorter piece joins the one before it
LONGEST = Fraction(12)  # a piece longer than 4/3 of this is divided evenly: a shot is what a search returns
CUT_STEP = Fraction(1, 13)  # seconds; pictures nearer together are not looked at for cuts
COARSE, BLANK_RANGE = (16, 9), 12  # size of a picture without grain; how many levels apart its parts are when blank

Span = tuple[Fraction, Fraction]


def split(path: Path) -> list[Span]:
    """Return the shots of a file, in order. Raises MediaRefused."""
    from understanding import media, scanning  # noqa: PLC0415  scanning uses this module's CutFinder

    about = media.probe(path)
    found = media.in_child(scanning.cuts, path, limits=media.limits_for(about.seconds))
    return spans(found["cuts"], media.usable_seconds(about, found["seconds"]))


def spans(cuts: Iterable[Fraction], seconds: Fraction) -> list[Span]:
    """Turn cut times into spans over [0, seconds): none shorter than SHORTEST unless the file is, long ones divided."""
    bounds = [Fraction(0)]
    for cut in sorted(set(cuts)):
        if bounds[-1] + SHORTEST <= cut <= seconds - SHORTEST:
            bounds.append(cut)
    bounds.append(seconds)
    return [piece for start, end in itertools.pairwise(bounds) for piece in _divided(start, end)]


def _divided(start: Fraction, end: Fraction) -> list[Span]:
    length = end - start
    count = 1 if length <= LONGEST * 4 / 3 else math.ceil(length / LONGEST)
    return [(start + length * part / count, start + length * (part + 1) / count) for part in range(count)]


class CutFinder:
    """Finds cuts, and fades through black, white or another plain colour, on frames that somebody else decodes.

    PySceneDetect's adaptive detector compares a change of content with its neighbours, so that fast camera motion is no
    cut. It counts frames; times are looked up, so that a varying rate stays exact. A fade is cut in the middle of its
    blank pictures; PySceneDetect's threshold on the mean brightness takes the dark stretches of a night drive for one.
    """

    def __init__(self) -> None:
        from scenedetect.detectors import AdaptiveDetector  # noqa: PLC0415  slow, for children only

        self._detector: Any = AdaptiveDetector(min_scene_len=0)
        self._blank: int | None = None  # place of the first picture of the present blank stretch
        self._times: list[Fraction] = []
        self._keys: list[bool] = []
        self._cuts: set[int] = set()  # places of the first pictures after a cut
        self._fades: set[int] = set()  # of the middles of blank stretches

    def see(self, at: Fraction, bgr: NDArray[np.uint8], *, key: bool = True) -> None:
        """Look at the next frame, (height, width, 3) BGR, all of one size; `key` if it is a key frame."""
        code = self._code(len(self._times))
        self._times.append(at)
        self._keys.append(key)
        self._keep(self._detector.process_frame(code, bgr))
        self._look_for_blank(bgr)

    def found(self) -> list[Fraction]:
        """Return the cuts so far, ascending."""
        if self._times:
            self._keep(self._detector.post_process(self._code(len(self._times) - 1)))
        return [self._times[place] for place in self._places()]

    def _places(self) -> list[int]:
        """Of cuts and fades; the steps into and out of a fade are not counted beside it."""
        faded = [self._times[place] for place in self._fades]
        alone = (place for place in self._cuts if all(abs(self._times[place] - at) > SHORTEST for at in faded))
        return sorted({*self._fades, *alone})

    def _look_for_blank(self, bgr: NDArray[np.uint8]) -> None:
        here = len(self._times) - 1
        if is_blank(bgr):
            self._blank = here if self._blank is None else self._blank
        elif self._blank is not None:
            if self._blank > 0:  # else the clip begins blank
                self._fades.add((self._blank + here) // 2)
            self._blank = None

    def gaps(self, longest: Fraction) -> list[tuple[Fraction, Fraction]]:
        """Name the cuts `found` that stand on no key frame and more than `longest` seconds after the picture before."""
        places = [place for place in self._places() if place and not self._keys[place]]
        gaps = [(self._times[place - 1], self._times[place]) for place in places]
        return [gap for gap in gaps if gap[1] - gap[0] > longest]

    def _code(self, place: int) -> Any:
        from scenedetect.common import FrameTimecode  # noqa: PLC0415  wanted only where a clip is cut

        return FrameTimecode(place, fps=Fraction(25))

    def _keep(self, codes: Iterable[Any]) -> None:
        self._cuts.update(min(code.frame_num, len(self._times) - 1) for code in codes)


def is_blank(bgr: NDArray[np.uint8]) -> bool:
    """Whether a picture (height, width, 3) shows one plain colour, but for its grain."""
    coarse = cv2.resize(bgr, COARSE, interpolation=cv2.INTER_AREA)
    return int((coarse.max((0, 1)) - coarse.min((0, 1))).max()) <= BLANK_RANGE
