"""A clip layer as ffmpeg reads it: from its key frame on, picture by picture at the canvas's rate, fitted to it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

import ffmpeg

from factory.plan.following import Follow
from factory.plan.timeline import Canvas, ClipLayer
from factory.render.command import Input
from factory.render.face_blur import Mask
from factory.render.fit import Shown, fit_to, plain, windowed
from factory.render.inlay import Standing
from factory.render.source import Source
from factory.render.streams import Opened, decimal, rate

TICKS = 720_720  # a second in ticks: whole for every usual frame rate
NUDGE = Fraction(43, 500)  # of a frame: footage that lies half-way between two frames always goes the same way
LEAD = 3  # output frames read before the first one wanted, in case the footage has none at its very end
LONGEST_HOLD = Fraction(1, 2)  # seconds for which the last picture of footage that ends early is held


@dataclass(frozen=True, slots=True)
class Footage:
    """A clip layer with the file that it shows, the mask of its faces where they are to be hidden, where it stands if
    it is an inset, and the path of the window that follows its subject where it has one."""

    layer: ClipLayer
    source: Source
    faces: Mask | None = None
    standing: Standing | None = None
    follow: Follow | None = None


def shown(part: Footage, start: int, frames: int, canvas: Canvas, opened: Opened) -> Any:
    """Read exactly `frames` pictures of the layer from frame `start` of the scene on, fitted to the canvas."""
    layer, source = part.layer, part.source
    begins = Fraction(0) if source.streamed else source.begins
    at = begins + layer.source_start + Fraction(start - layer.start) / canvas.fps * layer.speed
    stream = opened.stream(_reading(source, at, frames, layer.speed, canvas))["V:0"]
    if source.interlaced:
        stream = stream.filter("bwdif", mode="send_frame", deint="interlaced")
    stream = stream.filter("settb", expr=f"1/{TICKS}")
    if source.raw:
        stream = stream.filter("setpts", f"N*{TICKS}*{source.fps.denominator}/{source.fps.numerator}")
    stretch = "" if layer.speed == 1 else f"*{layer.speed.denominator}/{layer.speed.numerator}"
    offset = round(at * TICKS / layer.speed - NUDGE * TICKS / canvas.fps)
    stream = (
        stream.filter("setpts", f"PTS{stretch}-{offset}")
        .filter("fps", fps=rate(canvas), start_time=f"-{decimal(LEAD / canvas.fps)}")
        .filter("tpad", stop_mode="clone", stop=round(LONGEST_HOLD * canvas.fps) + LEAD)
        .filter("trim", start_frame=LEAD, end_frame=LEAD + frames)
        .filter("setpts", "PTS-STARTPTS")
    )
    if part.faces is not None:
        stream, source = plain(stream, source)
        mask = _mask(part.faces, start - layer.start, frames, canvas, opened)
        stream = _hidden(stream, mask, source, part.faces.block)
    if layer.window is not None:
        stream, source = windowed(stream, source, layer.window)
    return fit_to(stream, source, layer.fit, canvas, Shown(start - layer.start, frames, part.follow))


def _mask(faces: Mask, first: int, frames: int, canvas: Canvas, opened: Opened) -> Any:
    """Read the mask of exactly the layer's frames [first, first + frames)."""
    options = ("-f", "png_pipe", "-framerate", rate(canvas))
    mask = opened.stream(Input(faces.content, faces.file, options, trusted=True))
    return mask.filter("trim", start_frame=first, end_frame=first + frames).filter("setpts", "PTS-STARTPTS")


def _hidden(stream: Any, mask: Any, source: Source, block: int) -> Any:
    """Lay a mosaic of the picture over it where the mask is white."""
    copies = stream.filter_multi_output("split")
    mosaic = copies[0].filter("pixelize", w=block, h=block)
    mask = mask.filter("scale", w=source.width, h=source.height, flags="bilinear").filter("format", pix_fmts="gray")
    mosaic = ffmpeg.filter([mosaic, mask.filter("setparams", range="tv")], "alphamerge")
    return ffmpeg.overlay(copies[1], mosaic, eval="init", format="yuv420")


def _reading(source: Source, at: Fraction, frames: int, speed: Fraction, canvas: Canvas) -> Input:
    """Open the file where decoding has to begin for `at`. Time stamps stay the file's own: a seek cannot shift them.

    From a known key frame on everything is handed to the graph, which knows what to drop: a shot that begins with a key
    frame costs no picture before it. Elsewhere a seek may land late, so it aims well before.
    """
    options = ("-threads", "1") if source.raw else ("-threads", "1", "-copyts", "-start_at_zero")
    late = min(1 / source.fps, speed / canvas.fps) / 8  # a picture so little late is the one shown at `at`
    key = max((key for key in source.keys if key <= at + late), default=None)
    if source.raw:
        seek: tuple[str, ...] = ()
    elif key is not None:
        seek = ("-noaccurate_seek", "-ss", decimal(key + Fraction(1, 1_000_000)))
    else:
        before = source.reach + LEAD / canvas.fps * speed + max(2 / source.fps, Fraction(1, 5))
        begin = max(Fraction(floor((at - before) * 1000), 1000), Fraction(0))
        until = at - begin + frames / canvas.fps * speed + max(2 / source.fps, Fraction(1, 5))
        seek = ("-ss", decimal(begin), "-t", decimal(until))
    return Input(source.asset, source.path, options, seek=seek)
