"""How fast YouTube-8M shards are read: `python -m tests.bench.bench_yt8m FOLDER [repeats]`.

Figures of one core, never asserted: the best of some repeats, from the page cache, in records and bytes per CPU second,
beside plain reading of the same bytes. FOLDER holds video-level shards; frame-level ones of 300 rows are written aside.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from understanding.yt8m.examples import FrameExample, encode_frames, parse_frames, parse_video
from understanding.yt8m.records import read_records, write_records
from understanding.yt8m.shards import ShardStream, load_videos, read_frames, read_videos, shard_paths


def main() -> None:
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    print(f"{'':34} {'records/CPU s':>14} {'MB/CPU s':>9} {'us':>7}")
    videos = shard_paths(Path(sys.argv[1]))
    report("video level", videos, repeats, {
        "parsed one by one": lambda: drain(video for path in videos for video in read_videos(path)),
        "all in memory": lambda: load_videos(videos),
        "all in memory, unchecked": lambda: load_videos(videos, check=False),
        "streamed and shuffled": lambda: drain(ShardStream(videos, parse_video, seed=0).epoch()),
    })  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        frames = (frame_shard(Path(folder) / "frames.tfrecord"),)
        report("frame level, 300 x 1152", frames, repeats, {
            "parsed one by one": lambda: drain(video for path in frames for video in read_frames(path)),
            "streamed and shuffled": lambda: drain(ShardStream(frames, parse_frames, seed=0, buffer=64).epoch()),
        })  # fmt: skip


def report(name: str, paths: Sequence[Path], repeats: int, ways: dict[str, Callable[[], object]]) -> None:
    size = sum(path.stat().st_size for path in paths)
    count = sum(1 for path in paths for _ in read_records(path))
    print(f"{name}: {count} records, {size / 1e6:.1f} MB")
    every = {
        "plain reading": lambda: drain(path.read_bytes() for path in paths),
        "framing, unchecked": lambda: drain(r for path in paths for r in read_records(path, check=False)),
        "framing, both checksums": lambda: drain(r for path in paths for r in read_records(path)),
        **ways,
    }
    for way, work in every.items():
        seconds = min(cpu_seconds(work) for _ in range(repeats))
        print(f"  {way:32} {count / seconds:14,.0f} {size / seconds / 1e6:9,.0f} {seconds / count * 1e6:7.2f}")


def cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def drain(values: Iterable[object]) -> None:
    deque(values, maxlen=0)


def frame_shard(path: Path) -> Path:
    rng = np.random.default_rng(0)
    rgb, audio = rng.integers(0, 256, (300, 1024), np.uint8), rng.integers(0, 256, (300, 128), np.uint8)
    write_records(path, (encode_frames(FrameExample(f"v{n}", np.array([n]), rgb, audio)) for n in range(200)))
    return path


if __name__ == "__main__":
    main()
