"""What a voice is, and what no voice can say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from factory.errors import FactoryError
from factory.plan.facts import Locale
from factory.plan.reading import Said
from factory.plan.timeline import Word

Samples = NDArray[np.float32]
SAMPLE_RATE = 48_000
SCRIPTS = ("LATIN", "CJK", "IDEOGRAPHIC")  # first words of the Unicode names of the letters that are spoken


class VoiceFailed(FactoryError):
    """A voice cannot say a text, or cannot be loaded."""

    code = "voice-failed"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence as sound: mono at 48 kHz, and when each word of the written text is said.

    Each word's text is a slice of the written text, punctuation with it; joined they are the text but for white space.
    """

    samples: Samples
    words: tuple[Word, ...]


class Voice(Protocol):
    """A speaker. `name` says model, speaker and version: it is part of the cache key, so that a new model is heard."""

    @property
    def name(self) -> str: ...

    @property
    def locales(self) -> frozenset[Locale]: ...

    def speak(self, said: Sequence[Said], rate: float) -> Spoken:
        """Say it. The same text gives the same samples. Raises VoiceFailed."""
        ...


def refuse_unsayable(said: Sequence[Said]) -> None:
    """Raise VoiceFailed where a letter is neither Latin nor Chinese, or where nothing at all can be said."""
    spoken = re.sub("/[^/]*/", "a", "".join(stretch.spoken for stretch in said))
    letters = [letter for letter in spoken if letter.isalnum()]
    foreign = sorted({x for x in letters if not x.isascii() and unicodedata.name(x, "").split(" ")[0] not in SCRIPTS})
    written = "".join(stretch.written for stretch in said)[:80]
    if foreign:
        raise VoiceFailed(
            f"no voice here can say {' '.join(foreign[:10])} in {written!r}",
            next_step="write it in Chinese or Latin letters, or give its reading in the lexicon",
        )
    if not letters:
        raise VoiceFailed(
            f"there is nothing to say in {written!r}", next_step="write a sentence, or leave the voice out"
        )
