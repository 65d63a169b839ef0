"""Each kind of video has the length that was asked for, in both languages; where it has not, the trace says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from factory.plan.brief import FPS, Brief
from factory.plan.facts import Facts, Locale, Ranking
from factory.plan.length import FAR, film_seconds, length_record, next_wish
from factory.plan.storyboard import Storyboard, read_storyboard
from factory.plan.timeline import Speech
from factory.plan.timing import Spoken, narration
from factory.render.music import frames_a_beat
from factory.render.phrases import speaking_seconds
from factory.render.templates import Templates
from factory.storyboarding import storyboard_for
from tests.test_storyboard_templates import KINDS, LOCALES, PRICES, SOURCE, car, ranking

TEMPLATES = Templates()
FACTS = tuple(
    car(slug, zh, en, specs=14)
    for slug, zh, en in (
        ("northwind-x5", "北风 X5", "Northwind X5"),
        ("lumen-s", "流明 S", "Lumen S"),
        ("kestrel-gt", "红隼 GT", "Kestrel GT"),
    )
)


def facts(kind: str) -> Facts:
    table: Ranking | None = ranking(10) if kind == "ranking" else None
    count = {"new_car_report": 1, "comparison": 2, "price_change": 2}.get(kind, 0)
    prices = PRICES if kind == "price_change" else ()
    return Facts("", FACTS[:count], table, (SOURCE,), prices)


def voice(pace: float, locale: Locale) -> Callable[[Storyboard], Spoken]:
    """Return a voice that takes `pace` times as long as the templates guess."""

    def speak(board: Storyboard) -> Spoken:
        spoken: dict[str, list[Speech]] = {}
        for sentence in narration(board):
            seconds = Fraction(str(round(pace * speaking_seconds(sentence.text, locale), 2)))
            spoken.setdefault(sentence.scene, []).append(Speech(sentence.text, "", seconds, ()))
        return spoken

    return speak


def film(kind: str, locale: Locale, seconds: int, pace: float = 1.0, about: Facts | None = None) -> Fraction:
    given = {"about": "race"} if kind == "highlights" else {}
    brief = Brief(template=kind, locale=locale, seconds=seconds, set=given, seed=seconds)

    def beat(board: Storyboard) -> int:
        music = board.audio.music
        return frames_a_beat(music.style, brief.seed, FPS) if music and music.cut == "beats" else 0

    known = {"facts": about or facts(kind), "place": 0}
    board, spoken = storyboard_for(
        brief, known, TEMPLATES, read=lambda text: read_storyboard(text, kind), speak=voice(pace, locale), beat=beat
    )
    return film_seconds(board, spoken, FPS, beat(board))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("seconds", [15, 30, 60, 180])
def test_every_kind_has_the_length_that_was_asked_for(kind: str, locale: Locale, seconds: int) -> None:
    assert abs(film(kind, locale, seconds) - seconds) <= FAR * seconds


@pytest.mark.parametrize("pace", [0.8, 1.2])
@pytest.mark.parametrize("kind", ["comparison", "ranking", "price_change"])
def test_a_voice_that_takes_another_time_than_guessed_changes_no_length(kind: str, pace: float) -> None:
    assert abs(film(kind, "en-US", 60, pace) - 60) <= FAR * 60


def test_facts_that_carry_no_more_give_a_shorter_film_and_say_so() -> None:
    three = Facts("", (), replace(ranking(10), rows=ranking(10).rows[4:7]))
    seconds = film("ranking", "zh-CN", 180, about=three)
    assert seconds < 60
    told = length_record(180, seconds, ())
    assert told["why"] == "the facts carry no more than was said and shown"


def test_the_reason_of_another_length_is_told() -> None:
    assert length_record(60, Fraction(58), ()) == {"asked": 60, "seconds": 58.0}
    assert "no shot for 2 further scenes" in length_record(60, Fraction(40), ("look-1", "look-2"))["why"]
    assert "takes that long" in length_record(15, Fraction(20), ())["why"]


def test_what_a_template_missed_is_asked_for_next() -> None:
    assert next_wish(60, 60, Fraction(62)) is None
    assert next_wish(60, 60, Fraction(50)) == 70
    assert next_wish(60, 70, Fraction(64)) == 66
    assert next_wish(15, 10, Fraction(22)) is None  # no template can be asked for less
