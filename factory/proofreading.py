"""Reading a plan's words before anything is made of them: no number without its source."""

from __future__ import annotations

from collections.abc import Iterator

from factory.plan.brief import Brief
from factory.plan.claims import check_claims
from factory.plan.facts import Facts
from factory.plan.storyboard import Storyboard
from factory.render.speaking import metric_name


def proofread(storyboard: Storyboard, facts: Facts, brief: Brief) -> None:
    """Raise the refusal of the first thing that must not be said or shown: ClaimUnsupported."""
    metric = (metric_name(facts.ranking.metric, storyboard.locale),) if facts.ranking else ()
    check_claims(storyboard, facts, typed=tuple(typed_words(brief, facts)), names=metric)


def typed_words(brief: Brief, facts: Facts) -> Iterator[str]:
    """Yield what a person wrote into the order. A table that is no source of facts (of incidents) counts as such."""
    yield from brief.set.values()
    if brief.data and not facts.ranking and not facts.cars:
        yield from (cell for row in brief.data.rows for cell in row if cell.strip())
