"""Where cards may stand on a canvas: safe area, one left edge, the captions' band, the three type sizes."""

from __future__ import annotations

from dataclasses import dataclass

from factory.plan.timeline import Canvas

CAPTION_BAND = 0.18  # of the safe height, lowest part, kept free for captions
_PORTRAIT_CAPTION_BAND = 0.10  # of the picture's height, just above the 20 % where apps draw their buttons
_SMALLEST = 0.022  # of the picture's height: nothing is set smaller


@dataclass(frozen=True, slots=True)
class Layout:
    """Pixels of the canvas. Cards stand in [left, right) x [top, floor); captions stand below `floor`.

    `u` is 1/1080 of the short side, `g` the 8-unit step of the grid. `small`, `label` and `title` are the type sizes.
    """

    aspect: str
    width: int
    height: int
    u: float
    g: float
    left: int
    top: int
    right: int
    bottom: int
    floor: int
    small: int
    label: int
    title: int

    @property
    def span(self) -> int:
        """Width of the safe area."""
        return self.right - self.left

    @property
    def portrait(self) -> bool:
        return self.aspect == "9:16"

    @property
    def landscape(self) -> bool:
        return self.aspect == "16:9"


def layout_for(canvas: Canvas) -> Layout:
    """Return the layout of a canvas: 90 % titles, and for portrait clear of top 12 %, bottom 20 % and right 12 %."""
    width, height = canvas.width, canvas.height
    u = min(width, height) / 1080
    ratio = width / height
    aspect = "16:9" if ratio > 1.2 else "9:16" if ratio < 0.8 else "1:1"
    if aspect == "9:16":
        left, right = round(0.06 * width), round(0.88 * width)
        top, bottom = round(0.12 * height), round(0.80 * height)
        band = _PORTRAIT_CAPTION_BAND * height
    else:
        left, right = round(0.05 * width), round(0.95 * width)
        top, bottom = round(0.05 * height), round(0.95 * height)
        band = CAPTION_BAND * (bottom - top)
    sizes = {"16:9": (28, 44, 80), "9:16": (43, 56, 92), "1:1": (28, 42, 72)}[aspect]
    floor = round(bottom - band - 16 * u)
    small, label, title = (max(round(size * u), round(_SMALLEST * height + 0.5)) for size in sizes)
    return Layout(aspect, width, height, u, 8 * u, left, top, right, bottom, floor, small, label, title)
