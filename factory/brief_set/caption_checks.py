"""Captions as a delivery check reads them: from the SRT file alone, against the figures of subtitle guides."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from factory.plan.brief import Aspect

LINES: Final = 2
LETTERS_A_LINE: Final[dict[Aspect, tuple[int, int]]] = {"16:9": (42, 16), "1:1": (30, 13), "9:16": (26, 12)}
LETTERS_A_SECOND: Final = (20.0, 9.0)  # Latin, Chinese
SHORTEST, LONGEST = 5 / 6, 7.0  # seconds
GAP: Final = 2 / 30  # seconds between two cues: two frames
ROUNDED: Final = 0.002  # seconds by which a time in thousandths may be off
_TIME = r"(\d+):(\d\d):(\d\d)[,.](\d\d\d)"
_CUE = re.compile(rf"{_TIME} --> {_TIME}[^\n]*\n(.*?)(?:\n\n|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shown:
    """A caption of a file: seconds from the program's start, half-open, and its lines."""

    start: float
    end: float
    lines: tuple[str, ...]


def read_srt(path: Path) -> tuple[Shown, ...]:
    """Return the captions of an SRT or VTT file."""
    text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    return tuple(
        Shown(_seconds(found[:4]), _seconds(found[4:8]), tuple(line for line in found[8].split("\n") if line.strip()))
        for found in _CUE.findall(text)
    )


def caption_faults(
    cues: Sequence[Shown], aspect: Aspect, measure: Callable[[str], float] | None = None
) -> Iterator[str]:
    """Yield what is wrong with captions: lines, widths, speed, how long they stand, gaps. `measure` tells how much of
    the safe area's width a line takes as it is drawn."""
    for cue in cues:
        text, stands = "".join(cue.lines), cue.end - cue.start
        if not cue.lines or len(cue.lines) > LINES:
            yield f"the caption at {cue.start:.2f} s has {len(cue.lines)} lines"
        for line in cue.lines:
            if _load(line, LETTERS_A_LINE[aspect]) > 1 + 1e-6:
                yield f"the caption line {line!r} at {cue.start:.2f} s is too long for {aspect}"
            if measure and measure(line) > 1:
                yield f"the caption line {line!r} at {cue.start:.2f} s leaves the safe area"
        if stands < SHORTEST - ROUNDED or stands > LONGEST + ROUNDED:
            yield f"the caption {text!r} stands {stands:.2f} s from {cue.start:.2f} s"
        if stands > 0 and _load(text, LETTERS_A_SECOND) > stands + ROUNDED:
            yield f"the caption {text!r} is read in {stands:.2f} s, which is too fast"
    for one, following in pairwise(cues):
        apart = following.start - one.end
        if apart < GAP - ROUNDED:
            yield f"the captions at {one.start:.2f} s and {following.start:.2f} s are {apart:.3f} s apart"


def _load(text: str, letters: tuple[float, float]) -> float:
    """Return how much of `letters` (Latin, Chinese) a text takes."""
    chinese = sum("CJK" in unicodedata.name(letter, "") for letter in text)
    return (len(text) - chinese) / letters[0] + chinese / letters[1]


def _seconds(parts: Sequence[str]) -> float:
    hours, minutes, seconds, thousandths = (int(part) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000
