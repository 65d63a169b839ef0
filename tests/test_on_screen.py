"""Numbers read from finished pictures: right ones pass; a wrong one is found, with its frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from factory.brief_set.on_screen import Numbers, check_numbers, stated_on
from factory.brief_set.orders import TableTruth
from factory.brief_set.truth import Truth
from factory.plan.timeline import Canvas, CardLayer, ColorLayer, Cue, TimedScene, Timeline
from factory.render.film import render_film
from factory.render.templates import Templates
from tests.render_kit import Store, hum
from understanding.burnt_in import TextReader

ABOUT = TableTruth(file="t.csv", names=("name",), value="sales")
READER = TextReader()


def table(**sales: int) -> Truth:
    rows = tuple({"name": name.replace("_", " "), "sales": str(sold)} for name, sold in sales.items())
    return Truth(ABOUT, rows, rows)


TRUTH = table(Lumen_S=14320, Terra_Pro=9736)


def card(**changes: Any) -> Mapping[str, Any]:
    data = {"rank": 2, "name": "Terra Pro", "value": "9736", "change": "none", "tied": False}
    return {**data, "unit": "units", "metric": "sales", "scale": "14320", "leader": "14320", **changes}


def program(data: Mapping[str, Any], caption: str = "Number 2: Terra Pro, 9,736 units.") -> Timeline:
    layers = (
        ColorLayer("#303840", 0, 60),
        CardLayer("rank_card", data, 0, 60, enter=10, leave=6, counts=True),
    )
    scenes = (TimedScene("place-2", 60, layers, cues=(Cue(4, 56, (caption,)),), still=True),)
    return Timeline("Sales", "en-US", "ranking", "autoreel", Canvas(1280, 720), scenes)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filmed(program(card()), tmp_path_factory.mktemp("film"))


def filmed(timeline: Timeline, folder: Path) -> Path:
    store, out = Store(folder / "store"), folder / "a.mp4"
    render_film(
        timeline,
        source=store.source,
        cached=store.cached,
        templates=Templates(),
        write_music=hum,
        out=out,
        draft=False,
    )
    return out


def checked(film: Path, timeline: Timeline, truth: Truth = TRUTH) -> Numbers:
    return check_numbers(film, timeline, [truth], Templates(), READER)


def test_right_numbers_pass(film: Path) -> None:
    assert checked(film, program(card())) == Numbers(4)  # a place and a figure, on the card and in the caption


def test_a_figure_that_is_not_the_tables_is_found_with_its_frame(film: Path) -> None:
    told = checked(film, program(card()), table(Lumen_S=14320, Terra_Pro=9763))
    assert told.checked == 4
    assert {(one.number, one.frame) for one in told.wrong} == {("9736", 32), ("9,736", 32), ("9,736", 30)}


def test_a_place_that_the_values_do_not_give_is_found(film: Path) -> None:
    told = checked(film, program(card()), table(Lumen_S=14320, Voyage_W=9800, Terra_Pro=9736))
    assert [one.why for one in told.wrong] == ["the table says 3 for rank of 'Terra Pro'"]


def test_a_number_that_is_not_in_the_picture_is_found(film: Path) -> None:
    told = checked(film, program(card(value="8736")), table(Lumen_S=14320, Terra_Pro=8736))
    assert ("8,736", "it is not read on the picture") in {(one.number, one.why) for one in told.wrong}


def test_a_price_in_ten_thousands_is_the_tables(tmp_path: Path) -> None:
    """The old price shares the unit of the new one: 26.98 → 24.98 万元."""
    said = {"kind": "指导价", "way": "down", "difference": "", "percent": "", "effective": "", "source": ""}
    data = {**said, "name": "X5", "old": {"value": "26.98", "unit": "万元"}, "new": {"value": "24.98", "unit": "万元"}}
    layers = (ColorLayer("#303840", 0, 60), CardLayer("price_card", data, 0, 60, enter=10, leave=6))
    timeline = replace(program(card()), locale="zh-CN", scenes=(TimedScene("prices-1", 60, layers, still=True),))
    about = TableTruth(file="t.csv", names=("name",), columns={"old_price": ("old",), "new_price": ("new",)})
    right = ({"name": "X5", "old_price": "269800", "new_price": "249800"},)
    wrong = ({"name": "X5", "old_price": "269000", "new_price": "249800"},)
    film = filmed(timeline, tmp_path)
    assert checked(film, timeline, Truth(about, right, right)) == Numbers(3)  # the name's 5 among them
    assert {one.number for one in checked(film, timeline, Truth(about, wrong, wrong)).wrong} == {"26.98", "26.98万元"}


def test_without_a_table_no_number_may_be_shown(film: Path) -> None:
    assert len(check_numbers(film, program(card()), [], Templates(), READER).wrong) >= 4


def test_every_sort_of_card_states_its_rows() -> None:
    spec = {"name": "X5", "specs": [{"label": "Range", "value": "560", "unit": "km"}]}
    entries = [{"name": "A", "value": "5.4", "unit": "s"}, {"name": "B", "value": "", "unit": ""}]
    price = {"name": "X5", "old": {"value": "269,800", "unit": "CNY"}, "new": {"value": "24.98", "unit": "万元"}}
    assert [(one.name, one.what, one.text) for one in stated_on("spec_card", spec)] == [("X5", "Range", "560km")]
    assert [one.name for one in stated_on("compare_card", {"title": "0-100", "entries": entries})] == ["A"]
    assert [(one.what, one.text) for one in stated_on("price_card", price)] == [
        ("old", "269,800CNY"),
        ("new", "24.98万元"),
    ]
    assert len(list(stated_on("table_card", {"rows": [card(), card(rank=3)]}))) == 4
    assert Decimal(2) == TRUTH.cell("Terra Pro", "rank")
