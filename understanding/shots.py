"""A file into shots: half-open spans of exact time that cover it without gap or overlap."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORTEST = Fraction(1)  # seconds; a shorter piece joins the one before it
LONGEST = Fraction(12)  # a piece longer than 4/3 of this is divided evenly: a shot is what a search returns

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
    """Finds cuts and fades through black with PySceneDetect's detectors, on frames that somebody else decodes.

    The adaptive detector compares a change of content with its neighbours, so that fast camera motion is no cut; the
    threshold detector finds fades. Both count frames; times are looked up, so that a varying rate stays exact.
    """

    def __init__(self) -> None:
        from scenedetect.detectors import AdaptiveDetector, ThresholdDetector  # noqa: PLC0415  slow, for children only

        self._detectors: list[Any] = [AdaptiveDetector(min_scene_len=0), ThresholdDetector(min_scene_len=0)]
        self._times: list[Fraction] = []
        self._cuts: set[Fraction] = set()

    def see(self, at: Fraction, bgr: NDArray[np.uint8]) -> None:
        """Look at the next frame, (height, width, 3) BGR, all of one size."""
        code = self._code(len(self._times))
        self._times.append(at)
        for detector in self._detectors:
            self._keep(detector.process_frame(code, bgr))

    def found(self) -> list[Fraction]:
        """Return the cuts so far, ascending."""
        if self._times:
            for detector in self._detectors:
                self._keep(detector.post_process(self._code(len(self._times) - 1)))
        return sorted(self._cuts)

    def _code(self, place: int) -> Any:
        from scenedetect.common import FrameTimecode  # noqa: PLC0415  wanted only where a clip is cut

        return FrameTimecode(place, fps=Fraction(25))

    def _keep(self, codes: Iterable[Any]) -> None:
        self._cuts.update(self._times[min(code.frame_num, len(self._times) - 1)] for code in codes)
