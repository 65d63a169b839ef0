"""Text and charts of a storyboard: what they say reaches their cards, and what would mislead is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from factory.plan.layer_parts import ChartPart, TextPart

POINTS = [{"label": "A", "value": 18234}, {"label": "B", "value": "12044.50"}]


def chart(**changes: Any) -> ChartPart:
    fields = {
        "type": "chart",
        "kind": "bar",
        "title": "Sales",
        "points": POINTS,
        "source": "Desk",
        "date": "2026-11-01",
    }
    return ChartPart.model_validate_json(json.dumps({**fields, **changes}))


def test_a_text_fills_its_card() -> None:
    text = TextPart(type="text", lines=("慢一点", "Slowly"), place="middle", plate=False)
    assert (text.card, text.counts) == ("text", False)
    assert text.data == {
        **{"lines": ["慢一点", "Slowly"], "place": "middle", "plate": False},
        **{"size": "label", "color": "text"},
    }


def test_a_chart_keeps_every_place_of_its_numbers_and_grows() -> None:
    made = chart(mark="A")
    assert (made.card, made.counts, made.enter) == ("bar_chart", True, 1.0)
    assert [point["value"] for point in made.data["points"]] == ["18234", "12044.50"]
    assert (made.data["source"], made.data["date"], made.data["mark"]) == ("Desk", "2026-11-01", "A")
    assert chart(kind="line").card == "line_chart"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"points": POINTS[:1]}, "at least 2"),
        ({"points": [*POINTS, {"label": "C", "value": -1}]}, "no negative value"),
        ({"points": POINTS * 5}, "10 bars are too many"),
        ({"points": [*POINTS, {"label": "C", "value": "many"}]}, "'many' is no number"),
        ({"points": [*POINTS, {"label": "C", "value": True}]}, "'True' is no number"),
        ({"points": [*POINTS, {"label": "C", "value": "1e400"}]}, "no number that can be shown"),
        ({"points": [*POINTS, {"lable": "C", "value": 1}]}, "points.2.lable"),
        ({"mark": "Z"}, "no point has the label 'Z'"),
        ({"source": ""}, "source"),
        ({"kind": "pie"}, "'bar' or 'line'"),
    ],
)
def test_a_chart_that_would_mislead_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        chart(**changes)
    if changes.get("points", [{}])[-1].get("value") == -1:
        assert chart(**changes, kind="line").card == "line_chart"
