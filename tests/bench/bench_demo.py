"""What each step of the demo costs, full size, from an empty home: `./run bench-demo [--draft]`.

Each step is a command of its own. CPU seconds and peak memory are those of the whole process tree; memory is the
largest sum of proportional set sizes that was seen, so pages that two processes share count once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from factory.samples import SAMPLE_CARS, SAMPLE_SALES
from factory.settings import Settings
from factory.wiring import parts
from tests.finished import faults

LOOK_EVERY = 0.25  # seconds


@dataclass(frozen=True, slots=True)
class Cost:
    wall: float
    cpu: float
    peak_mb: float
    answer: str


def main() -> None:
    draft = ["--draft"] if "--draft" in sys.argv[1:] else []
    with tempfile.TemporaryDirectory(prefix="bench-demo-") as folder:
        home, clips, out = (Path(folder) / name for name in ("home", "clips", "out"))
        print("| step | wall s | CPU s | peak MB |\n|---|---|---|---|")
        for name, arguments in steps(clips, out, draft):
            cost = measure(arguments, home)
            print(
                f"| {name}{told(name, cost.answer)} | {cost.wall:.0f} | {cost.cpu:.0f} | {cost.peak_mb:.0f} |",
                flush=True,
            )
        files = parts(Settings(home=home)).files
        for video in sorted(out.glob("*.mp4")):
            print(f"\n{video.name}: {'; '.join(faults(video, files.path)) or 'in order'}")


def steps(clips: Path, out: Path, draft: list[str]) -> Iterator[tuple[str, list[str]]]:
    yield "`factory samples draw`", ["samples", "draw", str(clips)]
    yield "`factory ingest`, all of it", ["ingest", str(clips), "--json"]
    yield "`factory ingest` once more, all known", ["ingest", str(clips), "--json"]
    yield "`factory catalog load`", ["catalog", "load", str(SAMPLE_CARS)]
    rest = ["--out", str(out), "--json", *draft]
    ranking = ["make", "ranking", "--data", str(SAMPLE_SALES), "--locale", "zh-CN", *rest]
    yield "`factory make new_car_report`", ["make", "new_car_report", "--subject", "northwind-x5", *rest]
    yield "`factory make ranking`", ranking
    yield "`factory make ranking` once more, all cached", ranking
    yield "`factory make off_road`", ["make", "off_road", "--locale", "en-US", *rest]
    yield "`factory make accident_compilation`", ["make", "accident_compilation", "--locale", "en-US", *rest]


def measure(arguments: list[str], home: Path) -> Cost:
    """Run one command to its end."""
    environment = {**os.environ, "FACTORY_HOME": str(home), "FACTORY_LOG_LEVEL": "WARNING"}
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as answer:
        child = subprocess.Popen([sys.executable, "-m", "factory.cli", *arguments], stdout=answer, env=environment)
        peak = Peak(child.pid)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        peak.ended.set()
        peak.join()
        answer.seek(0)
        if child.returncode:
            sys.exit(f"factory {' '.join(arguments)} ended with {child.returncode}")
        return Cost(wall, used.ru_utime + used.ru_stime, peak.bytes / 1e6, answer.read())


class Peak(threading.Thread):
    """Watches the memory of a process and all that it starts."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root, self.ended = psutil.Process(pid), threading.Event()
        self.bytes = self.largest = 0  # of all processes at once, and of one of those that the root started
        self.start()

    def run(self) -> None:
        while not self.ended.wait(LOOK_EVERY):
            sizes = list(self._sizes())
            self.bytes = max(self.bytes, sum(sizes))
            self.largest = max(self.largest, *sizes[1:], 0)

    def _sizes(self) -> Iterator[int]:
        try:
            family = [self.root, *self.root.children(recursive=True)]
        except psutil.Error:
            return
        for process in family:
            try:
                yield int(process.memory_full_info().pss)
            except psutil.Error:
                continue


def cpu_of_tree() -> float:
    """Return the CPU seconds of this process, of those that it has started, and of their children that have ended."""
    own = psutil.Process()
    return float(sum(sum(process.cpu_times()[:4]) for process in [own, *own.children(recursive=True)]))


def told(step: str, answer: str) -> str:
    """Say what came of a step, from its JSON answer."""
    if "ingest" in step:
        rows = [json.loads(line) for line in answer.splitlines()]
        shots, seconds = (sum(row[key] for row in rows) for key in ("shots", "seconds"))
        return f": {len(rows)} clips, {shots} shots, {seconds:.0f} s"
    if "make" in step:
        made = json.loads(answer)
        return f": {made['seconds']:.1f} s, {made['frames']} frames"
    return ""


if __name__ == "__main__":
    main()
