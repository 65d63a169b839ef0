"""A preview shows what make would choose, cards over it, in each shape; and goes on where a shot is lacking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from factory.cli import app
from factory.plan.brief import CANVASES, Brief
from factory.planning import plan
from factory.preview import Preview, preview
from factory.render.board_sheet import HEAD, REDDISH, tile_size
from factory.render.tag_sheet import MARGIN
from factory.settings import Settings
from factory.store.assets import add_clip
from factory.wiring import Parts, parts
from tests.drawn_video import draw_video
from tests.library import TAXONOMY, a_clip, a_shot

GREEN, BLUE, YELLOW = (20, 160, 60), (30, 60, 200), (200, 180, 20)
TEMPLATE = """\
{#
title: {zh: 短, en: Short}
description: {zh: 短, en: Short}
inputs:
  third: {type: text, default: mud, about: a tag}
#}
version: 1
template: short
title: {{ tr(zh="短片", en="A short film") }}
locale: {{ locale }}
scenes:
  - id: hook
    duration: 2
    layers:
      - {type: clip, query: {tags_all: exterior} }
      - {type: title, card: title, data: {title: {{ tr(zh="短片", en="A short film") }}, kicker: "", subtitle: ""} }
  - id: extra
    optional: true
    duration: 3
    layers:
      - {type: clip, query: {tags_all: snow} }
  - id: told
    voice: {text: {{ tr(zh="现在看里面。", en="Now the inside.") }} }
    layers:
      - {type: clip, query: {tags_all: interior} }
  - id: last
    duration: 2
    layers:
      - {type: clip, query: {tags_all: {{ inputs.third }} } }
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Three clips of one colour each."""
    folder = tmp_path_factory.mktemp("preview")
    (folder / "mine" / "storyboards").mkdir(parents=True)
    (folder / "mine" / "storyboards" / "short.yaml.j2").write_text(TEMPLATE, encoding="utf-8")
    built = parts(Settings(home=folder / "home", database_url="", templates=folder / "mine", voice="silent"))
    for tag, colour in (("exterior", GREEN), ("interior", BLUE), ("mud", YELLOW)):
        frame = np.full((180, 320, 3), colour, np.uint8)
        kept = built.files.adopt(draw_video(folder / f"{tag}.mp4", [frame] * 150))
        with built.sessions.write() as session:
            clip = a_clip(a_shot([tag], seconds=Fraction(6)), title=f"clip of {tag}")
            add_clip(session, kept, clip, original=tag, taxonomy=TAXONOMY)
    yield built
    built.sessions.close()


def tile_of(shown: Preview, number: int, aspect: str = "16:9") -> Image.Image:
    width, height = tile_size(CANVASES[aspect])  # type: ignore[index]
    left = MARGIN + number * (width + 28)
    return shown.sheets[aspect].crop((left, HEAD, left + width, HEAD + height))  # type: ignore[index]


def shows(tile: Image.Image, colour: tuple[int, int, int]) -> bool:
    """Is the lower right of a tile, where no card stands, of this colour?"""
    pixel = tile.getpixel((tile.width - 12, tile.height - 12))
    assert isinstance(pixel, tuple)
    return max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 24


def test_it_shows_the_shots_that_make_would_choose_with_cards_over_them(house: Parts) -> None:
    brief = Brief(template="short", locale="en-US", aspects=("16:9", "9:16"))
    shown = preview(brief, house)
    assert shown.lacking == ()
    chosen = {shot["scene"]: shot["shot"] for shot in plan(brief, house).trace["shots"]}
    assert {scene["scene"]: scene["shots"][0]["shot"] for scene in shown.scenes if scene["shots"]} == chosen
    for aspect in brief.aspects:
        hook, _, told, last = (tile_of(shown, number, aspect) for number in range(4))
        assert [shows(hook, GREEN), shows(told, BLUE), shows(last, YELLOW)] == [True] * 3
        assert len(hook.getcolors(1 << 20) or ()) > len(told.getcolors(1 << 20) or ()) + 50  # the title's letters
    assert shown.took < 60


def test_an_optional_scene_without_a_shot_is_left_out_and_those_after_it_move_up(house: Parts) -> None:
    hook, extra, told, last = preview(Brief(template="short", locale="zh-CN"), house).scenes
    assert (hook["start"], extra["start"], told["start"]) == (0.0, None, 2.0)
    assert last["start"] == told["start"] + told["seconds"]
    assert extra["missing"]
    assert told["said"] == "现在看里面。"


def test_where_a_shot_is_lacking_it_goes_on_in_red_and_says_why(house: Parts) -> None:
    shown = preview(Brief(template="short", locale="en-US", set={"third": "night"}), house)
    assert shown.lacking == ("last",)
    assert "night for 2.0 s: 0 candidates" in shown.scenes[3]["missing"][0]
    red = tuple(int(REDDISH[i : i + 2], 16) for i in (1, 3, 5))
    assert shows(tile_of(shown, 3), red)  # type: ignore[arg-type]
    assert shows(tile_of(shown, 0), GREEN)


def test_two_places_for_one_shot_leave_the_second_open(house: Parts) -> None:
    shown = preview(Brief(template="short", locale="en-US", set={"third": "interior"}), house)
    assert len(shown.lacking) == 1
    (missing,) = [scene["missing"][0] for scene in shown.scenes if scene["missing"] and not scene["optional"]]
    assert "shown elsewhere" in missing


def test_a_lost_file_and_a_letter_that_the_font_lacks_stop_nothing(house: Parts, tmp_path: Path) -> None:
    text = TEMPLATE.replace('kicker: ""', 'kicker: "\U00010330"').replace("template: short", "template: odd")
    file = tmp_path / "mine" / "storyboards" / "odd.yaml.j2"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    own = Parts(house.settings.model_copy(update={"templates": tmp_path / "mine"}))
    try:
        shown = preview(Brief(template="odd", locale="en-US"), own)
    finally:
        own.sessions.close()
    assert shown.lacking == ()
    assert shows(tile_of(shown, 0), GREEN)  # the card alone is not there


def test_the_command_writes_a_sheet_for_each_aspect_and_exits_as_make_would(
    house: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTORY_HOME", str(house.settings.home))
    monkeypatch.setenv("FACTORY_TEMPLATES", str(house.settings.templates))
    out = tmp_path / "new" / "sheet.png"
    command = ["preview", "short", "--locale", "en-US", "--out", str(out), "--json"]
    run = CliRunner().invoke(app, [*command, "--aspect", "1:1", "--aspect", "9:16"])
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout)
    assert sorted(path.name for path in out.parent.iterdir()) == ["sheet-1x1.png", "sheet-9x16.png"]
    assert (len(told["scenes"]), told["lacking"]) == (4, [])
    thin = CliRunner().invoke(app, [*command, "--set", "third=night"])
    assert (thin.exit_code, out.exists()) == (4, True)
