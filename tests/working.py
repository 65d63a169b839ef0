"""What tests with real workers share: Celery programs over a stub, whole batches of its jobs, and the page's server."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx2 as httpx
import sqlalchemy as sa

from factory.plan.brief import Brief
from factory.store import jobs
from factory.store.db import Sessions
from factory.store.job import ENDED
from factory.store.schema import JobRow
from tests.servers import free_port
from tests.stub_factory import executions

ROOT = Path(__file__).parent.parent
STARTS = 90.0  # seconds that a program may take to start on a busy machine

Tell = Callable[[str, object], None]  # pytest's `record_property`: counts for the table of `./run bench-faults`


def short_or_long(short: int, long: int) -> int:
    """Return how often a fault is made: few times among all other tests, many times for the table."""
    return long if os.environ.get("FAULTS_LONG") else short


def environment(sessions: Sessions, broker: str, folder: Path) -> dict[str, str]:
    """What a worker over the stub is told: its database, its broker, its home, and where it notes what it does."""
    return {
        **os.environ,
        "FACTORY_BROKER_URL": broker,
        "FACTORY_DATABASE_URL": sessions.engine.url.render_as_string(hide_password=False),
        "FACTORY_HOME": str(folder / "home"),
        "STUB_LOG": str(folder / "log"),
    }


@contextlib.contextmanager
def celery(
    environment: dict[str, str], *arguments: str, app: str = "tests.stub_worker"
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Celery program until the block ends. `workers.app` is the product's own, which renders."""
    command = [sys.executable, "-m", "celery", "-A", app, *arguments]
    output = Path(environment["STUB_LOG"]).with_suffix(f".{arguments[0]}.{time.monotonic_ns()}")
    with output.open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


@contextlib.contextmanager
def page(environment: dict[str, str]) -> Iterator[str]:
    """Serve the page, with its relay and without workers, until the block ends. Yields its address."""
    port = free_port()
    told = environment | {"FACTORY_WEB_PORT": str(port), "FACTORY_WORKERS": "0"}
    with (
        Path(environment["STUB_LOG"]).with_suffix(".page").open("wb") as log,
        subprocess.Popen([sys.executable, "-m", "factory.cli", "serve"], env=told, stdout=log, stderr=log) as process,
    ):
        address = f"http://127.0.0.1:{port}"
        try:
            _answers(address)
            yield address
        finally:
            process.kill()


def _answers(address: str) -> None:
    give_up = time.monotonic() + STARTS
    while time.monotonic() < give_up:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/api/jobs").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def submit(sessions: Sessions, *orders: Brief) -> list[str]:
    """Order each in a transaction of its own."""
    made = []
    for order in orders:
        with sessions.write() as session:
            made.append(jobs.submit(session, order).job)
    return made


def states(sessions: Sessions, made: Sequence[str]) -> Counter[str]:
    with sessions.read() as session:
        return Counter(session.scalars(sa.select(JobRow.state).where(JobRow.id.in_(made))))


def all_ended(sessions: Sessions, made: Sequence[str]) -> bool:
    return states(sessions, made).keys() <= set(ENDED)


def done(log: Path) -> Counter[str]:
    """How often each job was worked on to its end."""
    return Counter(line[0] for line in executions(log) if line[-1] == "done")


def begun(log: Path) -> Counter[str]:
    """How often work on each job began."""
    return Counter(line[0] for line in executions(log) if line[-1] != "done")
