"""An editor's look at the library: which shots to look at next, because their label would teach the tagger most, and
the word that settles a tag."""

from __future__ import annotations

from typing import Any

from factory.errors import FactoryError
from factory.store import assets, desk, review
from factory.wiring import Parts
from understanding.labels import COARSE
from understanding.learning.active import Asked, Library, Seen, Settled, review_queue

MOST = 200  # shots of one queue


class NoCorrection(FactoryError):
    code = "no-correction"


def queue(parts: Parts, limit: int = 20) -> list[dict[str, Any]]:
    """Return shots to look at, the most telling first, each with the tags in question and why.

    It asks the index alone: no file is read. Only tags that were said have a confidence there, so that a near miss is
    asked about where the shot has no scene at all, or where the desk saw the tag on an alike shot.
    """
    scenes = frozenset(parts.taxonomy.facet(COARSE))
    with parts.sessions.read() as session:
        counts, shots = review.carriers(session)
        words = review.corrections(session)
        ids = review.least_sure(session) | review.without_any(session, scenes)
        vectors = review.vectors(session, ids | {shot for shot, _, _ in words})
        said, settled = review.said(session, ids), review.settled(session, ids)
        places = review.places(session, ids)
    library = Library(
        thresholds={tag: parts.calibration.threshold(tag) for tag in parts.taxonomy.tags},
        excluded={tag: parts.taxonomy.excluded(tag) for tag in parts.taxonomy.tags},
        scenes=scenes,
        carriers=counts,
        shots=shots,
        desk=[Settled(tag, present, vectors[shot]) for shot, tag, present in words],
    )
    pool = [
        Seen(shot, places[shot].asset, _still(parts, said.get(shot, {})), settled.get(shot, {}), vectors[shot])
        for shot in sorted(ids)
    ]
    asked = review_queue(pool, library, max(1, min(limit, MOST)))
    return [_record(one, places[one.shot]) for one in asked]


def correct(parts: Parts, shot: int, name: str, *, present: bool, author: str = "", note: str = "") -> str:
    """Settle a tag of a shot, by any of its names, and tell it. Raises UnknownShot, UnknownTag."""
    tag = _tag(parts, name)
    with parts.sessions.write() as session:
        assets.save_taxonomy(session, parts.taxonomy)  # a tag may be younger than the last clip
        desk.correct(session, shot, tag, present=present, author=author, note=note)
    return f"shot {shot} {'shows' if present else 'does not show'} {tag}"


def take_back(parts: Parts, shot: int, name: str) -> str:
    """Withdraw a correction and tell it. Raises NoCorrection, UnknownTag."""
    tag = _tag(parts, name)
    with parts.sessions.write() as session:
        assets.save_taxonomy(session, parts.taxonomy)
        if not desk.take_back(session, shot, tag):
            raise NoCorrection(
                f"the desk has said nothing of {tag} on shot {shot}",
                next_step="name a shot and a tag that were corrected",
            )
    return f"shot {shot}: the machine's word on {tag} stands again"


def _tag(parts: Parts, name: str) -> str:
    tag = parts.taxonomy.resolve(name)
    if tag is None:
        near = ", ".join(parts.taxonomy.nearest(name)) or "a name of the taxonomy"
        raise desk.UnknownTag(f"there is no tag {name!r}", next_step=f"did you mean {near}?")
    return tag


def _still(parts: Parts, said: dict[str, float]) -> dict[str, float]:
    """The tags that the taxonomy still has: the others can be taught no more."""
    return {tag: confidence for tag, confidence in said.items() if tag in parts.taxonomy}


def _record(asked: Asked, place: review.Place) -> dict[str, Any]:
    return {
        "shot": asked.shot,
        "asset": place.asset,
        "path": place.path,
        "start": round(float(place.start), 6),
        "end": round(float(place.end), 6),
        "worth": asked.worth,
        "questions": [
            {"tag": one.tag, "confidence": _rounded(one.confidence), "worth": one.worth, "why": list(one.why)}
            for one in asked.questions
        ],
    }


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 4)
