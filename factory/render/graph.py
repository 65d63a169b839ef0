"""Compiles one chunk of the timeline to an `FfmpegCommand`. Pure: no file is opened, no program is run.

ffmpeg-python builds the graph and never runs it. Inside a chunk frame 0 is the chunk's first frame; cards and footage
count from where they start in their scene, so that a card that crosses a chunk's border goes on as if there were none.
Every stream is brought to the canvas: its rate, 8-bit yuv420p, BT.709, square pixels, limited range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import ffmpeg

from factory.plan.timeline import Canvas, ColorLayer, ImageLayer
from factory.render import drawn, footage
from factory.render.command import FfmpegCommand, Input
from factory.render.drawn import Drawn
from factory.render.fit import contained_at
from factory.render.footage import Footage
from factory.render.glide import glided
from factory.render.inlay import Standing, faded, inlaid
from factory.render.overlays import Drawing
from factory.render.stills import View
from factory.render.streams import Opened, clear, decimal, held, opaque, rate, still


@dataclass(frozen=True, slots=True)
class Photo:
    """An image layer with its prepared picture, and where it stands if it is an inset."""

    layer: ImageLayer
    view: View
    standing: Standing | None = None


Part = Footage | Photo | Drawn


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one scene: its parts bottom to top, shown in [start, start + frames) of the scene.

    The bottom part is a ground that covers the whole scene.
    """

    parts: tuple[Part, ...]
    start: int
    frames: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one ffmpeg process makes: a stretch of one scene, or the joint of two (with their transition's xfade name).

    `captions` is an ASS script in the chunk's own time, empty for none. `mark` lies over all of it and does not take
    part in the transition. `name` says for people where it stands.
    """

    name: str
    windows: tuple[Window, ...]
    frames: int
    transition: str = ""
    captions: str = ""
    mark: Drawing | None = None


def compile_chunk(
    chunk: Chunk, canvas: Canvas, encoder: Sequence[str], *, handles: Mapping[int, Path] | None = None
) -> FfmpegCommand:
    """Return the command that makes `chunk` as an MP4 of exactly `chunk.frames` pictures and no sound.

    `handles` are files that hold what some of its windows show, as `compile_with_handles` had them written.
    """
    opened, handles = Opened(), handles or {}
    pictures = [
        _raw(handles[number], canvas, opened) if number in handles else _window(window, canvas, opened)
        for number, window in enumerate(chunk.windows)
    ]
    return _command([_finished(pictures, chunk, canvas, opened)], opened, chunk, canvas, encoder)


def compile_with_handles(
    chunk: Chunk, canvas: Canvas, encoder: Sequence[str], *, before: int, after: int
) -> FfmpegCommand:
    """Return a command that makes a stretch of one scene, and beside it, where they are wanted, its handles: so many
    frames of the scene before and after the stretch, raw 8-bit yuv420p."""
    opened, (window,) = Opened(), chunk.windows
    whole = Window(window.parts, window.start - before, before + window.frames + after)
    bounds = [(0, before), (before, before + window.frames), (before + window.frames, whole.frames)]
    wanted = [(start, end) for start, end in bounds if start < end]
    copies = _window(whole, canvas, opened).filter_multi_output("split", len(wanted))
    cut = {
        bound: copies[number].filter("trim", start_frame=bound[0], end_frame=bound[1]).filter("setpts", "PTS-STARTPTS")
        for number, bound in enumerate(wanted)
    }
    shown = _finished([cut.pop(bounds[1])], chunk, canvas, opened)
    return _command([shown, *cut.values()], opened, chunk, canvas, encoder)


def _finished(pictures: Sequence[Any], chunk: Chunk, canvas: Canvas, opened: Opened) -> Any:
    """Join what the windows show by their transition, and lay what belongs to the program over it."""
    picture = pictures[0]
    if chunk.transition:
        seconds = decimal(chunk.frames / canvas.fps)
        picture = ffmpeg.filter(pictures, "xfade", transition=chunk.transition, duration=seconds, offset=0)
    if chunk.mark:
        mark = held(clear(still(chunk.mark, canvas, opened)), chunk.frames)
        place = {"x": chunk.mark.left, "y": chunk.mark.top, "eval": "init"}
        picture = ffmpeg.overlay(picture, mark, eof_action="pass", format="yuv420", **place)
    if chunk.captions:
        picture = picture.filter("ass", filename="captions.ass", fontsdir="fonts")
    return (
        picture.filter("fps", fps=rate(canvas))
        .filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv")
        .filter("format", pix_fmts="yuv420p")
    )


def _raw(handle: Path, canvas: Canvas, opened: Opened) -> Any:
    """Read a handle; captions are coloured by what the frames say of their colours."""
    shape = ("-pixel_format", "yuv420p", "-video_size", f"{canvas.width}x{canvas.height}", "-framerate", rate(canvas))
    picture = opened.stream(Input(handle.name, handle, ("-f", "rawvideo", *shape), trusted=True))
    return picture.filter("setparams", colorspace="bt709", range="tv").filter("setsar", 1)


def _command(
    pictures: Sequence[Any], opened: Opened, chunk: Chunk, canvas: Canvas, encoder: Sequence[str]
) -> FfmpegCommand:
    """Take the graph's text and the order of its inputs out of what ffmpeg-python would have run.

    The first of the pictures is encoded, the others are written raw beside it."""
    outputs = [picture.output(f"out{number}") for number, picture in enumerate(pictures)]
    line: list[str] = ffmpeg.get_args(ffmpeg.merge_outputs(*outputs))
    graph_at = line.index("-filter_complex")
    order = [int(line[i + 1]) for i in range(0, graph_at, 2)]
    targets = {line[at + 2]: line[at + 1] for at, word in enumerate(line) if word == "-map"}
    tags = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv")
    raw = ("-fps_mode", "passthrough", "-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-f", "rawvideo")
    return FfmpegCommand(
        inputs=tuple(opened.inputs[i] for i in order),
        graph=line[graph_at + 1],
        outputs=(
            *("-map", targets["out0"], "-fps_mode", "passthrough", *encoder, "-pix_fmt", "yuv420p", *tags),
            *("-video_track_timescale", str(canvas.fps.numerator), "-f", "mp4"),
        ),
        frames=chunk.frames,
        files=(("captions.ass", chunk.captions),) if chunk.captions else (),
        beside=tuple(("-map", targets[f"out{number}"], *raw) for number in range(1, len(pictures))),
    )


# one stretch of a scene: the ground, then whatever lies on it


def _window(window: Window, canvas: Canvas, opened: Opened) -> Any:
    spans, rest = ground_of(window)
    pictures = [_ground(part, start, end - start, canvas, opened) for part, start, end in spans]
    # xfade wants one rate and one time base, which concat leaves open
    picture = pictures[0] if len(pictures) == 1 else ffmpeg.concat(*pictures, v=1, a=0).filter("fps", fps=rate(canvas))
    for part in rest:
        picture = _lay(picture, part, window, canvas, opened)
    return picture


def ground_of(window: Window) -> tuple[list[tuple[Part, int, int]], tuple[Part, ...]]:
    """Return the opaque pictures that follow one another at the bottom (part, start, end), and the parts above."""
    covering = 1
    while covering < len(window.parts) and covers(window.parts[covering]):
        covering += 1
    end = window.start + window.frames
    edges = {window.start, end}
    for part in window.parts[:covering]:
        edges |= {part.layer.start, part.layer.start + part.layer.frames}
    cuts = sorted(edge for edge in edges if window.start <= edge <= end)
    spans: list[tuple[Part, int, int]] = []
    for start, stop in pairwise(cuts):
        part = _topmost(window.parts[:covering], start)
        if spans and spans[-1][0] is part:
            start = spans.pop()[1]  # noqa: PLW2901 - one span goes on
        spans.append((part, start, stop))
    return spans, window.parts[covering:]


def covers(part: Part) -> bool:
    """Tell whether a part hides everything below it."""
    if isinstance(part, Footage):
        return part.layer.fit != "contain" and part.standing is None
    return part.standing is None if isinstance(part, Photo) else isinstance(part.layer, ColorLayer)


def _topmost(parts: Sequence[Part], frame: int) -> Part:
    shown = [p for p in parts if p.layer.start <= frame < p.layer.start + p.layer.frames]
    return shown[-1] if shown else parts[0]


def _ground(part: Part, start: int, frames: int, canvas: Canvas, opened: Opened) -> Any:
    if isinstance(part, Footage):
        return footage.shown(part, start, frames, canvas, opened)
    if isinstance(part, Photo):
        return _photo(part, start, frames, canvas, opened)
    return held(opaque(still(part.drawing, canvas, opened), canvas), frames)


def _lay(below: Any, part: Part, window: Window, canvas: Canvas, opened: Opened) -> Any:
    """Lay `part` over the picture while both are shown."""
    first = max(part.layer.start, window.start)
    last = min(part.layer.start + part.layer.frames, window.start + window.frames)
    if first >= last:
        return below
    place: dict[str, Any]
    if isinstance(part, Photo) or (isinstance(part, Footage) and part.standing is not None):
        above, place = _inset(part, first, last - first, canvas, opened)
    elif isinstance(part, Footage):
        above = footage.shown(part, first, last - first, canvas, opened)
        x, y = (Fraction(0), Fraction(0)) if part.layer.fit != "contain" else contained_at(part.source, canvas)
        place = {"x": int(x), "y": int(y), "eval": "init"}
    else:
        above = drawn.shown(part, first, last, canvas, opened)
        place = drawn.place(part, first, window.start, canvas)
    delay = first - window.start
    above = above.filter("setpts", f"PTS-STARTPTS+{delay}") if delay else above
    return ffmpeg.overlay(below, above, eof_action="pass", format="yuv420", **place)


def _inset(
    part: Footage | Photo, start: int, frames: int, canvas: Canvas, opened: Opened
) -> tuple[Any, dict[str, Any]]:
    """Return a picture in picture from frame `start` of the scene on, and where it stands."""
    standing, inset = part.standing, part.layer.inset
    assert standing is not None
    assert inset is not None
    inner = replace(canvas, width=standing.width, height=standing.height)
    picture = _ground(part, start, frames, inner, opened)
    mask = held(still(standing.mask, canvas, opened), frames) if standing.mask else None
    plate = held(clear(still(standing.plate, canvas, opened)), frames) if standing.plate else None
    picture = inlaid(picture, standing, mask=mask, plate=plate)
    x, y = standing.place
    return faded(picture, inset, part.layer.frames, start - part.layer.start), {"x": x, "y": y, "eval": "init"}


# still pictures


def _photo(part: Photo, start: int, frames: int, canvas: Canvas, opened: Opened) -> Any:
    """Show exactly `frames` frames of a still picture from frame `start` of the scene on."""
    view, layer = part.view, part.layer
    options = ("-f", "png_pipe", "-framerate", rate(canvas))
    picture = opened.stream(Input(view.content, view.file, options, trusted=True))
    resting = held(opaque(picture, replace(canvas, width=view.width, height=view.height)), frames)
    return glided(resting, view, skip=start - layer.start, frames=layer.frames, canvas=canvas)
