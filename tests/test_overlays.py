"""Drawn cards: placed by their viewBox, drawn with our font only, refused with a sentence, counting ones by frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from factory.plan.timeline import Canvas, CardLayer, ColorLayer
from factory.render.fonts import GlyphMissing, check_glyphs
from factory.render.overlays import CardUnreadable, Drawing, draw_card, draw_color, read_sheet
from tests.render_kit import PlainCards, Store

CANVAS = Canvas(640, 360)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def draw(layer: CardLayer, store: Store, scale: Fraction = Fraction(1)) -> Drawing:
    cards = PlainCards()
    return draw_card(
        layer, cards, store.cached, canvas=CANVAS, brand="b", locale="zh-CN", scale=scale, where="card 'x' of scene 's'"
    )


def test_a_card_is_drawn_at_its_own_size_and_place(store: Store) -> None:
    drawing = draw(CardLayer("x", {"text": "北风 X5", "box": (41, 202, 300, 80)}, 0, 30), store)
    assert (drawing.left, drawing.top) == (40, 202)
    assert drawing.moving is None
    with Image.open(drawing.still) as picture:
        assert picture.size == (300, 80)
        assert picture.mode == "RGBA"
        pixels = np.asarray(picture)
    assert tuple(pixels[3, 3]) == (0x20, 0x30, 0x40, 255)
    assert (pixels[:50, :, 0] > 200).sum() > 200  # the white of the letters


def test_a_draft_shrinks_place_and_size(store: Store) -> None:
    drawing = draw(CardLayer("x", {"box": (40, 200, 300, 80)}, 0, 30), store, Fraction(1, 2))
    assert (drawing.left, drawing.top) == (20, 100)
    with Image.open(drawing.still) as picture:
        assert picture.size == (150, 40)


def test_a_counting_card_is_a_clear_clip_that_ends_as_the_still(store: Store) -> None:
    drawing = draw(CardLayer("x", {"box": (40, 200, 200, 60)}, 0, 30, enter=10, counts=True), store)
    assert drawing.moving_frames == 10
    assert drawing.moving is not None
    with av.open(str(drawing.moving)) as container:
        frames = [frame.to_ndarray(format="rgba") for frame in container.decode(video=0)]
    assert len(frames) == 10
    bars = [int((frame[55, :, 0] > 200).sum()) for frame in frames]
    assert bars == pytest.approx([200 * (1 - (1 - n / 10) ** 3) for n in range(1, 11)], abs=1)
    with Image.open(drawing.still) as picture:
        assert np.array_equal(frames[-1], np.asarray(picture.convert("RGBA")))


def test_the_same_card_is_drawn_once(store: Store) -> None:
    layer = CardLayer("x", {"text": "once"}, 0, 30)
    draw(layer, store)
    draw(CardLayer("x", {"text": "once"}, 90, 60), store)
    assert len(store.made) == 1
    draw(CardLayer("x", {"text": "twice"}, 0, 30), store)
    assert len(store.made) == 2


def test_a_character_without_glyph_is_named_with_its_place(store: Store) -> None:
    with pytest.raises(GlyphMissing, match=r"'🚗' \(U\+1F697, AUTOMOBILE\) in card 'x' of scene 's'"):
        draw(CardLayer("x", {"text": "fast 🚗"}, 0, 30), store)
    assert not store.made


def test_spaces_and_marks_without_ink_need_no_glyph() -> None:
    check_glyphs("Ünïcödé 旷野\u3000Pro\u00a0\u200b\ufeff\n“—”…", "here")


@pytest.mark.parametrize(
    ("svg", "cause"),
    [
        ("<svg", "no element found|unclosed|not well-formed"),
        ('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>', "unpack"),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 0 10"/>', "0 x 10"),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 99999 10"/>', "99999 x 10"),
        (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><image href="/etc/passwd"/></svg>',
            "links to '/etc/passwd'",
        ),
    ],
)
def test_what_is_no_card_is_refused(svg: str, cause: str) -> None:
    with pytest.raises(CardUnreadable, match=f"scene 7 .*({cause})"):
        read_sheet(svg, "scene 7")


def test_markup_in_a_text_is_drawn_as_text(store: Store) -> None:
    tags = draw(CardLayer("x", {"text": "<b>&amp;</b>", "box": (0, 0, 300, 60)}, 0, 30), store)
    plain = draw(CardLayer("x", {"text": "", "box": (0, 0, 300, 60)}, 0, 30), store)
    with Image.open(tags.still) as one, Image.open(plain.still) as other:
        assert (np.asarray(one) != np.asarray(other)).sum() > 500


def test_a_gradient_runs_from_top_to_bottom(store: Store) -> None:
    drawing = draw_color(ColorLayer("#000000", 0, 9, "#ffffff"), CANVAS, store.cached)
    with Image.open(drawing.still) as picture:
        assert picture.size == (640, 360)
        column = np.asarray(picture.convert("L"))[:, 5].astype(int)
    assert column[0] < 3
    assert column[-1] > 252
    assert (np.diff(column) >= 0).all()
