"""Until when a job may not be published: the latest embargo of its order, of its cars and of the clips that it shows.

It is looked up whenever it is asked for, not kept with the job: an embargo that is put on a car, moved or lifted holds
for every job about it that is not published yet. What a table of the order's own says of its car stays as it was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.errors import FactoryError
from factory.plan.embargo import Embargo, latest
from factory.plan.facts import Car
from factory.store.schema import Asset, CarRow, JobCar, JobRow, Shot, ShotMention, ShotUse
from factory.store.words import storable


class UnderEmbargo(FactoryError):
    """It is too early to publish."""

    code = "under-embargo"

    def __init__(self, job: str, embargo: Embargo) -> None:
        super().__init__(
            f"job {job} is under embargo until {embargo.told()}, by the {embargo.of}",
            next_step="publish it from then on, or lift the embargo where it was put",
        )
        self.embargo = embargo


def require_free(session: Session, job: str, now: datetime) -> None:
    """Raise UnderEmbargo where the job may not be published at `now` yet."""
    embargo = of_jobs(session, [job]).get(job)
    if embargo is not None and now < embargo.until:
        raise UnderEmbargo(job, embargo)


def of_jobs(session: Session, jobs: Sequence[str]) -> dict[str, Embargo]:
    """Return the latest embargo of each of these jobs that is under one, past ones too."""
    found: dict[str, list[Embargo]] = {}
    for job, embargo in _all_of(session, jobs):
        found.setdefault(job, []).append(embargo)
    return {job: last for job, embargoes in found.items() if (last := latest(embargoes))}


def _all_of(session: Session, jobs: Sequence[str]) -> Iterator[tuple[str, Embargo]]:
    """Yield every embargo of these jobs, named after what it is of."""
    for sentence, statement in _statements(jobs):
        for job, name, embargo in session.execute(statement.distinct()):
            if embargo is not None:
                yield job, embargo.named(sentence.format(name))


def _statements(jobs: Sequence[str]) -> Iterator[tuple[str, sa.Select[str, str, Embargo | None]]]:
    yield (
        "order itself",
        sa.select(JobRow.id, JobRow.id, JobRow.embargo).where(JobRow.id.in_(jobs)),
    )
    yield (
        "car {} in the order's table",
        sa.select(JobCar.job_id, JobCar.slug, JobCar.embargo).where(JobCar.job_id.in_(jobs)),
    )
    yield (
        "car {}",
        sa.select(JobCar.job_id, CarRow.slug, CarRow.embargo)
        .join(CarRow, CarRow.slug == JobCar.slug)
        .where(JobCar.job_id.in_(jobs), CarRow.embargo.is_not(None)),
    )
    yield (
        "clip {}",
        sa.select(ShotUse.job_id, Asset.file_name, Asset.embargo)
        .join(Shot, Shot.id == ShotUse.shot_id)
        .join(Asset, Asset.id == Shot.asset_id)
        .where(ShotUse.job_id.in_(jobs), Asset.embargo.is_not(None)),
    )
    yield (
        "car {}, which a shot names",
        sa.select(ShotUse.job_id, CarRow.slug, CarRow.embargo)
        .join(ShotMention, ShotMention.shot_id == ShotUse.shot_id)
        .join(CarRow, CarRow.id == ShotMention.car_id)
        .where(ShotUse.job_id.in_(jobs), CarRow.embargo.is_not(None)),
    )


def note_cars(session: Session, job: str, cars: Iterable[Car], *, as_told: bool) -> None:
    """Write which cars a job is about. `as_told`: the order's own table speaks of them, and its embargo stays."""
    session.execute(sa.delete(JobCar).where(JobCar.job_id == job))
    for slug, car in {storable(car.slug)[:100]: car for car in cars}.items():
        session.add(JobCar(job_id=job, slug=slug, embargo=car.embargo if as_told else None))


def put_on_clip(session: Session, digest: str, embargo: Embargo | None) -> None:
    """Put a clip under embargo, or lift it."""
    session.execute(sa.update(Asset).where(Asset.digest == digest).values(embargo=embargo))
