from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from factory.plan.facts import Car, Ranking, RankingRow, Source, Spec
from factory.store import catalog
from factory.store.db import Sessions
from factory.store.schema import CarSpec, SourceRow
from tests.stores import BOTH, empty_store

DESK = Source("Sample desk", "2026-10-01", sample=True)
SPECS = (
    Spec("range_km", "续航", "Range", Decimal("560.0"), "km", "CLTC"),
    Spec("power_kw", "功率", "Power", Decimal("1E+2"), "kW"),
)
X5 = Car("northwind-x5", "Northwind", "北风 X5", "Northwind X5", "suv", SPECS, DESK, ("NW X5", "大北风"))
LUMEN = Car("lumen-s", "Lumen", "流明 S", "Lumen S", "sedan", (), replace(DESK, date="2026-09"), ("the saloon",))
KESTREL = Car("kestrel-gt", "Kestrel", "红隼 GT", "Kestrel GT", "coupe", (), DESK, ("the saloon", "Lumen S"))
SALES = Ranking(
    title="SUV sales",
    metric="units",
    unit="units",
    period="2026-10",
    rows=(
        RankingRow(1, "Northwind X5", Decimal(12345), "up", previous_rank=3, previous_value=Decimal("11000.5")),
        RankingRow(2, "流明S", Decimal(9000), "new", tied=True),
        RankingRow(2, "Nobody's car", Decimal(9000), tied=True),
    ),
    source=Source("Registry", "2026-11-01", "https://example.org/t.csv", "CC-BY-4.0"),
)


@pytest.fixture
def stocked(sessions: Sessions) -> Sessions:
    stock(sessions)
    return sessions


@pytest.fixture(scope="module", params=BOTH)
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """The same stock, for tests that only look."""
    with empty_store(request.param, request, tmp_path_factory.mktemp("shelf")) as sessions:
        stock(sessions)
        yield sessions


def stock(sessions: Sessions) -> None:
    with sessions.write() as session:
        assert catalog.save_cars(session, [X5, LUMEN, KESTREL]) == 3
        catalog.save_ranking(session, "suv-sales", replace(SALES, period="2026-09", rows=SALES.rows[:1]))
        catalog.save_ranking(session, "suv-sales", SALES)


def test_cars_come_back_exact(shelf: Sessions) -> None:
    with shelf.read() as session:
        assert catalog.all_cars(session) == (KESTREL, LUMEN, X5)
        assert str(catalog.all_cars(session)[2].specs[0].value) == "560.0"


@pytest.mark.parametrize(
    "name",
    [
        "northwind-x5",
        "Northwind X5",
        "NORTHWINDX5",
        "北风X5",
        "北风 x5",
        "nw-x5",
        " 大北风 ",
        "ＮＯＲＴＨＷＩＮＤ Ｘ５",
    ],
)
def test_a_car_is_found_by_any_of_its_names(shelf: Sessions, name: str) -> None:
    with shelf.read() as session:
        facts = catalog.facts_for(session, name)
    assert (facts.subject, facts.cars, facts.sources, facts.ranking) == (name, (X5,), (DESK,), None)


def test_an_official_name_wins_over_an_alias_and_two_aliases_are_asked_about(shelf: Sessions) -> None:
    with shelf.read() as session:
        assert catalog.find_car(session, "Lumen S") == LUMEN
        with pytest.raises(catalog.AmbiguousSubject, match="kestrel-gt, lumen-s"):
            catalog.facts_for(session, "The Saloon")


@pytest.mark.parametrize("name", ["suv-sales", "SUV sales", "suv_sales"])
def test_a_ranking_is_found_with_its_cars_and_sources(shelf: Sessions, name: str) -> None:
    with shelf.read() as session:
        facts = catalog.facts_for(session, name)
        earlier = catalog.facts_for(session, name, period="2026-09")
    assert facts.ranking is not None
    assert [row.car.slug if row.car else None for row in facts.ranking.rows] == ["northwind-x5", "lumen-s", None]
    assert replace(facts.ranking, rows=tuple(replace(row, car=None) for row in facts.ranking.rows)) == SALES
    assert facts.cars == (X5, LUMEN)
    assert facts.sources == (SALES.source, DESK, LUMEN.source)
    assert earlier.ranking is not None
    assert len(earlier.ranking.rows) == 1


def test_loading_again_replaces_whole_rows(stocked: Sessions) -> None:
    newer = replace(
        X5, specs=(replace(SPECS[0], value=Decimal(600)),), aliases=(), source=replace(DESK, date="2026-11")
    )
    with stocked.write() as session:
        catalog.save_cars(session, [newer])
        catalog.save_cars(session, [newer])
        catalog.save_ranking(session, "suv-sales", replace(SALES, rows=SALES.rows[:2]))
    with stocked.read() as session:
        assert catalog.find_car(session, "northwind-x5") == newer
        assert catalog.find_car(session, "NW X5") is None
        found = catalog.find_ranking(session, "suv-sales", period="2026-10")
        assert found is not None
        assert len(found.rows) == 2
        assert session.scalar(sa.select(sa.func.count()).select_from(CarSpec)) == 1
        assert len(session.scalars(sa.select(SourceRow)).all()) == 4


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("northwin x5", "northwind-x5"),
        ("北风X6", "北风 X5 (northwind-x5)"),
        ("suv-salez", "suv-sales"),
        ("zzz", "known are"),
    ],
)
def test_an_unknown_subject_names_the_nearest(shelf: Sessions, name: str, hint: str) -> None:
    with shelf.read() as session, pytest.raises(catalog.UnknownSubject) as refusal:
        catalog.facts_for(session, name)
    assert hint in refusal.value.next_step
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize("name", ["", "  ", "!!!", "\0"])
def test_a_name_of_nothing_is_unknown(sqlite: Sessions, name: str) -> None:
    with sqlite.read() as session, pytest.raises(catalog.UnknownSubject, match="nothing is known") as refusal:
        catalog.facts_for(session, name)
    assert "empty" in refusal.value.next_step
