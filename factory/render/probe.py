"""Which encoder writes the picture: libx264, or a hardware encoder that has just proved that it works."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from factory.errors import WrongUsage
from factory.render.ffmpeg import executable

PROBE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder by its ffmpeg name, and its settings. Threads are pinned: another count gives other frames."""

    name: str
    options: tuple[str, ...]
    draft_options: tuple[str, ...]
    even_groups: tuple[str, ...] = ()  # what makes every group exactly as long as it may be; empty: it cannot

    def arguments(self, fps: Fraction, *, draft: bool, group: int = 0) -> tuple[str, ...]:
        """Return the output options: closed groups of two seconds at most, or of exactly `group` frames; the same
        headers for every chunk."""
        shared = ("-c:v", self.name, *(self.draft_options if draft else self.options))
        if group:
            return (*shared, "-g", str(group), *self.even_groups)
        return (*shared, "-g", str(max(round(2 * fps), 1)))


X264 = Encoder(
    "libx264",
    ("-preset", "veryfast", "-crf", "21", "-profile:v", "high", "-threads", "1", "-x264-params", "open-gop=0"),
    ("-preset", "ultrafast", "-crf", "28", "-profile:v", "high", "-threads", "1", "-x264-params", "open-gop=0"),
    ("-sc_threshold", "0"),
)
# No B-frames from hardware: their reordering differs from driver to driver, and chunks are joined without re-encoding.
HARDWARE = (
    Encoder(
        "h264_nvenc",
        ("-preset", "p4", "-rc", "vbr", "-cq", "22", "-b:v", "0", "-bf", "0", "-profile:v", "high"),
        ("-preset", "p1", "-rc", "vbr", "-cq", "28", "-b:v", "0", "-bf", "0", "-profile:v", "high"),
    ),
    Encoder(
        "h264_qsv",
        ("-preset", "faster", "-global_quality", "22", "-bf", "0", "-profile:v", "high"),
        ("-preset", "veryfast", "-global_quality", "28", "-bf", "0", "-profile:v", "high"),
    ),
)
NAMES = ("auto", X264.name, *(encoder.name for encoder in HARDWARE))


def choose_encoder(wish: str = X264.name) -> Encoder:
    """Return the encoder of that name; `auto` takes the first hardware encoder that works, else libx264.

    Raises `WrongUsage` for an unknown name, and for a hardware encoder that cannot encode one frame here.
    """
    if wish == X264.name:
        return X264
    if wish == "auto":
        return next((encoder for encoder in HARDWARE if works(encoder)), X264)
    for encoder in HARDWARE:
        if encoder.name == wish and works(encoder):
            return encoder
    raise WrongUsage(
        f"the encoder {wish!r} is unknown or does not work on this machine", next_step=f"use one of {', '.join(NAMES)}"
    )


@cache
def works(encoder: Encoder) -> bool:
    """Tell by encoding one real frame: being listed, and having the hardware, is not enough."""
    line = [executable(), "-hide_banner", "-nostdin", "-loglevel", "error"]
    line += ["-f", "lavfi", "-i", "color=c=gray:s=640x360:r=30", "-frames:v", "1", "-pix_fmt", "yuv420p"]
    line += [*encoder.arguments(Fraction(30), draft=False), "-f", "null", "-"]
    try:
        return subprocess.run(line, check=False, capture_output=True, timeout=PROBE_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
