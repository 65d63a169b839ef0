"""Text that stands in the picture (captions, signs, plates, clocks), Chinese and English, by RapidOCR's PP-OCRv6.

Looking is the dear part: text detection costs about 0.5 CPU seconds at RapidOCR's own size, 0.25 at 960 pixels and 0.1
at 640. On 81 real clips the small look found all lines but clock texts and small signs, and a 3 ms measure of
line-shaped edges points at most of those. So every chosen frame gets the small look, and only those that the measure
points at the large one, which at 960 pixels lost no true line of what RapidOCR's own size finds.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understanding.tagged import Box

THREADS = 2
LEAST_SCORE = 0.6
LEAST_SHORT_SCORE = 0.9  # of lines of two characters, which textures are easily taken for
LIKELY_TEXT = 0.004  # share of the frame, see scanning.text_likelihood
SMALL_SIDE, LARGE_SIDE = 640, 960  # longest side at most, in pixels
LEAST_SIDE, MOST_ASPECT = 32, 4  # a narrow strip would be enlarged beyond all memory


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text and the upright box around it."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class BurntIn:
    """Lines in reading order and the share of the picture that they cover, 0..1."""

    text: str
    area: float
    lines: tuple[Line, ...] = ()


NOTHING = BurntIn("", 0.0)


class TextReader:
    """Reads burnt-in text. Loads its models from the rapidocr wheel on first use and never asks a network."""

    def __init__(self, *, threads: int = THREADS) -> None:
        self._threads = threads
        self._looks: dict[bool, Any] = {}
        self._lock = threading.Lock()

    def read(self, rgb: NDArray[np.uint8], likelihood: float) -> BurntIn:
        """Read a picture (H, W, 3); `likelihood` of text decides how closely it is looked at."""
        if min(rgb.shape[:2]) < LEAST_SIDE or max(rgb.shape[:2]) > MOST_ASPECT * min(rgb.shape[:2]):
            return NOTHING
        told = self._told(rgb, close=likelihood >= LIKELY_TEXT)
        if not told:
            return NOTHING
        kept = [(text.strip(), box) for text, score, box in told if is_text(text, score)]
        area = sum(_area(box) for _, box in kept) / (rgb.shape[0] * rgb.shape[1])
        lines = tuple(Line(text, _box(box, rgb.shape)) for text, box in kept)
        return BurntIn("\n".join(text for text, _ in kept), min(1.0, area), lines)

    def lines(self, rgb: NDArray[np.uint8]) -> tuple[Line, ...]:
        """Look closely at a picture (H, W, 3) that is known to hold text, and return every line, single letters too."""
        return tuple(Line(text.strip(), _box(box, rgb.shape)) for text, _, box in self._told(rgb, close=True))

    def _told(self, rgb: NDArray[np.uint8], *, close: bool) -> list[tuple[str, float, NDArray[np.float32]]]:
        """Return text, score and corners of each line."""
        with self._lock:  # the models keep options between calls
            found = self._look(close)(np.ascontiguousarray(rgb[..., ::-1]))
        if not found.txts:
            return []
        return [
            (text, float(score), box) for text, score, box in zip(found.txts, found.scores, found.boxes, strict=True)
        ]

    def _look(self, close: bool) -> Any:
        if close not in self._looks:
            from rapidocr import RapidOCR  # noqa: PLC0415  loads cv2 and onnxruntime

            engine = "EngineConfig.onnxruntime"
            self._looks[close] = RapidOCR(
                params={
                    "Global.log_level": "critical",
                    "Global.use_cls": False,  # turned by 180 degrees is no case of ours: frames are upright
                    "Det.limit_type": "max",
                    "Det.limit_side_len": LARGE_SIDE if close else SMALL_SIDE,
                    f"{engine}.intra_op_num_threads": self._threads,
                    f"{engine}.inter_op_num_threads": 1,
                }
            )
        return self._looks[close]


def joined(found: Sequence[BurntIn]) -> BurntIn:
    """Lines of several frames of a shot, each once, and the mean share that text covers."""
    lines = dict.fromkeys(line for one in found for line in one.text.split("\n") if line)
    return BurntIn("\n".join(lines), sum(one.area for one in found) / max(1, len(found)))


def is_text(line: str, score: float) -> bool:
    """Whether a recognised line is believed: single characters never, pairs only when sure."""
    letters = sum(letter.isalnum() for letter in line)
    return letters >= 2 and score >= (LEAST_SHORT_SCORE if letters == 2 else LEAST_SCORE)


def _box(corners: NDArray[np.float32], shape: tuple[int, ...]) -> Box:
    """The upright box around a quadrilateral (4, 2) of pixels, in shares of the picture."""
    left, top = np.min(corners, axis=0) / (shape[1], shape[0])
    right, bottom = np.max(corners, axis=0) / (shape[1], shape[0])
    return Box(*(min(1.0, max(0.0, float(side))) for side in (left, top, right, bottom)))


def _area(box: NDArray[np.float32]) -> float:
    """Area of a quadrilateral (4, 2) by the shoelace formula."""
    x, y = np.asarray(box, dtype=np.float64).T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
