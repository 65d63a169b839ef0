"""The picture of a storyboard's shot before anything is rendered: footage with all layers of its scene over it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from PIL import Image, ImageFilter, ImageOps

from factory.errors import FactoryError
from factory.plan.brief import FPS
from factory.plan.facts import Locale
from factory.plan.insets import inset_of
from factory.plan.layer_parts import ChartPart, ImagePart, TextPart
from factory.plan.storyboard import CardPart, ClipPart, ColorPart, LayerPart
from factory.plan.timeline import Canvas, Fit
from factory.render.inlay import box_of
from factory.render.overlays import png_of, read_sheet
from factory.render.templates import Templates

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a layer and how it is fitted; a car that is followed is shown in the middle."""

    picture: Image.Image
    fit: Fit


class BoardPainter:
    """Paints tiles for one canvas, brand and language. `notes` holds what could not be drawn."""

    def __init__(self, templates: Templates, canvas: Canvas, size: Size, *, brand: str, locale: Locale) -> None:
        self.templates, self.canvas, self.size, self.brand, self.locale = templates, canvas, size, brand, locale
        self.scale = Fraction(size[0], canvas.width)
        self._cards: dict[str, tuple[Image.Image, tuple[int, int]]] = {}

    def paint(self, layers: Sequence[LayerPart], footage: Mapping[int, Shown]) -> tuple[Image.Image, list[str]]:
        """Return the layers over one another, and what of them cannot be drawn. `footage` is a picture by the number of
        its layer."""
        tile, notes = Image.new("RGB", self.size, "#000000"), list[str]()
        for number, layer in enumerate(layers):
            try:
                self._lay(tile, layer, footage.get(number))
            except (FactoryError, OSError) as refusal:
                notes.append(getattr(refusal, "cause", str(refusal)))
        return tile, notes

    def _lay(self, tile: Image.Image, layer: LayerPart, shown: Shown | None) -> None:
        match layer:
            case ClipPart() | ImagePart() if shown is not None:
                left, top, right, bottom = self._box(layer)
                fit = "cover" if layer.inset else shown.fit
                tile.paste(_fitted(shown.picture, (right - left, bottom - top), fit), (left, top))
            case ColorPart(color=color, to=to):
                tile.paste(_gradient(color, to or color, self.size), (0, 0))
            case CardPart() | TextPart() | ChartPart():
                card, place = self._card(layer.card, layer.data)
                tile.paste(card, place, card)

    def _box(self, layer: ClipPart | ImagePart) -> tuple[int, int, int, int]:
        if layer.inset is None:
            return 0, 0, *self.size
        left, top, width, height = (
            round(side * self.scale) for side in box_of(inset_of(layer.inset, 1, FPS), self.canvas)
        )
        return left, top, left + max(width, 1), top + max(height, 1)

    def _card(self, card: str, data: Mapping[str, Any]) -> tuple[Image.Image, tuple[int, int]]:
        svg = self.templates.card(card, data=data, canvas=self.canvas, brand=self.brand, locale=self.locale)
        if svg not in self._cards:
            sheet = read_sheet(svg, f"the card {card}")
            picture = Image.open(io.BytesIO(png_of(sheet, self.scale, f"the card {card}"))).convert("RGBA")
            self._cards[svg] = picture, (round(sheet.left * self.scale), round(sheet.top * self.scale))
        return self._cards[svg]


def _fitted(picture: Image.Image, size: Size, fit: Fit) -> Image.Image:
    if fit in ("cover", "track"):
        return ImageOps.fit(picture, size)
    whole = ImageOps.contain(picture, size)
    ground = Image.new("RGB", size, "#000000")
    if fit != "contain":
        ground = ImageOps.fit(picture, size).filter(ImageFilter.GaussianBlur(size[1] / 24))
    ground.paste(whole, ((size[0] - whole.width) // 2, (size[1] - whole.height) // 2))
    return ground


def _gradient(first: str, last: str, size: Size) -> Image.Image:
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, last), Image.new("RGB", size, first), mask)
