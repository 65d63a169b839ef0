"""The storyboard: scenes in the words of the field, validated, before any shot is chosen.

A storyboard template is Jinja that renders to YAML; `read_storyboard` turns that text into these values or refuses it,
naming the place and, for an unknown key, the nearest known one. Times are seconds; `duration: auto` means that the
voice decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from factory.errors import FactoryError
from factory.plan.facts import Locale
from factory.plan.layer_parts import ChartPart, ImagePart, InsetPart, TextPart
from factory.plan.marked_yaml import MarkedYaml, Path, Problem, YamlRefused, load
from factory.plan.part import Color, Identifier, Part, Seconds, Whole, Words, hint, whole
from factory.plan.selection import LEAST_QUALITY
from factory.plan.timeline import Fit, TransitionName


class ShotQuery(Part):
    """What footage a layer wants: all that is said here must hold."""

    tags_all: Words = Field(default=(), description="tags that the shot carries, every one, by any of their names")
    tags_any: Words = Field(default=(), description="tags of which the shot carries one")
    tags_none: Words = Field(default=(), description="tags that the shot does not carry")
    where: str = Field(default="", description="a query as `factory find` takes it, joined to the lists")
    text: Words = Field(
        default=(), description="words, e.g. a car's names: title, speech or burnt-in text of the shot hold one of them"
    )
    car: str = Field(
        default="",
        description="slug of the car that is spoken of: to name it counts as `text`, naming only others is avoided",
    )
    prefer: Words = Field(default=(), description="tags or words that raise the score and are not demanded")
    min_score: float = Field(default=0.3, ge=0, le=1, description="confidence from which a tag counts")
    max_age_days: Annotated[int, Field(ge=1, le=36_500), BeforeValidator(whole)] | None = Field(
        default=None, description="days since its clip came into the library; null: any"
    )


class PickRules(Part):
    """How shots are chosen among those that the query finds."""

    shots: Whole = Field(default=1, ge=1, le=12, description="how many shots share the layer's time")
    min_height: Whole | None = Field(
        default=None, description="lines that a shot has at least; null: any, and size is a score only"
    )
    min_quality: float = Field(default=LEAST_QUALITY, ge=0, le=1, description="of light and sharpness, less text")
    diversity: float = Field(default=0.3, ge=0, le=1, description="how much shots of one clip are avoided")
    cooldown_days: Whole | None = Field(
        default=None, ge=0, le=3650, description="days a shot rests in the order's series; null: as the order says"
    )


class ClipPart(Part):
    """Footage of the library."""

    type: Literal["clip"] = Field(description="footage that answers `query`")
    query: ShotQuery = Field(description="what the shot shows")
    pick: PickRules = Field(default=PickRules(), description="how it is chosen")
    fit: Fit | Literal["auto"] = Field(
        default="auto", description="auto: cover; or track, or contain-blur, where covering would cut away too much"
    )
    sound_db: float | None = Field(default=None, description="gain of the clip's own sound in dB; null: silent")
    speed: float = Field(default=1.0, ge=0.25, le=4, description="0.5 shows the shot at half its speed")
    inset: InsetPart | None = Field(default=None, description="picture in picture, over the layers before it")


class CardPart(Part):
    """A drawn card, its name and what it is filled with."""

    type: Literal["card", "lower_third", "title", "label", "credits"] = Field(
        description="how it moves; `credits` is also given the lines of footage and pictures"
    )
    card: Identifier = Field(description="name of the card: templates/cards/NAME.svg.j2")
    data: dict[str, Any] = Field(default_factory=dict, description="what the card shows, by the names that it knows")
    start: float = Field(default=0.0, ge=0, description="seconds from the scene's start")
    duration: Seconds | None = Field(default=None, description="seconds; null: until the scene ends")
    enter: float = Field(default=0.4, ge=0, description="seconds in which it comes in")
    leave: float = Field(default=0.25, ge=0, description="seconds in which it goes")
    counts: bool = Field(default=False, description="numbers count up and bars grow while it comes in")


class ColorPart(Part):
    """A plain ground."""

    type: Literal["color"] = Field(description="a ground of one colour, or a gradient")
    color: Color = Field(description="#rrggbb, at the top where `to` is given")
    to: Color | None = Field(default=None, description="#rrggbb at the bottom; null: one colour")


LayerPart = Annotated[ClipPart | ImagePart | TextPart | ChartPart | CardPart | ColorPart, Field(discriminator="type")]


class Voice(Part):
    """What is said over a scene."""

    text: str = Field(min_length=1, max_length=2000, description="the sentences; each shot starts on one")
    voice: str = Field(default="auto", description="who speaks; auto: the first voice that can")
    rate: float = Field(default=1.0, ge=0.5, le=2.0, description="how fast; 1 is the voice's own pace")


class Captions(Part):
    """What is said, as text in the picture."""

    style: Identifier = Field(default="plain", description="a file of templates/captions: plain, bold or spoken")
    burn: bool = Field(default=True, description="false: beside the video only, as SRT and VTT")
    highlight: Literal["none", "word"] = Field(
        default="none", description="word: the word that is being said is lit; plain and bold are drawn as spoken then"
    )

    @property
    def drawn(self) -> str:
        """The style in which they are drawn; one of a user's own lights words by itself."""
        return "spoken" if self.highlight == "word" and self.style in ("plain", "bold") else self.style


class TransitionPart(Part):
    """How a scene passes over to the next one, at its end: both overlap for that long."""

    name: TransitionName = Field(default="fade", description="the sounds of both scenes cross-fade under any of them")
    duration: float = Field(default=0.5, ge=0.1, le=2.0, description="seconds")


class Scene(Part):
    """A stretch of the video, with its layers and its voice."""

    id: Identifier = Field(description="its name, once in a storyboard; errors and the trace use it")
    duration: Literal["auto"] | Seconds = Field(
        default="auto", description="seconds; auto: as long as the voice takes, with a margin"
    )
    voice: Voice | None = Field(default=None, description="what is said over it")
    layers: tuple[LayerPart, ...] = Field(min_length=1, description="from the lowest to the one on top")
    transition: TransitionPart | None = Field(default=None, description="at its end; the last scene has none")
    still: bool = Field(default=False, description="it is meant to stand still")
    optional: bool = Field(
        default=False, description="dropped, and said so in the trace, where the library has nothing for it"
    )
    poster: bool = Field(default=False, description="the poster is taken from its middle; at most one scene")


class MusicPart(Part):
    """Music under the whole video, made by AutoReel."""

    style: Identifier = Field(default="drive", description="drive, countdown, dirt or calm")
    gain_db: float = Field(default=-16.0, ge=-60, le=0, description="how loud it is, in dB")
    duck_db: float = Field(default=12.0, ge=0, le=40, description="how far it steps back under the voice, in dB")
    duck_in: float = Field(default=0.25, gt=0, description="seconds in which it steps back")
    duck_out: float = Field(default=1.5, gt=0, description="seconds in which it comes forward again")
    cut: Literal["free", "beats"] = Field(default="free", description="beats: shots change on beats of the music")


class Audio(Part):
    """Music, and how loud the whole is."""

    music: MusicPart | None = Field(default=MusicPart(), description="null: no music")
    loudness_lufs: float = Field(default=-14.0, ge=-40, le=-5, description="integrated loudness of the video, in LUFS")


class Storyboard(Part):
    """One video: what is shown, said and heard, before any shot is chosen. Times are seconds."""

    version: Annotated[Literal[1], BeforeValidator(whole)] = Field(description="of this language")
    template: Identifier = Field(description="the kind of video, for the record")
    title: str = Field(min_length=1, max_length=200, description="title of the video")
    locale: Locale = Field(description="language of voice, captions and cards")
    audio: Audio = Field(default=Audio(), description="music and loudness")
    captions: Captions = Field(default=Captions(), description="how captions look")
    blur_faces: bool = Field(default=False, description="lay a mosaic over the faces in all footage")
    intro: bool = Field(default=False, description="begin with what the brand opens its videos with")
    outro: bool = Field(default=False, description="end with what the brand closes its videos with")
    scenes: tuple[Scene, ...] = Field(min_length=1, max_length=200, description="in the order of showing")


class StoryboardInvalid(FactoryError):
    """A storyboard that does not say a video. `problems` has all that was found, in the order of lines."""

    code = "storyboard-invalid"

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        first, more = problems[0], len(problems) - 1
        place = f"{source}:{first.line}: " + (f"{first.where}: " if first.path else "")
        super().__init__(
            f"{place}{first.why}" + (f" (and {more} more)" if more else ""),
            next_step="mend the storyboard there; `factory schema` prints what it may say",
        )
        self.source = source
        self.problems = problems


def read_storyboard(text: str, source: str) -> Storyboard:
    """Return the storyboard that YAML `text` says; errors call it by the name `source`, e.g. a template's file."""
    return read_marked(text, source)[0]


def read_marked(text: str, source: str) -> tuple[Storyboard, MarkedYaml]:
    """Return the storyboard, and the lines at which its keys stand."""
    try:
        marked = load(text)
    except YamlRefused as refusal:
        raise StoryboardInvalid(source, (refusal.problem,)) from refusal
    try:
        storyboard = Storyboard.model_validate_json(json.dumps(marked.value))
    except ValidationError as error:
        raise StoryboardInvalid(source, _problems(error, marked)) from error
    if found := tuple(Problem(marked.line(path), path, why) for path, why in _contradictions(storyboard)):
        raise StoryboardInvalid(source, found)
    return storyboard, marked


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a rendered storyboard, for editors' tools."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Storyboard.model_json_schema()}


def _contradictions(storyboard: Storyboard) -> Iterator[tuple[Path, str]]:
    """Yield what no single part can see."""
    seen: set[str] = set()
    for number, scene in enumerate(storyboard.scenes):
        if scene.id in seen:
            yield ("scenes", number, "id"), f"two scenes have the id {scene.id!r}"
        seen.add(scene.id)
        if scene.transition and scene.duration != "auto" and 2 * scene.transition.duration > scene.duration:
            yield ("scenes", number, "transition"), f"it is longer than half of the scene's {scene.duration} s"
        if scene.duration != "auto":
            for place, layer in enumerate(scene.layers):
                inset = getattr(layer, "inset", None)
                if isinstance(layer, CardPart | TextPart | ChartPart) and layer.start >= scene.duration:
                    yield ("scenes", number, "layers", place, "start"), f"the scene lasts {scene.duration} s"
                if isinstance(inset, InsetPart) and inset.start >= scene.duration:
                    yield ("scenes", number, "layers", place, "inset", "start"), f"the scene lasts {scene.duration} s"
    last = len(storyboard.scenes) - 1
    if storyboard.scenes[last].transition:
        yield ("scenes", last, "transition"), "the last scene has nothing to pass over to"
    if len(posters := [n for n, scene in enumerate(storyboard.scenes) if scene.poster]) > 1:
        yield ("scenes", posters[1], "poster"), "only one scene can be the poster"


def _problems(error: ValidationError, marked: MarkedYaml) -> tuple[Problem, ...]:
    """Return the errors by line; those of one place (the arms of a union) are joined."""
    found: dict[Path, list[str]] = {}
    meant: set[Path] = set()  # keys that are missing because they are misspelt
    for detail in sorted(error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden"):
        path, kinds = _place(detail)
        if detail["type"] == "extra_forbidden":
            near = get_close_matches(str(path[-1]), {key for kind in kinds for key in kind.model_fields}, n=1)
            meant.update((*path[:-1], key) for key in near)
        if detail["type"] != "missing" or path not in meant:
            found.setdefault(path, []).append(_why(detail, kinds))
    holders = {path[:cut] for path in found for cut in range(len(path))}  # a list is "too short" for its bad items
    problems = [
        Problem(marked.line(path), path, " or ".join(dict.fromkeys(whys)))
        for path, whys in found.items()
        if path not in holders
    ]
    return tuple(sorted(problems, key=lambda problem: problem.line))


def _place(detail: ErrorDetails) -> tuple[Path, tuple[type[Part], ...]]:
    """Return the path of keys and indexes that an error stands at, and the kinds of part that hold its last key.

    The checker's own names for the arms of a union stand in its location too, and are left out.
    """
    path, holders, kinds = tuple[str | int, ...](), tuple[type[Part], ...](), tuple[type[Part], ...]((Storyboard,))
    for step in detail["loc"]:
        arms = tuple(kind for kind in kinds if step in _types_of(kind)) if len(kinds) > 1 else ()
        inside = [kind.model_fields[str(step)].annotation for kind in kinds if step in kind.model_fields]
        if isinstance(step, int):
            path = (*path, step)
        elif arms:
            kinds = arms
        elif inside:
            path, holders, kinds = (*path, step), kinds, tuple(part for part in inside for part in _parts_in(part))
    return ((*path, detail["loc"][-1]), kinds) if detail["type"] == "extra_forbidden" else (path, holders)


def _types_of(kind: type[Part]) -> tuple[Any, ...]:
    return get_args(kind.model_fields["type"].annotation) if "type" in kind.model_fields else ()


def _parts_in(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts_in(argument)


def _why(detail: ErrorDetails, kinds: Sequence[type[Part]]) -> str:
    if detail["type"] == "extra_forbidden":
        known = list(dict.fromkeys(key for kind in kinds for key in kind.model_fields))
        key = str(detail["loc"][-1])[:60]
        return f"unknown key {key!r} ({hint(key, known, ', '.join(known))})"
    if detail["type"] == "missing":
        return f"{detail['loc'][-1]!r} is missing"
    if detail["type"] == "union_tag_invalid":
        kinds_known = detail["ctx"]["expected_tags"]
        names = [kind.strip(" '") for kind in kinds_known.split(",")]
        return f"unknown type {str(detail['ctx']['tag'])[:60]!r} ({hint(detail['ctx']['tag'], names, kinds_known)})"
    return detail["msg"][:1].lower() + detail["msg"][1:]
