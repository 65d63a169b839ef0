"""Text into sentences, and sentences into the smallest pieces that a line break may part."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from factory.plan.facts import Locale
from factory.plan.numbers import UNIT_NAMES

Segment = Callable[[str], Sequence[str]]  # a stretch of Chinese -> its words, which joined are the stretch

CJK = "\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_CLOSING = "”’\"'」』）)】》"
_END = re.compile(rf"(?:[。！？!?；…]+|\.{{2,}}|\.)[{_CLOSING}]*")
_SHORT = re.compile(
    r"mr|mrs|ms|dr|st|vs|etc|inc|ltd|co|corp|approx|est|dept|fig|min|max|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
    r"|(?:[a-z]\.)+[a-z]"
)


def sentences(text: str, locale: Locale) -> tuple[str, ...]:
    """Return the sentences of a text, in order; joined they are the text but for the white space between them.

    A full stop ends one only before a space and outside numbers, initials and abbreviations. What holds no letter or
    digit stays with the sentence before it.
    """
    found: list[str] = []
    for paragraph in text.splitlines():
        for part in _split(paragraph.strip(), locale):
            if found and not re.search(r"\w", part):
                found[-1] += part
            elif part:
                found.append(part)
    return tuple(found) if found and re.search(r"\w", "".join(found)) else ()


def _split(text: str, locale: Locale) -> Iterable[str]:
    start = 0
    for mark in _END.finditer(text):
        if _ends(text, mark, locale):
            yield text[start : mark.end()].strip()
            start = mark.end()
    yield text[start:].strip()


def _ends(text: str, mark: re.Match[str], locale: Locale) -> bool:
    sign, after = mark[0][0], text[mark.end() : mark.end() + 1]
    if sign in "。！？；":
        return True
    if sign == "…":
        return locale == "zh-CN" or after.isspace()
    if after and not after.isspace() and not re.match(f"[{CJK}]", after):
        return False
    if sign in "!?":
        return True
    return not after or not _shortened(text[: mark.start()], text[mark.end() :].lstrip())


def _shortened(before: str, after: str) -> bool:
    """Say whether a full stop after `before` belongs to an abbreviation (`No. 3`) or an initial (`J. D. Power`)."""
    words = re.findall(r"[\w.]+", before[-40:])
    last = words[-1] if words else ""
    if last == "No":
        return after[:1].isdigit()
    if len(last) == 1 and last.isupper():  # but the S of a `Lumen S` is a name
        return len(words) < 2 or not re.fullmatch(r"[A-Z]\w+", words[-2])
    return bool(_SHORT.fullmatch(last.lower()))


@dataclass(frozen=True, slots=True)
class Piece:
    """What no line break may part: a word, a number with its unit, a name. `start` counts the visible characters before
    it; `space` says that white space stands before it; `cost` is what a break after it would cost (0 is best)."""

    text: str
    start: int
    space: bool
    cost: float


_ZH_UNITS = "|".join(sorted((re.escape(u) for u in UNIT_NAMES if re.match(f"[{CJK}]", u)), key=len, reverse=True))
_EN_UNITS = "|".join(sorted((re.escape(u) for u in UNIT_NAMES if u.isascii()), key=len, reverse=True))
_NUMBER = r"[-+¥$€£]?[0-9]+(?:[.,:/–~-][0-9]+)*"
_PIECE = re.compile(
    rf"第{_NUMBER}[{CJK}]?"
    rf"|{_NUMBER}\s?(?:[万亿千百]|thousand|million|billion)*\s?(?:{_ZH_UNITS}|(?:{_EN_UNITS})(?![A-Za-z]))?"
    rf"|[^\s{CJK}]*[0-9](?:{_ZH_UNITS})"
    rf"|[^\s{CJK}]+|[{CJK}]",
    re.IGNORECASE,
)
_COUNTED = re.compile(rf"(?:{_NUMBER})(?=[个位款台年月日名次项家城倍档代%％])[{CJK}%]")
_NEVER_BEFORE = "，。！？；：、…”’」』）】》,.!?;:)%％]}·—"
_NEVER_AFTER = "“‘「『（【《([{¥$#"
_PAUSES = "，；：、,;:—–…。！？.!?"
_WEAK_ENDS = re.compile(
    r"an?|the|of|in|on|at|to|for|from|with|by|and|or|but|as|is|are|was|its?|this|that|no|number|first|up|down"
)
_OPENERS = re.compile(
    r"and|but|or|so|with|which|that|because|while|when|where|than|from|for|in|on|at|to|of|by|as|after|before|until"
)
_ZH_OPENERS = "但而并和与或且因如若虽则也又还再才就从在把被让由对以比到"
_ZH_ENDS = "的了着过吗呢吧"


def pieces(text: str, *, keep: Sequence[str] = (), segment: Segment | None = None) -> tuple[Piece, ...]:
    """Return the pieces of a sentence. `keep` are names that stay whole; `segment` knows Chinese words."""
    words = list(_glued(text, keep, segment))
    found, seen, at = list[Piece](), 0, 0
    for number, (start, end) in enumerate(words):
        following = text[words[number + 1][0] : words[number + 1][1]] if number + 1 < len(words) else ""
        word = text[start:end]
        found.append(Piece(" ".join(word.split()), seen, start > at and number > 0, _cost(word, following)))
        seen += sum(not c.isspace() for c in word)
        at = end
    return tuple(found)


def _glued(text: str, keep: Sequence[str], segment: Segment | None) -> Iterable[tuple[int, int]]:
    """Yield the spans of words, punctuation drawn to the word that it belongs to."""
    spans = list(_words(text, keep, segment))
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        touching = bool(merged) and merged[-1][1] == start
        closing = text[start] in _NEVER_BEFORE and (touching or not re.search(r"\w", text[start:end]))
        if merged and (closing or (touching and text[start - 1] in _NEVER_AFTER)):
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _words(text: str, keep: Sequence[str], segment: Segment | None) -> Iterable[tuple[int, int]]:
    names = sorted({name for name in keep if name.strip()}, key=len, reverse=True)
    whole = re.compile("|".join(map(re.escape, names)), re.IGNORECASE) if names else None
    ends = _chinese_ends(text, segment) if segment else frozenset(range(len(text) + 1))
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = (whole and whole.match(text, at)) or _COUNTED.match(text, at) or _PIECE.match(text, at)
        end = len(text[: found.end()].rstrip()) if found else at + 1
        while re.match(f"[{CJK}]", text[end - 1]) and end < len(text) and end not in ends and not text[end].isspace():
            end += 1
        yield at, end
        at = end


def _chinese_ends(text: str, segment: Segment) -> frozenset[int]:
    """Return the places in the text at which no Chinese word is cut."""
    ends = set(range(len(text) + 1))
    for stretch in re.finditer(r"[\u3400-\u9fff]+", text):
        at = stretch.start()
        ends -= set(range(stretch.start() + 1, stretch.end()))
        for word in segment(stretch[0]):
            at += len(word)
            ends.add(min(at, stretch.end()))
    return frozenset(ends)


def _cost(word: str, following: str) -> float:
    """Return how bad a break is between two words: best after punctuation, next before a conjunction."""
    last, bare, opener = word[-1], word.lower().strip("\"'“”(),.;:"), following.lower().strip("\"'“”(")
    if last in "。！？.!?；;":
        return 0.0
    if last in _PAUSES:
        return 1.0
    if re.match(f"[{CJK}]", last):
        return 3.0 if following[:1] and following[0] in _ZH_OPENERS else 4.0 if last in _ZH_ENDS else 7.0
    if _WEAK_ENDS.fullmatch(bare):
        return 10.0
    return 3.0 if _OPENERS.fullmatch(opener) else 6.0
