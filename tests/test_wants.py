"""A clip layer's wants as a query of the index."""

from __future__ import annotations

import pytest

from factory.plan.query import EVERYTHING, QuerySyntax, format_query
from factory.plan.storyboard import ShotQuery
from factory.plan.wants import UnknownTag, preferences, storyboard_query

NAMES = {"mud": "mud", "泥地": "mud", "rock": "rock", "night": "night", "suv": "suv", "exterior": "exterior"}


def wants(**fields: object) -> str:
    return format_query(storyboard_query(ShotQuery.model_validate(fields), NAMES.get, lambda _: "mud"))


def test_lists_where_and_words_are_joined() -> None:
    asked = wants(
        tags_all=["exterior"],
        tags_any=["泥地", "rock"],
        tags_none=["night"],
        where="suv | rock",
        text=["X5", "北风 X5"],
    )
    assert asked == 'exterior & (mud | rock) & (suv | rock) & -night & ("X5" | "北风 X5") & confidence:>=0.3'


def test_an_empty_wish_is_everything() -> None:
    assert storyboard_query(ShotQuery(), NAMES.get) == EVERYTHING
    assert wants(text=["  "]) == ""


def test_confidence_is_asked_of_named_tags_only() -> None:
    assert wants(text=["X5"]) == '"X5"'
    assert wants(tags_none=["night"]) == "-night"
    assert wants(tags_all=["mud"], min_score=0) == "mud"
    assert wants(tags_all=["mud"], min_score=0.55) == "mud & confidence:>=0.55"


@pytest.mark.parametrize("field", ["tags_all", "tags_any", "tags_none"])
def test_an_unknown_tag_names_the_nearest(field: str) -> None:
    with pytest.raises(UnknownTag, match="no tag 'mudd'") as refusal:
        wants(**{field: ["mudd"]})
    assert "did you mean 'mud'?" in refusal.value.next_step


def test_where_is_read_by_the_grammar() -> None:
    with pytest.raises(QuerySyntax, match="column 6"):
        wants(where="mud &")


def test_preferences_are_tags_where_known() -> None:
    assert preferences(ShotQuery(prefer=("泥地", "mud", "splash", " ")), NAMES.get) == ("mud", "splash")


def test_a_shot_that_names_the_car_serves_for_words() -> None:
    assert wants(tags_all=["mud"], text=["X5"], car="x5") == 'mud & ("X5" | car:x5) & confidence:>=0.3'
    assert wants(tags_all=["mud"], car="northwind-x5") == "mud & confidence:>=0.3"
