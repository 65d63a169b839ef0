"""Tracks as an edit decision list of CMX 3600: one picture track, up to three of sound, dissolves and speeds.

Written here and read back by OpenTimelineIO's adapter in tests: that adapter writes the source range of a clip at
another speed divided by it where the machines want it multiplied, and forgets it behind a dissolve.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from factory.plan.cutting import Crossing, Item, Tracks
from factory.plan.timeline import Timeline
from factory.render.cutting_otio import Medium

CHANNELS = ("A", "A2", "A3")
TITLE_LETTERS = 70


@dataclass(frozen=True, slots=True)
class _Event:
    """Program frames [start, end) that show `item`; a dissolve of `dissolve` frames leads into it from `before`."""

    channel: str
    item: Item
    start: int
    end: int
    dissolve: int = 0
    before: Item | None = None


def as_edl(timeline: Timeline, tracks: Tracks, media: Mapping[str, Medium]) -> str:
    """Return the program as a CMX 3600 list; files are named in comments, each has a reel of its own."""
    lowest = tracks.pictures[0] if tracks.pictures else ()
    events = [*_pictures(lowest, tracks.crossings)]
    for channel, items in zip(CHANNELS, tracks.heard, strict=False):
        events += [_Event(channel, item, item.start, item.end) for item in items]
    reels = {medium: f"AR{number:04d}" for number, medium in enumerate(sorted({e.item.medium for e in events}), 1)}
    writer = _Writer(timeline.canvas.fps, reels, media)
    title = " ".join(timeline.title.split())[:TITLE_LETTERS]
    body = [line for number, event in enumerate(events, 1) for line in writer.lines(number, event)]
    return "\n".join([f"TITLE: {title}", "FCM: NON-DROP FRAME", "", *body, ""])


def _pictures(items: Sequence[Item], crossings: Sequence[Crossing]) -> Iterator[_Event]:
    """Yield the events of the picture: a clip that is dissolved into begins with the dissolve."""
    cuts = {crossing.at: crossing for crossing in crossings}
    for number, item in enumerate(items):
        into, out = cuts.get(item.start), cuts.get(item.end)
        start = item.start - (into.before if into else 0)
        end = item.end - (out.before if out else 0)
        if into:
            yield _Event("V", item, start, end, into.before + into.after, items[number - 1])
        else:
            yield _Event("V", item, start, end)


class _Writer:
    """Writes the lines of an event."""

    def __init__(self, fps: Fraction, reels: Mapping[str, str], media: Mapping[str, Medium]) -> None:
        self._fps, self._reels, self._media = fps, reels, media
        self._nominal = round(fps)

    def lines(self, number: int, event: _Event) -> Iterator[str]:
        item = event.item
        if event.before is not None:
            # the clip before, for no time, where the dissolve begins
            yield self._edit(number, event.before, "V     C", event.start, event.start)
            yield self._edit(number, item, f"V     D    {event.dissolve:03d}", event.start, event.end)
            yield f"* FROM CLIP NAME:  {self._file(event.before)}"
            yield f"* TO CLIP NAME:  {self._file(item)}"
        else:
            yield self._edit(number, item, f"{event.channel:<5} C", event.start, event.end)
            yield f"* FROM CLIP NAME:  {self._file(item)}"
        if item.speed != 1:
            speed = f"{float(item.speed * self._nominal):05.1f}"
            yield f"M2   {self._reels[item.medium]}       {speed}                {self._source(item, event.start)}"
        yield f"* SOURCE FILE: {self._media[item.medium].path}"

    def _edit(self, number: int, item: Item, how: str, start: int, end: int) -> str:
        source_in = round(max(item.read_from(start, self._fps), Fraction(0)) * self._fps)
        source_out = source_in + round((end - start) * item.speed)
        times = " ".join(self._clock(frame) for frame in (source_in, source_out, start, end))
        return f"{number:03d}  {self._reels[item.medium]:<8} {how:<14} {times}"

    def _source(self, item: Item, start: int) -> str:
        return self._clock(round(max(item.read_from(start, self._fps), Fraction(0)) * self._fps))

    def _file(self, item: Item) -> str:
        return self._media[item.medium].path.rpartition("/")[2]

    def _clock(self, frame: int) -> str:
        seconds, rest = divmod(frame, self._nominal)
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{rest:02d}"
