"""What stands beside the video: subtitle files that equal the burnt-in captions, and the poster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from html import escape
from pathlib import Path

from factory.plan.timeline import Canvas, Cue
from factory.render.command import FfmpegCommand, Input
from factory.render.ffmpeg import run


def srt(cues: Sequence[Cue], fps: Fraction) -> str:
    """Return SubRip text: numbered cues, times to the millisecond."""
    return "\n".join(
        f"{number}\n{_clock(cue.start, fps, ',')} --> {_clock(cue.end, fps, ',')}\n{_lines(cue)}\n"
        for number, cue in enumerate(cues, 1)
    )


def vtt(cues: Sequence[Cue], fps: Fraction) -> str:
    """Return WebVTT text; `&`, `<` and `>` are written as entities, as its grammar wants."""
    blocks = [
        f"{_clock(cue.start, fps, '.')} --> {_clock(cue.end, fps, '.')}\n{escape(_lines(cue), quote=False)}\n"
        for cue in cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def write_poster(
    video: Path, frame: int, canvas: Canvas, target: Path, cancelled: Callable[[], bool] = lambda: False
) -> None:
    """Write frame `frame` of a finished video as a JPEG."""
    seek = max(Fraction(frame) - Fraction(1, 2), Fraction(0)) / canvas.fps
    opened = Input("video", video, ("-ss", f"{float(seek):.6f}"), trusted=True)
    scale = "scale=in_color_matrix=bt709:out_color_matrix=bt601:out_range=pc,format=yuvj420p"
    outputs = ("-map", "0:v:0", "-vf", scale, "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "2", "-f", "image2")
    run(FfmpegCommand((opened,), "", (*outputs, "-update", "1"), 1), output=target, cancelled=cancelled)


def _lines(cue: Cue) -> str:
    return "\n".join(line.replace("-->", "→") for line in cue.lines)


def _clock(frame: int, fps: Fraction, point: str) -> str:
    milliseconds = round(frame / fps * 1000)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"
