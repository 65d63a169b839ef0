"""A batch on 1, 2 and 4 worker processes of one machine: `./run bench-workers`.

So many drafts of different orders (rankings and off-road films, both languages, two shapes) are queued in a copy of the
same home, which holds a small drawn library and nothing made from it, and worked off by the local runner of `factory
serve`. The table tells for each count of processes the wall time, CPU seconds of all processes, how busy the cores were
and the memory; below it stands what four cost beside one, and what limits them. `--home` takes a home whose library has
the clips already. Figures, never asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from factory import runner_child
from factory.demo import CREDIT
from factory.ingest import ingest
from factory.orders import load_table, table_of
from factory.plan.brief import Aspect, Brief
from factory.render.sharing import cores
from factory.runner import LocalRunner
from factory.samples import SAMPLE_CARS, SAMPLE_SALES, draw_library, scenes
from factory.settings import Settings
from factory.store import jobs
from factory.store.job import ENDED
from factory.store.schema import JobRow
from factory.wiring import Parts, parts
from tests.bench.costs import Peak, cpu_of_tree

HEIGHT: Final = 360
PLACES: Final = ("coast", "showroom", "bridge", "countryside", "wagon")  # of the cars of rankings
SHAPES: Final[tuple[Aspect, ...]] = ("16:9", "1:1")
LANGUAGES: Final = ("zh-CN", "en-US")
LOOK_EVERY: Final = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class Run:
    """What a batch took on so many processes. `begun` is when the first job was claimed, `busy` the share of all cores
    that worked, both ends included."""

    workers: int
    made: int
    other_ends: int
    wall: float
    begun: float
    cpu: float
    busy: float
    peak_mb: float


def main() -> None:
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-workers-") as folder:
        home = given.home or _library(Path(folder) / "library")
        runs = [_run(workers, home, Path(folder) / f"home-{workers}", given) for workers in given.workers]
    _print(runs, given)
    if given.json:
        print(json.dumps([asdict(run) for run in runs]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=40)
    parser.add_argument("--seconds", type=int, default=15, help="length of each video")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--spread", type=int, default=Settings.model_fields["spread"].default, help="FACTORY_SPREAD")
    parser.add_argument("--voice", default="auto", help="FACTORY_VOICE")
    parser.add_argument("--home", type=Path, help="a home with the drawn library, from which nothing was made")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _library(home: Path) -> Path:
    """Draw and read what the orders need."""
    house = parts(Settings(home=home))
    stems = [s.stem for s in scenes() if s.coarse == "off-road"]
    stems += [s.stem for s in scenes() if s.coarse == "exterior" and any(place in s.stem for place in PLACES)]
    _say(f"drawing and reading {len(stems)} clips")
    for clip in draw_library(home.parent / "clips", only=stems, height=HEIGHT):
        ingest(clip, house, CREDIT)
    load_table(SAMPLE_CARS, house, {})
    house.sessions.close()
    return home


def _orders(count: int, seconds: int) -> list[Brief]:
    """Return so many orders, no two alike: kinds in turn, and each with its languages and shapes."""
    table = table_of(SAMPLE_SALES)
    looks = cycle([(language, shape) for shape in SHAPES for language in LANGUAGES])
    orders = []
    for number in range(count):
        language, shape = next(looks)
        shared = {"locale": language, "aspects": (shape,), "seconds": seconds, "draft": True, "seed": number}
        if number % 2:
            orders.append(Brief(template="ranking", data=table, set={"top": "3"}, **shared))
        else:
            orders.append(Brief(template="off_road", **shared))
    return orders


def _run(workers: int, library: Path, home: Path, given: argparse.Namespace) -> Run:
    shutil.copytree(library, home)
    # Children read their settings from the environment, as those of `factory serve` do.
    os.environ.update(
        FACTORY_HOME=str(home), FACTORY_SPREAD=str(given.spread), FACTORY_VOICE=given.voice, FACTORY_LOG_LEVEL="WARNING"
    )
    house = parts(Settings())
    with house.sessions.write() as session:
        for order in _orders(given.videos, given.seconds):
            jobs.submit(session, order)
    began, cpu = time.perf_counter(), cpu_of_tree()
    peak = Peak(os.getpid())
    runner = LocalRunner(
        house.settings.database,
        runner_child.open_produce,
        open_help=runner_child.open_help,
        workers=workers,
        memory_mb=0,
    )
    with runner:
        begun = _wait(house, began, workers, given.videos)
        wall = time.perf_counter() - began
    used = cpu_of_tree() - cpu
    peak.ended.set()
    peak.join()
    states = _states(house)
    house.sessions.close()
    shutil.rmtree(home)
    made = states.count("review")
    busy = used / (wall * cores())
    return Run(workers, made, len(states) - made, wall, begun, used, busy, peak.bytes / 1e6)


def _wait(house: Parts, began: float, workers: int, videos: int) -> float:
    """Wait until all jobs have ended; return when the first was begun, in seconds."""
    begun, told = 0.0, 0
    while True:
        states = _states(house)
        if not begun and any(state != "queued" for state in states):
            begun = time.perf_counter() - began
        ended = sum(state in ENDED for state in states)
        if ended != told:
            told = ended
            _say(f"{workers} workers  {ended:>3} of {videos}  {time.perf_counter() - began:6.0f} s")
        if ended == len(states):
            return begun
        time.sleep(LOOK_EVERY)


def _states(house: Parts) -> list[str]:
    with house.sessions.read() as session:
        return list(session.scalars(sa.select(JobRow.state)))


def _print(runs: list[Run], given: argparse.Namespace) -> None:
    print(
        f"{given.videos} drafts of {given.seconds} s, {cores()} cores, FACTORY_SPREAD={given.spread}, "
        f"FACTORY_VOICE={given.voice}"
    )
    print(
        "| workers | made | other ends | wall s | first begun after s | CPU s | CPU s a video | cores busy | peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for run in runs:
        each = run.cpu / max(1, run.made)
        print(
            f"| {run.workers} | {run.made} | {run.other_ends} | {run.wall:.0f} | {run.begun:.1f} | {run.cpu:.0f} "
            f"| {each:.1f} | {run.busy:.0%} | {run.peak_mb:.0f} |"
        )
    first = runs[0]
    for run in runs[1:]:
        print(
            f"{run.workers} workers beside {first.workers}: {first.wall / run.wall:.2f} times as fast, "
            f"{run.cpu / first.cpu - 1:+.1%} CPU seconds. {_limit(run)}"
        )


def _limit(run: Run) -> str:
    if run.busy > 0.9:
        return "What limits it: the cores, all of them work."
    idle = (1 - run.busy) * run.wall * cores()
    early = run.begun * cores()
    return f"What limits it: not the cores, which stood idle for {idle:.0f} s ({early:.0f} s before the first job)."


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
