"""One pass over a file's pictures, in a limited child: cuts, one row a second, cheap measures, frames worth reading.

All of it works on small copies of each picture, so that memory stays the same however long or large the clip is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understanding import camera, decoding, glances
from understanding.bars import BarFinder
from understanding.combing import combing
from understanding.cut_places import exact_cuts
from understanding.decoding import Health, Picture
from understanding.sandbox_server import keep_rows
from understanding.shots import CUT_STEP, CutFinder
from understanding.slow_transitions import ONE, TransitionFinder

ROW_SIDE = 224  # pixels of a row's square picture; the whole picture is squeezed into it
MEASURE_LINES = 360
WHOLE_EVERY = 2  # seconds between pictures that are looked at in full size
READ_LINES = 720  # burnt-in text is read at up to this height
CUT_WIDTH = 256
PEEK_SIZE = (64, 36)
PEEKS_A_SECOND = 2
MAX_LOOKS = 12  # frames kept for reading text, spread evenly over the clip


@dataclass(slots=True)
class _Second:
    """What was measured on the picture in the middle of a second."""

    luma: float
    sharpness: float
    text: float
    combing: float


@dataclass(slots=True)
class _Looks:
    """The most readable frame of each stretch of time; stretches double when there are too many."""

    span: int = 1
    best: dict[int, tuple[float, int, NDArray[np.uint8]]] = field(default_factory=dict)

    def wants(self, second: int, rank: float) -> bool:
        held = self.best.get(second // self.span)
        return held is None or rank > held[0]

    def offer(self, second: int, rank: float, picture: NDArray[np.uint8]) -> None:
        self.best[second // self.span] = (rank, second, picture)
        while len(self.best) > MAX_LOOKS:
            self.span *= 2
            merged: dict[int, tuple[float, int, NDArray[np.uint8]]] = {}
            for held in self.best.values():
                place = held[1] // self.span
                merged[place] = max(merged.get(place, held), held, key=lambda one: one[0])
            self.best = merged


@dataclass(slots=True)
class _Scan:
    cuts: CutFinder = field(default_factory=CutFinder)
    slow: TransitionFinder = field(default_factory=TransitionFinder)
    seconds: list[_Second] = field(default_factory=list)
    peeks: list[NDArray[np.uint8]] = field(default_factory=list)
    glances: list[NDArray[np.uint8]] = field(default_factory=list)
    camera: camera.CameraEye = field(default_factory=camera.CameraEye)
    bars: BarFinder = field(default_factory=BarFinder)
    looks: _Looks = field(default_factory=_Looks)
    health: Health = field(default_factory=Health)
    keys: list[Fraction] = field(default_factory=list)  # times of key frames
    origin: Fraction | None = None  # time stamp of the first picture, where it has one
    end: Fraction = Fraction(0)
    _next_cut: Fraction = Fraction(0)
    _cut_height: int = 0

    def rows(self, container: Any, stream: Any) -> Iterator[NDArray[np.uint8]]:
        """Yield one row (1, 224, 224, 3) for the middle of each second, measuring on the way."""
        last: Picture | None = None
        for last in self.pictures(container, stream):
            while Fraction(2 * len(self.seconds) + 1, 2) < last.end:
                yield self._row(last, stream)
        if last is not None and not self.seconds:
            yield self._row(last, stream)

    def pictures(self, container: Any, stream: Any) -> Iterator[Picture]:
        """Yield the pictures that are decoded, looking for cuts on the way."""
        decoding.decode_sparsely(container, stream)
        for picture in decoding.pictures_of(container, stream, self.health):
            if picture.start == 0 and picture.frame.pts is not None and picture.frame.time_base:
                self.origin = picture.frame.pts * Fraction(picture.frame.time_base)
            if picture.frame.key_frame:
                self.keys.append(picture.start)
            self.end = picture.end
            self._look_for_cut(picture)
            yield picture

    def joints(self, path: str, rate: Fraction) -> list[Fraction]:
        """Cuts, and the middles of slow transitions that have no cut beside them."""
        cuts = self.exact_cuts(path, rate)
        slow = [at for at in self.slow.found() if all(abs(at - cut) > ONE for cut in cuts)]
        return sorted([*cuts, *slow])

    def exact_cuts(self, path: str, rate: Fraction) -> list[Fraction]:
        """The cuts found, each at its own picture: those between pictures that were not looked at are looked up."""
        found = self.cuts.found()
        gaps = self.cuts.gaps(Fraction(5, 4) / rate)
        if not gaps or not self.keys or self.origin is None:
            return found
        exact = exact_cuts(path, gaps, self.keys, self.origin)
        return sorted({exact.get(cut, cut) for cut in found})

    def _look_for_cut(self, picture: Picture) -> None:
        if picture.start < self._next_cut and not picture.frame.key_frame:  # encoders put key frames at cuts
            return
        self._next_cut = picture.start + CUT_STEP
        if not self._cut_height:  # kept when the stream changes its size: the detectors compare like with like
            self._cut_height = min(4 * CUT_WIDTH, max(16, CUT_WIDTH * picture.frame.height // picture.frame.width))
        small = picture.raw(self._cut_height, CUT_WIDTH)
        self.cuts.see(picture.start, small, key=bool(picture.frame.key_frame))
        self.slow.see(small, picture.end)
        if self.camera.wants(picture.start):
            self.camera.see(picture.start, self._upright(small, picture, camera.SIZE))
        while Fraction(len(self.peeks), PEEKS_A_SECOND) < picture.end:
            grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
            self.peeks.append(np.asarray(cv2.resize(grey, PEEK_SIZE, interpolation=cv2.INTER_AREA), np.uint8))
        while Fraction(len(self.glances), glances.GLANCES_A_SECOND) < picture.end:
            self.glances.append(self._upright(small, picture, (glances.WIDTH, glances.HEIGHT)))

    def _upright(self, small: NDArray[np.uint8], picture: Picture, size: tuple[int, int]) -> NDArray[np.uint8]:
        grey = np.rot90(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), decoding.upright_turns(picture.frame))
        return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _row(self, picture: Picture, stream: Any) -> NDArray[np.uint8]:
        shown = picture.rgb(MEASURE_LINES, decoding.shown_width(picture.frame, stream, MEASURE_LINES))
        grey = np.asarray(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), np.uint8)
        combed = self.seconds[-1].combing if len(self.seconds) % WHOLE_EVERY else self._combing(picture)
        measured = _Second(float(grey.mean()) / 255, sharpness(grey), text_likelihood(grey), combed)
        self._offer_look(picture, stream, measured)
        self.seconds.append(measured)
        small = cv2.resize(shown, (ROW_SIDE, ROW_SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)[None]

    def _combing(self, picture: Picture) -> float:
        """Look at a picture at its full size, for bars and for teeth."""
        whole = picture.grey()
        self.bars.see(whole)
        return combing(whole)

    def _offer_look(self, picture: Picture, stream: Any, measured: _Second) -> None:
        second, rank = len(self.seconds), measured.text + 0.01 * measured.sharpness
        if self.looks.wants(second, rank):
            height = min(READ_LINES, max(picture.frame.height, picture.frame.width))
            width = decoding.shown_width(picture.frame, stream, height)
            self.looks.offer(second, rank, picture.rgb(height, width))


def scan(path: str) -> dict[str, Any]:
    """Read all pictures once. `rows` is (N, 224, 224, 3) RGB, row k is shown at k + 1/2 seconds; N is at least 1."""
    done = _Scan()
    with decoding.opened(path) as container:
        stream = decoding.video_of(container, threads=1)
        rate = _rate(stream)
        rows = keep_rows(done.rows(container, stream))
    if not done.seconds:
        raise decoding.no_frames()
    area = done.bars.found()
    return {
        "rows": rows,
        "luma": np.array([second.luma for second in done.seconds], dtype=np.float32),
        "sharpness": np.array([second.sharpness for second in done.seconds], dtype=np.float32),
        "text": np.array([second.text for second in done.seconds], dtype=np.float32),
        "combing": np.array([second.combing for second in done.seconds], dtype=np.float32),
        "area": None if area is None else (area.left, area.top, area.right, area.bottom),
        "peeks": np.stack(done.peeks),
        "glances": np.stack(done.glances),
        "camera": done.camera.found(),
        "looks": [(second, picture) for _, second, picture in done.looks.best.values()],
        "cuts": done.joints(path, rate),
        "frames": done.health.packets,
        "seconds": done.end,
        "errors": done.health.errors,
        "truncated": done.health.truncated,
    }


def cuts(path: str) -> dict[str, Any]:
    """Only the cuts and the length, by the same pass."""
    done = _Scan()
    with decoding.opened(path) as container:
        stream = decoding.video_of(container, threads=1)
        rate = _rate(stream)
        deque(done.pictures(container, stream), maxlen=0)
    if not done.end:
        raise decoding.no_frames()
    return {"cuts": done.joints(path, rate), "seconds": done.end}


def _rate(stream: Any) -> Fraction:
    return Fraction(stream.guessed_rate or stream.average_rate or 25)


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian, squashed to 0 blurred .. 1 crisp; 150 is a soft but usable picture at 360 lines."""
    variance = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1].item()) ** 2
    return variance / (variance + 150.0)


def text_likelihood(grey: NDArray[np.uint8]) -> float:
    """Share of the picture that strong edges cover which close up to blobs shaped like lines of text (about 3 ms)."""
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    _, strong = cv2.threshold(edges, 60, 255, cv2.THRESH_BINARY)
    closed = cv2.morphologyEx(strong, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (9, 1)))
    _, _, blobs, _ = cv2.connectedComponentsWithStats(closed)
    width, height, area = (blobs[1:, column].astype(np.int64) for column in (2, 3, 4))
    lines = (height >= 7) & (height <= 90) & (width >= 2 * height) & (2 * area > width * height)
    return float((width * height)[lines].sum() / grey.size)
