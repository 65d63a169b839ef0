"""One film by one worker and by two, each with a core of its own: `./run bench-spread`.

The workers are those of test_spread: ledger, cache and ffmpeg are real, the film is planned already. Each is bound to
one core, so that a helper brings what the holder lacks; with `--unbound` both may use all cores, as workers of one
machine do where nobody says otherwise. The same number of fresh homes for each, in turn. Figures, never asserted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factory.store import db, job_lookup, jobs
from factory.store.job import ENDED
from tests.bench.costs import cpu_of_tree
from tests.render_kit import numbered_clip
from tests.spread_worker import noted, open_parts, order

LEASES: Final = ("30", "15")  # seconds, of a job and of a chunk


@dataclass(frozen=True, slots=True)
class Run:
    """How many chunks the holder made and how many others, and what it took, in seconds."""

    own: int
    helped: int
    wall: float
    cpu: float
    digest: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--frames", type=int, default=120, help="of each scene")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--unbound", action="store_true", help="let both workers use all cores")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-spread-") as folder:
        clip = numbered_clip(Path(folder) / "clip.mp4", frames=given.scenes + given.frames + 10)
        runs: dict[int, list[Run]] = {1: [], 2: []}
        for turn in range(given.turns):
            for count, made in runs.items():
                made.append(_run(count, Path(folder) / f"home-{count}-{turn}", clip, given))
    same = len({run.digest for made in runs.values() for run in made}) == 1
    print("| workers | chunks of the holder, of helpers | wall s, median | CPU s, median |")
    print("|---|---|---|---|")
    for count, made in runs.items():
        shares = "; ".join(f"{run.own}, {run.helped}" for run in made)
        print(f"| {count} | {shares} | {_middle(made, 'wall'):.1f} | {_middle(made, 'cpu'):.1f} |")
    wall = _middle(runs[2], "wall") / _middle(runs[1], "wall")
    cpu = _middle(runs[2], "cpu") / _middle(runs[1], "cpu")
    alike = "the same" if same else "NOT the same"
    print(f"with help: {wall:.2f} of the wall time, {cpu:.2f} of the CPU time; the films are {alike}")


def _middle(runs: list[Run], name: str) -> float:
    return float(statistics.median(getattr(run, name) for run in runs))


def _run(count: int, home: Path, clip: Path, given: argparse.Namespace) -> Run:
    home.mkdir()
    db.migrate(f"sqlite:///{home / 'factory.db'}")
    parts, cores = open_parts(home), sorted(os.sched_getaffinity(0))
    asset = parts.files.adopt(clip).digest
    with contextlib.ExitStack() as stack:
        stack.callback(parts.sessions.close)
        for number in range(count):
            line = [sys.executable, "-m", "tests.spread_worker", str(home), *LEASES]
            pinned = ["taskset", "-c", str(cores[number % len(cores)])] if not given.unbound else []
            worker = subprocess.Popen([*pinned, *line])
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
        while len(list(home.glob("ready-*"))) < count:
            time.sleep(0.1)
        began, cpu = time.perf_counter(), cpu_of_tree()
        with parts.sessions.write() as session:
            looks = order(asset=asset, scenes=given.scenes, frames=given.frames, width=given.width)
            job = jobs.submit(session, looks).job
        while True:
            with parts.sessions.read() as session:
                known = job_lookup.get(session, job)
            if known.state in ENDED:
                break
            time.sleep(0.05)
        wall, used = time.perf_counter() - began, cpu_of_tree() - cpu
    ((_, own, helped, _),) = noted(home / "films")
    print(f"{count} workers: {wall:.1f} s, {own} and {helped} chunks", file=sys.stderr, flush=True)
    return Run(own, helped, wall, used, known.outputs[0].digest)


if __name__ == "__main__":
    main()
