"""A storyboard of the length that was asked for: written, spoken, and written anew where its voice takes longer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from factory.plan.brief import FPS, Brief
from factory.plan.length import film_seconds, next_wish
from factory.plan.storyboard import Storyboard
from factory.plan.timing import Spoken
from factory.render.templates import Templates

TRIES = 4


def storyboard_for(
    brief: Brief,
    known: Mapping[str, Any],
    templates: Templates,
    *,
    read: Callable[[str], Storyboard],
    speak: Callable[[Storyboard], Spoken],
    beat: Callable[[Storyboard], int],
) -> tuple[Storyboard, Spoken]:
    """Return the storyboard, of a few that are tried, whose length with this voice comes nearest to what was asked for.

    `known` is what the template is filled with beside the order. Templates guess how long a voice takes; each further
    try asks them for as much more or less as the last one missed. What `read` refuses is not spoken.
    """
    asked = asked_seconds(brief, templates)
    wish: int | None = asked
    tried = dict[int, tuple[Fraction, Storyboard, Spoken]]()
    while wish is not None and wish not in tried and len(tried) < TRIES:
        filled = templates.storyboard(brief.template, {**known, "brief": brief, "seconds": wish})
        storyboard = read(filled)
        spoken = speak(storyboard)
        seconds = film_seconds(storyboard, spoken, FPS, beat(storyboard))
        tried[wish] = abs(seconds - asked), storyboard, spoken
        wish = next_wish(asked, wish, seconds)
    _, storyboard, spoken = min(tried.values(), key=lambda one: one[0])
    return storyboard, spoken


def asked_seconds(brief: Brief, templates: Templates) -> int:
    """Return the length that an order asks for, else the usual one of its kind."""
    return brief.seconds or templates.describe(brief.template).seconds
