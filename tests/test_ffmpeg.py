"""The executor: limits, cancel, progress, and errors that carry what a person needs."""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from factory.render.command import FfmpegCommand, Input
from factory.render.errors import DiskFull, RenderCancelled, RenderFailed, RenderTooSlow
from factory.render.ffmpeg import LIMITS, arguments_of, run
from tests.render_kit import ffmpeg


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "it's [a]; 100%d clip,=.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=2", "-c:v", "libx264", "-preset", "ultrafast", str(path))
    return path


def copy_of(clip: Path, *outputs: str, options: tuple[str, ...] = ()) -> FfmpegCommand:
    default = ("-map", "0:v:0", "-c:v", "libx264", "-preset", "ultrafast", "-f", "mp4")
    return FfmpegCommand((Input("clip", clip, options),), "", outputs or default, 60)


def test_writes_the_output_and_reports_growing_frames(clip: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    run(copy_of(clip), output=tmp_path / "o'ut %d.mp4", on_progress=seen.append)
    assert (tmp_path / "o'ut %d.mp4").stat().st_size > 1000
    assert seen == sorted(set(seen))
    assert seen[-1] == 60


def test_cancel_kills_quickly_and_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.7, stop.set).start()
    began = time.monotonic()
    with pytest.raises(RenderCancelled):
        run(copy_of(clip, options=("-stream_loop", "-1", "-re")), output=tmp_path / "x.mp4", cancelled=stop.is_set)
    assert time.monotonic() - began < 5
    assert not list(tmp_path.iterdir())


def endless(clip: Path) -> FfmpegCommand:
    return copy_of(clip, options=("-stream_loop", "-1", "-re"))


@pytest.mark.parametrize("how", ["cancelled", "too slow", "failed", "done"])
def test_no_process_and_no_temporary_file_is_left(
    how: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch, out = tmp_path / "scratch", tmp_path / "out"
    scratch.mkdir()
    out.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    broken = out.with_name("broken.mp4")
    broken.write_text("no video")
    asked = time.monotonic()
    ends = {
        "cancelled": lambda: run(
            endless(clip), output=out / "x.mp4", cancelled=lambda: bool(running(out)) and time.monotonic() > asked + 1
        ),
        "too slow": lambda: run(endless(clip), output=out / "x.mp4", limits=replace(LIMITS, wall_seconds=1.0)),
        "failed": lambda: run(copy_of(broken), output=out / "x.mp4"),
        "done": lambda: run(replace(copy_of(clip), files=(("captions.ass", "x"),)), output=out / "x.mp4"),
    }
    if how == "done":
        ends[how]()
    else:
        with pytest.raises((RenderFailed, RenderCancelled)):
            ends[how]()
    assert running(out) == []
    assert not list(scratch.iterdir())
    assert [path.name for path in out.iterdir()] == (["x.mp4"] if how == "done" else [])


def running(out: Path) -> list[int]:
    """Return the processes that write into a folder."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and any(str(out) in part for part in process.info["cmdline"] or ())
    ]


def test_the_wall_limit_ends_it(clip: Path, tmp_path: Path) -> None:
    command = copy_of(clip, options=("-stream_loop", "-1", "-re"))
    with pytest.raises(RenderTooSlow, match=r"1 seconds.*\n.*-nostdin"):
        run(command, output=tmp_path / "x.mp4", limits=replace(LIMITS, wall_seconds=1.0))
    assert not list(tmp_path.iterdir())


def test_the_memory_limit_ends_it(clip: Path, tmp_path: Path) -> None:
    graph = FfmpegCommand(copy_of(clip).inputs, "[0:v]scale=7680:4320[o]", ("-map", "[o]", "-f", "mp4"), 60)
    with pytest.raises(RenderFailed, match=r"Cannot allocate memory|signal"):
        run(graph, output=tmp_path / "x.mp4", limits=replace(LIMITS, memory_bytes=256 << 20))
    assert not list(tmp_path.iterdir())


def test_what_may_work_the_next_time_is_tried_again_and_nothing_else() -> None:
    assert RenderFailed.transient
    assert not any(refusal.transient for refusal in (RenderTooSlow, DiskFull, RenderCancelled))


def test_a_failure_says_what_ffmpeg_said_and_the_exact_command(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_text("<html>")
    with pytest.raises(RenderFailed) as caught:
        run(copy_of(broken), output=tmp_path / "x.mp4")
    assert "Invalid data found" in caught.value.cause
    assert "-format_whitelist" in caught.value.cause
    assert str(broken) in caught.value.cause
    assert caught.value.next_step
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_named_with_path_and_bytes(clip: Path) -> None:
    command = copy_of(clip, "-map", "0:v:0", "-c:v", "rawvideo", "-f", "rawvideo")
    with pytest.raises(DiskFull, match=r"/dev/full: \d+ bytes written, \d+ bytes free"):
        run(command, output=Path("/dev/full"))


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile {}\n"])
def test_footage_cannot_name_other_files(text: str, clip: Path, tmp_path: Path) -> None:
    playlist = tmp_path / "playlist.mp4"
    playlist.write_text(text.format(clip))
    with pytest.raises(RenderFailed, match=r"[Ww]hitelist|Invalid data"):
        run(copy_of(playlist), output=tmp_path / "x.mp4")


def test_the_command_reads_no_input_and_knows_only_files(clip: Path) -> None:
    line = arguments_of(copy_of(clip), Path("out.mp4"))
    assert "-nostdin" in line
    assert line[line.index("-protocol_whitelist") + 1] == "file,pipe"
    assert line[line.index("-i") + 1].startswith("file:/")
    assert line[-1].startswith("file:/")


def test_a_digest_is_free_of_paths_and_knows_everything_else(clip: Path) -> None:
    command = copy_of(clip)
    moved = replace(command, inputs=(replace(command.inputs[0], path=Path("elsewhere.mp4")),))
    assert moved.digest() == command.digest()
    for other in (
        replace(command, inputs=(replace(command.inputs[0], content="other"),)),
        replace(command, inputs=(replace(command.inputs[0], options=("-ss", "1")),)),
        replace(command, graph="[0]null[o]"),
        replace(command, outputs=("-an",)),
        replace(command, frames=61),
        replace(command, files=(("captions.ass", "x"),)),
    ):
        assert other.digest() != command.digest()
