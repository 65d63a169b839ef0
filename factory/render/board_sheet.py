"""A contact sheet of a storyboard: a tile a shot, in the shape of the video, with what is said under it and what hit.

What the library lacks is red, and grey where the video can do without. Nothing is cut off without an ellipsis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from factory.plan.timeline import Canvas
from factory.render.lettering import shorten, text_width, wrap
from factory.render.tag_sheet import INK, MARGIN, PALE, PAPER, RULE, WIDTH, Pen, drawn

GAP: Final = 28
HEAD: Final = 104
COLUMNS: Final = {"16:9": 4, "1:1": 5, "9:16": 6}
RED, REDDISH, GREYISH = "#c01f2e", "#fbe6e8", "#f0f2f5"
SAID_LINES, HIT_LINES, NOTE_LINES = 4, 3, 6


@dataclass(frozen=True, slots=True)
class Tile:
    """A shot as it is shown: `picture` fills the tile; `notes` say what is missing, in red where it is `needed`."""

    name: str
    times: str
    picture: Image.Image
    said: str = ""
    hits: str = ""
    score: str = ""
    notes: tuple[str, ...] = ()
    needed: bool = True


def tile_size(canvas: Canvas) -> tuple[int, int]:
    """Return width and height of a tile's picture for a canvas."""
    ratio = canvas.width / canvas.height
    columns = COLUMNS["16:9" if ratio > 1.2 else "9:16" if ratio < 0.8 else "1:1"]
    width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) // columns
    return width, round(width * canvas.height / canvas.width)


def lacking(size: tuple[int, int], text: str, *, needed: bool) -> Image.Image:
    """Return the picture of a shot that is not there."""
    ground, ink = (REDDISH, RED) if needed else (GREYISH, PALE)
    picture = Image.new("RGB", size, ground)
    pen = Pen(ImageDraw.Draw(picture))
    pen.draw.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=ink, width=3 if needed else 1)
    lines = wrap(drawn(text), 18, size[0] - 40, 3)
    top = size[1] / 2 - 13 * len(lines)
    for number, line in enumerate(lines):
        pen.write(line, (size[0] - text_width(line, 18)) / 2, top + 26 * number, 18, ink)
    return picture


def draw_board(tiles: Sequence[Tile], title: str, about: str, *, warning: str = "") -> Image.Image:
    """Return the sheet, WIDTH pixels wide; `warning` stands in red beside the title."""
    width = tiles[0].picture.width if tiles else WIDTH
    columns = max(1, (WIDTH - 2 * MARGIN + GAP) // (width + GAP))
    laid = [_Laid.of(tile, width) for tile in tiles]
    rows = [laid[at : at + columns] for at in range(0, len(laid), columns)]
    heights = [max(tile.height for tile in row) + GAP for row in rows]
    sheet = Image.new("RGB", (WIDTH, HEAD + sum(heights) + MARGIN // 2), PAPER)
    pen = Pen(ImageDraw.Draw(sheet))
    aside = text_width(drawn(warning), 20)
    pen.write(shorten(drawn(title), 30, WIDTH - 2 * MARGIN - aside - GAP), MARGIN, 24, 30, INK)
    pen.write(drawn(warning), WIDTH - MARGIN - aside, 32, 20, RED)
    pen.write(shorten(drawn(about), 15, WIDTH - 2 * MARGIN), MARGIN, 66, 15, PALE)
    top = HEAD
    for row, height in zip(rows, heights, strict=True):
        for number, tile in enumerate(row):
            tile.draw(sheet, pen, MARGIN + number * (width + GAP), top)
        top += height
    return sheet


@dataclass(frozen=True, slots=True)
class _Laid:
    """A tile with its lines: text, size, colour."""

    tile: Tile
    lines: tuple[tuple[str, int, str], ...]

    @classmethod
    def of(cls, tile: Tile, width: int) -> _Laid:
        times = text_width(tile.times, 14)
        name = shorten(drawn(tile.name), 17, width - times - 12)
        alarm = RED if tile.needed else PALE
        lines = [(name, 17, alarm if tile.notes else INK)]
        for text, size, colour, most in (
            (tile.said, 16, INK, SAID_LINES),
            (tile.hits, 14, PALE, HIT_LINES),
            (tile.score, 14, PALE, 2),
        ):
            lines += [(line, size, colour) for line in wrap(drawn(text), size, width, most, balanced=False)]
        for note in tile.notes:
            lines += [(line, 14, alarm) for line in wrap(drawn(note), 14, width, NOTE_LINES, balanced=False)]
        return cls(tile, tuple(lines))

    @property
    def height(self) -> int:
        return self.tile.picture.height + 8 + sum(size + 7 for _, size, _ in self.lines)

    def draw(self, sheet: Image.Image, pen: Pen, left: int, top: int) -> None:
        picture = self.tile.picture
        sheet.paste(picture, (left, top))
        pen.draw.rectangle((left - 1, top - 1, left + picture.width, top + picture.height), outline=RULE)
        at = top + picture.height + 8
        pen.write(self.tile.times, left + picture.width - text_width(self.tile.times, 14), at + 2, 14, PALE)
        for text, size, colour in self.lines:
            pen.write(text, left, at, size, colour)
            at += size + 7
