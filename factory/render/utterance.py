"""A text in phonemes, said sentence by sentence by a model, with the time of every written word.

Phoneme models give sound and the length of every phoneme; an utterance keeps the written text beside its phonemes, so
that word times are the model's own and captions show what was written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from factory.plan.timeline import Word
from factory.render.speech_sound import active_span, end_of_sound, fade_ends, finish, sounding
from factory.render.voice import Samples, Spoken, VoiceFailed

SENTENCE_PAUSE, PART_PAUSE = 0.34, 0.12  # seconds between two sentences, and where one was too long for the model
ENDS, PAUSES = ".!?…", ",;:—"

PAUSE_OF = {
    **dict.fromkeys("。．.", "."),
    **dict.fromkeys("！!", "!"),
    **dict.fromkeys("？?", "?"),
    **dict.fromkeys("，,、", ","),
    **dict.fromkeys("；;", ";"),
    **dict.fromkeys("：:", ":"),
    **dict.fromkeys("—–", "—"),
    **dict.fromkeys("…", "…"),
    **dict.fromkeys("()（）[]【】\n", ","),
}
"""What the voices make of punctuation. Other signs are not said."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A written stretch and its phonemes. A word has phonemes, a pause is punctuation, what is not said has neither."""

    written: str
    phonemes: str = ""
    pause: str = ""  # one of ENDS or PAUSES


Synthesis = Callable[[str, float], tuple[Samples, Sequence[float]]]
"""Phonemes and a rate give samples, and the length of each phoneme in samples with the pads before and after."""


LATE = 0.05
"""Seconds by which both models' lengths place a phoneme after its sound: two of their frames.

Measured after pauses, where the sound begins again: 40 to 65 ms in both languages at any rate (`./run bench-words`).
Kokoro's own pipeline takes up to three frames off.
"""


def utter(parts: Sequence[Utterance], synthesis: Synthesis, *, rate: float, model_rate: int, limit: int) -> Spoken:
    """Say the parts sentence by sentence, none longer than `limit` phonemes, and finish the sound.

    `synthesis` returns one length for each phoneme, one before them and one after: the model's own pads.
    """
    if not any(part.phonemes for part in parts):
        written = "".join(part.written for part in parts)[:80]
        raise VoiceFailed(f"nothing in {written!r} has a sound", next_step="write a sentence, or leave the voice out")
    sounds: list[Samples] = []
    words: list[Word] = []
    at, gap = 0, 0.0
    for sentence, pause in sentences(parts, limit):
        sounds.append(np.zeros(round(gap * model_rate), np.float32))
        at += len(sounds[-1])
        samples, times = _say(sentence, synthesis, rate, model_rate)
        first, last = active_span(samples, model_rate)
        placed = [(at + max(start - first, 0), at + max(end - first, 0)) for start, end in times]
        opens = next(place for place, part in enumerate(sentence) if part.phonemes)
        placed[opens] = (at, placed[opens][1])  # the pad before it says little of where its sound begins
        words += _words(sentence, placed, model_rate)
        sounds.append(fade_ends(samples[first:last], model_rate))
        at, gap = at + last - first, pause / rate
    return finish(np.concatenate(sounds), tuple(words), model_rate)


def sentences(parts: Sequence[Utterance], limit: int) -> Iterator[tuple[list[Utterance], float]]:
    """Yield the parts in sentences of at most `limit` phonemes, each with the pause after it in seconds.

    A sentence that is too long is cut at its last punctuation inside the limit, else between two words. Marks that
    close stay with the sentence before them. Raises VoiceFailed for one word over the limit.
    """
    sentence: list[Utterance] = []
    ended = False
    last = max((place for place, part in enumerate(parts) if part.phonemes), default=0)
    for place, part in enumerate(parts):
        if len(part.phonemes) > limit:
            raise VoiceFailed(f"{part.written[:40]!r} is too long for one word", next_step="write it as several words")
        if ended and (part.phonemes or (_opens(part.written) and place < last)):
            yield sentence, SENTENCE_PAUSE
            sentence, ended = [], False
        while sum(len(p.phonemes) + 2 for p in (*sentence, part)) > limit and any(p.phonemes for p in sentence):
            cut = _cut(sentence)
            yield sentence[:cut], PART_PAUSE
            sentence = sentence[cut:]
        sentence.append(part)
        ended = ended or (bool(part.pause) and part.pause in ENDS and any(p.phonemes for p in sentence))
    if sentence:
        yield sentence, SENTENCE_PAUSE


def _cut(sentence: Sequence[Utterance]) -> int:
    """Return after how many parts to cut: after the last punctuation that follows a word, else after all."""
    first = next(i for i, part in enumerate(sentence) if part.phonemes)
    return next((i + 1 for i in range(len(sentence) - 1, first, -1) if sentence[i].pause), len(sentence))


def phoneme_ids(phonemes: str, vocabulary: Mapping[str, int]) -> list[int]:
    """Return the model's numbers of the phonemes between its two pads. Raises VoiceFailed for one it does not know."""
    unknown = sorted(set(phonemes) - set(vocabulary))
    if unknown:
        raise VoiceFailed(
            f"the voice has no phoneme {' '.join(unknown)}", next_step="mend the reading between slashes in the lexicon"
        )
    return [0, *(vocabulary[phoneme] for phoneme in phonemes), 0]


def _say(
    sentence: Sequence[Utterance], synthesis: Synthesis, rate: float, model_rate: int
) -> tuple[Samples, list[tuple[int, int]]]:
    """Return the sound and, for each part, the samples [start, end) of its phonemes (empty for pauses)."""
    letters, spans = "", []
    for part in sentence:
        if part.phonemes:
            letters += " " if letters and letters[-1] != " " else ""
            spans.append((len(letters), len(letters) + len(part.phonemes)))
            letters += part.phonemes
        else:
            spans.append((len(letters), len(letters)))
            letters += part.pause if letters and letters[-1] not in ENDS + PAUSES else ""
    letters += "" if letters[-1] in ENDS else "."
    samples, lengths = synthesis(letters, rate)
    if len(lengths) != len(letters) + 2:
        raise VoiceFailed(
            f"the voice timed {len(lengths)} phonemes of {len(letters) + 2}", next_step="report this as a fault"
        )
    edges = np.maximum(np.rint(np.cumsum([0.0, *lengths]) - LATE * model_rate), 0).astype(int)
    heard = sounding(samples, model_rate)
    times = [(int(edges[start + 1]), int(edges[end + 1])) for start, end in spans]
    return samples, [(start, end_of_sound(heard, start, end)) for start, end in times]


def _words(sentence: Sequence[Utterance], times: Sequence[tuple[int, int]], rate: int) -> list[Word]:
    """Return a word for each spoken part. Punctuation goes with the word before, an opening mark with the one after."""
    words: list[Word] = []
    opening = ""
    for part, (start, end) in zip(sentence, times, strict=True):
        if part.phonemes:
            words.append(Word(opening + part.written, start / rate, end / rate))
            opening = ""
        elif words and not _opens(part.written):
            words[-1] = Word(words[-1].text + part.written, words[-1].start, words[-1].end)
        else:
            opening += part.written
    if opening and words:
        words[-1] = Word(words[-1].text + opening, words[-1].start, words[-1].end)
    return words


def _opens(written: str) -> bool:
    mark = written.strip()
    return bool(mark) and all(unicodedata.category(letter) in ("Ps", "Pi") for letter in mark)
