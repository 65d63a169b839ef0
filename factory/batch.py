"""A batch of videos: one for each row of a table of orders. Rows fail alone, and a rerun makes only what changed.

A row's digest says what its video is made from: the order with the content of its table, what the catalogue knows of
its subject, the text of its template and its brand. The ledger keeps the job under that digest. The library is left
out on purpose: new clips change no row, and `again` makes them count.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from factory.errors import FactoryError
from factory.order_facts import facts_of
from factory.orders import JobFailed, check_writable, made_record, table_of, traces, work_off
from factory.picture_files import with_pictures
from factory.plan.brief import Brief, Table
from factory.plan.embargo import Embargo
from factory.plan.facts import Facts
from factory.plan.order_rows import OrderRow, order_rows
from factory.plan.tables import BadRow
from factory.store import job_lookup, jobs
from factory.store.job import A_BATCHS, ENDED, Job, State, Wishes
from factory.wiring import Parts

Status = Literal["made", "reused", "refused", "failed"]

GOOD: tuple[State, ...] = ("review", "approved", "published")
_ENDING = re.compile(r"(\.[a-z]{2,16})?\.[a-z0-9]{2,5}$")  # what tells the files of one video apart


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row. `refused`: the row itself was wrong; `failed`: its job ended without a video."""

    line: int
    status: Status
    output: str = ""
    template: str = ""
    subject: str = ""
    locale: str = ""
    digest: str = ""
    job: str = ""
    column: str = ""
    code: str = ""
    cause: str = ""
    next_step: str = ""
    videos: tuple[str, ...] = ()
    frames: int = 0
    seconds: float = 0.0  # of the videos, one after the other
    took: float = 0.0  # seconds that this row had to wait for
    chunks_made: int = 0  # pieces that were rendered for it
    chunks_reused: int = 0  # pieces that lay in the cache
    rows_refused: tuple[str, ...] = ()  # of the row's own table


@dataclass(frozen=True, slots=True)
class Batch:
    """What all rows share: where their files lie and go, and whether finished ones are made again."""

    parts: Parts
    beside: Path
    out: Path
    again: bool = False
    embargo: Embargo | None = None  # where a row names none
    wishes: Wishes = Wishes(A_BATCHS)  # noqa: RUF009  frozen
    on_progress: Callable[[float, str], None] = lambda _share, _what: None


def batch(table: Table, shared: Brief, rows: Batch) -> Iterator[Outcome]:
    """Make a video of every row, in their order, and yield what became of each; refused rows come first.

    `shared` is what holds where a row says nothing. Raises `TableUnfit` where the table as a whole means nothing, and
    `WrongUsage` where the folder takes no files.
    """
    parts = rows.parts
    check_writable(rows.out)
    orders, bad = order_rows(table, shared, lambda name: parts.templates.describe(name).inputs)
    yield from (_refused(row) for row in bad)
    for number, order in enumerate(orders):
        turn = replace(rows, on_progress=_share_of(rows.on_progress, number, len(orders), order))
        yield _row(order, turn)


def _share_of(
    tell: Callable[[float, str], None], number: int, of: int, order: OrderRow
) -> Callable[[float, str], None]:
    return lambda share, what: tell((number + share) / of, f"{order.row}: {what}")


def _refused(row: BadRow) -> Outcome:
    step = "mend the row and run the batch again: what is made is kept"
    return Outcome(row.line, "refused", column=row.column, code="row-refused", cause=row.why, next_step=step)


def _row(order: OrderRow, rows: Batch) -> Outcome:
    """Make the video of one row, or find it made. What is wrong with a row ends this row alone."""
    began, brief = time.perf_counter(), order.brief
    outcome = Outcome(order.row.line, "refused", order.output, brief.template, brief.subject or "", brief.locale)
    try:
        brief = _complete(order, rows)
        outcome = replace(outcome, digest=row_digest(brief, facts_of(brief, rows.parts), rows.parts), status="failed")
        job, reused = _job_of(brief, f"batch/{outcome.digest}", rows)
        _hold(job, order.embargo or rows.embargo, rows.parts)
        outcome = replace(outcome, job=job)
        ended = work_off(job, rows.parts, rows.on_progress)
        if ended.state not in GOOD:
            raise JobFailed(ended)
        outcome = replace(_told(outcome, ended, rows, new=not reused), status="reused" if reused else "made")
    except FactoryError as refusal:
        column = _column(order, refusal) if outcome.status == "refused" else ""
        outcome = replace(outcome, column=column, code=refusal.code, cause=refusal.cause, next_step=refusal.next_step)
    except OSError as error:  # its picture, or the folder of its files
        step = "name a place that can be read and written"
        outcome = replace(outcome, code="file-refused", cause=str(error), next_step=step)
    return replace(outcome, took=round(time.perf_counter() - began, 3))


# --- a row as an order -----------------------------------------------------------------------------------------------


def _complete(order: OrderRow, rows: Batch) -> Brief:
    """Return the order with its table and its pictures; refused where an input cannot be what its cell says."""
    brief, kind = order.brief, rows.parts.templates.describe(order.brief.template)
    rows.parts.templates.brand(brief.brand)
    beside = {
        key: str(rows.beside / text) if kind.inputs[key].type == "image" and (rows.beside / text).is_file() else text
        for key, text in brief.set.items()
        if key in kind.inputs
    }
    brief = with_pictures(brief.model_copy(update={"set": {**brief.set, **beside}}), rows.parts)
    kind.inputs_from(brief.set)
    return brief.model_copy(update={"data": table_of(rows.beside / order.data)}) if order.data else brief


def _column(order: OrderRow, refusal: FactoryError) -> str:
    """Return the column that a refusal is about, as far as it can be told."""
    if refusal.code == "input-refused":
        return next((order.header(name) for name in order.brief.set if refusal.cause.startswith(f"{name} ")), "")
    if refusal.code == "unknown-template":
        return order.header("brand")
    if refusal.code.endswith("-subject"):
        return order.header("subject")
    return order.headers.get("data", "") if order.data else ""


def row_digest(brief: Brief, facts: Facts, parts: Parts) -> str:
    """Return the digest of all that a row's video is made from, but the library."""
    about = (
        brief.canonical_json(),
        facts,
        parts.templates.kind_digest(brief.template),
        parts.templates.brand(brief.brand),
    )
    return hashlib.sha256(repr(about).encode()).hexdigest()


# --- a row as a job --------------------------------------------------------------------------------------------------


def _job_of(brief: Brief, key: str, rows: Batch) -> tuple[str, bool]:
    """Return the job of this digest and whether its video is there already; a new one where there is none to use."""
    with rows.parts.sessions.write() as session:
        found = job_lookup.newest_of(session, key)
        if found is None:
            return jobs.submit(session, brief, key=key, by="batch", wishes=rows.wishes).job, False
        job = found[1]
        if job.state not in ENDED:
            return job.id, False
        if job.state in ("failed", "dead", "cancelled"):
            jobs.retry(session, job.id)
            return job.id, False
        here = job.outputs and all(rows.parts.files.has(o.digest) for o in job.outputs)  # a cleaning may forget them
        if job.state in GOOD and not rows.again and here:
            return job.id, True
        anew = f"{key}/{secrets.token_hex(4)}"
        return jobs.submit(session, brief, key=anew, by="batch", wishes=rows.wishes).job, False


def _hold(job: str, embargo: Embargo | None, parts: Parts) -> None:
    """Put the job under the embargo of its row: a video that is reused must not go out before that either."""
    if embargo is not None:
        with parts.sessions.write() as session:
            jobs.hold(session, job, embargo)


def _told(outcome: Outcome, job: Job, rows: Batch, *, new: bool) -> Outcome:
    """Copy the files of a finished job under the row's name and return what there is to tell."""
    record = made_record(renamed(job, outcome.output), rows.parts, rows.out)
    renders = [trace.get("render", {}) for trace in traces(job, rows.parts)] if new else []
    return replace(
        outcome,
        videos=tuple(made["video"] for made in record["outputs"]),
        frames=sum(made["frames"] for made in record["outputs"]),
        seconds=round(sum(made["seconds"] for made in record["outputs"]), 3),
        chunks_made=sum(render.get("chunks_made", 0) for render in renders),
        chunks_reused=sum(render.get("chunks_reused", 0) for render in renders),
        rows_refused=tuple(record["rows_refused"]),
    )


def renamed(job: Job, output: str) -> Job:
    """Return the job with its files called after the row: `row-0002-16x9.mp4`, `row-0002-16x9.trace.json`, ..."""

    def name(aspect: str, old: str) -> str:
        ending = _ENDING.search(old)
        return f"{output}-{aspect.replace(':', 'x')}{ending[0] if ending else ''}"

    return replace(job, outputs=tuple(replace(o, name=name(o.aspect, o.name)) for o in job.outputs))
