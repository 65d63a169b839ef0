"""Superlatives are refused in both languages unless the ranking shown carries them; names and idioms are none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from factory.plan.absolutes import AbsoluteRefused, AbsolutesWrong, check_absolutes, packaged_absolutes, read_absolutes
from factory.plan.facts import Facts, Locale, Source
from tests.test_claims import sentence
from tests.test_storyboard_templates import CARS, KINDS, LOCALES, board, facts, ranking

WORDS = packaged_absolutes()
TABLE = Facts("x", ranking=ranking(6))
FASTEST = Facts("x", ranking=replace(ranking(6), metric="zero_to_100_s", unit="s"))
CAR = Facts("x", cars=(CARS[0],))


@pytest.mark.parametrize(
    ("text", "locale", "word"),
    [
        ("这是最好的SUV。", "zh-CN", "最"),
        ("国家级品质，顶级用料。", "zh-CN", "顶级"),
        ("北风 X5是销量第一。", "zh-CN", "第一"),
        ("北风 X5，100%安全。", "zh-CN", "100%"),
        ("独家首发，唯一选择。", "zh-CN", "唯一"),
        ("北风 X5，NO.1。", "zh-CN", "No.1"),
        ("The best SUV on sale.", "en-US", "best"),
        ("Number one: Northwind X5.", "en-US", "number one"),
        ("It is the FASTEST car.", "en-US", "fastest"),
        ("An unrivalled cabin, and the most comfortable.", "en-US", "unrivalled"),
    ],
)
def test_a_superlative_without_a_table_is_refused(text: str, locale: Locale, word: str) -> None:
    with pytest.raises(AbsoluteRefused) as refusal:
        check_absolutes(sentence(text, locale), CAR, WORDS)
    assert word in {found.absolute.word for found in refusal.value.found}
    assert "scene only" in refusal.value.cause
    assert refusal.value.next_step.startswith("write instead: ")


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("最高时速200公里，最大功率290千瓦。", "zh-CN"),
        ("最后，看最近一期的第一季度数据。", "zh-CN"),
        ("第一排座椅很宽。", "zh-CN"),
        ("绝对值。", "zh-CN"),
        ("Bestseller lists, almost everyone, and a bestial roar.", "en-US"),
        ("At best it is early. Top speed: 200 km/h.", "en-US"),
    ],
)
def test_names_and_idioms_are_no_superlatives(text: str, locale: Locale) -> None:
    check_absolutes(sentence(text, locale), CAR, WORDS)


@pytest.mark.parametrize(
    ("text", "locale", "about", "carried"),
    [
        ("榜首是北风 X5，1.82万辆。", "zh-CN", TABLE, True),
        ("北风 X5，销量第一，最畅销。", "zh-CN", TABLE, True),
        ("流明 S，销量第一。", "zh-CN", TABLE, False),  # it comes second
        ("北风 X5和流明 S并列第一。", "zh-CN", TABLE, False),
        ("北风 X5最快。", "zh-CN", TABLE, False),  # another metric
        ("北风 X5最快。", "zh-CN", FASTEST, True),
        ("北风 X5是最好的。", "zh-CN", TABLE, False),  # no table says what is good
        ("谁是第一？", "zh-CN", TABLE, False),  # of whom?
        ("Number one: Northwind X5.", "en-US", TABLE, True),
        ("Number one: Lumen S.", "en-US", TABLE, False),
        ("The best-selling car: Northwind X5.", "en-US", TABLE, True),
    ],
)
def test_a_ranking_carries_what_it_shows(text: str, locale: Locale, about: Facts, carried: bool) -> None:
    made = sentence(text, locale)
    if carried:
        check_absolutes(made, about, WORDS)
    else:
        with pytest.raises(AbsoluteRefused):
            check_absolutes(made, about, WORDS)


def test_a_ranking_without_source_or_period_carries_nothing() -> None:
    made = sentence("榜首是北风 X5。")
    assert TABLE.ranking
    nameless = replace(TABLE.ranking, source=Source("", "2026-11-01"))
    undated = replace(TABLE.ranking, period="", source=Source("Desk", ""))
    for about in (nameless, undated):
        with pytest.raises(AbsoluteRefused):
            check_absolutes(made, Facts("x", ranking=about), WORDS)


def test_titles_and_cards_are_read_too() -> None:
    card = {"type": "card", "card": "verdict", "data": {"label": "x", "lines": ["续航560公里", "完美"]}}
    for made in (sentence("看。", title="最强SUV"), sentence("看。", layers=(card,))):
        with pytest.raises(AbsoluteRefused):
            check_absolutes(made, CAR, WORDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_the_templates_praise_nothing_that_the_table_does_not_carry(kind: str, locale: Locale) -> None:
    for seed in range(3):
        about = facts(kind)
        check_absolutes(board(kind, locale, about, seconds=60, seed=seed), about, WORDS)


def test_the_name_of_a_car_may_be_a_superlative() -> None:
    named = Facts("x", cars=(replace(CARS[0], name_zh="北风极致"),))
    check_absolutes(sentence("今天看的是北风极致。"), named, WORDS)


def test_a_desk_lays_words_of_its_own_over_them() -> None:
    own = read_absolutes("zh-CN: {words: {神车: {instead: 车}}, allowed: [完美主义]}", "own.yaml", WORDS)
    check_absolutes(sentence("完美主义。"), CAR, own)
    for text in ("神车。", "最好。", "完美。"):
        with pytest.raises(AbsoluteRefused):
            check_absolutes(sentence(text), CAR, own)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("zh-CN:\n  words:\n    神车: {instaed: 车}", "own.yaml:3: zh-CN.words.神车"),
        ("zh-CN:\n  wrods: {}", "own.yaml:2: zh-CN.wrods"),
        ("fr: {}", "own.yaml:1"),
        ("zh-CN: [", "own.yaml:1"),
        ("zh-CN:\n  words:\n    神车: {instead: 车, carried: maybe}", "own.yaml:3"),
    ],
)
def test_a_wrong_file_names_the_line(text: str, place: str) -> None:
    with pytest.raises(AbsolutesWrong) as refusal:
        read_absolutes(text, "own.yaml", WORDS)
    assert place in refusal.value.cause
