"""Pictures on their way into a video: named by path at the command line only, kept by content, shown to the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from factory.errors import FactoryError, WrongUsage
from factory.orders import make
from factory.picture_files import pictures_of, with_pictures
from factory.plan.brief import Brief
from factory.plan.storyboard import read_storyboard
from factory.plan.timeline import ImageLayer
from factory.plan.timeline_json import from_json
from factory.render.kinds import InputRefused
from factory.render.stills import PictureRefused
from factory.render.templates import UnknownTemplate
from factory.settings import Settings
from factory.wiring import Parts, parts
from tests.render_kit import lumas

KIND = """{#
title: {zh: 一, en: One}
description: {zh: 一。, en: One.}
seconds: 10
inputs:
  photo: {type: image, about: a picture}
#}
version: 1
template: one
title: One
locale: {{ locale }}
audio: {music: null}
scenes:
  - id: first
    duration: 1
    layers:
      - {type: image, file: {{ inputs.photo or "house.png" }}, ken_burns: in}
"""


@pytest.fixture
def house(tmp_path: Path) -> Parts:
    own = tmp_path / "own"
    for folder in ("storyboards", "images"):
        (own / folder).mkdir(parents=True)
    (own / "storyboards" / "one.yaml.j2").write_text(KIND, encoding="utf-8")
    picture(own / "images" / "house.png", "#102030")
    (own / "images" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return parts(Settings(home=tmp_path / "home", voice="silent", templates=own))


def picture(path: Path, color: str) -> Path:
    Image.new("RGB", (400, 300), color).save(path)
    return path


def board(file: str) -> Any:
    text = KIND.partition("#}")[2].replace("{{ locale }}", "en-US").replace('{{ inputs.photo or "house.png" }}', file)
    return read_storyboard(text, "x")


def test_a_path_of_the_command_line_becomes_the_content_that_it_had(house: Parts, tmp_path: Path) -> None:
    path = picture(tmp_path / "mine.jpg", "#e0e0e0")
    brief = with_pictures(Brief(template="one", set={"photo": str(path)}), house)
    digest = brief.set["photo"]
    path.unlink()
    known = pictures_of(board(digest), house)
    assert (known[digest].width, known[digest].height) == (400, 300)
    assert house.files.has(digest)
    assert with_pictures(Brief(template="one"), house).set == {}


def test_a_path_that_is_not_there_is_named(house: Parts, tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=r"photo: there is no file '.*gone\.jpg'"):
        with_pictures(Brief(template="one", set={"photo": str(tmp_path / "gone.jpg")}), house)


@pytest.mark.parametrize("text", ["/etc/passwd", "../house.png", "house.svg", "a" * 63])
def test_no_path_comes_in_through_an_order(text: str, house: Parts) -> None:
    with pytest.raises(InputRefused, match="photo cannot be"):
        house.templates.describe("one").inputs_from({"photo": text})


@pytest.mark.parametrize(
    ("file", "refusal", "says"),
    [
        ("hause.png", UnknownTemplate, "no picture named 'hause.png'"),
        ("broken.jpg", PictureRefused, "the picture broken.jpg cannot be used: "),
        ("f" * 64, FactoryError, "f" * 64),
    ],
)
def test_a_picture_that_cannot_be_shown_stops_the_plan(
    file: str, refusal: type[FactoryError], says: str, house: Parts
) -> None:
    with pytest.raises(refusal, match=says):
        pictures_of(board(file), house)


def test_a_picture_is_shown_to_its_last_frame(house: Parts, tmp_path: Path) -> None:
    path = picture(tmp_path / "mine.png", "#e0e0e0")
    brief = with_pictures(Brief(template="one", locale="en-US", set={"photo": str(path)}, draft=True), house)
    record = make(brief, house, tmp_path / "out", on_progress=lambda _share, _what: None)
    timeline = from_json(Path(record["timeline"]).read_text(encoding="utf-8"))
    (layer,) = timeline.scenes[0].layers
    assert isinstance(layer, ImageLayer)
    assert layer.asset == brief.set["photo"]
    pictures = lumas(Path(record["video"]))
    assert len(pictures) == record["frames"] == 30
    assert all(p.mean() == pytest.approx(16 + 219 * 0xE0 / 255, abs=2) for p in pictures)
