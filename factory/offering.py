"""What the library offers for a place in a video, and what stood in the way where that is too little."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.plan.choosing import COOLDOWN
from factory.plan.scoring import NEVER, SLOWEST
from factory.plan.selection import Candidate, Slot
from factory.store import assets, index, uses
from factory.store.columns import microseconds
from factory.store.schema import Asset, Shot

CANDIDATES: Final = 120  # shots that a place chooses among

Condition = sa.ColumnElement[bool]


def offered(session: Session, slot: Slot, issue: uses.Issue) -> tuple[Candidate, ...]:
    """Return the best shots that answer the slot's query, may stand in it and do not rest in the series of `issue`."""
    only = sa.and_(*conditions(slot, issue).values())
    return assets.find_shots(session, slot.query, limit=CANDIDATES, vectors=True, only=only).shots


def removed(session: Session, slot: Slot, issue: uses.Issue) -> dict[str, int]:
    """Return how many shots each condition takes away, on the slot or in its query; the confidence that all queries ask
    for aside."""
    matching = index.count(session, slot.query)
    own = {name: index.count(session, slot.query, only) for name, only in conditions(slot, issue).items()}
    found = {name: matching - left for name, left in own.items()}
    for term, left in index.count_without(session, slot.query):
        if not term.startswith("confidence:"):
            found[term] = left - matching
    return {name: count for name, count in found.items() if count > 0}


def conditions(slot: Slot, issue: uses.Issue) -> dict[str, Condition]:
    """Return what a shot must be beside what the query says, by the names that refusals use. `scoring.unfit` says the
    same of a candidate; asked here, no unfit shot takes the place of a fit one among those that are offered."""
    least = slot.seconds * slot.speed * SLOWEST
    asked: dict[str, Condition] = {
        COOLDOWN: uses.rested(issue, slot.pick.cooldown_days or 0),
        "rights": Asset.rights.not_in(sorted(NEVER)),
        f"quality below {slot.pick.min_quality:g}": Shot.quality >= slot.pick.min_quality,
        f"shorter than {float(least):.1f} s": Shot.length_us >= microseconds(Fraction(least)),
    }
    if slot.pick.min_height:
        asked[f"lower than {slot.pick.min_height} lines"] = Shot.height >= slot.pick.min_height
    return asked
