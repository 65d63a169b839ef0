import pytest

from factory.render.fonts import GlyphMissing
from factory.render.lettering import ELLIPSIS, drawable, fit_size, shorten, text_width, wrap, wrap_beside


def test_figures_are_tabular_and_ideographs_are_one_em() -> None:
    assert {text_width(digit, 100) for digit in "0123456789"} == {text_width("0", 100)}
    assert text_width("万辆", 40) == 80


def test_width_is_at_least_what_resvg_draws() -> None:
    import io

    import resvg_py
    from PIL import Image

    from factory.render.fonts import FAMILY, font_file

    words = "|Northwind X5 北风 1,234,567.8|"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2400 160" width="2400" height="160">'
        f'<text x="0" y="120" font-family="{FAMILY}" font-size="100" fill="#fff">{words}</text></svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=[str(font_file())])
    box = Image.open(io.BytesIO(bytes(png))).getbbox()
    assert box is not None
    drawn = box[2]  # the closing bar's right edge
    assert drawn <= text_width(words, 100) <= drawn * 1.03


def test_fit_size_shrinks_only_as_far_as_needed() -> None:
    assert fit_size("北风", 80, 500, 40) == 80
    assert text_width("北风北风北风北风", fit_size("北风北风北风北风", 80, 500, 40)) <= 500
    assert fit_size("北风" * 30, 80, 500, 40) == 40


@pytest.mark.parametrize(
    "text",
    [
        "穿越塔克拉玛干沙漠腹地的十二种地形与七辆越野车完整实录特别节目",
        "Twelve kinds of terrain and seven off-road vehicles across the Taklamakan Desert",
        "a" * 90,
        "560公里的CLTC续航，指导价18.98万元。",
    ],
)
def test_no_line_is_wider_than_asked_and_nothing_is_lost(text: str) -> None:
    lines = wrap(text, 40, 600, 10)
    assert all(text_width(line, 40) <= 600 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_wrap_takes_as_few_lines_as_fit_and_makes_them_even() -> None:
    lines = wrap("one two three four five six", 40, 400, 5)
    assert len(lines) == 2
    assert abs(text_width(lines[0], 40) - text_width(lines[1], 40)) < 100


def test_a_number_stays_with_its_unit_at_every_width() -> None:
    for width in range(300, 900, 20):
        lines = wrap("CLTC续航 560 公里，指导价 18.98 万元，2026年10月开卖", 40, width, 20)
        for whole in ("560 公里", "18.98 万元", "2026年"):
            assert any(whole in line for line in lines), (width, lines)


def test_chinese_words_and_marks_are_not_torn() -> None:
    lines = wrap("穿越塔克拉玛干沙漠腹地，十二种地形", 40, 420, 4)
    assert any("塔克拉玛干沙漠" in line for line in lines)
    assert all(line[0] not in "，。、）》" and line[-1] not in "（《“" for line in lines)


def test_room_is_left_beside_the_last_line_where_a_line_more_does_it() -> None:
    text = "来源：示例数据集，虚构销量，由程序生成，2026-11-01"
    full = wrap(text, 28, 800, 3)
    beside = wrap_beside(text, 28, 800, 200, 3)
    assert len(full) == 1
    assert len(beside) == 2
    assert text_width(beside[-1], 28) <= 600
    assert wrap_beside(text, 28, 1200, 200, 3) == full
    assert wrap_beside(text, 28, 800, 200, 1) == full


def test_too_long_text_ends_in_an_ellipsis() -> None:
    lines = wrap("很长的名字" * 30, 40, 400, 2)
    assert len(lines) == 2
    assert lines[1].endswith(ELLIPSIS)
    assert text_width(lines[1], 40) <= 400
    assert shorten("Northwind", 40, 1000) == "Northwind"
    assert wrap("   ", 40, 400, 2) == []


def test_pictographs_and_controls_go_but_a_missing_letter_is_refused() -> None:
    assert drawable("X5\u200d🚗\x07 北风\n2026") == "X5 北风 2026"
    with pytest.raises(GlyphMissing) as refused:
        drawable("कार")
    assert "DEVANAGARI" in str(refused.value)
