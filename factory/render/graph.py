"""Compiles one chunk of the timeline to an `FfmpegCommand`. Pure: no file is opened, no program is run.

ffmpeg-python builds the graph and never runs it. Inside a chunk frame 0 is the chunk's first frame; cards and footage
count from where they start in their scene, so that a card that crosses a chunk's border goes on as if there were none.
Every stream is brought to the canvas: its rate, 8-bit yuv420p, BT.709, square pixels, limited range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from math import floor
from pathlib import Path
from typing import Any

import ffmpeg

from factory.plan.following import Follow
from factory.plan.timeline import Canvas, CardLayer, CardRole, ClipLayer, ColorLayer, ImageLayer
from factory.render.command import FfmpegCommand, Input
from factory.render.face_blur import Mask
from factory.render.fit import Shown, contained_at, fit_to, plain, windowed
from factory.render.glide import glided
from factory.render.inlay import Standing, faded, inlaid
from factory.render.overlays import Drawing
from factory.render.source import Source
from factory.render.stills import View

TICKS = 720_720  # a second in ticks: whole for every usual frame rate
NUDGE = Fraction(43, 500)  # of a frame: footage that lies half-way between two frames always goes the same way
LEAD = 3  # output frames read before the first one wanted, in case the footage has none at its very end
LONGEST_HOLD = Fraction(1, 2)  # seconds for which the last picture of footage that ends early is held
COUNTING_ENTRY = Fraction(2, 5)  # seconds in which a card that counts comes in
# Where a card comes from while it enters, in shares of the canvas height.
ENTRY: dict[CardRole, tuple[float, float]] = {
    "card": (0.0, 0.03),
    "lower_third": (-0.03, 0.0),
    "title": (0.0, 0.02),
    "label": (0.0, 0.0),
    "credits": (0.0, 0.02),
}


@dataclass(frozen=True, slots=True)
class Footage:
    """A clip layer with the file that it shows, the mask of its faces where they are to be hidden, where it stands if
    it is an inset, and the path of the window that follows its subject where it has one."""

    layer: ClipLayer
    source: Source
    faces: Mask | None = None
    standing: Standing | None = None
    follow: Follow | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """An image layer with its prepared picture, and where it stands if it is an inset."""

    layer: ImageLayer
    view: View
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A card or a ground with its picture."""

    layer: CardLayer | ColorLayer
    drawing: Drawing


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


@dataclass(slots=True)
class _Opened:
    """The inputs opened so far; each gets a number for a name, which no file name can disturb."""

    inputs: list[Input] = field(default_factory=list)

    def stream(self, source: Input) -> Any:
        self.inputs.append(source)
        return ffmpeg.input(str(len(self.inputs) - 1))


def compile_chunk(
    chunk: Chunk, canvas: Canvas, encoder: Sequence[str], *, handles: Mapping[int, Path] | None = None
) -> FfmpegCommand:
    """Return the command that makes `chunk` as an MP4 of exactly `chunk.frames` pictures and no sound.

    `handles` are files that hold what some of its windows show, as `compile_with_handles` had them written.
    """
    opened, handles = _Opened(), handles or {}
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
    opened, (window,) = _Opened(), chunk.windows
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


def _finished(pictures: Sequence[Any], chunk: Chunk, canvas: Canvas, opened: _Opened) -> Any:
    """Join what the windows show by their transition, and lay what belongs to the program over it."""
    picture = pictures[0]
    if chunk.transition:
        seconds = _decimal(chunk.frames / canvas.fps)
        picture = ffmpeg.filter(pictures, "xfade", transition=chunk.transition, duration=seconds, offset=0)
    if chunk.mark:
        mark = _held(_clear(_still(chunk.mark, canvas, opened)), chunk.frames)
        place = {"x": chunk.mark.left, "y": chunk.mark.top, "eval": "init"}
        picture = ffmpeg.overlay(picture, mark, eof_action="pass", format="yuv420", **place)
    if chunk.captions:
        picture = picture.filter("ass", filename="captions.ass", fontsdir="fonts")
    return (
        picture.filter("fps", fps=_rate(canvas))
        .filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv")
        .filter("format", pix_fmts="yuv420p")
    )


def _raw(handle: Path, canvas: Canvas, opened: _Opened) -> Any:
    """Read a handle; captions are coloured by what the frames say of their colours."""
    shape = ("-pixel_format", "yuv420p", "-video_size", f"{canvas.width}x{canvas.height}", "-framerate", _rate(canvas))
    picture = opened.stream(Input(handle.name, handle, ("-f", "rawvideo", *shape), trusted=True))
    return picture.filter("setparams", colorspace="bt709", range="tv").filter("setsar", 1)


def _command(
    pictures: Sequence[Any], opened: _Opened, chunk: Chunk, canvas: Canvas, encoder: Sequence[str]
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


def _window(window: Window, canvas: Canvas, opened: _Opened) -> Any:
    spans, rest = ground_of(window)
    pictures = [_ground(part, start, end - start, canvas, opened) for part, start, end in spans]
    # xfade wants one rate and one time base, which concat leaves open
    picture = pictures[0] if len(pictures) == 1 else ffmpeg.concat(*pictures, v=1, a=0).filter("fps", fps=_rate(canvas))
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


def _ground(part: Part, start: int, frames: int, canvas: Canvas, opened: _Opened) -> Any:
    if isinstance(part, Footage):
        return _footage(part, start, frames, canvas, opened)
    if isinstance(part, Photo):
        return _photo(part, start, frames, canvas, opened)
    return _held(_opaque(_still(part.drawing, canvas, opened), canvas), frames)


def _lay(below: Any, part: Part, window: Window, canvas: Canvas, opened: _Opened) -> Any:
    """Lay `part` over the picture while both are shown."""
    first = max(part.layer.start, window.start)
    last = min(part.layer.start + part.layer.frames, window.start + window.frames)
    if first >= last:
        return below
    place: dict[str, Any]
    if isinstance(part, Photo) or (isinstance(part, Footage) and part.standing is not None):
        above, place = _inset(part, first, last - first, canvas, opened)
    elif isinstance(part, Footage):
        above = _footage(part, first, last - first, canvas, opened)
        x, y = (Fraction(0), Fraction(0)) if part.layer.fit != "contain" else contained_at(part.source, canvas)
        place = {"x": int(x), "y": int(y), "eval": "init"}
    else:
        above = _card(part, first, last, canvas, opened)
        place = _place(part, first, window.start, canvas)
    delay = first - window.start
    above = above.filter("setpts", f"PTS-STARTPTS+{delay}") if delay else above
    return ffmpeg.overlay(below, above, eof_action="pass", format="yuv420", **place)


def _inset(
    part: Footage | Photo, start: int, frames: int, canvas: Canvas, opened: _Opened
) -> tuple[Any, dict[str, Any]]:
    """Return a picture in picture from frame `start` of the scene on, and where it stands."""
    standing, inset = part.standing, part.layer.inset
    assert standing is not None
    assert inset is not None
    inner = replace(canvas, width=standing.width, height=standing.height)
    picture = _ground(part, start, frames, inner, opened)
    mask = _held(_still(standing.mask, canvas, opened), frames) if standing.mask else None
    plate = _held(_clear(_still(standing.plate, canvas, opened)), frames) if standing.plate else None
    picture = inlaid(picture, standing, mask=mask, plate=plate)
    x, y = standing.place
    return faded(picture, inset, part.layer.frames, start - part.layer.start), {"x": x, "y": y, "eval": "init"}


# still pictures


def _photo(part: Photo, start: int, frames: int, canvas: Canvas, opened: _Opened) -> Any:
    """Show exactly `frames` frames of a still picture from frame `start` of the scene on."""
    view, layer = part.view, part.layer
    options = ("-f", "png_pipe", "-framerate", _rate(canvas))
    picture = opened.stream(Input(view.content, view.file, options, trusted=True))
    held = _held(_opaque(picture, replace(canvas, width=view.width, height=view.height)), frames)
    return glided(held, view, skip=start - layer.start, frames=layer.frames, canvas=canvas)


# footage


def _footage(part: Footage, start: int, frames: int, canvas: Canvas, opened: _Opened) -> Any:
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
        .filter("fps", fps=_rate(canvas), start_time=f"-{_decimal(LEAD / canvas.fps)}")
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


def _mask(faces: Mask, first: int, frames: int, canvas: Canvas, opened: _Opened) -> Any:
    """Read the mask of exactly the layer's frames [first, first + frames)."""
    options = ("-f", "png_pipe", "-framerate", _rate(canvas))
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
        seek = ("-noaccurate_seek", "-ss", _decimal(key + Fraction(1, 1_000_000)))
    else:
        before = source.reach + LEAD / canvas.fps * speed + max(2 / source.fps, Fraction(1, 5))
        begin = max(Fraction(floor((at - before) * 1000), 1000), Fraction(0))
        until = at - begin + frames / canvas.fps * speed + max(2 / source.fps, Fraction(1, 5))
        seek = ("-ss", _decimal(begin), "-t", _decimal(until))
    return Input(source.asset, source.path, options, seek=seek)


# drawn things


def _card(part: Drawn, first: int, last: int, canvas: Canvas, opened: _Opened) -> Any:
    """Play a card from its own first frame, and cut [first, last) of the scene out of it."""
    layer, drawing = part.layer, part.drawing
    skip, until = first - layer.start, last - layer.start
    if drawing.moving is not None and skip < drawing.moving_frames:
        picture = opened.stream(Input(drawing.moving_content, drawing.moving, trusted=True))
        picture = _clear(picture).filter("settb", expr=f"1/({_rate(canvas)})").filter("setpts", "N")
        picture = picture.filter("tpad", stop_mode="clone", stop=max(until - drawing.moving_frames, 0))
        picture = picture.filter("fps", fps=_rate(canvas)).filter("trim", end_frame=until)
    else:
        picture = _held(_clear(_still(drawing, canvas, opened)), until)
    if isinstance(layer, CardLayer):
        picture = _faded(picture, layer, canvas)
    return picture.filter("trim", start_frame=skip).filter("setpts", "PTS-STARTPTS") if skip else picture


def _faded(picture: Any, layer: CardLayer, canvas: Canvas) -> Any:
    if layer.enter > 0:
        picture = picture.filter("fade", type="in", start_frame=0, nb_frames=_entering(layer, canvas), alpha=1)
    if layer.leave > 0:
        start = max(layer.frames - layer.leave, 0)
        picture = picture.filter("fade", type="out", start_frame=start, nb_frames=layer.leave, alpha=1)
    return picture


def _entering(layer: CardLayer, canvas: Canvas) -> int:
    """Return the frames of a card's fade and slide: a card that counts for longer is not kept half clear for it."""
    return min(layer.enter, max(round(COUNTING_ENTRY * canvas.fps), 1)) if layer.counts else layer.enter


def _place(part: Drawn, first: int, window_start: int, canvas: Canvas) -> dict[str, Any]:
    """Return where the card stands: sliding in on an eased path while it enters, then at rest."""
    layer, drawing = part.layer, part.drawing
    rest = {"x": drawing.left, "y": drawing.top, "eval": "init"}
    if not isinstance(layer, CardLayer) or first - layer.start >= _entering(layer, canvas):
        return rest
    dx, dy = (round(share * canvas.height / 2) * 2 for share in ENTRY[layer.role])
    if not (dx or dy):
        return rest
    # whole frames: of the same frame the same place comes out, whichever window it is shown in
    frame = f"round(t*{_rate(canvas)})-({layer.start - window_start})"
    far = f"pow(1-clip(({frame})/{_entering(layer, canvas)},0,1),3)"
    return {"x": _path(drawing.left, dx, far), "y": _path(drawing.top, dy, far), "eval": "frame"}


def _path(rest: int, far: int, share: str) -> str | int:
    return f"{rest}+({far})*{share}" if far else rest


def _still(drawing: Drawing, canvas: Canvas, opened: _Opened) -> Any:
    options = ("-f", "png_pipe", "-framerate", _rate(canvas))
    return opened.stream(Input(drawing.content, drawing.still, options, trusted=True))


def _held(picture: Any, frames: int) -> Any:
    """Hold one picture for a number of frames: decoded once, handed on each frame."""
    return picture.filter("loop", loop=-1, size=1, start=0).filter("setpts", "N").filter("trim", end_frame=frames)


def _opaque(picture: Any, canvas: Canvas) -> Any:
    size = {"w": canvas.width, "h": canvas.height}
    picture = picture.filter("scale", **size, out_color_matrix="bt709", out_range="tv")
    return picture.filter("format", pix_fmts="yuv420p").filter("setsar", 1)


def _clear(picture: Any) -> Any:
    return picture.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", pix_fmts="yuva420p")


def _rate(canvas: Canvas) -> str:
    return f"{canvas.fps.numerator}/{canvas.fps.denominator}"


def _decimal(seconds: Fraction) -> str:
    """Write seconds to the microsecond, as ffmpeg's options are read."""
    return f"{float(seconds):.6f}".rstrip("0").rstrip(".")
