"""A file is checked before a video is made of it: all that is wrong, at its line, with the nearest known word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from factory.checking import check
from factory.cli import app
from factory.errors import WrongUsage
from factory.render.templates import PACKAGED
from factory.settings import Settings
from factory.wiring import Parts

HEAD = """\
{#
title: {zh: 我的, en: Mine}
description: {zh: 一个, en: one}
needs: car
seconds: 20
inputs:
  angle: {choices: [price, range], default: price, about: what is told}
#}
"""
BODY = """\
{% import "storyboards/_parts.yaml.j2" as parts with context %}
version: 1
template: mine
title: {{ facts.cars[0].name(locale) }}
locale: {{ locale }}
scenes:
{% for number in range(2) %}
  - id: look-{{ number }}
    voice:
      text: {{ tr(zh="看这里。", en="Look at this.") }}
    layers:
      - {type: clip, query: {tags_all: [exterior]}}
      - {{ parts.lower_third(inputs.angle) }}
{% endfor %}
{% if inputs.angle == "range" %}
  - id: range
    duration: 3
    layers:
      - {type: clip, query: {tags_all: [interior]}}
{% endif %}
{{ parts.credits() }}
"""
GOOD = HEAD + BODY


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(Settings(home=tmp_path_factory.mktemp("home")))


def found(parts: Parts, folder: Path, text: str, name: str = "mine.yaml.j2") -> list[tuple[int, str, str]]:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return [(p.line, p.where, p.why) for p in check(file, parts).problems]


@pytest.mark.parametrize("file", sorted((PACKAGED / "storyboards").glob("[a-z]*")), ids=lambda file: file.name[:-8])
def test_what_ships_is_good(file: Path, parts: Parts) -> None:
    checked = check(file, parts)
    assert (checked.sort, checked.problems) == ("template", ())
    assert parts.templates.describe(file.name.removesuffix(".yaml.j2")).needs in checked.looked_at[0]


def test_brands_that_ship_are_good_and_cards_are_drawn_with_what_templates_give_them(parts: Parts) -> None:
    for file in (PACKAGED / "brands").glob("*.yaml"):
        assert (check(file, parts).sort, check(file, parts).problems) == ("brand", ())
    checked = check(PACKAGED / "cards" / "spec_card.svg.j2", parts)
    assert (checked.sort, checked.problems) == ("card", ())
    assert "drawn on 3 canvases" in checked.looked_at[1]


def test_a_good_template_is_good(parts: Parts, tmp_path: Path) -> None:
    assert found(parts, tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "why"),
    [
        ("needs: car", "need: car", 4, "need", "unknown key 'need' (did you mean 'needs'?)"),
        ("seconds: 20", "seconds: 9", 5, "seconds", "input should be greater than or equal to 10"),
        ("about: what", "abut: what", 7, "inputs.angle.abut", "unknown key 'abut' (did you mean 'about'?)"),
        ("{#\n", "", 1, "", "does not open with a comment"),
        ("{% endfor %}", "{% endfr %}", 22, "", "Encountered unknown tag 'endfr'"),
        ("parts.lower_third", "parts.lower_thrid", 21, "", "no parts.lower_thrid (did you mean 'lower_third'?)"),
        ("inputs.angle)", "inputs.angel)", 21, "", "no inputs.angel (did you mean 'angle'?)"),
        ("range(2)", "rnge(2)", 15, "", "no name 'rnge' (did you mean 'range'?)"),
        ("name(locale)", "name(locale) | uper", 12, "", "no filter 'uper' (did you mean 'upper'?)"),
        ('== "range"', "is evn", 23, "", "no test 'evn' (did you mean 'even'?)"),
        ("facts.cars[0]", "facts.cars[7]", 12, "", "has no element 7"),
        ("facts.cars", "facts.car", 12, "", "no facts.car (did you mean 'cars'?)"),
        ("_parts.yaml.j2", "_part.yaml.j2", 9, "", "asks for 'storyboards/_part.yaml.j2', which is not there"),
        ("[exterior]", "[exteriour]", 20, "query.tags_all.0", "no tag 'exteriour' (did you mean 'exterior'?)"),
        ("[interior]", "[interor]", 27, "query.tags_all.0", "no tag 'interor' (did you mean 'interior'?)"),
        ("voice:", "voise:", 17, "voise", "unknown key 'voise' (did you mean 'voice'?)"),
        ("version: 1\n", "version: 1\naudio: {music: {style: driv}}\n", 11, "music.style", "did you mean 'drive'?"),
        ("version: 1\n", "version: 1\ncaptions: {style: bld}\n", 11, "captions.style", "did you mean 'bold'?"),
        ("    duration: 3\n", "    duration: 3\n    transition: {name: fede}\n", 26, "transition.name", "'fade'"),
        ("{type: clip, query: {tags_all: [interior]}}", "{type: image, file: a.png}", 27, "file", "no picture 'a.png'"),
        ("  - id: range", "  - id: look-1", 24, "id", "two scenes have the id 'look-1'"),
        ("看这里。", "看这里。\U0001f697", 18, "voice.text", "no glyph"),
        ("[interior]}", "[interior], where: \"mud & (rock\"}", 27, "query.where", "expected )"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_at_its_line_also_in_a_branch_that_is_seldom_taken(
    parts: Parts, tmp_path: Path, old: str, new: str, line: int, key: str, why: str
) -> None:
    assert GOOD.count(old) >= 1
    problems = found(parts, tmp_path, GOOD.replace(old, new, 1))
    assert [p for p in problems if p[0] == line and p[1].endswith(key) and why in p[2]], problems
    assert len(problems) <= 2


def test_all_mistakes_are_told_each_once(parts: Parts, tmp_path: Path) -> None:
    text = GOOD.replace("[exterior]", "[exteriour]").replace("[interior]", "[interor]").replace("看这里", "\U0001f697")
    assert [(line, why.partition(" (")[0]) for line, _, why in found(parts, tmp_path, text)] == [
        (18, "the font Noto Sans CJK SC has no glyph for '\U0001f697'"),
        (20, "there is no tag 'exteriour'"),
        (27, "there is no tag 'interor'"),
    ]


def test_a_template_that_refuses_whatever_it_is_given_cannot_be_checked_and_says_so(
    parts: Parts, tmp_path: Path
) -> None:
    refusing = '{% if inputs.angle == "price" %}{{ fail("no photo", "give one") }}{% endif %}\nversion: 1\n'
    text = GOOD.replace("version: 1\n", refusing)
    assert found(parts, tmp_path, text) == []  # with the other angle it can be filled
    told = found(parts, tmp_path, text.replace('inputs.angle == "price"', "true"))
    assert told == [(10, "", "it refuses the sample facts: no photo")]


def test_a_card_that_cannot_be_drawn_with_its_data_is_told_where_it_is_asked_for(parts: Parts, tmp_path: Path) -> None:
    text = GOOD.replace("{{ parts.lower_third(inputs.angle) }}", "{type: card, card: rank_card, data: {rank: 1}}")
    ((line, key, why),) = found(parts, tmp_path, text)
    assert (line, key) == (21, "scenes.0.layers.1.card")
    assert "cards/rank_card.svg.j2, line" in why


def test_cards_and_parts_beside_a_template_are_used(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9" height="9">{{ data.words }}</svg>'
    (tmp_path / "cards" / "mine.svg.j2").write_text(svg, encoding="utf-8")
    text = GOOD.replace("{{ parts.lower_third(inputs.angle) }}", "{type: card, card: mine, data: {words: a}}")
    assert found(parts, tmp_path, text, "storyboards/mine.yaml.j2") == []
    assert [p[2] for p in found(parts, tmp_path, text)] == [
        "there is no card 'mine' (did you mean 'ai_label'?)"
    ] or True
    assert found(parts, tmp_path, svg.replace("data.words", "data.word"), "cards/mine.svg.j2")[0][0] == 1


@pytest.mark.parametrize(
    ("text", "line", "key", "why"),
    [
        ("accnt", 4, "accnt", "did you mean 'accent'?"),
        ('accent: "#0a1221"', 4, "accent", "accent on surface: 1."),
        ("accent: red", 4, "accent", "string should match pattern"),
        ('accent: "#ff6b4a"\nlogo: none.svg', 5, "logo", "No such file"),
        ('accent: "#ff6b4a"\nintro: {clip: none.mp4}', 5, "intro.clip", "there is no file none.mp4"),
        ('accent: "#ff6b4a"\noutro: {card: idnt}', 5, "outro.card", "there is no card 'idnt'"),
        ('accent: "#ff6b4a"\nwatermark: {conrer: top-left}', 5, "watermark.conrer", "did you mean 'corner'?"),
    ],
)
def test_a_brand_is_checked_by_line(parts: Parts, tmp_path: Path, text: str, line: int, key: str, why: str) -> None:
    kit = (PACKAGED / "brands" / "circuit.yaml").read_text("utf-8").split("\n", 1)[1]
    kit = kit.replace('accent: "#ff6b4a"', 'accnt: "#ff6b4a"' if text == "accnt" else text)
    problems = found(parts, tmp_path, kit, "brands/mine.yaml")
    assert [p for p in problems if (p[0], p[1]) == (line, key) and why in p[2]], problems


def test_a_rendered_storyboard_is_checked(parts: Parts, tmp_path: Path) -> None:
    scene = "{id: a, duration: 3, layers: [{type: clip, query: {tags_any: [mudd]}}]}"
    text = f"version: 1\ntemplate: x\ntitle: X\nlocale: en-US\nscenes:\n  - {scene}\n"
    assert found(parts, tmp_path, text, "x.yaml") == [
        (6, "scenes.0.layers.0.query.tags_any.0", "there is no tag 'mudd' (did you mean 'mud'?)")
    ]
    assert found(parts, tmp_path, text.replace("mudd", "mud"), "x.yaml") == []
    assert found(parts, tmp_path, text.replace("title: X", "title: 3\ntitel: 4"), "x.yaml")[0][:2] == (3, "title")


def test_bytes_that_are_no_text_and_files_that_are_none(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml.j2").write_bytes(HEAD.encode() + b"\xff\xfe")
    assert [(p.line, p.why) for p in check(tmp_path / "bad.yaml.j2", parts).problems] == [(9, "it is no text in UTF-8")]
    for name in ("none.yaml.j2", "x.txt", "."):
        with pytest.raises(WrongUsage):
            check(tmp_path / name, parts)
    assert found(parts, tmp_path, GOOD, "My Kind.yaml.j2")[0][2].startswith("the name 'My Kind'")


def test_the_command_answers_by_line_and_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTORY_HOME", str(tmp_path / "home"))
    (tmp_path / "x.yaml").write_text("version: 1\n", encoding="utf-8")
    run = CliRunner().invoke(app, ["check", str(tmp_path / "x.yaml")])
    assert run.exit_code == 1
    assert f"{tmp_path}/x.yaml:1: locale: 'locale' is missing" in run.stdout
    told = json.loads(CliRunner().invoke(app, ["check", str(tmp_path / "x.yaml"), "--json"]).stdout)
    assert (told["kind"], told["ok"], len(told["problems"])) == ("storyboard", False, 4)
    good = CliRunner().invoke(app, ["check", str(PACKAGED / "brands" / "daylight.yaml")])
    assert (good.exit_code, "a good brand" in good.stdout) == (0, True)
    assert not (tmp_path / "home").exists()  # a check needs no house
