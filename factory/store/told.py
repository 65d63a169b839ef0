"""What is told of shots beside their tags: the words of their clip and their own, each by where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.store.schema import Asset, Shot


@dataclass(frozen=True, slots=True)
class Told:
    """Words and warnings of a shot. `title`, `file_name` and `warnings` are of its whole clip."""

    file_name: str
    title: str
    burnt_in: str
    speech: str
    warnings: tuple[str, ...]


def told_of(session: Session, shots: Sequence[int]) -> dict[int, Told]:
    """Return what is told of each of these shots that exists."""
    rows = session.execute(
        sa.select(Shot.id, Asset.file_name, Asset.title, Shot.burnt_in, Shot.speech, Asset.warnings)
        .join(Asset, Asset.id == Shot.asset_id)
        .where(Shot.id.in_(shots))
    )
    return {row.id: Told(row.file_name, row.title, row.burnt_in, row.speech, tuple(row.warnings)) for row in rows}
