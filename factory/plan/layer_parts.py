"""What a storyboard says of still pictures and of pictures in pictures."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from factory.plan.part import Color, Part, Seconds
from factory.plan.timeline import LEAST_WINDOW, Corner, Shape, StillFit

Move = Literal["auto", "none", "in", "out", "left", "right", "up", "down"]
PICTURE = r"^([0-9a-f]{64}|[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.(png|jpg|jpeg|webp|PNG|JPG|JPEG|WEBP))$"
PictureFile = Annotated[str, Field(pattern=PICTURE)]
Share = Annotated[float, Field(ge=0, le=1)]
WindowPart = Annotated[
    tuple[Share, Share, Share, Share],
    Field(description="left, top, right, bottom, in shares of the whole"),
]


class InsetPart(Part):
    """Picture in picture: in a corner of the safe area, or exactly in `box`."""

    corner: Corner = "top-right"
    share: float = Field(default=0.4, ge=0.1, le=1, description="longer side, of the canvas's mean side")
    shape: Shape = Field(default="16:9", description="width : height; footage and images are cropped to it")
    box: WindowPart | None = Field(default=None, description="in shares of the canvas; stands for corner and share")
    frame: bool = Field(default=True, description="a thin frame in the brand's surface colour")
    rounded: bool = Field(default=False, description="round corners, where the house has square ones")
    start: float = Field(default=0.0, ge=0, description="seconds from the scene's start")
    duration: Seconds | None = Field(default=None, description="null: until the scene ends")
    enter: float = Field(default=0.3, ge=0, description="seconds in which it fades in")
    leave: float = Field(default=0.25, ge=0, description="seconds in which it fades out")

    @model_validator(mode="after")
    def _a_box(self) -> Self:
        if self.box is not None and not _is_window(self.box):
            raise ValueError(f"the box {list(self.box)} is no part of the canvas")
        return self


class ImagePart(Part):
    """A still picture. The view glides over it (Ken Burns), from one window to another."""

    type: Literal["image"]
    file: PictureFile = Field(description="PNG, JPEG or WebP of a folder `images`, or the sha256 of a kept one")
    fit: StillFit | Literal["auto"] = "auto"
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


def _is_window(window: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = window
    return left <= right - LEAST_WINDOW and top <= bottom - LEAST_WINDOW
