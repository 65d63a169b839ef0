"""The instruments: each note is computed, nothing is sampled. Sounds are float32, mono (n,) or stereo (n, 2)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

Sound = NDArray[np.float32]


def _sound(samples: NDArray[Any]) -> Sound:
    return np.asarray(samples, np.float32)


def hertz(pitch: float) -> float:
    """Return the frequency of a MIDI pitch."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def _time(seconds: float, rate: int) -> NDArray[np.float64]:
    return np.arange(max(1, round(seconds * rate))) / rate


def _shape(count: int, rate: int, attack: float, release: float) -> Sound:
    """Return an envelope: raised cosine up and down, one between."""
    envelope = np.ones(count, np.float32)
    up, down = (min(max(1, round(s * rate)), count // 2 or 1) for s in (attack, release))
    envelope[:up] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(up) / up)).astype(np.float32)
    envelope[count - down :] *= (0.5 + 0.5 * np.cos(np.pi * np.arange(down) / down)).astype(np.float32)
    return envelope


def _partials(frequency: float, seconds: float, rate: int, levels: list[float], decays: list[float]) -> Sound:
    """Add harmonics, each with its level and its own decay time in seconds."""
    time = _time(seconds, rate)
    phase = (frequency * time) % 1.0
    sound = np.zeros(len(time), np.float32)
    for harmonic, (level, decay) in enumerate(zip(levels, decays, strict=True), start=1):
        if frequency * harmonic < rate * 0.45:
            wave = np.sin((2 * np.pi * harmonic * phase).astype(np.float32))
            sound += np.float32(level) * wave * np.exp(-time / decay).astype(np.float32)
    return sound


def _noise(seconds: float, rate: int, seed: int) -> Sound:
    return np.random.default_rng(seed).standard_normal(round(seconds * rate)).astype(np.float32)


def filtered(sound: Sound, kind: str, edges: float | tuple[float, float], rate: int, order: int = 2) -> Sound:
    """Return the sound through a Butterworth filter (`low`, `high` or `band`), its edges under half the sample rate."""
    sections = butter(order, np.minimum(edges, (0.44 if kind == "high" else 0.48) * rate), kind, fs=rate, output="sos")
    return np.asarray(sosfilt(sections, sound, axis=0), np.float32)


# --- drums ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def kick(rate: int, deep: bool) -> Sound:
    """A sine that falls from 130 Hz to its ground, with a short knock."""
    time = _time(0.42, rate)
    ground = 46.0 if deep else 52.0
    phase = 2 * np.pi * (ground * time + 84.0 * 0.032 * (1 - np.exp(-time / 0.032)))
    body = np.sin(phase) * np.exp(-time / 0.15)
    knock = filtered(_noise(0.42, rate, 1), "band", (900.0, 3200.0), rate) * np.exp(-time / 0.006)
    sound = np.tanh(1.6 * body) * 0.75 + 0.12 * knock
    return _sound(sound * _shape(len(time), rate, 0.0015, 0.06))


@lru_cache(maxsize=64)
def snare(rate: int, hard: bool) -> Sound:
    """Noise around 1.8 kHz over two short tones; the hard one is longer and lower."""
    seconds = 0.32 if hard else 0.24
    time = _time(seconds, rate)
    tone = np.sin(2 * np.pi * 178 * time) * np.exp(-time / 0.055) + 0.5 * np.sin(2 * np.pi * 331 * time) * np.exp(
        -time / 0.03
    )
    rattle = filtered(_noise(seconds, rate, 2), "band", (700.0, 6500.0), rate) * np.exp(
        -time / (0.085 if hard else 0.06)
    )
    return _sound((0.55 * tone + 0.55 * rattle) * _shape(len(time), rate, 0.001, 0.05))  # fmt: skip


@lru_cache(maxsize=64)
def hat(rate: int, seconds: float) -> Sound:
    """Bright noise, kept under 11 kHz so that it does not hiss."""
    time = _time(seconds * 3, rate)
    noise = filtered(filtered(_noise(seconds * 3, rate, 3), "high", 6000.0, rate), "low", 11000.0, rate)
    return _sound(noise * np.exp(-time / seconds) * _shape(len(time), rate, 0.001, 0.02))


@lru_cache(maxsize=64)
def shaker(rate: int) -> Sound:
    time = _time(0.14, rate)
    noise = filtered(_noise(0.14, rate, 4), "band", (4200.0, 9000.0), rate)
    return _sound(noise * _shape(len(time), rate, 0.03, 0.08) * 0.8)


@lru_cache(maxsize=64)
def tick(rate: int) -> Sound:
    """A wood block: two short inharmonic tones."""
    time = _time(0.09, rate)
    tone = np.sin(2 * np.pi * 820 * time) * np.exp(-time / 0.014) + 0.5 * np.sin(2 * np.pi * 1310 * time) * np.exp(
        -time / 0.008
    )
    return _sound(tone * _shape(len(time), rate, 0.0012, 0.02))  # fmt: skip


@lru_cache(maxsize=64)
def tom(rate: int, pitch: int) -> Sound:
    time = _time(0.5, rate)
    low = hertz(pitch - 7)
    phase = 2 * np.pi * (low * time + 0.6 * low * 0.05 * (1 - np.exp(-time / 0.05)))
    skin = filtered(_noise(0.5, rate, 5), "band", (300.0, 1800.0), rate) * np.exp(-time / 0.03)
    return _sound((np.sin(phase) * np.exp(-time / 0.17) + 0.15 * skin) * _shape(len(time), rate, 0.002, 0.1))


@lru_cache(maxsize=16)
def crash(rate: int, seconds: float) -> Sound:
    """A soft cymbal, (n, 2): two noises that differ left and right."""
    time = _time(seconds, rate)
    sides = [
        filtered(filtered(_noise(seconds, rate, 6 + i), "high", 3500.0, rate), "low", 9000.0, rate) for i in (0, 1)
    ]
    shape = np.exp(-time / (0.3 * seconds)) * _shape(len(time), rate, 0.004, 0.3 * seconds)
    return _sound(np.stack(sides, axis=1) * shape[:, None])


@lru_cache(maxsize=16)
def rise(rate: int, seconds: float) -> Sound:
    """A swell of noise that opens, (n, 2): three bands that come in one after another."""
    time = _time(seconds, rate)
    sound = np.zeros((len(time), 2), np.float32)
    for i, band in enumerate(((300.0, 900.0), (900.0, 2500.0), (2500.0, 6500.0))):
        swell = (time / seconds) ** (2 + 1.5 * i) * (0.9 if i != 1 else 0.5)
        for side in (0, 1):
            sound[:, side] += filtered(_noise(seconds, rate, 10 + 2 * i + side), "band", band, rate) * swell
    return _sound(sound * _shape(len(time), rate, 0.05, 0.03)[:, None])


# --- pitched ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def bass(pitch: int, seconds: float, rate: int, grit: float) -> Sound:
    """A round bass: eight harmonics that close quickly, driven by `grit`."""
    levels = [0.9, 0.75, 0.5, 0.32, 0.22, 0.15, 0.1, 0.07]
    decays = [max(1.2, seconds), 0.6, 0.32, 0.24, 0.18, 0.14, 0.11, 0.09]
    sound = _partials(hertz(pitch), seconds + 0.06, rate, levels, decays)
    driven = np.tanh(sound * (1.0 + 2.5 * grit)) / (1.0 + 0.9 * grit)
    return _sound(driven * _shape(len(sound), rate, min(0.05, 0.006 + 0.01 * seconds), 0.055 + 0.06 * seconds))


@lru_cache(maxsize=512)
def arp(pitch: int, seconds: float, rate: int, soft: bool) -> Sound:
    """A plucked tone: a felt piano where `soft`, else a short bright pluck."""
    if soft:
        levels, decays = [1.0, 0.32, 0.12, 0.07, 0.03], [1.9, 1.1, 0.6, 0.4, 0.25]
    else:
        levels, decays = [1.0, 0.45, 0.3, 0.14, 0.08, 0.05], [0.45, 0.26, 0.17, 0.12, 0.09, 0.07]
    sound = _partials(hertz(pitch), seconds + 0.12, rate, levels, decays)
    return _sound(sound * _shape(len(sound), rate, 0.012 if soft else 0.003, 0.12))


@lru_cache(maxsize=256)
def lead(pitch: int, seconds: float, rate: int) -> Sound:
    """A hollow, soft line with a late vibrato."""
    time = _time(seconds + 0.15, rate)
    vibrato = 0.0035 * np.clip((time - 0.25) / 0.5, 0, 1) * np.sin(2 * np.pi * 5.1 * time) / (2 * np.pi * 5.1)
    phase = hertz(pitch) * (time + vibrato)
    sound = np.sin(2 * np.pi * phase) + 0.16 * np.sin(6 * np.pi * phase) + 0.1 * np.sin(4 * np.pi * phase)
    return _sound(sound * _shape(len(time), rate, 0.03, 0.16))


@lru_cache(maxsize=64)
def chug(pitches: tuple[int, ...], seconds: float, rate: int) -> Sound:
    """A power chord through a driven amplifier and its loudspeaker, (n, 2): played twice, a little apart."""
    muted = seconds * 1.0 < 0.3
    sides = []
    for side, cents in enumerate((-4.0, 5.0)):
        strings = np.zeros(len(_time(seconds + 0.1, rate)), np.float32)
        for pitch in pitches:
            decay = 0.11 if muted else 1.6
            levels = [1.0 / (k**0.9) for k in range(1, 11)]
            strings += _partials(
                hertz(pitch + cents / 100), seconds + 0.1, rate, levels, [decay / (1 + 0.06 * k) for k in range(10)]
            )
        speaker = filtered(filtered(np.tanh(2.6 * strings), "low", 1900.0, rate, 4), "high", 110.0, rate)
        late = round(0.011 * rate) * side
        sides.append(np.concatenate([np.zeros(late, np.float32), speaker])[: len(speaker)])
    sound = np.stack(sides, axis=1)
    return _sound(sound * _shape(len(sound), rate, 0.004, 0.09)[:, None])


@lru_cache(maxsize=64)
def pad(pitches: tuple[int, ...], seconds: float, rate: int, slow: bool) -> Sound:
    """Three soft saws a note and a side, a few cents apart, that open and close slowly, (n, 2)."""
    time = _time(seconds, rate)
    table_dark, table_bright = _wave(7, 1.9), _wave(16, 1.25)
    opening = (0.35 + 0.3 * np.sin(2 * np.pi * time / max(seconds, 3.0) - 0.8)).astype(np.float32)
    sound = np.zeros((len(time), 2), np.float32)
    for number, pitch in enumerate(pitches):
        for side, detunes in enumerate(((-7.0, 1.0, 6.0), (-5.0, -1.0, 8.0))):
            for voice, cents in enumerate(detunes):
                start = 0.37 * number + 0.21 * side + 0.29 * voice
                place = (((hertz(pitch + cents / 100) * time + start) % 1.0) * len(table_dark)).astype(np.int32)
                sound[:, side] += table_dark[place] + opening * table_bright[place]
    attack, release = (0.9, 1.2) if slow else (0.06, 0.25)
    return _sound(sound * (_shape(len(time), rate, attack, release) / (3 * len(pitches)) ** 0.8)[:, None])


@lru_cache(maxsize=8)
def _wave(harmonics: int, slope: float) -> Sound:
    """One period, 8192 long, of harmonics that fall as 1 / k ** slope."""
    turn = 2 * np.pi * np.arange(8192) / 8192
    return np.asarray(sum(np.sin(k * turn) / k**slope for k in range(1, harmonics + 1)), np.float32)
