"""How true the voices' word times are: `python -m tests.bench.bench_words [--each]`.

Figures, never asserted. Twelve sentences in each language, against the onsets that Whisper finds (it is early itself),
and against the energy of the sound where a word follows a pause; `--each` prints every word.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from factory.plan.facts import Locale
from factory.render.narrator import load_lexicons
from factory.render.voice import Voice
from factory.render.voice_chinese import KokoroVoice
from factory.render.voice_english import HibariVoice
from factory.store.files import Files
from tests.word_onsets import APART, SENTENCES, Onset, after_pauses, matched, recognised, spoken, summary
from understanding.speech import join_once


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ear = listener(Path(folder))
        chinese = KokoroVoice(load_lexicons()["zh-CN"], Files(Path(folder)).cached)
        voices: dict[Locale, Voice] = {"en-US": HibariVoice(), "zh-CN": chinese}
        for locale, voice in voices.items():
            measure(ear, voice, locale)


def listener(folder: Path) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(join_once(folder)), device="cpu", compute_type="int8", cpu_threads=2)


def measure(ear: Any, voice: Voice, locale: Locale) -> None:
    by_whisper, by_energy = list[Onset](), list[Onset]()
    for text in SENTENCES[locale]:
        said = spoken(voice, text, locale)
        by_whisper += matched(said.words, recognised(ear, said, locale), locale)
        by_energy += after_pauses(said)
    print(f"{locale}, {voice.name}")
    tell("sentences, by Whisper", by_whisper)
    tell("after pauses, by energy", by_energy)
    said = spoken(voice, APART[locale], locale)
    tell("words apart, by Whisper", matched(said.words, recognised(ear, said, locale), locale))
    tell("words apart, by energy", after_pauses(said))


def tell(what: str, onsets: Sequence[Onset]) -> None:
    told = summary(onsets)
    print(
        f"  {what:24} {told['words']:4} words, median {told['median_ms']:4} ms, p90 {told['p90_ms']:4} ms, "
        f"heard {told['signed_ms']:+4} ms after it is told"
    )
    if "--each" in sys.argv:
        print("    " + " ".join(f"{onset.text.strip()}{onset.error * 1000:+.0f}" for onset in onsets))


if __name__ == "__main__":
    main()
