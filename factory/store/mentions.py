"""Which shots name which cars, kept in step with the words of the shots and the names of the catalogue.

Only `shot_mention` is written here. A clip's words are matched when it is added or tagged anew, all of them when cars
are loaded; both in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.plan.facts import Car
from factory.store.car_names import CarNames
from factory.store.schema import CarRow, Shot, ShotMention
from factory.store.told import Told, told_of
from understanding.names import file_words

CONFIDENCE: Final = {"screen": 0.8, "speech": 0.7, "title": 0.6}  # a title speaks of the clip, not of each of its shots
SLIP: Final = 0.75  # what is left of it where a letter was wrong
AT_ONCE: Final = 500  # shots whose words are held in memory


def note_mentions(session: Session, cars: Iterable[Car], shots: Sequence[int] | None = None) -> int:
    """Write anew which of `cars`, the whole catalogue, these shots name (all shots if left out); say how many times."""
    names = CarNames(cars)
    kept = sa.delete(ShotMention)
    session.execute(kept if shots is None else kept.where(ShotMention.shot_id.in_(shots)))
    if not names:
        return 0
    ids = {row.slug: row.id for row in session.execute(sa.select(CarRow.slug, CarRow.id))}
    wanted = list(session.scalars(sa.select(Shot.id).order_by(Shot.id)) if shots is None else shots)
    written = 0
    for at in range(0, len(wanted), AT_ONCE):
        told = told_of(session, wanted[at : at + AT_ONCE])
        rows = [row | {"shot_id": shot} for shot, said in told.items() for row in _rows(said, names, ids)]
        if rows:
            session.execute(sa.insert(ShotMention), rows)
        written += len(rows)
    return written


def mentions_of(session: Session, shots: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Return the slugs of the cars that each shot names, surest first."""
    rows = session.execute(
        sa.select(ShotMention.shot_id, CarRow.slug)
        .join(CarRow, CarRow.id == ShotMention.car_id)
        .where(ShotMention.shot_id.in_(list(shots)))
        .order_by(ShotMention.shot_id, ShotMention.confidence.desc(), CarRow.slug)
    )
    named: dict[int, tuple[str, ...]] = {}
    for row in rows:
        named[row.shot_id] = (*named.get(row.shot_id, ()), row.slug)
    return named


def _rows(told: Told, names: CarNames, ids: dict[str, int]) -> list[dict[str, object]]:
    """The surest mention of each car."""
    texts = {
        "screen": names.find(told.burnt_in, slips=True),
        "speech": names.find(told.speech, slips=True),
        "title": names.find(f"{told.title}\n{file_words(told.file_name)}"),
    }
    best: dict[str, tuple[float, str]] = {}
    for source, found in texts.items():
        for one in found:
            sure = round(CONFIDENCE[source] * (SLIP if one.slip else 1), 4)
            best[one.car] = max(best.get(one.car, (0.0, "")), (sure, source))
    return [{"car_id": ids[car], "confidence": sure, "source": source} for car, (sure, source) in best.items()]
