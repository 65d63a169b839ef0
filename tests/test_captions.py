"""Captions: readable lines, times of the words, nothing lost, nothing overlapping."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.plan.captions import cut_cues, letters_a_line
from factory.plan.timeline import Canvas, Cue, Speech, SpokenLine, Word

WIDE, TALL, SQUARE = Canvas(1920, 1080), Canvas(1080, 1920), Canvas(1080, 1080)


def line(text: str, seconds: str | None = None, start: int = 0, words: bool = True) -> SpokenLine:
    """A sentence said evenly, five letters of Chinese or fifteen of Latin a second."""
    visible = "".join(text.split())
    length = (
        Fraction(seconds) if seconds else sum((Fraction(1, 15 if c.isascii() else 5) for c in visible), Fraction(0))
    )
    step = float(length / max(1, len(visible)))
    said = tuple(Word(c, n * step, (n + 1) * step) for n, c in enumerate(visible)) if words else ()
    return SpokenLine(Speech(text, "f", length, said), start)


def cues(*lines: SpokenLine, canvas: Canvas = WIDE, frames: int | None = None, **options: Any) -> tuple[Cue, ...]:
    end = max(spoken.start + int(spoken.speech.seconds * canvas.fps) for spoken in lines)
    return cut_cues(lines, canvas=canvas, scene_frames=frames or end + 20, **options)


def shown(found: tuple[Cue, ...]) -> list[tuple[str, ...]]:
    return [cue.lines for cue in found]


def test_lines_are_as_long_as_the_canvas_bears() -> None:
    assert letters_a_line(WIDE) == (42, 16)
    assert letters_a_line(TALL) == (26, 12)
    assert letters_a_line(SQUARE) == (30, 13)


def test_breaks_stand_at_phrases() -> None:
    assert shown(cues(line("北风 X5 的续航里程是560公里，售价12.98万元起。"), keep=["北风 X5"])) == [
        ("北风 X5 的续航里程是560公里，", "售价12.98万元起。")
    ]
    assert shown(cues(line("A Northwind X5 drives 560 km on a charge, and it costs 199,800 yuan."))) == [
        ("A Northwind X5 drives 560 km on a charge,", "and it costs 199,800 yuan.")
    ]


def test_one_line_is_enough_where_it_fits() -> None:
    assert shown(cues(line("A short sentence."))) == [("A short sentence.",)]
    assert shown(cues(line("这是一句短话。"))) == [("这是一句短话。",)]


def test_two_short_sentences_share_a_caption_where_the_first_would_flash_by() -> None:
    first, second = line("Go.", "0.3"), line("It is quick.", "1", start=12)
    assert shown(cues(first, second)) == [("Go. It is quick.",)]


def test_captions_follow_the_words() -> None:
    text = "The first half of it is said slowly here, the second half of this sentence comes late, as words do."
    visible = "".join(text.split())
    late = visible.index("thesecond")
    words = (Word(visible[:late], 0.0, 2.5), Word(visible[late:], 6.0, 9.0))
    found = cut_cues((SpokenLine(Speech(text, "f", Fraction(9), words), 10),), canvas=WIDE, scene_frames=300)
    assert found[0].start == 10
    second = next(cue for cue in found if "the second" in " ".join(cue.lines))
    assert second.start == 10 + 180


def test_without_word_times_the_letters_share_the_speech() -> None:
    text = (
        "One two three four five six seven eight nine ten, eleven twelve thirteen fourteen fifteen sixteen seventeen."
    )
    with_words, without = cues(line(text)), cues(line(text, words=False))
    assert shown(with_words) == shown(without)
    assert all(abs(a.start - b.start) <= 2 for a, b in zip(with_words, without, strict=True))


def test_a_word_longer_than_a_line_is_shown_in_parts() -> None:
    found = cues(line("x" * 100, "6"))
    assert "".join("".join(cue.lines) for cue in found) == "x" * 100
    assert all(len(text) <= 42 for cue in found for text in cue.lines)


@pytest.mark.parametrize("canvas", [TALL, SQUARE])
def test_a_name_longer_than_a_line_is_parted_between_its_words(canvas: Canvas) -> None:
    name = "Polestar 3 Long Range Single motor"
    found = cues(line(f"第3名，{name}，107度。"), canvas=canvas, keep=[name], measure=lambda text: len(text) / 24)
    words = {word for cue in found for text in cue.lines for word in re.findall("[A-Za-z]+", text)}
    assert words == {"Polestar", "Long", "Range", "Single", "motor"}


def test_real_widths_count() -> None:
    text = "Wide letters need more lines."
    assert len(cues(line(text))[0].lines) == 1
    assert len(cues(line(text), measure=lambda t: len(t) / 20)[0].lines) == 2


def test_nothing_spoken_is_nothing_shown() -> None:
    assert cut_cues((), canvas=WIDE, scene_frames=60) == ()


WORDS = re.compile("北风|续航|里程|但是|涉水|.")
SENTENCES = st.lists(
    st.sampled_from(
        [
            "北风",
            " X5 ",
            "续航里程",
            "560公里",
            "，",
            "12.98万元",
            " the ",
            " quick ",
            " sedan ",
            ", ",
            " and ",
            "但是",
            "涉水",
            "1,234 km",
        ]
    ),
    min_size=1,
    max_size=30,
).map(lambda parts: re.sub(r"[\s,，]*([,，])", r"\1", "".join(parts)).lstrip("，, ").strip() + " X。")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(SENTENCES, st.integers(0, 20)), min_size=1, max_size=4),
    st.sampled_from([WIDE, TALL, SQUARE]),
    st.sampled_from([Fraction(25), Fraction(30), Fraction(30000, 1001)]),
    st.booleans(),
)
def test_captions_hold_their_promises(texts: list[tuple[str, int]], canvas: Canvas, fps: Fraction, words: bool) -> None:
    canvas = Canvas(canvas.width, canvas.height, fps)
    lines, at = [], 0
    for text, pause in texts:
        lines.append(line(text, start=at, words=words))
        at += int(lines[-1].speech.seconds * fps) + 1 + pause
    frames = max(at + 10, 60)
    found = cut_cues(lines, canvas=canvas, scene_frames=frames, keep=["北风 X5"], segment=WORDS.findall)
    latin, chinese = letters_a_line(canvas)
    assert "".join("".join("".join(c.lines).split()) for c in found) == "".join(
        "".join("".join(t.split())) for t, _ in texts
    )
    assert all(0 <= cue.start < cue.end <= frames for cue in found)
    assert all(after.start - before.end >= 2 for before, after in pairwise(found))
    assert all(cue.end - cue.start <= 7 * fps for cue in found)
    for cue in found:
        assert 1 <= len(cue.lines) <= 2
        for text in cue.lines:
            wide = sum(not c.isascii() for c in text)
            assert wide / chinese + (len(text) - wide) / latin <= 1 + 1e-6
            assert not text.startswith(("公里", "万元", "元", ".", ",", "，", "。", "km", "风", "航", "水"))


@pytest.mark.parametrize("count", [1, 3, 8])
def test_a_scene_too_short_for_its_captions_shares_its_frames(count: int) -> None:
    lines = [line("这是很长的一句话，有好几个部分，怎么也放不下，真的放不下。", start=0) for _ in range(count)]
    found = cut_cues(lines, canvas=TALL, scene_frames=90)
    assert all(cue.start < cue.end <= 90 for cue in found)
    assert all(after.start - before.end >= 2 for before, after in pairwise(found))


@pytest.mark.parametrize(
    "text",
    [
        "The Northwind X5 drives 560 km on a charge, and it costs 199,800 yuan.",
        "北风 X5 的续航里程是560公里，售价12.98万元起。",
    ],
)
def test_each_word_of_a_caption_stands_where_it_is_written_and_begins_when_it_is_said(text: str) -> None:
    spoken = line(text, start=20)
    edges = {number: 20 + word.start * 30 for number, word in enumerate(spoken.speech.words)}
    letters = 0
    for cue in cues(spoken):
        shown = "".join(cue.lines[word.line][word.start : word.end] for word in cue.words)
        assert "".join(shown.split()) == "".join("".join(cue.lines).split())
        for word in cue.words:
            assert abs(word.frame - edges[letters]) < 1
            letters += len("".join(cue.lines[word.line][word.start : word.end].split()))
    assert letters == len("".join(text.split()))
