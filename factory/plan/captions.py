"""Spoken lines cut into captions: at most two lines, broken at phrases, timed by the words, long enough to read.

Figures after the subtitle guides of broadcasters (Netflix Timed Text: 42 Latin or 16 Chinese letters a line, 20 or 9
letters a second, 5/6 s to 7 s, two frames between cues), with shorter lines for square and upright pictures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import ceil

from factory.plan.sentences import CJK, Piece, Segment, pieces
from factory.plan.timeline import Canvas, Cue, CueWord, Speech, SpokenLine

Measure = Callable[[str], float]  # text -> its width as a share of the widest line that the canvas allows

SHORTEST, LONGEST = Fraction(5, 6), Fraction(7)  # seconds a cue stands
GAP = 2  # frames between two cues
LINGER = Fraction(1)  # seconds that a cue may stay after its last word to be read to the end
LATIN_A_SECOND, CHINESE_A_SECOND = 20, 9
LETTERS_A_LINE = {"16:9": (42, 16), "1:1": (30, 13), "9:16": (26, 12)}  # Latin, Chinese
PAUSE = Fraction(3, 10)  # seconds of silence between words that ask for a new cue
_FULL = 1 + 1e-9
_IS_CHINESE = re.compile(f"[{CJK}]")


@dataclass(frozen=True, slots=True)
class _Timed:
    """A caption before its time is settled: its pieces, and the frames of the scene at which it is spoken."""

    pieces: tuple[Piece, ...]
    start: int
    end: int
    said: tuple[int, ...]  # at which each piece begins


def cut_cues(
    lines: Sequence[SpokenLine],
    *,
    canvas: Canvas,
    scene_frames: int,
    measure: Measure | None = None,
    keep: Sequence[str] = (),
    segment: Segment | None = None,
) -> tuple[Cue, ...]:
    """Return the captions of one scene, in order, apart by two frames and inside the scene.

    All cues joined are the spoken text but for white space. `measure` tells real widths, `keep` are names that no break
    parts, `segment` knows Chinese words. Reading time that the voice does not leave is not forced.
    """
    setter = _Setter(canvas, measure)
    spoken: list[_Timed] = []
    for line in lines:
        parts = setter.short(pieces(line.speech.text, keep=keep, segment=segment))
        if parts:
            times = _times(line.speech, parts)
            spoken.extend(_cut(parts, times, line.start, canvas.fps, setter))
    end = max(1, scene_frames - GAP)
    placed = _placed(_merged(spoken, canvas.fps, end, setter), canvas.fps, end)
    return tuple(_cue(cue, setter) for cue in placed)


def _cue(timed: _Timed, setter: _Setter) -> Cue:
    lines, words, at = list[str](), list[CueWord](), iter(timed.said)
    for number, parts in enumerate(setter.parted(timed.pieces)):
        text = _joined(parts)
        end = 0
        for piece in parts:
            start = text.index(piece.text, end)
            end = start + len(piece.text)
            words.append(CueWord(number, start, end, next(at)))
        lines.append(text)
    return Cue(timed.start, timed.end, tuple(lines), tuple(words))


def letters_a_line(canvas: Canvas) -> tuple[int, int]:
    """Return how many Latin and how many Chinese letters a line may have on this canvas."""
    ratio = canvas.width / canvas.height
    return LETTERS_A_LINE["16:9" if ratio > 1.2 else "9:16" if ratio < 0.8 else "1:1"]


class _Setter:
    """Knows what fits a line, and where to break two."""

    def __init__(self, canvas: Canvas, measure: Measure | None) -> None:
        self._latin, self._chinese = letters_a_line(canvas)
        self._measure = lru_cache(maxsize=4096)(measure) if measure else None

    def width(self, text: str) -> float:
        """Return the share of a line that a text takes: by letters, and by real widths where they are known."""
        return max(self._share(text), self._measure(text) if self._measure else 0.0)

    def _share(self, text: str) -> float:
        chinese = len(_IS_CHINESE.findall(text))
        return chinese / self._chinese + (len(text) - chinese) / self._latin

    def short(self, parts: Sequence[Piece]) -> tuple[Piece, ...]:
        """Return the pieces, those that are wider than a line cut between words, or by letters where one word is."""
        return tuple(small for piece in parts for small in self._halves(piece))

    def _halves(self, piece: Piece) -> list[Piece]:
        if self.width(piece.text) <= _FULL or len(piece.text) < 2:
            return [piece]
        middle = len(piece.text) // 2
        spaces = [at for at, letter in enumerate(piece.text) if letter.isspace()]
        middle = min(spaces, key=lambda at: abs(at - middle), default=middle)
        left, right = piece.text[:middle], piece.text[middle:]
        after = piece.start + len("".join(left.split()))
        first = Piece(left.rstrip(), piece.start, piece.space, 20.0)
        second = Piece(right.lstrip(), after, left[-1:].isspace() or right[:1].isspace(), piece.cost)
        return [*self._halves(first), *self._halves(second)]

    def fits(self, parts: Sequence[Piece]) -> bool:
        return self.break_of(parts) is not None

    def parted(self, parts: Sequence[Piece]) -> tuple[Sequence[Piece], ...]:
        """Return the pieces of the caption's lines, one or two."""
        at = self.break_of(parts) or 0
        return tuple(part for part in (parts[:at], parts[at:]) if part)

    def break_of(self, parts: Sequence[Piece]) -> int | None:
        """Return before which piece the second line starts (0: one line is enough), or None where two are too few."""
        space = 1 / self._latin
        shares = [self._share(piece.text) + space * piece.space for piece in parts]
        whole, upper = sum(shares) - space * parts[0].space, -space * parts[0].space
        if whole > 2 + space:
            return None
        if whole <= _FULL and self._narrow(parts):
            return 0
        best: tuple[float, int] | None = None
        for at in range(1, len(parts)):
            upper += shares[at - 1]
            lower = whole - upper - space * parts[at].space
            cost = parts[at - 1].cost + 8 * abs(upper - lower)
            if max(upper, lower) <= _FULL and (best is None or cost < best[0]):
                best = (cost, at) if self._narrow(parts[:at]) and self._narrow(parts[at:]) else best
        return best[1] if best else None

    def _narrow(self, parts: Sequence[Piece]) -> bool:
        """Say whether the real letters fit the line too."""
        return self._measure is None or self._measure(_joined(parts)) <= _FULL


def _joined(parts: Sequence[Piece]) -> str:
    return "".join((" " if piece.space and number else "") + piece.text for number, piece in enumerate(parts))


def _letters(text: str) -> int:
    return sum(not character.isspace() for character in text)


def _times(speech: Speech, parts: Sequence[Piece]) -> list[tuple[Fraction, Fraction]]:
    """Return when each piece is said, in seconds of the speech: by its words, or by its share of the letters."""
    edges = _word_edges(speech) or _even_edges(speech, parts)
    starts = [edges[piece.start] for piece in parts]
    ends = [edges[piece.start + _letters(piece.text)] for piece in parts]
    begins = [max(starts[: number + 1]) for number in range(len(starts))]
    return [(begin, max(begin, end)) for begin, end in zip(begins, ends, strict=True)]


def _word_edges(speech: Speech) -> list[Fraction] | None:
    """Return the time before each letter (and after the last), or None where the words are not the text."""
    if "".join("".join(word.text.split()) for word in speech.words) != "".join(speech.text.split()):
        return None
    edges: list[Fraction] = []
    end = Fraction(0)
    for word in speech.words:
        count = _letters(word.text)
        start, end = Fraction(str(word.start)), Fraction(str(word.end))
        edges.extend(start + (end - start) * number / count for number in range(count))
    return [*edges, end]


def _even_edges(speech: Speech, parts: Sequence[Piece]) -> list[Fraction]:
    """Share the speech among its letters; a Chinese one takes as long as two and a half Latin ones."""
    text = "".join("".join(piece.text.split()) for piece in parts)
    weights = [Fraction(5, 2) if _IS_CHINESE.match(letter) else Fraction(1) for letter in text]
    whole, edges, at = sum(weights) or Fraction(1), [], Fraction(0)
    for weight in weights:
        edges.append(at * speech.seconds / whole)
        at += weight
    return [*edges, speech.seconds]


def _cut(
    parts: Sequence[Piece], times: Sequence[tuple[Fraction, Fraction]], start: int, fps: Fraction, setter: _Setter
) -> list[_Timed]:
    """Cut one sentence where the breaks cost least in sum (the shortest path over all places to cut)."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(parts) + 1):
        ways = []
        for begin in range(end - 1, -1, -1):
            line_break = setter.break_of(parts[begin:end])
            if line_break is None and begin < end - 1:
                break
            ways.append((best[begin][0] + _cost(parts, times, begin, end, line_break or 0), begin))
        best.append(min(ways))
    cuts, at = [len(parts)], len(parts)
    while at:
        at = best[at][1]
        cuts.append(at)
    return [
        _Timed(
            tuple(parts[begin:end]),
            start + int(times[begin][0] * fps),
            start + ceil(times[end - 1][1] * fps),
            tuple(start + round(begins * fps) for begins, _ in times[begin:end]),
        )
        for begin, end in pairwise(reversed(cuts))
    ]


def _cost(
    parts: Sequence[Piece], times: Sequence[tuple[Fraction, Fraction]], begin: int, end: int, line_break: int
) -> float:
    """Return how bad a caption of pieces [begin, end) is: its breaks, and a time too short to read or too long."""
    last = end == len(parts)
    seconds = times[end - 1][1] - times[begin][0]
    until_next = seconds + LINGER if last else times[end][0] - times[begin][0]
    cost = 5.0 + (0.0 if last else 2 * parts[end - 1].cost)
    cost += 0.6 * parts[begin + line_break - 1].cost if line_break else 0.0
    cost -= 0.0 if last or times[end][0] - times[end - 1][1] < PAUSE else 6.0
    cost += 40.0 * float(max(Fraction(0), SHORTEST - until_next) + max(Fraction(0), seconds - LONGEST))
    cost += 4.0 * float(max(Fraction(0), _reading(parts[begin:end]) - until_next))
    return cost


def _reading(parts: Sequence[Piece]) -> Fraction:
    """Return the seconds that a caption takes to read."""
    text = _joined(parts)
    chinese = len(_IS_CHINESE.findall(text))
    return Fraction(chinese, CHINESE_A_SECOND) + Fraction(len(text) - chinese, LATIN_A_SECOND)


def _merged(cues: Sequence[_Timed], fps: Fraction, end: int, setter: _Setter) -> list[_Timed]:
    """Join a caption that would stand too short with the next one, or the one before, where both fit two lines."""
    cues, shortest, at = list(cues), ceil(SHORTEST * fps), 0
    while at < len(cues):
        until = cues[at + 1].start - GAP if at + 1 < len(cues) else end
        neighbours = [at, at - 1] if until - cues[at].start < shortest else []
        joinable = [n for n in neighbours if 0 <= n < len(cues) - 1 and _joinable(cues[n], cues[n + 1], fps, setter)]
        if joinable:
            first = joinable[0]
            cues[first : first + 2] = [_join(cues[first], cues[first + 1])]
            at = max(0, first - 1)
        else:
            at += 1
    return cues


def _joinable(one: _Timed, two: _Timed, fps: Fraction, setter: _Setter) -> bool:
    return two.end - one.start <= LONGEST * fps and setter.fits(_join(one, two).pieces)


def _join(one: _Timed, two: _Timed) -> _Timed:
    """Two sentences of Latin letters keep a space between them."""
    spaced = not _IS_CHINESE.match(one.pieces[-1].text[-1])
    first = replace(two.pieces[0], space=two.pieces[0].space or spaced)
    return _Timed((*one.pieces, first, *two.pieces[1:]), one.start, two.end, (*one.said, *two.said))


def _placed(cues: Sequence[_Timed], fps: Fraction, end: int) -> list[_Timed]:
    """Settle the frames: each stays long enough to read where the next one leaves room; none overlap.

    A short caption holds the next one back, the scene's end draws the last ones forward. In a scene that is too short
    for all of them they share its frames evenly.
    """
    shortest, longest = ceil(SHORTEST * fps), int(LONGEST * fps)
    step = min(shortest + GAP, (end + GAP) // max(1, len(cues)))
    starts: list[int] = []
    for cue in cues:
        starts.append(max(cue.start, starts[-1] + step) if starts else max(0, cue.start))
    starts = [min(start, end + GAP - (len(cues) - at) * step) for at, start in enumerate(starts)]
    placed = []
    for at, (cue, start) in enumerate(zip(cues, starts, strict=True)):
        until = starts[at + 1] - GAP if at + 1 < len(cues) else end
        read = min(start + ceil(_reading(cue.pieces) * fps), cue.end + int(LINGER * fps))
        wanted = min(max(cue.end, read, start + shortest), start + longest)
        placed.append(replace(cue, start=start, end=min(wanted, until)))
    return placed
