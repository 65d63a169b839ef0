"""What a render costs beside the encoder alone and beside other ways to the same picture: `./run bench-render`.

Two videos of 1080p30 sources, which are made by enlarging real clips (FACTORY_TEST_MEDIA, or else drawn ones). A
report: six scenes of 5 s, a lower third that comes in, five cross-fades of half a second. An off-road compilation: six
scenes of 6 s with hard cuts, a lower third over the first half of each. Everything is measured in one run as CPU
seconds of the process tree, in the median, with the wall time beside it; the limit is the encoder fed with composed raw
frames, with the renderer's own settings. `--json` ends with one line of JSON. Figures, never asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from factory.plan.timeline import Canvas, CardLayer, ClipLayer, TimedScene, Timeline, Transition
from factory.plan.timeline_json import from_json, to_json
from factory.render.chunks import count_frames
from factory.render.drawn import ENTRY
from factory.render.ffmpeg import executable
from factory.render.film import render_film
from factory.render.fonts import face
from factory.render.overlays import Drawing, draw_card
from factory.render.probe import X264, Encoder
from factory.render.templates import Templates
from factory.samples import draw_library
from tests.bench.costs import Cost, cpu_of_tree, measured
from tests.render_kit import Store, hum
from understanding.sandbox import has_network

CLIPS: Final = (
    "exterior-dark-coupe-front-approach", "downtown-street-pov-crossing", "motorway-from-bridge-two-carriageways",
    "rain-motorway-follow-lorry", "night-motorway-pov-oncoming-lights", "neg-squirrel-eating",
)  # fmt: skip
DRAWN: Final = ("driving-view-highway-mountain-daylight", "night-city-street-driving-view")
CANVAS: Final = Canvas(1920, 1080, Fraction(30))
LENGTH: Final = 9  # seconds of a source
PARTS: Final = ("report", "one_scene", "off_road", "memory")
LOSSLESS: Final = Encoder("libx264", ("-preset", "ultrafast", "-qp", "0", "-threads", "1"), ())
ENCODER: Final = X264.arguments(CANVAS.fps, draft=False)


class Sources:
    """The 1080p30 sources, each under its digest."""

    def __init__(self, folder: Path) -> None:
        real = os.environ.get("FACTORY_TEST_MEDIA")
        clips = [Path(real) / "public" / f"{name}.mp4" for name in CLIPS] if real else []
        clips = clips or list(draw_library(folder / "drawn", only=DRAWN))
        self.paths = [_enlarged(clips[k % len(clips)], folder / f"source{k}.mp4") for k in range(len(CLIPS))]
        self.store = Store(folder / "shelf")
        self.digests = [self.store.adopt(path) for path in self.paths]


def _enlarged(clip: Path, path: Path) -> Path:
    size = "scale=1920:1080:force_original_aspect_ratio=increase,crop=1920:1080,setsar=1,fps=30,format=yuv420p"
    coded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-g", "60"]
    _ffmpeg("-stream_loop", "-1", "-i", str(clip), "-t", str(LENGTH), "-an", "-vf", size, *coded, str(path))
    return path


# what is rendered


def _scenes(sources: Sources, count: int, frames: int, *, title: int, fade: int = 0, words: str = "") -> Timeline:
    """Scenes of `frames` frames with a lower third over the first `title` of them, joined by cross-fades of `fade`."""
    scenes = []
    for number in range(count):
        clip = ClipLayer(sources.digests[number % len(sources.digests)], number + 1, Fraction(number % 3), 0, frames)
        data = {"name": f"Scene {number + 1}{words if number == count // 2 else ''}", "line": "Off the beaten track"}
        card = CardLayer("lower_third", data, 0, title, role="lower_third")
        over = Transition("crossfade", fade) if fade and number < count - 1 else None
        scenes.append(TimedScene(f"s{number + 1}", frames, (clip, card) if title else (clip,), over))
    return Timeline("Bench", "en-US", "off_road", "autoreel", CANVAS, tuple(scenes))


def report(sources: Sources) -> Timeline:
    return _scenes(sources, 6, 150, title=150, fade=15)


def off_road(sources: Sources) -> Timeline:
    return _scenes(sources, 6, 180, title=90)


def ten(sources: Sources, words: str = "") -> Timeline:
    return _scenes(sources, 10, 150, title=150, fade=15, words=words)


# ways to render it


class Ways:
    """Each way is a command of its own, whose whole process tree is measured."""

    def __init__(self, sources: Sources, folder: Path) -> None:
        self.sources, self.folder = sources, folder

    def ours(self, timeline: Timeline, cache: Path, out: Path, *, jobs: int = 2, copy_shots: bool = False) -> Cost:
        written = self.folder / f"{out.stem}.timeline.json"
        written.write_text(to_json(timeline), "utf-8")
        shelf = {digest: str(path) for digest, path in self.sources.store.shelf.items()}
        paths = {"timeline": str(written), "cache": str(cache), "out": str(out)}
        task = json.dumps({**paths, "shelf": shelf, "jobs": jobs, "copy_shots": copy_shots})
        spent = self.folder / "spent"
        cost = measured([sys.executable, "-m", "tests.bench.bench_render", "--render", task, "--spent", str(spent)])
        cpu, wall = map(float, spent.read_text().split())
        return replace(cost, cpu=cpu, wall=wall)

    def start_up(self) -> Cost:
        """What a worker costs before its first job."""
        lines = (
            "import factory.produce",
            "from factory.render.fonts import face",
            "from understanding.sandbox import has_network",
            "face(), has_network()",
        )
        return measured([sys.executable, "-c", "; ".join(lines)])

    def decode(self, timeline: Timeline) -> Cost:
        costs = [
            measured(_line("-threads", "1", "-ss", f"{float(c.source_start)}", "-t", f"{float(c.frames / CANVAS.fps)}",
                           "-i", str(self.path(c)), "-f", "null", "-"))
            for c in map(_clip, timeline.scenes)
        ]  # fmt: skip
        return Cost(sum(cost.cpu for cost in costs), sum(cost.wall for cost in costs))

    def graph(self, timeline: Timeline, *target: str) -> Cost:
        """One ffmpeg with all scenes in one graph; each picture of a card is decoded once and held by `loop`."""
        inputs, parts = [], []
        for number, scene in enumerate(timeline.scenes):
            clip, seconds = _clip(scene), float(scene.frames / CANVAS.fps)
            inputs += ["-threads", "1", "-ss", f"{float(clip.source_start)}", "-t", f"{seconds}", "-i"]
            inputs += [str(self.path(clip))]
            parts.append(f"[{2 * number}:v]fps=30,trim=end_frame={scene.frames},setpts=PTS-STARTPTS[v{number}]")
            card = next(layer for layer in scene.layers if isinstance(layer, CardLayer))
            drawn = self.drawn(timeline, card)
            inputs += ["-framerate", "30", "-i", str(drawn.still)]
            parts.append(
                f"[{2 * number + 1}:v]scale=out_color_matrix=bt709:out_range=tv,format=yuva420p,"
                f"loop=loop=-1:size=1:start=0,setpts=N/30/TB,trim=end_frame={card.frames},"
                f"fade=in:0:{card.enter}:alpha=1,fade=out:{card.frames - card.leave}:{card.leave}:alpha=1[c{number}];"
                f"[v{number}][c{number}]overlay=x={drawn.left}+({slide_of(card)})*pow(1-clip(t/0.4\\,0\\,1)\\,3):"
                f"y={drawn.top}:eval=frame:eof_action=pass:format=yuv420,fps=30,settb=1/30[s{number}]"
            )
        last, at = "s0", 0
        if any(scene.transition for scene in timeline.scenes):
            for number, scene in enumerate(timeline.scenes[:-1]):
                over = scene.transition.frames if scene.transition else 0
                at += scene.frames - over
                parts.append(
                    f"[{last}][s{number + 1}]xfade=transition=fade:duration={over / 30}:offset={at / 30}[x{number}]"
                )
                last = f"x{number}"
        else:
            every = "".join(f"[s{number}]" for number in range(len(timeline.scenes)))
            parts.append(f"{every}concat=n={len(timeline.scenes)}[all]")
            last = "all"
        parts.append(f"[{last}]format=yuv420p[out]")
        return measured(_line(*inputs, "-filter_complex", ";".join(parts), "-map", "[out]", *target))

    def limit(self, raw: Path, out: Path, *settings: str) -> Cost:
        given = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "1920x1080", "-r", "30", "-i", str(raw)]
        return measured(_line(*given, *ENCODER, *settings, str(out)))

    def moviepy(self, timeline: Timeline, out: Path) -> Cost:
        scenes = [
            {
                "path": str(self.path(_clip(scene))),
                "start": float(_clip(scene).source_start),
                "seconds": float(scene.frames / CANVAS.fps),
                "card": str(drawn.still),
                "at": [drawn.left, drawn.top],
                "slide": slide_of(card),
                "shown": float(card.frames / CANVAS.fps),
                "over": float(scene.transition.frames / CANVAS.fps) if scene.transition else 0.0,
            }
            for scene in timeline.scenes
            for card in scene.layers
            if isinstance(card, CardLayer)
            for drawn in [self.drawn(timeline, card)]
        ]
        task = json.dumps({"scenes": scenes, "out": str(out)})
        return measured([sys.executable, "-m", "tests.bench.bench_render", "--moviepy", task])

    def path(self, clip: ClipLayer) -> Path:
        return self.sources.store.source(clip.asset)

    def drawn(self, timeline: Timeline, card: CardLayer) -> Drawing:
        store = Store(self.folder / "cards")
        return draw_card(
            card, Templates(), store.cached, canvas=CANVAS, brand=timeline.brand, locale=timeline.locale, where="a card"
        )


def slide_of(card: CardLayer) -> int:
    """How far beside its place a card begins, in pixels."""
    return round(ENTRY[card.role][0] * CANVAS.height / 2) * 2


def _clip(scene: TimedScene) -> ClipLayer:
    return next(layer for layer in scene.layers if isinstance(layer, ClipLayer))


def _line(*arguments: str) -> list[str]:
    return [
        executable(),
        "-hide_banner",
        "-nostdin",
        "-loglevel",
        "error",
        "-y",
        "-filter_complex_threads",
        "1",
        *arguments,
    ]


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(_line(*arguments), check=True)


# the two commands that are measured from outside


def render(task: dict[str, Any], spent: Path) -> None:
    """Render as a running worker does, and write down its CPU and wall seconds."""
    has_network()  # starts the process that all limited children come from
    face()  # reads the font
    timeline = from_json(Path(task["timeline"]).read_text("utf-8"))
    store = Store(Path(task["cache"]))
    store.shelf = {digest: Path(path) for digest, path in task["shelf"].items()}
    cpu, wall = cpu_of_tree(), time.perf_counter()
    render_film(
        timeline,
        source=store.source,
        cached=store.cached,
        templates=Templates(),
        out=Path(task["out"]),
        write_music=hum,
        jobs=task["jobs"],
        copy_shots=task["copy_shots"],
    )
    spent.write_text(f"{cpu_of_tree() - cpu} {time.perf_counter() - wall}")


def sliding(scene: dict[str, Any]) -> Callable[[float], tuple[float, float]]:
    """Where a card stands: it comes in on an eased path in 0.4 s, as ours does."""
    (left, top), far = scene["at"], scene["slide"]
    return lambda t: (left + far * max(0.0, 1 - t / 0.4) ** 3, top)


def render_by_moviepy(task: dict[str, Any]) -> None:
    from moviepy import CompositeVideoClip, ImageClip, VideoFileClip, vfx

    at, shown = 0.0, []
    for number, scene in enumerate(task["scenes"]):
        clip = VideoFileClip(scene["path"], audio=False).subclipped(scene["start"], scene["start"] + scene["seconds"])
        card = ImageClip(scene["card"]).with_duration(scene["shown"])
        card = card.with_effects([vfx.CrossFadeIn(0.4), vfx.CrossFadeOut(0.25)]).with_position(sliding(scene))
        whole = CompositeVideoClip([clip, card], size=(1920, 1080))
        if number and task["scenes"][number - 1]["over"]:
            whole = whole.with_effects([vfx.CrossFadeIn(task["scenes"][number - 1]["over"])])
        shown.append(whole.with_start(at))
        at += scene["seconds"] - scene["over"]
    film = CompositeVideoClip(shown, size=(1920, 1080))
    settings = ["-crf", "21", "-pix_fmt", "yuv420p"]
    film.write_videofile(
        task["out"], fps=30, codec="libx264", preset="veryfast", threads=1, ffmpeg_params=settings, logger=None
    )


# the run


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--moviepy-runs", type=int, default=1, help="it costs as much as all the rest")
    asked.add_argument("--json", action="store_true")
    asked.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what is measured, all by default")
    asked.add_argument("--render", type=json.loads, help=argparse.SUPPRESS)
    asked.add_argument("--spent", type=Path, help=argparse.SUPPRESS)
    asked.add_argument("--moviepy", type=json.loads, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.render:
        render(given.render, given.spent)
    elif given.moviepy:
        render_by_moviepy(given.moviepy)
    else:
        with tempfile.TemporaryDirectory(prefix="bench-render-") as folder:
            bench = Bench(Path(folder), given.runs, given.moviepy_runs)
            print("| how | CPU s | of the limit | wall s | peak MB of the tree |\n|---|---|---|---|---|")
            for part in given.parts:
                getattr(bench, part)()
            if given.json:
                print(json.dumps(bench.told))


class Bench:
    """Runs and prints the table; `told` gathers what the line of JSON says."""

    def __init__(self, folder: Path, runs: int, moviepy_runs: int) -> None:
        self.folder, self.runs, self.moviepy_runs = folder, runs, moviepy_runs
        self.sources = Sources(folder)
        self.ways = Ways(self.sources, folder)
        self.told: dict[str, Any] = {}
        self._emptied = 0

    def report(self) -> None:
        told = self.told
        film, raw, out = report(self.sources), self.folder / "raw.yuv", self.folder / "out.mp4"
        self.ways.graph(film, "-f", "rawvideo", str(raw))
        limit = self.row("**the limit**: encode the composed raw frames", lambda: self.ways.limit(raw, out))
        self.row("decode of the same source seconds", lambda: self.ways.decode(film), limit)
        null = ("-c:v", "wrapped_avframe", "-f", "null", "-")
        self.row("everything but the encoder", lambda: self.ways.graph(film, *null), limit)
        plain = self.folder / "graph.mp4"
        graph = self.row("one ffmpeg graph", lambda: self.ways.graph(film, *ENCODER, str(plain)), limit)
        self.row("start of a worker, once", self.ways.start_up, limit)
        cold = self.row("ours, nothing cached", lambda: self.ours(film, self.empty()), limit)
        kept = self.empty()
        self.ours(film, kept)
        self.row("ours, all cached", lambda: self.ours(film, kept), limit)
        slow = self.row("MoviePy", lambda: self.ways.moviepy(film, out), limit, runs=self.moviepy_runs)
        told |= {"limit_cpu": limit.cpu, "cold_ratio": cold.cpu / limit.cpu, "graph_ratio": graph.cpu / limit.cpu}
        told |= {"moviepy_ratio": slow.cpu / cold.cpu}
        self.ours(film, kept, self.folder / "ours.mp4")
        told["ssim_min"] = round(min(alike(self.folder / "ours.mp4", plain, film)), 5)
        told["ssim_noise"] = round(self.noise(film, raw, plain), 5)
        told["ssim_composed"] = round(min(self.composed(film)), 5)
        told |= {"frames_planned": film.frames, "frames_decoded": count_frames(self.folder / "ours.mp4")}

    def noise(self, film: Timeline, raw: Path, plain: Path) -> float:
        """Return the least SSIM of a chunk between two encodings of the same raw frames, with groups of other lengths:
        what encodings differ by where nothing else does."""
        other = self.folder / "other.mp4"
        self.ways.limit(raw, other, "-g", "47")
        return min(alike(other, plain, film))

    def composed(self, film: Timeline) -> list[float]:
        """Return the SSIM of each chunk as composed by us and by one graph, both encoded without loss."""
        ours, graph = self.folder / "ours-lossless.mp4", self.folder / "graph-lossless.mp4"
        self.ways.graph(film, *LOSSLESS.arguments(CANVAS.fps, draft=False), str(graph))
        store = self.ways.sources.store
        cache = Store(self.empty())
        render_film(
            film,
            source=store.source,
            cached=cache.cached,
            templates=Templates(),
            out=ours,
            write_music=hum,
            encoder=LOSSLESS,
        )
        return alike(ours, graph, film)

    def one_scene(self) -> None:
        film, edited = ten(self.sources), ten(self.sources, " (edited)")
        full: list[Cost] = []
        again: list[Cost] = []
        for _ in range(self.runs):
            cache = self.empty()
            full.append(self.ours(film, cache))
            again.append(self.ours(edited, cache))
        whole, one = middle(full), middle(again)
        tell("ten scenes", whole)
        tell("ten scenes, one of them edited", one)
        self.told["one_scene_ratio"] = one.cpu / whole.cpu

    def off_road(self) -> None:
        film, raw, out = off_road(self.sources), self.folder / "raw.yuv", self.folder / "out.mp4"
        self.ways.graph(film, "-f", "rawvideo", str(raw))
        limit = self.row("**the limit** of the off-road compilation", lambda: self.ways.limit(raw, out))
        plain = self.folder / "plain.mp4"
        self.ways.graph(film, *ENCODER, str(plain))
        self.row("ours, nothing cached", lambda: self.ours(film, self.empty()), limit)
        shots, warm = self.empty(), self.folder / "warm.mp4"
        bare = replace(film, scenes=tuple(replace(scene, layers=scene.layers[:1]) for scene in film.scenes))
        self.ways.ours(bare, shots, out, copy_shots=True)
        ours = self.row("ours, its shots encoded before", lambda: self.warm(film, shots, warm), limit)
        self.told["warm_ratio"] = ours.cpu / limit.cpu
        self.told["warm_frames"] = count_frames(warm)
        self.told["warm_ssim_min"] = round(min(alike(warm, plain, film)), 5)

    def warm(self, film: Timeline, shots: Path, out: Path) -> Cost:
        """Render with the encoded shots and nothing else in the cache."""
        cache = self.empty()
        cache.mkdir()
        for chunk in shots.glob("chunk-*.mp4"):
            shutil.copy(chunk, cache)
        return self.ways.ours(film, cache, out, copy_shots=True)

    def memory(self) -> None:
        told: dict[str, float] = {}
        child = 0.0
        print("\n| clips | processes | wall s | CPU s | tree MB | largest child MB |\n|---|---|---|---|---|---|")
        for clips, jobs in ((10, 1), (10, 2), (50, 2), (200, 2)):
            cost = self.ways.ours(
                _scenes(self.sources, clips, 30, title=30, fade=6), self.empty(), self.folder / "many.mp4", jobs=jobs
            )
            print(f"| {clips} | {jobs} | {cost.wall:.0f} | {cost.cpu:.0f} | {cost.peak_mb:.0f} | {cost.child_mb:.0f} |")
            told[str(clips)], child = round(cost.peak_mb), max(child, cost.child_mb)
        self.told |= {"memory_mb": told, "child_mb": round(child)}

    def ours(self, film: Timeline, cache: Path, out: Path | None = None) -> Cost:
        return self.ways.ours(film, cache, out or self.folder / "film.mp4")

    def empty(self) -> Path:
        self._emptied += 1
        return self.folder / f"cache{self._emptied}"

    def row(self, name: str, way: Callable[[], Cost], limit: Cost | None = None, *, runs: int = 0) -> Cost:
        cost = middle([way() for _ in range(runs or self.runs)])
        tell(name, cost, limit)
        return cost


def tell(name: str, cost: Cost, limit: Cost | None = None) -> None:
    share = f"{cost.cpu / limit.cpu:.2f}" if limit else "1"
    print(f"| {name} | {cost.cpu:.1f} | {share} | {cost.wall:.1f} | {cost.peak_mb:.0f} |", flush=True)


def middle(costs: Sequence[Cost]) -> Cost:
    return Cost(**{name: statistics.median(getattr(cost, name) for cost in costs) for name in asdict(costs[0])})


def alike(one: Path, other: Path, film: Timeline) -> list[float]:
    """Return the mean SSIM of two videos in each body and joint, all planes together (ffmpeg's `ssim`)."""
    with tempfile.NamedTemporaryFile("r", suffix=".txt") as stats:
        _ffmpeg("-i", str(one), "-i", str(other), "-lavfi", f"ssim=stats_file={stats.name}", "-f", "null", "-")
        frames = [float(line.split("All:")[1].split()[0]) for line in stats]
    return [statistics.mean(frames[start:end]) for start, end in pairwise(edges(film)) if start < end]


def edges(film: Timeline) -> list[int]:
    """Return the frames at which bodies and joints begin, and the length."""
    found = [0]
    for scene, begins in zip(film.scenes, film.scene_starts(), strict=True):
        over = scene.transition.frames if scene.transition else 0
        found += [begins + scene.frames - over, begins + scene.frames] if over else [begins + scene.frames]
    return found


if __name__ == "__main__":
    main()
