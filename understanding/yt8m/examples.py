"""One video of YouTube-8M, as a row (video level) or as a row a second (frame level, 2018 and the segments of 2019).

Video level is an Example: `id` bytes, `labels` int64, `mean_rgb` and `mean_audio` float. (The published shards hold
SequenceExamples with these in their context and no lists, which is the same on the wire.) Frame level is a
SequenceExample: `id`, `labels` and the four `segment_...` lists in its context, `rgb` and `audio` as feature lists of
one byte string a second. The house's own features stand under the same names in their own widths.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from understanding.yt8m import wire
from understanding.yt8m.wire import Malformed, Span

MAX_ROWS: Final = 300
SEGMENT_ROWS: Final = 5  # a segment is five rows from its start

Level = Literal["video", "frame"]
Labels = NDArray[np.int64]
Rows = NDArray[np.uint8]


class Segment(NamedTuple):
    """A rated piece of a video: `score` 1 where `label` is present in seconds `start` to `end`, 0 where it is not."""

    label: int
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class VideoExample:
    """A video as one row. Arrays that were read are views of the record and cannot be written to."""

    id: str
    labels: Labels  # (n,) class indices
    mean_rgb: NDArray[np.float32]  # (1024,) in YouTube-8M
    mean_audio: NDArray[np.float32]  # (128,)


@dataclass(frozen=True, slots=True)
class FrameExample:
    """A video as one row a second, quantised; a stream without rows is (0, 0)."""

    id: str
    labels: Labels
    rgb: Rows  # (T, 1024), T <= 300
    audio: Rows  # (T, 128)
    segments: tuple[Segment, ...] = ()


STEP: Final = 4 / 255  # of a quantised row
LOWEST: Final = 4 / 512 - 2
_DEQUANTISED: Final = (np.arange(256) * STEP + LOWEST).astype(np.float32)


def dequantise(rows: Rows) -> NDArray[np.float32]:
    """Return q * (4 / 255) + (4 / 512) - 2, of the same shape."""
    return _DEQUANTISED[rows]


def quantise(rows: NDArray[np.floating]) -> Rows:
    """Return the nearest of the 256 steps; what lies outside about -2..2 is clipped."""
    steps: Rows = np.rint((rows - LOWEST) / STEP).clip(0, 255).astype(np.uint8)
    return steps


class Layout(NamedTuple):
    """Where the values of a video-level record stand, each in one span, and all bytes around them.

    A record of the same length with the same bytes around the same spans is laid out alike, so it needs no walk.
    """

    id: Span
    labels: Span
    rgb: Span
    audio: Span
    around: tuple[tuple[int, int, bytes], ...]

    def fits(self, record: bytes) -> bool:
        """Say whether a record of equal length is laid out like this."""
        for a, b, constant in self.around:  # noqa: SIM110  a generator would cost more than the comparing
            if record[a:b] != constant:
                return False
        return True


class _Spans(NamedTuple):
    id: Span
    labels: list[Span]
    rgb: list[Span]
    audio: list[Span]


# A memo only, by the record's length and beginning: protobuf writes the entries of a map in any order.
_layouts: Final[dict[tuple[int, bytes], Layout]] = {}


def layout(record: bytes) -> Layout | None:
    """Return where the values of a video-level record stand, or None where one of them is not in one piece."""
    key = len(record), record[:12]
    known = _layouts.get(key)
    if known is not None and known.fits(record):
        return known
    spans = _video_spans(record)
    if not len(spans.labels) == len(spans.rgb) == len(spans.audio) == 1:
        return None
    places = (spans.id, spans.labels[0], spans.rgb[0], spans.audio[0])
    edges = [0, *(edge for span in sorted(places) for edge in span), len(record)]
    around = tuple((a, b, record[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True))
    if len(_layouts) > 4096:
        _layouts.clear()
    found = _layouts[key] = Layout(*places, around)
    return found


def _video_spans(record: bytes) -> _Spans:
    features = wire.entries(record, wire.messages(record, [(0, len(record))], 1))
    return _Spans(
        id=_one_bytes(record, features, "id"),
        labels=wire.int_spans(record, _lists(record, features, "labels", wire.INTS)),
        rgb=_floats(record, features, "mean_rgb"),
        audio=_floats(record, features, "mean_audio"),
    )


def parse_video(record: bytes) -> VideoExample:
    """Read a video-level record or raise Malformed."""
    place = layout(record)
    if place is not None:
        return VideoExample(
            wire.text(record, place.id),
            class_indices(record, [place.labels]),
            wire.floats(record, [place.rgb]),
            wire.floats(record, [place.audio]),
        )
    spans = _video_spans(record)
    return VideoExample(
        wire.text(record, spans.id),
        class_indices(record, spans.labels),
        wire.floats(record, spans.rgb),
        wire.floats(record, spans.audio),
    )


def raw_video(record: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Cut a video-level record into id, labels, picture and sound as they are stored: text, varints, little-endian
    float32. Raises Malformed; the quickest form for whole shards."""
    place = layout(record)
    if place is not None:
        (a, b), (c, d), (e, f), (g, h), _ = place
        return record[a:b], record[c:d], record[e:f], record[g:h]
    spans = _video_spans(record)
    labels, rgb, audio = (b"".join(record[a:b] for a, b in part) for part in (spans.labels, spans.rgb, spans.audio))
    return record[slice(*spans.id)], labels, rgb, audio


def class_indices(record: bytes, spans: list[Span]) -> Labels:
    """Return the labels that stand at `spans`; none is below 0."""
    numbers = wire.ints(record, spans)
    if numbers and min(numbers) < 0:
        raise Malformed(f"label {min(numbers)} is below 0")
    return np.array(numbers, np.int64)


def joined_class_indices(stored: list[bytes]) -> list[Labels]:
    """Return the labels of many videos from their varints; Malformed where any is not as it should be."""
    labels, edges = wire.joined_ints(stored)
    if len(labels) and labels.min() < 0:
        raise Malformed("a label is below 0")
    return [labels[a:b] for a, b in pairwise(edges)]


def level(record: bytes) -> Level:
    """Say whether a record holds one row or a row a second, or raise Malformed."""
    streams = wire.entries(record, wire.messages(record, [(0, len(record))], 2))
    return "frame" if streams.keys() & {"rgb", "audio"} else "video"


def parse_frames(record: bytes, max_rows: int = MAX_ROWS) -> FrameExample:
    """Read a frame-level record or raise Malformed. Rows after the first `max_rows` are left out, as in the published
    reader."""
    whole = [(0, len(record))]
    context = wire.entries(record, wire.messages(record, whole, 1))
    streams = wire.entries(record, wire.messages(record, whole, 2))
    rgb, audio = (_rows(record, streams, name, max_rows) for name in ("rgb", "audio"))
    if len(rgb) != len(audio) and len(rgb) and len(audio):
        raise Malformed(f"`rgb` has {len(rgb)} rows and `audio` {len(audio)}")
    return FrameExample(
        id=wire.text(record, _one_bytes(record, context, "id")),
        labels=class_indices(record, wire.int_spans(record, _lists(record, context, "labels", wire.INTS))),
        rgb=rgb,
        audio=audio,
        segments=_segments(record, context),
    )


Features = dict[str, list[Span]]


def _lists(record: bytes, features: Features, name: str, kind: int) -> list[Span]:
    return wire.values(record, features.get(name, []), kind, name)


def _one_bytes(record: bytes, features: Features, name: str) -> Span:
    found = wire.messages(record, _lists(record, features, name, wire.BYTES), 1)
    if len(found) != 1:
        raise Malformed(f"`{name}` holds {len(found)} byte strings where one belongs")
    return found[0]


def _floats(record: bytes, features: Features, name: str) -> list[Span]:
    spans = wire.float_spans(record, _lists(record, features, name, wire.FLOATS))
    if not any(b > a for a, b in spans):
        raise Malformed(f"there is no `{name}`")
    return spans


def _rows(record: bytes, streams: Features, name: str, most: int) -> Rows:
    """Return the first `most` rows of a stream, (T, width): in one go where they stand evenly, as commonly."""
    if name not in streams:
        raise Malformed(f"there is no `{name}`")
    stream = streams[name]
    if len(stream) == 1:
        even = _even_rows(record, stream[0], name)
        if even is not None:
            return even[:most]
    features = wire.messages(record, stream, 1)[:most]
    rows = [_one_bytes(record, {name: [feature]}, name) for feature in features]
    widths = {b - a for a, b in rows}
    if len(widths) > 1:
        raise Malformed(f"the rows of `{name}` are between {min(widths)} and {max(widths)} bytes long")
    return np.array([np.frombuffer(record, np.uint8, b - a, a) for a, b in rows], np.uint8).reshape(len(rows), -1)


def _even_rows(record: bytes, stream: Span, name: str) -> Rows | None:
    """Return the rows where every one has the same bytes before it as the first, else None."""
    start, end = stream
    if start == end:
        return np.zeros((0, 0), np.uint8)
    field, kind, *first = next(wire.fields(record, start, end))
    if (field, kind) != (1, wire.DELIMITED):
        return None
    value = _one_bytes(record, {name: [(first[0], first[1])]}, name)
    step = first[1] - start
    if value[1] != first[1] or (end - start) % step or value[0] == value[1]:
        return None
    table = np.frombuffer(record, np.uint8, end - start, start).reshape(-1, step)
    head = value[0] - start
    return table[:, head:] if (table[:, :head] == table[0, :head]).all() else None


def _segments(record: bytes, context: Features) -> tuple[Segment, ...]:
    columns: list[list[int]] = [
        wire.ints(record, wire.int_spans(record, _lists(record, context, f"segment_{name}", wire.INTS)))
        for name in ("labels", "start_times", "end_times")
    ]
    spans = wire.float_spans(record, _lists(record, context, "segment_scores", wire.FLOATS))
    scores = wire.floats(record, spans).tolist()
    if len({*map(len, columns), len(scores)}) > 1:
        counts = ", ".join(str(len(column)) for column in (*columns, scores))
        raise Malformed(f"segment labels, starts, ends and scores are {counts} and should be as many")
    return tuple(Segment(*row) for row in zip(*columns, scores, strict=True))


def encode_video(video: VideoExample) -> bytes:
    """Write a video-level record of any widths."""
    return wire.delimited(
        1,
        _id_and_labels(video.id, video.labels),
        wire.entry("mean_rgb", wire.float_feature(video.mean_rgb)),
        wire.entry("mean_audio", wire.float_feature(video.mean_audio)),
    )


def encode_frames(video: FrameExample) -> bytes:
    """Write a frame-level record of any widths, at most 300 rows."""
    if max(len(video.rgb), len(video.audio)) > MAX_ROWS:
        raise ValueError(f"{video.id}: {len(video.rgb)} rows; a record holds at most {MAX_ROWS}")
    if len(video.rgb) != len(video.audio) and len(video.rgb) and len(video.audio):
        raise ValueError(f"{video.id}: {len(video.rgb)} rows of picture and {len(video.audio)} of sound")
    return wire.delimited(1, _id_and_labels(video.id, video.labels), *_segment_entries(video.segments)) + (
        wire.delimited(2, *(_stream(name, rows) for name, rows in (("rgb", video.rgb), ("audio", video.audio))))
    )


def _id_and_labels(name: str, labels: Labels) -> bytes:
    return wire.entry("id", wire.bytes_feature(name.encode())) + wire.entry("labels", wire.int_feature(labels.tolist()))


def _segment_entries(segments: tuple[Segment, ...]) -> list[bytes]:
    if not segments:
        return []
    names = ("segment_labels", "segment_start_times", "segment_end_times")
    columns = [[int(segment[i]) for segment in segments] for i in range(3)]
    scores = np.array([segment.score for segment in segments], np.float32)
    return [
        *(wire.entry(name, wire.int_feature(column)) for name, column in zip(names, columns, strict=True)),
        wire.entry("segment_scores", wire.float_feature(scores)),
    ]


def _stream(name: str, rows: Rows) -> bytes:
    return wire.entry(name, b"".join(wire.delimited(1, wire.bytes_feature(row.tobytes())) for row in rows))
