"""The storyboard: scenes in the words of the field, validated, before any shot is chosen.

A storyboard template is Jinja that renders to YAML; `read_storyboard` turns that text into these values or refuses it, naming
the place and, for an unknown key, the nearest known one. Times are seconds; `duration: auto` means that the voice decides.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from factory.plan.facts import Locale
from factory.plan.timeline import Fit

Seconds = Annotated[float, Field(gt=0, le=600)]
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShotQuery(Part):
    """What footage a layer wants. `where` is the query grammar of the index; the lists are joined to it."""

    tags_all: tuple[str, ...] = ()
    tags_any: tuple[str, ...] = ()
    tags_none: tuple[str, ...] = ()
    where: str = ""
    text: tuple[str, ...] = ()  # the shot must carry one of these words (a car's names): title, speech or burnt-in text
    prefer: tuple[str, ...] = ()  # tags or words that raise the score but are not demanded
    min_score: float = Field(default=0.3, ge=0, le=1)


class PickRules(Part):
    shots: int = Field(default=1, ge=1, le=12)
    min_height: int | None = None
    diversity: float = Field(default=0.3, ge=0, le=1)
    cooldown_days: int = Field(default=0, ge=0)


class ClipPart(Part):
    type: Literal["clip"]
    query: ShotQuery
    pick: PickRules = PickRules()
    fit: Fit | Literal["auto"] = "auto"  # auto: cover, or contain-blur where covering would cut away too much
    sound_db: float | None = None  # gain of the clip's own sound; null is silent


class CardPart(Part):
    type: Literal["card", "lower_third", "title", "label", "credits"]
    card: Identifier
    data: dict[str, Any] = Field(default_factory=dict)
    start: float = Field(default=0.0, ge=0)  # seconds from the scene's start
    duration: Seconds | None = None  # null: until the scene ends
    enter: float = Field(default=0.4, ge=0)
    leave: float = Field(default=0.25, ge=0)
    counts: bool = False


class ColorPart(Part):
    type: Literal["color"]
    color: Color
    to: Color | None = None


LayerPart = Annotated[ClipPart | CardPart | ColorPart, Field(discriminator="type")]


class Voice(Part):
    text: str = Field(min_length=1, max_length=2000)
    voice: str = "auto"
    rate: float = Field(default=1.0, ge=0.5, le=2.0)


class Captions(Part):
    style: Identifier = "plain"
    burn: bool = True


class TransitionPart(Part):
    name: Identifier = "fade"
    duration: float = Field(default=0.5, ge=0.1, le=2.0)


class Scene(Part):
    id: Identifier
    duration: Literal["auto"] | Seconds = "auto"
    voice: Voice | None = None
    layers: tuple[LayerPart, ...] = Field(min_length=1)
    transition: TransitionPart | None = None
    still: bool = False
    optional: bool = False  # dropped, and said so in the trace, where the library has nothing for it
    poster: bool = False  # the poster frame is taken from the middle of this scene


class MusicPart(Part):
    style: Identifier = "drive"
    gain_db: float = Field(default=-16.0, ge=-60, le=0)
    duck_db: float = Field(default=12.0, ge=0, le=40)
    duck_in: float = Field(default=0.25, gt=0)
    duck_out: float = Field(default=1.5, gt=0)


class Audio(Part):
    music: MusicPart | None = MusicPart()
    loudness_lufs: float = Field(default=-14.0, ge=-40, le=-5)


class Storyboard(Part):
    version: Literal[1]
    template: Identifier
    title: str = Field(min_length=1, max_length=200)
    locale: Locale
    audio: Audio = Audio()
    captions: Captions = Captions()
    scenes: tuple[Scene, ...] = Field(min_length=1, max_length=200)
