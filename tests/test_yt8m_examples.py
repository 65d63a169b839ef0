"""Examples of YouTube-8M against Google's protobuf library, against real records, and against damage."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tf_train
from understanding.yt8m import examples, wire
from understanding.yt8m.examples import FrameExample, Segment, VideoExample
from understanding.yt8m.records import read_records
from understanding.yt8m.wire import Malformed

labels_of = st.lists(st.integers(0, 2**62) | st.integers(0, 3861), max_size=12)
names = st.text(max_size=12)


@cache
def google(packed: bool = True) -> dict[str, Any]:
    return tf_train.messages(packed=packed)


def a_video(seed: int = 0, widths: tuple[int, int] = (1024, 128), labels: tuple[int, ...] = (3, 200)) -> VideoExample:
    rng = np.random.default_rng(seed)
    picture, sound = (rng.normal(size=width).astype(np.float32) for width in widths)
    return VideoExample("02aa", np.array(labels, np.int64), picture, sound)


def some_frames(seconds: int = 7, widths: tuple[int, int] = (1024, 128), segments: int = 2) -> FrameExample:
    rng = np.random.default_rng(seconds)
    rgb, audio = (rng.integers(0, 256, (seconds, width), np.uint8) for width in widths)
    rated = tuple(Segment(900 + n, 5 * n, 5 * n + 5, float(n % 2)) for n in range(segments))
    return FrameExample("abcd", np.array([1, 3861]), rgb, audio, rated)


def same_video(one: VideoExample, other: VideoExample) -> None:
    assert one.id == other.id
    for name in ("labels", "mean_rgb", "mean_audio"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def same_frames(one: FrameExample, other: FrameExample) -> None:
    assert (one.id, one.segments) == (other.id, other.segments)
    for name in ("labels", "rgb", "audio"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def as_google(video: VideoExample, packed: bool = True) -> bytes:
    message = google(packed)["Example"]()
    feature = message.features.feature
    feature["id"].bytes_list.value.append(video.id.encode())
    feature["labels"].int64_list.value.extend(video.labels.tolist())
    feature["mean_rgb"].float_list.value.extend(video.mean_rgb.tolist())
    feature["mean_audio"].float_list.value.extend(video.mean_audio.tolist())
    return bytes(message.SerializeToString())


def frames_as_google(video: FrameExample) -> bytes:
    message = google()["SequenceExample"]()
    context = message.context.feature
    context["id"].bytes_list.value.append(video.id.encode())
    context["labels"].int64_list.value.extend(video.labels.tolist())
    for n, name in enumerate(("segment_labels", "segment_start_times", "segment_end_times")):
        context[name].int64_list.value.extend(int(segment[n]) for segment in video.segments)
    context["segment_scores"].float_list.value.extend(segment.score for segment in video.segments)
    for name in ("rgb", "audio"):
        rows = message.feature_lists.feature_list[name].feature
        for row in getattr(video, name):
            rows.add().bytes_list.value.append(row.tobytes())
    return bytes(message.SerializeToString())


@given(names, labels_of, st.integers(1, 40), st.integers(1, 9), st.integers(0, 99), st.booleans())
def test_reads_what_protobuf_writes(
    name: str, labels: list[int], rgb: int, audio: int, seed: int, packed: bool
) -> None:
    video = a_video(seed, (rgb, audio), tuple(labels))
    video = VideoExample(name, video.labels, video.mean_rgb, video.mean_audio)
    record = as_google(video, packed)
    same_video(examples.parse_video(record), video)
    name_bytes, varints, picture, sound = examples.raw_video(record)
    assert name_bytes.decode() == name
    assert examples.joined_class_indices([varints])[0].tolist() == labels
    assert (picture, sound) == (video.mean_rgb.tobytes(), video.mean_audio.tobytes())


@given(names, labels_of, st.integers(1, 40))
def test_protobuf_reads_what_is_written(name: str, labels: list[int], width: int) -> None:
    video = VideoExample(name, np.array(labels, np.int64), *(a_video(1, (width, 3)).mean_rgb,) * 2)
    feature = google()["Example"].FromString(examples.encode_video(video)).features.feature
    assert feature["id"].bytes_list.value[0].decode() == name
    assert list(feature["labels"].int64_list.value) == labels
    assert list(feature["mean_audio"].float_list.value) == video.mean_audio.tolist()


@given(st.integers(0, 9), st.integers(1, 40), st.integers(1, 9), st.integers(0, 4))
def test_frames_to_protobuf_and_back(seconds: int, rgb: int, audio: int, segments: int) -> None:
    video = some_frames(seconds, (rgb, audio), segments)
    message = google()["SequenceExample"].FromString(examples.encode_frames(video))
    rows = [row.bytes_list.value[0] for row in message.feature_lists.feature_list["rgb"].feature]
    assert rows == [row.tobytes() for row in video.rgb]
    assert list(message.context.feature["segment_labels"].int64_list.value) == [s.label for s in video.segments]
    for record in (examples.encode_frames(video), frames_as_google(video)):
        found = examples.parse_frames(record)
        if seconds:
            same_frames(found, video)
        assert len(found.rgb) == len(found.audio) == seconds


def test_a_feature_of_very_many_lists_is_read_in_no_time() -> None:
    lists = wire.delimited(wire.INTS) * 200_000  # work that grew with its square would take an hour
    entries = [wire.entry("id", wire.bytes_feature(b"x")), wire.entry("labels", lists)]
    entries += [wire.entry(name, wire.float_feature(np.ones(2, np.float32))) for name in ("mean_rgb", "mean_audio")]
    assert examples.parse_video(wire.delimited(1, *entries)).labels.tolist() == []


def test_rows_over_the_limit_are_left_out_however_they_stand() -> None:
    row = wire.delimited(1, wire.bytes_feature(b"ab"))
    uneven = wire.delimited(1, wire.bytes_feature(b"cd") + wire.delimited(9, b"?"))
    for rows in (row * 400, row + uneven + row * 400):
        streams = [wire.entry(name, rows) for name in ("rgb", "audio")]
        context = wire.delimited(1, wire.entry("id", wire.bytes_feature(b"x")))
        found = examples.parse_frames(context + wire.delimited(2, *streams))
        assert found.rgb.shape == found.audio.shape == (300, 2)


def test_rows_that_stand_unevenly_are_read_one_by_one() -> None:
    # a third field, unknown to us, within the second row's Feature
    rows = [
        wire.bytes_feature(b"abc"),
        wire.bytes_feature(b"def") + wire.delimited(9, b"?"),
        wire.bytes_feature(b"ghi"),
    ]
    streams = [wire.entry(name, b"".join(wire.delimited(1, row) for row in rows)) for name in ("rgb", "audio")]
    context = wire.delimited(1, wire.entry("id", wire.bytes_feature(b"x")))
    found = examples.parse_frames(context + wire.delimited(2, *streams))
    assert found.rgb.tobytes() == b"abcdefghi"
    assert found.labels.tolist() == []


def test_fields_split_repeated_and_unknown_are_read_as_protobuf_reads_them() -> None:
    video = a_video(widths=(4, 2))
    entries = {
        "id": wire.entry("id", wire.bytes_feature(b"other")) + wire.entry("id", wire.bytes_feature(b"last")),
        "labels": wire.entry("labels", wire.int_feature([5]) + wire.delimited(3, b"\x08\x07")),
        "mean_rgb": wire.entry("mean_rgb", wire.float_feature(video.mean_rgb) + wire.delimited(77, b"new")),
        "mean_audio": wire.entry("mean_audio", wire.int_feature([1]) + wire.float_feature(video.mean_audio)),
    }
    halves = list(entries.values())
    record = wire.delimited(1, *halves[:2]) + b"\x10\x05" + wire.delimited(1, *halves[2:])
    found = examples.parse_video(record)
    assert (found.id, found.labels.tolist()) == ("last", [5, 7])
    reference = google()["Example"].FromString(record).features.feature
    assert reference["id"].bytes_list.value[0] == b"last"
    assert list(reference["labels"].int64_list.value) == [5, 7]
    assert list(reference["mean_audio"].float_list.value) == found.mean_audio.tolist()
    np.testing.assert_array_equal(found.mean_rgb, video.mean_rgb)


def test_a_layout_once_seen_is_not_believed_of_other_bytes() -> None:
    one, other = a_video(1), a_video(2, labels=(7, 999))
    first, second = examples.encode_video(one), examples.encode_video(other)
    assert len(first) == len(second)
    same_video(examples.parse_video(first), one)
    same_video(examples.parse_video(second), other)
    longer_label = a_video(3, labels=(1, 2, 3))  # three single bytes where the first has one and two
    assert len(examples.encode_video(longer_label)) == len(first)
    same_video(examples.parse_video(examples.encode_video(longer_label)), longer_label)
    with pytest.raises(Malformed, match="no `mean_rgb`"):
        examples.parse_video(first.replace(b"mean_rgb", b"mean_bgr"))


BARE = {
    "id": wire.entry("id", wire.bytes_feature(b"x")),
    "labels": wire.entry("labels", wire.int_feature([1])),
    "mean_rgb": wire.entry("mean_rgb", wire.float_feature(np.ones(3, np.float32))),
    "mean_audio": wire.entry("mean_audio", wire.float_feature(np.ones(2, np.float32))),
}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"id": b""}, "`id` holds 0"),
        ({"id": wire.entry("id", wire.delimited(1, wire.delimited(1, b"a"), wire.delimited(1, b"b")))}, "`id` holds 2"),
        ({"id": wire.entry("id", wire.bytes_feature(b"\xff"))}, "not UTF-8"),
        ({"labels": wire.entry("labels", wire.float_feature(np.ones(1, np.float32)))}, "floats where whole numbers"),
        ({"labels": wire.entry("labels", wire.int_feature([-3]))}, "label -3 is below 0"),
        ({"labels": wire.entry("labels", wire.delimited(3, wire.delimited(1, b"\x80" * 11)))}, "longer than ten"),
        ({"labels": wire.entry("labels", wire.delimited(3, wire.delimited(1, b"\x80")))}, "cut off"),
        ({"mean_rgb": b""}, "no `mean_rgb`"),
        ({"mean_rgb": wire.entry("mean_rgb", b"")}, "no `mean_rgb`"),
        ({"mean_audio": wire.entry("mean_audio", wire.delimited(2, wire.delimited(1, b"12345")))}, "no whole count"),
        ({"mean_audio": b"\x0b"}, "wire type 3"),
        ({"mean_audio": b"\x0a\x7f"}, "reaches over the end"),
    ],
)
def test_what_is_wrong_with_a_record_is_said(changed: dict[str, bytes], says: str) -> None:
    record = wire.delimited(1, *(BARE | changed).values())
    with pytest.raises(Malformed, match=says):
        examples.parse_video(record)


def test_streams_that_do_not_fit_are_refused() -> None:
    context = wire.delimited(1, BARE["id"])

    def stream(name: str, *rows: bytes) -> bytes:
        return wire.entry(name, b"".join(wire.delimited(1, wire.bytes_feature(row)) for row in rows))

    for streams, says in (
        ([stream("rgb", b"ab")], "no `audio`"),
        ([stream("rgb", b"ab", b"cd"), stream("audio", b"a")], "2 rows and `audio` 1"),
        ([stream("rgb", b"ab", b"c"), stream("audio", b"a", b"b")], "between 1 and 2 bytes"),
    ):
        with pytest.raises(Malformed, match=says):
            examples.parse_frames(context + wire.delimited(2, *streams))
    silent = examples.parse_frames(context + wire.delimited(2, stream("rgb", b"ab"), stream("audio")))
    assert (silent.rgb.shape, silent.audio.shape) == ((1, 2), (0, 0))
    unrated = wire.delimited(1, BARE["id"], wire.entry("segment_labels", wire.int_feature([1])))
    with pytest.raises(Malformed, match="1, 0, 0, 0"):
        examples.parse_frames(unrated + wire.delimited(2, stream("rgb", b"ab"), stream("audio", b"a")))


def test_at_most_three_hundred_rows() -> None:
    long = some_frames(301, (4, 2))
    with pytest.raises(ValueError, match="301 rows"):
        examples.encode_frames(long)
    assert examples.parse_frames(frames_as_google(long)).rgb.shape == (300, 4)
    with pytest.raises(ValueError, match="2 rows of picture and 1 of sound"):
        examples.encode_frames(FrameExample("x", np.zeros(0, np.int64), long.rgb[:2], long.audio[:1]))


def test_quantised_values() -> None:
    every = np.arange(256, dtype=np.uint8)
    values = examples.dequantise(every)
    np.testing.assert_allclose(values, np.arange(256) * (4 / 255) + 4 / 512 - 2, atol=1e-6)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(examples.quantise(values), every)
    np.testing.assert_array_equal(examples.quantise(np.array([-9.0, 9.0])), [0, 255])


VIDEO = examples.encode_video(a_video(widths=(6, 3)))
FRAMES = examples.encode_frames(some_frames(3, (5, 2)))


@settings(max_examples=400)
@given(st.data())
def test_no_bytes_crash_a_reader(data: st.DataObject) -> None:
    for whole, parse in ((VIDEO, examples.parse_video), (FRAMES, examples.parse_frames), (VIDEO, examples.raw_video)):
        record = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 4))):
            record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(record)) | st.just(len(record)))
        with suppress(Malformed):
            parse(bytes(record[:cut]))


@given(st.binary(max_size=60))
def test_no_rubbish_crashes_a_reader(rubbish: bytes) -> None:
    for parse in (examples.parse_video, examples.parse_frames):
        with pytest.raises(Malformed):
            parse(rubbish)


@given(st.lists(st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 300), max_size=5), max_size=8))
def test_numbers_decoded_in_one_go(parts: list[list[int]]) -> None:
    stored = [b"".join(map(wire.number, part)) for part in parts]
    assert [labels.tolist() for labels in examples.joined_class_indices(stored)] == parts


def test_numbers_decoded_in_one_go_are_checked() -> None:
    for stored in ([b"\x05", b"\x80", b"\x01"], [b"\x80" * 10 + b"\x01"], [wire.number(-1)]):
        with pytest.raises(Malformed):
            examples.joined_class_indices(stored)


def test_real_videos_as_protobuf_reads_them(yt8m: Path) -> None:
    shard = sorted((yt8m / "train").glob("*.tfrecord"))[0]
    for _, record in list(read_records(shard))[::10]:
        found = examples.parse_video(record)
        feature = google()["Example"].FromString(record).features.feature
        assert found.id == feature["id"].bytes_list.value[0].decode()
        assert found.labels.tolist() == list(feature["labels"].int64_list.value)
        np.testing.assert_array_equal(found.mean_rgb, np.array(feature["mean_rgb"].float_list.value, np.float32))
        np.testing.assert_array_equal(found.mean_audio, np.array(feature["mean_audio"].float_list.value, np.float32))
        same_video(examples.parse_video(examples.encode_video(found)), found)


def test_a_real_frame_level_record(yt8m: Path) -> None:
    stored = np.load(yt8m / "one_frame_level_record.npz")
    video = FrameExample(str(stored["id"]), stored["labels"], stored["rgb"], stored["audio"])
    record = examples.encode_frames(video)
    assert google()["SequenceExample"].FromString(record).context.feature["labels"].int64_list.value == [*video.labels]
    found = examples.parse_frames(record)
    same_frames(found, video)
    assert found.rgb.shape == (170, 1024)
    values = examples.dequantise(found.rgb)
    np.testing.assert_allclose(values, stored["rgb"] * (4 / 255) + (4 / 512) - 2, atol=1e-6)
    assert abs(float(values.mean())) < 0.5
