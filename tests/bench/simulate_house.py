"""A thousand workers and a million jobs a day, simulated: `python -m tests.bench.simulate_house [--costs FILE]`.

A discrete-event simulation. Orders come at random (Poisson); each worker beats, relays and reaps as the product does,
and each of these is work for the database, the broker and the disk, which serve what comes in its order. What a verb
costs is measured by `./run bench-ledger --json FILE`, and otherwise one such measurement. Printed: how busy each part
is, how long a statement waits, what the database spends its time on, and at how many jobs a day each part is full.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from factory.runner import ENOUGH, REAP_EVERY, RELAY_EVERY
from factory.store.lease import BEAT_EVERY, TELL_EVERY

DAY: Final = 86_400.0
# CPU seconds of the database's server for one call (PostgreSQL 18, a busy machine).
SERVER: Final = {"submit": 1.17e-3, "claim": 1.00e-3, "beat": 0.83e-3, "finish": 2.00e-3, "next due": 2.00e-3,
                 "relay, nothing to do": 0.33e-3, "reap, nothing to do": 3.50e-3}  # fmt: skip
WRITES: Final = {"submit": 1, "claim": 1, "beat": 1, "finish": 1, "relay": 2}  # commits that wait for the disk
BROKER: Final = 40e-6  # CPU seconds for a bell: pushed, taken, acknowledged
POP: Final = 15e-6  # for a worker's question whether there is one, once a second while it is idle
FLUSH: Final = 1e-3  # seconds of the disk for a flush, which up to `GROUP` commits share
GROUP: Final = 16
VIDEO: Final = 60e6  # bytes of clips read and of the video written for a job
LINK: Final = 25e9 / 8  # bytes a second of the shared folder's network
CONNECTIONS: Final = 4  # that a worker keeps to the database: job, heartbeat, bell duties, notices


@dataclass(frozen=True, slots=True)
class House:
    """What is simulated. `alone`: each worker looks for bells as often as if there were no other."""

    workers: int = 1000
    jobs_a_day: float = 1e6
    cores: int = 8  # of the database
    alone: bool = False
    busy: float = 0.9  # of the workers' time

    @property
    def work_seconds(self) -> float:
        return self.busy * self.workers * DAY / self.jobs_a_day


@dataclass
class Part:
    """Something that serves what comes, `width` at a time, in the order in which it came."""

    name: str
    width: float
    used: float = 0.0
    waits: list[float] = field(default_factory=list)
    free: list[float] = field(default_factory=list)

    def serve(self, now: float, seconds: float) -> None:
        self.used += seconds
        if len(self.free) < self.width:
            heapq.heappush(self.free, now + seconds)
            self.waits.append(0.0)
            return
        begins = max(now, heapq.heappop(self.free))
        heapq.heappush(self.free, begins + seconds)
        self.waits.append(begins - now)


@dataclass
class Run:
    """One simulated stretch of time."""

    house: House
    server: dict[str, float]
    seconds: float
    dice: random.Random
    spent: dict[str, float] = field(default_factory=dict)  # CPU seconds of the database by verb
    events: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.database, self.broker = Part("database", self.house.cores), Part("broker", 1)
        self.disk, self.network = Part("disk of the database", 1), Part("network of the media", 1)
        self.idle, self.waiting = self.house.workers, 0

    def play(self) -> None:
        for _ in range(self.house.workers):
            self.at(self.dice.uniform(0, REAP_EVERY), self.look)
            self.at(self.dice.uniform(0, REAP_EVERY), self.reap)
        for _ in range(int(self.house.workers * self.house.busy)):  # the house is at work when we look in
            self.work(0.0, self.dice.uniform(0, self.house.work_seconds))
        self.at(self.gap(), self.order)
        while self.events and self.events[0][0] < self.seconds:
            now, _, act = heapq.heappop(self.events)
            act(now)
        self.broker.used += POP * self.idle * self.seconds

    def at(self, moment: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self.events, (moment, next(self.numbers), act))

    def gap(self) -> float:
        return self.dice.expovariate(self.house.jobs_a_day / DAY)

    def ask(self, now: float, verb: str, cost: float | None = None) -> None:
        seconds = self.server[verb] if cost is None else cost
        self.spent[verb] = self.spent.get(verb, 0.0) + seconds
        self.database.serve(now, seconds)
        for _ in range(WRITES.get(verb, 0)):
            self.disk.serve(now, FLUSH / GROUP)

    def order(self, now: float) -> None:
        self.ask(now, "submit")
        self.ask(now, "relay", 3 * self.server["beat"])  # take, ring, settle: two writes and what they read
        self.broker.serve(now, BROKER)
        if self.idle:
            self.take(now, self.dice.lognormvariate(0.0, 0.5) * self.house.work_seconds / 1.133)
        else:
            self.waiting += 1
        self.at(now + self.gap(), self.order)

    def take(self, now: float, seconds: float) -> None:
        self.ask(now, "next due")
        self.ask(now, "claim")
        self.network.serve(now, VIDEO / LINK)
        self.work(now, seconds)

    def work(self, now: float, seconds: float) -> None:
        self.idle -= 1
        done = now + seconds
        self.at(now + self.dice.uniform(0, TELL_EVERY), lambda at: self.beat(at, done))
        self.at(done, self.finish)

    def beat(self, now: float, done: float) -> None:
        if now < done:
            self.ask(now, "beat")
            self.at(now + TELL_EVERY, lambda at: self.beat(at, done))  # a render has news at each turn

    def finish(self, now: float) -> None:
        self.ask(now, "finish")
        self.idle += 1
        if self.waiting:
            self.waiting -= 1
            self.take(now, self.house.work_seconds)

    def look(self, now: float) -> None:
        self.ask(now, "relay, nothing to do")
        share = (self.house.workers - self.idle) / ENOUGH
        alone = self.house.alone or share <= 1
        wait = RELAY_EVERY if alone else min(REAP_EVERY, RELAY_EVERY * share) * self.dice.uniform(0.5, 1.0)
        self.at(now + wait, self.look)

    def reap(self, now: float) -> None:
        self.ask(now, "reap, nothing to do")
        self.at(now + REAP_EVERY, self.reap)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--costs", type=Path, help="what `./run bench-ledger --json` wrote")
    parser.add_argument("--rows", default="1000000", help="of the costs, those over so many rows")
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--jobs-a-day", type=float, default=1e6)
    parser.add_argument("--cores", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    server = SERVER
    if given.costs:
        costs = json.loads(given.costs.read_text(encoding="utf-8"))[given.rows]
        server = {verb: cost["server"] for verb, cost in costs.items()}
    print(f"beat at most every {TELL_EVERY:.0f} s with news, {BEAT_EVERY.total_seconds():.0f} s without")
    for alone in (True, False):
        house = House(given.workers, given.jobs_a_day, given.cores, alone=alone)
        run = Run(house, server, given.seconds, random.Random(1))
        run.play()
        _print(run)


def _print(run: Run) -> None:
    house = run.house
    how = "each looks as if it were alone" if house.alone else "many look as often as a few"
    print(f"\n{house.workers} workers, {house.jobs_a_day:,.0f} jobs a day, {house.cores} cores of database; {how}")
    print("| part | busy | a request waits: median, p99 ms |")
    print("|---|---|---|")
    for part in (run.database, run.broker, run.disk, run.network):
        p99 = statistics.quantiles(part.waits, n=100)[-1]
        told = f"{1000 * statistics.median(part.waits):.2f}, {1000 * p99:.2f}"
        print(f"| {part.name} | {part.used / run.seconds / part.width:.1%} | {told} |")
    told = ", ".join(
        f"{verb} {spent / run.seconds:.3f}" for verb, spent in sorted(run.spent.items(), key=lambda item: -item[1])
    )
    print(f"cores of the database that each verb takes: {told}")
    fixed = sum(run.spent[verb] for verb in ("relay, nothing to do", "reap, nothing to do", "beat"))
    per_job = (sum(run.spent.values()) - fixed) / run.seconds / (house.jobs_a_day / DAY)
    room = house.cores - fixed / run.seconds
    full = {
        "database": room / per_job * DAY,
        "broker": DAY / BROKER,
        "network of the media": LINK / VIDEO * DAY,
    }
    first = min(full, key=lambda name: full[name])
    print(f"connections to the database: {CONNECTIONS * house.workers:,}")
    said = ", ".join(f"{name} {jobs:,.0f}" for name, jobs in full.items())
    print(f"full at so many jobs a day, with these workers: {said}; first: {first}")


if __name__ == "__main__":
    main()
