"""The narrator: says a sentence once, keeps it, and asks the next voice when one fails."""

from __future__ import annotations

import hashlib
import json
import wave
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import numpy as np

from factory.plan.facts import Locale
from factory.plan.lexicon import Lexicons, read_lexicons
from factory.plan.reading import Reader, Said
from factory.plan.timeline import Speech, Word
from factory.render.desk_text import desk_text
from factory.render.overlays import Cached
from factory.render.voice import SAMPLE_RATE, Spoken, Voice, VoiceFailed
from factory.render.voice_chinese import KokoroVoice
from factory.render.voice_english import EnglishWords, HibariVoice
from factory.render.voice_silent import SilentVoice

FORM = 4  # raised whenever the same voice and text would give other bytes
RATES = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class VoiceNote:
    """Which voice said a sentence, and why those before it did not."""

    text: str
    voice: str
    passed_over: tuple[str, ...] = ()


def voices_told(notes: Sequence[VoiceNote]) -> dict[str, list[str]]:
    """Return for the trace who spoke, and which voices were passed over and why."""
    passed_over = sorted({why for note in notes for why in note.passed_over})
    spoke = {"voices": sorted({note.voice for note in notes})}
    return spoke | ({"voices_passed_over": passed_over} if passed_over else {})


class Narrator:
    """Speaks sentences with the first of its voices that can. `cached` keeps what was made; `adopt` puts a WAV into the
    store and returns its sha256."""

    def __init__(
        self, voices: Sequence[Voice], lexicons: Lexicons, *, cached: Cached, adopt: Callable[[Path], str]
    ) -> None:
        self._voices = tuple(voices)
        self._readers = {locale: Reader(lexicon) for locale, lexicon in lexicons.items()}
        self._cached = cached
        self._adopt = adopt
        self._notes: dict[str, VoiceNote] = {}

    @property
    def notes(self) -> tuple[VoiceNote, ...]:
        """What was said so far and by whom, each sentence once."""
        return tuple(self._notes.values())

    @property
    def synthetic(self) -> bool:
        """Whether a machine's voice is to be heard in what was said so far."""
        return any(note.voice != SilentVoice.name for note in self.notes)

    def speak(self, text: str, locale: Locale, rate: float = 1.0) -> Speech:
        """Return the sentence as a WAV of the store with its word times, or raise VoiceFailed."""
        if not RATES[0] <= rate <= RATES[1]:
            raise VoiceFailed(f"a rate of {rate} cannot be spoken", next_step=f"use {RATES[0]} to {RATES[1]}")
        said = self._readers[locale].read(text)
        passed_over: list[str] = []
        for voice in self._voices:
            if locale not in voice.locales:
                continue
            try:
                speech = self._speech(voice, said, text, rate)
            except VoiceFailed as failure:
                passed_over.append(f"{voice.name}: {failure.cause}")
                step = failure.next_step
                continue
            self._notes[text] = VoiceNote(text, voice.name, tuple(passed_over))
            return speech
        if passed_over:
            raise VoiceFailed("; ".join(passed_over), next_step=step)
        raise VoiceFailed(f"no voice speaks {locale}", next_step="set FACTORY_VOICE to auto or silent")

    def _speech(self, voice: Voice, said: Sequence[Said], text: str, rate: float) -> Speech:
        """Return the kept sentence, or make it. Sound and words are kept apart; either is made again if it is lost."""
        key = speech_key(voice, said, rate)
        made: list[Spoken] = []

        def spoken() -> Spoken:
            if not made:
                made.append(voice.speak(said, rate))
            return made[0]

        sound = self._cached(key, ".wav", lambda path: write_wav(path, spoken()))
        words = self._cached(key, ".json", lambda path: _write_words(path, spoken().words))
        with wave.open(str(sound), "rb") as file:
            seconds = Fraction(file.getnframes(), file.getframerate())
        kept = tuple(Word(**word) for word in json.loads(words.read_text(encoding="utf-8")))
        return Speech(text, self._adopt(sound), seconds, kept)


def speech_key(voice: Voice, said: Sequence[Said], rate: float) -> str:
    """Return what the sound of a sentence depends on."""
    reading = json.dumps([[stretch.written, stretch.spoken] for stretch in said], ensure_ascii=False)
    digest = hashlib.sha256(reading.encode("utf-8", "replace")).hexdigest()
    return f"speech {FORM} {voice.name} {rate:.3f} {digest}"


def write_wav(path: Path, spoken: Spoken) -> None:
    """Write mono 16-bit PCM at 48 kHz."""
    pcm = np.rint(np.clip(spoken.samples, -1.0, 1.0) * 32767.0).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm.tobytes())


def _write_words(path: Path, words: Sequence[Word]) -> None:
    path.write_text(json.dumps([asdict(word) for word in words], ensure_ascii=False), encoding="utf-8")


def load_lexicons(own: Path | None = None) -> Lexicons:
    """Return the lexicons that ship with the factory, an editor's own file laid over them.

    Raises LexiconWrong, naming file and line, or DeskFileUnreadable.
    """
    file = files("factory.plan") / "data" / "lexicon.yaml"
    packaged = read_lexicons(file.read_text(encoding="utf-8"), "lexicon.yaml")
    return read_lexicons(desk_text(own), str(own), packaged) if own else packaged


def voices_for(setting: str, lexicons: Lexicons, cached: Cached) -> tuple[Voice, ...]:
    """Return the voices that a setting means: `auto` and `local` the two that ship, `silent` none that is heard.

    No model is loaded before its first sentence.
    """
    if setting == "silent":
        return (SilentVoice(),)
    if setting not in ("auto", "local"):
        raise VoiceFailed(f"no voice is called {setting!r}", next_step="set FACTORY_VOICE to auto, local or silent")
    words = EnglishWords()
    return (HibariVoice(words), KokoroVoice(lexicons["zh-CN"], cached, words))
