"""What each step of the demo costs, full size, from an empty home: `./run bench-demo [--draft]`.

Each step is a command of its own. CPU seconds and peak memory are those of the whole process tree; memory is the
largest sum of proportional set sizes that was seen, so pages that two processes share count once.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from factory.brief_set.delivery import faults
from factory.samples import SAMPLE_CARS, SAMPLE_SALES
from factory.settings import Settings
from factory.wiring import parts
from tests.bench.costs import Cost, measured


def main() -> None:
    draft = ["--draft"] if "--draft" in sys.argv[1:] else []
    with tempfile.TemporaryDirectory(prefix="bench-demo-") as folder:
        home, clips, out = (Path(folder) / name for name in ("home", "clips", "out"))
        print("| step | wall s | CPU s | peak MB |\n|---|---|---|---|")
        for name, arguments in steps(clips, out, draft):
            cost, answer = measure(arguments, home)
            print(
                f"| {name}{told(name, answer)} | {cost.wall:.0f} | {cost.cpu:.0f} | {cost.peak_mb:.0f} |",
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


def measure(arguments: list[str], home: Path) -> tuple[Cost, str]:
    """Run one command of the factory; return what it cost and what it answered."""
    environment = {**os.environ, "FACTORY_HOME": str(home), "FACTORY_LOG_LEVEL": "WARNING"}
    with tempfile.TemporaryFile("w+") as answer:
        line = [sys.executable, "-m", "factory.cli", *arguments]
        cost = measured(line, environment=environment, answer=answer)
        answer.seek(0)
        return cost, answer.read()


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
