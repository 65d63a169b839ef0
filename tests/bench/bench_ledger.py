"""What the ledger carries: `./run bench-ledger`.

Jobs through the ledger with stub work of 0 s (submit, relay, bell, claim, beat, finish), by 1, 2, 4 and 8 worker
processes; each verb by itself; what the house repeats without pause, and the choice of the next job, over 100,000 and
1,000,000 rows; ordering through the page with the broker up and down. On SQLite and on PostgreSQL. CPU is that of all
processes, the database server's own beside it. `--json` gives the costs that `simulate_house` reads.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import sqlalchemy as sa

from factory.plan.brief import Brief
from factory.store import bell, jobs, urgency
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.job import ENDED, Output
from factory.store.lease import Holding, Made, work
from factory.store.schema import JobRow
from tests import servers
from tests.bench.ledgers import DATABASES, empty_ledger
from tests.working import environment, page

BRIEF = Brief(template="stub")


@dataclass(frozen=True, slots=True)
class Bench:
    """A database, and what its server has used so far, in CPU seconds."""

    name: str
    url: str
    server: Callable[[], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--only", choices=DATABASES)
    parser.add_argument("--json", type=Path, help="a file for the costs of PostgreSQL")
    given = parser.parse_args()
    for name in DATABASES:
        if given.only in (None, name):
            with _bench(name) as bench:
                _through(bench, given.jobs, given.workers)
                costs = {"": _verbs(bench, given.jobs)}
                for rows in given.rows:
                    _fill(bench, rows)
                    costs[str(rows)] = _verbs(bench, min(200, given.jobs))
                    _plan(bench)
                if given.json and name == "postgresql":
                    given.json.write_text(json.dumps(costs, indent=1), encoding="utf-8")
    if given.only in (None, "postgresql"):
        with _bench("postgresql") as bench:
            _page(bench, given.jobs // 5)


@contextlib.contextmanager
def _bench(name: str) -> Iterator[Bench]:
    with empty_ledger(name) as (url, process):
        yield Bench(name, url, lambda: 0.0 if process is None else _cpu(process))


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process, of its children that live, and of those that ended."""
    root, used = psutil.Process(pid), 0.0
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system + (times.children_user + times.children_system) * (process == root)
    return used


# --- jobs through the ledger -----------------------------------------------------------------------------------------


def _through(bench: Bench, count: int, workers: list[int]) -> None:
    print(f"{bench.name}: {count} jobs of 0 s through the ledger")
    print("| workers | jobs/s | CPU ms a job: relay, workers, server |")
    print("|---|---|---|")
    for number in workers:
        with contextlib.closing(Sessions.open(bench.url)) as sessions:
            for _ in range(count):
                _order(sessions)
            wall, relay, used, server = _work_off(bench, sessions, number)
            told = ", ".join(f"{1000 * cpu / count:.2f}" for cpu in (relay, used, server))
            print(f"| {number} | {count / wall:.0f} | {told} |", flush=True)


def _work_off(bench: Bench, sessions: Sessions, number: int) -> tuple[float, float, float, float]:
    """Return wall seconds, and CPU seconds of the relay, the workers and the server."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.working", "psutil"])
    bells: Queue[str | None] = context.Queue()
    ready, told = context.Semaphore(0), context.Queue()
    workers = [context.Process(target=_be_worker, args=(bench.url, bells, ready, told)) for _ in range(number)]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    began, relay, server = time.perf_counter(), time.process_time(), bench.server()
    open_jobs = sa.select(JobRow.id).where(JobRow.state.not_in(ENDED)).limit(1)
    while True:
        while bell.relay(sessions, lambda _task, job: bells.put(job)):
            pass
        with sessions.read() as session:
            if session.scalar(open_jobs) is None:
                break
        time.sleep(0.05)
    wall, relay, server = time.perf_counter() - began, time.process_time() - relay, bench.server() - server
    for _ in workers:
        bells.put(None)
    used = sum(told.get() for _ in workers)
    for worker in workers:
        worker.join()
    return wall, relay, used, server


def _be_worker(url: str, bells: Queue[str | None], ready: Any, told: Queue[float]) -> None:
    with contextlib.closing(Sessions.open(url)) as sessions:
        with sessions.read() as session:
            session.execute(sa.select(1))
        before = _used()
        ready.release()
        while (job := bells.get()) is not None:
            bell.answer(sessions, job, lambda job: work(sessions, job, _make))
        told.put(_used() - before)


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _make(holding: Holding) -> Made:
    return Made([Output("16:9", "video", f"{holding.claim.fence:064x}", "stub.mp4", 1)])


def _order(sessions: Sessions) -> str:
    with sessions.write() as session:
        return jobs.submit(session, BRIEF).job


# --- each verb by itself ---------------------------------------------------------------------------------------------


def _verbs(bench: Bench, count: int) -> dict[str, dict[str, float]]:
    """Time each verb `count` times in a row; the table's figures are in ms."""
    print("| verb | a second | median ms | CPU ms: ours, server |")
    print("|---|---|---|---|")
    costs = {}
    with contextlib.closing(Sessions.open(bench.url)) as sessions:
        made, held = list[str](), list[Any]()

        def claim() -> None:
            with sessions.write() as session:
                held.append(jobs.claim(session, made[len(held)], worker="bench:1"))

        def beat() -> None:
            with sessions.write() as session:
                jobs.beat(session, held[0], progress=0.5)

        def finish() -> None:
            with sessions.write() as session:
                jobs.finish(session, held.pop(), [Output("16:9", "video", "0" * 64, "stub.mp4", 1)])

        def next_due() -> None:
            with sessions.read() as session:
                urgency.next_due(session)

        verbs: dict[str, Callable[[], object]] = {
            "submit": lambda: made.append(_order(sessions)),
            "claim": claim,
            "beat": beat,
            "next due": next_due,
            "relay, nothing to do": lambda: bell.relay(sessions, lambda *_: None),
            "reap, nothing to do": lambda: bell.reap(sessions),
            "finish": finish,
        }
        for name, verb in verbs.items():
            if name == "next due":
                _ring_all(sessions)
            costs[name] = _timed(bench, name, verb, count)
    return costs


def _timed(bench: Bench, name: str, verb: Callable[[], object], count: int) -> dict[str, float]:
    walls, cpu, server = list[float](), time.process_time(), bench.server()
    for _ in range(count):
        began = time.perf_counter()
        verb()
        walls.append(time.perf_counter() - began)
    cpu, server = (time.process_time() - cpu) / count, (bench.server() - server) / count
    median = statistics.median(walls)
    print(
        f"| {name} | {count / sum(walls):.0f} | {1000 * median:.2f} | {1000 * cpu:.2f}, {1000 * server:.2f} |",
        flush=True,
    )
    return {"wall": median, "cpu": cpu, "server": server}


def _ring_all(sessions: Sessions) -> None:
    """Ring for everything, so that there is nothing to do."""
    while bell.relay(sessions, lambda *_: None, limit=1000):
        pass


def _fill(bench: Bench, rows: int) -> None:
    """Add so many jobs, half of them waiting (and rung for lately), half published."""
    print(f"{bench.name}: {rows} further rows, half of them waiting")
    now = utc_now()
    with contextlib.closing(Sessions.open(bench.url)) as sessions:
        for start in range(0, rows, 10_000):
            made = [
                {
                    "id": f"{rows:08d}{number:08d}",
                    "kind": "produce",
                    "spec": BRIEF.canonical_json(),
                    "spec_digest": "0" * 64,
                    "state": "queued" if number % 2 else "published",
                    "created_at": now + timedelta(microseconds=number),
                    "ring_after": now + timedelta(days=1),
                }
                for number in range(start, min(start + 10_000, rows))
            ]
            with sessions.write() as session:
                session.execute(sa.insert(JobRow), made)
        with sessions.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))


def _plan(bench: Bench) -> None:
    """Print how the database finds the next job: the plan of each statement that the choice makes."""
    explain = "EXPLAIN QUERY PLAN " if bench.name == "sqlite" else "EXPLAIN "
    asked = list[tuple[str, Any]]()
    with contextlib.closing(Sessions.open(bench.url)) as sessions:

        def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
            asked.append((statement, given))

        sa.event.listen(sessions.engine, "before_cursor_execute", note)
        with sessions.read() as session:
            urgency.next_due(session)
        sa.event.remove(sessions.engine, "before_cursor_execute", note)
        with sessions.engine.connect() as connection:
            for statement, given in asked:
                if statement.startswith("SELECT job.id"):
                    for row in connection.exec_driver_sql(explain + statement, given):
                        print(f"    {row[-1]}"[:160])


# --- the page --------------------------------------------------------------------------------------------------------


def _page(bench: Bench, count: int) -> None:
    """Order through the page, with the broker up and with none there."""
    binary = servers.redis_binary()
    assert binary
    for up in (True, False):
        with servers.scratch() as folder, tempfile.TemporaryDirectory() as home:
            broker = servers.RedisServer(binary, folder)
            if up:
                broker.start()
            with (
                contextlib.closing(Sessions.open(bench.url)) as sessions,
                page(environment(sessions, broker.url, Path(home))) as address,
                httpx.Client(base_url=address, headers={"Origin": address}) as client,
            ):
                walls = []
                for number in range(count):
                    began = time.perf_counter()
                    answer = client.post("/api/jobs", json={"template": "off_road", "seed": number})
                    walls.append(1000 * (time.perf_counter() - began))
                    assert answer.status_code == 202, answer.text
            if up:
                broker.stop()
        p95, median = statistics.quantiles(walls, n=20, method="inclusive")[-1], statistics.median(walls)
        state = "up" if up else "down"
        print(f"{count} orders through the page, broker {state}: median {median:.0f} ms, p95 {p95:.0f} ms")


if __name__ == "__main__":
    main()
