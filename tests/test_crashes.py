"""Workers that die anywhere in a job's life lose nothing and do nothing twice (crashing.py)."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from factory.store.job import MAX_ATTEMPTS
from tests.crashing import IN_WORK, POINTS, crash_and_count, plan

CRASHES = 100


def test_a_plan_is_the_same_for_a_seed_and_has_all_points() -> None:
    orders = plan(950, seed=1)
    assert orders == plan(950, seed=1) != plan(950, seed=2)
    planned = [point for order in orders for point in (*order.in_work, *order.once)]
    assert len(planned) == 950
    assert {planned.count(point) for point in POINTS} == {86, 87}
    assert all(len(order.in_work) <= MAX_ATTEMPTS and set(order.in_work) <= set(IN_WORK) for order in orders)
    assert any(order.poison for order in orders)
    assert any(not order.in_work for order in orders)


@pytest.mark.fault
def test_a_hundred_crashes_lose_no_job_and_double_none(tmp_path: Path) -> None:
    tally = crash_and_count(tmp_path, CRASHES, seed=7, patience=200.0)
    assert tally.wrong() == dict.fromkeys(tally.wrong(), 0)
    assert tally.killed == tally.crashed.total() >= CRASHES - 10  # a busy machine may take an attempt before its crash
    assert tally.crashed.keys() == set(POINTS)
    assert tally.published + tally.dead == tally.jobs
    assert tally.published >= tally.jobs // 2
    assert tally.dead >= tally.dead_by_plan > 0
    waits = [wait for waits in tally.delays.values() for wait in waits]
    assert statistics.median(waits) < 20  # seconds, of which lease and reaper are 0.6
