"""Why each shot was chosen, as plain JSON: kept beside the video, so that every placed shot can be answered for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from factory.plan.scoring import Families, hits, speed_for
from factory.plan.selection import Choice
from factory.plan.storyboard import ClipPart, Storyboard

VERSION = 1


def trace(choices: Sequence[Choice], storyboard: Storyboard, *, families: Families | None = None) -> dict[str, Any]:
    """Return the trace of a video: one record per placed shot, and the optional scenes that were left out.

    `in` and `out` are seconds from the file's start, half-open.
    """
    placed = {choice.slot.scene for choice in choices}
    return {
        "version": VERSION,
        "template": storyboard.template,
        "title": storyboard.title,
        "shots": [_record(choice, families) for choice in choices],
        "omitted": [
            {"scene": scene.id, "why": "optional, and the library has nothing left for it"}
            for scene in storyboard.scenes
            if scene.optional and scene.id not in placed and any(isinstance(part, ClipPart) for part in scene.layers)
        ],
    }


def _record(choice: Choice, families: Families | None) -> dict[str, Any]:
    slot, candidate = choice.slot, choice.candidate
    speed = speed_for(slot, candidate) or 1
    start = candidate.start + choice.offset
    return {
        "scene": slot.scene,
        "slot": slot.id,
        "query": slot.query_text,
        "cooldown_days": slot.pick.cooldown_days,
        "shot": candidate.shot,
        "asset": candidate.asset,
        "title": candidate.title,
        "in": round(float(start), 6),
        "out": round(float(start + slot.seconds * speed), 6),
        "speed": round(float(speed), 6),
        "tags": [
            {"tag": tag.tag, "confidence": round(tag.confidence, 4), "modality": tag.modality}
            for tag in hits(slot.query, candidate, families)
        ],
        "score": round(choice.score, 6),
        "by_modality": _by_modality(choice),
        "reasons": [
            {"points": round(reason.points, 4), "modality": reason.modality, "why": reason.why}
            for reason in choice.reasons
        ],
        "next_best": [{"shot": shot, "score": round(score, 6)} for shot, score in choice.next_best],
        "model": candidate.model_version,
        "rights": candidate.rights,
        "credit": candidate.credit,
        "licence": candidate.licence,
    }


def _by_modality(choice: Choice) -> dict[str, float]:
    points: defaultdict[str, float] = defaultdict(float)
    for reason in choice.reasons:
        points[reason.modality] += reason.points
    return {modality: round(total, 4) for modality, total in sorted(points.items())}
