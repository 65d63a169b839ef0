"""What a person orders: one video, described by data alone."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from factory.plan.facts import Locale
from factory.plan.spec import Spec
from factory.plan.timeline import Canvas

Codec = Literal["h264", "h265", "av1"]
Aspect = Literal["16:9", "9:16", "1:1"]
FPS: Final = Fraction(30)
CANVASES: Final[Mapping[Aspect, Canvas]] = {
    "16:9": Canvas(1920, 1080, FPS),
    "9:16": Canvas(1080, 1920, FPS),
    "1:1": Canvas(1080, 1080, FPS),
}
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class Table(BaseModel):
    """The table of one video as it was read: header and cells as text, so that refusals name line and column.

    `counted` says how a row is named to a person: by its line in a file, or by its place in a database's answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(max_length=255)
    columns: tuple[str, ...] = Field(max_length=200)
    rows: tuple[tuple[str, ...], ...] = Field(max_length=50_000)
    counted: Literal["line", "row"] = "line"


class Brief(Spec):
    """One order. The same brief, library and version give the same video."""

    kind: ClassVar[str] = "produce"

    template: Name
    subject: str | None = Field(default=None, max_length=200)
    data: Table | None = None
    set: dict[str, str] = Field(default_factory=dict)
    locale: Locale = "zh-CN"
    seconds: int | None = Field(default=None, ge=10, le=300)
    brand: Name = "autoreel"
    seed: int = Field(default=0, ge=0, lt=2**31)
    aspects: tuple[Aspect, ...] = Field(default=("16:9",), min_length=1, max_length=3)
    draft: bool = False
    codec: Codec = "h264"
    series: str | None = Field(default=None, max_length=100)
    cooldown_days: int | None = Field(default=None, ge=0, le=3650)  # that a shot rests in the series; None: 14
    draft_words: bool = False  # ask the language model of the settings for other words
