"""Text as written turned into text as read aloud: numbers, units, money, dates, model names, Latin letters.

Pure: the lexicon is given. Every stretch keeps the letters it came from, so that captions show `12,345` while the
voice says it in words.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from factory.plan import reading_en, reading_zh
from factory.plan.lexicon import Lexicon

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of text as written and as spoken. Joined, the written stretches are the text, letter by letter.

    `spoken` is plain text in which a pair of slashes holds phonemes (`/ˈɛks/`); it is empty for what is not said.
    """

    written: str
    spoken: str

    @property
    def plain(self) -> bool:
        """Say whether the stretch is spoken as it is written."""
        return self.written == self.spoken


class Reader:
    """Reads text of one locale by its lexicon. Compiling the rules takes a millisecond: keep a reader."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._rules = (reading_zh if lexicon.locale == "zh-CN" else reading_en).rules(lexicon)

    def read(self, text: str) -> tuple[Said, ...]:
        """Return the text in stretches; neighbours that are spoken as written are one stretch."""
        plain = plain_letters(text)
        said: list[Said] = []
        at = start = 0
        while at < len(plain):
            found = self._say(plain, at)
            if found is None:
                at += 1
                continue
            if start < at:
                said.append(Said(text[start:at], text[start:at]))
            end, spoken = found
            said.append(Said(text[at:end], spoken))
            at = start = end
        return (*said, Said(text[start:], text[start:])) if start < len(text) else tuple(said)

    def spoken(self, text: str) -> str:
        """Return the whole text as read aloud."""
        return "".join(said.spoken for said in self.read(text))

    def _say(self, plain: str, at: int) -> tuple[int, str] | None:
        for rule in self._rules:
            match = rule.pattern.match(plain, at)
            if match is not None and match.end() > at:
                spoken = rule.say(match)
                if spoken is not None:
                    return match.end(), spoken
        return None


def plain_letters(text: str) -> str:
    """Return the text with full-width letters, digits and a few signs made plain, each letter in its place."""
    return "".join(_plain(letter) for letter in text)


def _plain(letter: str) -> str:
    if letter == MINUS:
        return "-"
    normal = unicodedata.normalize("NFKC", letter)
    return normal if len(normal) == 1 and (normal.isalnum() or normal in "%+-~.:/$&#@") else letter
