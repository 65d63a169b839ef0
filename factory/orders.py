"""What the doors share of an order: reading its table, making it here and now, and telling of a job as plain data."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.errors import FactoryError, WrongUsage
from factory.plan.brief import Brief, Table
from factory.plan.cars_table import read_cars
from factory.plan.embargo import Embargo
from factory.plan.ranking_table import rank_table, table_periods
from factory.plan.tables import BadRow, read_table
from factory.small_files import read_small
from factory.store import catalog, job_lookup, jobs
from factory.store.job import A_PERSONS, ENDED, Job, Output, Wishes
from factory.wiring import Parts

MOST_TABLE_BYTES = 32 << 20
LOOK_EVERY = 0.5  # seconds between two looks at a job that cannot be worked on here


class JobFailed(FactoryError):
    """The job ended without a video; carries the ledger's own code, cause and next step."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.error_text or f"job {job.id} is {job.state}", next_step=job.next_step or "look at the job")
        self.code = job.error_code or f"job-{job.state}"  # type: ignore[misc]  # the ledger's code is the contract
        self.exit_code = _exit_codes().get(self.code, 1)  # type: ignore[misc]  # the class says ClassVar, the ledger knows the real one


def _exit_codes() -> dict[str, int]:
    """Return the exit code of each refusal by its code, which is all that the ledger keeps of one."""
    found, waiting = dict[str, int](), [FactoryError]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        found[kind.__dict__.get("code", "")] = kind.exit_code
    return found


def table_of(path: Path) -> Table:
    """Read the table of one video from a file."""
    data = read_small(path, MOST_TABLE_BYTES, unread="name a CSV file that exists", too_large="give a smaller table")
    return read_table(data, path.name)


def make(
    brief: Brief,
    parts: Parts,
    out: Path | None,
    *,
    on_progress: Callable[[float, str], None],
    embargo: Embargo | None = None,
    wishes: Wishes = Wishes(),  # noqa: B008  frozen
) -> dict[str, Any]:
    """Submit an order, work it off here, and return what was made; raises the refusal that ended it."""
    parts.templates.describe(brief.template)
    parts.templates.brand(brief.brand)
    if out:
        check_writable(out)
    with parts.sessions.write() as session:
        job = jobs.submit(session, brief, by="make", embargo=embargo, wishes=wishes).job
    ended = work_off(job, parts, on_progress)
    if ended.state != "review":
        raise JobFailed(ended)
    return made_record(ended, parts, out)


def work_off(job: str, parts: Parts, on_progress: Callable[[float, str], None]) -> Job:
    """Work on the job here, or wait for its place and for the worker that has it, until it has ended."""
    from factory.produce import produce  # noqa: PLC0415  # two seconds of imports that only making needs

    with Watch(job, parts, on_progress):
        while True:
            with parts.sessions.read() as session:
                known = job_lookup.get(session, job)
            if known.state in ENDED:
                return known
            if produce(job, parts) is None:
                time.sleep(LOOK_EVERY)


def check_writable(folder: Path) -> None:
    """Refuse a folder that takes no files before an hour of work is meant for it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        cause = f"no file can be written into {folder}: {error.strerror}"
        raise WrongUsage(cause, next_step="name a folder that can be written") from None


def made_record(job: Job, parts: Parts, out: Path | None) -> dict[str, Any]:
    """Return a finished job as plain data, aspects as ordered, its files copied into `out` where one is named.

    `covers` are those of shapes that no video was ordered in.
    """
    outputs = [_output_record(job, aspect, parts, out) for aspect in dict.fromkeys(job.brief().aspects)]
    refused = [row for trace in traces(job, parts)[:1] for row in trace.get("rows_refused", [])]
    about = {"job": job.id, "state": job.state, "embargo": embargo_record(job)}
    folder = out or parts.settings.home / "outputs" / job.id
    covers = {
        output.aspect: str(_copied(output, parts, folder))
        for output in job.outputs
        if output.role == "cover" and output.aspect not in job.brief().aspects
    }
    return {**about, **outputs[0], "rows_refused": refused, "outputs": outputs, "covers": covers}


def embargo_record(job: Job) -> dict[str, str] | None:
    """Return until when a job may not be published, and by what."""
    return {"until": str(job.embargo), "of": job.embargo.of} if job.embargo else None


def wishes_record(job: Job) -> dict[str, Any]:
    """Return where a job waits and when it is wanted."""
    deadline = job.deadline.isoformat() if job.deadline else None
    return {"queue": job.queue, "priority": job.priority, "deadline": deadline}


def told_wishes(job: Job) -> str:
    """Return when a job is wanted, as a line has it: nothing where it is as usual."""
    priority = "" if job.priority == A_PERSONS else f"priority {job.priority}"
    waits = job.deadline is not None and job.started_at is None
    return ", ".join(word for word in (priority, f"by {job.deadline:%Y-%m-%d %H:%MZ}" if waits else "") if word)


def traces(job: Job, parts: Parts) -> list[dict[str, Any]]:
    """Return what a finished job tells of each aspect: why its shots, what was refused, how much was new."""
    kept = [parts.files.path(output.digest) for output in job.outputs if output.role == "trace"]
    return [json.loads(path.read_text(encoding="utf-8")) for path in kept]


def _output_record(job: Job, aspect: str, parts: Parts, out: Path | None) -> dict[str, Any]:
    files = {output.role: output for output in job.outputs if output.aspect == aspect}
    video = files["video"]
    assert video.frames is not None
    assert video.fps is not None
    folder = out or parts.settings.home / "outputs" / job.id
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "aspect": aspect,
        "frames": video.frames,
        "fps": float(video.fps),
        "seconds": round(float(video.frames / video.fps), 6),
        **{role: str(_copied(output, parts, folder)) for role, output in files.items()},
    }


def _copied(output: Output, parts: Parts, folder: Path) -> Path:
    target = (folder / output.name).resolve()
    partial = target.with_name(f".{target.name}.partial")
    shutil.copyfile(parts.files.path(output.digest), partial)
    return partial.replace(target)


def job_record(job: Job) -> dict[str, Any]:
    """Return a job as plain data."""
    return {
        "job": job.id,
        "kind": job.kind,
        "state": job.state,
        "title": job.title,
        "template": job.brief().template if job.kind == Brief.kind else None,
        "progress": job.progress,
        "step": job.step,
        "attempt": job.attempt,
        "code": job.error_code,
        "cause": job.error_text,
        "next_step": job.next_step,
        "embargo": embargo_record(job),
        **wishes_record(job),
        "created_at": job.created_at.isoformat(),
        "outputs": [{"aspect": o.aspect, "role": o.role, "name": o.name, "bytes": o.bytes} for o in job.outputs],
    }


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """What a table brought into the catalogue, and the rows that were refused."""

    what: str
    refused: tuple[BadRow, ...]


def load_table(path: Path, parts: Parts, options: dict[str, str]) -> LoadedTable:
    """Load a table of cars, or else of a ranking with all its periods, under its file's name."""
    table = table_of(path)
    with parts.sessions.write() as session:
        if {"slug", "make", "body"} & {column.strip().casefold() for column in table.columns}:
            cars, bad = read_cars(table, options, body=parts.taxonomy.resolve)
            return LoadedTable(f"{catalog.save_cars(session, cars)} cars", bad)
        refused = dict[BadRow, None]()
        periods, today = table_periods(table, options), parts.today()
        for period in periods or ("",):
            given = {**options, "period": period} if period else options
            ranking, bad = rank_table(table, given, today=today)
            refused |= dict.fromkeys(bad)
            catalog.save_ranking(session, path.stem, ranking)
    return LoadedTable(f"ranking {path.stem!r}, {max(1, len(periods))} periods", tuple(refused))


class Watch:
    """Tells the progress of a job that is worked off in this process, twice a second."""

    def __init__(self, job: str, parts: Parts, tell: Callable[[float, str], None]) -> None:
        self._job, self._parts, self._tell = job, parts, tell
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.5):
            with self._parts.sessions.read() as session:
                job = job_lookup.get(session, self._job)
            self._tell(job.progress, job.step)
