"""Cars and rankings with their source and date, and the facts about one subject."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from factory.errors import WrongUsage
from factory.plan.facts import Car, Change, Facts, Ranking, RankingRow, Source, Spec
from factory.store.columns import utc_now
from factory.store.db import insert_new
from factory.store.mentions import note_mentions
from factory.store.schema import CarName, CarRow, CarSpec, RankingPlace, RankingTable, SourceRow
from factory.store.words import compact, storable


class UnknownSubject(WrongUsage):
    code = "unknown-subject"


class AmbiguousSubject(WrongUsage):
    code = "ambiguous-subject"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A ranking table of one period and when it was loaded."""

    name: str
    period: str
    loaded_at: datetime


# --- loading ---------------------------------------------------------------------------------------------------------


def save_cars(session: Session, cars: Iterable[Car]) -> int:
    """Write cars by slug; one that is known is replaced whole, with its new source and date. Returns how many.

    Which shots name which car is written anew: a new name may also make an old one mean two cars.
    """
    given = list(cars)
    for car in given:
        source = _source_id(session, car.source)
        row = session.scalars(sa.select(CarRow).where(CarRow.slug == car.slug)).one_or_none()
        if row is None:
            row = CarRow(slug=car.slug)
            session.add(row)
        row.make, row.body, row.source_id = storable(car.make), car.body, source
        row.name_zh, row.name_en, row.loaded_at = storable(car.name_zh), storable(car.name_en), utc_now()
        row.embargo = car.embargo
        row.specs, row.names = [], []
        session.flush()  # the old rows go before new ones take their keys
        row.specs = [_spec_row(position, spec) for position, spec in enumerate(car.specs)]
        row.names = _name_rows(car)
        session.flush()
    note_mentions(session, all_cars(session))
    return len(given)


def save_ranking(session: Session, name: str, ranking: Ranking) -> int:
    """Write a ranking as dataset `name`; the same name and period replaces what stood there. Returns its id."""
    source = _source_id(session, ranking.source)
    found = sa.select(RankingTable).where(RankingTable.name == name, RankingTable.period == ranking.period)
    row = session.scalars(found).one_or_none()
    if row is None:
        row = RankingTable(name=storable(name), period=storable(ranking.period))
        session.add(row)
    row.title, row.metric, row.unit = storable(ranking.title), storable(ranking.metric), storable(ranking.unit)
    row.higher_is_better, row.source_id = ranking.higher_is_better, source
    row.loaded_at, row.rows = utc_now(), []
    session.flush()
    row.rows = [_place_row(position, place) for position, place in enumerate(ranking.rows)]
    session.flush()
    return row.id


def _source_id(session: Session, source: Source) -> int:
    values = {"name": source.name, "date": source.date, "url": source.url, "licence": source.licence}
    values = {key: storable(value) for key, value in values.items()}
    insert_new(session, SourceRow, [values | {"sample": source.sample}])
    return session.scalars(sa.select(SourceRow.id).filter_by(**values, sample=source.sample)).one()


def _spec_row(position: int, spec: Spec) -> CarSpec:
    return CarSpec(
        position=position,
        key=spec.key,
        name_zh=spec.name_zh,
        name_en=spec.name_en,
        value=spec.value,
        unit=spec.unit,
        cycle=spec.cycle,
    )


def _name_rows(car: Car) -> list[CarName]:
    """Every name that the car is found by. Official names stand before aliases and win over those of other cars."""
    names = [(car.slug, False), (car.name_zh, False), (car.name_en, False), *((alias, True) for alias in car.aliases)]
    unique = {compact(name): (storable(name), alias) for name, alias in reversed(names) if compact(name)}
    return [
        CarName(position=position, name=name, folded=folded, alias=alias)
        for position, (folded, (name, alias)) in enumerate(reversed(unique.items()))
    ]


def _place_row(position: int, place: RankingRow) -> RankingPlace:
    return RankingPlace(
        position=position,
        rank=place.rank,
        name=storable(place.name),
        value=place.value,
        change=place.change,
        tied=place.tied,
        previous_rank=place.previous_rank,
        previous_value=place.previous_value,
        car_slug=place.car.slug if place.car else None,
    )


# --- asking ----------------------------------------------------------------------------------------------------------


def facts_for(session: Session, subject: str, *, period: str | None = None) -> Facts:
    """Return all that is known of a car (by slug, zh or en name, alias) or of a ranking (by name or title).

    Letters' case, spaces and hyphens do not matter. Raises UnknownSubject with the nearest names, or AmbiguousSubject.
    """
    car = find_car(session, subject)
    if car is not None:
        return Facts(subject, (car,), None, (car.source,))
    ranking = find_ranking(session, subject, period=period)
    if ranking is not None:
        return facts_of(ranking, subject)
    if period is not None and (newest := find_ranking(session, subject)) is not None:
        raise UnknownSubject(
            f"{subject!r} has no period {period[:40]!r}", next_step=f"its newest is {newest.period or 'without a name'}"
        )
    raise _unknown(session, subject)


def facts_of(ranking: Ranking, subject: str = "") -> Facts:
    """Return the facts that a ranking states, with the cars that its rows name."""
    cars = tuple(dict.fromkeys(row.car for row in ranking.rows if row.car is not None))
    sources = tuple(dict.fromkeys((ranking.source, *(car.source for car in cars))))
    return Facts(subject or ranking.title, cars, ranking, sources)


def find_car(session: Session, name: str) -> Car | None:
    """Return the car of this name, or None. An official name wins over another car's alias."""
    folded = compact(name)
    if not folded:
        return None
    rows = session.execute(
        sa.select(CarName.car_id, CarRow.slug, CarName.alias)
        .join(CarRow, CarRow.id == CarName.car_id)
        .where(CarName.folded == folded)
        .order_by(CarName.alias, CarRow.slug)
    ).all()
    best = [row for row in rows if row.alias == rows[0].alias]
    if len(best) > 1:
        raise AmbiguousSubject(
            f"{name!r} names {len(best)} cars: {', '.join(row.slug for row in best)}",
            next_step="use one of these slugs",
        )
    return _cars(session, [best[0].car_id])[0] if best else None


def known_car(session: Session, name: str) -> Car:
    """Return the car of this name. Raises UnknownSubject with the nearest names, or AmbiguousSubject."""
    car = find_car(session, name)
    if car is None:
        raise _unknown(session, name)
    return car


def sure_car(session: Session, name: str) -> Car | None:
    """Return the car of this name where that is known without doubt."""
    try:
        return find_car(session, name)
    except AmbiguousSubject:
        return None


def all_cars(session: Session) -> tuple[Car, ...]:
    """Return the catalogue in the order of its slugs."""
    ids = session.scalars(sa.select(CarRow.id).order_by(CarRow.slug)).all()
    return tuple(_cars(session, ids))


def require_car(session: Session, name: str) -> None:
    """Raise UnknownSubject with the nearest names where no car is called so."""
    if not session.scalar(sa.select(sa.func.count()).where(CarName.folded == compact(name))):
        raise _unknown(session, name)


def periods_of(session: Session, name: str) -> tuple[str, ...]:
    """Return the periods of the ranking of this name or title, oldest first."""
    rows = session.execute(sa.select(RankingTable.name, RankingTable.title, RankingTable.period)).all()
    wanted = compact(name)
    return tuple(sorted({row.period for row in rows if wanted in (compact(row.name), compact(row.title))}))


def find_ranking(session: Session, name: str, *, period: str | None = None) -> Ranking | None:
    """Return the ranking of this name or title: of `period`, or the latest (periods sort as text, as ISO dates do)."""
    wanted = compact(name)
    rows = session.execute(
        sa.select(RankingTable.id, RankingTable.name, RankingTable.title, RankingTable.period).order_by(
            RankingTable.period.desc(), RankingTable.id.desc()
        )
    ).all()
    same = [row for row in rows if wanted and wanted in (compact(row.name), compact(row.title))]
    if period is not None:
        same = [row for row in same if row.period == period]
    return _ranking(session, same[0].id) if same else None


def latest_rankings(session: Session) -> tuple[Loaded, ...]:
    """Return the latest period of each ranking, by name."""
    rows = session.execute(
        sa.select(RankingTable.name, RankingTable.period, RankingTable.loaded_at).order_by(
            RankingTable.name, RankingTable.period
        )
    )
    return tuple({row.name: Loaded(row.name, row.period, row.loaded_at) for row in rows}.values())


def with_cars(session: Session, ranking: Ranking) -> Ranking:
    """Return the ranking with each row's car filled in, where the catalogue knows the row's name without doubt."""
    rows = (replace(row, car=row.car or sure_car(session, row.name)) for row in ranking.rows)
    return replace(ranking, rows=tuple(rows))


def _cars(session: Session, ids: Sequence[int]) -> list[Car]:
    rows = session.scalars(
        sa.select(CarRow)
        .where(CarRow.id.in_(ids))
        .options(selectinload(CarRow.specs), selectinload(CarRow.names), selectinload(CarRow.source))
    )
    by_id = {row.id: _car(row) for row in rows}
    return [by_id[car] for car in ids]


def _car(row: CarRow) -> Car:
    specs = tuple(Spec(s.key, s.name_zh, s.name_en, s.value, s.unit, s.cycle) for s in row.specs)
    aliases = tuple(name.name for name in row.names if name.alias)
    source, embargo = _source(row.source), row.embargo
    return Car(row.slug, row.make, row.name_zh, row.name_en, row.body, specs, source, aliases, embargo)


def _ranking(session: Session, ranking: int) -> Ranking:
    row = session.get_one(RankingTable, ranking)
    places = tuple(
        RankingRow(p.rank, p.name, p.value, cast("Change", p.change), p.tied, p.previous_rank, p.previous_value)
        for p in row.rows
    )
    return with_cars(
        session,
        Ranking(row.title, row.metric, row.unit, row.period, places, _source(row.source), row.higher_is_better),
    )


def _source(row: SourceRow) -> Source:
    return Source(row.name, row.date, row.url, row.licence, row.sample)


def _unknown(session: Session, subject: str) -> UnknownSubject:
    """Build the error that names what is near, or what there is."""
    names = {compact(name): name for name in session.scalars(sa.select(RankingTable.name))}
    for name, slug in session.execute(sa.select(CarName.name, CarRow.slug).join(CarRow, CarRow.id == CarName.car_id)):
        names.setdefault(compact(name), name if name == slug else f"{name} ({slug})")
    near = [names[key] for key in get_close_matches(compact(subject), names, n=3, cutoff=0.5)]
    if near:
        step = f"did you mean {', '.join(near)}?"
    elif names:
        step = f"known are {', '.join(list(names.values())[:8])}"
    else:
        step = "the catalogue is empty: load cars or a ranking table first"
    return UnknownSubject(f"nothing is known of {subject!r}", next_step=step)
