"""What all parts of a graph are made with: inputs in their order, pictures that are held, numbers as ffmpeg reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import ffmpeg

from factory.plan.timeline import Canvas
from factory.render.command import Input
from factory.render.overlays import Drawing


@dataclass(slots=True)
class Opened:
    """The inputs opened so far; each gets a number for a name, which no file name can disturb."""

    inputs: list[Input] = field(default_factory=list)

    def stream(self, source: Input) -> Any:
        self.inputs.append(source)
        return ffmpeg.input(str(len(self.inputs) - 1))


def still(drawing: Drawing, canvas: Canvas, opened: Opened) -> Any:
    options = ("-f", "png_pipe", "-framerate", rate(canvas))
    return opened.stream(Input(drawing.content, drawing.still, options, trusted=True))


def held(picture: Any, frames: int) -> Any:
    """Hold one picture for a number of frames: decoded once, handed on each frame."""
    return picture.filter("loop", loop=-1, size=1, start=0).filter("setpts", "N").filter("trim", end_frame=frames)


def opaque(picture: Any, canvas: Canvas) -> Any:
    size = {"w": canvas.width, "h": canvas.height}
    picture = picture.filter("scale", **size, out_color_matrix="bt709", out_range="tv")
    return picture.filter("format", pix_fmts="yuv420p").filter("setsar", 1)


def clear(picture: Any) -> Any:
    return picture.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", pix_fmts="yuva420p")


def rate(canvas: Canvas) -> str:
    return f"{canvas.fps.numerator}/{canvas.fps.denominator}"


def decimal(seconds: Fraction) -> str:
    """Write seconds to the microsecond, as ffmpeg's options are read."""
    return f"{float(seconds):.6f}".rstrip("0").rstrip(".")
