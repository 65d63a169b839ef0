"""Which encoder writes the picture: a software encoder, or one in hardware that has just proved that it works."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Final

from factory.plan.brief import Codec
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


X264: Final = Encoder(
    "libx264",
    ("-preset", "veryfast", "-crf", "21", "-profile:v", "high", "-threads", "1", "-x264-params", "open-gop=0"),
    ("-preset", "ultrafast", "-crf", "28", "-profile:v", "high", "-threads", "1", "-x264-params", "open-gop=0"),
    ("-sc_threshold", "0"),
)
_X265 = ("-tag:v", "hvc1", "-x265-params", "open-gop=0:pools=none:frame-threads=1:info=0:log-level=error")
X265: Final = Encoder(
    "libx265", ("-preset", "veryfast", "-crf", "24", *_X265), ("-preset", "ultrafast", "-crf", "30", *_X265)
)
AV1: Final = Encoder(
    "libsvtav1",
    ("-preset", "9", "-crf", "34", "-svtav1-params", "lp=1"),
    ("-preset", "12", "-crf", "45", "-svtav1-params", "lp=1"),
)
SOFTWARE: Final[Mapping[Codec, Encoder]] = {"h264": X264, "h265": X265, "av1": AV1}


def _nvenc(name: str) -> Encoder:
    shared = ("-rc", "vbr", "-b:v", "0", "-bf", "0")
    return Encoder(name, ("-preset", "p4", "-cq", "22", *shared), ("-preset", "p1", "-cq", "28", *shared))


def _qsv(name: str) -> Encoder:
    return Encoder(
        name,
        ("-preset", "faster", "-global_quality", "22", "-bf", "0"),
        ("-preset", "veryfast", "-global_quality", "28", "-bf", "0"),
    )


# No B-frames from hardware: their reordering differs from driver to driver, and chunks are joined without re-encoding.
HARDWARE: Final[Mapping[Codec, tuple[Encoder, ...]]] = {
    "h264": (_nvenc("h264_nvenc"), _qsv("h264_qsv")),
    "h265": (_nvenc("hevc_nvenc"), _qsv("hevc_qsv")),
    "av1": (_nvenc("av1_nvenc"), _qsv("av1_qsv")),
}


def choose_encoder(codec: Codec = "h264", *, hardware: bool = False) -> Encoder:
    """Return the encoder for a codec: with `hardware` the first of a graphics card that works here, else the software.

    What was chosen is told by the film, so that a fallback is on record.
    """
    wanted = HARDWARE[codec] if hardware else ()
    return next((encoder for encoder in wanted if works(encoder)), SOFTWARE[codec])


@cache
def works(encoder: Encoder) -> bool:
    """Tell by encoding one real frame: being listed, and having the hardware, is not enough."""
    line = [executable(), "-hide_banner", "-nostdin", "-loglevel", "error"]
    line += ["-f", "lavfi", "-i", "color=c=gray:s=640x360:r=30", "-frames:v", "1", "-pix_fmt", "yuv420p"]
    return _runs([*line, *encoder.arguments(Fraction(30), draft=False), "-f", "null", "-"])


@cache
def aac_works() -> bool:
    """Tell by encoding a tenth of a second of silence."""
    line = [executable(), "-hide_banner", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "anullsrc"]
    return _runs([*line, "-t", "0.1", "-c:a", "aac", "-f", "null", "-"])


def _runs(line: list[str]) -> bool:
    try:
        return subprocess.run(line, check=False, capture_output=True, timeout=PROBE_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
