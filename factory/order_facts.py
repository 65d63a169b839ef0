"""What may be said in the video of an order: from its own table, else from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from factory.errors import WrongUsage
from factory.plan.brief import Brief, Table
from factory.plan.cars_table import read_cars
from factory.plan.facts import Car, Facts
from factory.plan.periods import parse_period
from factory.plan.ranking_table import rank_table
from factory.plan.staleness import require_fresh
from factory.plan.tables import BadRow
from factory.store import catalog
from factory.wiring import Parts


def facts_of(brief: Brief, parts: Parts) -> Facts:
    """Return what may be said: from the order's own table, else from the catalogue by the subject's name."""
    needs = parts.templates.describe(brief.template).needs
    with parts.sessions.read() as session:
        if brief.data is not None:
            return _facts_of_table(session, brief, needs, parts)
        if brief.subject:
            return _facts_of_subject(session, brief, parts) if needs != "nothing" else Facts(brief.subject)
    if needs != "nothing":
        what = "a car of the catalogue" if needs == "car" else "a table"
        raise WrongUsage(
            f"{brief.template} needs {what}",
            next_step="name one with --subject, or give a table with --data",
        )
    return Facts("")


def _facts_of_table(session: Any, brief: Brief, needs: str, parts: Parts) -> Facts:
    assert brief.data is not None
    if needs == "ranking":
        ranking, bad = rank_table(brief.data, brief.set, today=parts.today())
        facts = catalog.facts_of(catalog.with_cars(session, ranking), brief.subject or ranking.title)
        return replace(facts, refused=_told(brief.data, bad))
    if needs == "car":
        cars, bad = read_cars(brief.data, {}, body=parts.taxonomy.resolve)
        car = _named(cars, brief.subject)
        return Facts(car.name(brief.locale), (car,), None, (car.source,), _told(brief.data, bad))
    raise WrongUsage(f"{brief.template} takes no table", next_step="leave --data out")


def _facts_of_subject(session: Any, brief: Brief, parts: Parts) -> Facts:
    """Return what the catalogue knows of a car or a ranking: of the period that is asked for, else of a newest that is
    no old one."""
    assert brief.subject
    asked = brief.set.get("period", "").strip()
    facts = catalog.facts_for(session, brief.subject, period=str(parse_period(asked) or asked) or None)
    newest = parse_period(facts.ranking.period) if facts.ranking and not facts.ranking.source.sample else None
    if newest and not asked and brief.set.get("stale") != "allow":
        dated = newest.grain == "day" and len(catalog.periods_of(session, brief.subject)) < 2
        require_fresh(newest, brief.subject, parts.today(), dated=dated)
    return facts


def _told(table: Table, bad: Sequence[BadRow]) -> tuple[str, ...]:
    return tuple(f"{table.name}, {row}" for row in bad)


def _named(cars: Sequence[Car], subject: str | None) -> Car:
    """Return the car of this name; the first where none is named."""
    if not subject:
        return cars[0]
    for car in cars:
        if subject.casefold() in {name.casefold() for name in (car.slug, *car.names())}:
            return car
    raise WrongUsage(
        f"the table holds no car {subject!r}", next_step=f"use one of {', '.join(car.slug for car in cars[:8])}"
    )
