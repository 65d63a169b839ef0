"""What the library teaches a tagger: shots that the desk corrected, and shots to which it had no objection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.store.desk import DESK
from factory.store.schema import Asset, Correction, Shot, ShotTag, TagRow

MOST = 4000  # corrected shots, the newest


@dataclass(frozen=True, slots=True)
class TaughtShot:
    """[start, end) seconds of a clip, what the desk told of its tags, and the machine's tags that it let stand."""

    digest: str
    start: Fraction
    end: Fraction
    told: Mapping[str, bool] = field(default_factory=dict)
    standing: frozenset[str] = frozenset()


def corrected(session: Session) -> tuple[TaughtShot, ...]:
    """Return the shots that the desk corrected, by clip and time; where they are very many, the newest."""
    newest = (
        sa.select(Correction.shot_id)
        .group_by(Correction.shot_id)
        .order_by(sa.func.max(Correction.created_at).desc(), Correction.shot_id.desc())
        .limit(MOST)
        .subquery()
    )
    chosen = sa.select(newest.c.shot_id)
    told: defaultdict[int, dict[str, bool]] = defaultdict(dict)
    for word in session.execute(
        sa.select(Correction.shot_id, TagRow.name, Correction.present)
        .join(TagRow, TagRow.id == Correction.tag_id)
        .where(Correction.shot_id.in_(chosen))
    ):
        told[word.shot_id][word.name] = word.present
    standing: defaultdict[int, set[str]] = defaultdict(set)
    for posted in session.execute(
        sa.select(ShotTag.shot_id, TagRow.name)
        .join(TagRow, TagRow.id == ShotTag.tag_id)
        .where(ShotTag.shot_id.in_(chosen), ShotTag.source != DESK)
    ):
        standing[posted.shot_id].add(posted.name)
    rows = session.execute(_places().where(Shot.id.in_(chosen)))
    return tuple(TaughtShot(row.digest, row.start, row.end, told[row.id], frozenset(standing[row.id])) for row in rows)


def untouched(session: Session, clips: int) -> tuple[TaughtShot, ...]:
    """Return the first shot of so many clips in use of which the desk has corrected nothing, by digest: by chance, and
    the same ones next time."""
    touched = sa.select(Shot.asset_id).join(Correction, Correction.shot_id == Shot.id)
    chosen = (
        sa.select(Asset.id)
        .where(Asset.status == "added", Asset.id.not_in(touched))
        .order_by(Asset.digest)
        .limit(clips)
        .subquery()
    )
    rows = session.execute(_places().where(Shot.number == 0, Asset.id.in_(sa.select(chosen.c.id))))
    return tuple(TaughtShot(row.digest, row.start, row.end) for row in rows)


def _places() -> sa.Select[int, str, Fraction, Fraction]:
    found = sa.select(Shot.id, Asset.digest, Shot.start, Shot.end).join(Asset, Asset.id == Shot.asset_id)
    return found.order_by(Asset.digest, Shot.number)
