"""The numbers of a finished video, read from its pictures and held against the table that the checker reads itself.

Of a card three things are asked. Each figure that it states of a row is the table's own number for that row. Each
number that stands on it is one that the table gives. And each is read on the finished picture, once the card has
settled: text recognition sees the frame, crop and all, and knows nothing of what should be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from factory.brief_set.truth import TENS, Shown, Truth, is_told_by, numbers_in
from factory.plan.timeline import CardLayer, Cue, Timeline
from factory.render.captions_ass import program_cues
from factory.render.layout import layout_for
from factory.render.overlays import Sheet, read_sheet
from factory.render.templates import Templates
from understanding.burnt_in import TextReader
from understanding.media import probe, read_frames

Picture = NDArray[np.uint8]
LOOKS: Final = (
    Fraction(1, 2),
    Fraction(4, 5),
    Fraction(1, 5),
)  # moments of a card's rest that are read, till all is seen
TILE: Final = 640  # pixels of a closer look, for what the whole crop did not give
WITHOUT_FIGURES: Final = frozenset({"ai_label", "sample_badge", "watermark", "ident"})


@dataclass(frozen=True, slots=True)
class Wrong:
    """A number on screen that is not right: at which frame of the video, on what, and why."""

    frame: int
    where: str
    number: str
    why: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many numbers of a video were checked, and those that are wrong."""

    checked: int = 0
    wrong: tuple[Wrong, ...] = ()


@dataclass(frozen=True, slots=True)
class Stated:
    """What a card states: the figure `what` of the row called `name`, as `text` with its unit."""

    name: str
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Text that stands still for a while: frames [first, last) of the video, the box (pixels) around it, its lines."""

    where: str
    first: int
    last: int
    box: tuple[int, int, int, int]
    lines: tuple[str, ...]
    states: tuple[Stated, ...] = ()


def check_numbers(
    video: Path, timeline: Timeline, truths: Sequence[Truth], templates: Templates, reader: TextReader
) -> Numbers:
    """Check every number that stands on the cards and in the captions of a video."""
    checked, wrong = 0, list[Wrong]()
    known = frozenset(number for truth in truths for number in truth.known())
    height = probe(video).height
    for text in texts_of(timeline, templates):
        numbers = tuple(number for line in text.lines for number in numbers_in(line))
        if not numbers:
            continue
        middle = (text.first + text.last) // 2
        checked += len(numbers)
        wrong += [Wrong(middle, text.where, *told) for told in misstated(text.states, truths)]
        strange = [number for number in numbers if not any(is_told_by(one, known) for one in _readings(number, text))]
        wrong += [Wrong(middle, text.where, number.text, "no table gives it") for number in strange]
        lost = unread(video, text, numbers, timeline=timeline, reader=reader, height=height)
        wrong += [Wrong(middle, text.where, number.text, "it is not read on the picture") for number in lost]
    return Numbers(checked, tuple(wrong))


def _readings(number: Shown, text: Text) -> Iterator[Shown]:
    """Yield what a number may mean: itself, or ten thousands where a card sets that unit apart (23.98 → 24.48 万元)."""
    yield number
    for word, size in TENS.items():
        if any(line.startswith(word) for line in text.lines):
            yield Shown(number.text, number.value * size, number.step * size)


def misstated(states: Sequence[Stated], truths: Sequence[Truth]) -> Iterator[tuple[str, str]]:
    """Yield (text, why) of what is stated otherwise than in the first table that tells of it."""
    for stated in states:
        cells = (truth.cell(stated.name, stated.what) for truth in truths)
        told, right = numbers_in(stated.text), next((cell for cell in cells if cell is not None), None)
        if right is None:
            yield stated.text, f"no table states the {stated.what} of {stated.name!r}"
        elif len(told) != 1 or told[0].value != right:
            yield stated.text, f"the table says {right} for {stated.what} of {stated.name!r}"


def unread(
    video: Path, text: Text, numbers: Sequence[Shown], *, timeline: Timeline, reader: TextReader, height: int
) -> tuple[Shown, ...]:
    """Return the numbers that are read on none of the settled pictures."""
    left = list(numbers)
    for look in LOOKS:
        frame = text.first + int((text.last - 1 - text.first) * look)
        picture = frame_of(video, frame, timeline, height)
        crop = _cropped(picture, text.box, timeline)
        for part in (crop, *_tiles(crop)):
            seen = [shown for line in reader.lines(part) for shown in numbers_in(line.text)]
            left = [number for number in left if not any(_same(number, other) for other in seen)]
            if not left:
                return ()
    return tuple(left)


def frame_of(video: Path, frame: int, timeline: Timeline, height: int) -> Picture:
    """Return one frame (H, W, 3) of a finished video, as it is."""
    at = Fraction(2 * frame + 1, 2) / timeline.canvas.fps
    return np.asarray(read_frames(video, times=[at], height=height).rgb[0])


def texts_of(timeline: Timeline, templates: Templates) -> Iterator[Text]:
    """Yield the cards and captions of a video, each with the frames in which it stands still and alone."""
    overlap = 0
    for scene, begins in zip(timeline.scenes, timeline.scene_starts(), strict=True):
        leaving = scene.transition.frames if scene.transition else 0
        for layer in scene.layers:
            if isinstance(layer, CardLayer) and layer.card not in WITHOUT_FIGURES:
                first = max(layer.start + layer.enter + 1, overlap)
                last = min(layer.start + layer.frames - layer.leave, scene.frames - leaving)
                if first < last:
                    where = f"{layer.card} of scene {scene.id}"
                    still = {"first": begins + first, "last": begins + last}
                    yield _card(layer, where, **still, timeline=timeline, templates=templates)
        overlap = leaving
    yield from (_caption(cue, timeline) for cue in program_cues(timeline))


def _card(layer: CardLayer, where: str, *, first: int, last: int, timeline: Timeline, templates: Templates) -> Text:
    svg = templates.card(
        layer.card, data=layer.data, canvas=timeline.canvas, brand=timeline.brand, locale=timeline.locale, progress=1.0
    )
    lines = _sources(layer.data) if layer.card == "credits" else _written(svg)
    return Text(where, first, last, _box(read_sheet(svg, where)), lines, tuple(stated_on(layer.card, layer.data)))


def _caption(cue: Cue, timeline: Timeline) -> Text:
    layout = layout_for(timeline.canvas)
    box = (0, layout.floor, timeline.canvas.width, timeline.canvas.height)
    return Text(f"the caption {' '.join(cue.lines)!r}", cue.start + 1, cue.end, box, cue.lines)


def stated_on(card: str, data: Mapping[str, Any]) -> Iterator[Stated]:
    """Yield what a card's data say of which row."""
    match card:
        case "rank_card":
            yield from _place(data)
        case "table_card":
            for row in data["rows"]:
                yield from _place(row)
        case "spec_card":
            for spec in data["specs"]:
                yield Stated(data["name"], spec["label"], f"{spec['value']}{spec.get('unit', '')}")
        case "compare_card":
            for entry in data["entries"]:
                if entry["value"]:
                    yield Stated(entry["name"], data["title"], f"{entry['value']}{entry.get('unit', '')}")
        case "price_card":
            for what in ("old", "new"):
                yield Stated(data["name"], what, f"{data[what]['value']}{data[what].get('unit', '')}")


def _place(row: Mapping[str, Any]) -> Iterator[Stated]:
    yield Stated(row["name"], "rank", str(row["rank"]))
    yield Stated(row["name"], "value", str(row["value"]))


def _sources(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the lines of the credits that tell of data; those of footage hold names and licences, no figures."""
    return tuple(map(str, data.get("data", ())))


def _written(svg: str) -> tuple[str, ...]:
    root = ElementTree.fromstring(svg)  # noqa: S314  our own template's output, data escaped
    found = (element for element in root.iter() if element.tag.rpartition("}")[2] == "text")
    return tuple("".join(element.itertext()).strip() for element in found)


def _box(sheet: Sheet) -> tuple[int, int, int, int]:
    return int(sheet.left), int(sheet.top), int(sheet.left + sheet.width) + 1, int(sheet.top + sheet.height) + 1


def _cropped(picture: Picture, box: tuple[int, int, int, int], timeline: Timeline) -> Picture:
    """Return the part of a picture that a box of the canvas covers; a draft is smaller than its canvas."""
    scale = picture.shape[0] / timeline.canvas.height
    left, top, right, bottom = (max(0, round(side * scale)) for side in box)
    return picture[top:bottom, left:right]


def _tiles(picture: Picture) -> Iterator[Picture]:
    """Yield closer looks: pieces that overlap by half, each as large as the text reader takes them unshrunk."""
    height, width = picture.shape[:2]
    if max(height, width) <= TILE:
        return
    for top in range(0, max(height - TILE // 2, 1), TILE // 2):
        for left in range(0, max(width - TILE // 2, 1), TILE // 2):
            yield picture[top : top + TILE, left : left + TILE]


def _same(one: Shown, other: Shown) -> bool:
    """Say whether a recognised number is this one, with or without the unit of ten thousands that may stand apart; of
    grouped digits, the comma may have been taken for a point."""
    if one.value == other.value or one.text == other.text:
        return True
    return "," in one.text and _digits(one.text) == _digits(other.text)


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())
