"""What a storyboard says of still pictures, of pictures in pictures, of text and of charts."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from factory.plan.part import Color, Part, Seconds
from factory.plan.timeline import LEAST_WINDOW, Corner, Shape, StillFit

Move = Literal["auto", "none", "in", "out", "left", "right", "up", "down"]
PICTURE = r"^([0-9a-f]{64}|[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.(png|jpg|jpeg|webp|PNG|JPG|JPEG|WEBP))$"
PictureFile = Annotated[str, Field(pattern=PICTURE)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
MOST_BARS = 8
MOST_VALUE = 10**15
Share = Annotated[float, Field(ge=0, le=1)]
WindowPart = Annotated[
    tuple[Share, Share, Share, Share],
    Field(description="left, top, right, bottom, in shares of the whole"),
]


class InsetPart(Part):
    """Picture in picture: in a corner of the safe area, or exactly in `box`."""

    corner: Corner = Field(default="top-right", description="of the safe area")
    share: float = Field(default=0.4, ge=0.1, le=1, description="longer side, of the canvas's mean side")
    shape: Shape = Field(default="16:9", description="width : height; footage and images are cropped to it")
    box: WindowPart | None = Field(default=None, description="in shares of the canvas; stands for corner and share")
    frame: bool = Field(default=True, description="a thin frame in the brand's surface colour")
    rounded: bool = Field(default=False, description="round corners, where the house has square ones")
    start: float = Field(default=0.0, ge=0, description="seconds from the scene's start")
    duration: Seconds | None = Field(default=None, description="seconds; null: until the scene ends")
    enter: float = Field(default=0.3, ge=0, description="seconds in which it fades in")
    leave: float = Field(default=0.25, ge=0, description="seconds in which it fades out")

    @model_validator(mode="after")
    def _a_box(self) -> Self:
        if self.box is not None and not _is_window(self.box):
            raise ValueError(f"the box {list(self.box)} is no part of the canvas")
        return self


class ImagePart(Part):
    """A still picture. The view glides over it (Ken Burns), from one window to another."""

    type: Literal["image"] = Field(description="a still picture")
    file: PictureFile = Field(description="PNG, JPEG or WebP of a folder `images`, or the sha256 of a kept one")
    fit: StillFit | Literal["auto"] = Field(default="auto", description="how it meets a canvas of another shape")
    ken_burns: Move = Field(default="auto", description="where the view goes; auto: by the picture's shape")
    first: WindowPart | None = Field(default=None, description="what is seen at the start, instead of ken_burns")
    last: WindowPart | None = Field(default=None, description="what is seen at the end; only with `first`")
    ground: Color = Field(default="#000000", description="behind what is clear, and beside a contained picture")
    credit: str = Field(default="", max_length=200, description="a line of the credits")
    inset: InsetPart | None = Field(default=None, description="picture in picture, over the layers before it")

    @model_validator(mode="after")
    def _two_windows(self) -> Self:
        if (self.first is None) != (self.last is None):
            raise ValueError("`first` and `last` are given together")
        for window in (self.first, self.last):
            if window is not None and not _is_window(window):
                raise ValueError(f"the window {list(window)} is no part of the picture")
        return self


class Shown(Part):
    """When something that is drawn comes and goes, in seconds."""

    start: float = Field(default=0.0, ge=0, description="seconds from the scene's start")
    duration: Seconds | None = Field(default=None, description="seconds; null: until the scene ends")
    enter: float = Field(default=0.4, ge=0, description="seconds in which it comes in")
    leave: float = Field(default=0.25, ge=0, description="seconds in which it goes")


class TextPart(Shown):
    """Free words in the brand's type and colours."""

    type: Literal["text"] = Field(description="free words")
    lines: tuple[Line, ...] = Field(min_length=1, max_length=6, description="each one wraps by itself")
    size: Literal["title", "label", "small"] = Field(default="label", description="of the letters")
    place: Corner | Literal["top", "left", "middle", "right", "bottom"] = Field(
        default="bottom-left", description="in the safe area, above the captions"
    )
    color: Literal["text", "accent", "muted"] = Field(default="text", description="a colour of the brand")
    plate: bool = Field(default=True, description="false: letters with a soft edge instead of a plate")

    @property
    def card(self) -> str:
        return "text"

    @property
    def counts(self) -> bool:
        return False

    @property
    def data(self) -> dict[str, Any]:
        """What the card is filled with."""
        return {**self.model_dump(include={"size", "place", "color", "plate"}), "lines": list(self.lines)}


class Point(Part):
    """One value of a chart."""

    label: str = Field(min_length=1, max_length=60, description="what stands under it")
    value: int | float | str = Field(description="a number; as text where every place counts")

    @field_validator("value", mode="before")
    @classmethod
    def _a_number(cls, value: object) -> str:
        try:
            exact = Decimal(str(value).strip())
        except InvalidOperation as error:
            raise ValueError(f"{str(value)[:40]!r} is no number") from error
        if isinstance(value, bool) or not exact.is_finite() or abs(exact) > MOST_VALUE:
            raise ValueError(f"{str(value)[:40]!r} is no number that can be shown")
        return format(exact, "f")


class ChartPart(Shown):
    """A small series as bars from a common zero, or as a line; it grows while it comes in."""

    type: Literal["chart"] = Field(description="a small series")
    kind: Literal["bar", "line"] = Field(description="bars, from a common zero, or a line")
    title: str = Field(min_length=1, max_length=120, description="what the numbers are")
    unit: str = Field(default="", max_length=40, description="of the numbers")
    points: tuple[Point, ...] = Field(min_length=2, max_length=24, description="at most 8 bars")
    mark: str = Field(default="", description="the label of a bar that is meant")
    from_zero: bool = Field(default=True, description="a line's axis; bars always start at zero")
    source: str = Field(min_length=1, max_length=200, description="where the numbers are from")
    date: str = Field(min_length=1, max_length=40, description="of the source")
    sample: bool = Field(default=False, description="the figures are invented")
    enter: float = Field(default=1.0, ge=0, description="seconds in which it grows")

    @model_validator(mode="after")
    def _honest(self) -> Self:
        if self.kind == "bar" and len(self.points) > MOST_BARS:
            raise ValueError(f"{len(self.points)} bars are too many: at most {MOST_BARS}, or a line")
        if self.kind == "bar" and any(Decimal(str(point.value)) < 0 for point in self.points):
            raise ValueError("bars start at zero and show no negative value; take a line")
        if self.mark and self.mark not in {point.label for point in self.points}:
            raise ValueError(f"no point has the label {self.mark!r}")
        return self

    @property
    def card(self) -> str:
        return f"{self.kind}_chart"

    @property
    def counts(self) -> bool:
        return True

    @property
    def data(self) -> dict[str, Any]:
        """What the card is filled with."""
        said = {"title", "unit", "mark", "from_zero", "source", "date", "sample"}
        return {**self.model_dump(include=said), "points": [point.model_dump() for point in self.points]}


def _is_window(window: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = window
    return left <= right - LEAST_WINDOW and top <= bottom - LEAST_WINDOW
