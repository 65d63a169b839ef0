"""Synthesised sound of a scene: engines, wind, rain, water, skids and bumps, as stereo float32 at 48 kHz."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import signal

RATE = 48_000
Sound = npt.NDArray[np.float32]
Curve = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
SoundOf = Callable[[float, int], Sound]
"""A scene's sound: (seconds, seed) to stereo samples."""


def clock(seconds: float) -> npt.NDArray[np.float64]:
    return np.arange(round(seconds * RATE), dtype=np.float64) / RATE


def noise(seconds: float, seed: int, low: float, high: float) -> npt.NDArray[np.float64]:
    """Band-limited noise of unit variance."""
    raw = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    band = signal.butter(2, [low, high], btype="band", fs=RATE, output="sos")
    made = np.asarray(signal.sosfilt(band, raw), dtype=np.float64)
    return np.asarray(made / (made.std() + 1e-9), dtype=np.float64)


def engine(
    seconds: float, seed: int, *, idle: float = 32, top: float = 60, rough: float = 0.3
) -> npt.NDArray[np.float64]:
    """A combustion engine: harmonics of a firing frequency from `idle` to `top` Hz, with a little roughness."""
    t = clock(seconds)
    rng = np.random.default_rng(seed)
    sway = np.interp(t, np.linspace(0, seconds, 9), rng.uniform(-1, 1, 9))
    pitch = idle + (top - idle) * np.clip(t / seconds, 0, 1) ** 0.8 + sway * idle * 0.05
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tone = sum(np.sin(phase * k + rng.uniform(0, 6)) / k**1.1 for k in (1, 2, 3, 4, 6, 8, 11))
    pulse = 1 + rough * np.sin(phase / 2) * noise(seconds, seed + 1, 20, 90)
    return np.asarray(np.tanh(tone * pulse * 0.7) * 0.5, dtype=np.float64)


def motor(seconds: float, seed: int, *, low: float = 180, high: float = 420) -> npt.NDArray[np.float64]:
    """An electric drive: a soft whine that rises, over tyre noise."""
    t = clock(seconds)
    pitch = low + (high - low) * (t / seconds) ** 0.7
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    whine = 0.16 * np.sin(phase) + 0.1 * np.sin(phase * 2.99) + 0.05 * np.sin(phase * 5.02)
    return np.asarray(whine + 0.22 * tyres(seconds, seed), dtype=np.float64)


def tyres(seconds: float, seed: int) -> npt.NDArray[np.float64]:
    return 0.7 * noise(seconds, seed, 90, 700) + 0.25 * noise(seconds, seed + 1, 900, 3200)


def wind(seconds: float, seed: int) -> npt.NDArray[np.float64]:
    t = clock(seconds)
    sway = 0.7 + 0.3 * np.sin(2 * np.pi * 0.31 * t + seed) * np.sin(2 * np.pi * 0.13 * t)
    return noise(seconds, seed, 120, 900) * sway


def rain(seconds: float, seed: int) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    drops = np.zeros(round(seconds * RATE))
    drops[rng.integers(0, len(drops), round(seconds * 260))] = rng.uniform(0.3, 1, round(seconds * 260))
    shape = np.exp(-np.arange(480) / 60) * np.sin(np.arange(480) * 0.9)
    pattered = np.asarray(signal.fftconvolve(drops, shape, mode="same"), dtype=np.float64)
    return 0.6 * noise(seconds, seed + 1, 1200, 9000) + 1.2 * pattered


def water(seconds: float, seed: int) -> npt.NDArray[np.float64]:
    t = clock(seconds)
    sway = 0.65 + 0.35 * np.sin(2 * np.pi * 0.9 * t) * np.sin(2 * np.pi * 0.37 * t + 1)
    return noise(seconds, seed, 350, 4200) * sway + 0.5 * noise(seconds, seed + 1, 100, 400)


def skid(seconds: float, seed: int, start: float, end: float) -> npt.NDArray[np.float64]:
    """Locked tyres between two moments."""
    t = clock(seconds)
    gate = np.clip((t - start) * 14, 0, 1) * np.clip((end - t) * 9, 0, 1)
    pitch = 880 - 160 * np.clip((t - start) / max(end - start, 0.1), 0, 1)
    phase = 2 * np.pi * np.cumsum(pitch + 25 * noise(seconds, seed, 3, 30)) / RATE
    return gate * (0.35 * np.sin(phase) + 0.2 * np.sin(1.51 * phase) + 0.5 * noise(seconds, seed + 1, 700, 2600))


def thud(seconds: float, seed: int, at: float, *, weight: float = 1) -> npt.NDArray[np.float64]:
    """A bump of sheet metal at one moment: a low knock, a crunch and a few falling bits."""
    t = clock(seconds) - at
    after = np.where(t >= 0, t, 1e9)
    knock = np.sin(2 * np.pi * 68 * after) * np.exp(-after * 13)
    crunch = noise(seconds, seed, 300, 5200) * np.exp(-after * 16) * 0.8
    bits = noise(seconds, seed + 1, 2500, 8000) * np.exp(-after * 4) * (np.sin(2 * np.pi * 17 * after) > 0.9) * 0.18
    return np.asarray(weight * (knock + crunch + bits), dtype=np.float64)


def ticks(seconds: float, every: float, start: float = 0) -> npt.NDArray[np.float64]:
    """The relay of an indicator, or a charger's beeps when slow."""
    t = clock(seconds)
    since = np.where(t >= start, (t - start) % every, 1.0)
    return np.asarray(np.sin(2 * np.pi * 1900 * since) * np.exp(-since * 160), dtype=np.float64)


def chime(seconds: float, at: float, pitch: float = 660) -> npt.NDArray[np.float64]:
    t = clock(seconds) - at
    after = np.where(t >= 0, t, 1e9)
    return np.asarray(
        (np.sin(2 * np.pi * pitch * after) + 0.5 * np.sin(2 * np.pi * pitch * 1.5 * after)) * np.exp(-after * 3.5),
        dtype=np.float64,
    )


def birds(seconds: float, seed: int) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    t = clock(seconds)
    out = np.zeros_like(t)
    for start in np.sort(rng.uniform(0.2, max(seconds - 0.6, 0.3), round(seconds * 1.4))):
        since = t - start
        gate = (since > 0) & (since < 0.14)
        out += (
            gate
            * np.sin(2 * np.pi * (2600 + 900 * np.sin(since * 60)) * since)
            * np.sin(np.pi * np.clip(since / 0.14, 0, 1))
        )
    return out


def mixed(*parts: tuple[float, npt.NDArray[np.float64]], level_db: float = -20, seed: int = 0) -> Sound:
    """Sum parts by gain at a mean level of `level_db`, both ends faded, each ear with a slightly different room."""
    total = np.sum([gain * part for gain, part in parts], axis=0)
    rms = float(np.sqrt(np.mean(total**2))) + 1e-9
    total = np.tanh(total * (10 ** (level_db / 20) / rms))
    edge = min(len(total) // 4, RATE // 20)
    ramp = np.ones(len(total))
    ramp[:edge], ramp[-edge:] = np.linspace(0, 1, edge), np.linspace(1, 0, edge)
    delay = 240 + seed % 200
    other = np.concatenate([np.zeros(delay), total[:-delay]])
    left, right = 0.8 * total + 0.2 * other, 0.75 * total + 0.25 * np.roll(other, 90)
    return np.stack([left * ramp, right * ramp], axis=1).astype(np.float32)
