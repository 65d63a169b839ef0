"""What a storyboard template speaks with: both locales side by side, variants that do not repeat, a guess of time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from factory.plan.facts import Locale

_PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_IDEOGRAPH = re.compile(r"[㐀-䶿一-鿿]")
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_DIGIT = re.compile(r"\d")
_POINT = re.compile(r"\d[.,]\d")
_PAUSE = re.compile(r"[，。！？；：、,.!?;:—](?!\d)")


class PhraseWrong(ValueError):
    """A phrase of a template that cannot be filled: a locale or a value is missing."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """Words of one video: its locale, and what picks among variants: its place in its series, else its seed."""

    locale: Locale
    seed: int = 0
    series: str | None = None
    place: int = 0

    def tr(self, *, zh: str, en: str, **values: object) -> str:
        """Return the phrase of the locale, each `{key}` replaced by its value as plain text.

        Only named places are filled; the values are not looked at again, so a brace inside a value stays a brace.
        """
        return fill(zh if self.locale == "zh-CN" else en, values)

    def vary(self, variants: Sequence[str], key: str) -> str:
        """Return one of `variants`. In a series each video takes the next one, whatever its seed, so that two in a row
        differ; outside of one the next seed takes the next one. Where a key begins is its own, and the series'."""
        if not variants:
            raise PhraseWrong(f"vary({key!r}) was given no variants")
        begins, turn = (key, self.seed) if self.series is None else (f"{self.series}\0{key}", self.place)
        start = int.from_bytes(hashlib.sha256(begins.encode()).digest()[:4], "big")
        return variants[(start + turn) % len(variants)]


def fill(phrase: str, values: Mapping[str, object]) -> str:
    """Replace each `{key}` of `phrase` by the text of `values[key]`."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise PhraseWrong(f"the phrase {phrase!r} wants {match[1]!r}, given: {', '.join(values) or 'nothing'}")
        return str(values[match[1]])

    return _PLACE.sub(value, phrase)


def speaking_seconds(text: str, locale: Locale) -> float:
    """Guess how long a voice takes to say `text`, in seconds: within a fifth of the voices on whole sentences."""
    digit, word = (0.25, 0.33) if locale == "zh-CN" else (0.32, 0.25)
    pauses = 0.28 * len(_PAUSE.findall(text))
    digits = digit * len(_DIGIT.findall(text)) + 0.3 * len(_POINT.findall(text))
    letters = sum(0.24 * len(match) if match.isupper() else word for match in _LATIN_WORD.findall(text))
    return round(pauses + digits + letters + 0.195 * len(_IDEOGRAPH.findall(text)), 2)


def choose_lines(lines: Sequence[Mapping[str, Any]], seconds: float) -> list[Mapping[str, Any]]:
    """Return the lines that fit into `seconds`, in their order.

    A line has `cost` (seconds) and `need`: 0 is always taken, then 1, 2, ... as far as the time goes; within one `need`
    the earlier line goes first.
    """
    taken: set[int] = set()
    left = seconds
    for place, line in sorted(enumerate(lines), key=lambda item: (item[1]["need"], item[0])):
        cost = float(line["cost"])
        if line["need"] == 0 or cost <= left:
            taken.add(place)
            left -= cost
    return [line for place, line in enumerate(lines) if place in taken]
