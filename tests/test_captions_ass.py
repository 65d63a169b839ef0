"""Burnt-in captions: legible, in the safe area, shown on exactly their frames, and their text only ever text."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import av
import jieba
import numpy as np
import pytest
from numpy.typing import NDArray

from factory.errors import WrongUsage
from factory.plan.captions import cut_cues
from factory.plan.reading import Reader
from factory.plan.timeline import (
    Canvas,
    ColorLayer,
    Cue,
    CueWord,
    Speech,
    SpokenLine,
    TimedScene,
    Timeline,
    Transition,
)
from factory.render.captions_ass import CaptionWriter, check_captions, escaped, program_cues
from factory.render.drawn import Drawn
from factory.render.ffmpeg import run
from factory.render.fonts import GlyphMissing
from factory.render.graph import Chunk, Window, compile_chunk
from factory.render.layout import layout_for
from factory.render.narrator import load_lexicons
from factory.render.overlays import draw_color
from factory.render.voice_silent import SilentVoice
from tests.render_kit import Store, lumas
from understanding.burnt_in import TextReader

WIDE, TALL, SQUARE = Canvas(1280, 720), Canvas(720, 1280), Canvas(720, 720)
HOSTILE = "'],[;{\\pos(0,0)}%{x}{\\an8}\\N\\h:=@,\"Dialogue: 0,"


def scene(name: str, frames: int, *cues: Cue, transition: Transition | None = None) -> TimedScene:
    return TimedScene(name, frames, (), transition, cues=cues)


def program(*scenes: TimedScene, canvas: Canvas = WIDE) -> Timeline:
    return Timeline("t", "zh-CN", "x", "b", canvas, scenes)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


def burnt(
    store: Store, cue: Cue, canvas: Canvas = WIDE, style: str = "plain", ground: str = "#ffffff", frames: int = 3
) -> list[NDArray[np.uint8]]:
    """Render frames of one colour with a caption over them."""
    layer = ColorLayer(ground, 0, frames)
    window = Window((Drawn(layer, draw_color(layer, canvas, store.cached)),), 0, frames)
    script = CaptionWriter(style, canvas).script([cue], 0, frames)
    out = store.folder / "burnt.mp4"
    fine = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "3", "-threads", "1")
    run(compile_chunk(Chunk("x", (window,), frames, captions=script), canvas, fine), output=out)
    return lumas(out)


def test_cues_are_told_in_frames_of_the_program() -> None:
    first = scene("a", 60, Cue(5, 30, ("one",)), transition=Transition("fade", 10))
    assert program_cues(program(first, scene("b", 60, Cue(12, 50, ("two", "lines"))))) == (
        Cue(5, 30, ("one",)),
        Cue(62, 100, ("two", "lines")),
    )


def test_cues_never_overlap_nor_outlast_the_program() -> None:
    first = scene("a", 60, Cue(5, 60, ("one",)), transition=Transition("fade", 10))
    cues = program_cues(program(first, scene("b", 40, Cue(2, 90, ("two",)), Cue(20, 20, ("never",)))))
    assert cues == (Cue(5, 50, ("one",)), Cue(52, 90, ("two",)))


def test_empty_lines_and_breaks_are_no_lines() -> None:
    assert program_cues(program(scene("a", 60, Cue(0, 9, (" ", "a\nb\t c"))))) == (Cue(0, 9, ("a b c",)),)


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(50), Fraction(60)])
def test_event_times_hit_their_frames_at_any_rate(fps: Fraction) -> None:
    writer = CaptionWriter("plain", Canvas(1280, 720, fps))
    for start, end in ((0, 1), (1, 7), (59, 60), (299, 1801), (35_999, 36_000)):
        script = writer.script([Cue(start, end, ("x",))], 0, 40_000)
        begins, ends = script.split("Dialogue: 0,")[1].split(",")[:2]
        shown = [f for f in (start - 1, start, end - 1, end) if _seconds(begins) <= f / fps < _seconds(ends)]
        assert set(shown) == {start, end - 1}


def _seconds(clock: str) -> Fraction:
    hours, minutes, seconds = clock.split(":")
    return Fraction(hours) * 3600 + Fraction(minutes) * 60 + Fraction(seconds)


def test_a_chunk_holds_only_its_own_cues_in_its_own_time() -> None:
    writer = CaptionWriter("plain", WIDE)
    cues = [Cue(0, 30, ("one",)), Cue(60, 120, ("two",))]
    assert writer.script(cues, 30, 60) == ""
    script = writer.script(cues, 90, 150)
    assert "one" not in script
    assert "Dialogue: 0,0:00:00.00,0:00:00.98,Caption,,0,0,0,,two\n" in script


def test_nothing_in_a_text_is_a_command() -> None:
    line = escaped(HOSTILE)
    assert "{\\" not in line.replace("\\{", "")
    assert "\\N" not in line
    assert "\\h" not in line
    assert "\n" not in escaped("a\nDialogue: 0,0:00:00.00")


def test_a_hostile_caption_stays_in_its_band(store: Store) -> None:
    picture = burnt(store, Cue(0, 3, (HOSTILE,)), style="bold", ground="#000000")[1]
    rows = np.flatnonzero((picture > 128).any(axis=1))
    assert rows.min() > 0.75 * 720
    plain = burnt(store, Cue(0, 3, ("x",)), style="bold", ground="#000000")[1]
    assert (picture > 128).sum() > 10 * (plain > 128).sum()


@pytest.mark.parametrize("style", ["plain", "bold", "spoken"])
@pytest.mark.parametrize("canvas", [WIDE, TALL, SQUARE], ids=["16:9", "9:16", "1:1"])
def test_two_lines_stand_centred_in_the_caption_band(style: str, canvas: Canvas, store: Store) -> None:
    cue = Cue(0, 3, ("Two lines of text", "旷野 Pro 起步价"))
    lit = burnt(store, cue, canvas, style, "#000000")[1] > 60
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    box = layout_for(canvas)
    assert rows.min() >= box.floor
    assert rows.max() <= box.bottom
    assert columns.min() >= box.left
    assert columns.max() <= box.right
    assert columns.min() + columns.max() == pytest.approx(canvas.width, abs=12)


def test_letters_have_the_size_that_was_planned(store: Store) -> None:
    lit = burnt(store, Cue(0, 3, ("国",)), WIDE, "bold", "#000000")[1] > 128
    rows = np.flatnonzero(lit.any(axis=1))
    assert len(range(rows.min(), rows.max() + 1)) == pytest.approx(0.05 * 720 * 0.92, abs=4)


@pytest.mark.parametrize("style", ["plain", "bold"])
def test_contrast_over_white_is_enough(style: str, store: Store) -> None:
    picture = burnt(store, Cue(0, 3, ("HHHHHHHH",)), WIDE, style, "#ffffff")[1].astype(float)
    rows, columns = np.nonzero(picture < 150)
    inside = picture[rows.min() : rows.max(), columns.min() : columns.max()]
    dark = ((np.percentile(inside, 20) - 16) / 219) ** 2.2
    assert 1.05 / (dark + 0.05) >= 4.5


def test_a_line_wider_than_the_safe_area_is_set_smaller(store: Store) -> None:
    lit = burnt(store, Cue(0, 3, ("国" * 40,)), TALL, "bold", "#000000")[1] > 60
    columns = np.flatnonzero(lit.any(axis=0))
    assert columns.min() >= 0.1 * 720
    assert columns.max() <= 0.9 * 720


def test_a_caption_is_on_exactly_its_frames(store: Store) -> None:
    pictures = burnt(store, Cue(4, 9, ("now",)), ground="#000000", frames=14)
    assert [bool((picture > 128).any()) for picture in pictures] == [4 <= n < 9 for n in range(14)]


def test_a_missing_glyph_is_named_with_its_scene() -> None:
    with pytest.raises(GlyphMissing, match=r"U\+1F697.*caption of scene two"):
        check_captions(program(scene("one", 9, Cue(0, 9, ("fine 好",))), scene("two", 9, Cue(0, 9, ("\U0001f697",)))))


@pytest.mark.parametrize("style", ["loud", "../plain", ""])
def test_an_unknown_style_is_refused_with_the_known_ones(style: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        CaptionWriter(style, WIDE)
    assert "bold, plain" in caught.value.next_step


def test_a_folder_of_ones_own_styles_comes_first(tmp_path: Path) -> None:
    (tmp_path / "captions").mkdir()
    (tmp_path / "captions" / "plain.ass.j2").write_text("mine {{ events[0].text }}")
    assert CaptionWriter("plain", WIDE, [tmp_path]).script([Cue(0, 9, ("x",))], 0, 9) == "mine x"


def test_the_word_that_is_spoken_is_amber_on_exactly_its_frames(store: Store) -> None:
    lines = ("Faster than", "国产 车型")
    words = (CueWord(0, 0, 6, 2), CueWord(0, 7, 11, 5), CueWord(1, 0, 2, 6), CueWord(1, 3, 5, 9))
    places = [amber(picture) for picture in shown_in_colour(store, Cue(0, 12, lines, words), 12)]
    assert places[0] is places[1] is None
    changes = [frame for frame in range(3, 12) if places[frame] != places[frame - 1]]
    assert changes == [5, 6, 9]
    (upper, faster), (same, than), (lower, made), _ = (places[frame] or (0, 0) for frame in (2, 5, 6, 9))
    assert upper == pytest.approx(same, abs=6)
    assert lower > upper + 20
    assert faster < than
    assert made == (places[8] or (0, 0))[1]


def test_a_cue_without_words_is_shown_in_the_style_of_words_too() -> None:
    script = CaptionWriter("spoken", WIDE).script([Cue(0, 30, ("one",))], 0, 30)
    assert script.count("Dialogue:") == 1
    assert "\\r" not in script


def test_spaces_around_a_word_stay_and_text_is_no_command() -> None:
    cue = Cue(0, 30, ("a {b} c",), (CueWord(0, 0, 1, 0), CueWord(0, 2, 5, 10), CueWord(0, 6, 7, 20)))
    script = CaptionWriter("spoken", WIDE).script([cue], 0, 30)
    assert "a {\\rSpoken}\\{b\\}{\\r} c" in script


SAID = {
    "en-US": "A Northwind X5 drives 560 km on a charge, and it costs 199,800 yuan; the boot holds two large suitcases.",
    "zh-CN": "北风 X5 的续航里程是560公里，售价12.98万元起，后备箱可以放下两个大箱子。",
}


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


@pytest.mark.slow
@pytest.mark.parametrize("style", ["plain", "bold", "spoken"])
@pytest.mark.parametrize("canvas", [WIDE, TALL], ids=["16:9", "9:16"])
@pytest.mark.parametrize("locale", SAID)
def test_a_reader_reads_what_is_said(locale: str, canvas: Canvas, style: str, store: Store, reader: TextReader) -> None:
    grounds = cycle(("#e8e0d0", "#707868"))  # sand and grass
    for cue, ground in zip(captions_of(locale, canvas), grounds, strict=False):
        burnt(store, cue, canvas, style, ground, cue.end)
        picture = in_colour(store)[cue.end // 2]
        read = letters("".join(line.text for line in reader.read(picture, 1.0).lines))
        said = letters("".join(cue.lines))
        assert SequenceMatcher(None, said, read, autojunk=False).ratio() >= 0.95, (said, read)


def captions_of(locale: str, canvas: Canvas) -> tuple[Cue, ...]:
    """Return the captions of a sentence, as short as a test may have them."""
    said = SilentVoice().speak(Reader(load_lexicons()[locale]).read(SAID[locale]), 1.0)  # type: ignore[index]  # callers give a locale
    speech = Speech(SAID[locale], "x", Fraction(len(said.samples), 48_000), said.words)
    cues = cut_cues([SpokenLine(speech, 0)], canvas=canvas, scene_frames=600, keep=["Northwind X5"], segment=jieba.lcut)
    assert sum(len(letters("".join(cue.lines))) for cue in cues) == len(letters(SAID[locale]))
    return tuple(
        Cue(0, 4, cue.lines, tuple(CueWord(w.line, w.start, w.end, k) for k, w in enumerate(cue.words[:4])))
        for cue in cues
    )


def letters(text: str) -> str:
    return re.sub(r"\W", "", text).casefold()


def shown_in_colour(store: Store, cue: Cue, frames: int) -> list[NDArray[np.uint8]]:
    burnt(store, cue, style="spoken", ground="#000000", frames=frames)
    return in_colour(store)


def in_colour(store: Store) -> list[NDArray[np.uint8]]:
    """Return the pictures that `burnt` made last."""
    with av.open(str(store.folder / "burnt.mp4")) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def amber(picture: NDArray[np.uint8]) -> tuple[int, int] | None:
    """Return the middle row and column of what is amber."""
    red, green, blue = (picture[..., k].astype(int) for k in range(3))
    rows, columns = np.nonzero((red > 200) & (green > 130) & (blue < 110))
    return (int(rows.mean()), int(columns.mean())) if len(rows) > 50 else None
