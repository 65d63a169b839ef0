"""What the review queue asks the index: the postings nearest their thresholds, shots without a scene, the desk's word.

Each answer is bounded, whatever the library holds: so many postings a tag by the key (tag, confidence), one shot a
clip, the newest corrections. A near miss below its threshold stands nowhere in the index; a shot whose scene was missed
shows as one without a scene.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from factory.store.desk import DESK
from factory.store.schema import Asset, Correction, Shot, ShotTag, ShotVector, TagRow

LOOKED_AT = 200  # postings a tag, lowest confidence first
A_TAG = 40  # of these are kept
A_CLIP = 3  # of these from one clip
SCENELESS = 400  # clips with a shot that has no scene
CORRECTIONS = 1000
AT_ONCE = 500  # ids in one statement
DARK = 0.02  # mean brightness below which a shot shows nothing


@dataclass(frozen=True, slots=True)
class Place:
    """Where a shot lies, for a person who wants to look at it; seconds from the file's start, half-open."""

    asset: str
    path: str
    start: Fraction
    end: Fraction


def least_sure(session: Session) -> set[int]:
    """Return the shots of the least sure postings of every tag, a few of one clip."""
    found: set[int] = set()
    for tag in session.scalars(sa.select(TagRow.id)):
        rows = session.execute(
            sa.select(ShotTag.shot_id, Shot.asset_id)
            .join(Shot, Shot.id == ShotTag.shot_id)
            .join(Asset, Asset.id == Shot.asset_id)
            .where(ShotTag.tag_id == tag, ShotTag.source != DESK, Asset.status == "added")
            .order_by(ShotTag.confidence)
            .limit(LOOKED_AT)
        )
        clips, kept = Counter[int](), list[int]()
        for row in rows:
            clips[row.asset_id] += 1
            kept += [row.shot_id] if clips[row.asset_id] <= A_CLIP else []
        found.update(kept[:A_TAG])
    return found


def without_any(session: Session, tags: Collection[str]) -> set[int]:
    """Return shots that carry none of the tags: the best picture of each clip, of the clips with the best ones."""
    carries = (
        sa.select(ShotTag.shot_id)
        .join(TagRow, TagRow.id == ShotTag.tag_id)
        .where(ShotTag.shot_id == Shot.id, TagRow.name.in_(tags))
    )
    place = sa.func.row_number().over(partition_by=Shot.asset_id, order_by=(Shot.quality.desc(), Shot.id))
    bare = (
        sa.select(Shot.id, Shot.quality, place.label("place"))
        .join(Asset, Asset.id == Shot.asset_id)
        .where(Asset.status == "added", Shot.luma >= DARK, ~carries.exists())
        .subquery()
    )
    best = sa.select(bare.c.id).where(bare.c.place == 1).order_by(bare.c.quality.desc(), bare.c.id).limit(SCENELESS)
    return set(session.scalars(best))


def carriers(session: Session) -> tuple[Mapping[str, int], int]:
    """Return how many shots carry each tag, and how many shots there are."""
    counts = sa.select(ShotTag.tag_id, sa.func.count().label("shots")).group_by(ShotTag.tag_id).subquery()
    rows = session.execute(sa.select(TagRow.name, counts.c.shots).join(counts, counts.c.tag_id == TagRow.id))
    return {row.name: row.shots for row in rows}, session.scalar(sa.select(sa.func.count(Shot.id))) or 0


def corrections(session: Session) -> list[tuple[int, str, bool]]:
    """Return the newest corrections: shot, tag, whether it is there."""
    rows = session.execute(
        sa.select(Correction.shot_id, TagRow.name, Correction.present)
        .join(TagRow, TagRow.id == Correction.tag_id)
        .order_by(Correction.created_at.desc(), Correction.shot_id, Correction.tag_id)
        .limit(CORRECTIONS)
    )
    return [(row.shot_id, row.name, row.present) for row in rows]


def said(session: Session, shots: Iterable[int]) -> dict[int, dict[str, float]]:
    """Return what the machine says of each shot."""
    found: dict[int, dict[str, float]] = {}
    for ids in _few(shots):
        rows = session.execute(
            sa.select(ShotTag.shot_id, TagRow.name, ShotTag.confidence)
            .join(TagRow, TagRow.id == ShotTag.tag_id)
            .where(ShotTag.shot_id.in_(ids), ShotTag.source != DESK)
            .order_by(ShotTag.shot_id, TagRow.name)
        )
        for row in rows:
            found.setdefault(row.shot_id, {})[row.name] = row.confidence
    return found


def settled(session: Session, shots: Iterable[int]) -> dict[int, dict[str, bool]]:
    """Return what the desk says of each shot."""
    found: dict[int, dict[str, bool]] = {}
    for ids in _few(shots):
        rows = session.execute(
            sa.select(Correction.shot_id, TagRow.name, Correction.present)
            .join(TagRow, TagRow.id == Correction.tag_id)
            .where(Correction.shot_id.in_(ids))
        )
        for row in rows:
            found.setdefault(row.shot_id, {})[row.name] = row.present
    return found


def vectors(session: Session, shots: Iterable[int]) -> dict[int, NDArray[np.float32]]:
    """Return the embedding of each shot, (D,) unit length."""
    found: dict[int, NDArray[np.float32]] = {}
    for ids in _few(shots):
        rows = session.execute(sa.select(ShotVector.shot_id, ShotVector.vector).where(ShotVector.shot_id.in_(ids)))
        found |= {row.shot_id: np.frombuffer(row.vector, dtype="<f2").astype(np.float32) for row in rows}
    return found


def places(session: Session, shots: Iterable[int]) -> dict[int, Place]:
    """Return where each shot lies."""
    found: dict[int, Place] = {}
    for ids in _few(shots):
        rows = session.execute(
            sa.select(Shot.id, Asset.digest, Asset.original, Shot.start, Shot.end)
            .join(Asset, Asset.id == Shot.asset_id)
            .where(Shot.id.in_(ids))
        )
        found |= {row.id: Place(row.digest, row.original, row.start, row.end) for row in rows}
    return found


def _few(shots: Iterable[int]) -> Iterator[Sequence[int]]:
    ordered = sorted(set(shots))
    return (ordered[at : at + AT_ONCE] for at in range(0, len(ordered), AT_ONCE))
