"""Verb 2: an order becomes a finished video: claim, plan to a saved timeline, render to files, finish."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from factory import packing, traces
from factory.logs import about
from factory.plan.brief import Aspect, Brief
from factory.plan.timeline import Timeline
from factory.plan.timeline_json import to_json
from factory.planning import PLANNED, Plan, plan
from factory.render import provenance
from factory.render.film import Film, render_film
from factory.render.music import write_music
from factory.rendering import means
from factory.spread import spread
from factory.store import jobs, lease, uses
from factory.store.files import safe_name
from factory.store.job import LEASE, Output, State
from factory.wiring import Parts

MOST_REPLANS = 5  # each one means that another job of the series was planned meanwhile


def produce(job: str, parts: Parts, *, lease_for: timedelta = LEASE) -> State | None:
    """Claim the job and make its video. Returns the state it is left in, or None where there was nothing to claim."""
    with about(job=job):
        return lease.work(parts.sessions, job, lambda holding: _make(holding, parts), lease=lease_for)


def _make(holding: lease.Holding, parts: Parts) -> lease.Made:
    brief = holding.claim.brief()
    signs = provenance.read_credentials(parts.settings.c2pa_cert, parts.settings.c2pa_key)
    planned, bodies = _saved_plan(brief, parts, holding)
    traces.note(assets=sorted({shot["asset"] for shot in planned.trace["shots"]}))
    films, seconds = dict[Aspect, Film](), dict[Aspect, float]()
    with parts.files.scratch() as work:
        for number, (aspect, timeline) in enumerate(planned.timelines.items()):
            turn = (number, len(bodies))
            out = work / f"{number}.mp4"
            began = time.monotonic()
            with traces.span("render", aspect=aspect):
                films[aspect] = film = _render(
                    timeline, out, aspect=aspect, brief=brief, parts=parts, holding=holding, turn=turn
                )
                if signs:
                    provenance.sign(film.video, timeline, signs)
            seconds[aspect] = time.monotonic() - began
        with traces.span("covers"):  # the last step that a cancel may stop
            outputs = packing.covers(brief, planned, work, parts, holding.stopped)
        with traces.span("package"):
            for aspect, film in films.items():
                timeline = planned.timelines[aspect]
                told = {**planned.trace, "render": _told(film)}
                beside = {"timeline": bodies[aspect], "trace": json.dumps(told, ensure_ascii=False, indent=1)}
                kept = _kept(parts, timeline, aspect, film, beside)
                _note(holding, f"render {aspect}", bodies[aspect], kept["video"].digest, seconds[aspect])
                outputs.extend(kept.values())
                outputs.extend(packing.sidecars(brief, planned, timeline, aspect, parts))
    facts = planned.facts
    own = brief.data is not None and not facts.ranking and not facts.prices  # cars of those tables are the catalogue's
    return lease.Made(outputs, tuple(planned.shots), facts.cars, cars_told=own)


def _saved_plan(brief: Brief, parts: Parts, holding: lease.Holding) -> tuple[Plan, dict[str, str]]:
    """Return the plan and its timelines, saved; it is made anew where another job of the series took a shot of it."""
    began = time.monotonic()
    planned = plan(brief, parts, holding)
    for _ in range(MOST_REPLANS):
        with contextlib.suppress(uses.ShotsTaken):
            bodies = _save(planned, parts, holding)
            break
        planned = plan(brief, parts, holding)
    else:
        bodies = _save(planned, parts, holding)
    made = hashlib.sha256("\n".join(bodies.values()).encode()).hexdigest()
    _note(holding, "plan", holding.claim.spec, made, time.monotonic() - began)
    return planned, bodies


def _save(planned: Plan, parts: Parts, holding: lease.Holding) -> dict[str, str]:
    """Save the timelines and take the shots that they show, in one step."""
    bodies: dict[str, str] = {aspect: to_json(timeline) for aspect, timeline in planned.timelines.items()}
    with parts.sessions.write() as session:
        jobs.save_timelines(session, holding.claim, bodies)
        uses.take(session, planned.issue, planned.shots)
        jobs.start_rendering(session, holding.claim)
    return bodies


def _note(holding: lease.Holding, step: str, given: str, made: str, seconds: float) -> None:
    """Note that a step is done: what it was given, the digest of what it made, and how long that took."""
    digest = hashlib.sha256(given.encode()).hexdigest()
    with holding.sessions.write() as session:
        jobs.save_step(session, holding.claim, step, input_digest=digest, output_digest=made, seconds=seconds)


def _render(
    timeline: Timeline,
    out: Path,
    *,
    aspect: Aspect,
    brief: Brief,
    parts: Parts,
    holding: lease.Holding,
    turn: tuple[int, int],
) -> Film:
    """Render one aspect. `turn` says which of how many it is, for one figure of progress over all."""
    number, of = turn

    def told(share: float, what: str) -> None:
        holding.report(PLANNED + (1 - PLANNED) * (number + share) / of, what)

    return render_film(
        timeline,
        **means(timeline, brief, parts),
        write_music=write_music,
        out=out,
        producer=parts.templates.brand(brief.brand).ai_label.producer or parts.settings.producer,
        sharing=spread(parts, holding.claim, aspect),
        on_progress=told,
        cancelled=holding.stopped,
    )


def _told(film: Film) -> dict[str, Any]:
    """Return what a person asks of a render: who encoded it, and how much of it was new."""
    return {
        "encoder": film.encoder,
        "frames": film.frames,
        "frames_copied": film.frames_copied,
        "chunks_made": film.chunks_made,
        "chunks_reused": film.chunks_reused,
        "chunks_helped": film.chunks_helped,
    }


def _kept(parts: Parts, timeline: Timeline, aspect: Aspect, film: Film, beside: Mapping[str, str]) -> dict[str, Output]:
    """Put a film and what stands beside it into the store, and return each by its role."""
    stem = safe_name(f"{timeline.title}-{aspect.replace(':', 'x')}")
    files = {"video": film.video, "poster": film.poster, "srt": film.srt, "vtt": film.vtt}
    outputs = dict[str, Output]()
    for role, path in files.items():
        if not path.stat().st_size:
            continue  # the SRT of a video in which nobody speaks
        kept = parts.files.adopt(path)
        name = f"{stem}{path.suffix}"
        outputs[role] = Output(aspect, role, kept.digest, name, kept.size, film.frames, film.fps)
    for role, text in beside.items():
        kept = parts.files.put_bytes(text.encode())
        outputs[role] = Output(aspect, role, kept.digest, f"{stem}.{role}.json", kept.size)
    return outputs
