"""The API of the page: find shots, order videos, watch them being made, play, approve and publish them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from factory.errors import FactoryError
from factory.find import find
from factory.plan.brief import Brief
from factory.plan.deadline import read_deadline
from factory.plan.embargo import read_embargo
from factory.plan.tables import read_table
from factory.store import job_lookup, jobs
from factory.store.columns import utc_now
from factory.store.job import A_PERSONS, ENDED, PRIORITIES, Job, State, UnknownJob, Wishes
from factory.store.watch import stalled
from factory.web.errors import UnknownOutput
from factory.web.shown import MEDIA_TYPES, shown_job
from factory.web.thumbs import Thumbs
from factory.wiring import Parts

LOOK_EVERY = 0.5  # seconds between two looks at the ledger for whoever watches
MOST_JOBS = 50
Verb = Literal["cancel", "approve", "publish", "withdraw", "retry"]
VERBS: Mapping[Verb, Callable[[Session, str], State]] = {
    "cancel": jobs.cancel,
    "approve": jobs.approve,
    "publish": jobs.publish,
    "withdraw": jobs.withdraw,
    "retry": jobs.retry,
}
KEPT = {"Cache-Control": "private, max-age=3600"}  # the picture of a shot does not change
ShotId = Annotated[int, Path(ge=1, lt=2**31)]
JobId = Annotated[str, Path(max_length=64)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]

router = APIRouter()


class Order(Brief):
    """A brief, until when its videos are not published (`2026-12-01T09:00 Asia/Shanghai`), its priority (9 is taken
    first), and when it is too late to begin."""

    embargo: str = Field(default="", max_length=100)
    priority: int = Field(default=A_PERSONS, ge=min(PRIORITIES), le=max(PRIORITIES))
    deadline: str = Field(default="", max_length=100)


def the_parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


House = Annotated[Parts, Depends(the_parts)]


def the_job(job: JobId, parts: House) -> Job:
    """Return the job of the address, or answer 404."""
    with parts.sessions.read() as session:
        return _get(session, job)


Known = Annotated[Job, Depends(the_job)]


def _get(session: Session, job: str) -> Job:
    if not re.fullmatch(r"[0-9a-f]{4,16}", job):
        raise UnknownJob(f"there is no job {job[:64]!r}", next_step="list the jobs with GET /api/jobs")
    return job_lookup.get(session, job)


# --- the library -----------------------------------------------------------------------------------------------------


@router.get("/api/find")
def find_shots(
    parts: House, q: Annotated[str, Query()] = "", limit: Annotated[int, Query(ge=1, le=200)] = 24
) -> dict[str, Any]:
    """Return the shots that match a query, best first."""
    return dict(find(parts, q, limit))


@router.get("/api/shots/{shot}/thumb", response_class=FileResponse)
def thumb(request: Request, shot: ShotId) -> FileResponse:
    """Return a JPEG of the middle of a shot."""
    thumbs: Thumbs = request.app.state.thumbs
    return FileResponse(thumbs.middle(shot), media_type="image/jpeg", headers=KEPT)


@router.get("/api/shots/{shot}/strip", response_class=FileResponse)
def strip(request: Request, shot: ShotId) -> FileResponse:
    """Return a JPEG of moments of a shot side by side, to look through it."""
    thumbs: Thumbs = request.app.state.thumbs
    return FileResponse(thumbs.strip(shot), media_type="image/jpeg", headers=KEPT)


@router.get("/api/tags")
def tags(parts: House) -> dict[str, dict[str, str]]:
    """Return the names of every tag: `{"mud": {"facet": "terrain", "zh": "泥地", "en": "mud"}}`."""
    return {label.name: {"facet": label.facet, "zh": label.zh, "en": label.en} for label in parts.taxonomy}


@router.get("/api/templates")
def templates(parts: House) -> dict[str, Any]:
    """Return what can be ordered: templates with their inputs, brands, and templates that cannot be read, with why."""
    kinds, unusable = [], []
    for name in parts.templates.names():
        try:
            kinds.append(parts.templates.describe(name).model_dump(mode="json"))
        except FactoryError as error:
            unusable.append({"name": name, "code": error.code, "cause": error.cause, "next_step": error.next_step})
    return {"templates": kinds, "brands": list(parts.templates.brands()), "unusable": unusable}


# --- ordering --------------------------------------------------------------------------------------------------------


@router.post("/api/tables")
def table(
    data: Annotated[bytes, Body(media_type="text/csv")], name: Annotated[str, Query(min_length=1, max_length=255)]
) -> dict[str, Any]:
    """Read a CSV as it was saved, in whichever encoding, and return it as the `data` of a brief."""
    return read_table(data, name).model_dump(mode="json")


@router.post("/api/jobs", status_code=202)
def submit(parts: House, order: Order, key: Key = None) -> dict[str, Any]:
    """Order videos. What can be refused at once is refused here; the same Idempotency-Key gives the same job."""
    until = read_embargo(order.embargo) if order.embargo else None
    late = read_deadline(order.deadline, utc_now()) if order.deadline else None
    brief = Brief(**order.model_dump(exclude={"embargo", "priority", "deadline"}))
    parts.templates.describe(brief.template).inputs_from(brief.set)
    parts.templates.brand(brief.brand)
    with parts.sessions.write() as session:
        wishes = Wishes(order.priority, late)
        submitted = jobs.submit(session, brief, key=key, by="web", embargo=until, wishes=wishes)
        state = job_lookup.get(session, submitted.job).state
    return {"job": submitted.job, "state": state, "new": submitted.new}


@router.get("/api/jobs")
def list_jobs(
    parts: House,
    state: Annotated[list[State] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = MOST_JOBS,
) -> dict[str, Any]:
    """Return jobs, the newest first."""
    with parts.sessions.read() as session:
        return {"jobs": _shown(session, parts, job_lookup.list_jobs(session, states=state or (), limit=limit))}


@router.get("/api/jobs/events", response_class=EventSourceResponse)
async def watch_all(parts: House) -> AsyncIterator[ServerSentEvent]:
    """Tell of the newest jobs, oldest first, and again of each that changes. It ends when the listener goes."""
    told: dict[str, dict[str, Any]] = {}
    while True:
        now = {shown["job"]: shown for shown in (await run_in_threadpool(list_jobs, parts))["jobs"]}
        for job, shown in reversed(now.items()):
            if told.get(job) != shown:
                yield ServerSentEvent(event="job", data=shown)
        told = now
        await asyncio.sleep(2 * LOOK_EVERY)


@router.get("/api/jobs/{job}")
def one_job(parts: House, job: JobId) -> dict[str, Any]:
    """Return where a job stands."""
    with parts.sessions.read() as session:
        return _shown(session, parts, [_get(session, job)])[0]


@router.get("/api/jobs/{job}/events", response_class=EventSourceResponse)
async def watch(parts: House, known: Known) -> AsyncIterator[ServerSentEvent]:
    """Tell of a job each time it changes, until it waits for a person or has ended."""
    told = None
    while True:
        shown = await run_in_threadpool(one_job, parts, known.id)
        if shown != told:
            yield ServerSentEvent(event="job", data=shown)
        if shown["state"] in ENDED:
            return
        told = shown
        await asyncio.sleep(LOOK_EVERY)


def _shown(session: Session, parts: Parts, found: Sequence[Job]) -> list[dict[str, Any]]:
    """Return what is told of jobs, with those that stand still marked."""
    after = timedelta(seconds=parts.settings.stalled_after)
    stalls = {stall.job: stall.why for stall in stalled(session, after=after, among=[job.id for job in found])}
    return [shown_job(job, stalls.get(job.id)) for job in found]


@router.post("/api/jobs/{job}/{verb}")
def move(parts: House, job: JobId, verb: Verb) -> dict[str, Any]:
    """Cancel, approve, publish, withdraw or retry a job. One that is worked on is asked to stop and says so itself."""
    with parts.sessions.write() as session:
        found = _get(session, job)
        state = VERBS[verb](session, found.id)
    return {"job": found.id, "state": state}


# --- playing ---------------------------------------------------------------------------------------------------------


@router.get("/media/{job}/{aspect}/{role}", response_class=FileResponse)
def media(
    parts: House, known: Known, aspect: Annotated[str, Path()], role: Annotated[str, Path()], download: bool = False
) -> FileResponse:
    """Return one file of a job by what it is, never by a path; ranges of bytes are honoured."""
    output = next((o for o in known.outputs if (o.aspect, o.role) == (aspect, role) and role in MEDIA_TYPES), None)
    if output is None:
        raise UnknownOutput(
            f"job {known.id} has no {role[:32]!r} in {aspect[:8]!r}",
            next_step=f"look at the outputs of GET /api/jobs/{known.id}",
        )
    return FileResponse(
        parts.files.path(output.digest),
        media_type=MEDIA_TYPES[role],
        filename=output.name.rpartition("/")[2],
        content_disposition_type="attachment" if download else "inline",
    )
