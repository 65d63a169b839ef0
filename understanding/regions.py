"""Where text and marks are burnt into a picture: subtitles, logos, clocks, each with its place.

Text is told by how it stands and changes: a line of words in the lower middle is a subtitle, above all where its words
change; digits of a date or clock at the upper or lower edge are a time stamp; words that stay at an edge are a logo,
and so are outlines that stay near an edge while all else moves. A still camera shows nothing of that last kind: there,
what was drawn over the picture and what stands in it look the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import cv2
import numpy as np
from numpy.typing import NDArray

from understanding.burnt_in import Line
from understanding.tagged import Box, Kind, Region

CLOCK = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}:\d{2}")
LETTERS_OF_SPEECH, IDEOGRAPHS_OF_SPEECH = 8, 4  # at least, of a subtitle; number plates have fewer
EDGE_BAND = 0.25  # share of the height, above and below, where logos and clocks stand
SUBTITLE_TOP, OFF_MIDDLE = 0.68, 0.12  # of a subtitle's middle: how high at most, how far from the middle
SAME_WORDS = 0.6  # likeness from which two readings are one text
MOST_ROWS, LEAST_ROWS = 24, 5
MOST_STILL = 0.1  # share of a picture's edges that stay: where it is more, the camera stands still
EDGE, STEADY = 6.0, 2.0  # grey levels of an edge that counts, and how far it stands above its own change
MARGIN = 0.2  # of the height: marks that are seen by their edges stand in it whole
LEAST_WIDE, MOST_MARK = 0.07, 0.06  # share of the picture's width, of its area
FLATTEST = 8  # times as wide as high: more is a bonnet or a kerb
BORDER = 0.01  # share of the height; what touches the frame is mostly cut off, not laid over


@dataclass(frozen=True, slots=True)
class Look:
    """What was read in one picture of shot number `shot`."""

    shot: int
    lines: tuple[Line, ...]


def regions_of(looks: Sequence[Look], rows: NDArray[np.uint8], shots: int) -> list[tuple[Region, ...]]:
    """Return the regions of each of `shots` shots; `rows` (N, S, S, 3) are the clip's pictures, one a second.

    Logos and clocks hold for the whole clip, and so do subtitles that were seen to change.
    """
    standing = [*_clocks(looks), *_steady_words(looks)]
    whole, apart = _subtitles(looks, standing)
    marks = [mark for mark in steady_marks(rows) if not any(mark.box.touches(known.box) for known in standing + whole)]
    everywhere = [*standing, *whole, *marks]
    return [_joined([*everywhere, *(region for shot, region in apart if shot == number)]) for number in range(shots)]


def _clocks(looks: Sequence[Look]) -> list[Region]:
    return _joined_list(
        Region("timestamp", line.box)
        for look in looks
        for line in look.lines
        if CLOCK.search(line.text) and _at_edge(line.box)
    )


def _steady_words(looks: Sequence[Look]) -> list[Region]:
    """Words that stand at an edge in at least half of the looks, two of them at least."""
    found = []
    for number, look in enumerate(looks):
        for line in look.lines:
            others = [other for other in looks[number + 1 :] if any(_same(line, again) for again in other.lines)]
            least = max(3, len(looks)) if is_subtitle(line) else len(looks) / 2  # a subtitle lasts for a few seconds
            if others and 1 + len(others) >= least and _at_edge(line.box) and not CLOCK.search(line.text):
                found.append(Region("logo", line.box))
    return _joined_list(found)


def _subtitles(looks: Sequence[Look], standing: Sequence[Region]) -> tuple[list[Region], list[tuple[int, Region]]]:
    """Return subtitles of the whole clip (their words change from look to look), and those of single shots."""
    lines = [
        (look.shot, line)
        for look in looks
        for line in look.lines
        if is_subtitle(line) and not any(line.box.touches(known.box) for known in standing)
    ]
    changes = any(
        not _alike(one.text, other.text) and _one_band(one.box, other.box)
        for number, (_, one) in enumerate(lines)
        for _, other in lines[number + 1 :]
    )
    if changes:
        return [Region("subtitle", _hull([line.box for _, line in lines]))], []
    return [], [(shot, Region("subtitle", line.box)) for shot, line in lines]


def is_subtitle(line: Line) -> bool:
    """Whether a line stands as a subtitle does: low, in the middle, and long enough to say something."""
    box = line.box
    low = (box.top + box.bottom) / 2 >= SUBTITLE_TOP and abs((box.left + box.right) / 2 - 0.5) <= OFF_MIDDLE
    ideographs = sum("\u4e00" <= letter <= "\u9fff" for letter in line.text)
    words = len(line.text.split()) > 1 and sum(letter.isalpha() for letter in line.text) >= LETTERS_OF_SPEECH
    return low and (words or ideographs >= IDEOGRAPHS_OF_SPEECH)


def steady_marks(rows: NDArray[np.uint8]) -> list[Region]:
    """Return marks near the upper and lower edge whose outlines stay while the rest of the picture moves."""
    if len(rows) < LEAST_ROWS:
        return []
    chosen = rows[np.linspace(0, len(rows) - 1, min(MOST_ROWS, len(rows))).round().astype(int)]
    grey = np.stack([cv2.cvtColor(row, cv2.COLOR_RGB2GRAY) for row in chosen]).astype(np.float32)
    across = np.stack([cv2.Sobel(one, cv2.CV_32F, 1, 0) for one in grey]) / 4
    down = np.stack([cv2.Sobel(one, cv2.CV_32F, 0, 1) for one in grey]) / 4
    edge, change = np.hypot(across.mean(0), down.mean(0)), np.sqrt(across.var(0) + down.var(0))
    steady = (edge > EDGE) & (edge > STEADY * change)
    if steady.mean() > MOST_STILL * (np.hypot(across, down) > EDGE).mean():
        return []
    return [Region("logo", box) for box in _blobs(steady) if _is_mark(box)]


def _blobs(steady: NDArray[np.bool_]) -> list[Box]:
    """Boxes of edges that lie close together; single dots and bare lines are none."""
    height, width = steady.shape
    closed = cv2.morphologyEx(steady.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 9), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    boxes = []
    for number, (left, top, wide, tall, _) in enumerate(stats[1:], start=1):
        edges = int((steady & (labels == number)).sum())
        if 6 <= wide <= FLATTEST * tall and tall >= 4 and edges >= max(12, 0.2 * wide * tall):
            sides = left / width, top / height, (left + wide) / width, (top + tall) / height
            boxes.append(Box(*map(float, sides)))
    return boxes


def _is_mark(box: Box) -> bool:
    inside = BORDER <= box.top <= box.bottom <= 1 - BORDER and (box.bottom <= MARGIN or box.top >= 1 - MARGIN)
    return inside and box.right - box.left >= LEAST_WIDE and box.area <= MOST_MARK


def _at_edge(box: Box) -> bool:
    middle = (box.top + box.bottom) / 2
    return middle <= EDGE_BAND or middle >= 1 - EDGE_BAND


def _same(one: Line, other: Line) -> bool:
    return _alike(one.text, other.text) and one.box.overlap(other.box) >= 0.4


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other).ratio() >= SAME_WORDS


def _one_band(one: Box, other: Box) -> bool:
    """Whether two lines stand at the same height."""
    return min(one.bottom, other.bottom) - max(one.top, other.top) > 0.3 * (one.bottom - one.top)


def _hull(boxes: Sequence[Box]) -> Box:
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _joined_list(regions: Iterable[Region]) -> list[Region]:
    """Make one region of those of a kind that touch."""
    kept: list[Region] = []
    for region in regions:
        near = [known for known in kept if known.kind == region.kind and known.box.touches(region.box)]
        hull = Region(region.kind, _hull([region.box, *(known.box for known in near)]))
        kept = [*(known for known in kept if known not in near), hull]
    return kept


def _joined(regions: Iterable[Region]) -> tuple[Region, ...]:
    order: tuple[Kind, ...] = ("subtitle", "timestamp", "logo")
    return tuple(sorted(_joined_list(regions), key=lambda region: (order.index(region.kind), region.box.top)))
