"""The one font family of everything that is drawn, and the promise that it has each character."""

from __future__ import annotations

import gc
import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

import noto_cjk_sans_otc
from fontTools.ttLib import TTCollection

from factory.errors import FactoryError

FAMILY = "Noto Sans CJK SC"


class GlyphMissing(FactoryError):
    """A text holds a character that the font cannot draw; it would show as an empty box."""

    code = "glyph-missing"

    def __init__(self, character: str, where: str) -> None:
        name = unicodedata.name(character, "unnamed")
        super().__init__(
            f"the font {FAMILY} has no glyph for {character!r} (U+{ord(character):04X}, {name}) in {where}",
            next_step="replace that character in the text",
        )
        self.character = character
        self.where = where


def font_file() -> Path:
    """Return the font collection that the wheel carries."""
    return Path(noto_cjk_sans_otc.FONT_PATH)


@cache
def font_digest() -> str:
    """Return the SHA-256 of the font file: another font gives other frames."""
    return hashlib.sha256(font_file().read_bytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Face:
    """What is known of the family: its place in the collection, the advance of each character (code point -> em), and
    the height of a line in em as Windows' metrics give it: what ASS calls the font's size."""

    place: int
    advances: Mapping[int, float]
    line_height: float


_reading = Lock()


def face() -> Face:
    """Return the family's measures, read once a process: several threads that ask at first would each read them."""
    with _reading:
        return _face()


@cache
def _face() -> Face:
    with TTCollection(str(font_file()), lazy=True) as collection:
        place = next((at for at, one in enumerate(collection) if one["name"].getDebugName(1) == FAMILY), None)
        if place is None:
            raise LookupError(f"{font_file()} holds no family {FAMILY}")
        font = collection[place]
        unit, metrics, windows = float(font["head"].unitsPerEm), font["hmtx"], font["OS/2"]
        advances = {code: metrics[glyph][0] / unit for code, glyph in font.getBestCmap().items()}
        found = Face(place, advances, (windows.usWinAscent + windows.usWinDescent) / unit)
    del collection, font, metrics, windows
    gc.collect()  # tables refer to one another in circles, and are large
    return found


def check_glyphs(text: str, where: str) -> None:
    """Raise `GlyphMissing` for the first character of `text` that would be drawn as an empty box, in `where`."""
    for character in text:
        if ord(character) not in face().advances and not _invisible(character):
            raise GlyphMissing(character, where)


def _invisible(character: str) -> bool:
    """Tell spaces and format characters (Unicode Zs, Zl, Zp, Cf, line ends), which leave no ink and need no glyph."""
    return unicodedata.category(character) in {"Zs", "Zl", "Zp", "Cf"} or character in "\n\r\t"
