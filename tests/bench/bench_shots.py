"""How well cuts and soft transitions are found: `./run bench-shots [--soft] [--clips FOLDER] [--rendered V=TIMELINE]`.

Drawn clips are joined by ffmpeg with hard cuts and with transitions of half a second to two; a video that the factory
rendered is measured against its own timeline. A cut counts as found within 0.1 s, a transition anywhere inside it or
0.25 s beside it; each joint takes one answer, the rest are false. Figures, never asserted.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg

from factory.plan.timeline import ClipLayer, Timeline
from factory.plan.timeline_json import from_json
from factory.samples import draw_library
from factory.samples.scenes import scenes
from understanding import media, scanning
from understanding.soft_cuts import SoftCuts

KINDS = ("fade", "dissolve", "wipeleft", "slideup", "circleopen", "fadeblack", "fadewhite", "smoothleft")
CLIPS, SECONDS, FPS = 12, 4, 25
HARD, SOFT = 0.1, 0.25  # seconds

Finder = Callable[[Path], Sequence[Fraction]]


@dataclass(frozen=True, slots=True)
class Joint:
    """Where one shot becomes another: [start, end) seconds, empty for a hard cut."""

    kind: str
    start: float
    end: float

    def near(self, at: float) -> bool:
        slack = SOFT if self.end > self.start else HARD
        return self.start - slack <= at <= self.end + slack


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--soft", action="store_true", help="TransNet V2 too, which has to be installed")
    asked.add_argument("--clips", type=Path, help="a folder of drawn clips; drawn anew if left out")
    asked.add_argument("--rendered", action="append", default=[], help="VIDEO=TIMELINE.json of a finished job")
    given = asked.parse_args()
    finders: dict[str, Finder] = {"fast": _fast}
    if given.soft:
        net = SoftCuts()
        finders["soft"] = lambda path: net.cuts(path, media.probe(path).seconds)
    print("| what | joints | detector | precision | recall | F1 |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        clips = sorted(given.clips.glob("*.mp4")) if given.clips else _drawn(Path(folder) / "drawn")
        for name, group in [*_composed(clips, Path(folder)), *_rendered(given.rendered)]:
            for detector, find in finders.items():
                print(
                    _row(name, detector, [(joints, [float(at) for at in find(path)]) for path, joints in group]),
                    flush=True,
                )


def _fast(path: Path) -> Sequence[Fraction]:
    about = media.probe(path)
    found: list[Fraction] = media.in_child(scanning.cuts, path, limits=media.limits_for(about.seconds))["cuts"]
    return found


def _drawn(folder: Path) -> list[Path]:
    return draw_library(folder, only=[scene.stem for scene in scenes()[:: max(1, len(scenes()) // 24)]], height=360)


def _composed(clips: Sequence[Path], folder: Path) -> Iterator[tuple[str, list[tuple[Path, list[Joint]]]]]:
    """Yield what is measured together: clips alone, hard cuts, and each kind of transition."""
    yield "clips alone", [(path, []) for path in clips[:24]]
    for kind in ("cut", *KINDS):
        chance = random.Random(kind)
        made = [_joined(chance.sample(clips, 6), kind, folder / f"{kind}{k}.mp4", chance) for k in range(3)]
        yield kind, made


def _joined(clips: Sequence[Path], kind: str, path: Path, chance: random.Random) -> tuple[Path, list[Joint]]:
    """Join clips of SECONDS each; a hard cut is a joint without length."""
    joints: list[Joint] = []
    parts = [
        f"[{k}:v]trim=0:{SECONDS},setpts=PTS-STARTPTS,scale=640:360,fps={FPS},settb=1/{FPS},setsar=1,format=yuv420p[c{k}]"
        for k in range(len(clips))
    ]
    if kind == "cut":
        parts.append("".join(f"[c{k}]" for k in range(len(clips))) + f"concat=n={len(clips)}[out]")
        joints = [Joint(kind, SECONDS * k, SECONDS * k) for k in range(1, len(clips))]
    else:
        at, before = 0.0, "c0"
        for k in range(1, len(clips)):
            length = chance.choice([0.52, 1.0, 2.0])
            at += SECONDS - length
            after = "out" if k == len(clips) - 1 else f"x{k}"
            parts.append(f"[{before}][c{k}]xfade=transition={kind}:duration={length}:offset={at}[{after}]")
            joints.append(Joint(kind, at, at + length))
            before = after
    inputs = [word for clip in clips for word in ("-i", str(clip))]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *inputs, "-filter_complex", ";".join(parts)]
    subprocess.run([*command, "-map", "[out]", "-an", "-c:v", "libx264", "-crf", "22", str(path)], check=True)
    return path, joints


def _rendered(pairs: Sequence[str]) -> Iterator[tuple[str, list[tuple[Path, list[Joint]]]]]:
    for pair in pairs:
        video, _, timeline = pair.partition("=")
        yield Path(video).name, [(Path(video), list(joints(from_json(Path(timeline).read_text(encoding="utf-8")))))]


def joints(timeline: Timeline) -> Iterator[Joint]:
    """Every place of a timeline where its footage changes: between scenes, and between the clips of one."""
    for scene, start in zip(timeline.scenes, timeline.scene_starts(), strict=True):
        for layer in scene.layers:
            if isinstance(layer, ClipLayer) and layer.start > 0:
                yield _joint("clip", start + layer.start, 0, timeline.canvas.fps)
        over = scene.transition.frames if scene.transition else 0
        if scene is not timeline.scenes[-1]:
            yield _joint("scene", start + scene.frames - over, over, timeline.canvas.fps)


def _joint(kind: str, frame: int, frames: int, fps: Fraction) -> Joint:
    return Joint(kind, float(frame / fps), float((frame + frames) / fps))


def _row(name: str, detector: str, measured: Sequence[tuple[list[Joint], list[float]]]) -> str:
    hits = sum(_hits(*pair) for pair in measured)
    wanted, found = (sum(len(pair[k]) for pair in measured) for k in (0, 1))
    precision, recall = hits / found if found else 1.0, hits / wanted if wanted else 1.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return f"| {name} | {wanted} | {detector} | {precision:.2f} ({found - hits} false) | {recall:.2f} | {f1:.2f} |"


def _hits(joints: list[Joint], found: list[float]) -> int:
    free, hits = list(found), 0
    for joint in joints:
        match = next((at for at in free if joint.near(at)), None)
        if match is not None:
            free.remove(match)
            hits += 1
    return hits


if __name__ == "__main__":
    main()
