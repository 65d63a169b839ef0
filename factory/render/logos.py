"""A brand's logo: an SVG or PNG beside its kit, checked, and carried inside the cards that show it."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict

from factory.errors import WrongUsage
from factory.render.stills import PictureRefused, picture_size

MAX_BYTES: Final = 256 << 10  # it is written into every card that shows it
MAX_RATIO: Final = 20
_LENGTH = re.compile(r"([0-9.]+)(px)?")
_FORBIDDEN = {"text", "image", "script", "foreignObject", "style"}


class LogoRefused(WrongUsage):
    """A logo that cannot be drawn; names the file and why."""

    code = "logo-refused"

    def __init__(self, name: str, cause: str, next_step: str) -> None:
        super().__init__(f"the logo {name} cannot be used: {cause}", next_step=next_step)


class Logo(BaseModel):
    """A logo as a data URI; `ratio` is width / height."""

    model_config = ConfigDict(frozen=True)

    uri: str
    ratio: float

    @property
    def href(self) -> Markup:
        """The URI as a card writes it: base64 has nothing to escape, and is long."""
        return Markup(self.uri)  # noqa: S704 - base64 behind a fixed prefix


def read_logo(path: Path) -> Logo:
    """Read a logo, or refuse it with the cause."""
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
    except OSError as error:
        raise LogoRefused(path.name, str(error.strerror), "put the file beside the brand kit") from error
    if not data:
        step = "simplify it, or give a smaller PNG"
        raise LogoRefused(path.name, f"it is empty or larger than {MAX_BYTES >> 10} KiB", step)
    return _read(path, data)


@lru_cache(maxsize=16)
def _read(path: Path, data: bytes) -> Logo:
    vector = path.suffix.lower() == ".svg"
    width, height = _svg_size(path.name, data) if vector else _png_size(path)
    if not 1 / MAX_RATIO <= width / height <= MAX_RATIO:
        raise LogoRefused(path.name, f"it is {width:g} x {height:g}", "crop it to what is drawn")
    kind = "svg+xml" if vector else "png"
    return Logo(uri=f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}", ratio=width / height)


def _svg_size(name: str, data: bytes) -> tuple[float, float]:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise LogoRefused(name, "it declares a document type", "save it as plain SVG")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - no document type, so nothing to expand
    except ElementTree.ParseError as error:
        raise LogoRefused(name, f"it is no SVG ({error})", "save it again as plain SVG") from error
    for element in root.iter():
        kind = str(element.tag).rpartition("}")[2]
        links = [value for key, value in element.attrib.items() if key.rpartition("}")[2] == "href"]
        if kind in _FORBIDDEN or any(not link.startswith("#") for link in links):
            raise LogoRefused(
                name, f"it holds <{kind}>", "turn texts into paths and styles into attributes; embed nothing"
            )
    return _box(name, root)


def _box(name: str, root: ElementTree.Element) -> tuple[float, float]:
    try:
        if view := root.get("viewBox"):
            _, _, width, height = (float(part) for part in view.replace(",", " ").split())
        else:
            sides = [_LENGTH.fullmatch(root.get(side, "").strip()) for side in ("width", "height")]
            width, height = (float(side[1]) if side else 0.0 for side in sides)
    except ValueError:
        width = height = 0.0
    if width <= 0 or height <= 0:
        raise LogoRefused(name, "it says no size", "give it a viewBox")
    return width, height


def _png_size(path: Path) -> tuple[float, float]:
    try:
        return picture_size(path, path.name)
    except PictureRefused as refusal:
        raise LogoRefused(path.name, refusal.cause, "give an SVG or a PNG") from refusal
