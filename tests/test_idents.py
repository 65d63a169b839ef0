"""Opening and closing: counted in whole frames, on both sides of the storyboard's own scenes, the AI label first."""

from __future__ import annotations

from fractions import Fraction

from factory.plan.idents import Ident, between
from factory.plan.timeline import Canvas, CardLayer, ClipLayer, ColorLayer, TimedScene, Timeline, check

FPS = Fraction(30_000, 1001)
LABEL = CardLayer("ai_label", {}, 6, 50, "label", enter=6, leave=6)
SCENES = (
    TimedScene("hook", 60, (ColorLayer("#102030", 0, 60), CardLayer("title", {}, 0, 60), LABEL)),
    TimedScene("end", 30, (ColorLayer("#102030", 0, 30),)),
)


def test_what_a_brand_opens_and_closes_with_is_counted_exactly() -> None:
    opening = Ident(Fraction(2), "ident", "Every day", "#202020", "#101010")
    closing = Ident(Fraction(5, 2), asset="c" * 64, has_sound=True)
    scenes = between(opening, closing, FPS, SCENES)
    assert [(s.id, s.frames) for s in scenes] == [("brand-intro", 59), ("hook", 60), ("end", 30), ("brand-outro", 74)]
    ground, card, label = scenes[0].layers
    assert ground == ColorLayer("#202020", 0, 59, "#101010")
    assert isinstance(card, CardLayer)
    assert (card.card, card.data, card.frames, card.counts) == ("ident", {"line": "Every day"}, 59, True)
    assert label == CardLayer("ai_label", {}, 0, 59, "label", 0, 0)
    assert [s.bare for s in scenes] == [True, False, False, True]
    (clip,) = scenes[-1].layers
    assert clip == ClipLayer("c" * 64, 0, Fraction(0), 0, 74, sound_db=0.0)
    timeline = Timeline("t", "en-US", "x", "b", Canvas(320, 180, FPS), scenes)
    check(timeline)
    assert timeline.frames == 59 + 60 + 30 + 74


def test_a_video_without_label_gets_none_and_without_ident_stays_as_it_is() -> None:
    opened = between(Ident(Fraction(2), "ident"), None, FPS, SCENES[1:])
    assert len(opened[0].layers) == 2
    assert between(None, None, FPS, SCENES) == SCENES


def test_an_opening_takes_whole_beats_where_cuts_fall_on_them() -> None:
    scenes = between(Ident(Fraction(2), "ident"), Ident(Fraction(2), "ident"), FPS, SCENES, beat=14)
    assert [scene.frames for scene in scenes] == [56, 60, 30, 59]
    assert between(Ident(Fraction(1, 4), "ident"), None, FPS, SCENES, beat=14)[0].frames == 7  # shorter than one
