"""Loudness and peaks of a programme: measured by ITU-R BS.1770, set linearly, kept below a true peak.

Sound is float32, shaped (samples, channels), 1.0 is full scale; channels are left and right, or one. Measuring goes
piece by piece, so that it takes no memory beside the sound, and a file can be measured while it is decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyloudnorm.iirfilter import IIRfilter
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import firwin, lfilter, lfilter_zi, oaconvolve

Sound = NDArray[np.float32]

CEILING_DB = -1.5  # true peak before AAC, which overshoots most programmes by a few tenths
SILENT_LUFS = -60.0
LIMITER_SECONDS = 0.015
OVERSAMPLING = 4
ROUNDS = 4
PIECE_SECONDS = 10
BLOCK = 4  # tenths of a second; a gating block begins with each tenth
ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0  # LUFS, and LU under what passes the absolute one
PEAK_PIECE = 1 << 19  # samples
EDGE = 64  # samples at either end of a piece whose peaks are told with the next one


def loudness(sound: Sound, sample_rate: int) -> float:
    """Return the integrated loudness in LUFS, -inf for silence. A short sound is measured with silence after it."""
    return measured(_pieces(sound, PIECE_SECONDS * sample_rate), sample_rate, peak=False)[0]


def measured(pieces: Iterable[Sound], sample_rate: int, *, peak: bool = True) -> tuple[float, float]:
    """Return loudness (LUFS) and true peak (dBTP; -inf where it is not asked for) of a sound that comes in pieces."""
    weighting, powers, left = _Weighting(sample_rate), list[NDArray[np.float64]](), np.zeros(0)
    highest, before = 0.0, np.zeros((0, 2), np.float32)
    tenth = round(sample_rate / 10)
    for piece in pieces:
        power = np.concatenate([left, weighting.power(piece)])
        whole = len(power) // tenth * tenth
        powers.append(power[:whole].reshape(-1, tenth).sum(axis=1))
        left = power[whole:]
        if peak:
            joined = np.concatenate([before, piece]) if len(before) else piece
            peaks = true_peak(joined)
            highest = max(highest, float(peaks[EDGE if len(before) else 0 : max(len(peaks) - EDGE, 0)].max(initial=0)))
            before = joined[-2 * EDGE :]
    if peak:
        last = true_peak(before)[EDGE if len(before) == 2 * EDGE else 0 :]
        highest = max(highest, float(last.max(initial=0)))
    if 2 * len(left) >= tenth:
        powers.append(np.array([left.sum()]))
    with np.errstate(divide="ignore"):
        return _gated(np.concatenate(powers) / tenth), 20.0 * float(np.log10(highest))


class _Weighting:
    """The K weighting of BS.1770, going on from one piece to the next."""

    def __init__(self, sample_rate: int) -> None:
        shelf = IIRfilter(4.0, 1 / np.sqrt(2), 1500.0, sample_rate, "high_shelf")
        high = IIRfilter(0.0, 0.5, 38.0, sample_rate, "high_pass")
        self._filters = [(np.asarray(one.b), np.asarray(one.a)) for one in (shelf, high)]
        self._states: dict[tuple[int, int], NDArray[np.float64]] = {}

    def power(self, piece: Sound) -> NDArray[np.float64]:
        """Return the weighted power of each sample, summed over the channels."""
        power = np.zeros(len(piece))
        for channel in range(piece.shape[1]):
            weighted: Any = piece[:, channel].astype(np.float64)
            for number, (b, a) in enumerate(self._filters):
                state = self._states.setdefault((channel, number), np.zeros_like(lfilter_zi(b, a)))
                weighted, self._states[channel, number] = lfilter(b, a, weighted, zi=state)
            power += weighted * weighted
        return power


def _gated(tenths: NDArray[np.float64]) -> float:
    """Return the loudness of the blocks that pass both gates, given the mean power of each tenth of a second."""
    blocks = np.convolve(np.pad(tenths, (0, max(BLOCK - len(tenths), 0))), np.full(BLOCK, 1 / BLOCK), "valid")
    with np.errstate(divide="ignore"):
        levels = -0.691 + 10.0 * np.log10(blocks)
    heard = blocks[levels >= ABSOLUTE_GATE]
    if not heard.size:
        return -np.inf
    gate = -0.691 + 10.0 * np.log10(heard.mean()) + RELATIVE_GATE
    return float(-0.691 + 10.0 * np.log10(blocks[(levels > gate) & (levels >= ABSOLUTE_GATE)].mean()))


def _pieces(sound: Sound, samples: int) -> Iterator[Sound]:
    for start in range(0, max(len(sound), 1), samples):
        yield sound[start : start + samples]


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
    found = np.empty(len(sound), np.float32)
    for start in range(0, len(sound), PEAK_PIECE):
        first = max(start - EDGE, 0)
        around = _true_peak(sound[first : start + PEAK_PIECE + EDGE])
        found[start : start + PEAK_PIECE] = around[start - first :][:PEAK_PIECE]
    return found


def _true_peak(sound: Sound) -> NDArray[np.float32]:
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
