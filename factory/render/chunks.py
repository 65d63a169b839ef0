"""The timeline cut into pieces that one small ffmpeg process each can make, kept by content and joined by copying.

Pieces are the bodies of scenes, cut again where the footage at the bottom changes, and the joints: the overlap of a
transition. A piece's key says everything that decides its frames and no more: an edit repeats only what it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from factory.plan.timeline import Canvas, Timeline
from factory.render.command import FfmpegCommand, digest_of
from factory.render.errors import RenderFailed, TimelineImpossible, disk_full_named
from factory.render.ffmpeg import LIMITS, run, version
from factory.render.graph import Chunk, Part, Window, ground_of
from factory.render.overlays import Cached, Drawing
from factory.render.transitions import xfade_name

PROGRAM = 1  # raised whenever the same command would give other frames
Way = tuple[FfmpegCommand, tuple[Path, ...]]  # a command, and the files that it writes beside its output
REORDER = 2  # frames by which an encoder may hand out pictures late (B-frames that refer to B-frames)


def check(timeline: Timeline) -> None:
    """Raise `TimelineImpossible` where scenes, overlaps and canvas do not fit together."""
    canvas = timeline.canvas
    if not timeline.scenes:
        raise _impossible("it has no scene")
    if canvas.width % 2 or canvas.height % 2 or not (16 <= canvas.width <= 8192 and 16 <= canvas.height <= 8192):
        raise _impossible(f"its canvas is {canvas.width} x {canvas.height}; sides are even, 16 to 8192 pixels")
    if timeline.scenes[-1].transition:
        raise _impossible(f"its last scene {timeline.scenes[-1].id!r} has a transition, and nothing follows")
    before = 0
    for scene in timeline.scenes:
        after = scene.transition.frames if scene.transition else 0
        if scene.transition and after < 1:
            raise _impossible(f"the transition of scene {scene.id!r} has {after} frames")
        if scene.frames < max(before + after, 1):
            raise _impossible(f"scene {scene.id!r} has {scene.frames} frames, its transitions take {before} + {after}")
        before = after


def cut(
    timeline: Timeline,
    parts: Sequence[tuple[Part, ...]],
    captions: Callable[[int, int], str],
    mark: Drawing | None = None,
) -> list[Chunk]:
    """Cut the timeline. The chunks' frames add up to the timeline's.

    `parts` are each scene's layers with what they show; `captions(start, end)` writes the ASS script of program frames
    [start, end), empty where nothing is said. `mark` is the watermark.
    """
    chunks: list[Chunk] = []
    at = 0

    def add(name: str, windows: tuple[Window, ...], transition: str = "", *, marked: bool) -> None:
        nonlocal at
        frames = windows[0].frames
        chunks.append(Chunk(name, windows, frames, transition, captions(at, at + frames), mark if marked else None))
        at += frames

    begun = 0  # frames of this scene that the joint before it has shown
    for number, scene in enumerate(timeline.scenes):
        overlap = scene.transition.frames if scene.transition else 0
        body = Window(parts[number], begun, scene.frames - overlap - begun)
        for window in _at_cuts(body):
            add(f"scene {scene.id}", (window,), marked=not scene.bare)
        if scene.transition:
            windows = (Window(parts[number], scene.frames - overlap, overlap), Window(parts[number + 1], 0, overlap))
            following = timeline.scenes[number + 1]
            name = f"joint of {scene.id} and {following.id}"
            add(name, windows, xfade_name(scene.transition.name), marked=not (scene.bare and following.bare))
        begun = overlap
    return chunks


def _at_cuts(body: Window) -> Iterator[Window]:
    """Cut a body where one piece of footage follows another: an encoder starts a new group there anyway."""
    if body.frames < 1:
        return
    spans, _ = ground_of(body)
    edges = [body.start, *(end for _, _, end in spans)]
    for start, end in pairwise(edges):
        yield Window(body.parts, start, end - start)


def key_of(command: FfmpegCommand) -> str:
    """Return the cache key of what `command` makes."""
    return f"chunk-{digest_of([PROGRAM, version(), command.digest()])}"


def make_chunk(
    command: FfmpegCommand,
    cached: Cached,
    *,
    name: str,
    way: Callable[[], Way] | None = None,
    on_progress: Callable[[int], None] = lambda _frames: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Path, bool]:
    """Return the file of a chunk, and whether it had to be made. Its pictures are counted before it is kept.

    `way` is asked, where it has to be made, for another command with the same pictures than `command`.
    """
    made = False

    def make(target: Path) -> None:
        nonlocal made
        made = True
        taken, beside = way() if way else (command, ())
        told: dict[str, Any] = {"on_progress": on_progress, "cancelled": cancelled, "limits": LIMITS}
        try:
            run(taken, output=target, beside=beside, **told)
        except RenderFailed:
            if not beside:
                raise
            run(
                command, output=target, **told
            )  # what failed may be one of the files beside it, and those can be spared
        frames = count_frames(target)
        if frames != command.frames:
            target.unlink()
            assets = ", ".join(dict.fromkeys(i.content[:12] for i in command.inputs if not i.trusted)) or "none"
            raise RenderFailed(
                f"{name} came out with {frames} frames instead of {command.frames} (footage: {assets})",
                next_step="the footage may end earlier than its index says: ingest it again or choose another shot",
            )

    path = cached(key_of(command), ".mp4", make)
    return path, made


def count_frames(video: Path) -> int:
    """Count the pictures of a file of ours by its packets, without decoding."""
    with av.open(str(video)) as container:
        if not container.streams.video:
            return 0
        return sum(1 for packet in container.demux(video=0) if packet.size)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Frames [first, first + frames) of a file; both ends lie between groups of pictures. All of them by default."""

    file: Path
    first: int = 0
    frames: int = 1 << 62

    def __contains__(self, frame: int) -> bool:
        return self.first <= frame < self.first + self.frames


def join(
    chunks: Sequence[Pictures], sound: Path | None, output: Path, *, canvas: Canvas, metadata: Mapping[str, str]
) -> int:
    """Join chunks (and the program's sound) into one MP4 by copying packets; return the number of pictures.

    Every picture gets its exact time: its place in its chunk after the frames before it. Nothing is decoded. All chunks
    must carry the same decoder headers (SPS, PPS).
    """
    with disk_full_named(output), av.open(str(output), "w", format="mp4", options=_MOVIE) as target:
        with av.open(str(chunks[0].file)) as first:
            picture = target.add_stream_from_template(first.streams.video[0], opaque=True)
            header = bytes(first.streams.video[0].codec_context.extradata or b"")
            picture.codec_context.codec_tag = first.streams.video[0].codec_context.codec_tag  # hvc1 plays everywhere
        picture.time_base = 1 / canvas.fps
        target.metadata.update(metadata)
        pictures = _picture_packets(chunks, picture, canvas.fps, header)
        if sound is None:
            return _mux(target, pictures, iter(()))
        with av.open(str(sound)) as source:
            voice = target.add_stream_from_template(source.streams.audio[0])
            return _mux(target, pictures, _sound_packets(source, voice))


_MOVIE = {"movflags": "+faststart+use_metadata_tags"}


def _picture_packets(chunks: Sequence[Pictures], stream: Any, fps: Fraction, header: bytes) -> Iterator[Any]:
    """Yield all pictures in decoding order, timed in frames of the program."""
    written = 0
    for chunk in chunks:
        start = written
        with av.open(str(chunk.file)) as source:
            if bytes(source.streams.video[0].codec_context.extradata or b"") != header:
                raise RenderFailed(
                    f"{chunk.file} was encoded with other settings than the chunks before it",
                    next_step="clear the cache and render again",
                )
            for packet in source.demux(video=0):
                frame = -1 if packet.pts is None else round(packet.pts * packet.time_base * fps)
                if packet.size and frame in chunk:
                    packet.pts = start + frame - chunk.first
                    packet.dts = min(written - REORDER, packet.pts)
                    packet.duration = 1
                    packet.time_base = 1 / fps
                    packet.stream = stream
                    written += 1
                    yield packet


def _sound_packets(source: Any, stream: Any) -> Iterator[Any]:
    for packet in source.demux(audio=0):
        if packet.size:
            packet.stream = stream
            yield packet


def _mux(target: Any, pictures: Iterator[Any], sounds: Iterator[Any]) -> int:
    """Write both in the order of their times; return the number of pictures."""
    frames = 0
    sound = next(sounds, None)
    for picture in pictures:
        while sound is not None and sound.pts * sound.time_base <= picture.dts * picture.time_base:
            target.mux(sound)
            sound = next(sounds, None)
        target.mux(picture)
        frames += 1
    while sound is not None:
        target.mux(sound)
        sound = next(sounds, None)
    return frames


def _impossible(cause: str) -> TimelineImpossible:
    return TimelineImpossible(f"the timeline cannot be rendered: {cause}", next_step="correct the storyboard")
