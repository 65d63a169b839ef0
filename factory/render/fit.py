"""How footage meets the canvas: its size, its place, its colours, worked out in numbers for the graph to carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

import ffmpeg

from factory.plan.following import Follow
from factory.plan.scoring import fit_for
from factory.plan.timeline import Canvas, Fit
from factory.render.source import Source

BLUR_SHRINK = 16
FULLER = Fraction(4, 3)  # how far contain-blur may enlarge a picture so that it fills more of the canvas
ROUGH = 4  # pixels of the footage to which a moving window is cut before it is enlarged: whole in every kind of chroma
TIE = 0.001  # of a pixel, so that no sum that is off by its last digit rounds to the other side
DARKEN = "clip(16+(val-16)*0.5,16,235)"
TONEMAP = (
    ("zscale", {"t": "linear", "npl": 100}),
    ("format", {"pix_fmts": "gbrpf32le"}),
    ("zscale", {"p": "bt709"}),
    ("tonemap", {"tonemap": "hable", "desat": 0}),
    ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """The part of a layer that a chunk shows: its frames [first, first + frames), and the window's path on them."""

    first: int
    frames: int
    follow: Follow | None = None


def fit_to(stream: Any, source: Source, fit: Fit, canvas: Canvas, shown: Shown) -> Any:
    """Bring footage to the canvas: filled (cover), whole (contain, smaller than the canvas) or whole over a blur.

    Where it is tracked and there is a path, a window that follows it fills the canvas, or as much of it as the window
    has room for; without a path it is shown as footage is that nobody tracks.
    """
    if fit == "track":
        if shown.follow is not None:
            return _tracked(stream, source, shown.follow, shown, canvas)
        fit = fit_for(source.width, source.height, canvas)
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
    as_ours = replace(source, width=width, height=height, matrix="bt709", full_range=False, hdr=False, square=True)
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
    full = max(Fraction(canvas.width, source.width), Fraction(canvas.height, source.height))
    whole = min(Fraction(canvas.width, source.width), Fraction(canvas.height, source.height))
    width, height = _inside(source, canvas, min(FULLER, full / whole))
    shown = Canvas(min(width, canvas.width), min(height, canvas.height))
    return _on_blur(
        stream,
        source,
        shown,
        canvas,
        lambda front: _cropped(_scaled(front, source, width, height), width, height, shown),
    )


def _tracked(stream: Any, source: Source, follow: Follow, shown: Shown, canvas: Canvas) -> Any:
    """Show a window that moves: it fills the canvas where it has its shape, else it lies over a blur."""
    if not source.square:
        stream, source = plain(stream, source)
    across, down = (follow.window, 1.0) if follow.axis == "x" else (1.0, follow.window)
    shape = Fraction(across) * source.width / (Fraction(down) * source.height)
    wanted = Fraction(canvas.width, canvas.height)
    if abs(shape / wanted - 1) < Fraction(2, 100):
        return _followed(stream, source, follow, shown, canvas)
    if shape > wanted:
        front = Canvas(canvas.width, min(max(floor(canvas.width / shape / 2) * 2, 2), canvas.height))
    else:
        front = Canvas(min(max(floor(canvas.height * shape / 2) * 2, 2), canvas.width), canvas.height)
    return _on_blur(stream, source, front, canvas, lambda copy: _followed(copy, source, follow, shown, front))


def _followed(stream: Any, source: Source, follow: Follow, shown: Shown, size: Canvas) -> Any:
    """Cut the moving window out and bring it to `size`.

    It is cut roughly before it is enlarged, to save work, and to the pixel after: whole pixels of the footage would be
    seen as steps. Colour has every pixel meanwhile, or it would lag behind by one.
    """
    across = follow.axis == "x"
    side, kept = (source.width, size.width) if across else (source.height, size.height)
    cut = min(ceil((follow.window * side + 2 * ROUGH) / ROUGH) * ROUGH, side // 2 * 2)
    large = max(_up_to_even(Fraction(cut * kept / (follow.window * side))), kept)
    edge = f"({path_of(follow, shown.first, shown.frames)})*{side}"
    rough = f"{ROUGH}*floor(min({edge}+{TIE},{side - cut})/{ROUGH})"
    fine = f"clip(round(({edge}-{rough})*{large / cut:.6f}+{TIE}),0,{large - kept})"
    name, length = ("x", "w") if across else ("y", "h")
    stream = stream.filter("crop", **{"x": 0, "y": 0, name: rough, length: cut})
    part = replace(source, width=cut) if across else replace(source, height=cut)
    width, height = (large, size.height) if across else (size.width, large)
    stream = _scaled(stream, part, width, height, pixels="yuv444p")
    stream = stream.filter("crop", **{"x": 0, "y": 0, "w": size.width, "h": size.height, name: fine})
    return stream.filter("format", pix_fmts="yuv420p")


def path_of(follow: Follow, first: int, frames: int) -> str:
    """Write where the window's near edge stands at a layer's frames [first, first + frames) for ffmpeg, which counts
    them from 0 as `n`: the same sum, whichever of them a chunk has.
    """
    lowest, highest = first / follow.step - 1, (first + frames - 1) / follow.step + 3
    near = [(j, knot) for j, knot in enumerate(follow.knots) if lowest <= j <= highest]
    if len({knot for _, knot in near}) == 1:
        return f"{near[0][1]:.5f}"
    far, close = "pow(max(2-abs(ld(0)-{0}),0),3)", "pow(max(1-abs(ld(0)-{0}),0),3)"
    terms = [f"{knot:.5f}*({far.format(j)}-4*{close.format(j)})" for j, knot in near]
    return f"st(0,(n+{first})/{follow.step}+1);({'+'.join(terms)})/6"


def _on_blur(stream: Any, source: Source, shown: Canvas, canvas: Canvas, bring: Callable[[Any], Any]) -> Any:
    """Lay what `bring` makes of the picture, of size `shown`, over a blurred, darkened copy that fills the canvas."""
    small = Canvas(_up_to_even(Fraction(canvas.width, BLUR_SHRINK)), _up_to_even(Fraction(canvas.height, BLUR_SHRINK)))
    copies = stream.filter_multi_output("split")
    behind = _cover(copies[0], source, small).filter("gblur", sigma=2, steps=2).filter("lutyuv", y=DARKEN)
    behind = behind.filter("scale", w=canvas.width, h=canvas.height, flags="bicubic").filter("setsar", 1)
    front = bring(copies[1])
    x, y = (canvas.width - shown.width) // 4 * 2, (canvas.height - shown.height) // 4 * 2
    return ffmpeg.overlay(behind, front, x=x, y=y, eval="init", format="yuv420")


def _inside(source: Source, canvas: Canvas, larger: Fraction) -> tuple[int, int]:
    factor = min(Fraction(canvas.width, source.width), Fraction(canvas.height, source.height)) * larger
    return max(floor(source.width * factor / 2) * 2, 2), max(floor(source.height * factor / 2) * 2, 2)


def contained_at(source: Source, canvas: Canvas) -> tuple[Fraction, Fraction]:
    width, height = _inside(source, canvas, Fraction(1))
    return Fraction((canvas.width - width) // 4 * 2), Fraction((canvas.height - height) // 4 * 2)


def _scaled(stream: Any, source: Source, width: int, height: int, pixels: str = "yuv420p") -> Any:
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
    return stream.filter("format", pix_fmts=pixels).filter("setsar", 1)


def _cropped(stream: Any, width: int, height: int, canvas: Canvas) -> Any:
    if (width, height) == (canvas.width, canvas.height):
        return stream
    return stream.filter("crop", w=canvas.width, h=canvas.height)


def _up_to_even(pixels: Fraction) -> int:
    return max(ceil(pixels / 2) * 2, 2)
