"""A job as the page and scripts see it: plain JSON values, and addresses in place of files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from factory.store.job import Job, Output
from factory.store.watch import Why

MEDIA_TYPES: Mapping[str, str] = {  # role of an output -> what its file is
    "video": "video/mp4",
    "poster": "image/jpeg",
    "cover": "image/jpeg",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "timeline": "application/json",
    "trace": "application/json",
    "package": "application/json",
    "credits": "application/json",
    "credits-text": "text/plain",
}
ORDERED = ("template", "subject", "locale", "seconds", "brand", "aspects", "draft", "codec", "series")


def shown_job(job: Job, stalled: Why | None = None) -> dict[str, Any]:
    """Return what is told of a job, and why it stands still, if it does. Its table is named and not repeated: it may
    have 50 000 rows."""
    spec = json.loads(job.spec)
    return {
        "job": job.id,
        "kind": job.kind,
        "state": job.state,
        "progress": round(job.progress, 4),
        "step": job.step,
        "attempt": job.attempt,
        "cancel_asked": job.cancel_asked,
        "stalled": stalled,
        "order": {key: spec.get(key) for key in ORDERED} | {"table": (spec.get("data") or {}).get("name")},
        "title": job.title,
        "error": _error(job),
        "embargo": {"until": str(job.embargo), "of": job.embargo.of} if job.embargo else None,
        "queue": job.queue,
        "priority": job.priority,
        "deadline": _iso(job.deadline),
        "created_at": _iso(job.created_at),
        "started_at": _iso(job.started_at),
        "ended_at": _iso(job.ended_at),
        "outputs": [_output(job.id, output) for output in job.outputs],
    }


def _error(job: Job) -> dict[str, str] | None:
    if job.error_code is None:
        return None
    return {"code": job.error_code, "cause": job.error_text or "", "next_step": job.next_step or ""}


def _output(job: str, output: Output) -> dict[str, Any]:
    seconds = None if output.frames is None or not output.fps else float(output.frames / output.fps)
    return {
        "aspect": output.aspect,
        "role": output.role,
        "name": output.name,
        "bytes": output.bytes,
        "frames": output.frames,
        "fps": None if output.fps is None else str(output.fps),
        "seconds": seconds,
        "url": f"/media/{job}/{output.aspect}/{output.role}" if output.role in MEDIA_TYPES else None,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
