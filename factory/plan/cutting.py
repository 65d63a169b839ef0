"""A timeline as tracks of a cutting room: scenes laid end to end, one layer an item, transitions on the lowest track.

Everything is in whole frames of the program, half-open. A scene's transition overlaps the next scene in a timeline; on
a track the two meet at a cut in the middle of the overlap, and the transition reaches over what both leave behind it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction

from factory.plan.timeline import CardLayer, ClipLayer, ColorLayer, ImageLayer, Layer, TimedScene, Timeline

MUSIC = "music"  # the medium of the music, of which there is one


@dataclass(frozen=True, slots=True)
class Item:
    """A stretch of one medium on a track: frames [start, start + frames) of the program.

    It shows its medium from `source_start` seconds on, at `speed`; `gain_db` is what the plan gives its sound. `medium`
    is the sha256 of a file of the store, or the name of what is made for the cutting room.
    """

    medium: str
    start: int
    frames: int
    scene: str
    source_start: Fraction = Fraction(0)
    speed: Fraction = Fraction(1)
    gain_db: float = 0.0
    layer: Layer | None = None

    @property
    def end(self) -> int:
        return self.start + self.frames

    def read_from(self, frame: int, fps: Fraction) -> Fraction:
        """Return the second of the medium that stands at a program frame, which may lie beside the item."""
        return self.source_start + Fraction(frame - self.start) / fps * self.speed


@dataclass(frozen=True, slots=True)
class Crossing:
    """A transition on the lowest picture track, around the cut at program frame `at`: `before` frames of it come
    earlier, `after` later."""

    at: int
    before: int
    after: int
    name: str


@dataclass(frozen=True, slots=True)
class Tracks:
    """The program on tracks, pictures from the bottom up. Items of one track are in order and do not overlap.

    `heard` are the sound tracks: the voice, the clips' own sound (on as many tracks as sound at once), the music.
    `left_out` names what has no place: transitions that lack a neighbour, layers that show only while pictures blend.
    """

    pictures: tuple[tuple[Item, ...], ...]
    crossings: tuple[Crossing, ...]
    voice: tuple[Item, ...]
    natural: tuple[tuple[Item, ...], ...]
    music: tuple[Item, ...]
    marks: tuple[tuple[str, int, int], ...]  # scene, start, frames
    left_out: tuple[str, ...] = ()

    @property
    def heard(self) -> tuple[tuple[Item, ...], ...]:
        first, *more = self.natural or ((),)
        return (self.voice, first, self.music, *more)


def drawn_name(layer: CardLayer | ColorLayer) -> str:
    """Return the name of the picture of a card or a ground: the same content, the same name."""
    what = layer.card if isinstance(layer, CardLayer) else "ground"
    content = [layer.card, dict(layer.data)] if isinstance(layer, CardLayer) else [layer.color, layer.to]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return f"{what}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def lay(timeline: Timeline) -> Tracks:
    """Return the tracks of a timeline; nothing of it is lost but what `left_out` names and what tracks cannot say."""
    windows = list(_windows(timeline))
    stacked: list[list[Item]] = []
    left_out: list[str] = []
    for scene, begins, window in zip(timeline.scenes, timeline.scene_starts(), windows, strict=True):
        for number, layer in enumerate(scene.layers):
            item = _cut_to(_item(scene, layer, begins), window, timeline.canvas.fps)
            if item is None:
                left_out.append(f"layer {number} of scene {scene.id!r}, which shows only while pictures blend")
            else:
                _stack(item, stacked)
    if timeline.watermark:
        stacked.append(list(_marked(timeline, windows)))
    pictures = tuple(tuple(sorted(track, key=lambda item: item.start)) for track in stacked)
    crossings = tuple(_crossings(timeline, pictures[0] if pictures else (), left_out))
    voice, *beside = _lanes(_spoken(timeline)) or [()]
    left_out += [f"the voice of scene {item.scene!r}, which another one covers" for lane in beside for item in lane]
    audible = [
        replace(item, gain_db=item.layer.sound_db)
        for track in pictures
        for item in track
        if isinstance(item.layer, ClipLayer) and item.layer.sound_db is not None
    ]
    music = (Item(MUSIC, 0, timeline.frames, "", gain_db=timeline.music.gain_db),) if timeline.music else ()
    marks = tuple((scene.id, start, end - start) for scene, (start, end) in zip(timeline.scenes, windows, strict=True))
    return Tracks(pictures, crossings, voice, tuple(_lanes(audible)), music, marks, tuple(left_out))


def _windows(timeline: Timeline) -> Iterator[tuple[int, int]]:
    """Yield the frames of the program that each scene owns, from cut to cut."""
    starts = timeline.scene_starts()
    at = 0
    for scene, begins in zip(timeline.scenes, starts, strict=True):
        overlap = scene.transition.frames if scene.transition else 0
        end = begins + scene.frames - overlap + overlap // 2
        yield at, end
        at = end


def _stack(item: Item, stacked: list[list[Item]]) -> None:
    """Lay an item on the lowest track above all that it overlaps; cards never lie lowest."""
    under = [n for n, track in enumerate(stacked) for one in track if one.start < item.end and item.start < one.end]
    place = max(under, default=-1) + 1
    if place == 0 and not _fills(item.layer):
        place = 1
    stacked.extend([] for _ in range(place + 1 - len(stacked)))
    stacked[place].append(item)


def _fills(layer: Layer | None) -> bool:
    """Return whether a layer fills the picture."""
    return isinstance(layer, ColorLayer) or (isinstance(layer, ClipLayer | ImageLayer) and layer.inset is None)


def _item(scene: TimedScene, layer: Layer, begins: int) -> Item:
    start = begins + layer.start
    match layer:
        case ClipLayer():
            return Item(layer.asset, start, layer.frames, scene.id, layer.source_start, layer.speed, layer=layer)
        case ImageLayer():
            return Item(layer.asset, start, layer.frames, scene.id, layer=layer)
    return Item(drawn_name(layer), start, layer.frames, scene.id, layer=layer)


def _cut_to(item: Item, window: tuple[int, int], fps: Fraction) -> Item | None:
    start, end = max(item.start, window[0]), min(item.end, window[1])
    if start >= end:
        return None
    moved = item.read_from(start, fps) if isinstance(item.layer, ClipLayer) else item.source_start
    return replace(item, start=start, frames=end - start, source_start=moved)


def _marked(timeline: Timeline, windows: Sequence[tuple[int, int]]) -> Iterator[Item]:
    """Yield the watermark over every stretch of scenes that show it."""
    assert timeline.watermark is not None
    start: int | None = None
    for scene, window in zip(timeline.scenes, windows, strict=True):
        if scene.bare:
            if start is not None:
                yield _watermark(timeline, start, window[0])
            start = None
        elif start is None:
            start = window[0]
    if start is not None:
        yield _watermark(timeline, start, timeline.frames)


def _watermark(timeline: Timeline, start: int, end: int) -> Item:
    assert timeline.watermark is not None
    layer = CardLayer("watermark", asdict(timeline.watermark), 0, end - start, enter=0, leave=0)
    return Item(drawn_name(layer), start, end - start, "", layer=layer)


def _crossings(timeline: Timeline, lowest: Sequence[Item], left_out: list[str]) -> Iterator[Crossing]:
    """Yield the transitions that have a picture on both sides, long enough for what reaches into it."""
    ends, starts = {item.end: item for item in lowest}, {item.start: item for item in lowest}
    taken: dict[int, int] = {}  # frames at the head of the item that starts here which a transition has
    for scene, following in zip(timeline.scenes, timeline.scene_starts()[1:], strict=False):
        if scene.transition is None:
            continue
        before = scene.transition.frames // 2
        after = scene.transition.frames - before
        at = following + before
        one, other = ends.get(at), starts.get(at)
        if one is None or other is None or one.frames - taken.get(one.start, 0) < before or other.frames < after:
            left_out.append(f"the transition {scene.transition.name} after scene {scene.id!r}")
            continue
        taken[at] = after
        yield Crossing(at, before, after, scene.transition.name)


def _spoken(timeline: Timeline) -> Iterator[Item]:
    fps = timeline.canvas.fps
    for scene, begins in zip(timeline.scenes, timeline.scene_starts(), strict=True):
        for line in scene.lines:
            start = begins + line.start
            frames = min(round(line.speech.seconds * fps), timeline.frames - start)
            if frames > 0:
                yield Item(line.speech.file, start, frames, scene.id)


def _lanes(items: Iterable[Item]) -> list[tuple[Item, ...]]:
    """Put items on as few tracks as hold them without overlap, the earlier ones first."""
    lanes: list[list[Item]] = []
    for item in sorted(items, key=lambda one: (one.start, one.end)):
        free = next((lane for lane in lanes if lane[-1].end <= item.start), None)
        if free is None:
            lanes.append([item])
        else:
            free.append(item)
    return [tuple(lane) for lane in lanes]
