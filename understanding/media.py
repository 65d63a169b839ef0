"""The one place that reads media: what a file is, its pictures, its sound. Untrusted bytes are decoded in a child only.

Times are exact seconds from the first picture. Pictures are RGB and upright. Every refusal is a MediaRefused.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understanding import decoding, sandbox, sound_decoding
from understanding.errors import MediaRefused
from understanding.sandbox import Limits
from understanding.tagged import Probe

PROBE_LIMITS = Limits(cpu_seconds=120, wall_seconds=300.0)
SHORT_SECONDS = 1
LOW_RES_LINES = 240  # of the shorter side
TITLE_LETTERS = 300


@dataclass(frozen=True, slots=True)
class Frames:
    """Pictures shown at `times`: `rgb` is (N, height, width, 3) uint8, upright, read-only and mapped from a file."""

    times: tuple[Fraction, ...]
    rgb: NDArray[np.uint8]


def probe(path: Path, *, limits: Limits = PROBE_LIMITS) -> Probe:
    """Say what a file is, from its packets and one decoded picture; declared sizes and lengths are not believed."""
    found = in_child(decoding.probe, path, limits=limits)
    times = _shown(found)
    if times.seconds > decoding.MAX_SECONDS:
        cause = f"'{path.name}' is {float(times.seconds) / 3600:.1f} hours long"
        raise MediaRefused("too-large", cause, next_step=f"cut it to at most {decoding.MAX_SECONDS // 3600} hours")
    sound = found["sound"] or [None, None, None]
    return Probe(
        container=found["container"],
        codec=found["codec"],
        width=found["width"],
        height=found["height"],
        fps=times.fps,
        frames=times.frames,
        seconds=times.seconds,
        rotation=found["rotation"],
        pixel_format=found["pixel_format"],
        interlaced=found["interlaced"],
        variable_rate=times.variable,
        sound_codec=sound[0],
        sound_rate=sound[1],
        sound_channels=sound[2],
        sound_start=found["sound_start"] if sound[0] else Fraction(0),
        title=_one_line(found["title"]),
        warnings=_warnings(found, times),
    )


def read_frames(
    path: Path,
    *,
    times: Sequence[Fraction] | None = None,
    every: Fraction | None = None,
    height: int = 360,
    limits: Limits | None = None,
) -> Frames:
    """Decode the pictures shown at `times`, or the middle one of `every` so many seconds (default: each second).

    A time past the end gives the last picture. Only what is needed is decoded: from the key frame before the first time
    to the last one. Pictures are `height` lines high with their shown aspect.
    """
    wanted = None if times is None else sorted(Fraction(at) for at in times)
    if wanted is not None and (not wanted or wanted[0] < 0):
        raise ValueError("times must be named and not negative")
    if not 1 <= height <= 8192 or (every is not None and every <= 0):
        raise ValueError(f"height {height} must be 1 to 8192 lines and every {every} positive")
    found = in_child(decoding.frames, path, wanted, every, height, limits=limits or Limits())
    return Frames(tuple(found["times"]), found["frames"])


def read_sound(
    path: Path, rate: int = 16000, *, about: Probe | None = None, limits: Limits | None = None
) -> NDArray[np.float32]:
    """Decode the first sound track to mono float32 in [-1, 1], in step with the picture and exactly as long.

    Late sound and holes are filled with silence; channels are mixed down. A file without sound gives an empty array.
    """
    about = about or probe(path)
    if not about.has_sound:
        return np.zeros(0, dtype=np.float32)
    samples = -(-about.seconds.numerator * rate // about.seconds.denominator)
    found = in_child(sound_decoding.sound, path, rate, samples, limits=limits or limits_for(about.seconds))
    return np.asarray(found, dtype=np.float32)


def limits_for(seconds: Fraction) -> Limits:
    """Limits that decode a clip of this length once, with room for 4K on a slow core."""
    return Limits(cpu_seconds=120 + 12 * int(seconds), wall_seconds=300.0 + 24 * float(seconds))


def usable_seconds(about: Probe, decoded: Fraction) -> Fraction:
    """The length that the packets promise, unless decoding ended more than two frames away from it."""
    return about.seconds if abs(decoded - about.seconds) <= 2 / about.fps else decoded


def in_child(function: Callable[..., object], path: Path, *args: object, limits: Limits) -> Any:
    """Run a function of `decoding` on a file, naming the file in what it refuses."""
    _check_plain(path)
    try:
        return sandbox.run_limited(function, os.fspath(path.absolute()), *args, limits=limits, path=path)
    except MediaRefused as refused:
        cause = refused.cause if path.name in refused.cause else f"'{path.name}' was refused: {refused.cause}"
        raise MediaRefused(refused.code, _one_line(cause), next_step=refused.next_step) from None
    except sandbox.ChildRaised as error:
        cause = _one_line(f"'{path.name}' could not be decoded ({error})")
        raise MediaRefused("decoder-crashed", cause, next_step="convert it with another program") from error


def _check_plain(path: Path) -> None:
    """Refuse what is no plain file before any child starts; the child checks again what it opens."""
    if path.is_symlink():
        cause = _one_line(f"'{path.name}' is a link, and links are not followed")
        raise MediaRefused("link-refused", cause, next_step="name the file itself")
    try:
        plain = stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        plain = False
    if not plain:
        cause = _one_line(f"'{path.name}' is not there or is no plain file")
        raise MediaRefused("not-a-file", cause, next_step="name a video file")


@dataclass(frozen=True, slots=True)
class _Times:
    frames: int
    seconds: Fraction
    fps: Fraction
    variable: bool


def _shown(found: dict[str, Any]) -> _Times:
    """Count frames and measure the length from the packets' times; streams without times run at their rate."""
    ticks, base, rate = found["ticks"], found["time_base"], found["rate"]
    if len(ticks) <= found["unknown"]:
        count = max(1, int(found["unknown"]))
        return _Times(count, count / rate, rate, variable=False)
    gaps = np.diff(ticks)
    usual = int(np.median(gaps)) if len(gaps) else int(found["last"]) or round(1 / rate / base)
    variable = _varies(gaps, usual)
    last = usual if variable or not found["last"] else int(found["last"])
    seconds = int(ticks[-1] - ticks[0] + max(1, last)) * base
    average = len(ticks) / seconds
    steady = not variable and abs(rate - average) <= average / 50
    return _Times(len(ticks), seconds, rate if steady else average, variable)


def _varies(gaps: NDArray[np.int64], usual: int) -> bool:
    """True when more than one frame in fifty stands a quarter of a frame or more off an even beat."""
    if len(gaps) < 2:
        return False
    off = np.abs(gaps - usual) > max(2, usual // 4)
    return bool(off.sum() > max(1, len(gaps) // 50))


def _warnings(found: dict[str, Any], times: _Times) -> tuple[str, ...]:
    said = {
        "low-res": min(found["width"], found["height"]) < LOW_RES_LINES,
        "interlaced": found["interlaced"],
        "variable-frame-rate": times.variable,
        "anamorphic": found["anamorphic"],
        "no-sound": found["sound"] is None,
        "short": times.seconds < SHORT_SECONDS,
        "truncated": found["truncated"],
    }
    return tuple(name for name, true in said.items() if true)


def _one_line(text: str) -> str:
    """Text of a file name or title for a message: no control characters, no direction tricks, not endless."""
    shown = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") else letter for letter in text
    )
    return shown.strip()[:TITLE_LETTERS]
