"""What a plan says is read before anything is made: numbers, praise, letters; and a refusal ends the planning."""

from __future__ import annotations

from pathlib import Path

import pytest

from factory.plan.absolutes import AbsoluteRefused, AbsolutesWrong
from factory.plan.brief import Brief, Table
from factory.plan.claims import ClaimUnsupported
from factory.plan.facts import Facts
from factory.planning import plan
from factory.proofreading import check_letters, proofread
from factory.render.desk_text import DeskFileUnreadable
from factory.render.fonts import GlyphMissing
from factory.settings import Settings
from factory.wiring import Parts, parts
from tests.test_claims import sentence
from tests.test_storyboard_templates import KINDS, LOCALES, board, facts

BRIEF = Brief(template="off_road")


@pytest.fixture
def house(tmp_path: Path) -> Parts:
    (tmp_path / "desk").mkdir()
    return Parts(Settings(home=tmp_path / "home", templates=tmp_path / "desk", voice="silent"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_the_templates_pass(kind: str, locale: str, house: Parts) -> None:
    brief = Brief(template=kind, locale=locale, seconds=60)
    proofread(board(kind, brief.locale, seconds=60), facts(kind), brief, house)


def test_numbers_praise_and_letters_are_refused(house: Parts) -> None:
    for text, refusal in (("共50款。", ClaimUnsupported), ("最好。", AbsoluteRefused), ("走🚗。", GlyphMissing)):
        with pytest.raises(refusal, match="scene only"):
            proofread(sentence(text), Facts("x"), BRIEF, house)


def test_cards_leave_pictographs_out_but_no_letters() -> None:
    def card(line: str) -> None:
        check_letters(sentence("看。", layers=({"type": "card", "card": "verdict", "data": {"line": line}},)))

    card("走🚗。")
    with pytest.raises(GlyphMissing, match=r"'क' \(U\+0915.*a text of scene only"):
        card("कार")


def test_words_of_the_desk_are_read_from_its_templates(house: Parts) -> None:
    assert house.settings.templates
    own = house.settings.templates / "absolutes.yaml"
    own.write_text("zh-CN:\n  words:\n    神车: {instead: 车}\n", encoding="utf-8")
    with pytest.raises(AbsoluteRefused, match="神车"):
        proofread(sentence("神车。"), Facts("x"), BRIEF, house)
    own.write_text("zh-CN:\n  words: 5\n", encoding="utf-8")
    with pytest.raises(AbsolutesWrong, match=r"absolutes\.yaml:2"):
        proofread(sentence("神车。"), Facts("x"), BRIEF, house)
    own.write_bytes(b"zh-CN:\n  a: " + b"\xff\xfe")
    with pytest.raises(DeskFileUnreadable, match=r"absolutes\.yaml:2"):
        proofread(sentence("神车。"), Facts("x"), BRIEF, house)


def test_the_lexicon_of_the_desk_is_laid_over_the_packaged_one(house: Parts) -> None:
    assert house.settings.templates
    own = house.settings.templates / "lexicon.yaml"
    own.write_text("en-US: {words: {Xpeng: sha-oh-pung}}\n", encoding="utf-8")
    speech = house.narrator().speak("The Xpeng.", "en-US")
    assert speech.seconds > 0
    assert house.narrator()._readers["en-US"].spoken("The Xpeng.") == "The sha-oh-pung."


def test_a_table_of_incidents_may_hold_numbers(house: Parts) -> None:
    table = Table(
        name="t.csv", columns=("clip", "地点", "time"), rows=(("", "G4 高速 1203 公里处", "2026-08-03 14:30"),)
    )
    brief = Brief(template="accident_compilation", data=table)
    made = board("accident_compilation", data=table)
    proofread(made, Facts(""), brief, house)
    with pytest.raises(ClaimUnsupported, match="scene incident-1"):
        proofread(made, Facts(""), Brief(template="accident_compilation"), house)


def test_a_refusal_ends_the_planning_before_a_voice_speaks(tmp_path: Path) -> None:
    house = parts(Settings(home=tmp_path / "home", voice="silent"))
    brief = Brief(template="off_road", set={"title": "最强越野"})
    with pytest.raises(AbsoluteRefused, match="scene title"):
        plan(brief, house)
