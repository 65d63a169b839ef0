"""What the tests of the render room share: tiny clips, a cache in a folder, plain cards and music."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from threading import get_ident
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from factory.plan.timeline import Canvas
from factory.render.ffmpeg import executable


class Store:
    """A cache and a shelf of files by content, as the factory's store has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shelf: dict[str, Path] = {}
        self.made: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def cached(self, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
        place = self.folder / f"{key}{suffix}"
        if not place.exists():
            scratch = self.folder / f"scratch-{get_ident()}-{key[:40]}{suffix}"
            make(scratch)
            scratch.rename(place)
            self.made.append(key)
        return place

    def adopt(self, path: Path) -> str:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.shelf[digest] = path
        return digest

    def source(self, digest: str) -> Path:
        return self.shelf[digest]


class PlainCards:
    """Cards of one kind: a plate with a text and a bar that grows."""

    def card(
        self, name: str, *, data: Mapping[str, Any], canvas: Canvas, brand: str, locale: str, progress: float
    ) -> str:
        x, y, width, height = data.get("box", (20, 20, 200, 60))
        text = str(data.get("text", name)).replace("&", "&amp;").replace("<", "&lt;")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x} {y} {width} {height}" '
            f'width="{width}" height="{height}"><rect x="{x}" y="{y}" width="{width}" height="{height}" '
            f'fill="{data.get("fill", "#203040")}"/><rect x="{x}" y="{y + height - 10}" '
            f'width="{width * progress:.2f}" height="10" fill="#ff8800"/>'
            f'<text x="{x + 8}" y="{y + 30}" font-size="24" fill="#ffffff" '
            f'font-family="Noto Sans CJK SC">{text}</text></svg>'
        )


def hum(path: Path, *, style: str, seed: int, seconds: float, sample_rate: int = 48_000, beat: float = 0.0) -> None:
    """Music that can be told from everything else: a tone of 200 Hz."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    tone = 0.5 * np.sin(2 * np.pi * 200 * time)
    soundfile.write(path, np.stack([tone, tone], axis=1), sample_rate, subtype="PCM_16", format="WAV")


def ffmpeg(*arguments: str) -> None:
    """Run the wheel's ffmpeg to make a clip for a test."""
    line = [executable(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments]
    subprocess.run(line, check=True, capture_output=True)


def numbered_clip(path: Path, *, size: str = "320x180", rate: str = "30", frames: int = 90, extra: str = "") -> Path:
    """Make a clip whose frame n carries n in its picture, as eight black or white fields (lowest bit at the left)."""
    luma = "if(mod(floor(N/pow(2,floor(X*8/W))),2),235,16)"
    graph = f"nullsrc=s={size}:r={rate},format=yuv420p,geq=lum='{luma}':cb=128:cr=128{extra}"
    ffmpeg(
        *("-f", "lavfi", "-i", graph, "-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000"),
        *("-frames:v", str(frames), "-shortest", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "10"),
        *("-g", "25", "-c:a", "aac", str(path)),
    )
    return path


def number_in(luma: NDArray[np.uint8]) -> int:
    """Read the number that `numbered_clip` put into a picture."""
    height, width = luma.shape
    row = luma[height // 2 - 4 : height // 2 + 4]
    fields = [row[:, int((bit + 0.35) * width / 8) : int((bit + 0.65) * width / 8)].mean() for bit in range(8)]
    return sum(1 << bit for bit, value in enumerate(fields) if value > 125)


def lumas(video: Path) -> list[NDArray[np.uint8]]:
    """Decode the brightness of every frame."""
    with av.open(str(video)) as container:
        return [_plane(frame) for frame in container.decode(video=0)]


def _plane(frame: Any) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    return np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)[:, : plane.width].copy()


def frame_times(video: Path) -> list[Fraction]:
    """Return when each picture is shown, in seconds."""
    container: Any
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        return [frame.pts * stream.time_base for frame in container.decode(stream)]


def frames_digest(video: Path) -> str:
    """Return a digest of every decoded picture."""
    digest = hashlib.sha256()
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            digest.update(frame.to_ndarray().tobytes())
    return digest.hexdigest()


def sound_in(video: Path, rate: int = 48_000) -> NDArray[np.float32]:
    """Decode the sound as (samples, 2)."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate)
    with av.open(str(video)) as container:
        blocks = [out.to_ndarray() for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        blocks += [out.to_ndarray() for out in resampler.resample(None)]
    return np.asarray(np.concatenate(blocks, axis=1).T, dtype=np.float32)


def complaints(video: Path) -> list[str]:
    """Return what ffmpeg has to say against a file while it decodes all of it."""
    line = [executable(), "-nostdin", "-hide_banner", "-v", "warning", "-i", str(video), "-f", "null", "-"]
    said = subprocess.run(line, capture_output=True, text=True, check=True).stderr
    return said.splitlines()


def metered(file: Path) -> tuple[float, float]:
    """Return loudness (LUFS) and true peak (dBTP) of what is decoded, by ffmpeg's own meter, to a tenth."""
    line = [executable(), "-nostdin", "-hide_banner", "-nostats", "-i", str(file), "-map", "0:a:0"]
    said = subprocess.run(
        [*line, "-af", "ebur128=peak=true", "-f", "null", "-"], capture_output=True, text=True, check=True
    ).stderr
    summary = said[said.index("Summary:") :]
    found = re.search(r"I:\s+(\S+) LUFS.*Peak:\s+(\S+) dBFS", summary, re.DOTALL)
    assert found
    return float(found[1]), float(found[2])


def ssim(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the structural similarity of two pictures' brightness (Wang et al. 2004), windows of 7 x 7 pixels."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    mean_a, mean_b = uniform_filter(a, 7), uniform_filter(b, 7)
    var_a, var_b = uniform_filter(a * a, 7) - mean_a**2, uniform_filter(b * b, 7) - mean_b**2
    both = uniform_filter(a * b, 7) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return float(alike.mean())
