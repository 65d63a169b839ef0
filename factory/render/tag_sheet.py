"""A contact sheet of tagged shots: moments of each, its tags with confidence and modality, warnings, words.

A line a shot, so that the eye goes down the pictures. A chip is a tag: the colour of its dot says which modality spoke,
the bar under it how surely; the scene stands first, on dark ground. Nothing is cut off without an ellipsis or a count.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from factory.render.fonts import face, font_file
from factory.render.lettering import known, shorten, text_width, wrap

Language = Literal["zh", "en", "both"]

WIDTH: Final = 1600
MARGIN: Final = 32
CELL: Final = (256, 144)  # of a moment; footage of another shape stands in bars
MOMENTS: Final = 3
GAP: Final = 6
ASIDE: Final = 24  # between pictures and words
LEFT: Final = MARGIN + MOMENTS * (CELL[0] + GAP) - GAP + ASIDE  # of the words
RIGHT: Final = WIDTH - MARGIN
ROOM: Final = RIGHT - LEFT
BETWEEN: Final = 40  # of two shots, the rule in its middle
HEAD: Final = 96
CHIP_LINES: Final = 5
WORD_LINES: Final = 2  # of each kind of words
MOST_SHOTS: Final = 60  # of one picture: higher ones few programs open

PAPER, INK, PALE, RULE, BED = "#ffffff", "#15181d", "#69707a", "#e3e6ea", "#16191e"
CHIP, CHIP_BAR, SCENE, SCENE_BAR = "#f0f2f5", "#c3c9d1", "#20242b", "#6d7683"
WARNING, WARNING_INK = "#fdf0d5", "#7a4b00"
MODALITIES: Final = {  # colour, zh, en
    "picture": ("#2f6fde", "画面", "picture"),
    "motion": ("#d9772b", "运镜", "motion"),
    "sound": ("#8a4fd3", "声音", "sound"),
    "words": ("#1f9d63", "文字", "words"),
    "desk": ("#c2365a", "编辑", "desk"),
}
FIELDS: Final = {"zh": ("标题", "画面文字", "语音", "无标签"), "en": ("Title", "On screen", "Heard", "no tags")}


@dataclass(frozen=True, slots=True)
class SheetTag:
    """A tag of a shot with its names; `scene` marks the coarse ones, which stand first."""

    zh: str
    en: str
    confidence: float
    modality: str
    scene: bool

    def name(self, language: Language) -> str:
        both = self.zh if self.zh == self.en else f"{self.zh} {self.en}"
        return {"zh": self.zh, "en": self.en, "both": both}[language]


@dataclass(frozen=True, slots=True)
class SheetShot:
    """A shot as it is shown. `pictures` are (H, W, 3) RGB, none where the file gave none: then `absent` says why."""

    heading: str
    about: str
    pictures: tuple[NDArray[np.uint8], ...]
    tags: tuple[SheetTag, ...]
    warnings: tuple[str, ...] = ()
    title: str = ""
    burnt_in: str = ""
    speech: str = ""
    absent: str = ""


def draw_sheet(shots: Sequence[SheetShot], title: str, about: str, *, language: Language = "both") -> Image.Image:
    """Return the sheet, WIDTH pixels wide and as high as `shots` (at most MOST_SHOTS) need."""
    if len(shots) > MOST_SHOTS:
        raise ValueError(f"{len(shots)} shots on one sheet; {MOST_SHOTS} at most")
    blocks = [_Block.of(shot, language) for shot in shots]
    sheet = Image.new("RGB", (WIDTH, HEAD + sum(block.height + BETWEEN for block in blocks)), PAPER)
    pen = Pen(ImageDraw.Draw(sheet))
    _draw_head(pen, title, about, language)
    top = HEAD
    for block in blocks:
        pen.draw.line((MARGIN, top, RIGHT, top), RULE)
        block.draw(sheet, pen, top + BETWEEN // 2)
        top += block.height + BETWEEN
    return sheet


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes lines whose top is given; letters stand on one line whatever they are."""

    draw: ImageDraw.ImageDraw

    def write(self, text: str, left: float, top: float, size: int, colour: str) -> None:
        self.draw.text((left, top + 0.88 * size), text, colour, font(size), anchor="ls")

    def box(self, area: tuple[float, float, float, float], colour: str, radius: int = 5) -> None:
        self.draw.rounded_rectangle(area, radius, colour)

    def dot(self, left: float, middle: float, colour: str) -> None:
        self.draw.ellipse((left, middle - 4, left + 8, middle + 4), colour)


def _draw_head(pen: Pen, title: str, about: str, language: Language) -> None:
    """The sheet's name, and which colour is which modality."""
    legend = [(colour, zh if language == "zh" else en) for colour, zh, en in MODALITIES.values()]
    left = RIGHT - sum(text_width(name, 15) + 34 for _, name in legend) + 20
    room = left - MARGIN - ASIDE
    pen.write(shorten(drawn(title), 30, room), MARGIN, 24, 30, INK)
    pen.write(shorten(drawn(about), 15, room), MARGIN, 64, 15, PALE)
    for colour, name in legend:
        pen.dot(left, 72, colour)
        pen.write(name, left + 14, 64, 15, PALE)
        left += text_width(name, 15) + 34


@dataclass(frozen=True, slots=True)
class _Chip:
    """A tag or a warning; a tag has a bar."""

    text: str
    value: str
    ground: str
    ink: str
    bar: tuple[str, float] | None = None
    dot: str = ""

    SIZE = 16
    HEIGHT = 28

    @property
    def width(self) -> float:
        value = text_width(self.value, 14) + 8 if self.value else 0
        return 20 + (14 if self.dot else 0) + text_width(self.text, self.SIZE) + value

    def draw(self, pen: Pen, left: float, top: float) -> None:
        pen.box((left, top, left + self.width, top + self.HEIGHT), self.ground)
        if self.bar:
            colour, share = self.bar
            end = left + 10 + (self.width - 20) * share
            pen.draw.line((left + 10, top + self.HEIGHT - 4, end, top + self.HEIGHT - 4), colour, 2)
        at = left + 10
        if self.dot:
            pen.dot(at, top + 13, self.dot)
            at += 14
        pen.write(self.text, at, top + 4, self.SIZE, self.ink)
        if self.value:
            pen.write(self.value, at + text_width(self.text, self.SIZE) + 8, top + 6, 14, self.ink)


@dataclass(frozen=True, slots=True)
class _Block:
    """One shot laid out: lines of chips and of words."""

    shot: SheetShot
    heading: tuple[str, ...]
    chips: tuple[tuple[_Chip, ...], ...]
    words: tuple[tuple[str, tuple[str, ...]], ...]  # what they are, and their lines

    @classmethod
    def of(cls, shot: SheetShot, language: Language) -> _Block:
        fields = FIELDS["zh" if language == "zh" else "en"]
        chips = [_tag_chip(tag, language) for tag in sorted(shot.tags, key=lambda t: (not t.scene, -t.confidence))]
        chips = chips or [_Chip(fields[3], "", CHIP, PALE)]
        chips += [_Chip(shorten(drawn(w), 16, ROOM - 90), "", WARNING, WARNING_INK) for w in shot.warnings]
        told = zip(fields, (shot.title, shot.burnt_in, shot.speech), strict=False)
        indent = max(text_width(name, 15) for name in fields[:3]) + 14
        words = [(name, _lines(text, 15, ROOM - indent, WORD_LINES)) for name, text in told if text.strip()]
        return cls(shot, _lines(shot.heading, 19, ROOM, 2), _laid(chips), tuple(words))

    @property
    def height(self) -> int:
        lines = sum(len(lines) for _, lines in self.words)
        words = 23 * lines + 4 if lines else 0
        return max(CELL[1], 26 * len(self.heading) + 26 + len(self.chips) * (_Chip.HEIGHT + GAP) + words)

    def draw(self, sheet: Image.Image, pen: Pen, top: int) -> None:
        self._draw_pictures(sheet, pen, top)
        for line in self.heading:
            pen.write(line, LEFT, top, 19, INK)
            top += 26
        pen.write(shorten(drawn(self.shot.about), 15, ROOM), LEFT, top, 15, PALE)
        top += 26
        for row in self.chips:
            left = float(LEFT)
            for chip in row:
                chip.draw(pen, left, top)
                left += chip.width + GAP
            top += _Chip.HEIGHT + GAP
        self._draw_words(pen, top + 4)

    def _draw_pictures(self, sheet: Image.Image, pen: Pen, top: int) -> None:
        for number in range(MOMENTS):
            left = MARGIN + number * (CELL[0] + GAP)
            sheet.paste(BED, (left, top, left + CELL[0], top + CELL[1]))
            if number < len(self.shot.pictures):
                picture = ImageOps.contain(Image.fromarray(self.shot.pictures[number]), CELL)
                beside, above = (CELL[0] - picture.width) // 2, (CELL[1] - picture.height) // 2
                sheet.paste(picture, (left + beside, top + above))
        if not self.shot.pictures:
            for number, line in enumerate(_lines(self.shot.absent, 15, MOMENTS * CELL[0] - 2 * ASIDE, 4)):
                pen.write(line, MARGIN + ASIDE, top + ASIDE + 23 * number, 15, RULE)

    def _draw_words(self, pen: Pen, top: float) -> None:
        indent = max((text_width(name, 15) for name, _ in self.words), default=0) + 14
        for name, lines in self.words:
            pen.write(name, LEFT, top, 15, PALE)
            for line in lines:
                pen.write(line, LEFT + indent, top, 15, INK)
                top += 23


def _tag_chip(tag: SheetTag, language: Language) -> _Chip:
    ground, ink, bar = (SCENE, PAPER, SCENE_BAR) if tag.scene else (CHIP, INK, CHIP_BAR)
    dot = MODALITIES.get(tag.modality, (PALE,))[0]
    name = shorten(drawn(tag.name(language)), _Chip.SIZE, ROOM - 90)
    value = f"{min(tag.confidence, 0.99):.2f}"[1:] if tag.confidence < 1 else "1"
    return _Chip(name, value, ground, ink, (bar, min(1.0, max(0.0, tag.confidence))), dot)


def _laid(chips: Sequence[_Chip]) -> tuple[tuple[_Chip, ...], ...]:
    """Lay chips into CHIP_LINES lines at most; the last one then says how many are left out."""
    lines = list(_flow(chips))
    if len(lines) <= CHIP_LINES:
        return tuple(lines)
    kept = [chip for line in lines[:CHIP_LINES] for chip in line]
    while kept:
        more = _Chip(f"+{len(chips) - len(kept)}", "", PAPER, PALE)
        if len(shown := list(_flow([*kept, more]))) <= CHIP_LINES:
            return tuple(shown)
        kept.pop()
    return tuple(lines[:CHIP_LINES])


def _flow(chips: Sequence[_Chip]) -> Iterator[tuple[_Chip, ...]]:
    line: list[_Chip] = []
    for chip in chips:
        if line and sum(c.width + GAP for c in (*line, chip)) - GAP > ROOM:
            yield tuple(line)
            line = []
        line.append(chip)
    if line:
        yield tuple(line)


def _lines(text: str, size: float, room: float, most: int) -> tuple[str, ...]:
    return tuple(wrap(drawn(text), size, room, most, balanced=False))


def drawn(text: str) -> str:
    """Return `text` on one line as the font can draw it: a report refuses no name, it shows `□` for what it lacks."""
    kept = (" " if letter.isspace() else letter for letter in unicodedata.normalize("NFC", text))
    visible = (letter for letter in kept if unicodedata.category(letter) not in ("Cc", "Cf", "Cs"))
    return " ".join("".join(letter if known(letter) else "□" for letter in visible).split())


@lru_cache(maxsize=8)
def font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_file(), size, index=face().place)
