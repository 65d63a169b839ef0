"""Was there really too little material? The oracle of refusals: every shot is asked, one after the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from factory.brief_set.index_rows import Row, answers, rows_of, shown_in
from factory.order_facts import facts_of
from factory.plan.assemble import slots
from factory.plan.brief import FPS, Brief
from factory.plan.selection import Slot
from factory.plan.storyboard import read_storyboard
from factory.planning import speak
from factory.wiring import Parts

SLOWEST: Final = Fraction(4, 5)  # of its speed at which a shot that is too short may be shown
EDGE: Final = 2  # frames of a shot that are never shown


@dataclass(frozen=True, slots=True)
class Thin:
    """What the oracle found for a refusal: is it true, for which scene, how many shots answer it and how many places
    want one of those."""

    confirmed: bool
    why: str


def confirm(brief: Brief, parts: Parts) -> Thin:
    """Ask the oracle whether this order's scenes can all be filled, each with a moment of its own."""
    wanted = [slot for slot in wanted_of(brief, parts) if not slot.optional]
    with parts.sessions.read() as session:
        rows = rows_of(session)
        shown = shown_in(session, brief.series) if brief.series else frozenset()
    return judge(wanted, rows, parts.families, shown)


def wanted_of(brief: Brief, parts: Parts) -> tuple[Slot, ...]:
    """Return the places of an order's storyboard that want a shot, with their lengths."""
    context = {"brief": brief, "facts": facts_of(brief, parts)}
    storyboard = read_storyboard(parts.templates.storyboard(brief.template, context), f"template {brief.template}")
    spoken = speak(storyboard, parts.narrator(), None)
    return tuple(slots(storyboard, spoken, fps=FPS, resolve=parts.taxonomy.resolve))


def judge(
    wanted: Sequence[Slot], rows: Sequence[Row], families: Mapping[str, Collection[str]], shown: Collection[int] = ()
) -> Thin:
    """Say whether there is a place that no shot is left for. `shown` are shots that the series has shown already; they
    are out where a place asks for a cooldown, and so is what shows the same moments."""
    barred = {row.moment for row in rows if row.shot in shown}
    offered = [_moments(slot, rows, families, barred if _rests(slot) else set()) for slot in wanted]
    given: dict[int, int] = {}  # moment -> place
    for place in range(len(wanted)):
        tried = set[int]()
        if not _given(place, offered, given, tried):
            rivals = [wanted[given[moment]].scene for moment in tried if moment in given]
            slot = wanted[place]
            why = f"scene {slot.scene!r} wants {float(slot.seconds):.1f} s of {slot.query_text}: "
            why += f"{len(offered[place])} moments"
            why += f" beside the {len(barred)} that the series has shown" if barred and _rests(slot) else ""
            return Thin(True, why + (f", wanted by {', '.join(sorted(set(rivals)))} too" if rivals else ""))
    return Thin(False, f"all {len(wanted)} places can be filled, each with a moment of its own")


def _rests(slot: Slot) -> bool:
    """Say whether what the series has shown is out for a place: where nothing else is said, it is."""
    return slot.pick.cooldown_days != 0


def _moments(
    slot: Slot, rows: Sequence[Row], families: Mapping[str, Collection[str]], barred: Collection[int]
) -> frozenset[int]:
    """Return the moments of the library that may stand in a place."""
    return frozenset(
        row.moment
        for row in rows
        if row.usable
        and row.moment not in barred
        and row.height >= (slot.pick.min_height or 0)
        and row.seconds - EDGE * row.frame >= slot.seconds * slot.speed * SLOWEST
        and answers(row, slot.query, families)
    )


def _given(place: int, offered: Sequence[frozenset[int]], given: dict[int, int], tried: set[int]) -> bool:
    """Give a place one of its moments, moving others along where that helps (Kuhn's augmenting path)."""
    for moment in offered[place] - tried:
        tried.add(moment)
        if moment not in given or _given(given[moment], offered, given, tried):
            given[moment] = place
            return True
    return False
