"""What the tagger says of a file: plain frozen values, times in exact seconds, half-open."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from understanding.glances import Glances, no_glances

Modality = Literal["picture", "motion", "sound", "words"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A readable video file. Sizes are pixels as shown (rotation applied); `seconds` is where the last frame ends."""

    container: str
    codec: str
    width: int
    height: int
    fps: Fraction  # average; exact for constant frame rate
    frames: int
    seconds: Fraction
    rotation: int  # degrees clockwise needed to show upright: 0, 90, 180, 270
    pixel_format: str
    interlaced: bool
    variable_rate: bool
    sound_codec: str | None
    sound_rate: int | None  # samples a second
    sound_channels: int | None
    sound_start: Fraction  # seconds of the first sound after the first picture
    title: str  # container title metadata, may be empty
    warnings: tuple[str, ...] = ()

    @property
    def has_sound(self) -> bool:
        return self.sound_codec is not None


@dataclass(frozen=True, slots=True)
class Tag:
    """A canonical tag name of the taxonomy with confidence in [0, 1] and the modality that spoke loudest for it."""

    name: str
    confidence: float
    modality: Modality


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in shares of the picture as shown, 0..1 from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def shared(self, other: Box) -> Box:
        """Return the part that both cover; its area is 0 where they do not touch."""
        low = max(self.left, other.left), max(self.top, other.top)
        return Box(*low, min(self.right, other.right), min(self.bottom, other.bottom))

    def touches(self, other: Box) -> bool:
        return self.shared(other).area > 0

    def overlap(self, other: Box) -> float:
        """Return intersection over union."""
        shared = self.shared(other).area
        return shared / (self.area + other.area - shared) if shared else 0.0


Kind = Literal["subtitle", "logo", "timestamp"]


@dataclass(frozen=True, slots=True)
class Region:
    """A place of the picture into which something is burnt, for as long as the shot lasts."""

    kind: Kind
    box: Box


@dataclass(frozen=True, slots=True)
class CameraMotion:
    """How the camera moves in a shot; shares of certainty are 0..1."""

    forward: float  # it drives ahead: the picture flows apart from a point
    static: float  # most of the picture stays where it is
    pan: float  # picture widths a second that the picture moves to the right
    shake: float  # how much faster it jitters than a steady hand

    @property
    def moving(self) -> float:
        """It moves, but not ahead: it follows, pans or is carried."""
        return (1 - self.forward) * (1 - self.static)


@dataclass(frozen=True, slots=True)
class ShotQuality:
    """Cheap measures of a shot's picture and sound, for selection and warnings."""

    luma: float  # mean brightness, 0 black .. 1 white
    sharpness: float  # 0 blurred .. 1 crisp (variance of Laplacian at 360 lines, squashed)
    motion: float  # 0 still .. 1 (mean absolute difference of successive rows)
    text_area: float  # share of the picture that burnt-in text covers, 0..1
    loudness_db: float  # mean dBFS of the shot's sound, -120 where silent or without sound

    @property
    def score(self) -> float:
        """One number in [0, 1] for ranking: dark, blurred or text-covered shots score low."""
        light = min(1.0, max(0.0, (self.luma - 0.02) / 0.18))
        return round(light * (0.35 + 0.65 * self.sharpness) * (1.0 - min(0.8, 2.0 * self.text_area)), 4)


@dataclass(frozen=True, slots=True)
class TaggedShot:
    """A shot: [start, end) seconds from the file's start, its tags (best first), words and a unit vector."""

    start: Fraction
    end: Fraction
    tags: tuple[Tag, ...]
    vector: NDArray[np.float32]  # (D,) unit length, picture embedding
    quality: ShotQuality
    burnt_in: str = ""  # OCR, lines joined by newline
    speech: str = ""  # recognised speech
    glances: Glances = field(default_factory=no_glances)  # what near-duplicates are told by
    regions: tuple[Region, ...] = ()  # what is burnt into the picture, and where


@dataclass(frozen=True, slots=True)
class TaggedClip:
    """All that is known of one file; `version` names the tagger (weights, taxonomy and code) that said it."""

    probe: Probe
    shots: tuple[TaggedShot, ...]
    version: str
    language: str = ""  # of the words, ISO 639-1, empty where there are none
    warnings: tuple[str, ...] = ()
