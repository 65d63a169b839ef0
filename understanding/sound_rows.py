"""Sound into rows: mean and spread of 64 log-mel bands of every second, and loudness.

Formula, after VGGish (Hershey et al., CNN Architectures for Large-Scale Audio Classification, 2017): 16 kHz mono,
periodic Hann windows of 25 ms every 10 ms, magnitude of a 512-point FFT, 64 triangular bands even on the HTK mel scale
from 125 to 7500 Hz, log(band + 0.01). A row is the mean of each band over the second's windows, then the standard
deviation of each.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

RATE = 16000
WINDOW, HOP, FFT = 400, 160, 512  # samples
BANDS, LOWEST, HIGHEST = 64, 125.0, 7500.0  # Hz
OFFSET = 0.01
DIMENSIONS = 2 * BANDS
BLOCK = 60 * RATE  # samples looked at at once: hours of sound need no more memory
SILENT_PEAK = 1e-4  # -80 dBFS: codec noise of digital silence stays below
SILENT_DB = -120.0


def sound_rows(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (S, 128), one row a second: none for silence, a last half second or more counts as a second."""
    rows = [_row(second) for second in seconds_of(samples)]
    return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), np.float32)


def seconds_of(samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the samples of each second that gets a row."""
    if is_silent(samples):
        return []
    count = max(1, int(len(samples) / RATE + 0.5))
    return [samples[k * RATE : (k + 1) * RATE] for k in range(count)]


def is_silent(samples: NDArray[np.float32]) -> bool:
    return all(_peak(samples[start : start + BLOCK]) < SILENT_PEAK for start in range(0, len(samples), BLOCK))


def _peak(samples: NDArray[np.float32]) -> float:
    return float(np.abs(samples).max())


def loudness_db(samples: NDArray[np.float32]) -> float:
    """Mean level in dBFS (root mean square), -120 for silence."""
    if is_silent(samples):
        return SILENT_DB
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(SILENT_DB, 10.0 * float(np.log10(power)))


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (windows, 64); samples shorter than a window are padded with silence."""
    padded = np.pad(samples, (0, max(0, WINDOW - len(samples)))).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectrum = np.abs(np.fft.rfft(windows * _hann(), FFT))
    return np.log(spectrum @ mel_bands() + OFFSET).astype(np.float32)


def _row(second: NDArray[np.float32]) -> NDArray[np.float32]:
    bands = log_mel(second)
    return np.concatenate([bands.mean(0), bands.std(0)])


@functools.cache
def _hann() -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


@functools.cache
def mel_bands() -> NDArray[np.float64]:
    """Return (257, 64): the weight of each FFT bin in each band; triangles that are straight on the mel scale."""
    bins = _mel(np.linspace(0, RATE / 2, FFT // 2 + 1))
    edges = np.linspace(_mel(np.array(LOWEST)), _mel(np.array(HIGHEST)), BANDS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - low) / (centre - low)
    falling = (high - bins[:, None]) / (high - centre)
    return np.maximum(0.0, np.minimum(rising, falling))


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(hertz / 700.0)
