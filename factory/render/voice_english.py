"""The English voice: hibari, 24 kHz, one American speaker; its weights ship in the wheel."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from factory.plan.facts import Locale
from factory.plan.reading import Said
from factory.plan.reading_rules import HAN
from factory.render.utterance import PAUSE_OF, Utterance, phoneme_ids, utter
from factory.render.voice import Samples, Spoken, VoiceFailed, refuse_unsayable
from factory.render.voice_models import open_model, with_output

MODEL_RATE = 24_000
LENGTHS = "/Clip_output_0"  # the length of each phoneme in frames of the decoder
LIMIT = 300  # phonemes; the model was made for 400
_SILENT = "".join(sorted(set(PAUSE_OF.values()))) + "“”() "


class EnglishWords:
    """English text to the phonemes that hibari and Kokoro share. Loaded when first asked; about 80 MB."""

    @cached_property
    def _g2p(self) -> Any:
        from hibari.g2p import G2P  # noqa: PLC0415  its rules are read only where English is spoken

        return G2P()

    def parts(self, text: str) -> list[Utterance]:
        """Return the words of plain English text with their phonemes, and its punctuation as pauses."""
        plain = "".join(letter if _readable(letter) else " " for letter in text)
        tokens = self._tokens(plain)
        parts: list[Utterance] = []
        at = 0
        for token in tokens:
            start = plain.find(token.text, at)
            if start < 0:  # the tokens are not the text's own letters: keep it whole
                said = " ".join(t.phonemes for t in tokens if t.phonemes)
                return [Utterance(text, said.strip(_SILENT))]
            if start > at:
                parts.append(Utterance(text[at:start]))
            at = start + len(token.text)
            parts += self._split(text[start:at], token.phonemes or "")
        return [*parts, Utterance(text[at:])] if at < len(text) else parts

    def _tokens(self, text: str) -> list[Any]:
        try:
            return list(self._g2p.phonemize_tokens(self._g2p.tokenize(text)))
        except (ValueError, LookupError) as error:
            raise VoiceFailed(
                f"the English voice cannot read {text[:80]!r}", next_step="give its reading in the lexicon"
            ) from error

    def _split(self, text: str, phonemes: str) -> list[Utterance]:
        """Part what is said of a token from the punctuation around it."""
        said = phonemes.strip(_SILENT)
        if said:
            return [Utterance(text, said)]
        return [Utterance(letter, pause=PAUSE_OF.get(letter, phonemes[:1].strip("“”() "))) for letter in text]


def _readable(letter: str) -> bool:
    """Say whether the phoneme rules know a letter: ASCII, other letters, punctuation, but no superscripts."""
    return letter.isascii() or unicodedata.category(letter)[0] in "LP"


class HibariVoice:
    """English. Reads Chinese names by the lexicon or their pinyin, but no Chinese sentences."""

    name = "hibari-tts 0.2.1 heart"
    locales: frozenset[Locale] = frozenset({"en-US"})

    def __init__(self, words: EnglishWords | None = None) -> None:
        self._words = words or EnglishWords()

    def speak(self, said: Sequence[Said], rate: float) -> Spoken:
        _refuse_chinese(said)
        refuse_unsayable(said)
        return utter(self.parts(said), self._synthesis, rate=rate, model_rate=MODEL_RATE, limit=LIMIT)

    def parts(self, said: Sequence[Said]) -> list[Utterance]:
        """Return the utterances of a text; a stretch that is not spoken as written is one word."""
        parts: list[Utterance] = []
        for stretch in said:
            if stretch.plain:
                parts += self._words.parts(stretch.written)
            else:
                parts.append(Utterance(stretch.written, self._phonemes(stretch.spoken)))
        return parts

    def _phonemes(self, spoken: str) -> str:
        """Return the phonemes of a reading, in which slashes hold phonemes."""
        pieces = spoken.split("/")
        said = [p if i % 2 else self._joined(p) for i, p in enumerate(pieces)]
        return " ".join(piece.strip() for piece in said if piece.strip())

    def _joined(self, text: str) -> str:
        return " ".join(part.phonemes + part.pause for part in self._words.parts(text) if part.phonemes or part.pause)

    @cached_property
    def _model(self) -> Any:
        from hibari.voices import voice_path  # noqa: PLC0415  its rules are read only where English is spoken

        return open_model(Path(voice_path("heart", download_missing=False)).read_bytes() + with_output(LENGTHS))

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        vocabulary = files("hibari") / "assets" / "vocab.json"
        return dict(json.loads(vocabulary.read_text(encoding="utf-8")))

    def _synthesis(self, phonemes: str, rate: float) -> tuple[Samples, Sequence[float]]:
        from hibari import dsp  # noqa: PLC0415  its rules are read only where English is spoken

        ids = phoneme_ids(phonemes, self._vocabulary)
        feeds = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([rate], np.float32)}
        outputs = self._model.run(["lh", "theta", "ln", "lr", "phi", "f0", LENGTHS], feeds)
        noise = np.random.default_rng(int.from_bytes(hashlib.sha256(phonemes.encode()).digest()[:8], "big"))
        samples = dsp.synth(*(output[0] for output in outputs[:6]), noise)
        lengths = outputs[6].ravel()
        return samples, list(lengths * (len(samples) / lengths.sum()))


def _refuse_chinese(said: Sequence[Said]) -> None:
    text = "".join(stretch.written for stretch in said)
    chinese = len(re.findall(f"[{HAN}]", text))
    if chinese > len(re.findall("[A-Za-z]", text)):
        raise VoiceFailed(
            f"the English voice was given Chinese text: {text[:40]!r}",
            next_step="set the locale to zh-CN, or write it in English",
        )
