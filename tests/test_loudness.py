"""Loudness is set linearly, peaks are held, quiet things stay quiet."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from factory.render.loudness import CEILING_DB, Sound, from_db, limited, loudness, master, measured, true_peak

RATE = 48_000


def tone(decibels: float, seconds: float = 3.0, hertz: float = 997.0) -> Sound:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = from_db(decibels) * np.sin(2 * np.pi * hertz * time)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def test_a_reference_tone_measures_as_the_standard_says() -> None:
    assert loudness(tone(-20.0), RATE) == pytest.approx(-20.0, abs=0.1)  # ITU-R BS.1770: 997 Hz on both channels


@pytest.mark.parametrize("rate", [48_000, 44_100, 24_000])
@pytest.mark.parametrize("seconds", [0.5, 3.0, 12.34, 25.0])
@pytest.mark.parametrize("channels", [1, 2])
def test_loudness_is_that_of_another_meter(rate: int, seconds: float, channels: int) -> None:
    random = np.random.default_rng(1)
    swell = np.abs(np.sin(np.arange(round(seconds * rate)) / rate / 2))[:, None] ** 4
    sound = (random.standard_normal((len(swell), channels)) * swell * 0.3).astype(np.float32)
    assert loudness(sound, rate) == pytest.approx(pyloudnorm.Meter(rate).integrated_loudness(sound), abs=0.02)


@pytest.mark.parametrize("piece", [1024, 4801, 100_000, 10**9])
def test_pieces_are_measured_as_the_whole(piece: int) -> None:
    sound = (np.random.default_rng(2).standard_normal((3 * RATE + 77, 2)) * 0.1).astype(np.float32)
    lufs, peak = measured((sound[start : start + piece] for start in range(0, len(sound), piece)), RATE)
    assert lufs == pytest.approx(loudness(sound, RATE), abs=1e-6)
    assert peak == pytest.approx(20 * np.log10(true_peak(sound).max()), abs=1e-4)


def test_silence_has_no_loudness_and_is_left_alone() -> None:
    silence = np.zeros((RATE, 2), np.float32)
    assert loudness(silence, RATE) == -np.inf
    assert np.array_equal(master(silence, RATE, -14.0), silence)


def test_a_very_short_sound_can_be_measured() -> None:
    assert np.isfinite(loudness(tone(-6.0, 0.2), RATE))


@pytest.mark.parametrize("target", [-23.0, -14.0])
def test_master_reaches_its_target(target: float) -> None:
    noise = np.random.default_rng(1).standard_normal((4 * RATE, 2)).astype(np.float32) * 0.02
    assert loudness(master(noise, RATE, target), RATE) == pytest.approx(target, abs=0.2)


def test_peaks_are_held_and_the_rest_is_as_it_was() -> None:
    sound = tone(-30.0, 4.0)
    sound[2 * RATE : 2 * RATE + 40] *= 60
    held = limited(sound, RATE)
    assert true_peak(held).max() <= from_db(CEILING_DB) * 1.001
    assert np.array_equal(held[:RATE], sound[:RATE])


def test_true_peak_sees_between_the_samples() -> None:
    time = np.arange(RATE) / RATE
    wave = np.sin(2 * np.pi * RATE / 4 * time + np.pi / 4).astype(np.float32)  # its peaks lie between samples
    assert np.abs(wave).max() < 0.71
    assert true_peak(wave[:, None])[100:-100].max() == pytest.approx(1.0, abs=0.02)
