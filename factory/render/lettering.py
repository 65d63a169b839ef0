"""Text as the cards' one font sets it: widths from real glyph advances, wrapping that knows Chinese, missing glyphs.

Widths are an upper bound: kerning only draws letters closer. Sizes and widths are canvas pixels, `size` is the em.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from math import inf

from factory.render.fonts import GlyphMissing, face

ELLIPSIS = "…"
_CLOSERS = "，。、！？；：）》」』”’…％%,.!?;:)]}"
_OPENERS = "（《「『“‘([{"
_WIDE = "⺀-〿぀-ヿ＀-￯"
_UNIT = (
    r"[万亿]?(?:元|辆|公里|千米|米|毫米|千瓦时|千瓦|马力|牛米|度|秒|分钟|座|位|名|年|月|日|倍"
    r"|km/h|km|kWh|kW|mm|kg|hp|s|%)(?![A-Za-z])"
)
_HAN = "㐀-䶿一-鿿豈-﫿"
_TOKEN = re.compile(rf"[0-9][0-9.,:/-]*\s?{_UNIT}|\s+|[{_HAN}]+|[{_WIDE}]|[^\s{_HAN}{_WIDE}]+")


def drawable(text: str) -> str:
    """Return `text` as the font can draw it: control characters and pictographs go, a missing letter is refused."""
    advances = face().advances
    kept = []
    for character in unicodedata.normalize("NFC", text):
        if ord(character) in advances:
            kept.append(character)
        elif character.isspace():
            kept.append(" ")
        elif unicodedata.category(character)[0] in "LN":
            raise GlyphMissing(character, repr(text[:80]))
    return "".join(kept)


def known(character: str) -> bool:
    """Say whether the font can draw this character."""
    return ord(character) in face().advances


def text_width(text: str, size: float) -> float:
    """Return the sum of the advances of `text` at `size`."""
    advances = face().advances
    return size * sum(advances.get(ord(character), 1.0) for character in text)


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
    """Break `text` into as few lines as it needs, at most `max_lines`, none wider than `max_width`.

    Breaks at spaces and between Chinese words, never before a closing or after an opening mark, nor between a number
    and its unit; a single word wider than a line is cut. `balanced` makes the lines about equally long and prefers to
    break after punctuation. What does not fit ends in an ellipsis.
    """
    words = _words(text, size, max_width)
    lines = _greedy(words, size, max_width)
    if len(lines) > max_lines:
        kept = _greedy(words, size, max_width, max_lines)
        return [*kept[:-1], shorten(kept[-1], size, max_width)]
    return _balanced(words, size, max_width, len(lines)) if balanced and len(lines) > 1 else lines


def wrap_beside(text: str, size: float, max_width: float, aside: float, max_lines: int) -> list[str]:
    """Break `text` so that the last line leaves `aside` free at its right, where one more line does it."""
    lines = wrap(text, size, max_width, max_lines)
    if not lines or text_width(lines[-1], size) <= max_width - aside:
        return lines
    narrow = wrap(text, size, max_width - aside, max_lines)
    return lines if len(narrow) > len(lines) + 1 or narrow[-1].endswith(ELLIPSIS) else narrow


def _greedy(words: Sequence[str], size: float, max_width: float, max_lines: int = 1000) -> list[str]:
    """Fill line after line; the last of `max_lines` takes all that is left."""
    lines = [""]
    for word in words:
        fits = text_width((lines[-1] + word).rstrip(), size) <= max_width
        if fits or not lines[-1].strip() or len(lines) >= max_lines:
            lines[-1] += word
        else:
            lines.append(word)
    return [line.strip() for line in lines if line.strip()]


def _balanced(words: Sequence[str], size: float, max_width: float, count: int) -> list[str]:
    """Return the `count` lines whose widths differ least; a break that follows no mark costs as much as a fifth off."""
    ends = [0.0, *accumulate(text_width(word, size) for word in words)]
    mean = ends[-1] / count

    def cost(start: int, end: int) -> float:
        width = text_width("".join(words[start:end]).strip(), size)
        if width > max_width:
            return inf
        smooth = end == len(words) or words[end - 1].rstrip()[-1:] in _CLOSERS
        return ((width - mean) / max_width) ** 2 + (0 if smooth else 0.04)

    best: list[tuple[float, tuple[int, ...]]] = [(0.0 if end == 0 else inf, ()) for end in range(len(words) + 1)]
    for _ in range(count):
        best = [
            min(((best[at][0] + cost(at, end), (*best[at][1], end)) for at in range(end)), default=(inf, ()))
            for end in range(len(words) + 1)
        ]
    breaks = (0, *best[-1][1])
    return ["".join(words[a:b]).strip() for a, b in pairwise(breaks)] or _greedy(words, size, max_width)


def _words(text: str, size: float, max_width: float) -> list[str]:
    """Split into the pieces between which a line may break; blank space stands as a single space."""
    pieces: list[str] = []
    for token in _tokens(" ".join(text.split())):
        glued = pieces and not pieces[-1].isspace() and (token[0] in _CLOSERS or pieces[-1][-1] in _OPENERS)
        if glued:
            pieces[-1] += token
        else:
            pieces.append(token)
    return [part for piece in pieces for part in _cut(piece, size, max_width)]


def _tokens(text: str) -> Iterator[str]:
    for token in _TOKEN.findall(text):
        yield from _chinese_words(token) if token[0] >= "㐀" and token[-1] <= "﫿" and not token.isspace() else (token,)


@lru_cache(maxsize=256)
def _chinese_words(run: str) -> tuple[str, ...]:
    import jieba  # noqa: PLC0415 - its dictionary takes a second, few texts wrap

    jieba.setLogLevel(logging.ERROR)
    return tuple(jieba.cut(run))


def _cut(piece: str, size: float, max_width: float) -> list[str]:
    parts = [""]
    for character in piece:
        if parts[-1] and text_width(parts[-1] + character, size) > max_width:
            parts.append("")
        parts[-1] += character
    return parts
