"""A batch over the drawn library: what it takes, what the caches save, and what a rerun makes: `./run bench-batch`.

A hundred rows of 15 s drafts over several kinds, languages, shapes and subjects, then five in full; the same table
again, which should make nothing; and the table with one row changed, which should make one video. `--home` takes a home
whose library is the drawn one already; without it one is drawn and read first. Each row is told on stderr, the figures
come as a table, and with `--json` as one line of JSON behind it. Figures, never asserted.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

from factory.batch import Batch, batch
from factory.batch_report import figures, line, write_report
from factory.brief_set.delivery import faults
from factory.demo import CREDIT
from factory.ingest import ingest
from factory.orders import load_table, table_of
from factory.plan.brief import CANVASES, Brief
from factory.samples import SAMPLE_CARS, SAMPLE_SALES, draw_library
from factory.settings import Settings
from factory.store.catalog import all_cars
from factory.store.files import Files
from factory.wiring import Parts, parts
from tests.bench.costs import cpu_of_tree

HEADER: Final = ("template", "subject", "locale", "aspect", "seconds", "seed", "title", "data", "output")
KINDS: Final = ("ranking", "new_car_report", "off_road", "accident_compilation")
PERIODS: Final = ("2026-10", "2026-09", "2026-08", "2026-05")  # of the sample sales, each in a file of its own
LOCALES: Final = ("zh-CN", "en-US")


class Counted(Files):
    """Files that count which spoken lines lay in the cache."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.lines: Counter[str] = Counter()

    def cached(self, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
        made = list[bool]()

        def counted(path: Path) -> None:
            made.append(True)
            make(path)

        place = super().cached(key, suffix, counted)
        if key.startswith("speech ") and suffix == ".wav":
            self.lines["made" if made else "reused"] += 1
        return place


def main() -> None:
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-batch-") as folder:
        work = Path(given.keep or folder)
        work.mkdir(parents=True, exist_ok=True)
        house = _house(given.home, work)
        _tables(work)
        drafts = list(islice(_rows(house, given.kinds, given.seconds), given.rows))
        full = [{**row, "output": f"full-{row['output']}"} for row in drafts[: given.full]]
        report = {"rows": given.rows, "seconds": given.seconds, "kinds": Counter(row["template"] for row in drafts)}
        report["first"] = _run("first", drafts, house, work, draft=True)
        report["rerun"] = _run("rerun", drafts, house, work, draft=True)
        middle = len(drafts) // 2
        drafts[middle] = {**drafts[middle], "title": "One row changed"}
        report["changed"] = _run("one row changed", drafts, house, work, draft=True)
        report["full"] = _run("full size", full, house, work, draft=False)
        _print_table(report)
        if given.look:
            _look(house, work, given.look)
        if given.json:
            print(json.dumps(report, ensure_ascii=False))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--full", type=int, default=5, help="rows that are made in full size as well")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), help="templates, in turn")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--home", type=Path, help="a home with the drawn library; its cache is used and filled")
    parser.add_argument("--keep", type=Path, help="a folder for tables and videos, kept")
    parser.add_argument("--look", type=int, default=3, help="finished videos to look over for faults, of each size")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _house(home: Path | None, work: Path) -> Parts:
    house = parts(Settings(home=home or work / "home"))
    house.files = Counted(house.settings.home.resolve())
    with house.sessions.read() as session:
        known = all_cars(session)
    if not known:
        _say("drawing and reading the sample library")
        for clip in draw_library(house.settings.home / "samples" / "drawn"):
            ingest(clip, house, CREDIT)
        load_table(SAMPLE_CARS, house, {})
    return house


def _tables(work: Path) -> None:
    """Write the sales up to each period beside the rows."""
    with SAMPLE_SALES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for period in PERIODS:
        _write(work / f"sales-{period}.csv", rows[0], [row for row in rows if row["period"] <= period])


def _rows(house: Parts, kinds: list[str], seconds: int) -> Iterator[dict[str, Any]]:
    """Yield rows for ever: kinds in turn, and for each kind its subjects, languages and shapes."""
    with house.sessions.read() as session:
        cars = [car.slug for car in all_cars(session)]
    needs = {kind: str(house.templates.describe(kind).needs) for kind in kinds}
    pairs = (f"{one}, {two}" for one, two in zip(cars, cars[1:] + cars[:1], strict=True))
    subjects, periods = {"car": cycle(cars), "cars": cycle(pairs)}, cycle(PERIODS)
    for number, kind in enumerate(cycle(kinds)):
        turn = number // len(kinds)
        yield {
            "template": kind,
            "subject": next(subjects[needs[kind]]) if needs[kind] in subjects else "",
            "locale": LOCALES[turn % len(LOCALES)],
            "aspect": list(CANVASES)[turn % len(CANVASES)],
            "seconds": seconds,
            "seed": turn,
            "title": "",
            "data": f"sales-{next(periods)}.csv" if needs[kind] == "ranking" else "",
            "output": f"{number + 1:03d}-{kind}",
        }


def _run(name: str, rows: list[dict[str, Any]], house: Parts, work: Path, *, draft: bool) -> dict[str, Any]:
    """Make a batch of these rows and return its figures."""
    if not rows:
        return {}
    table, out = work / "rows.csv", work / ("draft" if draft else "full")
    _write(table, dict.fromkeys(HEADER), rows)
    assert isinstance(house.files, Counted)
    house.files.lines.clear()
    began, cpu, outcomes = time.perf_counter(), cpu_of_tree(), []
    for outcome in batch(table_of(table), Brief(template=KINDS[0], draft=draft), Batch(house, work, out)):
        outcomes.append(outcome)
        _say(f"{name}  {len(outcomes):>3} of {len(rows)}  {time.perf_counter() - began:6.0f} s  {line(outcome)}")
    wall, used = time.perf_counter() - began, cpu_of_tree() - cpu
    write_report(outcomes, out)
    refused = Counter(outcome.code for outcome in outcomes if outcome.code)
    return {
        **figures(outcomes),
        "wall_s": round(wall, 1),
        "cpu_s": round(used, 1),
        "lines_made": house.files.lines["made"],
        "lines_reused": house.files.lines["reused"],
        "codes": dict(refused),
    }


def _print_table(report: dict[str, Any]) -> None:
    print(
        "| run | rows | made | reused | refused, failed | wall s | CPU s | pieces made / reused | lines made / reused |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in ("first", "rerun", "changed", "full"):
        if run := report[name]:
            counts = f"{run['rows']} | {run['made']} | {run['reused']} | {run['refused'] + run['failed']}"
            hits = f"{run['chunks_made']} / {run['chunks_reused']} | {run['lines_made']} / {run['lines_reused']}"
            print(f"| {name} | {counts} | {run['wall_s']:.0f} | {run['cpu_s']:.0f} | {hits} |")


def _look(house: Parts, work: Path, count: int) -> None:
    for size in ("draft", "full"):
        for video in sorted((work / size).glob("*.mp4"))[:count]:
            print(f"{size} {video.name}: {'; '.join(faults(video, house.files.path)) or 'in order'}")


def _write(path: Path, header: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(header))
        table.writeheader()
        table.writerows(rows)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
