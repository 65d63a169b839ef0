"""Brand kits: a name on the screen and six colours, checked so that text on them can be read; a logo, a watermark, and
what opens and closes a video, where the brand has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from factory.errors import WrongUsage
from factory.plan.marked_yaml import Path, Problem, YamlRefused, load
from factory.plan.part import hint
from factory.plan.timeline import Corner
from factory.render.logos import Logo

Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
_COLORS = ("ground", "surface", "accent", "positive", "negative", "text")
_MACHINE = re.compile(r"\bAI\b|AI(?=[\u4e00-\u9fff])|人工智能|artificial intelligence", re.IGNORECASE)
_MADE = re.compile(r"生成|合成|generat|synthe[st]", re.IGNORECASE)
READABLE = 4.5  # WCAG 2.2 AA, text
PLATE = 0.94  # opacity of a card's plate: footage shines through a little


class BrandRefused(WrongUsage):
    """A brand kit that cannot be used: an unknown key, a missing colour, or colours too close to be read."""

    code = "brand-refused"


class WatermarkKit(BaseModel):
    """The logo over the whole program: beside the safe area, `share` wide (of the canvas's mean side)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    corner: Corner = "top-right"
    opacity: float = Field(default=0.75, ge=0.2, le=1)
    share: float = Field(default=0.12, ge=0.04, le=0.3)


class AiLabelKit(BaseModel):
    """How this brand says that a video is machine-made: words and corner in the picture, the producer in the file.

    GB 45438-2025 wants artificial intelligence and generation or synthesis named, at an edge or a corner of the opening
    frames: words that do not say both are refused. An empty text is the house's words, an empty producer the factory's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(default="", max_length=24)
    corner: Literal["top-left", "top-right"] = "top-left"
    when: Literal["synthetic-voice", "always"] = "synthetic-voice"
    producer: str = Field(default="", max_length=200)

    @field_validator("text")
    @classmethod
    def _says_it(cls, text: str) -> str:
        if text and not (_MACHINE.search(text) and _MADE.search(text)):
            raise ValueError("it must name AI and that it generated or synthesised, e.g. 'AI-generated', 'AI 生成'")
        return text


class OpeningKit(BaseModel):
    """What opens a video: a card, or a clip beside the kit. `seconds` of a clip default to all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    longest: ClassVar[float] = 3.0
    usual: ClassVar[float] = 2.0

    card: str = Field(default="ident", pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    clip: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.(mp4|mov|webm|mkv))?$")
    seconds: float | None = Field(default=None, ge=1, le=3)
    line: str = Field(default="", max_length=80)


class ClosingKit(OpeningKit):
    """What closes a video, in the same way."""

    longest: ClassVar[float] = 5.0
    usual: ClassVar[float] = 2.5

    seconds: float | None = Field(default=None, ge=1, le=5)


class Brand(BaseModel):
    """One look. `ground` fills a plain picture, `surface` the plates of cards, `accent` marks what matters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    wordmark: str = Field(min_length=1, max_length=24)
    ground: Color
    surface: Color
    accent: Color
    positive: Color
    negative: Color
    text: Color
    logo: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.(svg|png))?$")
    watermark: WatermarkKit | None = None
    ai_label: AiLabelKit = AiLabelKit()
    intro: OpeningKit = OpeningKit()
    outro: ClosingKit = ClosingKit()
    art: Logo | None = None  # what the file `logo` shows

    @property
    def on_accent(self) -> str:
        """The one of ground and text that reads better on the accent colour."""
        return max((self.ground, self.text), key=lambda color: contrast(color, self.accent))

    @property
    def muted(self) -> str:
        """Text colour drawn back towards the surface, as far as it stays readable."""
        shades = (mix(self.text, self.surface, share) for share in (0.36, 0.28, 0.2, 0.1))
        return next((shade for shade in shades if self.on_plate(shade) >= READABLE), self.text)

    @property
    def plate_opacity(self) -> float:
        return PLATE

    def on_plate(self, color: str) -> float:
        """Return the contrast of `color` on a plate, the worse of white and black footage behind it."""
        return min(contrast(color, mix(behind, self.surface, PLATE)) for behind in ("#ffffff", "#000000"))

    @property
    def hairline(self) -> str:
        """Rules and tracks: seen, not read."""
        return mix(self.surface, self.text, 0.2)


def read_brand(text: str, name: str) -> Brand:
    """Read a brand kit from YAML or refuse it, naming the key."""
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BrandRefused(f"brand {name} is not YAML: {error}", next_step="mend the file") from error
    if not isinstance(values, dict):
        raise BrandRefused(f"brand {name} is not a list of colours", next_step="write key: value lines")
    _refuse_unknown(values, name, Brand)
    for key, kit in (
        ("watermark", WatermarkKit),
        ("ai_label", AiLabelKit),
        ("intro", OpeningKit),
        ("outro", ClosingKit),
    ):
        if isinstance(values.get(key), dict):
            _refuse_unknown(values[key], name, kit)
    try:
        brand = Brand(**{**values, "name": name})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise BrandRefused(f"brand {name}: {key}: {first['msg']}", next_step=_example(key)) from error
    _refuse_unreadable(brand)
    return brand


def brand_problems(text: str, name: str) -> tuple[Problem, ...]:
    """Return all that is wrong with a brand kit, by line."""
    try:
        marked = load(text)
    except YamlRefused as refusal:
        return (refusal.problem,)
    values = marked.value
    if not isinstance(values, dict):
        return (Problem(1, (), "it is not a list of colours: write key: value lines"),)
    found: list[tuple[Path, str]] = []
    try:
        brand = Brand(**{**{str(key): value for key, value in values.items()}, "name": name})
        found += [((key,), f"{key} on {below}: {share:.1f} : 1, not {READABLE}") for key, below, share in _close(brand)]
    except ValidationError as error:
        found += [(tuple(detail["loc"]), _why(detail)) for detail in error.errors(include_url=False)]
    return tuple(sorted((Problem(marked.line(path), path, why) for path, why in found), key=lambda p: p.line))


def _why(detail: ErrorDetails) -> str:
    if detail["type"] != "extra_forbidden":
        return detail["msg"][:1].lower() + detail["msg"][1:]
    kits: dict[object, type[BaseModel]] = {"watermark": WatermarkKit, "intro": OpeningKit, "outro": ClosingKit}
    known = _known(kits.get(detail["loc"][0], Brand) if len(detail["loc"]) > 1 else Brand)
    return f"unknown key {str(detail['loc'][-1])[:60]!r} ({hint(detail['loc'][-1], known, ', '.join(known))})"


def _known(kit: type[BaseModel]) -> list[str]:
    return [key for key in kit.model_fields if key not in ("name", "art")]


def _example(key: str) -> str:
    return f"mend {key}, e.g. '#ffb000'" if key in _COLORS else f"mend {key}"


def _refuse_unknown(values: dict[Any, Any], name: str, kit: type[BaseModel]) -> None:
    known = _known(kit)
    for key in values:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
            raise BrandRefused(f"brand {name} has the unknown key {key!r}", next_step=hint)


def _refuse_unreadable(brand: Brand) -> None:
    for key, below, found in _close(brand):
        raise BrandRefused(
            f"brand {brand.name}: {key} on {below} has contrast {found:.1f} : 1, not {READABLE}",
            next_step=f"move {key} and {below} further apart",
        )


def _close(brand: Brand) -> Iterator[tuple[str, str, float]]:
    """Yield the colours that are too close to be read, what they stand on, and their contrast."""
    on_surface = [
        (key, "surface", brand.on_plate(getattr(brand, key))) for key in ("text", "accent", "positive", "negative")
    ]
    on_others = [
        ("text", "ground", contrast(brand.text, brand.ground)),
        ("text or ground", "accent", contrast(brand.on_accent, brand.accent)),
    ]
    yield from (pair for pair in (*on_surface, *on_others) if pair[2] < READABLE)


def contrast(first: str, second: str) -> float:
    """Return the WCAG contrast ratio of two `#rrggbb` colours, 1 to 21."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def mix(first: str, second: str, share: float) -> str:
    """Return `first` with `share` (0..1) of `second` mixed in."""
    channels = zip(_channels(first), _channels(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in channels)


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    red, green, blue = ((c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
