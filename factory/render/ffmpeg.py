"""Runs an `FfmpegCommand`: limited, killable, its progress in frames, its end explained.

The program is the wheel's ffmpeg, run in the sandbox: limits, no network, a process group and a folder of its own. It
reads no standard input, opens footage only as known containers from local files, and sees no font but ours.
"""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from factory.render.command import FfmpegCommand, Input
from factory.render.errors import DiskFull, RenderCancelled, RenderFailed, RenderTooSlow, disk_full_named, size_of
from factory.render.fonts import font_file
from understanding.decoding import FORMATS, MAX_PIXELS
from understanding.errors import MediaRefused
from understanding.sandbox import Cancelled, Limits, run_program

TAIL = 4000  # characters of what ffmpeg said that an error carries
TAIL_BYTES = 4000
POLL_SECONDS = 0.2
LIMITS = Limits(memory_bytes=6 << 30, cpu_seconds=7200, wall_seconds=3600.0, output_bytes=64 << 30)


def run(
    command: FfmpegCommand,
    *,
    output: Path,
    beside: Sequence[Path] = (),
    on_progress: Callable[[int], None] = lambda _frames: None,
    cancelled: Callable[[], bool] = lambda: False,
    limits: Limits = LIMITS,
) -> None:
    """Run `command` into `output`, and into the files `beside` it that the command writes too.

    `on_progress` gets the frames written so far, never fewer than before. A cancel is seen within a second and kills
    the whole process group. Whatever goes wrong (`RenderFailed`, `RenderTooSlow`, `DiskFull`, `RenderCancelled`), no
    half-written output and no temporary file remains.
    """
    line = arguments_of(command, output, beside)
    try:
        with disk_full_named(output), tempfile.TemporaryDirectory(prefix="autoreel-") as folder:
            furnish(Path(folder), dict(command.files))
            ended = run_program(
                line,
                limits=limits,
                folder=Path(folder),
                environment={"FONTCONFIG_FILE": "fonts.conf", "LC_ALL": "C", "AV_LOG_FORCE_NOCOLOR": "1"},
                on_line=_Frames(on_progress).read,
                cancelled=cancelled,
            )
        if ended.returncode != 0:
            raise _failure(ended.returncode, line, "\n".join(ended.errors), output)
    except BaseException as error:
        for written in (output, *beside):
            if written.is_file():
                written.unlink()
        if isinstance(error, Cancelled):
            raise RenderCancelled from error
        if isinstance(error, MediaRefused):
            raise _too_slow(line, error) from error
        raise


def arguments_of(command: FfmpegCommand, output: Path, beside: Sequence[Path] = ()) -> list[str]:
    """Return the whole command line."""
    line = [executable(), "-hide_banner", "-nostdin", "-y", "-loglevel", "warning", "-nostats"]
    line += ["-progress", "pipe:1", "-stats_period", "0.25", "-filter_threads", "1", "-filter_complex_threads", "1"]
    for source in command.inputs:
        line += [*_opening(source), *source.options, *source.seek, "-i", f"file:{source.path.resolve()}"]
    if command.graph:
        line += ["-filter_complex", command.graph]
    for options, path in zip((command.outputs, *command.beside), (output, *beside), strict=True):
        line += [*options, f"file:{path.resolve()}"]
    return line


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


class _Frames:
    """Reads ffmpeg's own report; hands on the number of frames when it grows."""

    def __init__(self, on_progress: Callable[[int], None]) -> None:
        self._on_progress = on_progress
        self._frames = 0

    def read(self, line: str) -> None:
        name, _, value = line.partition("=")
        if name == "frame" and value.strip().isdigit() and int(value) > self._frames:
            self._frames = int(value)
            self._on_progress(self._frames)


def _too_slow(line: Sequence[str], error: MediaRefused) -> RenderTooSlow:
    return RenderTooSlow(
        f"ffmpeg was stopped: {error}\nThe command was: {shlex.join(line)}",
        next_step="look at the clip that it was reading, or render a shorter piece",
    )


def _failure(status: int, line: Sequence[str], said: str, output: Path) -> RenderFailed:
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return DiskFull(output, size_of(output))
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    return RenderFailed(
        f"ffmpeg {how}: {said[-TAIL:].strip()}\nThe command was: {shlex.join(line)}",
        next_step="read the last lines of what ffmpeg said; a damaged clip can be retired from the library",
    )
