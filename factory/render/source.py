"""What the compiler must know of a piece of footage: its displayed shape, its colour, its sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from factory.render.errors import RenderCancelled, RenderFailed
from understanding.decoding import Health, frames_of, no_frames, opened, packets_of, sound_of, video_of
from understanding.errors import MediaRefused
from understanding.sandbox import Cancelled, ChildRaised, run_limited

Matrix = Literal["bt709", "bt601", "bt2020", "rgb"]
MATRICES: dict[int, Matrix] = {0: "rgb", 1: "bt709", 5: "bt601", 6: "bt601", 4: "bt601", 9: "bt2020", 10: "bt2020"}
REORDERED = Fraction(1)  # seconds: more than a key frame's place in the file can be ahead of its time
HDR_TRANSFERS = (16, 18)  # ITU-T H.273: perceptual quantiser, hybrid log-gamma
FULL_RANGE = 2
Span = tuple[Fraction, Fraction]  # seconds of footage [start, end)
INDEXED = ("mov", "matroska")  # whose index leads to any key frame
STREAMED = ("mpegts", "mpeg")  # without an index; ffmpeg counts their times from the first packet of what it reads


@dataclass(frozen=True, slots=True)
class Source:
    """A file of footage. `width` and `height` are as displayed: turned upright, pixels made square, not yet even.

    `matrix` says how its colours were coded, guessed by size where the file does not say. `raw` marks streams
    without time stamps, which cannot be sought, `square` files whose pixels are as wide as they are high. `keys` are
    times of key frames from the start of the file, ascending: those from which the stretches that were asked for are
    decoded, and those inside. Times of footage count from its first picture, which stands `begins` seconds after the
    start of the file (where its sound begins before its picture), and last `seconds` by what the file says, 0 where it
    does not say. A `streamed` file has no index: sought, it is decoded from the next key picture on, `reach` seconds
    later at most.
    """

    asset: str
    path: Path
    width: int
    height: int
    fps: Fraction
    matrix: Matrix = "bt709"
    full_range: bool = False
    hdr: bool = False
    interlaced: bool = False
    has_sound: bool = False
    raw: bool = False
    keys: tuple[Fraction, ...] = ()
    begins: Fraction = Fraction(0)
    seconds: Fraction = Fraction(0)
    streamed: bool = False
    reach: Fraction = Fraction(0)
    square: bool = True


def read_source(
    asset: str, path: Path, cancelled: Callable[[], bool] = lambda: False, *, shown: Sequence[Span] = ()
) -> Source:
    """Read what a file says of itself and decode its first picture, in a limited child; find the key frames for the
    stretches of footage that will be `shown`, where its container has an index.

    Raises `RenderFailed` for a file that no longer opens: it was good when it was ingested.
    """
    try:
        seen = run_limited(look, str(path.resolve()), list(shown), path=path, cancelled=cancelled)
    except Cancelled as error:
        raise RenderCancelled from error
    except (MediaRefused, ChildRaised) as error:
        raise RenderFailed(
            f"the footage {asset[:12]} cannot be opened: {error}",
            next_step="ingest that clip again, or retire it from the library",
        ) from error
    return Source(asset=asset, path=path, **seen)


def look(path: str, shown: Sequence[Span]) -> dict[str, Any]:
    """Return the fields of a `Source`; runs in the child."""
    with opened(path) as container:
        stream = video_of(container, threads=1)
        frame: Any = next(frames_of(container, stream, Health()), None)
        if frame is None:
            raise no_frames()
        streamed = container.format.name in STREAMED
        pixel = stream.sample_aspect_ratio or Fraction(1)
        width, height = _displayed(frame, pixel)
        rgb = frame.format.is_rgb or frame.format.has_palette
        return {
            "width": width,
            "height": height,
            "fps": _rate(stream),
            "matrix": "rgb" if rgb else MATRICES.get(int(frame.colorspace), "bt709" if height >= 720 else "bt601"),
            "full_range": not rgb and (int(frame.color_range) == FULL_RANGE or frame.format.name.startswith("yuvj")),
            "hdr": int(frame.color_trc) in HDR_TRANSFERS,
            "interlaced": bool(frame.interlaced_frame),
            "has_sound": sound_of(container) is not None,
            "raw": container.format.name in {"h264", "hevc", "av1", "mpegvideo", "mjpeg"},
            "begins": (begins := _begins(container, stream)),
            "seconds": _seconds(container, stream, begins),
            "keys": _keys(container, stream, begins, shown),
            "streamed": streamed,
            "reach": _reach(container, stream) if streamed else Fraction(0),
            "square": pixel == 1,
        }


def _keys(container: Any, stream: Any, begins: Fraction, shown: Sequence[Span]) -> tuple[Fraction, ...]:
    """Return the key frames of `shown` by their packets: nothing is decoded, and of a long file little is read."""
    if container.format.name.split(",")[0] not in INDEXED or container.start_time is None:
        return ()
    found: set[Fraction] = set()
    origin = Fraction(container.start_time, 1_000_000)
    for start, end in sorted(shown):
        before = max(origin + begins + start - REORDERED, Fraction(0))
        container.seek(int(before / stream.time_base), stream=stream, backward=True)
        for packet in packets_of(container, stream, Health()):
            at = None if packet.pts is None else packet.pts * stream.time_base - origin
            if at is not None and packet.is_keyframe and not packet.is_corrupt:
                found.add(at)
            if at is not None and at >= begins + end + REORDERED:
                break
    return tuple(sorted(found))


def _displayed(frame: Any, pixel: Fraction) -> tuple[int, int]:
    width, height = max(round(frame.width * pixel), 1), frame.height
    return (height, width) if frame.rotation % 180 else (width, height)


def _begins(container: Any, stream: Any) -> Fraction:
    """Return the first picture's time by its packets: a decoder of several threads may name a later one."""
    if stream.start_time is None or container.start_time is None:
        return Fraction(0)
    return max(Fraction(stream.start_time * stream.time_base - Fraction(container.start_time, 1_000_000)), Fraction(0))


def _seconds(container: Any, stream: Any, begins: Fraction) -> Fraction:
    if stream.duration:
        return Fraction(stream.duration * stream.time_base)
    return max(Fraction(container.duration or 0, 1_000_000) - begins, Fraction(0))


def _reach(container: Any, stream: Any) -> Fraction:
    """Return the longest time from one key picture to the next, or to the end, by the packets not read yet."""
    longest, key, last = 0, stream.start_time or 0, stream.start_time or 0
    for packet in container.demux(stream):
        if packet.pts is not None:
            last = max(last, packet.pts)
            if packet.is_keyframe:
                longest, key = max(longest, packet.pts - key), packet.pts
    return Fraction(max(longest, last - key) * stream.time_base)


def _rate(stream: Any) -> Fraction:
    """Return the footage's pictures a second as far as it is known: it only decides how far ahead to start reading."""
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return min(max(Fraction(rate), Fraction(1, 2)), Fraction(240))
