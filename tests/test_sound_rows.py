"""Sound rows: equal to an independent log-mel, none for silence, one a second."""

from __future__ import annotations

import numpy as np
import pytest

from understanding.sound_rows import RATE, SILENT_DB, is_silent, log_mel, loudness_db, mel_bands, sound_rows


def _tone(hertz: float, seconds: float, level: float = 0.5) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def test_log_mel_equals_that_of_transformers() -> None:
    from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

    noise = np.random.default_rng(7).normal(0, 0.1, RATE).astype(np.float32)
    bank = mel_filter_bank(257, 64, 125.0, 7500.0, RATE, norm=None, mel_scale="htk", triangularize_in_mel_space=True)
    theirs = spectrogram(
        noise.astype(np.float64),
        window_function(400, "hann"),
        400,
        160,
        fft_length=512,
        power=1.0,
        center=False,
        mel_filters=bank,
        mel_floor=0.0,
    ).T
    assert np.allclose(mel_bands(), bank, atol=1e-6)
    assert np.allclose(log_mel(noise), np.log(theirs + 0.01), atol=1e-4)


@pytest.mark.parametrize(("seconds", "rows"), [(0.02, 1), (0.4, 1), (1.0, 1), (1.4, 1), (1.6, 2), (10.0, 10)])
def test_one_row_a_second(seconds: float, rows: int) -> None:
    found = sound_rows(_tone(440, seconds))
    assert found.shape == (rows, 128)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_silence_has_no_rows() -> None:
    for silent in (np.zeros(0, np.float32), np.zeros(RATE, np.float32), _tone(440, 1, level=5e-5)):
        assert is_silent(silent)
        assert sound_rows(silent).shape == (0, 128)
        assert loudness_db(silent) == SILENT_DB


def test_a_tone_speaks_loudest_in_its_band() -> None:
    low, high = (int(sound_rows(_tone(hertz, 1))[0, :64].argmax()) for hertz in (312.5, 3000))
    peaks = mel_bands()[[round(hertz * 512 / RATE) for hertz in (312.5, 3000)]].argmax(1)
    assert (low, high) == tuple(peaks)


def test_steady_sound_spreads_less_than_bursts() -> None:
    steady = _tone(1000, 1)
    bursts = steady * (np.arange(RATE) // 1600 % 2).astype(np.float32)
    band = int(sound_rows(steady)[0, :64].argmax())
    assert sound_rows(bursts)[0, 64 + band] > 10 * sound_rows(steady)[0, 64 + band]


def test_loudness_is_mean_power_in_decibel() -> None:
    assert loudness_db(_tone(1000, 1, level=1.0)) == pytest.approx(-3.01, abs=0.05)
    assert loudness_db(_tone(1000, 1, level=0.1)) == pytest.approx(-23.01, abs=0.05)
