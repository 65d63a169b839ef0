"""Contact sheets of finished videos, for eyes: a dozen frames of each with times, and all of a set on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from factory.render.fonts import face, font_file
from factory.render.lettering import known, shorten
from understanding.media import read_frames

FRAMES: Final = 12
WIDTH: Final = 1600
MARGIN: Final = 28
GAP: Final = 8
HEAD: Final = 96
LINE: Final = 24
PAPER, INK, PALE, FAULT, BED = "#ffffff", "#15181d", "#69707a", "#b3261e", "#16191e"
COLUMNS: Final = {"16:9": 4, "1:1": 6, "9:16": 6}
SHAPES: Final = {"16:9": (16, 9), "1:1": (1, 1), "9:16": (9, 16)}
THUMB: Final = (296, 167)  # of the overview
THUMBS_A_ROW: Final = 5


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on the sheet of one video: `video` is None where there is none, and `faults` say why, or what is
    wrong."""

    name: str
    title: str
    about: str
    aspect: str
    video: Path | None
    seconds: float
    faults: tuple[str, ...] = ()


def draw_sheet(sheet: Sheet, target: Path) -> Path:
    """Draw the frames of a video into `target`, a PNG: the middle of each twelfth, so that the ends show."""
    columns = COLUMNS[sheet.aspect]
    across = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) // columns
    wide, high = SHAPES[sheet.aspect]
    down = across * high // wide
    rows = -(-FRAMES // columns)
    foot = LINE * len(sheet.faults) + (MARGIN if sheet.faults else 0)
    page = Image.new("RGB", (WIDTH, HEAD + rows * (down + GAP + LINE) + foot + MARGIN), PAPER)
    draw = ImageDraw.Draw(page)
    _write(draw, (MARGIN, 22), f"{sheet.name}  {sheet.title}", size=28, ink=INK, room=WIDTH - 2 * MARGIN)
    _write(draw, (MARGIN, 60), sheet.about, size=19, ink=PALE, room=WIDTH - 2 * MARGIN)
    for number, (at, picture) in enumerate(_moments(sheet, down)):
        x = MARGIN + number % columns * (across + GAP)
        y = HEAD + number // columns * (down + GAP + LINE)
        page.paste(ImageOps.fit(picture, (across, down)), (x, y))
        _write(draw, (x, y + down + 3), f"{at:.1f} s", size=16, ink=PALE, room=across)
    for number, fault in enumerate(sheet.faults):
        _write(draw, (MARGIN, page.height - foot + LINE * number), fault, size=18, ink=FAULT, room=WIDTH - 2 * MARGIN)
    target.parent.mkdir(parents=True, exist_ok=True)
    page.save(target, "PNG")
    return target


def draw_overview(sheets: Sequence[Sheet], target: Path) -> Path:
    """Draw one picture of each video of a set, and in its place why there is none."""
    rows = -(-len(sheets) // THUMBS_A_ROW)
    tall = THUMB[1] + 2 * LINE + GAP
    page = Image.new("RGB", (WIDTH, 2 * MARGIN + rows * tall), PAPER)
    draw = ImageDraw.Draw(page)
    for number, sheet in enumerate(sheets):
        x = MARGIN + number % THUMBS_A_ROW * (THUMB[0] + GAP)
        y = MARGIN + number // THUMBS_A_ROW * tall
        draw.rectangle((x, y, x + THUMB[0] - 1, y + THUMB[1] - 1), fill=BED)
        if sheet.video:
            at = Fraction(round(sheet.seconds * 35), 100)
            picture = Image.fromarray(read_frames(sheet.video, times=[at], height=THUMB[1]).rgb[0].copy())
            fitted = ImageOps.contain(picture, THUMB)
            page.paste(fitted, (x + (THUMB[0] - fitted.width) // 2, y + (THUMB[1] - fitted.height) // 2))
        _write(draw, (x, y + THUMB[1] + 3), f"{sheet.name}  {sheet.title}", size=16, ink=INK, room=THUMB[0])
        told, ink = (sheet.faults[0], FAULT) if sheet.faults else (sheet.about, PALE)
        _write(draw, (x, y + THUMB[1] + 3 + LINE), told, size=14, ink=ink, room=THUMB[0])
    target.parent.mkdir(parents=True, exist_ok=True)
    page.save(target, "PNG")
    return target


def _moments(sheet: Sheet, height: int) -> list[tuple[float, Image.Image]]:
    if sheet.video is None:
        return []
    times = [Fraction(round(1000 * sheet.seconds * (2 * number + 1)), 2000 * FRAMES) for number in range(FRAMES)]
    frames = read_frames(sheet.video, times=times, height=max(height, 120))
    return [(float(at), Image.fromarray(rgb.copy())) for at, rgb in zip(times, frames.rgb, strict=True)]


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, *, size: int, ink: str, room: int) -> None:
    plain = "".join(letter for letter in " ".join(text.split()) if known(letter))
    draw.text(at, shorten(plain, size, room), font=_font(size), fill=ink)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_file(), size, index=face().place)
