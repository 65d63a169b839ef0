"""Burnt-in captions: cues become an ASS script that libass draws. A style is one file in `templates/captions/`.

Text is data: whatever a cue says is escaped, so that nothing in it can become an override, a line break or an event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from factory.errors import WrongUsage
from factory.plan.timeline import Canvas, Cue, CueWord, Timeline
from factory.render.fonts import FAMILY, check_glyphs, face
from factory.render.layout import layout_for
from factory.render.lettering import text_width
from factory.render.templates import PACKAGED

EM_SHARE = 0.05  # a caption's letter box, of the short side
GAP = 2  # frames between two cues
WORD_JOINER = "\u2060"  # draws nothing; parts a backslash from the letter that would make it a command
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an ASS script: times as ASS writes them, text escaped."""

    start: str
    end: str
    text: str


def program_cues(timeline: Timeline) -> tuple[Cue, ...]:
    """Return all cues in frames of the program, in order. A cue that runs into the next ends two frames before it."""
    cues = []
    for scene, begins in zip(timeline.scenes, timeline.scene_starts(), strict=True):
        for cue in scene.cues:
            lines = tuple(line for line in (" ".join(text.split()) for text in cue.lines) if line)
            words = tuple(replace(word, frame=begins + word.frame) for word in cue.words if lines == cue.lines)
            end = min(begins + cue.end, timeline.frames)
            if lines and begins + cue.start < end:
                cues.append(Cue(begins + cue.start, end, lines, words))
    cues.sort(key=lambda cue: (cue.start, cue.end))
    ends = [max(after.start - GAP, cue.start + 1) for cue, after in pairwise(cues)]
    clear = [replace(cue, end=min(cue.end, end)) for cue, end in zip(cues, ends, strict=False)]
    return (*clear, *cues[len(clear) :])


def check_captions(timeline: Timeline) -> None:
    """Raise `GlyphMissing` for the first character of a caption that the font cannot draw."""
    for scene in timeline.scenes:
        for cue in scene.cues:
            for line in cue.lines:
                check_glyphs(line, f"a caption of scene {scene.id}: {line!r}")


class CaptionWriter:
    """Writes ASS scripts in one style for one canvas."""

    def __init__(self, style: str, canvas: Canvas, folders: Sequence[Path] = ()) -> None:
        roots = [Path(folder) / "captions" for folder in (*folders, PACKAGED)]
        if not _NAME.fullmatch(style) or not any((root / f"{style}.ass.j2").is_file() for root in roots):
            known = sorted({path.name.removesuffix(".ass.j2") for root in roots for path in root.glob("*.ass.j2")})
            raise WrongUsage(f"no caption style is called {style!r}", next_step=f"use one of {', '.join(known)}")
        self._jinja = SandboxedEnvironment(
            loader=FileSystemLoader(roots), undefined=StrictUndefined, keep_trailing_newline=True
        )
        self._name = f"{style}.ass.j2"
        self._canvas = canvas
        self._em = EM_SHARE * min(canvas.width, canvas.height)

    def script(self, cues: Sequence[Cue], start: int, end: int) -> str:
        """Return the script of program frames [start, end) in their own time, empty where no cue is shown."""
        shown = [cue for cue in cues if cue.start < end and cue.end > start]
        if not shown:
            return ""
        box = layout_for(self._canvas)
        return self._jinja.get_template(self._name).render(
            width=self._canvas.width,
            height=self._canvas.height,
            family=FAMILY,
            em=self._em,
            fontsize=fontsize,
            margin=self._margin(),
            below=self._canvas.height - box.bottom,
            events=[self._event(cue, start, end) for cue in shown],
            word_events=[event for cue in shown for event in self._word_events(cue, start, end)],
        )

    def _margin(self) -> int:
        """Return the same margin for both sides, the larger one, so that captions stay centred."""
        box = layout_for(self._canvas)
        return max(box.left, self._canvas.width - box.right)

    def _word_events(self, cue: Cue, start: int, end: int) -> Iterator[Event]:
        """Yield the cue once for each of its words, which has the style `Spoken` until the next one begins."""
        edges = [min(max(word.frame, cue.start), cue.end) for word in cue.words]
        words: tuple[CueWord | None, ...] = cue.words
        if not edges or edges[0] > cue.start + 1:
            edges, words = [cue.start, *edges], (None, *words)
        edges[0] = cue.start
        for word, (begins, ends) in zip(words, pairwise([*edges, cue.end]), strict=True):
            if max(begins, start) < min(ends, end):
                yield self._event(replace(cue, start=begins, end=ends), start, end, word)

    def _event(self, cue: Cue, start: int, end: int, spoken: CueWord | None = None) -> Event:
        fps = self._canvas.fps
        begins, ends = max(cue.start, start) - start, min(cue.end, end) - start
        widest = max(text_width(line, self._em) for line in cue.lines)
        room = self._canvas.width - 2 * self._margin()
        smaller = f"\\fs{fontsize(self._em * room / widest)}" if widest > room else ""
        lines = [escaped(line) for line in cue.lines]
        if spoken is not None:
            line = cue.lines[spoken.line]
            before, word, after = line[: spoken.start], line[spoken.start : spoken.end], line[spoken.end :]
            shown = (_kept(before), f"{{\\rSpoken{smaller}}}", escaped(word), f"{{\\r{smaller}}}", _kept(after))
            lines[spoken.line] = "".join(shown)
        text = (f"{{{smaller}}}" if smaller else "") + "\\N".join(lines)
        return Event(_ass_time(begins, fps), _ass_time(ends, fps), text)


def escaped(line: str) -> str:
    """Return `line` as ASS text that shows exactly these characters."""
    safe = line.replace("\\", "\\" + WORD_JOINER).replace("{", "\\{").replace("}", "\\}")
    return " ".join(safe.split())


def _kept(part: str) -> str:
    """Escape a part of a line, with the spaces at its ends."""
    inner = escaped(part)
    if not inner:
        return " " if part else ""
    return " " * part[0].isspace() + inner + " " * part[-1].isspace()


def fontsize(em: float) -> int:
    """Return the ASS font size, which counts a whole line, for letters of `em` pixels."""
    return max(round(em * face().line_height), 1)


def _ass_time(frame: int, fps: Fraction) -> str:
    """Write a time that lies half a frame before `frame`: hundredths of a second then cannot miss it."""
    hundredths = max(round((frame - Fraction(1, 2)) / fps * 100), 0)
    seconds, rest = divmod(hundredths, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:02d}"
