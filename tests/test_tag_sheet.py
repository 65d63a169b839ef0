from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageColor

from factory.render.tag_sheet import (
    CELL,
    CHIP_LINES,
    HEAD,
    LEFT,
    MARGIN,
    MODALITIES,
    MOST_SHOTS,
    PAPER,
    RIGHT,
    WIDTH,
    Language,
    SheetShot,
    SheetTag,
    draw_sheet,
    drawn,
)

GREEN = (20, 200, 40)


def picture(width: int = 256, height: int = 144) -> NDArray[np.uint8]:
    return np.full((height, width, 3), GREEN, np.uint8)


def tag(
    name: str, confidence: float = 0.5, *, zh: str = "泥地", modality: str = "picture", scene: bool = False
) -> SheetTag:
    return SheetTag(zh, name, confidence, modality, scene)


def a_shot(*tags: SheetTag, heading: str = "clip.mp4", **more: object) -> SheetShot:
    return SheetShot(heading, "shot 1", (picture(),) * 3, tags, **more)  # type: ignore[arg-type]


def pixels(sheet: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(sheet, np.uint8)


def colour(name: str) -> tuple[int, ...]:
    return ImageColor.getrgb(name)


def has(area: NDArray[np.uint8], name: str) -> bool:
    return bool((area == colour(name)).all(axis=-1).any())


ENDLESS = SheetShot(
    heading="越野" * 60 + "-" + "Donaudampfschifffahrtsgesellschaftskapitän" * 9 + ".mp4",
    about="x" * 400,
    pictures=(picture(),) * 3,
    tags=tuple(tag(f"tag number {i} " + "long " * (i % 9), i / 60) for i in range(60)),
    warnings=("low-light", "w" * 300),
    title="title " * 200,
    burnt_in="字" * 900,
    speech="a\nb\x00\u202e \ud83d\ude97 مرحبا" * 80,
)


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_nothing_leaves_the_sheet_however_long_names_tags_and_words_are(language: Language) -> None:
    sheet = pixels(draw_sheet([ENDLESS, a_shot(), ENDLESS], "t" * 500, "a" * 500, language=language))
    paper = colour(PAPER)
    assert (sheet[:, RIGHT + 1 :] == paper).all()
    assert (sheet[:, :MARGIN] == paper).all()
    beside = sheet[HEAD + 2 :, LEFT - 20 : LEFT - 2]
    rules = (beside != paper).any(axis=(1, 2))
    assert rules.sum() == 2  # the lines between three shots, and no letter


def test_a_block_is_high_enough_for_its_words() -> None:
    alone, below = draw_sheet([ENDLESS], "t", "a"), draw_sheet([ENDLESS, a_shot()], "t", "a")
    assert alone.width == WIDTH
    assert (pixels(below)[: alone.height] == pixels(alone)).all()  # the next shot starts where this one has ended
    assert (pixels(alone)[-12:] == colour(PAPER)).all()


def test_tags_that_find_no_room_are_counted() -> None:
    few, many = (draw_sheet([a_shot(*(tag("ice", zh="冰") for _ in range(n)))], "t", "a") for n in (4, 400))
    assert many.height - few.height <= (CHIP_LINES + 1) * 34
    assert pixels(many).shape[0] < 400


@pytest.mark.parametrize("modality", MODALITIES)
def test_the_dot_of_a_tag_says_which_modality_spoke(modality: str) -> None:
    words = pixels(draw_sheet([a_shot(tag("mud", modality=modality))], "t", "a"))[HEAD:, LEFT:]
    assert [name for name, (dot, _, _) in MODALITIES.items() if has(words, dot)] == [modality]


def test_the_scene_stands_first_and_the_surer_tag_before_the_other() -> None:
    mud, car, race = tag("mud", 0.9), tag("car", 0.95, zh="车"), tag("race", 0.4, zh="赛", scene=True)
    one, same = (draw_sheet([a_shot(*tags)], "t", "a") for tags in ((mud, race, car), (race, car, mud)))
    other = draw_sheet([a_shot(replace(race, scene=False), car, mud)], "t", "a")
    assert pixels(one).tobytes() == pixels(same).tobytes() != pixels(other).tobytes()


def test_the_bar_is_as_long_as_the_confidence() -> None:
    def bar(confidence: float) -> int:
        sheet = pixels(draw_sheet([a_shot(tag("mud", confidence))], "t", "a"))
        return int((sheet == colour("#c3c9d1")).all(axis=-1).sum(axis=1).max())

    assert bar(0.99) == pytest.approx(3 * bar(0.33), abs=6)
    assert bar(0.0) <= 2


def test_chinese_and_english_names_differ_and_both_is_both() -> None:
    sheets = {
        language: pixels(draw_sheet([a_shot(tag("mud"))], "t", "a", language=language))[HEAD:].tobytes()
        for language in ("zh", "en", "both")
    }
    assert len(set(sheets.values())) == 3
    assert SheetTag("SUV", "SUV", 0.5, "picture", scene=False).name("both") == "SUV"


@pytest.mark.parametrize(("size", "beside"), [((81, 144), 88), ((256, 60), 0)])
def test_a_moment_of_another_shape_is_shown_whole(size: tuple[int, int], beside: int) -> None:
    shot = SheetShot("upright.mp4", "", (picture(*size),), ())
    cell = pixels(draw_sheet([shot], "t", "a"))[HEAD + 20 : HEAD + 20 + CELL[1], MARGIN : MARGIN + CELL[0]]
    green = (cell == GREEN).all(axis=-1)
    assert green.sum() == pytest.approx(size[0] * size[1], rel=0.02)
    assert not green[:, : max(0, beside - 2)].any()


def test_a_file_that_gave_no_picture_says_why_in_its_place() -> None:
    lost = SheetShot("gone.mp4", "", (), (tag("mud"),), absent="file-missing: " + "the file is gone " * 40)
    cell = pixels(draw_sheet([lost], "t", "a"))[HEAD + 20 : HEAD + 20 + CELL[1], MARGIN : LEFT - 24]
    assert has(cell, "#e3e6ea")


def test_what_the_font_lacks_is_shown_as_a_box_and_not_refused() -> None:
    assert drawn("a\tb\n c") == "a b c"
    assert drawn("مر中\x07é") == "□□中é"


def test_a_sheet_that_no_program_would_open_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="61 shots"):
        draw_sheet([a_shot()] * (MOST_SHOTS + 1), "t", "a")
