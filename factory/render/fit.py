"""How footage meets the canvas: its size, its place, its colours, worked out in numbers for the graph to carry."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

import ffmpeg

from factory.plan.timeline import Canvas, Fit
from factory.render.source import Source

BLUR_SHRINK = 16
FULLER = Fraction(4, 3)  # how far contain-blur may enlarge a picture so that it fills more of the canvas
DARKEN = "clip(16+(val-16)*0.5,16,235)"
TONEMAP = (
    ("zscale", {"t": "linear", "npl": 100}),
    ("format", {"pix_fmts": "gbrpf32le"}),
    ("zscale", {"p": "bt709"}),
    ("tonemap", {"tonemap": "hable", "desat": 0}),
    ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
)


def fit_to(stream: Any, source: Source, fit: Fit, canvas: Canvas) -> Any:
    """Bring footage to the canvas: filled (cover), whole (contain, smaller than the canvas) or whole over a blur."""
    shape = Fraction(source.width, source.height)
    wanted = Fraction(canvas.width, canvas.height)
    if fit == "contain":
        width, height = _inside(source, canvas, Fraction(1))
        return _scaled(stream, source, width, height)
    if fit == "cover" or abs(shape / wanted - 1) < Fraction(2, 100):
        return _cover(stream, source, canvas)
    return _over_blur(stream, source, canvas)


def plain(stream: Any, source: Source) -> tuple[Any, Source]:
    """Bring footage to the house's colours at its own (even) size; return it with what it then is."""
    width, height = _up_to_even(Fraction(source.width)), _up_to_even(Fraction(source.height))
    as_ours = replace(source, width=width, height=height, matrix="bt709", full_range=False, hdr=False)
    return _scaled(stream, source, width, height), as_ours


def windowed(stream: Any, source: Source, window: tuple[float, float, float, float]) -> tuple[Any, Source]:
    """Cut a window (sides in shares of the picture) out of footage; return it with what it then is."""
    left, top, right, bottom = window
    across, down = right - left, bottom - top
    size = {"w": f"iw*{across:.4f}", "h": f"ih*{down:.4f}", "x": f"iw*{left:.4f}", "y": f"ih*{top:.4f}"}
    cut = replace(source, width=max(1, round(source.width * across)), height=max(1, round(source.height * down)))
    return stream.filter("crop", **size), cut


def _cover(stream: Any, source: Source, canvas: Canvas) -> Any:
    factor = max(Fraction(canvas.width, source.width), Fraction(canvas.height, source.height))
    width, height = _up_to_even(source.width * factor), _up_to_even(source.height * factor)
    stream = _scaled(stream, source, width, height)
    return _cropped(stream, width, height, canvas)


def _over_blur(stream: Any, source: Source, canvas: Canvas) -> Any:
    """Show the picture whole (or a little enlarged) over a blurred, darkened copy of itself that fills the canvas."""
    small = Canvas(_up_to_even(Fraction(canvas.width, BLUR_SHRINK)), _up_to_even(Fraction(canvas.height, BLUR_SHRINK)))
    copies = stream.filter_multi_output("split")
    behind = _cover(copies[0], source, small).filter("gblur", sigma=2, steps=2).filter("lutyuv", y=DARKEN)
    behind = behind.filter("scale", w=canvas.width, h=canvas.height, flags="bicubic").filter("setsar", 1)
    full = max(Fraction(canvas.width, source.width), Fraction(canvas.height, source.height))
    whole = min(Fraction(canvas.width, source.width), Fraction(canvas.height, source.height))
    width, height = _inside(source, canvas, min(FULLER, full / whole))
    front = _scaled(copies[1], source, width, height)
    shown = Canvas(min(width, canvas.width), min(height, canvas.height))
    front = _cropped(front, width, height, shown)
    x, y = (canvas.width - shown.width) // 4 * 2, (canvas.height - shown.height) // 4 * 2
    return ffmpeg.overlay(behind, front, x=x, y=y, eval="init", format="yuv420")


def _inside(source: Source, canvas: Canvas, larger: Fraction) -> tuple[int, int]:
    factor = min(Fraction(canvas.width, source.width), Fraction(canvas.height, source.height)) * larger
    return max(floor(source.width * factor / 2) * 2, 2), max(floor(source.height * factor / 2) * 2, 2)


def contained_at(source: Source, canvas: Canvas) -> tuple[Fraction, Fraction]:
    width, height = _inside(source, canvas, Fraction(1))
    return Fraction((canvas.width - width) // 4 * 2), Fraction((canvas.height - height) // 4 * 2)


def _scaled(stream: Any, source: Source, width: int, height: int) -> Any:
    """Bring footage to a size and to the house's colours."""
    size: dict[str, Any] = {"w": width, "h": height, "flags": "bicubic"}
    if source.hdr:
        stream = stream.filter("scale", **size).filter("format", pix_fmts="yuv420p10le")
        for name, options in TONEMAP:
            stream = stream.filter(name, **options)
    else:
        tagged = {} if source.matrix == "rgb" else {"in_color_matrix": source.matrix}
        ranged = {"in_range": "pc"} if source.full_range else {}
        stream = stream.filter("scale", **size, **tagged, **ranged, out_color_matrix="bt709", out_range="tv")
    return stream.filter("format", pix_fmts="yuv420p").filter("setsar", 1)


def _cropped(stream: Any, width: int, height: int, canvas: Canvas) -> Any:
    if (width, height) == (canvas.width, canvas.height):
        return stream
    return stream.filter("crop", w=canvas.width, h=canvas.height)


def _up_to_even(pixels: Fraction) -> int:
    return max(ceil(pixels / 2) * 2, 2)
