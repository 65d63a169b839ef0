"""The rules of the platforms, and what is refused of a file of them."""

from __future__ import annotations

import pytest

from factory.packing import load_platforms
from factory.plan.platforms import PlatformsWrong, read_platforms


def test_the_four_platforms_have_rules() -> None:
    found = load_platforms()
    assert set(found) == {"bilibili", "douyin", "youtube", "wechat_channels"}
    assert found["bilibili"].hashtags.form.format("车") == "#车#"
    assert all(found[name].hashtags.form.format("车") == "#车" for name in ("douyin", "youtube", "wechat_channels"))
    assert found["youtube"].chapters
    assert (found["youtube"].chapters.seconds, found["youtube"].chapters.fewest) == (10, 3)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- a", "no list of platforms"),
        ("a: {", "no list of platforms"),
        ("a: 3", "a valid dictionary"),
        ("a: {name: {zh: a, en: a}, titel: 3}", "titel|title"),
        ("a: {name: {zh: a, en: a}, hashtags: {form: '#', most: 1, longest: 1, counted: true}}", "hashtags.form|title"),
    ],
)
def test_a_wrong_file_is_named_with_its_place(text: str, place: str) -> None:
    with pytest.raises(PlatformsWrong, match=place) as refusal:
        read_platforms(text, "mine.yaml")
    assert "mine.yaml" in refusal.value.cause
    assert refusal.value.next_step
