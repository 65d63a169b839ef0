"""Which tagger speaks: the ones that were trained here and the shipped one, listed, promoted and rolled back."""

from __future__ import annotations

from typing import Any

from factory.errors import FactoryError
from factory.store import models
from factory.wiring import Parts, intact


class CheckpointMissing(FactoryError):
    code = "checkpoint-missing"


def promote(parts: Parts, name: str) -> str | None:
    """Let a checkpoint speak, by its digest or its beginning, or `shipped`; return its digest, None for the shipped
    one. Raises UnknownCheckpoint, CheckpointMissing."""
    with parts.sessions.write() as session:
        digest = models.promote(session, name, "a person promoted it")
        if digest and not intact(parts.files.checkpoint(digest), digest):
            raise CheckpointMissing(
                f"the file of {digest[:12]} is missing or damaged in {parts.trained}",
                next_step="restore it from its backup, or train again",
            )
    return digest


def roll_back(parts: Parts) -> str | None:
    """Take the last promotion back; return who speaks now, None for the shipped tagger. Raises NothingToRollBack."""
    with parts.sessions.write() as session:
        return models.roll_back(session)


def listed(parts: Parts) -> list[dict[str, Any]]:
    """Return every tagger that was trained here, newest first, and the shipped one, as plain data."""
    with parts.sessions.read() as session:
        rows, speaks = models.kept(session), models.present(session)
    shipped = {"checkpoint": models.SHIPPED, "state": "retired" if speaks else "present"}
    return [*map(_record, rows), shipped]


def _record(row: models.Kept) -> dict[str, Any]:
    return {
        "checkpoint": row.digest,
        "state": row.state,
        "made_at": row.made_at.isoformat(),
        "promoted_at": row.promoted_at.isoformat() if row.promoted_at else None,
        "began_with": row.began_with or models.SHIPPED,
        "trained_on": dict(row.trained_on),
        "scores": dict(row.scores),
    }


def told(digest: str | None) -> str:
    """Say who speaks, None for the shipped tagger."""
    return f"{digest[:12]} speaks" if digest else "the shipped tagger speaks"
