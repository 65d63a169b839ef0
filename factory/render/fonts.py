"""The one font family of everything that is drawn, and the promise that it has each character."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import cache
from pathlib import Path

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


@cache
def _code_points() -> frozenset[int]:
    """Return every code point of the family's character map."""
    with TTCollection(str(font_file()), lazy=True) as collection:
        for font in collection:
            if font["name"].getDebugName(1) == FAMILY:
                return frozenset(font.getBestCmap())
    raise LookupError(f"{font_file()} holds no family {FAMILY}")


def check_glyphs(text: str, where: str) -> None:
    """Raise `GlyphMissing` for the first character of `text` that would be drawn as an empty box, in `where`."""
    for character in text:
        if ord(character) not in _code_points() and not _invisible(character):
            raise GlyphMissing(character, where)


def _invisible(character: str) -> bool:
    """Tell spaces and format characters (Unicode Zs, Zl, Zp, Cf, line ends), which leave no ink and need no glyph."""
    return unicodedata.category(character) in {"Zs", "Zl", "Zp", "Cf"} or character in "\n\r\t"


@cache
def line_height() -> float:
    """Return the height of a line in em, as Windows' metrics give it: what ASS calls the font's size."""
    with TTCollection(str(font_file()), lazy=True) as collection:
        metrics = collection[0]["OS/2"]
        return float(metrics.usWinAscent + metrics.usWinDescent) / float(collection[0]["head"].unitsPerEm)
