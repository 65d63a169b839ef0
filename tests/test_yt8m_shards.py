"""Shards as one data set: all of it in memory, or streamed, split, and taken up again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understanding.errors import MediaRefused
from understanding.yt8m import wire
from understanding.yt8m.examples import FrameExample, VideoExample, encode_frames, encode_video, parse_video
from understanding.yt8m.records import FRAME, RecordDamaged, framed, write_records
from understanding.yt8m.shards import (
    Position,
    ShardStream,
    check_level,
    load_videos,
    read_frames,
    read_videos,
    shard_paths,
)


def a_video(name: str, seed: int, widths: tuple[int, int] = (6, 3)) -> VideoExample:
    rng = np.random.default_rng(seed)
    labels = np.sort(rng.choice(300, rng.integers(0, 4), replace=False))
    return VideoExample(name, labels, *(rng.normal(size=width).astype(np.float32) for width in widths))


def write_shards(folder: Path, sizes: Sequence[int]) -> tuple[Path, ...]:
    for shard, size in enumerate(sizes):
        videos = (a_video(f"{shard}-{n}", 1000 * shard + n) for n in range(size))
        write_records(folder / f"part{shard:02}.tfrecord", map(encode_video, videos))
    return shard_paths(folder)


@pytest.fixture
def shards(tmp_path: Path) -> tuple[Path, ...]:
    return write_shards(tmp_path, [5, 0, 7, 1, 4])


def test_videos_in_memory_are_the_videos_of_the_shards(shards: tuple[Path, ...]) -> None:
    videos = load_videos(shards)
    one_by_one = [video for path in shards for video in read_videos(path)]
    assert videos.ids == tuple(video.id for video in one_by_one)
    assert len(videos) == 17
    np.testing.assert_array_equal(videos.picture, [video.mean_rgb for video in one_by_one])
    np.testing.assert_array_equal(videos.sound, [video.mean_audio for video in one_by_one])
    for found, video in zip(videos.labels, one_by_one, strict=True):
        np.testing.assert_array_equal(found, video.labels)
        assert found.dtype == np.int64


def test_truth_and_the_most_frequent_classes(tmp_path: Path) -> None:
    labels: list[list[int]] = [[7, 2], [2], [], [9, 2, 7], [9]]
    videos = [VideoExample("x", np.array(has, np.int64), *[np.ones(2, np.float32)] * 2) for has in labels]
    write_records(tmp_path / "a.tfrecord", map(encode_video, videos))
    found = load_videos([tmp_path / "a.tfrecord"])
    assert found.most_frequent(2) == (2, 7)
    assert found.most_frequent(100) == (2, 7, 9)
    np.testing.assert_array_equal(found.truth((9, 2, 5)), [[0, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0], [1, 0, 0]])
    assert replace(found, labels=()).most_frequent(3) == ()
    huge = replace(found, labels=(np.array([1 << 40, 5]), np.array([1 << 40])))
    assert huge.most_frequent(2) == (1 << 40, 5)  # memory follows the labels, not their size


def write_bad(path: Path, bad: bytes) -> int:
    """Write one good video and a bad one after it; return where the bad one begins."""
    good = encode_video(a_video("good", 1))
    write_records(path, [good, bad])
    return FRAME + len(good)


@pytest.mark.parametrize("bad", ["labels", "infinite", "width", "rubbish"])
def test_a_bad_video_is_named_by_file_and_place(tmp_path: Path, bad: str) -> None:
    video = a_video("bad", 2)
    record, says = {
        "labels": (wire.delimited(1, *_entries(video, wire.int_feature([-1]))), "label -1 is below 0"),
        "infinite": (
            encode_video(VideoExample("x", video.labels, video.mean_rgb * np.inf, video.mean_audio)),
            "finite",
        ),
        "width": (encode_video(a_video("bad", 2, (6, 4))), "`mean_audio` has 4 numbers and 3 in the first video"),
        "rubbish": (b"\x0a\x7frubbish", "reaches over the end"),
    }[bad]
    path = tmp_path / "a.tfrecord"
    where = write_bad(path, record)
    with pytest.raises(RecordDamaged, match=says) as caught:
        load_videos([path])
    assert (caught.value.path, caught.value.offset) == (path, where)


@pytest.mark.parametrize("label", [300, 1 << 40])
def test_a_label_outside_the_vocabulary_is_named_by_file_and_place(tmp_path: Path, label: int) -> None:
    path, video = tmp_path / "a.tfrecord", a_video("bad", 2)
    where = write_bad(path, encode_video(replace(video, labels=np.array([4, label]))))
    assert load_videos([path], vocabulary=label + 1).labels[1].tolist() == [4, label]
    with pytest.raises(MediaRefused, match=f"label {label} is not among the 300 classes") as caught:
        load_videos([path], vocabulary=300)
    assert caught.value.code == "foreign-label"
    assert f"{path}, record at byte {where}: " in str(caught.value)


def _entries(video: VideoExample, labels: bytes) -> list[bytes]:
    return [
        wire.entry("id", wire.bytes_feature(video.id.encode())),
        wire.entry("labels", labels),
        wire.entry("mean_rgb", wire.float_feature(video.mean_rgb)),
        wire.entry("mean_audio", wire.float_feature(video.mean_audio)),
    ]


def test_a_damaged_shard_is_named(shards: tuple[Path, ...]) -> None:
    data = bytearray(shards[2].read_bytes())
    data[40] ^= 1
    shards[2].write_bytes(data)
    with pytest.raises(RecordDamaged, match="checksum") as caught:
        load_videos(shards)
    assert caught.value.path == shards[2]
    with pytest.raises(RecordDamaged, match="checksum"):
        list(ShardStream(shards, parse_video, seed=0).epoch())


def test_no_shards(tmp_path: Path) -> None:
    for refused in (lambda: shard_paths(tmp_path), lambda: load_videos([])):
        with pytest.raises(MediaRefused) as caught:
            refused()
        assert caught.value.code == "no-shards"
    with pytest.raises(MediaRefused, match="none"):
        load_videos([tmp_path / "none"])
    (tmp_path / "empty.tfrecord").touch()
    assert len(load_videos([tmp_path / "empty.tfrecord"])) == 0


def test_frame_level_shards(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    videos = [
        FrameExample(f"v{n}", np.array([n]), rng.integers(0, 256, (n, 1280), np.uint8), np.zeros((n, 128), np.uint8))
        for n in (1, 30, 300)
    ]
    path = tmp_path / "frames.tfrecord"
    write_records(path, map(encode_frames, videos))
    for found, video in zip(read_frames(path), videos, strict=True):
        assert found.id == video.id
        np.testing.assert_array_equal(found.rgb, video.rgb)
    path.write_bytes(path.read_bytes() + framed(b"\x0a\x02\x0a\x00"))
    with pytest.raises(RecordDamaged, match="there is no `rgb`"):
        list(read_frames(path))


def ids(stream: ShardStream[VideoExample]) -> list[str]:
    return [video.id for video in stream.epoch()]


def test_an_epoch_gives_every_video_once_in_an_order_of_its_own(shards: tuple[Path, ...]) -> None:
    everything = list(load_videos(shards).ids)
    stream = ShardStream(shards, parse_video, seed=1, buffer=6)
    first, second = ids(stream), ids(stream)
    assert sorted(first) == sorted(second) == sorted(everything)
    assert first != everything
    assert first != second
    again = ShardStream(shards, parse_video, seed=1, buffer=6)
    assert [ids(again), ids(again)] == [first, second]
    assert ids(ShardStream(shards, parse_video, seed=2, buffer=6)) != first
    assert ids(ShardStream(shards, parse_video, seed=1, buffer=6, shuffle=False)) == everything


@settings(max_examples=40)
@given(st.data())
def test_taken_up_anywhere_the_order_is_the_same(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=4))
    paths = write_shards(tmp_path_factory.mktemp("shards"), sizes)
    buffer = data.draw(st.integers(1, 8))
    shuffle = data.draw(st.booleans())

    def stream(position: Position | None = None) -> ShardStream[VideoExample]:
        return ShardStream(paths, parse_video, seed=3, buffer=buffer, shuffle=shuffle, position=position)

    whole = stream()
    expected = ids(whole) + ids(whole)
    stop = data.draw(st.integers(0, len(expected)))
    left = stream()
    before = [video.id for video in islice((video for _ in range(2) for video in left.epoch()), stop)]
    saved = json.loads(json.dumps(asdict(left.position)))
    taken_up = stream(Position(**saved))
    after: list[str] = []
    while taken_up.position.epoch < 2:
        after += ids(taken_up)
    assert before + after == expected


def test_ranks_share_the_shards(shards: tuple[Path, ...]) -> None:
    for world in (1, 2, 5):
        streams = [ShardStream(shards, parse_video, seed=4, rank=rank, world=world) for rank in range(world)]
        for _ in range(2):
            given = [name for stream in streams for name in ids(stream)]
            assert sorted(given) == sorted(load_videos(shards).ids)
    with pytest.raises(ValueError, match="5 shards cannot be divided among 6"):
        ShardStream(shards, parse_video, seed=4, rank=0, world=6)
    with pytest.raises(ValueError, match="rank 2"):
        ShardStream(shards, parse_video, seed=4, rank=2, world=2)


def test_a_position_of_another_stream_is_refused(shards: tuple[Path, ...]) -> None:
    position = ShardStream(shards, parse_video, seed=1).position
    ShardStream(shards, parse_video, seed=1, position=position)
    for paths, seed, world in ((shards, 2, 1), (shards[1:], 1, 1), (shards, 1, 2)):
        with pytest.raises(ValueError, match="belongs to a stream of other"):
            ShardStream(paths, parse_video, seed=seed, world=world, position=position)


def test_real_shards(yt8m: Path) -> None:
    paths = shard_paths(yt8m / "tune")
    videos = load_videos(paths)
    assert 5000 < len(videos) < 7000
    assert videos.picture.shape == (len(videos), 1024)
    assert videos.sound.shape == (len(videos), 128)
    assert videos.picture.dtype == np.float32
    assert all(len(labels) > 0 and labels.max() < 3862 for labels in videos.labels)
    first = next(iter(read_videos(paths[3])))
    row = videos.ids.index(first.id)
    np.testing.assert_array_equal(videos.picture[row], first.mean_rgb)
    assert videos.truth(videos.most_frequent(400)).any(axis=1).mean() > 0.8
    assert sorted(ids(ShardStream(paths, parse_video, seed=0))) == sorted(videos.ids)


def test_pieces_are_shuffled_one_by_one_and_taken_up_among_them(shards: tuple[Path, ...]) -> None:
    def cut(video: VideoExample) -> list[VideoExample]:
        return [replace(video, id=f"{video.id}.{n}") for n in range(len(video.labels))]

    def stream(position: Position | None = None) -> ShardStream[VideoExample]:
        return ShardStream(shards, parse_video, cut=cut, seed=3, buffer=6, position=position)

    whole = [video.id for video in stream().epoch()]
    videos = [video for path in shards for video in read_videos(path)]
    assert sorted(whole) == sorted(piece.id for video in videos for piece in cut(video))
    assert [name.split(".")[0] for name in whole] != sorted(name.split(".")[0] for name in whole)
    for taken in range(len(whole)):
        first = stream()
        assert [video.id for video in islice(first.epoch(), taken)] == whole[:taken]
        assert [video.id for video in stream(first.position).epoch()] == whole[taken:]


def test_a_shard_of_the_other_level_is_refused(tmp_path: Path, shards: tuple[Path, ...]) -> None:
    rows = np.zeros((2, 6), np.uint8)
    path = tmp_path / "rows.tfrecord"
    write_records(path, [encode_frames(FrameExample("v", np.array([1]), rows, rows))])
    check_level(path, "frame")
    check_level(shards[0], "video")
    check_level(shards[1], "frame")  # it is empty
    with pytest.raises(MediaRefused, match="frame-level records") as refusal:
        check_level(path, "video")
    assert refusal.value.code == "frame-level"
    assert "checkpoint of level frame" in refusal.value.next_step
    with pytest.raises(MediaRefused, match="video-level records") as refusal:
        check_level(shards[0], "frame")
    assert "checkpoint of level video" in refusal.value.next_step
