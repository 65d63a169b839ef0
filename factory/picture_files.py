"""The still pictures that a storyboard shows: found, looked at, and kept under the sha256 of their bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from factory.errors import WrongUsage
from factory.plan.brief import Brief
from factory.plan.layer_parts import ImagePart
from factory.plan.pictures import Picture
from factory.plan.storyboard import Storyboard
from factory.render.stills import picture_size
from factory.wiring import Parts

_DIGEST = re.compile(r"[0-9a-f]{64}")


def pictures_of(storyboard: Storyboard, parts: Parts) -> dict[str, Picture]:
    """Return the pictures by the names that the storyboard calls them, in the order of showing.

    Raises `UnknownTemplate`, `FileMissing` or `PictureRefused` for one that is not there or cannot be shown.
    """
    shown = [layer.file for scene in storyboard.scenes for layer in scene.layers if isinstance(layer, ImagePart)]
    return {name: picture(name, parts) for name in dict.fromkeys(shown)}


def with_pictures(brief: Brief, parts: Parts) -> Brief:
    """Keep the pictures that an order names by their paths, and name them by their content instead.

    Only a door of the person who owns the paths calls this: what comes over the network names no path.
    """
    inputs = parts.templates.describe(brief.template).inputs
    paths = {key: Path(text) for key, text in brief.set.items() if key in inputs and inputs[key].type == "image"}
    kept = {key: _kept(path, parts) for key, path in paths.items() if path.is_file()}
    for key, path in paths.items():
        if key not in kept and len(path.parts) > 1:
            raise WrongUsage(f"{key}: there is no file {str(path)[:200]!r}", next_step="name a picture that exists")
    return brief.model_copy(update={"set": {**brief.set, **kept}}) if kept else brief


def told(pictures: Mapping[str, Picture], storyboard: Storyboard) -> list[dict[str, object]]:
    """Return what the trace says of the pictures."""
    parts = [layer for scene in storyboard.scenes for layer in scene.layers if isinstance(layer, ImagePart)]
    credits = {part.file: part.credit.strip() for part in parts[::-1] if part.credit.strip()}
    return [
        {"file": name, "asset": p.asset, "width": p.width, "height": p.height, "credit": credits.get(name, "")}
        for name, p in pictures.items()
    ]


def picture(name: str, parts: Parts) -> Picture:
    """Return a still picture by the name that a storyboard calls it."""
    if _DIGEST.fullmatch(name):
        return Picture(name, *picture_size(parts.files.path(name), name[:12]))
    path = parts.templates.image(name)
    size = picture_size(path, name)
    return Picture(parts.files.adopt(path).digest, *size)


def _kept(path: Path, parts: Parts) -> str:
    picture_size(path, path.name)
    return parts.files.adopt(path.resolve()).digest
