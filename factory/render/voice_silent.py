"""A voice without sound, for tests and for previews: as long as a person would speak."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from factory.plan.facts import Locale
from factory.plan.reading import Said
from factory.plan.reading_rules import HAN
from factory.plan.timeline import Word
from factory.render.speech_sound import LEAD, TAIL
from factory.render.voice import SAMPLE_RATE, Spoken, refuse_unsayable

SYLLABLE, LETTER = 0.21, 0.065  # seconds of a Chinese character, of any other letter
PAUSE = 0.25
_WORDS = re.compile(rf"\s*(?:[{HAN}]{{1,2}}|[^\s{HAN}]+)[^\w\s]*")


class SilentVoice:
    """Silent in every language, exact and quick."""

    name = "silent 1"
    locales: frozenset[Locale] = frozenset({"zh-CN", "en-US"})

    def speak(self, said: Sequence[Said], rate: float) -> Spoken:
        refuse_unsayable(said)
        words: list[Word] = []
        at = LEAD
        for stretch in said:
            for written, spoken in _pieces(stretch):
                end = at + _seconds(spoken) / rate
                words.append(Word(written.strip(), round(at, 3), round(end, 3)))
                at = end + (PAUSE / rate if re.search(r"[^\w\s/%]\s*$", written) else 0.0)
        seconds = words[-1].end + TAIL
        return Spoken(np.zeros(round(seconds * SAMPLE_RATE), np.float32), tuple(words))


def _seconds(spoken: str) -> float:
    letters, characters = len(re.sub(r"[^\w]", "", spoken)), len(re.findall(f"[{HAN}]", spoken))
    return characters * SYLLABLE + (letters - characters) * LETTER


def _pieces(stretch: Said) -> list[tuple[str, str]]:
    if not stretch.plain:
        return [(stretch.written, stretch.spoken)]
    return [(piece, piece) for piece in _WORDS.findall(stretch.written)]
