"""A batch that goes through an upgrade and back: two revisions of the code take turns at one database.

The older code is unpacked from the repository. Both work as they are, by their own local runner over the stub factory;
what came of the jobs is read from the database and from the stub's log.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from factory.store import db
from factory.store.job import ENDED
from tests.stub_factory import executions

ROOT: Final = Path(__file__).parent.parent
PATIENCE: Final = 240.0
JOBS: Final = 24

WORKER: Final = """
import os, signal, threading
from factory.runner import LocalRunner
from tests import stub_factory

if __name__ == "__main__":
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with LocalRunner(os.environ["STUB_DATABASE"], stub_factory.open_produce, workers=2):
        ended.wait()
"""
ORDER: Final = """
import os, sys
from factory.store import jobs
from factory.store.db import Sessions
from tests import stub_factory

sessions = Sessions.open(os.environ["STUB_DATABASE"])
for number in range(int(sys.argv[1])):
    with sessions.write() as session:
        jobs.submit(session, stub_factory.brief(0.5, seed=number))
sessions.close()
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the batch. `burnt`: attempts beyond the one that made each job."""

    jobs: int
    states: Counter[str]
    done_once: int
    done_oftener: int
    burnt: int
    revisions: tuple[str | None, ...]  # after each migration
    ended_before_each: tuple[int, ...]  # jobs that had ended when it was made


def commit_before_the_newest_migration() -> str | None:
    """Return the commit of the previous revision, or None where its history is not here."""
    newest = next((ROOT / "migrations" / "versions").glob(f"{db.newest_revision()}_*.py"))
    line = ["git", "log", "--diff-filter=A", "--format=%H", "-1", "--", str(newest)]
    added = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    if not added:
        return None
    parent = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{added}^"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return parent.stdout.strip() or None


def unpack(commit: str, folder: Path) -> Path:
    """Write the code of a commit into `folder`."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(folder, filter="data")
    return folder


class Upgrade:
    """One database, and both revisions of the code."""

    def __init__(self, old: Path, url: str, folder: Path) -> None:
        self.old, self.new, self.url, self.folder = old, ROOT, url, folder
        self.log = folder / "log"
        self.engine = db.open_engine(url)
        (folder / "worker.py").write_text(WORKER, encoding="utf-8")
        (folder / "order.py").write_text(ORDER, encoding="utf-8")

    def run(self, code: Path, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, *arguments], env=self._told(code), cwd=code, check=True, stdout=subprocess.DEVNULL
        )

    @contextlib.contextmanager
    def working(self, code: Path) -> Iterator[None]:
        """Let workers of this code work until the block ends; then they are asked to end, as an upgrade does."""
        line = [sys.executable, str(self.folder / "worker.py")]
        worker = subprocess.Popen(line, env=self._told(code), cwd=code)
        try:
            yield
        finally:
            worker.terminate()
            worker.wait(60)

    def until(self, ended: int) -> None:
        """Wait until so many jobs have ended."""
        give_up = time.monotonic() + PATIENCE
        while self.ended() < ended:
            assert time.monotonic() < give_up, f"{self.states()} after {PATIENCE} s"
            time.sleep(0.1)

    def ended(self) -> int:
        return sum(count for state, count in self.states().items() if state in ENDED)

    def states(self) -> Counter[str]:
        with self.engine.connect() as connection:
            return Counter(connection.scalars(sa.text("SELECT state FROM job")))

    def revision(self) -> str | None:
        with self.engine.connect() as connection:
            return db.revision_of(connection)

    def outcome(self, revisions: list[str | None], before: list[int]) -> Outcome:
        done = Counter(line[0] for line in executions(self.log) if line[-1] == "done")
        with self.engine.connect() as connection:
            burnt = connection.scalar(sa.text("SELECT sum(attempt) - count(*) FROM job"))
        states = self.states()
        self.engine.dispose()
        return Outcome(
            jobs=states.total(),
            states=states,
            done_once=sum(times == 1 for times in done.values()),
            done_oftener=sum(times > 1 for times in done.values()),
            burnt=int(burnt or 0),
            revisions=tuple(revisions),
            ended_before_each=tuple(before),
        )

    def _told(self, code: Path) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": str(code),
            "FACTORY_DATABASE_URL": self.url,
            "FACTORY_HOME": str(self.folder / "home"),
            "STUB_DATABASE": self.url,
            "STUB_LOG": str(self.log),
        }


def orderly(upgrade: Upgrade) -> Outcome:
    """Up and back as docs/operations.md says: stop the workers, migrate, start those of the other revision."""
    upgrade.run(upgrade.old, "-m", "factory.cli", "db", "migrate")
    upgrade.run(upgrade.old, str(upgrade.folder / "order.py"), str(JOBS))
    revisions, before = [upgrade.revision()], [0]

    def change(*arguments: str) -> None:
        assert not {"planning", "rendering"} & upgrade.states().keys(), "a worker that ended had kept its job"
        before.append(upgrade.ended())
        upgrade.run(upgrade.new, "-m", "factory.cli", "db", *arguments)
        revisions.append(upgrade.revision())

    with upgrade.working(upgrade.old):
        upgrade.until(JOBS // 4)
    change("migrate")
    with upgrade.working(upgrade.new):
        upgrade.until(JOBS // 2)
    change("rollback", "--yes")
    with upgrade.working(upgrade.old):
        upgrade.until(JOBS)
    return upgrade.outcome(revisions, before)


def rude(upgrade: Upgrade) -> Outcome:
    """Migrate under the hands of older workers, and let newer ones work beside them."""
    upgrade.run(upgrade.old, "-m", "factory.cli", "db", "migrate")
    upgrade.run(upgrade.old, str(upgrade.folder / "order.py"), str(JOBS))
    revisions, before = [upgrade.revision()], [0]
    with upgrade.working(upgrade.old):
        upgrade.until(JOBS // 4)
        before.append(upgrade.ended())
        upgrade.run(upgrade.new, "-m", "factory.cli", "db", "migrate")
        revisions.append(upgrade.revision())
        upgrade.until(JOBS // 2)
        with upgrade.working(upgrade.new):
            upgrade.run(upgrade.old, str(upgrade.folder / "order.py"), str(JOBS // 4))
            upgrade.until(JOBS + JOBS // 4)
    return upgrade.outcome(revisions, before)


WAYS: Final[dict[str, Callable[[Upgrade], Outcome]]] = {"orderly": orderly, "rude": rude}
