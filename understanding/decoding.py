"""What a limited child does with an untrusted file: open it, list its packets, decode its pictures and its sound.

Everything here runs in a child of `sandbox` and returns plain values. Only containers on FORMATS are opened, from a
file object that was already checked, so no playlist, protocol or second file can be reached. FFmpeg through PyAV only.
"""

from __future__ import annotations

import errno
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, BinaryIO

import av
import av.error
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from understanding.errors import MediaRefused
from understanding.sandbox_server import keep_rows

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,gif,h264,hevc,ogg,wav,mp3,flac,aac"
TIMED = {"mov", "matroska", "mpegts", "flv"}  # what times every picture by itself
MAX_PIXELS = 8192 * 8192
MAX_SECONDS = 6 * 3600
JUMP_SECONDS = 3600  # a hole this long between two frames is a damaged time stamp
TRIES = 400  # packets without a picture before a file is given up
ATTACHED_PICTURE = 0x0400
FOREIGN = {
    b"#EXTM3U": "a playlist",
    b"ffconcat": "a playlist",
    b"<MPD": "a playlist",
    b"<?xml": "an XML text",
    b"\x89PNG": "a still picture",
    b"\xff\xd8\xff": "a still picture",
    b"RIFF????WEBP": "a still picture",
    b"BM": "a still picture",
}


@dataclass(slots=True)
class Health:
    """How the decoding went."""

    errors: int = 0  # packets that would not decode, frames marked corrupt, frames out of order
    truncated: bool = False
    packets: int = 0  # that were sound, whether or not their pictures were wanted
    reach: int | None = None  # ticks: where the last sound packet's picture ends


@dataclass(frozen=True, slots=True)
class Scalers:
    """Kept from picture to picture: to set a scaler up costs more than to use it."""

    raw: VideoReformatter = field(default_factory=VideoReformatter)
    rgb: VideoReformatter = field(default_factory=VideoReformatter)
    grey: VideoReformatter = field(default_factory=VideoReformatter)


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded frame, shown over [start, end) seconds from the first frame; not yet turned upright."""

    start: Fraction
    end: Fraction
    frame: av.VideoFrame
    scalers: Scalers = field(default_factory=Scalers)

    def raw(self, height: int, width: int) -> NDArray[np.uint8]:
        """Return it as stored, not turned, as (height, width, 3) BGR by the quickest scaling."""
        way = Interpolation.FAST_BILINEAR
        scaled = self.scalers.raw.reformat(
            self.frame, width=width, height=height, format="bgr24", interpolation=way, threads=1
        )
        return np.asarray(scaled.to_ndarray(), np.uint8)

    def grey(self) -> NDArray[np.uint8]:
        """Return it upright at full size as (height, width) grey levels."""
        levels = self.scalers.grey.reformat(self.frame, format="gray", threads=1).to_ndarray()
        return np.rot90(np.asarray(levels, np.uint8), upright_turns(self.frame))

    def rgb(self, height: int, width: int) -> NDArray[np.uint8]:
        """Return it upright as (height, width, 3) RGB."""
        turns = upright_turns(self.frame)
        rows, columns = (width, height) if turns % 2 else (height, width)
        way = Interpolation.AREA if rows < self.frame.height else Interpolation.BILINEAR
        scaled = self.scalers.rgb.reformat(
            self.frame, width=columns, height=rows, format="rgb24", interpolation=way, threads=1
        )
        return np.ascontiguousarray(np.rot90(scaled.to_ndarray(), turns))


def upright_turns(frame: av.VideoFrame) -> int:
    """Quarter turns counter-clockwise that show the frame upright, by its display matrix."""
    return round(frame.rotation / 90) % 4


def open_regular(path: str) -> BinaryIO:
    """Open a plain, non-empty file; refuse links, folders, pipes and devices without touching what is behind them."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unopened(error) from None
    about = os.fstat(number)
    if not stat.S_ISREG(about.st_mode) or about.st_size == 0:
        os.close(number)
        if stat.S_ISREG(about.st_mode):
            raise MediaRefused("empty-file", "the file is empty", next_step="copy it again from its source")
        raise MediaRefused("not-a-file", "it is a folder, pipe or device", next_step="name a video file")
    return os.fdopen(number, "rb")


def _unopened(error: Exception) -> MediaRefused:
    number = getattr(error, "errno", None)
    if number == errno.ELOOP:
        return MediaRefused(
            "link-refused", "it is a link, and links are not followed", next_step="name the file itself"
        )
    why = {errno.ENOENT: "there is no such file", errno.EACCES: "it may not be read"}.get(
        number or 0, "it cannot be opened"
    )
    return MediaRefused("not-a-file", why, next_step="check the name and the permissions of the file")


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open an untrusted media file as a PyAV container."""
    with open_regular(path) as file:
        head = file.read(4096)
        file.seek(0)
        whitelist = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
        try:
            container = av.open(
                file, mode="r", container_options=whitelist, metadata_errors="replace", io_open=_no_second_file
            )
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError) as error:
            raise _unreadable(head) from error
        with container:
            yield container


def _no_second_file(url: str, *_: object) -> BinaryIO:
    """What FFmpeg gets when a file names another one: nothing is opened."""
    raise MediaRefused(
        "forbidden-format", f"it asks for another file: {url[:200]!r}", next_step="give one plain video file"
    )


def _unreadable(head: bytes) -> MediaRefused:
    for start, what in FOREIGN.items():
        if head[: len(start)] == start or (b"?" in start and head[:4] == start[:4] and head[8:12] == start[8:]):
            return MediaRefused(
                "forbidden-format", f"it is {what}, not a video", next_step="give the video file itself"
            )
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        cause = "its index (moov) is missing or damaged: the file was cut off"
        return MediaRefused("no-index", cause, next_step="copy or export it again, or repair it")
    cause = "it is no video container that is read here"
    return MediaRefused("not-media", cause, next_step="convert it to MP4, MOV, WebM or MKV")


def video_of(container: Any, *, threads: int = 2) -> Any:
    """Return the first real video stream, ready to decode; each further thread costs a seventh more CPU time."""
    for stream in container.streams.video:
        if int(stream.disposition) & ATTACHED_PICTURE:
            continue
        if stream.codec_context is None:
            raise MediaRefused("no-frames", "its picture codec is unknown", next_step="convert it to H.264")
        _check_size(stream.codec_context.width, stream.codec_context.height)
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
        return stream
    raise MediaRefused("no-video", "it has no picture track", next_step="give a file that has a picture")


def decode_sparsely(container: Any, stream: Any) -> None:
    """Let the decoder pass over pictures that no other one is built on, where the container times each picture.

    With B-frames about half of the pictures are left; where there are none, all. Those of B-frames go without the
    filter that smooths the edges of blocks, a tenth of the work: few pictures are built on them, and none for long."""
    if container.format.name.split(",")[0] in TIMED:
        stream.codec_context.options |= {"skip_loop_filter": "bidir"}
        stream.codec_context.skip_frame = "NONREF"


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        cause = f"its picture of {width}x{height} is larger than {MAX_PIXELS} pixels"
        raise MediaRefused("too-large", cause, next_step="scale it down to 8192x8192 or less")


def sound_of(container: Any) -> Any | None:
    """Return the first sound stream whose codec is known."""
    return next((stream for stream in container.streams.audio if stream.codec_context is not None), None)


def packets_of(container: Any, stream: Any, health: Health) -> Iterator[Any]:
    """Yield a stream's packets up to where the file breaks off."""
    try:
        yield from container.demux(stream)
    except MemoryError:
        raise
    except (av.error.FFmpegError, OSError):
        health.truncated = True


def frames_of(container: Any, stream: Any, health: Health) -> Iterator[Any]:
    """Yield decoded frames in order of show, stepping over what will not decode."""
    seen, tried = False, 0
    for packet in packets_of(container, stream, health):
        health.truncated |= bool(packet.is_corrupt)
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            health.errors += 1
            frames = []
        else:
            _count(packet, health)
        seen, tried = seen or bool(frames), tried + 1
        if not seen and tried > TRIES:
            return
        for frame in frames:
            health.errors += bool(frame.is_corrupt)
            yield frame


def _count(packet: Any, health: Health) -> None:
    if packet.size and not packet.is_corrupt:
        health.packets += 1
        if packet.pts is not None:
            health.reach = max(health.reach or packet.pts, packet.pts + (packet.duration or 0))


def pictures_of(container: Any, stream: Any, health: Health) -> Iterator[Picture]:
    """Yield pictures with exact times from the first one; each ends where the next begins, the last as it declares."""
    step = 1 / Fraction(stream.guessed_rate or stream.average_rate or 25)
    held: Any = None
    begin = origin = Fraction(0)
    clock, scalers = _Clock(), Scalers()
    for count, frame in enumerate(frames_of(container, stream, health)):
        ticks = clock.ticks(frame)
        at = count * step if ticks is None else ticks * Fraction(frame.time_base)
        if held is None:
            held, origin = frame, at
            continue
        if at - origin - begin > JUMP_SECONDS:
            health.truncated = True
            break
        if at - origin <= begin:
            health.errors += 1
            continue
        yield Picture(begin, at - origin, held, scalers)
        held, begin = frame, at - origin
    if held is not None:
        yield Picture(begin, max(begin + _length(held, step), _reach(stream, health, origin, begin)), held, scalers)


def _reach(stream: Any, health: Health, origin: Fraction, begin: Fraction) -> Fraction:
    """Where the pictures end that were passed over behind the last one that was decoded at `begin`."""
    if stream.codec_context.skip_frame == "DEFAULT" or health.reach is None:
        return begin
    reach = health.reach * Fraction(stream.time_base) - origin
    return reach if reach - begin < 1 else begin


@dataclass(slots=True)
class _Clock:
    """Chooses between a frame's two time stamps as FFmpeg's own programs do: whichever went backwards less often.

    Old AVI files with B-frames need it: their presentation stamps come out of the decoder in the wrong order.
    """

    shown: float = -math.inf
    decoded: float = -math.inf
    shown_faults: int = 0
    decoded_faults: int = 0

    def ticks(self, frame: Any) -> int | None:
        pts, dts = frame.pts, frame.dts
        if dts is not None:
            self.decoded_faults += dts <= self.decoded
            self.decoded = dts
        if pts is not None:
            self.shown_faults += pts <= self.shown
            self.shown = pts
        trusted = pts if pts is not None and (dts is None or self.shown_faults <= self.decoded_faults) else dts
        return None if trusted is None or not frame.time_base else int(trusted)


def time_of(frame: Any) -> Fraction | None:
    return None if frame.pts is None or not frame.time_base else Fraction(frame.pts * frame.time_base)


def _length(frame: Any, step: Fraction) -> Fraction:
    length = frame.duration * frame.time_base if frame.duration and frame.time_base else step
    return length if 0 < length < 60 else step


def no_frames() -> MediaRefused:
    return MediaRefused("no-frames", "no picture of it can be decoded", next_step="export it again from its source")


def probe(path: str) -> dict[str, Any]:
    """Read what `media.probe` tells: every packet's time, and one decoded picture as the truth of size and rotation."""
    health = Health()
    with opened(path) as container:
        stream = video_of(container)
        picture = next(pictures_of(container, stream, health), None)
        if picture is None:
            raise no_frames()
        frame = picture.frame
        _check_size(frame.width, frame.height)
        found = _container_facts(container, stream) | _frame_facts(frame)
    with opened(path) as container:
        return found | _times(container, container.streams[found["stream"]], Health())


def _container_facts(container: Any, stream: Any) -> dict[str, Any]:
    sound = sound_of(container)
    rate = stream.average_rate or stream.guessed_rate
    return {
        "stream": stream.index,
        "container": container.format.name.split(",")[0],
        "codec": stream.codec_context.name,
        "rate": Fraction(rate) if rate else Fraction(25),
        "title": str(container.metadata.get("title") or stream.metadata.get("title") or ""),
        "anamorphic": abs((stream.sample_aspect_ratio or 1) - 1) > Fraction(1, 50),
        "sound": None
        if sound is None
        else [sound.codec_context.name, sound.codec_context.rate, sound.codec_context.channels],
    }


def _frame_facts(frame: Any) -> dict[str, Any]:
    turns = upright_turns(frame)
    width, height = (frame.height, frame.width) if turns % 2 else (frame.width, frame.height)
    return {
        "width": width,
        "height": height,
        "rotation": -turns * 90 % 360,
        "pixel_format": frame.format.name,
        "interlaced": bool(frame.interlaced_frame),
    }


def _times(container: Any, stream: Any, health: Health) -> dict[str, Any]:
    """Return the picture's packet times (ticks, in order of show) and where the first sound stands."""
    ticks: list[int] = []
    length, unknown = 0, 0
    for packet in packets_of(container, stream, health):
        if packet.size == 0 or packet.is_discard:
            continue
        health.truncated |= bool(packet.is_corrupt)
        length = packet.duration or length
        unknown += packet.pts is None
        if packet.pts is not None:
            ticks.append(packet.pts)
    shown = np.unique(np.array(ticks, dtype=np.int64))
    base = Fraction(stream.time_base)
    return {
        "ticks": shown,
        "unknown": unknown,
        "last": length,
        "time_base": base,
        "sound_start": _sound_start(container, int(shown[0]) * base if len(shown) else Fraction(0)),
        "truncated": health.truncated or len(ticks) + unknown < 0.9 * stream.frames,
    }


def _sound_start(container: Any, start: Fraction) -> Fraction:
    sound = sound_of(container)
    known = sound is not None and sound.start_time is not None
    return sound.start_time * sound.time_base - start if known and sound is not None else Fraction(0)


def frames(path: str, wanted: list[Fraction] | None, every: Fraction | None, height: int) -> dict[str, Any]:
    """Decode the pictures shown at the `wanted` times (ascending), or one `every` so many seconds, `height` high."""
    health, times = Health(), []
    with opened(path) as container:
        stream = video_of(container)
        width = 0

        def blocks() -> Iterator[NDArray[np.uint8]]:
            nonlocal width
            for picture, at in _shown_at(_from(container, stream, wanted, health), wanted, every):
                width = width or shown_width(picture.frame, stream, height)
                times.append(at)
                yield picture.rgb(height, width)[None]

        rows = keep_rows(blocks())
    if not times:
        raise no_frames()
    return {"times": times, "frames": rows}


def shown_width(frame: Any, stream: Any, height: int) -> int:
    """Width in square pixels of an upright picture that is `height` lines high."""
    pixel = Fraction(stream.sample_aspect_ratio or 1)
    aspect = Fraction(frame.width, frame.height) * (pixel if Fraction(1, 8) <= pixel <= 8 else 1)
    if upright_turns(frame) % 2:
        aspect = 1 / aspect
    return max(1, min(16 * height, round(height * aspect)))


def _from(container: Any, stream: Any, wanted: list[Fraction] | None, health: Health) -> Iterator[Picture]:
    """Decode from the key frame before the first wanted time where the container can seek, else from the start."""
    if not wanted or wanted[0] < 5 or stream.start_time is None or container.format.name in ("h264", "hevc", "gif"):
        return pictures_of(container, stream, health)
    origin = first_time(container, stream)
    with suppress(av.error.FFmpegError, OSError):
        container.seek(int((origin + wanted[0]) / stream.time_base), stream=stream, backward=True)
        return _later(container, stream, health, origin)
    return pictures_of(container, stream, health)


def first_time(container: Any, stream: Any) -> Fraction:
    first = next(frames_of(container, stream, Health()), None)
    return (time_of(first) if first is not None else None) or Fraction(0)


def _later(container: Any, stream: Any, health: Health, origin: Fraction) -> Iterator[Picture]:
    """Like `pictures_of` after a seek: times still count from the file's first picture."""
    shift: Fraction | None = None
    for picture in pictures_of(container, stream, health):
        if shift is None:
            at = time_of(picture.frame)
            shift = Fraction(0) if at is None else at - origin
        yield replace(picture, start=picture.start + shift, end=picture.end + shift)


def _shown_at(
    pictures: Iterator[Picture], wanted: list[Fraction] | None, every: Fraction | None
) -> Iterator[tuple[Picture, Fraction]]:
    """Pair each wanted time, or the middle of each period, with the picture shown then; past the end, with the last."""
    place, picture = 0, None
    for picture in pictures:
        while True:
            if wanted is not None and place >= len(wanted):
                return
            at = wanted[place] if wanted is not None else (place + Fraction(1, 2)) * (every or 1)
            if at >= picture.end:
                break
            yield picture, at
            place += 1
    if picture is None:
        return
    rest = wanted[place:] if wanted is not None else [picture.start] if place == 0 else []
    for at in rest:
        yield picture, at
