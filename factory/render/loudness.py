"""Loudness and peaks of a programme: measured by ITU-R BS.1770, set linearly, kept below a true peak.

Sound is float32, shaped (samples, channels), 1.0 is full scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyloudnorm
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import firwin, oaconvolve

Sound = NDArray[np.float32]

CEILING_DB = -1.5  # true peak before AAC, which overshoots most programmes by a few tenths
SILENT_LUFS = -60.0
LIMITER_SECONDS = 0.015
OVERSAMPLING = 4
ROUNDS = 4


def loudness(sound: Sound, sample_rate: int) -> float:
    """Return the integrated loudness in LUFS, -inf for silence. A short sound is measured with silence after it."""
    shortest = sample_rate // 2
    if len(sound) < shortest:
        sound = np.pad(sound, ((0, shortest - len(sound)), (0, 0)))
    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(sample_rate).integrated_loudness(sound))


def master(sound: Sound, sample_rate: int, target_lufs: float, ceiling_db: float = CEILING_DB) -> Sound:
    """Return the sound at `target_lufs`, true peak at most `ceiling_db` (dBTP). Silence stays silent."""
    for _ in range(ROUNDS):
        measured = loudness(sound, sample_rate)
        if measured < SILENT_LUFS:
            return sound
        gain = target_lufs - measured
        if abs(gain) < 0.05 and true_peak(sound).max(initial=0.0) <= from_db(ceiling_db):
            return sound
        sound = limited(sound * np.float32(from_db(gain)), sample_rate, ceiling_db)
    return sound


def limited(sound: Sound, sample_rate: int, ceiling_db: float = CEILING_DB) -> Sound:
    """Return the sound turned down, smoothly and on both channels alike, around each peak above the ceiling.

    The gain at a sample is the mean of windowed minima that all include it, so that no peak can pass.
    """
    peaks = true_peak(sound)
    ceiling = from_db(ceiling_db)
    if peaks.max(initial=0.0) <= ceiling:
        return sound
    window = 2 * round(LIMITER_SECONDS * sample_rate) + 1
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9)).astype(np.float32)
    gain = uniform_filter1d(minimum_filter1d(needed, window, mode="nearest"), window, mode="nearest")
    return np.asarray(sound * gain[:, None], dtype=np.float32)


def true_peak(sound: Sound) -> NDArray[np.float32]:
    """Return, for each sample, the largest absolute value around it over all channels, four times oversampled."""
    taps = firwin(12 * OVERSAMPLING, 1.0 / OVERSAMPLING) * OVERSAMPLING
    peaks: Any = np.abs(sound).max(axis=1, initial=0.0).astype(np.float32)
    for channel in sound.T:
        for phase in range(OVERSAMPLING):
            part = taps[phase::OVERSAMPLING].astype(np.float32)
            np.maximum(peaks, np.abs(oaconvolve(channel, part, mode="same")), out=peaks)
    return np.asarray(peaks, dtype=np.float32)


def from_db(decibels: float) -> float:
    """Return the factor of a gain in dB."""
    return float(10.0 ** (decibels / 20.0))
