"""What may be said in the video of an order: from its own table, else from the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from factory.errors import WrongUsage
from factory.plan.brief import Brief, Table
from factory.plan.cars_table import read_cars, slug_of
from factory.plan.facts import Car, Facts, PriceChange, Ranking
from factory.plan.periods import parse_period
from factory.plan.price_table import read_prices
from factory.plan.ranking_table import rank_table
from factory.plan.staleness import TableStale, require_fresh
from factory.plan.tables import BadRow
from factory.store import catalog
from factory.wiring import Parts


def facts_of(brief: Brief, parts: Parts) -> Facts:
    """Return what may be said: from the order's own table, else from the catalogue by the subject's name."""
    needs = parts.templates.describe(brief.template).needs
    with parts.sessions.read() as session:
        if brief.data is not None:
            return _facts_of_table(session, brief, needs, parts)
        if brief.subject and needs != "prices":
            return _facts_of_catalogue(session, brief, needs, parts)
    if needs != "nothing":
        what, step = _WANTED[needs]
        raise WrongUsage(f"{brief.template} needs {what}", next_step=step)
    return Facts("")


_WANTED: Mapping[str, tuple[str, str]] = {
    "car": ("a car of the catalogue", "name one with --subject, or give a table with --data"),
    "cars": ("two or three cars", 'name them with --subject "a, b", or give a table with --data'),
    "ranking": ("a table", "name one with --subject, or give a table with --data"),
    "prices": ("a table of prices", "give one with --data: the car, its old and its new price, from when, by whom"),
}
MOST_COMPARED = 3  # cars of one video that are compared: more have no room side by side


def _facts_of_catalogue(session: Session, brief: Brief, needs: str, parts: Parts) -> Facts:
    subject = brief.subject or ""
    if needs == "nothing":
        car = catalog.sure_car(session, subject)
        return Facts(subject, (car,), None, (car.source,)) if car else Facts(subject)
    if needs == "cars":
        return _facts_of_cars([catalog.known_car(session, name) for name in _names(subject)])
    return _facts_of_subject(session, subject, brief, parts)


def _facts_of_table(session: Session, brief: Brief, needs: str, parts: Parts) -> Facts:
    assert brief.data is not None
    if needs == "ranking":
        ranking, bad = rank_table(brief.data, brief.set, today=parts.today())
        facts = catalog.facts_of(catalog.with_cars(session, ranking), brief.subject or ranking.title)
        return replace(facts, refused=_told(brief.data, bad))
    if needs == "car":
        cars, bad = read_cars(brief.data, {}, body=parts.taxonomy.resolve)
        car = _named(cars, brief.subject)
        return Facts(car.name(brief.locale), (car,), None, (car.source,), refused=_told(brief.data, bad))
    if needs == "cars":
        cars, bad = read_cars(brief.data, {}, body=parts.taxonomy.resolve)
        names = _names(brief.subject or "")
        compared = _facts_of_cars([_named(cars, name) for name in names] if names else cars)
        return replace(compared, refused=_told(brief.data, bad))
    if needs == "prices":
        changes, bad = read_prices(brief.data, brief.set)
        changes = tuple(replace(row, car=catalog.sure_car(session, row.slug or row.name_en)) for row in changes)
        told = _facts_of_prices(_of_car(changes, brief.subject, bad))
        return replace(told, refused=_told(brief.data, bad))
    if parts.templates.describe(brief.template).takes_table:
        return Facts(brief.subject or "")
    raise WrongUsage(f"{brief.template} takes no table", next_step="leave --data out")


def _facts_of_subject(session: Session, subject: str, brief: Brief, parts: Parts) -> Facts:
    """Return what the catalogue knows of a car or a ranking: of the period that is asked for, else of a newest that is
    no old one."""
    asked = brief.set.get("period", "").strip()
    facts = catalog.facts_for(session, subject, period=str(parse_period(asked) or asked) or None)
    if facts.ranking and not asked and brief.set.get("stale") != "allow":
        _require_fresh(session, subject, facts.ranking, parts.today())
    return facts


def why_stale(session: Session, name: str, today: date) -> str:
    """Return why the newest period of a ranking of the catalogue is too old to be news at `today`, or nothing."""
    ranking = catalog.find_ranking(session, name)
    try:
        if ranking:
            _require_fresh(session, name, ranking, today)
    except TableStale as refusal:
        return refusal.cause
    return ""


def _require_fresh(session: Session, name: str, newest: Ranking, today: date) -> None:
    period = None if newest.source.sample else parse_period(newest.period)
    if period:
        dated = period.grain == "day" and len(catalog.periods_of(session, name)) < 2
        require_fresh(period, name, today, dated=dated)


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


def _names(subject: str) -> list[str]:
    """Part a subject that names several cars: `a, b`, `a，b`, `a、b`."""
    return [name.strip() for name in re.split(r"[,，、;；]", subject) if name.strip()]


def _facts_of_cars(cars: Sequence[Car]) -> Facts:
    different = tuple({car.slug: car for car in cars}.values())
    if not 2 <= len(different) <= MOST_COMPARED:
        held = ", ".join(car.slug for car in different[:8])
        cause = f"{len(different)} cars cannot be compared side by side" if different else "no car is named"
        raise WrongUsage(f"{cause} ({held})", next_step='name two or three with --subject "a, b"')
    sources = tuple(dict.fromkeys(car.source for car in different))
    return Facts(", ".join(car.slug for car in different), different, None, sources)


def _of_car(changes: Sequence[PriceChange], subject: str | None, bad: Sequence[BadRow]) -> tuple[PriceChange, ...]:
    """Return the changes of the named car; all of them where none is named."""
    if not subject:
        return tuple(changes)
    folded = subject.casefold()
    found = [row for row in changes if folded in {name.casefold() for name in _called(row)}]
    if not found:
        held = ", ".join(row.name_en for row in changes[:8])
        refused = f"; refused: {'; '.join(str(row) for row in bad[:3])}" if bad else ""
        raise WrongUsage(f"the table holds no price of {subject!r}", next_step=f"use one of {held}{refused}")
    return tuple(found)


def _called(row: PriceChange) -> tuple[str, ...]:
    return (*row.names(), row.slug, slug_of(row.name_en), row.car.slug if row.car else "")


def _facts_of_prices(changes: Sequence[PriceChange]) -> Facts:
    cars = tuple(dict.fromkeys(row.car for row in changes if row.car))
    sources = tuple(dict.fromkeys((*(row.source for row in changes), *(car.source for car in cars))))
    return Facts(changes[0].name_en, cars, None, sources, tuple(changes))
