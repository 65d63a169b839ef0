"""Ask the index, in the one query grammar, and answer as plain data."""

from __future__ import annotations

import time
from typing import Any

from factory.plan.query import cars_of, parse_query
from factory.plan.selection import Candidate
from factory.store import assets, catalog
from factory.wiring import Parts

MOST = 1000  # shots of one answer


def find(parts: Parts, text: str, limit: int = 20) -> dict[str, Any]:
    """Return `total, took_ms, shots`, best first. Times are seconds from the file's start, half-open."""
    began = time.perf_counter()
    query = parse_query(text, parts.taxonomy.resolve)
    with parts.sessions.read() as session:
        for car in cars_of(query):
            catalog.require_car(session, car)
        found = assets.find_shots(session, query, limit=max(1, min(limit, MOST)))
        paths = assets.paths_as_given(session, {shot.asset for shot in found.shots})
    shots = [_record(shot, score, paths) for shot, score in zip(found.shots, found.scores, strict=True)]
    return {"total": found.total, "took_ms": round(1000 * (time.perf_counter() - began), 3), "shots": shots}


def _record(shot: Candidate, score: float, paths: dict[str, str]) -> dict[str, Any]:
    return {
        "shot": shot.shot,
        "asset": shot.asset,
        "path": paths.get(shot.asset, ""),
        "start": round(float(shot.start), 6),
        "end": round(float(shot.end), 6),
        "score": round(score, 6),
        "tags": [
            {"tag": tag.tag, "confidence": round(tag.confidence, 4), "modality": tag.modality} for tag in shot.tags
        ],
    }
