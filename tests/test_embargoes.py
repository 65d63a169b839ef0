"""A job is held by the latest embargo of its order, its cars and its clips, whenever that was put, moved or lifted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from factory.plan.brief import Brief
from factory.plan.embargo import Embargo, read_embargo
from factory.plan.facts import Car
from factory.store import catalog, embargoes, job_lookup, jobs
from factory.store.db import Sessions
from factory.store.embargoes import UnderEmbargo
from factory.store.job import WrongState
from factory.store.schema import Asset, Shot
from tests.library import a_clip, a_shot, put
from tests.test_catalog import X5
from tests.test_jobs import VIDEO, claimed

NINE = read_embargo("2026-12-01T09:00 Asia/Shanghai")
TEN = read_embargo("2026-12-01T10:00+08:00")
NOON = read_embargo("2026-12-01T12:00 Asia/Shanghai")
SECOND = timedelta(seconds=1)


def ordered(
    sessions: Sessions, embargo: Embargo | None = None, *, cars: tuple[Car, ...] = (), told: bool = False
) -> str:
    """Return an approved job that shows every shot there is and speaks of these cars."""
    with sessions.write() as session:
        job = jobs.submit(session, Brief(template="off_road"), embargo=embargo).job
    held = claimed(sessions, job)
    with sessions.write() as session:
        shots = session.scalars(sa.select(Shot.id)).all()
        jobs.finish(session, held, [VIDEO], shots=shots, cars=cars, cars_told=told)
    with sessions.write() as session:
        assert jobs.approve(session, job) == "approved"  # approval stays possible
    return job


def refusal(sessions: Sessions, job: str, now: datetime) -> UnderEmbargo:
    with pytest.raises(UnderEmbargo) as refused, sessions.write() as session:
        jobs.publish(session, job, now=now)
    with sessions.read() as session:
        assert job_lookup.get(session, job).state == "approved"
    return refused.value


def published(sessions: Sessions, job: str, now: datetime) -> bool:
    with sessions.write() as session:
        return jobs.publish(session, job, now=now) == "published"


def test_an_order_is_published_at_its_instant_and_not_a_second_before(sessions: Sessions) -> None:
    job = ordered(sessions, NINE)
    with sessions.read() as session:
        assert job_lookup.get(session, job).embargo == NINE
        assert job_lookup.list_jobs(session)[0].embargo == NINE
    error = refusal(sessions, job, NINE.until - SECOND)
    assert error.code == "under-embargo"
    assert error.cause.endswith("until 2026-12-01 09:00 Asia/Shanghai (2026-12-01 01:00 UTC), by the order itself")
    assert published(sessions, job, NINE.until)


def test_the_latest_of_order_car_and_clip_holds(sessions: Sessions) -> None:
    with sessions.write() as session:
        clip = put(session, "dunes.mp4", a_shot(), a_shot())
        put(session, "free.mp4", a_shot())
        catalog.save_cars(session, [replace(X5, embargo=NOON)])
    job = ordered(sessions, NINE, cars=(X5,))
    assert "by the car northwind-x5" in refusal(sessions, job, TEN.until).cause
    with sessions.write() as session:
        embargoes.put_on_clip(session, clip.digest, replace(NOON, until=NOON.until + SECOND))
    assert "by the clip dunes.mp4" in refusal(sessions, job, NOON.until).cause
    with sessions.write() as session:  # lifted where it was put
        embargoes.put_on_clip(session, clip.digest, None)
        catalog.save_cars(session, [X5])
    assert "by the order itself" in refusal(sessions, job, NINE.until - SECOND).cause
    assert published(sessions, job, NINE.until)


def test_a_car_that_only_a_shot_names_holds_too(sessions: Sessions) -> None:
    with sessions.write() as session:
        put(session, "a.mp4", clip=a_clip(a_shot(), title="Northwind X5 in the snow"))
        catalog.save_cars(session, [replace(X5, embargo=NINE)])
    job = ordered(sessions)
    assert "car northwind-x5, which a shot names" in refusal(sessions, job, NINE.until - SECOND).cause


def test_what_the_orders_own_table_said_of_its_car_stays(sessions: Sessions) -> None:
    job = ordered(sessions, cars=(replace(X5, embargo=NINE),), told=True)
    with sessions.write() as session:
        catalog.save_cars(session, [X5])
    assert "car northwind-x5 in the order's table" in refusal(sessions, job, NINE.until - SECOND).cause


def test_an_order_may_be_held_later_and_let_go(sessions: Sessions) -> None:
    job = ordered(sessions)
    with sessions.write() as session:
        jobs.hold(session, job, TEN)
    refusal(sessions, job, NINE.until)
    with sessions.write() as session:
        jobs.hold(session, job, None)
    assert published(sessions, job, NINE.until)
    with pytest.raises(WrongState), sessions.write() as session:
        jobs.hold(session, job, TEN)


def test_a_job_that_no_person_approved_is_refused_for_that_first(sqlite: Sessions) -> None:
    with sqlite.write() as session:
        job = jobs.submit(session, Brief(template="off_road"), embargo=NINE).job
    with pytest.raises(WrongState), sqlite.write() as session:
        jobs.publish(session, job, now=datetime(2026, 1, 1, tzinfo=UTC))


def test_embargoes_come_back_with_their_zone(sessions: Sessions) -> None:
    with sessions.write() as session:
        put(session, "a.mp4", a_shot())
        session.execute(sa.update(Asset).values(embargo=NINE))
        catalog.save_cars(session, [replace(X5, embargo=TEN)])
    with sessions.read() as session:
        assert str(session.scalar(sa.select(Asset.embargo))) == "2026-12-01T09:00+08:00[Asia/Shanghai]"
        car = catalog.find_car(session, "northwind-x5")
    assert car is not None
    assert str(car.embargo) == "2026-12-01T10:00+08:00"
