"""The storyboard: scenes in the words of the field, validated, before any shot is chosen.

A storyboard template is Jinja that renders to YAML; `read_storyboard` turns that text into these values or refuses it,
naming the place and, for an unknown key, the nearest known one. Times are seconds; `duration: auto` means that the
voice decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from factory.errors import FactoryError
from factory.plan.facts import Locale
from factory.plan.layer_parts import ChartPart, ImagePart, InsetPart, TextPart
from factory.plan.marked_yaml import MarkedYaml, Path, Problem, YamlRefused, load
from factory.plan.part import Color, Identifier, Part, Seconds, hint
from factory.plan.timeline import Fit, TransitionName


class ShotQuery(Part):
    """What footage a layer wants. `where` is the query grammar of the index; the lists are joined to it."""

    tags_all: tuple[str, ...] = ()
    tags_any: tuple[str, ...] = ()
    tags_none: tuple[str, ...] = ()
    where: str = ""
    text: tuple[str, ...] = ()  # the shot must carry one of these words (a car's names): title, speech or burnt-in text
    car: str = ""  # slug of the car that is spoken of: to be named counts as `text`, naming only others is avoided
    prefer: tuple[str, ...] = ()  # tags or words that raise the score but are not demanded
    min_score: float = Field(default=0.3, ge=0, le=1)


class PickRules(Part):
    shots: int = Field(default=1, ge=1, le=12)
    min_height: int | None = None
    diversity: float = Field(default=0.3, ge=0, le=1)
    cooldown_days: int | None = Field(
        default=None, ge=0, le=3650, description="days a shot rests in the order's series; null: as the order says"
    )


class ClipPart(Part):
    type: Literal["clip"]
    query: ShotQuery
    pick: PickRules = PickRules()
    fit: Fit | Literal["auto"] = "auto"  # cover, or track, or contain-blur where covering would cut away too much
    sound_db: float | None = None  # gain of the clip's own sound; null is silent
    speed: float = Field(default=1.0, ge=0.25, le=4, description="0.5 shows the shot at half its speed")
    inset: InsetPart | None = Field(default=None, description="picture in picture, over the layers before it")


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


LayerPart = Annotated[ClipPart | ImagePart | TextPart | ChartPart | CardPart | ColorPart, Field(discriminator="type")]


class Voice(Part):
    text: str = Field(min_length=1, max_length=2000)
    voice: str = "auto"
    rate: float = Field(default=1.0, ge=0.5, le=2.0)


class Captions(Part):
    style: Identifier = "plain"
    burn: bool = True


class TransitionPart(Part):
    name: TransitionName = Field(default="fade", description="the sounds of both scenes cross-fade under any of them")
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
    cut: Literal["free", "beats"] = Field(default="free", description="beats: shots change on beats of the music")


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
    blur_faces: bool = False  # in all footage
    intro: bool = Field(default=False, description="begin with what the brand opens its videos with")
    outro: bool = Field(default=False, description="end with what the brand closes its videos with")
    scenes: tuple[Scene, ...] = Field(min_length=1, max_length=200)


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
    try:
        marked = load(text)
    except YamlRefused as refusal:
        raise StoryboardInvalid(source, (refusal.problem,)) from refusal
    try:
        storyboard = Storyboard.model_validate(marked.value)
    except ValidationError as error:
        raise StoryboardInvalid(source, _problems(error, marked)) from error
    if found := tuple(Problem(marked.line(path), path, why) for path, why in _contradictions(storyboard)):
        raise StoryboardInvalid(source, found)
    return storyboard


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
    for detail in error.errors(include_url=False):
        path = marked.known_path(detail["loc"])
        if detail["type"] == "unknown_key":
            path = (*path, detail["ctx"]["key"])
        elif detail["type"] == "missing":
            path = (*path, detail["loc"][-1])
        found.setdefault(path, []).append(_why(detail))
    holders = {path[:cut] for path in found for cut in range(len(path))}  # a list is "too short" for its bad items
    problems = [
        Problem(marked.line(path), path, " or ".join(dict.fromkeys(whys)))
        for path, whys in found.items()
        if path not in holders
    ]
    return tuple(sorted(problems, key=lambda problem: problem.line))


def _why(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return f"{detail['loc'][-1]!r} is missing"
    if detail["type"] == "union_tag_invalid":
        kinds = detail["ctx"]["expected_tags"]
        names = [kind.strip(" '") for kind in kinds.split(",")]
        return f"unknown type {str(detail['ctx']['tag'])[:60]!r} ({hint(detail['ctx']['tag'], names, kinds)})"
    return detail["msg"][:1].lower() + detail["msg"][1:]
