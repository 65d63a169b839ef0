"""The figures of the house for Prometheus, in its text format 0.0.4. Every label is one of a fixed few."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from factory.store import places, watch
from factory.store.watch import BOUNDS, Durations
from factory.web.api import House
from factory.wiring import Parts

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

router = APIRouter()


@router.get("/metrics", response_class=PlainTextResponse, include_in_schema=False)
def metrics(parts: House) -> PlainTextResponse:
    """Return what the ledger and the disk say now."""
    return PlainTextResponse("".join(f"{line}\n" for line in _lines(parts)), media_type=MEDIA_TYPE)


def _lines(parts: Parts) -> Iterator[str]:
    with parts.sessions.read() as session:
        depths = watch.depths(session)
        stalls = watch.stalled(session, after=timedelta(seconds=parts.settings.stalled_after))
        attempts, jobs, steps = watch.attempts(session), watch.job_durations(session), watch.step_durations(session)
        queues = places.depths(session)
        notices, slots = watch.notice_counts(session), watch.slot_counts(session)
    disk = shutil.disk_usage(parts.settings.home)
    yield from _family("jobs", "gauge", "jobs in each state", "state", {s: d.jobs for s, d in depths.items()})
    ages = {state: depths[state].oldest for state in ("queued", "planning", "rendering", "review")}
    yield from _family("oldest_job_age_seconds", "gauge", "since the oldest was ordered", "state", ages)
    standing = {why: sum(stall.why == why for stall in stalls) for why in ("no-beat", "no-worker", "waits")}
    yield from _family("stalled_jobs", "gauge", "jobs that stand still, and why", "why", standing)
    yield from _family(
        "queue_waiting", "gauge", "jobs that wait in each queue", "queue", {q.name: q.waiting for q in queues}
    )
    yield from _family(
        "queue_running", "gauge", "jobs that are worked on", "queue", {q.name: q.running for q in queues}
    )
    yield from _family("attempts_total", "counter", "attempts that were begun", "", {"": attempts})
    yield from _histogram("job_duration_seconds", "from the first claim to the end", jobs)
    yield from _histogram("step_duration_seconds", "of steps that were done", steps)
    yield from _family("notices", "gauge", "notices that wait, were sent, were given up", "state", notices)
    yield from _family("schedule_slots", "gauge", "due moments and what became of them", "state", slots)
    space = {"free": disk.free, "total": disk.total}
    yield from _family("disk_bytes", "gauge", "of the disk that FACTORY_HOME lies on", "kind", space)


def _family(name: str, kind: str, text: str, label: str, values: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP autoreel_{name} {text}"
    yield f"# TYPE autoreel_{name} {kind}"
    for value, figure in values.items():
        where = f'{{{label}="{value}"}}' if label else ""
        yield f"autoreel_{name}{where} {figure:.17g}"


def _histogram(name: str, text: str, told: Durations) -> Iterator[str]:
    yield f"# HELP autoreel_{name} {text}"
    yield f"# TYPE autoreel_{name} histogram"
    for bound, count in zip(BOUNDS, told.at_most, strict=True):
        yield f'autoreel_{name}_bucket{{le="{bound:g}"}} {count}'
    yield f'autoreel_{name}_bucket{{le="+Inf"}} {told.count}'
    yield f"autoreel_{name}_sum {told.total:.17g}"
    yield f"autoreel_{name}_count {told.count}"
