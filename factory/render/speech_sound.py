"""Raw speech made fit for a program: trimmed, faded, at 48 kHz, at its level."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from factory.plan.timeline import Word
from factory.render.voice import SAMPLE_RATE, Samples, Spoken

LEAD, TAIL = 0.05, 0.12  # seconds of silence kept before and after the speech
SPEECH_DB = -20.0  # RMS of the active speech, dBFS
PEAK_DB = -1.5
FADE = 0.005  # seconds


def sounding(samples: Samples, rate: int) -> NDArray[np.bool_]:
    """Return for each sample whether it lies in a block of 10 ms that is less than 40 dB under the loudest one."""
    step = rate // 100
    blocks = np.pad(samples, (0, -len(samples) % step)).reshape(-1, step)
    power = (blocks.astype(np.float64) ** 2).mean(axis=1)
    return np.repeat(power > power.max() * 1e-4, step)[: len(samples)]


def active_span(samples: Samples, rate: int) -> tuple[int, int]:
    """Return the samples [first, last) of the speech with a few milliseconds around it."""
    loud = np.flatnonzero(sounding(samples, rate))
    if not loud.size:
        return 0, len(samples)
    return max(0, int(loud[0]) - rate // 200), min(len(samples), int(loud[-1]) + 1 + rate // 100)


def end_of_sound(heard: NDArray[np.bool_], start: int, end: int) -> int:
    """Return where in [start, end) the sound ends: models count the silence after a word to its last phoneme."""
    loud = np.flatnonzero(heard[start:end])
    return start + int(loud[-1]) + 1 if loud.size else end


def fade_ends(samples: Samples, rate: int) -> Samples:
    """Return the samples with 5 ms raised-cosine fades at both ends."""
    count = min(round(FADE * rate), len(samples) // 2)
    ramp = (0.5 - 0.5 * np.cos(np.pi * np.arange(count) / max(1, count))).astype(np.float32)
    faded = samples.copy()
    faded[:count] *= ramp
    faded[len(faded) - count :] *= ramp[::-1]
    return faded


def finish(samples: Samples, words: tuple[Word, ...], rate: int) -> Spoken:
    """Bring speech to 48 kHz and its level, with named silences around it; word times move with it."""
    up = resample_poly(samples, SAMPLE_RATE, rate).astype(np.float32)
    level = 10 ** (SPEECH_DB / 20) / active_rms(up, SAMPLE_RATE)
    peak = float(np.max(np.abs(up))) * level
    up = up * np.float32(level * min(1.0, 10 ** (PEAK_DB / 20) / peak))
    lead, tail = (np.zeros(round(seconds * SAMPLE_RATE), np.float32) for seconds in (LEAD, TAIL))
    sound = np.concatenate([lead, fade_ends(up, SAMPLE_RATE), tail])
    return Spoken(sound, placed_words(words, len(sound) / SAMPLE_RATE))


def placed_words(words: tuple[Word, ...], seconds: float) -> tuple[Word, ...]:
    """Return the words after the leading silence, stripped, in order, inside the file and without overlap."""
    moved = [Word(w.text.strip(), round(w.start + LEAD, 3), round(w.end + LEAD, 3)) for w in words]
    ends = [*(min(a.end, b.start) for a, b in pairwise(moved)), *(min(w.end, round(seconds, 3)) for w in moved[-1:])]
    return tuple(Word(w.text, min(w.start, end), end) for w, end in zip(moved, ends, strict=True))


def active_rms(samples: Samples, rate: int) -> float:
    """Return the RMS of the 20 ms blocks within 30 dB of the loudest one."""
    step = rate // 50
    blocks = samples[: max(1, len(samples) // step) * step]
    power = np.array([float(np.mean(block**2)) for block in np.array_split(blocks, max(1, len(blocks) // step))])
    return float(np.sqrt(power[power >= power.max() * 1e-3].mean())) + 1e-9
