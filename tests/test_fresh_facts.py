"""Facts of the period that was asked for, and of no stale table; rows that were left out are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from factory.errors import WrongUsage
from factory.order_facts import facts_of
from factory.plan.brief import Brief
from factory.plan.staleness import TableStale
from factory.plan.tables import read_table
from factory.settings import Settings
from factory.store import catalog
from factory.store.catalog import UnknownSubject
from factory.wiring import Parts, prepare
from tests.test_catalog import SALES, X5


class Dated(Parts):
    """Parts on a day that stands still."""

    day = date(2026, 11, 29)

    def today(self) -> date:
        return self.day


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Dated]:
    built = Dated(Settings(home=tmp_path, voice="silent"))
    prepare(built.settings)
    with built.sessions.write() as session:
        catalog.save_cars(session, [X5])
        catalog.save_ranking(session, "suv-sales", replace(SALES, period="2026-09"))
        catalog.save_ranking(session, "suv-sales", SALES)
    yield built
    built.sessions.close()


def period(house: Dated, **sets: str) -> str:
    facts = facts_of(Brief(template="ranking", subject="suv-sales", set=sets), house)
    assert facts.ranking is not None
    return facts.ranking.period


def test_a_ranking_of_the_catalogue_is_the_newest_and_no_old_one(house: Dated) -> None:
    assert period(house) == "2026-10"
    house.day = date(2027, 1, 2)
    with pytest.raises(TableStale, match="suv-sales is stale: its newest month is 2026-10, over for 63 days"):
        period(house)
    assert period(house, stale="allow") == "2026-10"
    assert period(house, period="2026年9月") == "2026-09"
    with pytest.raises(UnknownSubject, match="'suv-sales' has no period '2026-08'") as refusal:
        period(house, period="2026-08")
    assert refusal.value.next_step == "its newest is 2026-10"
    assert facts_of(Brief(template="new_car_report", subject="northwind-x5"), house).cars == (X5,)


def test_invented_figures_do_not_age(house: Dated) -> None:
    house.day = date(2036, 1, 2)
    with house.sessions.write() as session:
        catalog.save_ranking(session, "suv-sales", replace(SALES, source=replace(SALES.source, sample=True)))
    assert period(house) == "2026-10"


def test_the_rows_of_a_table_that_were_left_out_are_told(house: Dated) -> None:
    text = "name,sales,period\na,3,2026-10\nb,2,2026-10\nc,1,2026-10\nd,0,2026-10\ne,9,2027-10\n"
    brief = Brief(template="ranking", data=read_table(text.encode(), "oct.csv"))
    assert facts_of(brief, house).refused == (
        "oct.csv, line 5, column 'sales': it is zero",
        "oct.csv, line 6, column 'period': its period 2027-10 has not begun on 2026-11-29",
    )
    cars = Brief(template="new_car_report", data=read_table(b"name,price\nA,1\nB,-1\n", "cars.csv"))
    assert facts_of(cars, house).refused == (
        "cars.csv, line 3, column 'price': -1 cannot be: it must be more than zero",
    )


def test_a_template_that_takes_no_table_refuses_one(house: Dated) -> None:
    with pytest.raises(WrongUsage, match="off_road takes no table"):
        facts_of(Brief(template="off_road", data=read_table(b"a,b\n1,2\n", "t.csv")), house)
