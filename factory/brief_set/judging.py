"""Does a placed shot fit what its scene asked for? Judged by tags that a person gave, not by the tagger's.

The rule. A scene's query is read term by term. A tag is there where the person gave it, or one that implies it.
`car`, `vehicle` and `daylight` say nothing: nearly every shot has them, so they neither help nor harm. Free words,
lengths and other figures say nothing either: a hand label does not speak of them. A tag that is asked for counts for
the shot where it is there, and against it where it is not; of a choice (`|`) one is enough. A tag that is ruled out
counts against the shot where it is there, and says nothing where it is not. One word against the shot is enough to be
off; at least one for it, and none against, is on. Where nothing speaks, the placement is not judged and counts
neither way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from factory.plan.query import And, Compare, HasTag, Not, Or, Query

TRIVIAL: Final = frozenset({"car", "vehicle", "daylight"})


@dataclass(frozen=True, slots=True)
class Tally:
    """Placements that fit, that do not, and that nothing speaks of."""

    on: int = 0
    off: int = 0
    unjudged: int = 0

    @property
    def share(self) -> float | None:
        """On of those that are judged, None where none is."""
        judged = self.on + self.off
        return self.on / judged if judged else None


def fits(query: Query, tags: Collection[str]) -> bool | None:
    """Return whether a shot with these tags (with all that they imply) fits; None where they say nothing of it."""
    match query:
        case HasTag(tag):
            return None if tag in TRIVIAL else tag in tags
        case Compare("coarse", "=", str(tag)):
            return tag in tags
        case Not(term):
            return False if fits_plainly(term, tags) else None
        case And(terms):
            return _all(fits(term, tags) for term in terms)
        case Or(terms):
            return _any(fits(term, tags) for term in terms)
        case _:
            return None


def fits_plainly(query: Query, tags: Collection[str]) -> bool:
    """Return whether the tags say that what is ruled out is there; a trivial tag can be ruled out like any other."""
    match query:
        case HasTag(tag):
            return tag in tags
        case And(terms):
            return bool(terms) and all(fits_plainly(term, tags) for term in terms)
        case Or(terms):
            return any(fits_plainly(term, tags) for term in terms)
        case _:
            return False


def tally(verdicts: Iterable[bool | None]) -> Tally:
    """Count verdicts."""
    said = list(verdicts)
    return Tally(said.count(True), said.count(False), said.count(None))


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    said = {verdict for verdict in verdicts if verdict is not None}
    return None if not said else False not in said


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    said = {verdict for verdict in verdicts if verdict is not None}
    return None if not said else True in said
