"""Looks at a finished video as a delivery check does.

Silent about what is right. Black and frozen stretches of over a second count as faults unless the timeline marks the
scene as still, or the footage shown there stands still (or is black) itself.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av

from factory.plan.timeline import ClipLayer, Timeline
from factory.plan.timeline_json import from_json
from factory.render.aigc import KEY
from factory.render.ffmpeg import executable
from understanding.sandbox import Limits, run_program

PEAK = -1.0  # dBTP that nothing is louder than
LONGEST = 1.0  # seconds that a picture may stand still or be black
MOST_LINES = 2000  # of ffmpeg's own that are read
LIMITS = Limits(memory_bytes=4 << 30, cpu_seconds=3600, wall_seconds=3600.0)
WATCH = f"blackdetect=d={LONGEST}:pix_th=0.08,freezedetect=n=-60dB:d={LONGEST}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a whole decode of a file shows: seconds throughout."""

    errors: tuple[str, ...]
    lufs: float
    peak: float  # dBTP
    black: tuple[tuple[float, float], ...]
    frozen: tuple[tuple[float, float], ...]


def watch(path: Path, *options: str, sound: bool = True) -> Seen:
    """Decode the file, or the part that `options` name, and measure it with ffmpeg's own meters."""
    line = [
        executable(),
        "-nostdin",
        "-hide_banner",
        "-nostats",
        "-loglevel",
        "level+info",
        *options,
        "-i",
        str(path.resolve()),
    ]
    line += ["-map", "0:v:0", "-vf", WATCH]
    line += ["-map", "0:a:0", "-af", "ebur128=peak=true"] if sound else []
    with tempfile.TemporaryDirectory(prefix="autoreel-") as folder:
        ended = run_program([*line, "-f", "null", "-"], limits=LIMITS, folder=Path(folder), kept_lines=MOST_LINES)
    said = "\n".join(ended.errors)
    errors = tuple(line for line in said.splitlines() if re.search(r"\[(error|fatal)\]", line))
    if ended.returncode and not errors:
        errors = (f"ffmpeg ended with status {ended.returncode}",)
    loudness = re.findall(r"I:\s+(-?[\d.]+|-inf) LUFS", said)
    peaks = re.findall(r"Peak:\s+(-?[\d.]+|-inf) dBFS", said)
    black = [(float(start), float(end)) for start, end in re.findall(r"black_start:([\d.]+) black_end:([\d.]+)", said)]
    starts = [float(start) for start in re.findall(r"freeze_start: ([\d.]+)", said)]
    ends = [float(end) for end in re.findall(r"freeze_end: ([\d.]+)", said)]
    ends += [float("inf")] * (len(starts) - len(ends))  # still frozen when the file ends
    frozen = tuple(zip(starts, ends, strict=True))
    lufs, peak = (float(told[-1]) if told else float("-inf") for told in (loudness, peaks))
    return Seen(errors, lufs, peak, tuple(black), frozen)


def faults(video: Path, source: Callable[[str], Path]) -> list[str]:
    """Return what is wrong with a finished video, given its timeline beside it; `source` finds footage by SHA-256."""
    plan = video.with_suffix(".timeline.json")
    timeline = from_json(plan.read_text(encoding="utf-8"))
    seen = watch(video)
    found = [f"does not decode: {error}" for error in seen.errors]
    if _label(video).get("ProduceID") != hashlib.sha256(plan.read_bytes()).hexdigest():
        found.append("its AIGC label does not name its timeline")
    frames, picture_end, sound_end = _lengths(video)
    if frames != timeline.frames:
        found.append(f"{frames} frames instead of {timeline.frames}")
    if abs(picture_end - sound_end) > 1 / timeline.canvas.fps:
        found.append(f"the picture ends at {picture_end:.3f} s, the sound at {sound_end:.3f} s")
    if abs(seen.lufs - timeline.loudness_lufs) > 1:
        found.append(f"loudness is {seen.lufs} LUFS instead of {timeline.loudness_lufs}")
    if seen.peak > PEAK:
        found.append(f"it peaks at {seen.peak} dBTP")
    end = float(timeline.seconds)
    found += [f"a caption ends at {at:.3f} s, after the program" for at in _caption_ends(video) if at > end + 0.001]
    for what, stretches in (("black", seen.black), ("frozen", seen.frozen)):
        for start, stop in stretches:
            found += _unexplained(what, start, min(stop, end), timeline, source)
    return found


def _label(video: Path) -> dict[str, str]:
    with av.open(str(video)) as file:
        return dict(json.loads(file.metadata.get(KEY, "{}")))


def _lengths(video: Path) -> tuple[int, float, float]:
    """Return frames that decode, and the ends of picture and sound in seconds."""
    with av.open(str(video)) as file:
        picture, frames = 0.0, 0
        for frame in file.decode(video=0):
            assert frame.pts is not None
            frames += 1
            picture = float((frame.pts + (frame.duration or 0)) * (frame.time_base or 0))
    with av.open(str(video)) as file:
        *_, last = file.decode(audio=0)
        assert last.pts is not None
        assert last.time_base is not None
        return frames, picture, float(last.pts * last.time_base) + last.samples / last.sample_rate


def _caption_ends(video: Path) -> Iterator[float]:
    file = video.with_suffix(".srt")
    text = file.read_text(encoding="utf-8") if file.exists() else ""  # where nobody speaks there is none
    for hours, minutes, seconds, thousandths in re.findall(r"--> (\d+):(\d+):(\d+),(\d+)", text):
        yield int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(thousandths) / 1000


def _unexplained(
    what: str, start: float, end: float, timeline: Timeline, source: Callable[[str], Path]
) -> Iterator[str]:
    """Tell of each scene in which the stretch lasts too long without the timeline or the footage accounting for it."""
    fps = float(timeline.canvas.fps)
    for scene, first in zip(timeline.scenes, timeline.scene_starts(), strict=True):
        since, until = max(start, first / fps), min(end, (first + scene.frames) / fps)
        if scene.still or until - since <= LONGEST:
            continue
        if not any(_itself(what, layer, fps, source) for layer in scene.layers if isinstance(layer, ClipLayer)):
            yield f"{what} for {until - since:.2f} s from {since:.2f} s, in scene {scene.id}"


def _itself(what: str, layer: ClipLayer, fps: float, source: Callable[[str], Path]) -> bool:
    """Return whether the footage of a layer holds such a stretch itself."""
    length = layer.frames / fps * float(layer.speed) + 1
    seen = watch(source(layer.asset), "-ss", f"{float(layer.source_start):.3f}", "-t", f"{length:.3f}", sound=False)
    return bool(seen.black if what == "black" else seen.frozen)
