"""What an order would show, as a contact sheet in seconds: nothing is spoken and nothing rendered.

Lengths are those that a voice is guessed to take. Where the library is too thin the sheet says so in red and goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from PIL import Image

from factory import picture_files
from factory.errors import FactoryError
from factory.order_facts import facts_of
from factory.plan.assemble import credits_of, slot_id, slots
from factory.plan.brief import CANVASES, FPS, Aspect, Brief
from factory.plan.choosing import NoShotForScene
from factory.plan.layer_parts import ImagePart
from factory.plan.scoring import LEAST_KEPT, fit_for, follows, hits, kept_share, speed_for
from factory.plan.selection import Candidate, Choice, Slot
from factory.plan.storyboard import CardPart, ClipPart, LayerPart, Storyboard
from factory.plan.timeline import Canvas, Fit, ImageLayer, Speech
from factory.plan.timing import SceneTiming, Spoken, narration, time_scenes
from factory.planning import beat_of, choose, nearest_of, place_in_series, read_filled
from factory.render.board_pictures import BoardPainter, Shown
from factory.render.board_sheet import Tile, draw_board, lacking, tile_size
from factory.render.phrases import speaking_seconds
from factory.render.stills import prepare
from factory.wiring import Parts
from understanding import media
from understanding.errors import MediaRefused

AT_ONCE = 2  # decoders


@dataclass(frozen=True, slots=True)
class Preview:
    """A sheet for each aspect; the scenes as plain data; `lacking` names the scenes that want a shot and get none."""

    sheets: Mapping[Aspect, Image.Image]
    scenes: tuple[Mapping[str, Any], ...]
    lacking: tuple[str, ...]
    seconds: float  # of the video, about
    took: float


@dataclass(frozen=True, slots=True)
class _Board:
    """A storyboard with the shots that it would get, and why the other places get none."""

    storyboard: Storyboard
    timings: tuple[SceneTiming, ...]
    slots: Mapping[str, Slot]
    choices: Mapping[str, Choice]
    missing: Mapping[str, str]

    def lacks(self, timing: SceneTiming) -> bool:
        """Does a place of this scene get no shot?"""
        return any(slot.scene == timing.scene.id for slot in self.slots.values() if slot.id in self.missing)

    def shown(self) -> tuple[SceneTiming, ...]:
        """Return the scenes that would be shown: an optional one only with all of its shots."""
        return tuple(timing for timing in self.timings if not (timing.scene.optional and self.lacks(timing)))

    def starts(self) -> dict[str, int]:
        """Return the program's frame at which each shown scene starts, by its id."""
        found, at = dict[str, int](), 0
        for timing in self.shown():
            found[timing.scene.id] = at
            at += timing.frames - timing.transition
        return found

    @property
    def seconds(self) -> float:
        shown = self.shown()
        return float(sum(t.frames for t in shown) - sum(t.transition for t in shown[:-1])) / float(FPS)


def preview(brief: Brief, parts: Parts) -> Preview:
    """Return what an order would show. Raises what `make` would refuse, but for a lack of footage."""
    began = time.perf_counter()
    board = _board(brief, parts)
    sheets = {aspect: _sheet(board, brief, aspect, parts, began) for aspect in dict.fromkeys(brief.aspects)}
    lacks = tuple(t.scene.id for t in board.timings if board.lacks(t) and not t.scene.optional)
    return Preview(sheets, tuple(_told(board, parts)), lacks, board.seconds, time.perf_counter() - began)


def _board(brief: Brief, parts: Parts) -> _Board:
    facts = facts_of(brief, parts)
    known = {"brief": brief, "facts": facts, "place": place_in_series(brief, parts)}
    storyboard = read_filled(parts.templates.storyboard(brief.template, known), facts, brief, parts)
    beat = beat_of(storyboard, brief)
    spoken = _guessed(storyboard)
    timings = time_scenes(storyboard, spoken, FPS, beat)
    wanted = slots(storyboard, spoken, fps=FPS, resolve=parts.taxonomy.resolve, nearest=nearest_of(parts), beat=beat)
    choices, missing = _chosen(wanted, brief, parts)
    return _Board(storyboard, timings, {slot.id: slot for slot in wanted}, choices, missing)


def _chosen(wanted: Sequence[Slot], brief: Brief, parts: Parts) -> tuple[dict[str, Choice], dict[str, str]]:
    """Return the shots that making would choose, and why each place that gets none is left open.

    What ends the making here costs only its own place.
    """
    slots, missing = list(wanted), dict[str, str]()
    while True:
        try:
            choices = {choice.slot.id: choice for choice in choose(slots, brief, parts)}
            break
        except NoShotForScene as refusal:
            missing[refusal.slot.id] = refusal.cause.partition(" wants ")[2] or refusal.cause
            slots = [slot for slot in slots if slot.id != refusal.slot.id]
    for slot in slots:
        if slot.id not in choices:
            missing[slot.id] = _why_none(slot, brief, parts)
    return choices, missing


def _guessed(storyboard: Storyboard) -> Spoken:
    """Return each sentence with the length that a voice is guessed to take."""
    spoken: dict[str, list[Speech]] = {}
    for line in narration(storyboard):
        seconds = Fraction(str(speaking_seconds(line.text, storyboard.locale))) / Fraction(str(line.rate))
        spoken.setdefault(line.scene, []).append(Speech(line.text, "", max(seconds, Fraction(1, 10))))
    return spoken


def _why_none(slot: Slot, brief: Brief, parts: Parts) -> str:
    try:
        choose([replace(slot, optional=False)], brief, parts)
    except NoShotForScene as refusal:
        return refusal.cause.partition(" wants ")[2] or refusal.cause
    return f"{slot.query_text or 'any shot'}: what fits is shown elsewhere in this video"


def _told(board: _Board, parts: Parts) -> Iterator[dict[str, Any]]:
    """Yield each scene as plain data."""
    starts = board.starts()
    for timing in board.timings:
        scene, start = timing.scene, starts.get(timing.scene.id)
        own = [slot.id for slot in board.slots.values() if slot.scene == scene.id]
        yield {
            "scene": scene.id,
            "start": None if start is None else round(float(start / FPS), 2),
            "seconds": round(float(timing.frames / FPS), 2),
            "optional": scene.optional,
            "said": scene.voice.text if scene.voice else "",
            "shots": [
                {
                    "shot": choice.candidate.shot,
                    "score": round(choice.score, 3),
                    "tags": [tag.tag for tag in hits(choice.slot.query, choice.candidate, parts.families)],
                }
                for choice in (board.choices[name] for name in own if name in board.choices)
            ],
            "missing": [board.missing[name] for name in own if name in board.missing],
        }


def _sheet(board: _Board, brief: Brief, aspect: Aspect, parts: Parts, began: float) -> Image.Image:
    storyboard, canvas = board.storyboard, CANVASES[aspect]
    size = tile_size(canvas)
    painter = BoardPainter(parts.templates, canvas, size, brand=brief.brand, locale=storyboard.locale)
    pictures = _footage(board.choices.values(), parts, lines=size[1])
    tiles = [tile for timing in board.timings for tile in _tiles(board, timing, painter, pictures, parts)]
    thin = [timing.scene.id for timing in board.timings if board.lacks(timing) and not timing.scene.optional]
    zh = storyboard.locale == "zh-CN"
    warning = f"缺镜头：{len(thin)} 场" if zh else f"no shot for {len(thin)} of {len(board.timings)} scenes"
    return draw_board(
        tiles,
        storyboard.title,
        f"{storyboard.template} | {storyboard.locale} | {aspect} | {brief.brand} | seed {brief.seed} | "
        f"about {board.seconds:.1f} s | drawn in {time.perf_counter() - began:.1f} s",
        warning=warning if thin else "",
    )


def _tiles(
    board: _Board,
    timing: SceneTiming,
    painter: BoardPainter,
    pictures: Mapping[str, Image.Image],
    parts: Parts,
) -> Iterator[Tile]:
    """Yield a tile for each shot of a scene, or one where it shows no footage by itself."""
    scene, start = timing.scene, board.starts().get(timing.scene.id)
    layers = [_with_credits(layer, board) for layer in scene.layers]
    main = next((n for n, layer in enumerate(layers) if isinstance(layer, ClipPart) and layer.inset is None), None)
    bounds = timing.shots[main] if main is not None else (0, timing.frames)
    notes, zh = _stills(layers, painter, parts), board.storyboard.locale == "zh-CN"
    for shot, (first, end) in enumerate(pairwise(bounds)):
        named = {n: slot_id(scene.id, n, shot if n == main else 0) for n in timing.shots}
        footage = {
            n: Shown(pictures[name], _fit(layers[n], board.choices[name].candidate, painter.canvas))
            for n, name in named.items()
            if name in pictures
        }
        footage.update(notes.pictures)
        picture, wrong = painter.paint(layers, footage)
        lacks = [board.missing[name] for name in named.values() if name in board.missing]
        if main is not None and named[main] in board.missing:
            picture = lacking(painter.size, "缺镜头" if zh else "no shot", needed=not scene.optional)
        choice = board.choices.get(named[main]) if main is not None else None
        yield Tile(
            name=scene.id + (f" {shot + 1}/{len(bounds) - 1}" if len(bounds) > 2 else "") + _marks(board, timing),
            times=_times(start, first, end),
            picture=picture,
            said=scene.voice.text if scene.voice and not shot else "",
            hits=_hit(choice, parts, zh=zh) if choice else "",
            score=f"shot {choice.candidate.shot} | {choice.score:.2f} | {choice.candidate.title}" if choice else "",
            notes=(*lacks, *wrong, *notes.wrong),
            needed=not (scene.optional and lacks),
        )


@dataclass(frozen=True, slots=True)
class _Stills:
    pictures: Mapping[int, Shown]
    wrong: tuple[str, ...]


def _stills(layers: Sequence[LayerPart], painter: BoardPainter, parts: Parts) -> _Stills:
    """Return the still pictures of a scene by their layers, and why others cannot be shown."""
    pictures, wrong = dict[int, Shown](), list[str]()
    for number, layer in enumerate(layers):
        if isinstance(layer, ImagePart):
            try:
                pictures[number] = Shown(_still(layer, painter.size, parts), "cover")
            except FactoryError as refusal:
                wrong.append(refusal.cause)
    return _Stills(pictures, tuple(wrong))


def _still(layer: ImagePart, size: tuple[int, int], parts: Parts) -> Image.Image:
    known = picture_files.picture(layer.file, parts)
    canvas = Canvas(size[0] // 2 * 2, size[1] // 2 * 2)
    kept = kept_share(known.width, known.height, Fraction(canvas.width, canvas.height))
    fit = layer.fit if layer.fit != "auto" else "cover" if kept >= LEAST_KEPT else "contain-blur"
    shown = ImageLayer(known.asset, 0, 1, fit, ground=layer.ground)
    path = parts.files.path(known.asset)
    return Image.open(prepare(shown, path, canvas, parts.files.cached, name=layer.file).file).convert("RGB")


def _fit(layer: LayerPart, shot: Candidate, canvas: Canvas) -> Fit:
    """Return how a shot would be fitted; whether a car in it can be followed is only seen when it is made."""
    asked = layer.fit if isinstance(layer, ClipPart) else "auto"
    if asked != "auto":
        return asked
    return "track" if follows(shot, canvas) else fit_for(shot.width, shot.height, canvas)


def _with_credits(layer: LayerPart, board: _Board) -> LayerPart:
    """Fill a card of credits with the lines of the footage, as the finished video has them."""
    if isinstance(layer, CardPart) and layer.type == "credits" and layer.data.get("footage") == []:
        lines = list(credits_of(list(board.choices.values())))
        return layer.model_copy(update={"data": {**layer.data, "footage": lines}})
    return layer


def _marks(board: _Board, timing: SceneTiming) -> str:
    if not timing.scene.optional:
        return ""
    zh = board.storyboard.locale == "zh-CN"
    if board.lacks(timing):
        return "（略去）" if zh else " (left out)"
    return "（可略）" if zh else " (optional)"


def _times(start: int | None, first: int, end: int) -> str:
    if start is None:
        return f"{float((end - first) / FPS):.1f} s"
    return f"{float((start + first) / FPS):.1f}–{float((start + end) / FPS):.1f} s"


def _hit(choice: Choice, parts: Parts, *, zh: bool) -> str:
    found = hits(choice.slot.query, choice.candidate, parts.families)
    said = [f"{_name_of(tag.tag, parts, zh=zh)} {tag.confidence:.2f}" for tag in found]
    return " · ".join(said) or "; ".join(reason.why for reason in choice.reasons[:2])


def _name_of(tag: str, parts: Parts, *, zh: bool) -> str:
    """A tag that has left the taxonomy keeps its bare name."""
    if tag not in parts.taxonomy:
        return tag
    return parts.taxonomy[tag].zh if zh else parts.taxonomy[tag].en


def _footage(choices: Iterable[Choice], parts: Parts, *, lines: int) -> dict[str, Image.Image]:
    """Return the middle of what each slot would show; a clip that cannot be read has none. Kept for the next look."""

    def picture(choice: Choice) -> tuple[str, Image.Image | None]:
        shot, seconds = choice.candidate, choice.slot.seconds * (speed_for(choice.slot, choice.candidate) or 1)
        middle = shot.start + choice.offset + seconds / 2

        def draw(target: Any) -> None:
            frames = media.read_frames(parts.files.path(shot.asset), times=[middle], height=lines)
            Image.fromarray(frames.rgb[0]).save(target, "JPEG", quality=88)

        try:
            kept = parts.files.cached(f"board 1 {shot.asset} {middle} {lines}", ".jpg", draw)
        except (MediaRefused, FactoryError):
            return choice.slot.id, None
        return choice.slot.id, Image.open(kept).convert("RGB")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {name: image for name, image in pool.map(picture, choices) if image is not None}
