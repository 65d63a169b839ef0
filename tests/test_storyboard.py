"""Storyboards are read or refused at a line, with the nearest known word."""

from __future__ import annotations

import json
import random
import re
from collections import Counter

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.plan.layer_parts import ImagePart
from factory.plan.query import format_query
from factory.plan.storyboard import CardPart, ClipPart, Storyboard, StoryboardInvalid, read_storyboard, schema
from factory.plan.wants import storyboard_query
from factory.render.plain import as_yaml
from tests.json_schema import accepts, drawn

# what is said of parts that do not fit one another
BEYOND = "^two scenes|longer than half|the scene lasts|nothing to pass over|one scene can be|no part of|given together"
BEYOND += "|are too many|show no negative|no point has|is no number"
GOOD = """\
version: 1
template: ranking
title: "销量榜 2026"
locale: zh-CN
scenes:
  - id: intro
    duration: 3.5
    layers:
      - type: title
        card: opening
        data: {title: "前十", date: 2026-10-01, at: 12:30, rank: 1, share: 0.25, on: true}
    transition: {name: fade, duration: 0.5}
  - id: rank-3
    optional: true
    voice: {text: "第三名。"}
    layers:
      - type: clip
        query: {tags_all: [exterior], text: ["北风 X5"], where: "-night duration:>=2"}
        pick: {shots: 2}
      - type: card
        card: rank_card
        data: {rank: 3}
"""


def problem(text: str) -> tuple[int, str, str]:
    with pytest.raises(StoryboardInvalid) as refusal:
        read_storyboard(text, "mine.yaml.j2")
    assert str(refusal.value).startswith(f"mine.yaml.j2:{refusal.value.problems[0].line}: ")
    found = refusal.value.problems[0]
    return found.line, found.where, found.why


def refused_for(text: str) -> tuple[str, ...]:
    """Return all that is wrong with a storyboard; nothing where it is read."""
    try:
        read_storyboard(text, "x")
    except StoryboardInvalid as refusal:
        return tuple(found.why for found in refusal.problems)
    return ()


def test_reads_a_storyboard() -> None:
    storyboard = read_storyboard(GOOD, "x")
    intro, third = storyboard.scenes
    assert isinstance(intro.layers[0], CardPart)
    assert intro.layers[0].data == {
        "title": "前十",
        "date": "2026-10-01",
        "at": "12:30",
        "rank": 1,
        "share": 0.25,
        "on": True,
    }
    assert isinstance(third.layers[0], ClipPart)
    assert third.layers[0].query.text == ("北风 X5",)
    assert third.duration == "auto"


@pytest.mark.parametrize(
    ("old", "new", "line", "where", "says"),
    [
        ("tags_all", "tag_all", 18, "scenes.1.layers.0.query.tag_all", "did you mean 'tags_all'"),
        ("voice:", "voise:", 15, "scenes.1.voise", "did you mean 'voice'"),
        ("template:", "zzz: 1\ntemplate:", 2, "zzz", "known are version, template"),
        ("type: clip", "type: clipp", 17, "scenes.1.layers.0", "unknown type 'clipp' (did you mean 'clip'?)"),
        ("type: clip\n", "typ: clip\n", 17, "scenes.1.layers.0", "discriminator"),
        ("{shots: 2}", "{shots: 0}", 19, "scenes.1.layers.0.pick.shots", "greater than or equal to 1"),
        ("duration: 3.5", "duration: long", 7, "scenes.0.duration", "'auto' or"),
        ("duration: 3.5", "duration: -1", 7, "scenes.0.duration", "greater than 0"),
        ("name: fade", "name: fede", 12, "scenes.0.transition.name", "'fade', 'crossfade'"),
        ("duration: 3.5", "duration: 0.9", 12, "scenes.0.transition", "longer than half"),
        ("id: rank-3", "id: intro", 13, "scenes.1.id", "two scenes have the id 'intro'"),
        ("    optional: true\n", "    transition: {}\n", 14, "scenes.1.transition", "nothing to pass over to"),
        ("locale: zh-CN\n", "", 1, "locale", "'locale' is missing"),
        ("locale: zh-CN", "locale: fr-FR", 4, "locale", "zh-CN"),
        ("version: 1", "version: 2", 1, "version", "should be 1"),
        ("card: opening", "card: ../../etc/passwd", 10, "scenes.0.layers.0.card", "pattern"),
        ("data: {rank: 3}", "start: 9\n        start: 9", 23, "scenes.1.layers.1.start", "twice"),
        ("card: opening\n", "card: opening\n        start: 4\n", 11, "scenes.0.layers.0.start", "lasts 3.5 s"),
        ('"前十"', '"a\\0b"', 11, "scenes.0.layers.0.data.title", "U+0000"),
        ('"前十"', '"\\ud800"', 11, "scenes.0.layers.0.data.title", "U+D800"),
        ("share: 0.25", "share: 1e999", 11, "scenes.0.layers.0.data.share", "too large"),
        ("share: 0.25", "share: !!int x", 11, "scenes.0.layers.0.data.share", "int 'x' is not used"),
        ("share: 0.25", "share: !!python/object:os.system x", 11, "scenes.0.layers.0.data.share", "is not used"),
        ("share: 0.25", "? [1] : 2", 11, "scenes.0.layers.0.data", "plain text"),
        ("  - id: intro", "  - id: [intro", 6, "", "no YAML"),
    ],
)
def test_refuses_at_a_line(old: str, new: str, line: int, where: str, says: str) -> None:
    assert old in GOOD
    found_line, found_where, why = problem(GOOD.replace(old, new, 1))
    assert says in why
    if where:
        assert (found_line, found_where) == (line, where)


IMAGE = """\
      - {type: image, file: car.jpg, ken_burns: in}
      - type: clip
        query: {tags_all: [detail]}
        speed: 0.5
        inset: {corner: top-left, start: 1, duration: 2}
"""
PICTURES = GOOD.replace("      - type: title\n", IMAGE + "      - type: title\n")


def test_reads_pictures_and_pictures_in_pictures() -> None:
    image, clip = read_storyboard(PICTURES, "x").scenes[0].layers[:2]
    assert isinstance(image, ImagePart)
    assert (image.file, image.fit, image.ken_burns, image.inset) == ("car.jpg", "auto", "in", None)
    assert isinstance(clip, ClipPart)
    assert clip.speed == 0.5
    assert clip.inset
    assert (clip.inset.corner, clip.inset.shape, clip.inset.frame) == ("top-left", "16:9", True)


@pytest.mark.parametrize(
    ("old", "new", "line", "where", "says"),
    [
        ("ken_burns", "kenburns", 9, "scenes.0.layers.0.kenburns", "did you mean 'ken_burns'"),
        ("ken_burns: in", "ken_burns: fast", 9, "scenes.0.layers.0.ken_burns", "'in', 'out'"),
        ("car.jpg", "../car.jpg", 9, "scenes.0.layers.0.file", "pattern"),
        ("car.jpg", "/etc/passwd", 9, "scenes.0.layers.0.file", "pattern"),
        ("car.jpg", "car.svg", 9, "scenes.0.layers.0.file", "pattern"),
        ("ken_burns: in", "first: [0, 0, 1, 1]", 9, "scenes.0.layers.0", "`first` and `last` are given together"),
        (
            "ken_burns: in",
            "first: [0, 0, 1, 1], last: [0, 0, 0.01, 1]",
            9,
            "scenes.0.layers.0",
            "is no part of the pic",
        ),
        ("speed: 0.5", "speed: 0.1", 12, "scenes.0.layers.1.speed", "greater than or equal to 0.25"),
        ("corner: top-left", "corner: left", 13, "scenes.0.layers.1.inset.corner", "'top-left'"),
        ("corner: top-left", "korner: left", 13, "scenes.0.layers.1.inset.korner", "did you mean 'corner'"),
        ("corner: top-left", "box: [0.5, 0, 0.4, 1]", 13, "scenes.0.layers.1.inset", "is no part of the canvas"),
        ("start: 1,", "start: 4,", 13, "scenes.0.layers.1.inset.start", "the scene lasts 3.5 s"),
    ],
)
def test_refuses_a_wrong_picture_at_its_line(old: str, new: str, line: int, where: str, says: str) -> None:
    assert old in PICTURES
    found_line, found_where, why = problem(PICTURES.replace(old, new, 1))
    assert says in why
    assert (found_line, found_where) == (line, where)


def test_two_posters_are_refused() -> None:
    text = GOOD.replace("  - id: intro\n", "  - id: intro\n    poster: true\n").replace("optional:", "poster:")
    assert problem(text)[1:] == ("scenes.1.poster", "only one scene can be the poster")


def test_all_problems_are_counted_in_the_order_of_lines() -> None:
    text = GOOD.replace("title:", "titel:", 1).replace("shots: 2", "shots: 99")
    with pytest.raises(StoryboardInvalid) as refusal:
        read_storyboard(text, "x")
    assert "unknown key 'titel' (did you mean 'title'?)" in str(refusal.value)
    text = GOOD.replace("shots: 2", "shots: 99").replace("duration: 3.5", "duration: 0")
    with pytest.raises(StoryboardInvalid, match=r"\(and 1 more\)") as refusal:
        read_storyboard(text, "x")
    assert [p.line for p in refusal.value.problems] == [7, 19]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "- 1",
        "just words",
        "[" * 5000,
        "a: " * 3000,
        "x: &a [1]\ny: *a",
        "--- 1\n--- 2",
        "\t",
        "\x00",
        "a: " + "x" * 1_000_001,
        "{" + "a: {" * 40 + "}" * 41,
        "scenes: {}",
        "version: 1\nscenes: [null]",
    ],
)
def test_odd_documents_are_refused(text: str) -> None:
    assert problem(text)[2]


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_storyboard_is_read_or_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(GOOD)))
    junk = data.draw(st.text(alphabet=":{}[]-&*!|>'\"%@`#, \n\tax1.", max_size=4))
    text = GOOD[:at] + junk + GOOD[at + data.draw(st.integers(0, 6)) :]
    try:
        assert isinstance(read_storyboard(text, "x"), Storyboard)
    except StoryboardInvalid as refusal:
        assert 1 <= refusal.problems[0].line <= text.count("\n") + 2  # noqa: PT017  refused or read: both are right here


def test_every_problem_is_named_at_its_line_and_a_misspelt_key_hides_none() -> None:
    text = (
        GOOD.replace("title:", "titel:", 1).replace("shots: 2", "shot: 2, diversty: 1").replace("rank: 3", "rank: 3", 1)
    )
    text = text.replace("type: card\n", "type: card\n        enters: 1\n").replace("duration: 0.5", 'duration: "0.5"')
    with pytest.raises(StoryboardInvalid) as refusal:
        read_storyboard(text, "x")
    assert [(p.line, p.where, p.why.partition(" (")[0]) for p in refusal.value.problems] == [
        (3, "titel", "unknown key 'titel'"),
        (12, "scenes.0.transition.duration", "input should be a valid number"),
        (19, "scenes.1.layers.0.pick.shot", "unknown key 'shot'"),
        (19, "scenes.1.layers.0.pick.diversty", "unknown key 'diversty'"),
        (21, "scenes.1.layers.1.enters", "unknown key 'enters'"),
    ]


@pytest.mark.parametrize(("part", "where"), [("card", "data"), ("color", "to"), ("text", "plate"), ("title", "enter")])
def test_a_wrong_value_stands_at_its_own_key_whatever_its_layer_is_called(part: str, where: str) -> None:
    layer = {"card": "card: x, data: 3", "color": 'color: "#ffffff", to: 3', "text": "lines: [a], plate: 3"}
    text = GOOD.replace(
        "type: title", f"{{type: {part}, {layer.get(part, 'card: x, enter: x')}}}\n      - type: title", 1
    )
    assert problem(text)[:2] == (9, f"scenes.0.layers.0.{where}")


def test_a_word_alone_needs_no_brackets() -> None:
    text = GOOD.replace("tags_all: [exterior]", "tags_all: exterior").replace('text: ["北风 X5"]', "text: 北风 X5")
    layer = read_storyboard(text, "x").scenes[1].layers[0]
    assert isinstance(layer, ClipPart)
    assert (layer.query.tags_all, layer.query.text) == (("exterior",), ("北风 X5",))


@pytest.mark.parametrize(
    ("said", "drawn"),
    [
        ("{highlight: word}", "spoken"),
        ("{style: bold, highlight: word}", "spoken"),
        ("{style: mine, highlight: word}", "mine"),
        ("{style: bold}", "bold"),
    ],
)
def test_captions_light_the_word_that_is_said_where_they_are_asked_to(said: str, drawn: str) -> None:
    assert read_storyboard(f"captions: {said}\n{GOOD}", "x").captions.drawn == drawn


def test_footage_may_be_asked_to_have_come_in_lately() -> None:
    layer = read_storyboard(GOOD.replace("text: [", "max_age_days: 30, text: ["), "x").scenes[1].layers[0]
    assert isinstance(layer, ClipPart)
    assert "age:<=30" in format_query(storyboard_query(layer.query, lambda name: name))
    assert problem(GOOD.replace("text: [", "max_age_days: 0, text: ["))[1].endswith("max_age_days")


def test_schema_describes_what_is_read() -> None:
    published = schema()
    assert json.loads(json.dumps(published)) == published
    assert set(published["properties"]) == set(Storyboard.model_fields)
    assert published["additionalProperties"] is False
    assert set(published["required"]) <= set(yaml.safe_load(GOOD))


def test_every_kind_of_part_and_every_key_of_it_says_what_it_is() -> None:
    published = schema()
    silent = [name for name, part in published["$defs"].items() if not part.get("description")]
    for name, part in {**published["$defs"], "Storyboard": published}.items():
        silent += [f"{name}.{key}" for key, value in part["properties"].items() if not value.get("description")]
    assert not silent


@pytest.mark.parametrize(("wrong", "documents"), [(0.0, 150), (0.02, 450)])
def test_what_the_schema_refuses_is_refused_and_what_it_takes_is_read(wrong: float, documents: int) -> None:
    """Beyond the schema stands only what no schema can say: whether parts that are right fit one another."""
    published, dice = schema(), random.Random(6)
    outcomes = Counter[str]()
    for _ in range(documents):
        document = drawn(published, dice, published, wrong)
        whys = refused_for(as_yaml(document))
        outcome = "refused" if any(not re.search(BEYOND, why) for why in whys) else "beyond" if whys else "read"
        assert accepts(published, document) == (outcome != "refused"), (whys, document)
        outcomes[outcome] += 1
    assert min(outcomes["read"], outcomes["beyond"]) > 0
    assert (outcomes["refused"] > 0) == (wrong > 0)
