"""Text as the cards' one font sets it: widths from real glyph advances, wrapping that knows Chinese, missing glyphs.

Widths are an upper bound: kerning only draws letters closer. Sizes and widths are canvas pixels, `size` is the em.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from fontTools.ttLib import TTFont

from factory.render.fonts import GlyphMissing, font_file

ELLIPSIS = "…"
_FACE = 2  # the Simplified Chinese face of the collection
_CLOSERS = "，。、！？；：）》」』”’…％%,.!?;:)]}"
_OPENERS = "（《「『“‘([{"
_IDEOGRAPHIC = "⺀-〿぀-ヿ㐀-䶿一-鿿豈-﫿＀-￯"
_TOKEN = re.compile(rf"\s+|[{_IDEOGRAPHIC}]|[^\s{_IDEOGRAPHIC}]+")


@cache
def _advances() -> dict[int, float]:
    """Map code point -> advance in em."""
    with TTFont(font_file(), fontNumber=_FACE, lazy=True) as font:
        unit = font["head"].unitsPerEm
        metrics = font["hmtx"]
        return {code: metrics[glyph][0] / unit for code, glyph in font.getBestCmap().items()}


def drawable(text: str) -> str:
    """Return `text` as the font can draw it: control characters and pictographs go, a missing letter is refused."""
    known = _advances()
    kept = []
    for character in unicodedata.normalize("NFC", text):
        if ord(character) in known:
            kept.append(character)
        elif character.isspace():
            kept.append(" ")
        elif unicodedata.category(character)[0] in "LN":
            raise GlyphMissing(character, repr(text[:80]))
    return "".join(kept)


def text_width(text: str, size: float) -> float:
    """Return the sum of the advances of `text` at `size`."""
    known = _advances()
    return size * sum(known.get(ord(character), 1.0) for character in text)


def fit_size(text: str, size: float, max_width: float, min_size: float) -> float:
    """Return the largest size, `min_size` to `size`, at which `text` is at most `max_width` wide (or `min_size`)."""
    width = text_width(text, size)
    if width <= max_width:
        return size
    return max(min_size, int(size * max_width / width))


def shorten(text: str, size: float, max_width: float) -> str:
    """Return `text`, its end replaced by an ellipsis where it is wider than `max_width`."""
    if text_width(text, size) <= max_width:
        return text
    while text and text_width(text + ELLIPSIS, size) > max_width:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS


def wrap(text: str, size: float, max_width: float, max_lines: int, *, balanced: bool = True) -> list[str]:
    """Break `text` into at most `max_lines` lines no wider than `max_width`.

    Breaks at spaces and between ideographs, never before a closing or after an opening mark; a single word wider than a
    line is cut. `balanced` makes the lines about equally long. What does not fit ends in an ellipsis.
    """
    words = _words(text, size, max_width)
    lines = _greedy(words, size, max_width)
    if len(lines) > max_lines:
        rest = (
            "".join(lines[max_lines - 1 :])
            if not any(" " in line for line in lines)
            else " ".join(lines[max_lines - 1 :])
        )
        return [*lines[: max_lines - 1], shorten(rest, size, max_width)]
    if balanced and len(lines) > 1:
        return _balanced(words, size, max_width, len(lines))
    return lines


def _balanced(words: list[str], size: float, max_width: float, count: int) -> list[str]:
    low, high = max_width / 2, max_width
    while high - low > size / 4:
        middle = (low + high) / 2
        fits = len(_greedy(words, size, middle)) <= count
        low, high = (low, middle) if fits else (middle, high)
    return _greedy(words, size, high)


def _words(text: str, size: float, max_width: float) -> list[str]:
    """Split into the pieces between which a line may break; a piece of blank space is a single space."""
    pieces: list[str] = []
    for token in _TOKEN.findall(text.strip()):
        if token.isspace():
            pieces.append(" ")
        elif pieces and not pieces[-1].isspace() and (token[0] in _CLOSERS or pieces[-1][-1] in _OPENERS):
            pieces[-1] += token
        else:
            pieces.append(token)
    return [part for piece in pieces for part in _cut(piece, size, max_width)]


def _cut(piece: str, size: float, max_width: float) -> list[str]:
    parts = [""]
    for character in piece:
        if parts[-1] and text_width(parts[-1] + character, size) > max_width:
            parts.append("")
        parts[-1] += character
    return parts


def _greedy(words: list[str], size: float, max_width: float) -> list[str]:
    lines = [""]
    for word in words:
        if text_width((lines[-1] + word).rstrip(), size) <= max_width or not lines[-1].strip():
            lines[-1] += word
        else:
            lines[-1] = lines[-1].rstrip()
            lines.append(word.lstrip())
    lines[-1] = lines[-1].rstrip()
    return [line for line in lines if line]
