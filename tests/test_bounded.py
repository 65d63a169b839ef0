"""What a template makes of its values stays what Jinja makes of them, up to a bound."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from markupsafe import Markup

from factory.render.bounded import (
    MAX_JOINED,
    MAX_REPEAT,
    LimitReached,
    calculated,
    joined_filter,
    replace_filter,
    strung,
)


def test_within_the_bound_nothing_changes() -> None:
    assert strung("a", 1, Decimal("2.50"), None) == "a12.50None"
    assert joined_filter(["a", 1], ", ") == "a, 1"
    assert replace_filter("a-b-c", "-", "+") == "a+b+c"
    for operator, left, right in (("+", "a", "b"), ("+", [1], [2]), ("+", 1, 2.5), ("*", 9**9, 9), ("**", 2, 64)):
        calculated(operator, left, right)


def test_what_a_macro_wrote_stays_markup_and_what_is_joined_to_it_is_escaped() -> None:
    assert strung(Markup("<g/>"), "<x>") == Markup("<g/>&lt;x&gt;")
    assert joined_filter([Markup("<g/>"), "<x>"]) == Markup("<g/>&lt;x&gt;")
    assert not isinstance(joined_filter(["<g/>"]), Markup)


@pytest.mark.parametrize(
    ("operator", "left", "right"),
    [
        ("*", "a", 3),
        ("%", "%9d", 1),
        ("**", 2, 65),
        ("**", 10**40, 60),
        ("*", 2**4000, 2**200),
        ("+", "a" * MAX_JOINED, "b"),
        ("+", [0] * MAX_REPEAT, [1]),
    ],
)
def test_beyond_it_the_template_is_stopped(operator: str, left: Any, right: Any) -> None:
    with pytest.raises(LimitReached):
        calculated(operator, left, right)


def test_long_texts_are_not_even_begun() -> None:
    for make in (
        lambda: strung("a" * MAX_JOINED, "b"),
        lambda: joined_filter(range(1000), "a" * 1000),
        lambda: replace_filter("a" * 1000, "a", "b" * 1000),
    ):
        with pytest.raises(LimitReached):
            make()
