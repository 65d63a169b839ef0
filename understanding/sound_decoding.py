"""The first sound track of an untrusted file, on the picture's clock. It runs in a limited child, like `decoding`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from understanding import decoding
from understanding.sandbox_server import keep_rows


def sound(path: str, rate: int, samples: int) -> Any:
    """Decode the first sound track as `samples` mono float32 values; sample 0 sounds with the first picture."""
    with decoding.opened(path) as container:
        if decoding.sound_of(container) is None:
            return np.zeros(0, dtype=np.float32)
        start = decoding.first_time(container, decoding.video_of(container))
    with decoding.opened(path) as container:
        parts = _in_step(container, decoding.sound_of(container), rate, float(start), samples)
        return keep_rows(_cleaned(parts, rate))


def _cleaned(parts: Iterator[NDArray[np.float32]], least: int) -> Iterator[NDArray[np.float32]]:
    """Join parts to blocks of `least` samples or more, all of them numbers in [-1, 1]."""
    held: list[NDArray[np.float32]] = []
    for part in parts:
        held.append(part)
        if sum(map(len, held)) >= least:
            yield _clean(held)
            held = []
    yield _clean(held)


def _clean(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    joined = np.concatenate([np.zeros(0, np.float32), *parts])
    return np.asarray(np.clip(np.nan_to_num(joined, posinf=1.0, neginf=-1.0), -1.0, 1.0), np.float32)


def _in_step(container: Any, stream: Any, rate: int, start: float, samples: int) -> Iterator[NDArray[np.float32]]:
    """Lay the sound on the picture's clock: silence where it is late or has holes, nothing before 0 or past the end."""
    at = done = 0  # where the next block belongs, how many samples were given
    for count, (due, block) in enumerate(_resampled(container, stream, rate)):
        if due is not None:
            place = round((due - start) * rate)
            if count == 0 or place > at + rate // 20:
                at = min(place, samples)
        if at > done:
            yield np.zeros(at - done, dtype=np.float32)
            done = at
        fresh = block[max(0, done - at) : max(0, samples - at)]
        at += len(block)
        done += len(fresh)
        yield fresh
        if done >= samples:
            return
    yield np.zeros(samples - done, dtype=np.float32)


def _resampled(container: Any, stream: Any, rate: int) -> Iterator[tuple[float | None, NDArray[np.float32]]]:
    """Yield (seconds of the source frame or None, mono samples at `rate`)."""
    resampler = _mono(rate)
    for frame in decoding.frames_of(container, stream, decoding.Health()):
        due = frame.time
        try:
            parts = resampler.resample(frame)
        except ValueError:  # the layout changed in mid-stream
            resampler = _mono(rate)
            parts = resampler.resample(frame)
        for part in parts:
            yield due, _samples(part)
            due = None
    for part in resampler.resample(None):
        yield None, _samples(part)


def _samples(frame: Any) -> NDArray[np.float32]:
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1)


def _mono(rate: int) -> av.AudioResampler:
    """A resampler that mixes channels down by the ITU coefficients, scaled so that full channels cannot clip."""
    return av.AudioResampler(format="flt", layout="mono", rate=rate, options={"rematrix_maxval": "1.0"})
