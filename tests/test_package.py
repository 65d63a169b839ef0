"""The words for platforms: inside every rule, whole sentences of the video, chapters that are long enough."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.packing import load_platforms
from factory.plan.facts import Car, Facts, Ranking, RankingRow, Source
from factory.plan.package import Told, chapters_of, clock, hashtags, package, title_of
from factory.plan.platforms import ChapterRule
from factory.plan.timeline import Canvas, CardLayer, ColorLayer, Music, Speech, SpokenLine, TimedScene, Timeline

PLATFORMS = load_platforms()
TABLE = Source("Desk", "2026-10", sample=True)
CAR = Car("x5", "Northwind", "北风 X5", "Northwind X5", "suv", (), TABLE)


def scene(name: str, seconds: int, said: str = "", card: CardLayer | None = None) -> TimedScene:
    frames = 30 * seconds
    lines = (SpokenLine(Speech(said, "0" * 64, Fraction(1)), 0),) if said else ()
    return TimedScene(name, frames, (ColorLayer("#000000", 0, frames), *([card] if card else [])), lines=lines)


def lower_third(name: str) -> CardLayer:
    return CardLayer("lower_third", {"name": name, "line": ""}, 0, 30, "lower_third")


def rank_card(rank: int, name: str) -> CardLayer:
    return CardLayer("rank_card", {"rank": rank, "name": name, "value": 3}, 0, 30)


def film(*scenes: TimedScene, title: str = "北风 X5", locale: str = "zh-CN") -> Timeline:
    return Timeline(title, locale, "t", "autoreel", Canvas(320, 180), scenes, Music("drive", 0))


REPORT = film(
    scene("hook", 4, "今天看的是北风 X5。", CardLayer("title", {"title": "北风 X5"}, 0, 30, "title")),
    scene("outside", 12, "先看外观。", lower_third("外观")),
    scene("inside", 12, "再看内饰。", lower_third("内饰")),
    scene("more", 12, "仪表很大。", lower_third("内饰")),
    scene("credits", 4, card=CardLayer("credits", {"footage": ["A"]}, 0, 30, "credits")),
)
TOLD = Told("新车速报", Facts("北风 X5", (CAR,), None, (TABLE,)), ("Ann (CC-BY)", "Bo"))


def test_every_sentence_of_the_video_is_there_and_nothing_that_praises() -> None:
    found = package(REPORT, TOLD, PLATFORMS)
    assert json.loads(json.dumps(found)) == found
    for words in found["platforms"].values():
        lines = words["description"].splitlines()
        assert lines[0] == "今天看的是北风 X5。先看外观。再看内饰。仪表很大。"
        assert lines[1:4] == [
            "数据来源：Desk，2026-10",
            "数据为示例，并非真实数据。",
            "配音与音乐由人工智能或程序合成。",
        ]
        assert lines[4:6] == ["画面：Ann (CC-BY)", "画面：Bo"]
        said = "".join((*lines, words["title"], *words["hashtags"]))
        assert not any(claim in said for claim in ("最", "第一", "国家级", "首选"))


def test_hashtags_are_in_the_platform_s_form_and_stand_where_it_wants_them() -> None:
    found = package(REPORT, TOLD, PLATFORMS)["platforms"]
    assert found["bilibili"]["hashtags"] == ["新车速报", "北风X5", "Northwind"]
    assert found["bilibili"]["hashtag_text"] == "#新车速报# #北风X5# #Northwind#"
    assert "#" not in found["bilibili"]["description"]
    assert found["douyin"]["description"].endswith("\n#新车速报 #北风X5 #Northwind")


def test_a_ranking_names_the_first_places_and_english_its_own_words() -> None:
    rows = tuple(RankingRow(n, f"Car {n}", Decimal(9 - n), car=CAR if n == 1 else None) for n in range(1, 9))
    ranking = Ranking("Sales", "sales", "units", "2026-10", rows, TABLE)
    told = Told("Ranking", Facts("Sales", (), ranking, (TABLE,)))
    assert hashtags(told, "en-US", PLATFORMS["youtube"]) == ("Ranking", "NorthwindX5", "Car2", "Car3")
    english = film(scene("hook", 4, "One."), scene("b", 4, "Two."), title="Sales", locale="en-US")
    lines = package(english, told, PLATFORMS)["platforms"]["youtube"]["description"].splitlines()
    assert lines[:2] == ["One. Two.", "Source: Desk, 2026-10"]
    assert "AI" in lines[3]


# titles


@pytest.mark.parametrize(
    ("platform", "title", "wanted"),
    [
        ("youtube", "A <b> & C", "A b & C"),
        ("wechat_channels", "北风 X5", "北风 X5 新车速报"),
        ("wechat_channels", "销量榜，2026年10月：前十名，从后往前数", "销量榜 2026年10月：前十名"),
        ("douyin", "字" * 40, "字" * 29 + "…"),
        ("youtube", "word " * 30, ("word " * 19).strip() + "…"),
    ],
)
def test_titles_fit(platform: str, title: str, wanted: str) -> None:
    assert title_of(title, "新车速报", PLATFORMS[platform]) == wanted


@settings(max_examples=150, deadline=None)
@given(
    title=st.text(min_size=1, max_size=200),
    said=st.lists(st.text(min_size=1, max_size=2000), max_size=12),
    credits=st.lists(st.text(min_size=1, max_size=300), max_size=60),
    name=st.text(min_size=1, max_size=60),
    locale=st.sampled_from(["zh-CN", "en-US"]),
)
def test_no_rule_is_broken_by_any_text(title: str, said: list[str], credits: list[str], name: str, locale: str) -> None:
    car = Car("x", name, name, name, "suv", (), TABLE)
    timeline = film(
        *(scene(f"s{n}", 7, text, lower_third(text[:9])) for n, text in enumerate(said or ["a"])),
        title=title,
        locale=locale,
    )
    found: dict[str, Any] = package(timeline, Told("k", Facts("x", (car,), None, (TABLE,)), tuple(credits)), PLATFORMS)
    for key, words in found["platforms"].items():
        rules = PLATFORMS[key]
        assert len(words["title"]) <= rules.title.most
        assert len(words["description"]) <= rules.description.most
        assert len(words["hashtags"]) <= rules.hashtags.most
        assert all(1 <= len(tag) <= rules.hashtags.longest and " " not in tag for tag in words["hashtags"])
        assert not set(rules.refused) & set(words["title"] + words["description"])
        chapters = [chapter["at"] for chapter in words["chapters"]]
        assert chapters == sorted(chapters)
        if chapters:
            assert rules.chapters
            ends = [*chapters[1:], float(timeline.seconds)]
            assert chapters[0] == 0
            assert all(end - at >= rules.chapters.seconds for at, end in zip(chapters, ends, strict=True))


def test_what_is_synthetic_and_invented_is_said_however_long_the_rest_is() -> None:
    long = film(*(scene(f"s{n}", 5, "字" * 300) for n in range(20)))
    credits = tuple(f"Photographer {n}" for n in range(200))
    found = package(long, Told("新车速报", TOLD.facts, credits), PLATFORMS)["platforms"]
    for words in found.values():
        assert "人工智能" in words["description"]
        assert "并非真实数据" in words["description"]
        assert "字" * 300 in words["description"]
        assert "见随片说明" in words["description"]


# chapters


def test_chapters_begin_at_zero_and_short_scenes_belong_to_the_one_before() -> None:
    found = package(REPORT, TOLD, PLATFORMS)["platforms"]
    assert [(c["clock"], c["title"]) for c in found["bilibili"]["chapters"]] == [("0:00", "北风 X5"), ("0:16", "内饰")]
    longer = film(*(scene(f"p{n}", 11, card=rank_card(n, f"Car {n}")) for n in (3, 2, 1)))
    chapters = chapters_of(longer, ChapterRule(seconds=10, fewest=3))
    assert [(c.start, c.title) for c in chapters] == [(0, "第3名 Car 3"), (330, "第2名 Car 2"), (660, "第1名 Car 1")]


def test_too_few_chapters_are_none() -> None:
    rules = ChapterRule(seconds=10, fewest=3)
    assert chapters_of(film(scene("a", 30), scene("b", 30, card=lower_third("B"))), rules) == ()


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65.9, "1:05"), (3600, "1:00:00")])
def test_clocks(seconds: float, text: str) -> None:
    assert clock(seconds) == text
