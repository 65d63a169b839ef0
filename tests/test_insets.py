"""Insets: their shape, and that a layer of several shots fades only at its ends."""

from __future__ import annotations

from fractions import Fraction

from factory.plan.insets import inset_of, shape_of, standing
from factory.plan.layer_parts import InsetPart
from factory.plan.timeline import Canvas, ClipLayer, Inset

FPS = Fraction(30)


def test_the_shape_is_said_or_that_of_the_box() -> None:
    assert shape_of(Inset(shape="4:3"), Canvas(1920, 1080)) == Fraction(4, 3)
    assert shape_of(Inset(box=(0.5, 0.0, 1.0, 0.5)), Canvas(1080, 1920)) == Fraction(9, 16)


def test_fades_have_room_in_a_short_layer() -> None:
    inset = inset_of(InsetPart(enter=0.3, leave=0.5), 12, FPS)
    assert (inset.enter, inset.leave) == (9, 3)


def test_the_first_shot_fades_in_and_the_last_one_out() -> None:
    clips = [ClipLayer("a", n, Fraction(0), 40 * n, 40) for n in range(3)]
    shown = standing(clips, InsetPart(), FPS)
    assert [(c.inset.enter, c.inset.leave) for c in shown if c.inset] == [(9, 0), (0, 0), (0, 8)]
    assert standing(clips, None, FPS) == tuple(clips)
