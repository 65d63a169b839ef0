"""The index as plain rows, and queries answered by looking at each: the oracle that refusals are held against.

Nothing of `store.index`, of the scores or of the assignment is used here: tags, words and lengths are read as they
stand in the tables, and each shot is asked for itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.plan.query import And, Compare, HasTag, HasText, Not, Or, Query
from understanding.labels import fold

NEVER: Final = ("restricted", "blocked", "expired")
_ROWS: Final = sa.text(
    "SELECT shot.id, asset.digest, asset.title, asset.rights, shot.speech, shot.burnt_in, shot.length_us, shot.height,"
    " shot.width, asset.fps_num, asset.fps_den, shot.twins FROM shot JOIN asset ON asset.id = shot.asset_id"
    " WHERE asset.status = 'added' ORDER BY shot.id"
)
_TAGS: Final = sa.text("SELECT shot_id, tag.name, confidence FROM shot_tag JOIN tag ON tag.id = shot_tag.tag_id")
_CARS: Final = sa.text("SELECT shot_id, car.slug FROM shot_mention JOIN car ON car.id = shot_mention.car_id")
_USES: Final = sa.text(
    "SELECT shot_id FROM shot_use JOIN job ON job.id = shot_use.job_id"
    " WHERE shot_use.series = :series AND job.state IN ('review', 'approved', 'published')"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A shot as the tables have it. `moment` is the same in shots that show the same moments; `words` are folded."""

    shot: int
    asset: str
    moment: int
    seconds: Fraction
    frame: Fraction  # seconds that one frame of the file lasts
    height: int
    width: int
    usable: bool
    words: str
    tags: Mapping[str, float]
    cars: frozenset[str]


def rows_of(session: Session) -> tuple[Row, ...]:
    """Return every shot of a clip in use."""
    tags: dict[int, dict[str, float]] = {}
    for shot, tag, confidence in session.execute(_TAGS):
        tags.setdefault(shot, {})[tag] = confidence
    cars: dict[int, set[str]] = {}
    for shot, slug in session.execute(_CARS):
        cars.setdefault(shot, set()).add(slug)
    return tuple(
        Row(
            shot=row.id,
            asset=row.digest,
            moment=row.twins or row.id,
            seconds=Fraction(row.length_us, 1_000_000),
            frame=Fraction(row.fps_den, row.fps_num),
            height=row.height,
            width=row.width,
            usable=row.rights not in NEVER,
            words=fold(f"{row.title}\n{row.speech}\n{row.burnt_in}"),
            tags=tags.get(row.id, {}),
            cars=frozenset(cars.get(row.id, ())),
        )
        for row in session.execute(_ROWS)
    )


def shown_in(session: Session, series: str) -> frozenset[int]:
    """Return the shots that finished videos of a series have shown."""
    return frozenset(session.scalars(_USES, {"series": series}))


def answers(row: Row, query: Query, families: Mapping[str, Collection[str]], least: float = 0.0) -> bool:
    """Say whether a shot answers a query; a tag counts from the confidence that the query asks for, else from
    `least`."""
    return _holds(row, query, families, _least(query, least))


def _least(query: Query, least: float) -> float:
    terms = query.terms if isinstance(query, And) else (query,)
    asked = [term.value for term in terms if isinstance(term, Compare) and term.key == "confidence"]
    return max([least, *(float(value) for value in asked if isinstance(value, Decimal))])


def _holds(row: Row, query: Query, families: Mapping[str, Collection[str]], least: float) -> bool:  # noqa: PLR0911  (one per kind)
    match query:
        case HasTag(tag):
            return any(row.tags.get(name, -1.0) >= least for name in (tag, *families.get(tag, ())))
        case HasText(text):
            return fold(text) in row.words
        case Compare("confidence"):
            return True
        case Compare("car", _, str(name)):
            return name in row.cars
        case Compare():
            return _compares(row, query)
        case Not(term):
            return not _holds(row, term, families, least)
        case And(terms):
            return all(_holds(row, term, families, least) for term in terms)
        case Or(terms):
            return any(_holds(row, term, families, least) for term in terms)


def _compares(row: Row, query: Compare) -> bool:
    """Compare a figure of the shot; what the oracle knows nothing of counts as fulfilled, so that it never confirms a
    refusal by it."""
    have: dict[str, Fraction] = {
        "duration": row.seconds,
        "height": Fraction(row.height),
        "width": Fraction(row.width),
        "aspect": Fraction(row.width, row.height),
    }
    if query.key not in have or not isinstance(query.value, Decimal):
        return True
    is_, asked = have[query.key], Fraction(query.value)
    return {
        ">=": is_ >= asked,
        "<=": is_ <= asked,
        ">": is_ > asked,
        "<": is_ < asked,
        "=": is_ == asked,
    }[query.operator]
