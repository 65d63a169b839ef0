"""One drawn scene and the truth about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from factory.samples.sounds import SoundOf
from factory.samples.stage import Canvas, Stage

Painter = Callable[[Canvas, float], None]
"""Paints the frame at a time in seconds onto a canvas of the stage."""
Setting = Callable[[Stage], Painter]
"""Draws what a scene is made of, once, and returns its painter."""

FPS = 25


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip of the sample library.

    `coarse` and `tags` are canonical names of the taxonomy and what a reader of the clip should find; `car` is the
    slug of the catalogue car in the picture, or empty; `words` is the burnt-in text.
    """

    stem: str
    coarse: str
    tags: tuple[str, ...]
    seconds: float
    title_zh: str
    title_en: str
    setting: Setting = field(repr=False)
    sound: SoundOf | None = field(repr=False, default=None)
    car: str = ""
    words: tuple[str, ...] = ()
    suffix: str = ".mp4"

    @property
    def title(self) -> str:
        return f"{self.title_zh} | {self.title_en}"

    @property
    def file_name(self) -> str:
        return self.stem + self.suffix

    @property
    def frames(self) -> int:
        return round(self.seconds * FPS)
