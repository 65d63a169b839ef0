"""Seconds of video tagged a CPU second, stage by stage: `./run bench-tagging [--runs N] [--soft] [--long]`.

Every stage on one thread, beside the pure decode of the same files in the same run, medians of some runs; the whole
default path hears no speech and finds shots the fast way, and its CPU seconds are those of the whole process tree. The
material is looped from the real clips of FACTORY_TEST_MEDIA, or else from drawn ones. `--long` tells the peak memory of
a three-hour file instead (proportional set sizes of the process tree). Figures, never asserted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
import torch
from numpy.typing import NDArray

from factory.samples import draw_library
from tests.bench.costs import Peak, cpu_of_tree
from understanding import decoding, media, scanning, shots
from understanding.build import SHIPPED_TAGGER, load_tagger
from understanding.burnt_in import TextReader
from understanding.faces import FaceFinder
from understanding.features import FeatureExtractor, Scan
from understanding.picture_rows import PictureNet
from understanding.soft_cuts import SoftCuts
from understanding.sound_rows import RATE, sound_rows
from understanding.speech import Listener, Said
from understanding.tagged import Probe

REAL = (
    "exterior-dark-coupe-front-approach", "downtown-street-pov-crossing", "neg-pouring-coffee", "neg-squirrel-eating",
    "motorway-from-bridge-two-carriageways", "rain-motorway-follow-lorry",
    "accident-delivery-van-hits-black-saloon-wet", "night-motorway-pov-oncoming-lights",
)  # fmt: skip
WORDS = ("neg-text-cards-chinese-portrait",)
DRAWN = ("exterior-lumen-s-sedan-showroom", "driving-view-highway-mountain-daylight", "night-city-street-driving-view")
DRAWN_WORDS = ("detail-lumen-s-screen", "detail-lumen-s-charging-port")
PART = 7  # seconds of each clip


class Deaf(Listener):
    """The default path is measured without speech, which is told in a row of its own."""

    def listen(self, samples: NDArray[np.float32]) -> tuple[Said, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Material:
    name: str
    paths: tuple[Path, ...]

    @property
    def seconds(self) -> float:
        return sum(float(media.probe(path).seconds) for path in self.paths)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--material", default="", help="only what is named so: 720p30, short or full")
    asked.add_argument("--soft", action="store_true", help="TransNet V2 too, which has to be installed")
    asked.add_argument("--long", action="store_true", help="the peak memory of a three-hour file")
    given = asked.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        maker = Maker(Path(folder))
        if given.long:
            print(told_long(maker, Path(folder)))
            return
        print("| material | stage | seconds of video a CPU second |\n|---|---|---|")
        for material in maker.all():
            if not material.name.startswith(given.material):
                continue
            bench(material, Path(folder) / "cache", given.runs, soft=given.soft)


def bench(material: Material, cache: Path, runs: int, *, soft: bool) -> None:
    seconds, spent = material.seconds, dict[str, list[float]]()
    extractor = FeatureExtractor(
        cache,
        picture=PictureNet(cache, threads=1),
        reader=TextReader(threads=1),
        listener=Deaf(cache),
        faces=FaceFinder(threads=1),
    )
    stages = Stages(cache, extractor, load_tagger(cache, checkpoint=SHIPPED_TAGGER, features=extractor), soft=soft)
    for run in range(runs + 1):  # the first loads the models
        for name, taken in stages.run(material.paths).items():
            if run:
                spent.setdefault(name, []).append(taken)
    for name, taken_each in spent.items():
        print(
            f"| {material.name}, {seconds:.0f} s | {name} | {seconds / statistics.median(taken_each):.1f} |", flush=True
        )


class Stages:
    """The stages of the default path one by one, then the whole of it."""

    def __init__(self, cache: Path, extractor: FeatureExtractor, tagger: Any, *, soft: bool) -> None:
        self.extractor, self.tagger, self.soft = extractor, tagger, SoftCuts() if soft else None
        self.picture, self.reader = extractor.picture, extractor._reader
        self.listener = Listener(cache, threads=1)
        self.spent: dict[str, float] = {}

    def run(self, paths: Sequence[Path]) -> dict[str, float]:
        """Return the CPU seconds of each stage over all paths."""
        self.spent = {}
        for path in paths:
            self._run(path)
        return self.spent

    def _run(self, path: Path) -> None:
        self._take("pure decode", lambda: _decoded(path))
        self._take("probe", lambda: decoding.probe(str(path)))
        scan = Scan(**self._take("scan: sparse decode, cuts, rows, camera", lambda: scanning.scan(str(path))))
        about = media.probe(path)
        spans = shots.spans(scan.cuts, about.seconds)
        self._take("picture net", lambda: self.picture.read(scan.rows))
        self._take("burnt-in text", lambda: self.extractor._read_text(scan, spans))
        self._take("faces", lambda: self.extractor._look_for_faces(scan, spans, about))
        sound = self._take("sound", lambda: _heard(path, about))
        self._take("speech", lambda: self.listener.listen(sound))
        if self.soft is not None:
            self._take("soft transitions", lambda: self.soft.cuts(path, about.seconds))  # type: ignore[union-attr]
        clip = self._take("all features, without speech", lambda: self.extractor.read(path))
        self._take("tagger net", lambda: self.tagger.tag(clip))
        parts = ("all features, without speech", "tagger net")
        self.spent["**whole default path**"] = sum(self.spent[part] for part in parts)

    def _take(self, name: str, work: Callable[[], Any]) -> Any:
        before = cpu_of_tree()
        done = work()
        self.spent[name] = self.spent.get(name, 0.0) + cpu_of_tree() - before
        return done


def _decoded(path: Path) -> None:
    with decoding.opened(str(path)) as container:
        stream = decoding.video_of(container, threads=1)
        deque(decoding.frames_of(container, stream, decoding.Health()), maxlen=0)


def _heard(path: Path, about: Probe) -> NDArray[np.float32]:
    sound = media.read_sound(path, RATE, about=about)
    for start in range(0, len(sound), 8 * RATE):
        sound_rows(sound[start : start + 8 * RATE])
    return sound


class Maker:
    """Makes what is measured."""

    def __init__(self, folder: Path) -> None:
        real = os.environ.get("FACTORY_TEST_MEDIA")
        self.folder = folder
        if real:
            self.clips, self.words = ([Path(real) / "public" / f"{name}.mp4" for name in n] for n in (REAL, WORDS))
        else:
            self.clips, self.words = (draw_library(folder / "drawn", only=names) for names in (DRAWN, DRAWN_WORDS))

    def all(self) -> list[Material]:
        return [
            Material("720p30", (self.looped(self.clips, "scale=1280:720", 30, 300),)),
            Material("short clips", tuple(self.clips)),
            Material("full of text", (self.looped(self.words, "scale=-2:720", 30, 60),)),
        ]

    def looped(self, clips: Sequence[Path], scale: str, fps: int, seconds: int) -> Path:
        """Join PART seconds of each clip, with noise for sound, and repeat the whole by copying it."""
        turns = "".join(
            f"[{k}:v]trim=0:{PART},{scale},setsar=1,fps={fps},format=yuv420p[c{k}];" for k in range(len(clips))
        )
        graph = turns + "".join(f"[c{k}]" for k in range(len(clips))) + f"concat=n={len(clips)}[out]"
        inputs = [word for clip in clips for word in ("-i", str(clip))]
        once, whole = self.folder / f"once{seconds}.mp4", self.folder / f"{fps}-{seconds}.mp4"
        noise = ["-f", "lavfi", "-i", "anoisesrc=r=44100:a=0.1"]
        coded = [
            "-map",
            "[out]",
            "-map",
            f"{len(clips)}:a",
            "-shortest",
            "-c:v",
            "libx264",
            "-crf",
            "21",
            "-c:a",
            "aac",
        ]
        _ffmpeg([*inputs, *noise, "-filter_complex", graph, *coded, str(once)])
        _ffmpeg(["-stream_loop", "-1", "-i", str(once), "-t", str(seconds), "-c", "copy", str(whole)])
        return whole


def _ffmpeg(arguments: list[str]) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments], check=True)


def told_long(maker: Maker, folder: Path) -> str:
    """Tag three hours of small pictures and say what it took."""
    path = maker.looped(maker.clips, "scale=320:180", 15, 3 * 3600)
    peak, began = Peak(os.getpid()), time.perf_counter()
    cache = folder / "cache"
    extractor = FeatureExtractor(cache, listener=Deaf(cache))
    tagged = load_tagger(cache, checkpoint=SHIPPED_TAGGER, features=extractor).read(path)
    peak.ended.set()
    peak.join()
    length = Fraction(tagged.probe.seconds)
    return (
        f"{float(length) / 3600:.2f} hours of 320x180 at 15 a second: {len(tagged.shots)} shots, peak "
        f"{peak.bytes / 1e6:.0f} MB, {cpu_of_tree():.0f} CPU s, {time.perf_counter() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
