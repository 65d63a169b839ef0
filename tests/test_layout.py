import pytest

from factory.plan.timeline import Canvas
from factory.render.layout import layout_for


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1080, 1080), (1280, 720), (640, 360), (3840, 2160)])
def test_type_and_boxes_keep_the_rules_of_the_screen(size: tuple[int, int]) -> None:
    width, height = size
    box = layout_for(Canvas(width, height))
    assert box.small >= 0.022 * height
    assert box.small < box.label < box.title
    assert 0 < box.left < box.right < width
    assert 0 < box.top < box.floor < box.bottom < height


def test_portrait_keeps_clear_of_the_buttons_of_apps() -> None:
    box = layout_for(Canvas(1080, 1920))
    assert box.portrait
    assert box.top >= 0.12 * 1920 - 1
    assert box.bottom <= 0.80 * 1920 + 1
    assert box.right <= 0.88 * 1080 + 1


def test_captions_have_the_lowest_part_of_the_safe_area() -> None:
    box = layout_for(Canvas(1920, 1080))
    assert box.landscape
    assert box.floor <= box.bottom - 0.18 * (box.bottom - box.top)
