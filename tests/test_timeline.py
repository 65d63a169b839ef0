"""The frozen timeline: exact JSON, and every check named with its scene."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.plan.timeline import (
    Canvas,
    CardLayer,
    ClipLayer,
    ColorLayer,
    Cue,
    ImageLayer,
    Inset,
    Layer,
    Music,
    Speech,
    SpokenLine,
    TimedScene,
    Timeline,
    TimelineInvalid,
    Transition,
    Watermark,
    Word,
    check,
    scene_at,
)
from factory.plan.timeline_json import TimelineUnreadable, from_json, to_json

CANVAS = Canvas(1920, 1080, Fraction(30000, 1001))


def scene(name: str = "one", frames: int = 90, **changes: Any) -> TimedScene:
    return replace(TimedScene(name, frames, (ColorLayer("#102030", 0, frames),)), **changes)


def program(*scenes: TimedScene, **changes: Any) -> Timeline:
    return replace(Timeline("t", "en-US", "ranking", "autoreel", CANVAS, scenes), **changes)


fractions = st.fractions(min_value=0, max_value=1000, max_denominator=90_000)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
numbers = st.integers(0, 10_000)
gains = st.none() | st.floats(-60, 6)
shares = st.floats(0, 1)
windows = st.tuples(shares, shares, shares, shares)
insets = st.none() | st.builds(
    Inset, st.sampled_from(["top-left", "bottom-right"]), shares, st.just("4:3"), st.none() | windows, enter=numbers
)
layers: st.SearchStrategy[Layer] = st.one_of(
    st.builds(
        ClipLayer,
        *(st.text(max_size=8), numbers, fractions, numbers, numbers, fractions, st.just("contain"), gains),
        inset=insets,
    ),
    st.builds(
        ImageLayer,
        *(st.text(max_size=8), numbers, numbers, st.just("contain-blur"), windows, windows),
        inset=insets,
    ),
    st.builds(
        CardLayer, st.text(max_size=8), st.dictionaries(st.text(max_size=5), plain, max_size=3), numbers, numbers
    ),
    st.builds(ColorLayer, st.text(max_size=8), numbers, numbers, st.none() | st.text(max_size=8)),
)
words = st.builds(Word, st.text(max_size=5), st.floats(0, 9), st.floats(0, 9))
speeches = st.builds(
    Speech, st.text(max_size=9), st.text(max_size=9), fractions, st.lists(words, max_size=2).map(tuple)
)
scenes = st.builds(
    TimedScene,
    st.text(max_size=8),
    numbers,
    st.lists(layers, max_size=3).map(tuple),
    st.none() | st.builds(Transition, st.text(max_size=5), numbers),
    st.lists(st.builds(SpokenLine, speeches, numbers), max_size=2).map(tuple),
    st.lists(st.builds(Cue, numbers, numbers, st.lists(st.text(max_size=9), max_size=2).map(tuple)), max_size=2).map(
        tuple
    ),
    st.booleans(),
)
timelines = st.builds(
    Timeline,
    st.text(max_size=9),
    st.sampled_from(["zh-CN", "en-US"]),
    st.text(max_size=9),
    st.text(max_size=9),
    st.builds(Canvas, numbers, numbers, fractions),
    st.lists(scenes, max_size=3).map(tuple),
    st.none() | st.builds(Music, st.text(max_size=5), numbers),
    notes=st.dictionaries(st.text(max_size=5), plain, max_size=3),
    watermark=st.none() | st.builds(Watermark, st.just("bottom-left"), shares, shares),
)


@given(timelines)
def test_json_round_trip_is_exact(timeline: Timeline) -> None:
    assert from_json(to_json(timeline)) == timeline


def test_json_writes_fractions_as_text_and_says_the_version() -> None:
    written = json.loads(to_json(program(scene())))
    assert written["version"] == 1
    assert written["canvas"]["fps"] == "30000/1001"
    assert written["scenes"][0]["layers"][0]["type"] == "color"


def test_what_an_older_program_wrote_is_read() -> None:
    written = json.loads(to_json(program(scene(layers=(CLIP,)))))
    del written["watermark"]
    del written["scenes"][0]["layers"][0]["inset"]
    assert from_json(json.dumps(written)) == program(scene(layers=(CLIP,)))


def broken_json(change: str) -> str:
    clip = ClipLayer("a" * 64, 1, Fraction(1, 3), 0, 90)
    tree = json.loads(to_json(program(scene(layers=(clip,)))))
    if change == "version":
        tree["version"] = 99
    elif change == "type":
        tree["scenes"][0]["layers"][0]["type"] = "hologram"
    elif change == "fraction":
        tree["scenes"][0]["layers"][0]["speed"] = "1e999999999"
    elif change == "zero":
        tree["canvas"]["fps"] = "30/0"
    elif change == "unknown":
        tree["scenes"][0]["framez"] = 3
    elif change == "layer-key":
        tree["scenes"][0]["layers"][0]["zoom"] = 3
    elif change == "scenes":
        tree["scenes"] = {"a": 1}
    elif change == "missing":
        del tree["canvas"]
    return json.dumps(tree)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("version", "version 99; this program reads version 1"),
        ("type", r"scenes.0.layers.0: type 'hologram' is none of clip, image, card, color"),
        ("fraction", r"scenes.0.layers.0.speed: '1e999999999' is not a fraction"),
        ("zero", r"canvas.fps: '30/0' is not a fraction"),
        ("unknown", r"scenes.0.framez"),
        ("layer-key", r"scenes.0.layers.0.zoom"),
        ("scenes", "scenes is not a list of objects"),
        ("missing", "canvas"),
    ],
)
def test_wrong_json_is_refused_at_its_place(change: str, says: str) -> None:
    with pytest.raises(TimelineUnreadable, match=says):
        from_json(broken_json(change))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"version": 1}'])
def test_text_that_is_no_timeline_is_refused(text: str) -> None:
    with pytest.raises(TimelineUnreadable):
        from_json(text)


def test_a_sound_timeline_passes_and_counts_its_overlaps() -> None:
    timeline = program(scene("a", transition=Transition("fade", 15)), scene("b", 60), scene("c", 40))
    check(timeline)
    assert timeline.frames == 90 + 60 + 40 - 15
    assert timeline.scene_starts() == (0, 75, 135)
    assert scene_at(timeline, 74) == (0, 74)
    assert scene_at(timeline, 75) == (1, 0)
    assert scene_at(timeline, 174) == (2, 39)
    with pytest.raises(TimelineInvalid, match="frame 175"):
        scene_at(timeline, 175)


LINE = SpokenLine(Speech("hello", "f", Fraction(1)), 90)
CARD = CardLayer("plate", {}, 0, 10, enter=8, leave=8)
CLIP = ClipLayer("a", 1, Fraction(-1), 0, 90)
IMAGE = ImageLayer("a", 0, 90)


@pytest.mark.parametrize(
    ("timeline", "says"),
    [
        (program(), "no scenes"),
        (program(scene(frames=-3)), "'one' has -3 frames"),
        (program(scene(), scene()), "two scenes have the id 'one'"),
        (program(scene(layers=(ColorLayer("#000000", 10, 90),))), r"'one', layer 0: frames \[10, 100\)"),
        (program(scene(layers=(ColorLayer("#000000", 0, 0),))), "'one', layer 0"),
        (program(scene(layers=(CARD,))), "enter 8"),
        (program(scene(layers=(CLIP,))), "source start -1"),
        (program(scene(layers=(replace(IMAGE, last=(0.5, 0.0, 0.52, 1.0)),))), "is no part of the picture"),
        (program(scene(layers=(replace(IMAGE, inset=Inset(enter=60, leave=40)),))), r"enter 60 \+ leave 40"),
        (program(scene(layers=(replace(IMAGE, inset=Inset(box=(0.5, 0, 1.2, 1))),))), "is no part of the canvas"),
        (program(scene(layers=(replace(IMAGE, inset=Inset(share=0.01)),))), "share 0.01"),
        (program(scene(transition=Transition("fade", 10))), "last scene 'one' has a transition"),
        (program(scene("a", 19, transition=Transition("fade", 10)), scene("b")), "half of 'a'"),
        (program(scene("a", transition=Transition("fade", 10)), scene("b", 19)), "half of 'b'"),
        (program(scene("a", transition=Transition("fade", 0)), scene("b")), "0 frames"),
        (program(scene(cues=(Cue(0, 10, ("x",)), Cue(9, 20, ("y",))))), r"'one': cue \[9, 20\)"),
        (program(scene(cues=(Cue(5, 5, ("x",)),))), r"cue \[5, 5\)"),
        (program(scene(cues=(Cue(80, 91, ("x",)),))), r"cue \[80, 91\)"),
        (program(scene(cues=(Cue(0, 9, ("x", "y", "z")),))), "3 lines"),
        (program(scene(lines=(LINE,))), "starts at frame 90"),
        (program(scene(), canvas=Canvas(1921, 1080)), "1921x1080"),
        (program(scene(), canvas=Canvas(1920, 1080, Fraction(0))), "fps 0"),
        (program(scene(), poster_frame=90), "poster frame 90"),
        (program(scene(), watermark=Watermark(opacity=0.0)), "the watermark's opacity 0.0"),
    ],
)
def test_check_names_the_scene(timeline: Timeline, says: str) -> None:
    with pytest.raises(TimelineInvalid, match=says):
        check(timeline)
