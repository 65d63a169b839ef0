"""Facts to try a template with: the invented cars and sales that ship, as a table would give them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from factory.plan.cars_table import read_cars
from factory.plan.facts import Car, Facts, Ranking
from factory.plan.ranking_table import rank_table
from factory.plan.tables import read_table

_TABLES = Path(__file__).parent / "samples" / "tables"  # the package itself brings the painters


def sample_facts(needs: str) -> Facts:
    """Return what a template with these needs can be filled with; all there is, where it needs something else."""
    cars, ranking = _samples()
    match needs:
        case "nothing":
            return Facts("")
        case "car":
            return Facts(cars[0].name_en, cars[:1], None, (cars[0].source,))
        case "ranking":
            return Facts(ranking.title, tuple(row.car for row in ranking.rows if row.car), ranking, (ranking.source,))
        case _:
            return Facts(ranking.title, cars, ranking, (ranking.source, cars[0].source))


@cache
def _samples() -> tuple[tuple[Car, ...], Ranking]:
    cars, _ = read_cars(read_table((_TABLES / "sample-cars.csv").read_bytes(), "sample-cars.csv"), {})
    ranking, _ = rank_table(read_table((_TABLES / "sample-sales.csv").read_bytes(), "sample-sales.csv"), {})
    named = {name.casefold(): car for car in cars for name in car.names()}
    rows = tuple(replace(row, car=named.get(row.name.casefold())) for row in ranking.rows)
    return cars, replace(ranking, rows=rows)
