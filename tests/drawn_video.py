"""Small videos that tests draw themselves, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def draw_video(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    rate: int = 25,
    times: list[int] | None = None,
    sound: NDArray[np.float32] | None = None,
) -> Path:
    """Write RGB frames (H, W, 3) at `rate`, or at `times` in milliseconds; `sound` is 16 kHz mono."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.bit_rate = 4_000_000
        base = Fraction(1, 1000) if times else Fraction(1, rate)
        for place, rgb in enumerate(frames):
            if place == 0:
                stream.height, stream.width = rgb.shape[:2]
                stream.codec_context.time_base = base
                voice = container.add_stream("pcm_s16le", rate=16000, layout="mono") if sound is not None else None
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts, frame.time_base = (times[place] if times else place), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None and voice is not None:
            part = av.AudioFrame.from_ndarray((sound * 32767).astype(np.int16)[None], "s16", "mono")
            part.sample_rate, part.pts, part.time_base = 16000, 0, Fraction(1, 16000)
            container.mux(voice.encode(part))
            container.mux(voice.encode(None))
    return path


def b_frames(path: Path, frames: Iterable[NDArray[np.uint8]], *, rate: int = 25) -> Path:
    """Write RGB frames as H.264 with three B-frames between others, whatever they show, and one key frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.options = {"x264-params": "bframes=3:b-adapt=0:b-pyramid=0:scenecut=0:keyint=1000:threads=1"}
        for place, rgb in enumerate(frames):
            if place == 0:
                stream.height, stream.width = rgb.shape[:2]
                stream.pix_fmt = "yuv420p"
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts = place
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def scene(seed: int, *, size: tuple[int, int] = (180, 320)) -> NDArray[np.uint8]:
    """A still picture of coloured blocks, unlike that of any other seed."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 256, (size[0] // 20, size[1] // 20, 3), dtype=np.uint8)
    return np.ascontiguousarray(blocks.repeat(20, 0).repeat(20, 1))
