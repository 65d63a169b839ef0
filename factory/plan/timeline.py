"""The frozen timeline: the only meeting point of planning, rendering and exporting.

Words follow OpenTimelineIO where it has them. Inside a timeline every time is a whole number of output frames, relative to the
scene it stands in, so that a change elsewhere leaves a scene untouched; source times are exact fractions of a second from
the file's start. Ranges are half-open: [start, start + frames).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

VERSION = 1

Fit = Literal["cover", "contain", "contain-blur"]
CardRole = Literal["card", "lower_third", "title", "label", "credits"]


@dataclass(frozen=True, slots=True)
class Canvas:
    """The picture that is made: pixels (even), frames a second (exact), sound samples a second."""

    width: int
    height: int
    fps: Fraction = Fraction(30)
    sample_rate: int = 48_000


@dataclass(frozen=True, slots=True)
class ClipLayer:
    """Footage. Reads [source_start, source_start + frames / fps * speed) seconds of the asset (sha256 of its file).

    `sound_db` is the gain of the clip's own sound in the mix, None for silent. `shot` is the index's id of the shot.
    """

    asset: str
    shot: int
    source_start: Fraction
    start: int
    frames: int
    speed: Fraction = Fraction(1)
    fit: Fit = "cover"
    sound_db: float | None = None


@dataclass(frozen=True, slots=True)
class CardLayer:
    """A drawn card: `templates/cards/<card>.svg.j2` filled with `data` (plain JSON values). It places itself on the canvas.

    It fades and slides in over `enter` frames and out over `leave` frames. Where `counts` is set, numbers count up and bars grow
    while it enters (drawn frame by frame), else it is one picture that ffmpeg animates.
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


Layer = ClipLayer | CardLayer | ColorLayer


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
class Cue:
    """One caption: at most two lines, shown in [start, end) frames of the scene."""

    start: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """At the END of a scene, overlapping the next by `frames`: total = sum of scenes - sum of transitions."""

    name: str
    frames: int


@dataclass(frozen=True, slots=True)
class TimedScene:
    """One scene in whole frames. Layers are drawn bottom to top. `still` marks a scene that is meant to stand still."""

    id: str
    frames: int
    layers: tuple[Layer, ...]
    transition: Transition | None = None
    lines: tuple[SpokenLine, ...] = ()
    cues: tuple[Cue, ...] = ()
    still: bool = False


@dataclass(frozen=True, slots=True)
class Music:
    """Music for the whole program, made by us: `style` and `seed` decide it. Gains in dB, fades in seconds."""

    style: str
    seed: int
    gain_db: float = -16.0
    duck_db: float = 12.0
    duck_in: float = 0.25
    duck_out: float = 1.5


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
