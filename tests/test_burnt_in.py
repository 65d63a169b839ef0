"""Burnt-in text: read in two languages, measured in area, not seen where there is none."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tests.drawn_video import scene
from understanding.burnt_in import LIKELY_TEXT, BurntIn, TextReader, is_text, joined
from understanding.scanning import text_likelihood


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


def _written(*lines: str, size: int = 48) -> NDArray[np.uint8]:
    (font_file,) = list(files("noto_cjk_sans_otc").rglob("*.ttc"))  # type: ignore[attr-defined]  # a Traversable of a folder is a Path
    picture = Image.fromarray(scene(5, size=(360, 640)) // 3)
    pen, font = ImageDraw.Draw(picture), ImageFont.truetype(str(font_file), size)
    for place, line in enumerate(lines):
        pen.text((40, 60 + 2 * size * place), line, font=font, fill="white")
    return np.asarray(picture)


def _likelihood(rgb: NDArray[np.uint8]) -> float:
    return text_likelihood(np.asarray(Image.fromarray(rgb).convert("L")))


def test_chinese_and_english_are_read(reader: TextReader) -> None:
    rgb = _written("续航里程 560 公里", "Zero to hundred")
    found = reader.read(rgb, _likelihood(rgb))
    assert "续航里程" in found.text
    assert "560" in found.text
    assert "hundred" in found.text
    assert 0.03 < found.area < 0.4


def test_a_picture_without_text_says_nothing(reader: TextReader) -> None:
    assert reader.read(scene(5, size=(360, 640)) // 3, 0.0) == BurntIn("", 0.0)


def test_text_is_likelier_where_text_is() -> None:
    assert _likelihood(_written("北风 X5 试驾 NORTHWIND")) > LIKELY_TEXT
    assert _likelihood(np.full((360, 640, 3), 90, np.uint8)) == 0.0


@pytest.mark.parametrize("shape", [(2, 2, 3), (1, 900, 3), (700, 20, 3), (40, 150, 3)])
def test_odd_shapes_do_no_harm(reader: TextReader, shape: tuple[int, int, int]) -> None:
    for likelihood in (0.0, 1.0):
        assert reader.read(np.full(shape, 200, np.uint8), likelihood).text == ""


def test_textures_are_no_text() -> None:
    assert not is_text("日", 0.99)
    assert not is_text("|.", 0.99)
    assert not is_text("az", 0.85)
    assert is_text("X5", 0.95)
    assert is_text("居酒屋", 0.7)


def test_frames_of_a_shot_tell_a_line_once() -> None:
    both = joined([BurntIn("北风\n560 km", 0.2), BurntIn("560 km\nX5", 0.4)])
    assert both.text == "北风\n560 km\nX5"
    assert both.area == pytest.approx(0.3)
    assert joined([]) == BurntIn("", 0.0)
