"""Workers of the house itself, killed by a plan in the middle of real renders, with the product's own lease and beat.

Crashes and counts are those of crash_trial.py. What is made is real, if short: plans, cards, sound, ffmpeg, the store.
Waits are the product's, so jobs wait for a lease of 30 s; several are in flight.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy.orm import Session

from factory import produce as verb
from factory.render import chunks, film
from factory.runner import LocalRunner
from factory.runner_child import open_produce as open_real_produce
from factory.settings import Settings
from factory.store import db, jobs
from factory.store.files import Files
from factory.store.job import LEASE, Claim
from factory.store.lease import Holding
from factory.store.schema import JobOutput
from tests.crash_trial import Order, Site, Tally, Trial, plan_crashes
from tests.render_kit import complaints
from tests.short_films import fill_home, short_film

ROOT: Final = Path(__file__).parent.parent
WORKERS: Final = 3
IN_FLIGHT: Final = 2  # one worker is free: told is how soon a lost job is missed, not how long a queue is
# In the order of a job's life: what an attempt has kept is not made again, and nobody could die in making it.
WITHIN: Final = ("claimed", "planned", "saved", "cards", "mixing", "chunk", "chunk-made", "chunks", "joined",
                 "settling", "finishing")  # fmt: skip
ONCE: Final = ("claiming", "finished")
POINTS: Final = ("claiming", *WITHIN, "finished")
TOLD: Final = {"rendering": "cards", "mixing sound": "chunks", "taking the poster": "joined"}


# --- the worker ------------------------------------------------------------------------------------------------------


class RealSite(Site):
    """Beside what a Site keeps: which processes of a worker lived when it was killed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.templates, self.left = folder / "templates", folder / "left"

    def environment(self) -> dict[str, str]:
        return {"CRASH_SITE": str(self.folder), "FACTORY_HOME": str(self.home), "FACTORY_DATABASE_URL": self.url,
                "FACTORY_VOICE": "silent", "FACTORY_TEMPLATES": str(self.templates)}  # fmt: skip

    def crash(self, point: str, job: str, attempt: int = 0) -> None:
        if (self.plan / f"{job}.{point}.{attempt}").exists():
            with self.left.open("a") as file:
                for child in psutil.Process().children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        file.write(f"{time.time()} {child.pid} {child.create_time()} {child.name()}\n")
        super().crash(point, job, attempt)

    def children_left(self) -> list[tuple[float, psutil.Process]]:
        """Return the processes whose worker was killed, by the moment of its crash, that live on."""
        alive = list[tuple[float, psutil.Process]]()
        for line in self.left.read_text().splitlines() if self.left.exists() else []:
            at, pid, created, *_ = line.split()
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(int(pid))
                if process.create_time() == float(created) and process.status() != psutil.STATUS_ZOMBIE:
                    alive.append((float(at), process))
        return alive


def open_produce() -> Callable[[str], object]:
    """What a runner's child calls: the real verb, with crash points in it."""
    place_crashes(RealSite(Path(os.environ["CRASH_SITE"])))
    return open_real_produce()


def place_crashes(site: RealSite) -> None:
    """Put crash points into the verb, the render, the store and the ledger, of this process."""
    turn: list[tuple[str, int]] = [("", 0)]

    def crash(point: str) -> None:
        site.crash(point, *turn[0])

    def after(function: Callable[..., Any], point: str) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            answer = function(*args, **kwargs)
            crash(point)
            return answer

        return called

    make, tell, run, settle = verb._make, film._Work._tell, vars(chunks)["run"], Files._settle
    claim, produce = jobs.claim, verb.produce

    def making(holding: Holding, house: Any) -> Any:
        turn[0] = (holding.claim.job, holding.claim.attempt)
        crash("claimed")
        return make(holding, house)

    def telling(work: Any, share: float, what: str) -> None:
        tell(work, share, what)
        if what in TOLD:
            crash(TOLD[what])

    def running(*args: Any, on_progress: Callable[[int], None] = lambda _frames: None, **kwargs: Any) -> None:
        def told(frames: int) -> None:
            crash("chunk")  # ffmpeg has written frames and lives
            on_progress(frames)

        run(*args, on_progress=told, **kwargs)
        crash("chunk-made")

    def settling(files: Files, written: Path, place: Path, **kwargs: Any) -> Path:
        if files.media in place.parents:
            crash("settling")
        return settle(files, written, place, **kwargs)

    def claiming(session: Session, job: str, *, worker: str, lease: timedelta) -> Claim | None:
        made = claim(session, job, worker=worker, lease=lease)
        if made is not None:
            site.crash("claiming", job)
        return made

    def producing(job: str, parts: Any, **kwargs: Any) -> Any:
        ended = produce(job, parts, **kwargs)
        if ended is not None:
            site.crash("finished", job)
        return ended

    vars(verb).update(
        _make=making, plan=after(vars(verb)["plan"], "planned"), _save=after(verb._save, "saved"), produce=producing
    )
    vars(film).update(mix_program=after(vars(film)["mix_program"], "mixing"))
    vars(chunks).update(run=running)
    vars(jobs).update(claim=claiming, finish=after(jobs.finish, "finishing"))
    setattr(film._Work, "_tell", telling)  # noqa: B010  (a method, which mypy would not let be assigned)
    setattr(Files, "_settle", settling)  # noqa: B010


# --- the trial -----------------------------------------------------------------------------------------------------


def plan_real_crashes(count: int, seed: int) -> list[Order]:
    """Plan `count` crashes, those of each job in the order of its life."""
    orders = plan_crashes(count, seed, points=POINTS, within=WITHIN, once=ONCE)
    return [replace(order, in_work=tuple(sorted(order.in_work, key=WITHIN.index))) for order in orders]


def crash_real_renders(folder: Path, orders: list[Order], *, broker: str = "", patience: float = 3600.0) -> Tally:
    """Work off these orders over a library in `folder`/home, and count. With `broker`, by Celery's workers, else by a
    local runner."""
    site, left = RealSite(folder), dict[tuple[float, int], float]()
    db.migrate(site.url)
    fill_home(folder, Settings(home=site.home, database_url=site.url, templates=site.templates))

    def look() -> None:
        for at, process in site.children_left():
            left[at, process.pid] = time.time() - at

    trial = Trial(
        site=site,
        points=POINTS,
        lease=LEASE,
        in_flight=IN_FLIGHT,
        brief=short_film,
        working=lambda _tally: _celery(site, broker) if broker else _local(site),
        is_whole=_is_whole,
        look_every=0.2,
        look=look,
    )
    tally = trial.run(orders, patience=patience)
    tally.killed, tally.outlived = tally.crashed.total(), sorted(left.values())
    return tally


def _is_whole(output: JobOutput, files: Files) -> bool:
    """A film can be decoded, and has its frames."""
    path = files.path(output.digest)
    return output.role != "video" or (chunks.count_frames(path) == output.frames and not complaints(path))


@contextlib.contextmanager
def _local(site: RealSite) -> Iterator[Callable[[], None]]:
    """A local runner, which revives its children itself."""
    os.environ.update(site.environment())
    with LocalRunner(site.url, open_produce, workers=WORKERS):
        yield lambda: None


@contextlib.contextmanager
def _celery(site: RealSite, broker: str) -> Iterator[Callable[[], None]]:
    """Celery's workers; another is started where one was killed, as systemd or an engine of containers would."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "tests.real_worker",
        "worker",
        "--without-gossip",
        "--without-mingle",
    ]
    environment = os.environ | site.environment() | {"FACTORY_BROKER_URL": broker}
    living, number = list[subprocess.Popen[bytes]](), iter(range(1_000_000))

    def revive() -> None:
        living[:] = [worker for worker in living if worker.poll() is None]
        while len(living) < WORKERS:
            name = f"worker-{next(number)}"
            with (site.folder / f"{name}.log").open("wb") as log:
                line = [*command, "-n", f"{name}@host"]
                living.append(subprocess.Popen(line, env=environment, cwd=ROOT, stdout=log, stderr=log))

    try:
        yield revive
    finally:
        for worker in living:
            worker.terminate()
        for worker in living:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(30)
            worker.kill()
            worker.wait()
