"""Shots encoded once in the house format, so that what shows a shot and nothing else is copied, not encoded again.

A mezzanine is a file of footage in closed groups of half a second, as the film's own encoder writes them, in blocks of
a few seconds that are kept by content like any chunk. A stretch of a scene without cards, captions or transition takes
whole groups from it; what is left at both ends is encoded. What is copied follows from the timeline and the settings
alone: a block that is missing is made. Under a watermark nothing is copied, since it lies over every frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final

from factory.plan.timeline import Canvas
from factory.render.command import FfmpegCommand
from factory.render.footage import Footage
from factory.render.graph import Chunk, Part, Window, compile_chunk, ground_of
from factory.render.probe import Encoder

GROUP: Final = Fraction(1, 2)  # seconds
BLOCK: Final = 10  # groups


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames [first, first + frames) of what a chunk makes: all of it, or some groups of a mezzanine (`copied`)."""

    chunk: Chunk
    first: int
    frames: int
    copied: bool = False


def group_frames(fps: Fraction) -> int:
    """Return the frames of a group; 0 where half a second is not a whole number of them."""
    frames = GROUP * fps
    return frames.numerator if frames.denominator == 1 else 0


def whole(chunks: Iterable[Chunk]) -> list[Stretch]:
    """Return each chunk as a stretch of its own."""
    return [Stretch(chunk, 0, chunk.frames) for chunk in chunks]


def copying(chunks: Iterable[Chunk], canvas: Canvas) -> list[Stretch]:
    """Return the same frames with every group that a mezzanine has copied from it."""
    size = group_frames(canvas.fps)
    if not size:
        return whole(chunks)
    return [stretch for chunk in chunks for stretch in _parted(chunk, canvas.fps, size)]


def blocks_of(footage: Footage, fps: Fraction) -> list[Stretch]:
    """Return the blocks of the mezzanine of all of a file, shown as `footage` shows it."""
    size = group_frames(fps)
    groups = _groups(footage, fps, size) if size else 0
    blocks = [_block(footage, number, groups, fps, size) for number in range(-(-groups // BLOCK))]
    return [Stretch(block, 0, block.frames, copied=True) for block in blocks]


def command_of(stretch: Stretch, canvas: Canvas, encoder: Encoder, *, draft: bool = False) -> FfmpegCommand:
    """Return the command that makes what a stretch is taken from."""
    group = group_frames(canvas.fps) if stretch.copied else 0
    return compile_chunk(stretch.chunk, canvas, encoder.arguments(canvas.fps, draft=draft, group=group))


def _parted(chunk: Chunk, fps: Fraction, size: int) -> Iterator[Stretch]:
    """Part a chunk into what is encoded and what is copied, in order."""
    window, at = chunk.windows[0], chunk.windows[0].start
    if not (chunk.transition or chunk.captions or chunk.mark):
        for bare in _bare(window):
            for copied, start in _copied(*bare, fps, size):
                if start > at:
                    yield _encoded(chunk, at, start)
                yield copied
                at = start + copied.frames
    end = window.start + chunk.frames
    if at == window.start:
        yield Stretch(chunk, 0, chunk.frames)
    elif at < end:
        yield _encoded(chunk, at, end)


def _encoded(chunk: Chunk, start: int, end: int) -> Stretch:
    """Encode frames [start, end) of the scene."""
    window = replace(chunk.windows[0], start=start, frames=end - start)
    return Stretch(replace(chunk, windows=(window,), frames=end - start), 0, end - start)


def _bare(window: Window) -> Iterator[tuple[Footage, int, int]]:
    """Yield footage and the frames of the scene [start, end) in which nothing lies over it."""
    spans, above = ground_of(window)
    for ground, start, end in spans:
        if not isinstance(ground, Footage) or not _is_plain(ground):
            continue
        edges = {start, end}
        for part in above:
            edges |= {min(max(edge, start), end) for edge in (part.layer.start, part.layer.start + part.layer.frames)}
        for low, high in pairwise(sorted(edges)):
            if not any(_shown(part, low) for part in above):
                yield ground, low, high


def _shown(part: Part, frame: int) -> bool:
    return part.layer.start <= frame < part.layer.start + part.layer.frames


def _copied(footage: Footage, start: int, end: int, fps: Fraction, size: int) -> Iterator[tuple[Stretch, int]]:
    """Yield what is copied of a bare stretch, block by block, and the scene's frame where each begins."""
    origin = footage.layer.source_start * fps - footage.layer.start  # the file's frame at the scene's frame 0
    if origin.denominator != 1:
        return
    groups = _groups(footage, fps, size)
    low, high = -(-(origin.numerator + start) // size), min((origin.numerator + end) // size, groups)
    while low < high:
        number = low // BLOCK
        until = min(high, (number + 1) * BLOCK)
        block = _block(footage, number, groups, fps, size)
        yield (
            Stretch(block, (low - number * BLOCK) * size, (until - low) * size, copied=True),
            low * size - origin.numerator,
        )
        low = until


def _is_plain(footage: Footage) -> bool:
    return footage.layer.speed == 1 and footage.faces is None and footage.follow is None and not footage.source.raw


def _groups(footage: Footage, fps: Fraction, size: int) -> int:
    """Return how many whole groups a file has."""
    return int(footage.source.seconds * fps // size)


def _block(footage: Footage, number: int, groups: int, fps: Fraction, size: int) -> Chunk:
    """Return the chunk that makes a block; it is the same wherever its file is shown in the same way."""
    frames = min(BLOCK, groups - number * BLOCK) * size
    layer = replace(
        footage.layer, source_start=number * BLOCK * size / fps, start=0, frames=frames, sound_db=None, shot=0
    )
    return Chunk(f"mezzanine of {layer.asset[:12]}", (Window((replace(footage, layer=layer),), 0, frames),), frames)
