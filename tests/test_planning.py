"""Planning on a library of rows without pictures: what a series has shown is not offered again, whoever plans when."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from factory import produce
from factory.plan.brief import Brief
from factory.plan.choosing import NoShotForScene
from factory.plan.length import FilmTooShort
from factory.planning import Plan, plan
from factory.settings import Settings
from factory.store import job_lookup, jobs, uses
from factory.store.columns import utc_now
from factory.store.job import Output
from factory.store.lease import Holding
from factory.store.schema import JobRow, ShotUse
from factory.wiring import Parts, parts
from tests.bench.bench_selection import Shown, breaks, make, moments_of, repeats, series_orders
from tests.library import a_clip, a_shot, put
from tests.row_library import fill

VIDEO = Output("16:9", "video", "a" * 64, "x.mp4", 1, 1)
TERRAINS = ("mud", "dune")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Parts]:
    """Twelve off-road shots that a short film takes five of, and a narrator who says nothing."""
    built = parts(Settings(home=tmp_path, voice="silent"))
    with closing(built.sessions):
        with built.sessions.write() as session:
            for number in range(12):
                shot = a_shot({"off-road": 0.9, TERRAINS[number % 2]: 0.5 + number / 100})
                put(session, f"{number}.mp4", clip=a_clip(shot, title=f"clip {number}"))
        yield built


def order(seed: int = 0, **changes: object) -> Brief:
    return Brief.model_validate({"template": "off_road", "seconds": 15, "series": "dirt", "seed": seed} | changes)


def holding(house: Parts, brief: Brief) -> Holding:
    with house.sessions.write() as session:
        job = jobs.submit(session, brief).job
        claim = jobs.claim(session, job, worker="w", lease=timedelta(minutes=5))
    assert claim is not None
    return Holding(house.sessions, claim, lease=timedelta(minutes=5), shutdown=threading.Event())


def made(house: Parts, brief: Brief) -> Plan:
    """Plan as a job does, and finish it as if it were rendered."""
    held = holding(house, brief)
    planned, _ = produce._saved_plan(brief, house, held)
    with house.sessions.write() as session:
        jobs.finish(session, held.claim, [VIDEO], shots=planned.shots)
    return planned


def test_two_videos_of_a_series_share_no_shot_and_the_third_is_refused_by_name(house: Parts) -> None:
    one, two = made(house, order(0)), made(house, order(1))
    assert one.shots
    assert not set(one.shots) & set(two.shots)
    assert set(one.shots.values()) == {14}
    assert {shot["cooldown_days"] for shot in one.trace["shots"]} == {14}
    with pytest.raises(NoShotForScene) as refusal:
        made(house, order(2))
    assert refusal.value.removed["cooldown"] == len(one.shots) + len(two.shots)
    assert f"'cooldown' removed {len(one.shots) + len(two.shots)}, shown in this series within 14 days" in str(
        refusal.value
    )
    assert "--cooldown-days" in str(refusal.value.next_step)


def test_after_their_days_shots_are_offered_again(house: Parts) -> None:
    one = made(house, order(0))
    made(house, order(1))
    with house.sessions.write() as session:
        session.execute(sa.update(ShotUse).values(used_at=utc_now() - timedelta(days=5)))
    with pytest.raises(NoShotForScene):
        made(house, order(2, cooldown_days=6))
    assert set(made(house, order(2, cooldown_days=4)).shots) & set(one.shots)


def test_a_rerun_and_other_makings_of_a_video_show_the_same_shots(house: Parts) -> None:
    one = made(house, order(0))
    assert list(made(house, order(0)).shots) == list(one.shots)
    assert list(made(house, order(0, draft=True, codec="h265", aspects=("16:9", "1:1"))).shots) == list(one.shots)
    assert list(plan(order(0), house).shots) == list(one.shots)  # a preview, without a job


def test_without_a_series_nothing_rests(house: Parts) -> None:
    one = made(house, order(0, series=None))
    assert list(made(house, order(0, series=None, locale="en-US")).shots) == list(one.shots)


def test_a_job_that_failed_gives_its_shots_back(house: Parts) -> None:
    for seed in range(4):
        brief = order(seed)
        held = holding(house, brief)
        produce._saved_plan(brief, house, held)
        with house.sessions.write() as session:
            jobs.fail(session, held.claim, code="x", text="the render failed")
    with house.sessions.read() as session:
        assert set(session.scalars(sa.select(JobRow.state))) == {"failed"}


def test_who_saves_second_plans_again(house: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the choice of one job and its saving another job of the series takes the very same shots."""
    planned: list[Plan] = []

    def plan_late(brief: Brief, house: Parts, held: Holding | None = None) -> Plan:
        found = plan(brief, house, held)
        if not planned:
            other = holding(house, order(7))
            with house.sessions.write() as session:
                rival = uses.Issue("dirt", "another video", other.claim.job)
                uses.take(session, rival, found.shots)
        planned.append(found)
        return found

    monkeypatch.setattr(produce, "plan", plan_late)
    brief = order(0)
    held = holding(house, brief)
    saved, _ = produce._saved_plan(brief, house, held)
    assert len(planned) == 2
    assert not set(planned[0].shots) & set(saved.shots)
    with house.sessions.read() as session:
        assert len(job_lookup.timelines(session, held.claim.job)) == 1  # what was refused left nothing behind
        assert job_lookup.timelines(session, held.claim.job)["16:9"].version == 1


def test_a_series_on_a_library_of_rows_never_shows_a_moment_again(tmp_path: Path) -> None:
    """Films and compilations on one day, counted by a check that knows nothing of the store's rule."""
    house = parts(Settings(home=tmp_path, voice="silent"))
    with closing(house.sessions):
        fill(house, 240)
        moments, briefs, shown = moments_of(house), series_orders(), list[Shown]()
        for number in (6, 7, 11, 12):
            shots, _ = make(house, briefs(number))
            shown.append(Shown(0, shots, tuple(moments[shot] for shot in shots)))
    assert repeats(shown) == 0
    assert breaks(shown, 14) == 0
    assert sum(len(one.shots) for one in shown) > 16
    assert breaks([*shown, shown[0]], 14) == 1  # the check can see one


def test_a_film_that_the_library_fills_by_less_than_two_thirds_is_refused(house: Parts) -> None:
    asked = order(seconds=90, series=None)
    with pytest.raises(
        FilmTooShort, match=r"the film would last \d+\.\d s of the 90 s asked for; scene '.+' wants"
    ) as refusal:
        plan(asked, house)
    assert refusal.value.exit_code == NoShotForScene.exit_code
    shorter = int(re.search(r"ask for (\d+) s", refusal.value.next_step or "")[1])  # type: ignore[index]
    assert plan(asked.model_copy(update={"seconds": shorter}), house).trace["length"]["seconds"] > shorter * 2 / 3
