"""Runs an `FfmpegCommand`: limited, killable, its progress in frames, its end explained.

The program is the wheel's ffmpeg. It reads no standard input, runs in a process group and a folder of its own, opens
footage only as known containers from local files, and sees no font but ours.
"""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from factory.render.command import FfmpegCommand, Input
from factory.render.errors import DiskFull, RenderCancelled, RenderFailed, RenderTooSlow, disk_full_named, size_of
from factory.render.fonts import font_file

# Containers that footage may come in; playlists (hls, concat, dash) and all that open further files are left out.
FORMATS = (
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,av1,ivf,flv,asf,ogg,gif,mjpeg,png_pipe,jpeg_pipe,webp_pipe,"
    "wav,mp3,aac,flac,dv,mxf,rawvideo"
)
MAX_PIXELS = 8192 * 8192
TAIL_BYTES = 4000
POLL_SECONDS = 0.2

# Sets its own limits, then becomes ffmpeg: no code of ours runs between fork and exec.
LIMITER = 'ulimit -v "$1" 2>/dev/null; ulimit -t "$2" 2>/dev/null; shift 2; exec "$@"'


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one ffmpeg may take: wall seconds, CPU seconds, bytes of address space."""

    seconds: float = 1800.0
    cpu_seconds: int = 3600
    memory_bytes: int = 6 << 30


def run(
    command: FfmpegCommand,
    *,
    output: Path,
    on_progress: Callable[[int], None] = lambda _frames: None,
    cancelled: Callable[[], bool] = lambda: False,
    limits: Limits = Limits(),
) -> str:
    """Run `command` into `output` and return what ffmpeg said (the end of it).

    `on_progress` gets the frames written so far, never fewer than before. A cancel is seen within a second and kills
    the whole process group. Whatever goes wrong (`RenderFailed`, `RenderTooSlow`, `DiskFull`, `RenderCancelled`), no
    half-written output and no temporary file remains.
    """
    try:
        with disk_full_named(output), tempfile.TemporaryDirectory(prefix="autoreel-") as folder:
            furnish(Path(folder), dict(command.files))
            arguments = arguments_of(command, output)
            with _started(arguments, Path(folder), limits) as process:
                said = _watch(process, on_progress, cancelled, limits.seconds)
            if process.returncode != 0:
                raise _failure(process.returncode, arguments, said, output)
            return said
    except BaseException:
        if output.is_file():
            output.unlink()
        raise


def arguments_of(command: FfmpegCommand, output: Path) -> list[str]:
    """Return the whole command line."""
    line = [executable(), "-hide_banner", "-nostdin", "-y", "-loglevel", "warning", "-nostats"]
    line += ["-progress", "pipe:1", "-stats_period", "0.25", "-filter_threads", "1", "-filter_complex_threads", "1"]
    for source in command.inputs:
        line += [*_opening(source), *source.options, "-i", f"file:{source.path.resolve()}"]
    if command.graph:
        line += ["-filter_complex", command.graph]
    return [*line, *command.outputs, f"file:{output.resolve()}"]


def executable() -> str:
    """Return the path of the wheel's ffmpeg."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


@cache
def version() -> str:
    """Return the version of the wheel's ffmpeg, part of every cache key."""
    return str(imageio_ffmpeg.get_ffmpeg_version())


def _opening(source: Input) -> list[str]:
    if source.trusted:
        return ["-protocol_whitelist", "file"]
    return ["-protocol_whitelist", "file,pipe", "-format_whitelist", FORMATS, "-max_pixels", str(MAX_PIXELS)]


def furnish(folder: Path, files: Mapping[str, str]) -> None:
    """Write the graph's text files, and the only fonts that ffmpeg may see, into the folder that it runs in."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "fonts").mkdir()
    (folder / "fonts" / font_file().name).symlink_to(font_file())
    (folder / "fonts.conf").write_text("<fontconfig><cachedir>.</cachedir></fontconfig>\n", encoding="ascii")


@contextmanager
def _started(arguments: Sequence[str], folder: Path, limits: Limits) -> Iterator[subprocess.Popen[bytes]]:
    """Start ffmpeg in its own session; whatever happens inside, its group is gone afterwards."""
    limiter = ["/bin/sh", "-c", LIMITER, "sh", str(limits.memory_bytes // 1024), str(limits.cpu_seconds)]
    process = subprocess.Popen(
        [*limiter, *arguments],
        cwd=folder,
        env={"FONTCONFIG_FILE": "fonts.conf", "LC_ALL": "C", "AV_LOG_FORCE_NOCOLOR": "1", "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        with process:
            try:
                yield process
            finally:
                _kill_group(process)
    finally:
        process.wait()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with_group = process.pid  # start_new_session makes the child the leader of its group
        os.killpg(with_group, signal.SIGKILL)


def _watch(
    process: subprocess.Popen[bytes],
    on_progress: Callable[[int], None],
    cancelled: Callable[[], bool],
    wall_seconds: float,
) -> str:
    """Read both pipes until they close; return the end of what was said on stderr."""
    assert process.stdout is not None
    assert process.stderr is not None
    deadline = time.monotonic() + wall_seconds
    tail, report, frames = b"", b"", 0
    with selectors.DefaultSelector() as pipes:
        pipes.register(process.stdout, selectors.EVENT_READ)
        pipes.register(process.stderr, selectors.EVENT_READ)
        while pipes.get_map():
            for key, _ in pipes.select(POLL_SECONDS):
                data = os.read(key.fd, 65536)
                if not data:
                    pipes.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    tail = (tail + data)[-TAIL_BYTES:]
                else:
                    *lines, report = (report + data).split(b"\n")
                    reached = max([frames, *_frames_in(lines)])
                    if reached > frames:
                        frames = reached
                        on_progress(frames)
            if cancelled():
                raise RenderCancelled
            if time.monotonic() > deadline:
                raise RenderTooSlow(
                    f"ffmpeg was stopped after {wall_seconds:.0f} s: {shlex.join(map(str, process.args))}",  # type: ignore[arg-type]
                    next_step="look at the clip that it was reading, or render a shorter piece",
                )
    process.wait()
    return tail.decode("utf-8", "replace")


def _frames_in(lines: Sequence[bytes]) -> Iterator[int]:
    for line in lines:
        name, _, value = line.partition(b"=")
        if name == b"frame" and value.strip().isdigit():
            yield int(value)


def _failure(status: int, arguments: Sequence[str], said: str, output: Path) -> RenderFailed:
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return DiskFull(output, size_of(output))
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    return RenderFailed(
        f"ffmpeg {how}: {said.strip()}\nThe command was: {shlex.join(arguments)}",
        next_step="read the last lines of what ffmpeg said; a damaged clip can be retired from the library",
    )
