"""Covers made of a video's footage: a few small pictures are looked at, the best is read large, the title set on it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from factory.plan.covers import SHAPES, Cover, Look, Sight, best, hides_faces, looks
from factory.plan.framing import Window
from factory.plan.timeline import Canvas, CardLayer, Timeline
from factory.render.brands import Brand
from factory.render.errors import RenderCancelled, RenderFailed, disk_full_named
from factory.render.overlays import Cached, Cards, draw_card
from factory.render.tracking import Eye, default_eye
from understanding import media
from understanding.errors import MediaRefused, PartMissing
from understanding.faces import FaceFinder
from understanding.scanning import sharpness
from understanding.subject import patches
from understanding.tagged import Box
from understanding.vehicles import Map

LINES = 360  # of a picture that is looked at
MOST_LINES = 4320
QUALITY = 90
BESIDE, LEVEL = 0.18, 0.6  # of the picture and of the lower patch: patches of one car, whose middle is seen least
PLACES = ("bottom", "top")  # of the title, the usual one first


@dataclass(frozen=True, slots=True)
class Made:
    """A cover that was written: its shape (`16:9`), and what it shows; `None` where it is the brand's ground alone."""

    aspect: str
    path: Path
    shown: Cover | None


def make_covers(
    timeline: Timeline,
    aspects: Iterable[str],
    folder: Path,
    *,
    kicker: str,
    brand: Brand,
    source: Callable[[str], Path],
    cached: Cached,
    templates: Cards,
    avoid: Collection[int] = (),
    eye: Eye | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Made]:
    """Write a JPEG for each of the shapes into `folder`. The same timeline gives the same bytes.

    `source` finds footage by its sha256. Shots in `avoid` are shown only where there are no others.
    """
    finder = FaceFinder(threads=1) if hides_faces(timeline) else None
    sights = _sights(looks(timeline, avoid), source, eye or default_eye(cached, cancelled), finder, cancelled)
    made = []
    for aspect in aspects:
        _check_stopped(cancelled)
        canvas = SHAPES[aspect]
        said = {"title": timeline.title, "kicker": kicker}
        titles = {place: _title(timeline, {**said, "place": place}, canvas, templates, cached) for place in PLACES}
        cover = best(sights, canvas, {place: title.box(canvas) for place, title in titles.items()})
        picture = _shown(cover, canvas, source) if cover else Image.new("RGB", _size(canvas), brand.ground)
        title = titles[cover.place if cover else PLACES[0]]
        picture.paste(title.picture, (title.left, title.top), title.picture)
        target = folder / f"cover-{aspect.replace(':', 'x')}.jpg"
        with disk_full_named(target):
            picture.save(target, "JPEG", quality=QUALITY, optimize=True)
        made.append(Made(aspect, target, cover))
    return made


@dataclass(frozen=True, slots=True)
class _Title:
    """The drawn title and where its upper left corner stands."""

    picture: Image.Image
    left: int
    top: int

    def box(self, canvas: Canvas) -> Window:
        right, bottom = self.left + self.picture.width, self.top + self.picture.height
        return self.left / canvas.width, self.top / canvas.height, right / canvas.width, bottom / canvas.height


def _title(timeline: Timeline, data: Mapping[str, str], canvas: Canvas, templates: Cards, cached: Cached) -> _Title:
    layer = CardLayer("cover", data, 0, 1, "title", 0, 0)
    look: dict[str, Any] = {"canvas": canvas, "brand": timeline.brand, "locale": timeline.locale}
    drawing = draw_card(layer, templates, cached, **look, where="the cover")
    with Image.open(drawing.still) as card:
        return _Title(card.convert("RGBA"), drawing.left, drawing.top)


def _sights(
    wanted: Sequence[Look],
    source: Callable[[str], Path],
    eye: Eye,
    finder: FaceFinder | None,
    cancelled: Callable[[], bool],
) -> list[Sight]:
    """Look at every moment once, in the order of showing."""
    by_asset: Mapping[str, list[Look]] = defaultdict(list)
    for look in wanted:
        by_asset[look.asset].append(look)
    found: dict[Look, Sight] = {}
    for asset, moments in by_asset.items():
        _check_stopped(cancelled)
        times = sorted({look.at for look in moments})
        pictures = dict(zip(times, _read(source(asset), asset, times, LINES), strict=True))
        for look in moments:
            _check_stopped(cancelled)
            found[look] = _sight(look, pictures[look.at], eye, finder)
    return [found[look] for look in wanted]


def _check_stopped(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise RenderCancelled


def _read(path: Path, asset: str, times: Sequence[Fraction], lines: int) -> NDArray[np.uint8]:
    try:
        return media.read_frames(path, times=times, height=lines).rgb
    except MediaRefused as refused:
        raise RenderFailed(
            f"no cover can be read from the footage {asset[:12]}: {refused}", next_step=refused.next_step
        ) from refused


def _sight(look: Look, picture: NDArray[np.uint8], eye: Eye, finder: FaceFinder | None) -> Sight:
    height, width = picture.shape[:2]
    left, top, right, bottom = look.within
    rows, columns = (
        slice(int(top * height), math.ceil(bottom * height)),
        slice(int(left * width), math.ceil(right * width)),
    )
    part = np.ascontiguousarray(picture[rows, columns])
    grey = np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), np.uint8)
    odds = eye.evidence(picture)
    box, sure = _car(list(patches(odds)))
    return Sight(
        look,
        sharpness(grey),
        float(grey.mean()) / 255,
        float(grey.std()) / 255,
        sure * _filled(odds, box) ** 2 if box else 0.0,
        (box.left, box.top, box.right, box.bottom) if box else None,
        _has_face(picture, finder),
        width,
        height,
    )


def _car(seen: Sequence[tuple[Box, float]]) -> tuple[Box | None, float]:
    """Return the box of the car that is seen best, with the patches beside it: a post, or a long side, parts a car."""
    if not seen:
        return None, 0.0
    box, sure = max(seen, key=lambda one: one[1] * one[0].area ** 0.5)
    rest = [one for one, _ in seen]
    while near := [one for one in rest if _beside(box, one)]:
        rest = [one for one in rest if one not in near]
        for one in near:
            low = min(box.left, one.left), min(box.top, one.top)
            box = Box(*low, max(box.right, one.right), max(box.bottom, one.bottom))
    return box, sure


def _beside(one: Box, other: Box) -> bool:
    """Return whether two patches stand on one level and so near that they may be the ends of a car."""
    level = min(one.bottom, other.bottom) - max(one.top, other.top)
    gap = max(one.left, other.left) - min(one.right, other.right)
    return gap <= BESIDE and level >= LEVEL * min(one.bottom - one.top, other.bottom - other.top)


def _filled(odds: Map, box: Box) -> float:
    """Return how sure the net is of the whole box, on average: less where something stands before the car."""
    lines, columns = odds.shape
    rows = slice(int(box.top * lines), math.ceil(box.bottom * lines))
    inside = odds[rows, int(box.left * columns) : math.ceil(box.right * columns)]
    return float((1 / (1 + np.exp(-inside))).mean())


def _has_face(picture: NDArray[np.uint8], finder: FaceFinder | None) -> bool:
    """Return whether a face shows where faces are hidden; without the part that finds them any picture may have one."""
    if finder is None:
        return False
    try:
        return bool(finder.find(picture))
    except PartMissing:
        return True


def _shown(cover: Cover, canvas: Canvas, source: Callable[[str], Path]) -> Image.Image:
    """Read the moment so large that its window fills the canvas."""
    left, top, right, bottom = cover.window
    lines = min(math.ceil(canvas.height / (bottom - top)), MOST_LINES)
    look = cover.sight.look
    (rgb,) = _read(source(look.asset), look.asset, [look.at], lines)
    height, width = rgb.shape[:2]
    box = (left * width, top * height, min(right * width, width), min(bottom * height, height))
    return Image.fromarray(rgb).resize(_size(canvas), Image.Resampling.LANCZOS, box=box)


def _size(canvas: Canvas) -> tuple[int, int]:
    return canvas.width, canvas.height
