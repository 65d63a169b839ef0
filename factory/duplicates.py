"""Which shots of the library show the same moments, as plain data."""

from __future__ import annotations

from typing import Any

from factory.store import twins
from factory.wiring import Parts


def duplicates(parts: Parts) -> list[dict[str, Any]]:
    """Return groups of near-duplicates, each `shots` (seconds of the file, half-open) and the `pairs` that say why."""
    with parts.sessions.read() as session:
        found = twins.groups(session)
    return [
        {"shots": [_shot(shot) for shot in group.shots], "pairs": [_pair(pair) for pair in group.pairs]}
        for group in found
    ]


def _shot(shot: twins.Member) -> dict[str, Any]:
    return {
        "shot": shot.shot,
        "asset": shot.asset,
        "path": shot.path,
        "start": round(float(shot.start), 6),
        "end": round(float(shot.end), 6),
    }


def _pair(pair: twins.Twin) -> dict[str, Any]:
    return {
        "shots": [pair.shot, pair.twin],
        "likeness": pair.likeness,
        "seconds": float(pair.seconds),
        "shift": float(pair.shift),
        "mirrored": pair.mirrored,
        "why": why(pair),
    }


def why(pair: twins.Twin) -> str:
    """Say in words what makes two shots the same."""
    began = (
        f", {abs(float(pair.shift)):g} s {'later' if pair.shift < 0 else 'earlier'} in the second" if pair.shift else ""
    )
    mirrored = ", mirrored" if pair.mirrored else ""
    return f"what moves is alike by {pair.likeness:.2f} for {float(pair.seconds):g} s{began}{mirrored}"
