"""How well and how fast shots are chosen: `./run bench-selection [--shots N] [--videos N]`.

Libraries are rows without pictures (`tests/row_library.py`), orders are planned as jobs plan them, down to the saved
timeline. First the ways to choose for a set of orders, on a small and a large library; then a series of videos, two a
day, whose uses are recorded as finished jobs do, counted by a plain check that knows nothing of the store's rule.
Figures, never asserted.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from factory import offering, planning, produce
from factory.order_facts import facts_of
from factory.orders import table_of
from factory.plan.assemble import slots
from factory.plan.brief import CANVASES, FPS, Brief
from factory.plan.choosing import ALIKE, NoShotForScene, _Table
from factory.plan.selection import Candidate, Slot
from factory.plan.storyboard import read_storyboard
from factory.samples import SAMPLE_SALES
from factory.settings import Settings
from factory.store import jobs, uses
from factory.store.columns import utc_now
from factory.store.job import Output
from factory.store.lease import Holding
from factory.store.schema import Shot, ShotUse
from factory.wiring import Parts, parts
from tests.row_library import fill

SMALL = 150
DAYS = 14
A_DAY = 2
CARS = ("northwind-x5", "lumen-s", "kestrel-gt", "terra-pro", "pico-e", "voyage-w")
PERIODS = ("2026-08", "2026-09")
VIDEO = Output("16:9", "video", "a" * 64, "x.mp4", 1, 1)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--shots", type=int, default=2000)
    asked.add_argument("--videos", type=int, default=60)
    given = asked.parse_args()
    for shots in (SMALL, given.shots):
        with library(shots) as house:
            compare(house, shots)
            if shots == given.shots:
                play_series(house, given.videos)


@contextmanager
def library(shots: int) -> Iterator[Parts]:
    """A house whose library has `shots` shots, and whose narrator says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        house = parts(Settings(home=Path(folder), voice="silent"))
        with closing(house.sessions):
            began = time.perf_counter()
            fill(house, shots)
            print(f"\n# {shots} shots, written in {time.perf_counter() - began:.1f} s")
            yield house


def orders() -> list[Brief]:
    """Kinds, subjects, languages and lengths: 44 orders."""
    table = table_of(SAMPLE_SALES)
    made: list[Brief] = []
    for locale in ("zh-CN", "en-US"):
        made += [Brief(template="new_car_report", subject=car, locale=locale, seed=n) for n, car in enumerate(CARS)]
        made += [
            Brief(template="ranking", data=table, set={"period": period}, locale=locale, seconds=seconds)
            for period in PERIODS
            for seconds in (20, 40, 60)
        ]
        made += [Brief(template="off_road", locale=locale, seconds=s, seed=s) for s in (15, 25, 35, 60, 90)]
        made += [Brief(template="accident_compilation", locale=locale, seconds=s, seed=s) for s in (15, 25, 40, 60, 90)]
    return made


# --- ways to choose --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Way:
    """What one way to choose came to, order by order."""

    totals: list[float] = field(default_factory=list)
    refused: int = 0  # places that must be filled, and were not
    open: int = 0  # places of optional scenes that were not filled
    alike: int = 0  # neighbours of one framing
    same_clip: int = 0  # neighbours of one file
    seconds: list[float] = field(default_factory=list)


WAYS: dict[str, Callable[[_Table], list[int]]] = {
    "first come": _Table.first_come,
    "first come, looking back": lambda table: looking_back(table),  # noqa: PLW0108  defined below
    "assignment": _Table.assign,
    "ours: assignment and exchanges": _Table.best,
}


def compare(house: Parts, shots: int) -> None:
    ways, bounds, places = {name: Way() for name in WAYS}, list[float](), 0
    for brief in orders():
        wanted, offered = places_of(brief, house)
        canvas = CANVASES[brief.aspects[0]]
        shape = Fraction(canvas.width, canvas.height)
        table = _Table.build(wanted, offered, seed=brief.seed, shape=shape, families=house.families)
        places += len(wanted)
        bounds.append(bound(table))
        for name, choose in WAYS.items():
            note(ways[name], table, choose)
    print(f"\n{len(bounds)} orders, {places} places; no choice can be worth more than {sum(bounds):.1f}")
    columns = ("total", "median", "of bound", "refused", "open", "alike", "clip", "ms")
    print(f"{'way':32}" + "".join(f"{column:>10}" for column in columns))
    for name, way in ways.items():
        median, share = statistics.median(way.totals), sum(way.totals) / sum(bounds)
        ms = 1000 * statistics.median(way.seconds)
        print(
            f"{name:32}{sum(way.totals):10.1f}{median:10.2f}{share:10.1%}{way.refused:10}{way.open:10}{way.alike:10}"
            f"{way.same_clip:10}{ms:10.1f}"
        )
    ours, greedy = ways["ours: assignment and exchanges"].totals, ways["first come"].totals
    signs = Counter(int(np.sign(round(one - other, 4))) for one, other in zip(ours, greedy, strict=True))
    print(f"ours against first come: better {signs[1]}, equal {signs[0]}, worse {signs[-1]}")


def places_of(brief: Brief, house: Parts) -> tuple[tuple[Slot, ...], dict[str, tuple[Candidate, ...]]]:
    """The places of an order and what the index offers for each, as planning asks for them."""
    text = house.templates.storyboard(brief.template, {"brief": brief, "facts": facts_of(brief, house)})
    storyboard = read_storyboard(text, brief.template)
    spoken = planning.speak(storyboard, house.narrator(), None)
    wanted = slots(storyboard, spoken, fps=FPS, resolve=house.taxonomy.resolve)
    with house.sessions.read() as session:
        return wanted, {slot.id: offering.offered(session, slot, uses.Issue(None)) for slot in wanted}


def note(way: Way, table: _Table, choose: Callable[[_Table], list[int]]) -> None:
    began = time.perf_counter()
    taken = choose(table)
    way.seconds.append(time.perf_counter() - began)
    way.totals.append(table._total(taken))
    empty = Counter(slot.optional for slot, shot in zip(table.slots, taken, strict=True) if shot < 0)
    way.refused += empty[False]
    way.open += empty[True]
    pairs = [(table.shots[a], table.shots[b]) for a, b in pairwise(taken) if a >= 0 and b >= 0]
    way.alike += sum(cosine(one, other) > ALIKE for one, other in pairs)
    way.same_clip += sum(one.asset == other.asset for one, other in pairs)


def cosine(one: Candidate, other: Candidate) -> float:
    a, b = np.array(one.vector), np.array(other.vector)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def bound(table: _Table) -> float:
    """Return the sum of the best assignment if pairs cost nothing: no choice is worth more."""
    filled = [(slot, shot) for slot, shot in enumerate(table.assign()) if shot >= 0]
    return float(sum(table.scores[slot, shot] * table.weights[slot] for slot, shot in filled))


def looking_back(table: _Table) -> list[int]:
    """First come, but each place sees what stands before it: the best that needs no second look."""
    taken: list[int] = []
    for slot in range(len(table.slots)):
        worth = table._worth(taken, slot)
        worth[table._shown_by(taken)] = -np.inf
        best = int(np.argmax(worth)) if worth.size else -1
        taken.append(best if best >= 0 and table.scores[slot, best] > -1000 else -1)
    return taken


# --- a series --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """A video of the series: its day, and its shots with a name for the moments that each shows."""

    day: int
    shots: tuple[int, ...]
    moments: tuple[tuple[str, int], ...]


def play_series(house: Parts, videos: int) -> None:
    """Make the series, count what a viewer would object to, then go on on one day until the library is used up."""
    moments = moments_of(house)
    shown, refusals, seconds = list[Shown](), list[NoShotForScene](), list[float]()
    briefs = series_orders()
    for number in range(videos):
        if number and number % A_DAY == 0:
            let_a_day_pass(house)
        try:
            shots, took = make(house, briefs(number))
        except NoShotForScene as refusal:
            refusals.append(refusal)
            continue
        seconds.append(took)
        shown.append(Shown(number // A_DAY, shots, tuple(moments[shot] for shot in shots)))
    placed = sum(len(one.shots) for one in shown)
    print(f"\na series of {videos} videos, {A_DAY} a day: {len(shown)} made, {len(refusals)} refused")
    print(f"{placed} shots placed, at most {most_resting(shown)} of them resting at once")
    print(f"repeats within a video: {repeats(shown)}; shown again within {DAYS} days: {breaks(shown, DAYS)}")
    print(f"in all {len({m for one in shown for m in one.moments})} different moments shown, "
          f"{breaks(shown, 10_000)} pairs of videos share one at any distance")  # fmt: skip
    print(f"a plan takes {statistics.median(seconds):.2f} CPU s, at most {max(seconds):.2f}, on this library")
    more = exhaust(house, briefs, videos)
    if more is not None:
        print(f"after {more[0]} more on one day: {more[1].cause}. Next: {more[1].next_step}")


def series_orders() -> Callable[[int], Brief]:
    """Orders of one series in turn, each with a seed of its own: every one is a video of its own."""
    every = [brief for brief in orders() if brief.template != "ranking"]
    return lambda n: every[n % len(every)].model_copy(update={"series": "daily", "seed": n})


def make(house: Parts, brief: Brief) -> tuple[tuple[int, ...], float]:
    """Plan an order as a job does and finish it without a render; return its shots and the CPU seconds of the plan."""
    with house.sessions.write() as session:
        claim = jobs.claim(session, jobs.submit(session, brief).job, worker="bench", lease=timedelta(hours=1))
    assert claim is not None
    held = Holding(house.sessions, claim, lease=timedelta(hours=1), shutdown=threading.Event())
    began = time.process_time()
    try:
        planned, _ = produce._saved_plan(brief, house, held)
    except NoShotForScene as refusal:
        with house.sessions.write() as session:
            jobs.fail(session, claim, code=refusal.code, text=refusal.cause)
        raise
    took = time.process_time() - began
    with house.sessions.write() as session:
        jobs.finish(session, claim, [VIDEO], shots=planned.shots)
    return tuple(planned.shots), took


def let_a_day_pass(house: Parts) -> None:
    with house.sessions.write() as session:
        for row in session.scalars(sa.select(ShotUse)):
            row.used_at -= timedelta(days=1)
        assert all(row.used_at < utc_now() for row in session.scalars(sa.select(ShotUse)))


def moments_of(house: Parts) -> dict[int, tuple[str, int]]:
    """Return a name for what each shot shows, the same for near-duplicates."""
    with house.sessions.read() as session:
        rows = session.execute(sa.select(Shot.id, Shot.twins)).all()
    return {row.id: ("shot", row.id) if row.twins is None else ("twins", row.twins) for row in rows}


def repeats(shown: Sequence[Shown]) -> int:
    return sum(len(one.moments) - len(set(one.moments)) for one in shown)


def most_resting(shown: Sequence[Shown]) -> int:
    """Return how many placements the fullest stretch of DAYS holds."""
    ends = range(max((one.day for one in shown), default=0) + 1)
    return max(sum(len(one.shots) for one in shown if end - DAYS < one.day <= end) for end in ends)


def breaks(shown: Sequence[Shown], days: int) -> int:
    """Count pairs of videos, less than `days` apart, that show the same moments."""
    return sum(
        other.day - one.day < days and not set(one.moments).isdisjoint(other.moments)
        for place, one in enumerate(shown)
        for other in shown[place + 1 :]
    )


def exhaust(house: Parts, briefs: Callable[[int], Brief], first: int) -> tuple[int, NoShotForScene] | None:
    for more in range(300):
        try:
            make(house, briefs(first + more))
        except NoShotForScene as refusal:
            return more, refusal
    return None


if __name__ == "__main__":
    main()
