"""The tables that ship load through the desk's own readers and say what they are."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

from factory.plan.brief import Table
from factory.plan.cars_table import read_cars
from factory.plan.ranking_table import rank_table, table_periods
from factory.plan.tables import read_table
from factory.samples import EV_SPECS, SAMPLE_CARS, SAMPLE_SALES, scenes
from understanding.labels import load_taxonomy


def _table(path: Path) -> Table:
    return read_table(path.read_bytes(), path.name)


def test_the_sample_cars_are_those_of_the_drawn_clips() -> None:
    cars, bad = read_cars(_table(SAMPLE_CARS), {}, body=load_taxonomy().resolve)
    assert bad == ()
    assert {car.slug for car in cars} == {scene.car for scene in scenes() if scene.car}
    for car in cars:
        assert car.source.sample
        assert car.source.name == "AutoReel sample catalogue"
        assert {"price", "range_km", "battery_kwh", "power_kw", "zero_to_100_s", "length_mm"} <= {
            s.key for s in car.specs
        }
        assert next(s.cycle for s in car.specs if s.key == "range_km") == "CLTC"
        shown = [scene for scene in scenes() if scene.car == car.slug]
        assert all(car.name_zh in scene.title_zh and car.name_en in scene.title_en for scene in shown)
        assert any(car.body in scene.tags for scene in shown)


def test_the_sample_sales_hold_a_tie_a_new_entry_and_gaps() -> None:
    table = _table(SAMPLE_SALES)
    newest, bad = rank_table(table, {})
    assert bad == ()
    assert newest.period == "2026-10"
    assert newest.source.sample
    assert "invented" in newest.source.name
    assert [row.name for row in newest.rows if row.tied] == ["Terra Pro", "Voyage W"]
    assert [row.name for row in newest.rows if row.change == "new"] == ["Pico E"]
    assert [row.rank for row in newest.rows] == [1, 2, 3, 3, 5, 6, 7, 8, 9, 10]
    assert table_periods(table, {}) == ("2026-05", "2026-06", "2026-08", "2026-09", "2026-10")
    after_gap, _ = rank_table(table, {"period": "2026-08"})
    assert {row.change for row in after_gap.rows} == {"unknown"}
    _, refused = rank_table(table, {"period": "2026-06"})
    assert [(row.column, "missing" in row.why) for row in refused] == [("sales", True)]


def test_the_real_table_carries_its_credit_in_every_row() -> None:
    with EV_SPECS.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert 40 <= len(rows) <= 80
    assert {row["licence"] for row in rows} == {"MIT, Copyright (c) 2024 Tijs Teulings"}
    assert {row["url"] for row in rows} == {"https://github.com/KilowattApp/open-ev-data"}


def test_the_real_table_ranks_and_reads_as_cars() -> None:
    ranking, bad = rank_table(_table(EV_SPECS), {"value": "usable_battery_kwh", "top": "5"})
    assert bad == ()
    assert ranking.unit == "kWh"
    assert not ranking.source.sample
    with EV_SPECS.open(encoding="utf-8") as stream:
        largest = max(Decimal(row["usable_battery_kwh"]) for row in csv.DictReader(stream))
    assert ranking.rows[0].value == largest
    cars, refused = read_cars(_table(EV_SPECS), {})
    assert refused == ()
    assert len(cars) == len({car.slug for car in cars}) >= 40
