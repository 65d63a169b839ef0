"""What is written or said in and about a shot, and its way into the net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understanding.names import file_words
from understanding.sentences import SentenceEncoder

MAX_CHARACTERS = 20_000  # of all words of a shot; BERT's tokeniser would read hours of speech to cut it off afterwards


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that is written or said: of the clip (title, file name) and of the shot (burnt-in text, speech)."""

    title: str = ""
    file_name: str = ""
    burnt_in: str = ""
    speech: str = ""

    def text(self) -> str:
        """All words, most telling first, a line each."""
        parts = (self.title, file_words(self.file_name), self.burnt_in, self.speech)
        return "\n".join(part for part in parts if part.strip())[:MAX_CHARACTERS]

    def spoken_or_shown(self) -> str:
        """The words without the file's name, whose language says nothing."""
        parts = (self.title, self.burnt_in, self.speech)
        return "\n".join(part for part in parts if part.strip())[:MAX_CHARACTERS]


class WordEncoder:
    """Words -> word pieces for BERT and a sentence vector for the light branch."""

    def __init__(self, tokeniser: Any, sentences: SentenceEncoder, *, max_tokens: int) -> None:
        self._tokeniser, self._sentences, self._max_tokens = tokeniser, sentences, max_tokens

    def encode(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:
        """Return word pieces (L,) and the vector (512,). A language that BERT cannot read (more than half of the pieces
        unknown) gives no pieces; no words give neither."""
        if not any(c.isalnum() for c in text):
            return np.zeros(0, np.int64), None
        pieces = np.array(self._tokeniser(text, truncation=True, max_length=self._max_tokens)["input_ids"], np.int64)
        inner = pieces[1:-1]
        if not len(inner) or (inner == self._tokeniser.unk_token_id).mean() > 0.5:
            pieces = pieces[:0]
        return pieces, self._sentences.encode([text])[0]


def language(text: str) -> str:
    """ISO 639-1 code of the language that most of `text` is in; empty where there are hardly any words."""
    letters = sum(c.isalpha() for c in text)
    chinese = sum("\u3400" <= c <= "\u9fff" for c in text)
    if letters < 2 or (letters < 12 and not chinese):
        return ""
    from py3langid import classify  # noqa: PLC0415  loads its model at the first text

    code: str = classify(text)[0]
    return code
