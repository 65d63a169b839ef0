"""Jobs as lines: once, or again and again while they change."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from factory import orders
from factory.cli.console import print_json, print_line
from factory.store import job_lookup, watch
from factory.store.job import Job
from factory.store.watch import Stalled
from factory.wiring import Parts

LOOK_EVERY = 2.0  # seconds
CLEAR = "\x1b[H\x1b[2J"  # a terminal's own: to the corner, and wipe


def show_jobs(house: Parts, limit: int, *, as_json: bool) -> None:
    """Print jobs, the newest first, with those that stand still marked."""
    found, stalls = _look(house, limit)
    if as_json:
        print_json([_record(job, stalls) for job in found])
        return
    for job in found:
        print_line(_line(job, stalls))


def watch_jobs(house: Parts, limit: int, *, as_json: bool, turns: int | None = None) -> None:
    """Go on telling until Ctrl-C: on a terminal the list, drawn anew; elsewhere each job when it changes."""
    told: dict[str, str] = {}
    for _ in _turns(turns):
        found, stalls = _look(house, limit)
        if sys.stdout.isatty() and not as_json:
            print_line(CLEAR + "\n".join(_line(job, stalls) for job in found))
            continue
        lines = {job.id: _as_text(job, stalls, as_json=as_json) for job in reversed(found)}
        for job, line in lines.items():
            if told.get(job) != line:
                print_line(line)
        told = lines


def _turns(turns: int | None) -> Iterator[None]:
    try:
        while turns is None or turns > 0:
            yield
            turns = None if turns is None else turns - 1
            if turns != 0:
                time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        return


def _look(house: Parts, limit: int) -> tuple[tuple[Job, ...], Mapping[str, Stalled]]:
    with house.sessions.read() as session:
        stalls = watch.stalled(session, after=timedelta(seconds=house.settings.stalled_after))
        return job_lookup.list_jobs(session, limit=limit), {stall.job: stall for stall in stalls}


def _as_text(job: Job, stalls: Mapping[str, Stalled], *, as_json: bool) -> str:
    return json.dumps(_record(job, stalls), ensure_ascii=True) if as_json else _line(job, stalls)


def _record(job: Job, stalls: Mapping[str, Stalled]) -> dict[str, Any]:
    stall = stalls.get(job.id)
    return orders.job_record(job) | {"stalled": None if stall is None else stall.why}


def _line(job: Job, stalls: Mapping[str, Stalled]) -> str:
    stall, why = stalls.get(job.id), job.error_text or ""
    if job.embargo and job.state in ("review", "approved"):
        why = f"until {job.embargo.told()}, by the {job.embargo.of}"
    if job.state == "done":
        why = job.step
    why = f"{orders.told_wishes(job)}  {why}".strip()
    if stall is not None:
        why = f"STALLED {stall.why} since {stall.since:%H:%M:%SZ}  {why}".rstrip()
    when = f"{job.created_at:%Y-%m-%d %H:%M}"
    return f"{job.id}  {job.state:<10} {job.progress:4.0%}  {job.title:<22} {when}  {why}"
