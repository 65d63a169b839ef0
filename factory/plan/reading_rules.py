"""The rules that reading is made of: what a pattern matches, and what is said instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from factory.plan.lexicon import Lexicon

NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
HAN = "㐀-䶿一-鿿〇\U00020000-\U0003134f"
LATIN = "A-Za-zÀ-ÖØ-öø-ɏ"
TO = r"\s?(?:-|–|—|~|至|到|to)\s?"


@dataclass(frozen=True, slots=True)
class Rule:
    """What `say` returns for a match is spoken instead of it; None passes the text on to the next rule."""

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str | None]


def alternatives(terms: Sequence[str]) -> str:
    """Return a pattern of the terms, the longest first; one that ends in a letter does not end inside a Latin word."""
    longest = sorted(terms, key=len, reverse=True)
    return "|".join(re.escape(t) + (r"(?![A-Za-z0-9])" if t[-1].isascii() and t[-1].isalnum() else "") for t in longest)


def word_rule(lexicon: Lexicon) -> Rule:
    """The rule that reads the lexicon's words, longest first, never from inside a Latin word."""
    if not lexicon.words:
        return Rule(re.compile(r"(?!)"), lambda _: None)
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives(list(lexicon.words))})", re.IGNORECASE)
    return Rule(pattern, lambda match: lexicon.words[match[0].casefold()])


def sign_rule(lexicon: Lexicon) -> Rule:
    """The rule that says the signs of the lexicon; a slash left over is a pause: in speech it would mark phonemes."""
    signs = {"/": ", ", **lexicon.signs}
    pattern = re.compile(f"[{re.escape(''.join(signs))}]")
    return Rule(pattern, lambda match: f" {signs[match[0]]} ")
