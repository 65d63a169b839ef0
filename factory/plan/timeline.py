"""The frozen timeline: the only meeting point of planning, rendering and exporting.

Words follow OpenTimelineIO where it has them. Inside a timeline every time is a whole number of output frames, relative
to the scene it stands in, so that a change elsewhere leaves a scene untouched; source times are exact fractions of a
second from the file's start. Ranges are half-open: [start, start + frames).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

from factory.errors import FactoryError

VERSION = 1
LEAST_WINDOW = 0.05  # share of either side of the picture

Fit = Literal["cover", "contain", "contain-blur", "track"]
StillFit = Literal["cover", "contain", "contain-blur"]
Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
Shape = Literal["16:9", "4:3", "1:1", "3:4", "9:16"]
TransitionName = Literal[
    "fade",
    "crossfade",
    "fadeblack",
    "fadewhite",
    "dissolve",
    "wipeleft",
    "wiperight",
    "wipeup",
    "wipedown",
    "slideleft",
    "slideright",
    "slideup",
    "slidedown",
    "smoothleft",
    "smoothright",
    "circleopen",
    "circleclose",
    "radial",
    "hblur",
]
Shares = tuple[float, float, float, float]  # left, top, right, bottom of a part of the whole
CardRole = Literal["card", "lower_third", "title", "label", "credits"]


@dataclass(frozen=True, slots=True)
class Canvas:
    """The picture that is made: pixels (even), frames a second (exact), sound samples a second."""

    width: int
    height: int
    fps: Fraction = Fraction(30)
    sample_rate: int = 48_000


@dataclass(frozen=True, slots=True)
class Inset:
    """Where a picture in picture stands: in a corner of the safe area, of that `shape`, its longer side `share` of the
    canvas's mean side (the geometric mean of both); or exactly in `box`, shares of the canvas.

    It fades in over `enter` frames and out over `leave` frames.
    """

    corner: Corner = "top-right"
    share: float = 0.4
    shape: Shape = "16:9"
    box: Shares | None = None
    frame: bool = True
    rounded: bool = False
    enter: int = 0
    leave: int = 0


@dataclass(frozen=True, slots=True)
class ClipLayer:
    """Footage. Reads [source_start, source_start + frames / fps * speed) seconds of the asset (sha256 of its file).

    `sound_db` is the gain of the clip's own sound in the mix, None for silent. `shot` is the index's id of the shot.
    `fit` says how the picture meets a canvas of another shape; `track` follows the one car that the shot is about, and
    without one covers, or contains where too much would be cut away. `blur_faces` hides the faces that are found.
    `window` is the part of the picture that is shown (left, top, right, bottom in shares), None for all that fits.
    """

    asset: str
    shot: int
    source_start: Fraction
    start: int
    frames: int
    speed: Fraction = Fraction(1)
    fit: Fit = "cover"
    sound_db: float | None = None
    blur_faces: bool = False
    window: tuple[float, float, float, float] | None = None
    inset: Inset | None = None


@dataclass(frozen=True, slots=True)
class ImageLayer:
    """A still picture (sha256 of its file), upright. What is clear in it, and what it leaves open, shows `ground`.

    The view glides from the window `first` to `last` while the layer lasts, slow at both ends: shares of the picture
    where it covers, of the canvas with the picture on it where it is contained. Of a window of another shape than the
    canvas (or the inset) the largest part of that shape is taken.
    """

    asset: str
    start: int
    frames: int
    fit: StillFit = "cover"
    first: Shares = (0.0, 0.0, 1.0, 1.0)
    last: Shares = (0.0, 0.0, 1.0, 1.0)
    ground: str = "#000000"
    inset: Inset | None = None


@dataclass(frozen=True, slots=True)
class CardLayer:
    """A drawn card: `templates/cards/<card>.svg.j2` filled with `data` (plain JSON values). It places itself on the
    canvas.

    It fades and slides in over `enter` frames and out over `leave` frames. Where `counts` is set, numbers count up and
    bars grow while it enters (drawn frame by frame), else it is one picture that ffmpeg animates.
    """

    card: str
    data: Mapping[str, Any]
    start: int
    frames: int
    role: CardRole = "card"
    enter: int = 12
    leave: int = 8
    counts: bool = False


@dataclass(frozen=True, slots=True)
class ColorLayer:
    """A plain ground of one colour (`#rrggbb`), or a vertical gradient where `to` is given."""

    color: str
    start: int
    frames: int
    to: str | None = None


Layer = ClipLayer | ImageLayer | CardLayer | ColorLayer


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word (or Chinese character group) at seconds from the start of its speech file."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Speech:
    """One sentence as sound. `file` is the sha256 of a mono WAV in the store; words are in order and do not overlap."""

    text: str
    file: str
    seconds: Fraction
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A sentence placed in a scene: the voice starts at frame `start`."""

    speech: Speech
    start: int


@dataclass(frozen=True, slots=True)
class CueWord:
    """Letters [start, end) of a caption's line number `line`, spoken from frame `frame` of the scene on."""

    line: int
    start: int
    end: int
    frame: int


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption: at most two lines, shown in [start, end) frames of the scene; its words in order, where known."""

    start: int
    end: int
    lines: tuple[str, ...]
    words: tuple[CueWord, ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """At the END of a scene, overlapping the next by `frames`: total = sum of scenes - sum of transitions."""

    name: str
    frames: int


@dataclass(frozen=True, slots=True)
class TimedScene:
    """One scene in whole frames. Layers are drawn bottom to top. `still` marks a scene that is meant to stand still,
    `bare` one that shows no watermark: the brand's own opening."""

    id: str
    frames: int
    layers: tuple[Layer, ...]
    transition: Transition | None = None
    lines: tuple[SpokenLine, ...] = ()
    cues: tuple[Cue, ...] = ()
    still: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Music:
    """Music for the whole program, made by us: `style` and `seed` decide it. Gains in dB, fades in seconds.

    `beat` is the frames of a beat, counted from the first frame, where cuts fall on beats; 0 leaves them to the style.
    """

    style: str
    seed: int
    gain_db: float = -16.0
    duck_db: float = 12.0
    duck_in: float = 0.25
    duck_out: float = 1.5
    beat: int = 0


@dataclass(frozen=True, slots=True)
class Watermark:
    """The brand's logo over every scene that is not `bare`, `share` wide of the canvas's mean side."""

    corner: Corner = "top-right"
    opacity: float = 0.75
    share: float = 0.12


@dataclass(frozen=True, slots=True)
class Timeline:
    """One video of one aspect, complete: rendering it needs the files it names and nothing else."""

    title: str
    locale: str
    template: str
    brand: str
    canvas: Canvas
    scenes: tuple[TimedScene, ...]
    music: Music | None = None
    loudness_lufs: float = -14.0
    poster_frame: int = 0
    caption_style: str = "plain"
    version: int = VERSION
    notes: Mapping[str, Any] = field(default_factory=dict)
    watermark: Watermark | None = None

    @property
    def frames(self) -> int:
        """Length of the program in frames."""
        return sum(s.frames for s in self.scenes) - sum(s.transition.frames for s in self.scenes if s.transition)

    @property
    def seconds(self) -> Fraction:
        return Fraction(self.frames) / self.canvas.fps

    def scene_starts(self) -> tuple[int, ...]:
        """Return the program frame at which each scene starts (its overlap with the scene before included)."""
        starts, at = [], 0
        for scene in self.scenes:
            starts.append(at)
            at += scene.frames - (scene.transition.frames if scene.transition else 0)
        return tuple(starts)


class TimelineInvalid(FactoryError):
    """A timeline that cannot be rendered as it stands; names the scene."""

    code = "timeline-invalid"
    exit_code = 2

    def __init__(
        self, cause: str, *, next_step: str = "mend the timeline at that place, or plan the video anew"
    ) -> None:
        super().__init__(cause, next_step=next_step)


def check(timeline: Timeline) -> None:
    """Raise `TimelineInvalid` for the first thing that no renderer could show, naming the scene where it stands."""
    _check_canvas(timeline.canvas)
    if not timeline.scenes:
        raise TimelineInvalid("the timeline has no scenes")
    _check_names(timeline.scenes)
    for scene in timeline.scenes:
        _check_scene(scene)
    _check_transitions(timeline.scenes)
    mark = timeline.watermark
    if mark and not (0 < mark.opacity <= 1 and 0 < mark.share <= 1):
        raise TimelineInvalid(f"the watermark's opacity {mark.opacity} or share {mark.share} is outside 0..1")
    if not 0 <= timeline.poster_frame < timeline.frames:
        raise TimelineInvalid(
            f"poster frame {timeline.poster_frame} is outside the program of {timeline.frames} frames"
        )


def scene_at(timeline: Timeline, frame: int) -> tuple[int, int]:
    """Return (scene index, frame within that scene) at a program frame; in an overlap, the scene that comes in."""
    if not 0 <= frame < timeline.frames:
        raise TimelineInvalid(f"frame {frame} is outside the program of {timeline.frames} frames")
    starts = timeline.scene_starts()
    index = max(i for i, start in enumerate(starts) if start <= frame)
    return index, frame - starts[index]


def _check_canvas(canvas: Canvas) -> None:
    if canvas.width < 16 or canvas.height < 16 or canvas.width % 2 or canvas.height % 2:
        raise TimelineInvalid(f"canvas {canvas.width}x{canvas.height}: both sides must be even and at least 16 pixels")
    if not 1 <= canvas.fps <= 240:
        raise TimelineInvalid(f"canvas fps {canvas.fps} is outside 1..240")
    if not 8_000 <= canvas.sample_rate <= 192_000:
        raise TimelineInvalid(f"sample rate {canvas.sample_rate} is outside 8000..192000")


def _check_names(scenes: tuple[TimedScene, ...]) -> None:
    seen: set[str] = set()
    for scene in scenes:
        if scene.id in seen:
            raise TimelineInvalid(f"two scenes have the id {scene.id!r}")
        seen.add(scene.id)


def _check_scene(scene: TimedScene) -> None:
    if scene.frames <= 0:
        raise TimelineInvalid(f"scene {scene.id!r} has {scene.frames} frames")
    for number, layer in enumerate(scene.layers):
        _check_layer(scene, layer, f"scene {scene.id!r}, layer {number}")
    _check_lines(scene)
    _check_cues(scene)


def _check_layer(scene: TimedScene, layer: Layer, where: str) -> None:
    if layer.frames <= 0 or layer.start < 0 or layer.start + layer.frames > scene.frames:
        span = f"[{layer.start}, {layer.start + layer.frames})"
        raise TimelineInvalid(f"{where}: frames {span} are empty or outside the scene's [0, {scene.frames})")
    if isinstance(layer, ClipLayer) and (layer.source_start < 0 or layer.speed <= 0):
        raise TimelineInvalid(f"{where}: source start {layer.source_start} or speed {layer.speed} is out of range")
    for window in _windows(layer):
        if not _is_part(window):
            raise TimelineInvalid(f"{where}: the window {window} is no part of the picture")
    if isinstance(layer, ClipLayer | ImageLayer) and layer.inset is not None:
        _check_inset(layer.inset, layer.frames, where)
    if isinstance(layer, CardLayer) and not 0 <= layer.enter <= layer.frames - max(0, layer.leave):
        raise TimelineInvalid(f"{where}: enter {layer.enter} + leave {layer.leave} exceed its {layer.frames} frames")
    if isinstance(layer, CardLayer) and layer.leave < 0:
        raise TimelineInvalid(f"{where}: leave {layer.leave} is negative")


def _windows(layer: Layer) -> tuple[Shares, ...]:
    match layer:
        case ClipLayer(window=window):
            return () if window is None else (window,)
        case ImageLayer(first=first, last=last):
            return first, last
    return ()


def _is_part(window: Shares) -> bool:
    left, top, right, bottom = window
    return 0 <= left <= right - LEAST_WINDOW and 0 <= top <= bottom - LEAST_WINDOW and max(right, bottom) <= 1


def _check_inset(inset: Inset, frames: int, where: str) -> None:
    if not (0 <= inset.enter <= frames - inset.leave and inset.leave >= 0):
        raise TimelineInvalid(f"{where}: enter {inset.enter} + leave {inset.leave} exceed its {frames} frames")
    if not 0.05 <= inset.share <= 1:
        raise TimelineInvalid(f"{where}: an inset's share {inset.share} is outside 0.05..1")
    if inset.box is not None and not _is_part(inset.box):
        raise TimelineInvalid(f"{where}: the box {inset.box} is no part of the canvas")


def _check_lines(scene: TimedScene) -> None:
    for line in scene.lines:
        if not 0 <= line.start < scene.frames:
            raise TimelineInvalid(f"scene {scene.id!r}: a line starts at frame {line.start} of {scene.frames}")
        if line.speech.seconds < 0:
            raise TimelineInvalid(f"scene {scene.id!r}: a line lasts {line.speech.seconds} s")


def _check_cues(scene: TimedScene) -> None:
    before = 0
    for cue in scene.cues:
        if not before <= cue.start < cue.end <= scene.frames:
            span = f"[{cue.start}, {cue.end})"
            raise TimelineInvalid(f"scene {scene.id!r}: cue {span} is empty, overlaps another or leaves the scene")
        if not 1 <= len(cue.lines) <= 2:
            raise TimelineInvalid(f"scene {scene.id!r}: a cue has {len(cue.lines)} lines")
        before = cue.end


def _check_transitions(scenes: tuple[TimedScene, ...]) -> None:
    if scenes[-1].transition:
        raise TimelineInvalid(f"the last scene {scenes[-1].id!r} has a transition, with nothing to pass over to")
    for scene, following in pairwise(scenes):
        if scene.transition is None:
            continue
        for neighbour in (scene, following):
            if scene.transition.frames <= 0 or 2 * scene.transition.frames > neighbour.frames:
                raise TimelineInvalid(
                    f"scene {scene.id!r}: a transition of {scene.transition.frames} frames is empty or longer than "
                    f"half of {neighbour.id!r} ({neighbour.frames} frames)"
                )
