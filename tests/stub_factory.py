"""A factory that makes nothing, fast: what workers run in tests of jobs. The brief's `set` says how it behaves.

`seconds` how long it works, `fall` how it falls: `refuse`, `break`, `exit` (kills its own process), `leak` (leaves
300 MB behind). Every execution that starts is one line `job attempt pid` in the file that STUB_LOG names; one that ends
writes it again with ` done`. STUB_LEASE is the lease in seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from factory.errors import FactoryError
from factory.plan.brief import Brief
from factory.store.db import Sessions
from factory.store.job import Output
from factory.store.lease import Holding, Made, Settled, work

LEASE = timedelta(seconds=float(os.environ.get("STUB_LEASE", "2")))
LEAKED: list[bytes] = []


class NoShotForScene(FactoryError):
    code = "no-shot-for-scene"


def brief(seconds: float = 0.0, fall: str = "", seed: int = 0) -> Brief:
    return Brief(template="stub", set={"seconds": str(seconds), "fall": fall}, seed=seed)


def open_produce() -> Callable[[str], object]:
    """What a runner's child calls to get its `produce`; the database is named by STUB_DATABASE."""
    sessions = Sessions.open(os.environ["STUB_DATABASE"])
    return lambda job: produce(job, sessions)


def produce(job: str, sessions: Sessions) -> object:
    return work(sessions, job, make, lease=LEASE)


def make(holding: Holding) -> Made:
    claim = holding.claim
    wanted = {"seconds": "0", "fall": ""} | claim.brief().set
    note(f"{claim.job} {claim.attempt} {os.getpid()}")
    if wanted["fall"] == "exit":
        os._exit(9)
    give_up, began = time.monotonic() + float(wanted["seconds"]), time.monotonic()
    while time.monotonic() < give_up:
        holding.report((time.monotonic() - began) / float(wanted["seconds"]), "stub")
        if holding.stopped():
            raise InterruptedError(str(holding.why))
        time.sleep(0.02)
    if wanted["fall"] == "leak":
        LEAKED.append(os.urandom(1 << 20) * 300)
    if wanted["fall"] == "refuse":
        raise NoShotForScene("scene 4 wants 'interior', 0 candidates", next_step="ingest more")
    if wanted["fall"] == "break":
        raise ZeroDivisionError("a fault")
    note(f"{claim.job} {claim.attempt} {os.getpid()} done")
    return Made([Output("16:9", "video", f"{claim.fence:064x}", "stub.mp4", 1)])


def ingest(job: str, sessions: Sessions) -> object:
    """Bring a clip in, of which nothing comes in."""
    return work(sessions, job, bring, lease=LEASE)


def bring(holding: Holding) -> Settled:
    claim = holding.claim
    note(f"{claim.job} {claim.attempt} {os.getpid()}")
    note(f"{claim.job} {claim.attempt} {os.getpid()} done")
    return Settled(f"added {claim.clip().file_name}")


def note(line: str) -> None:
    with Path(os.environ["STUB_LOG"]).open("a") as log:
        log.write(f"{line}\n")


def executions(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []
