"""A brand's own opening and closing in a real film: switched on by an order, exact, refused by name where too long."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from factory.brand_idents import ident_of
from factory.orders import make
from factory.plan.brief import Brief
from factory.plan.timeline_json import from_json
from factory.render.brands import BrandRefused
from factory.settings import Settings
from factory.wiring import Parts, parts
from tests.render_kit import lumas, number_in, numbered_clip, sound_in

KIND = """{#
title: {zh: 一, en: One}
description: {zh: 一。, en: One.}
seconds: 10
inputs:
  intro: {type: flag, about: opening}
#}
version: 1
template: one
title: One
locale: {{ locale }}
audio: {music: null}
intro: {{ inputs.intro }}
outro: true
scenes:
  - id: first
    duration: 1
    layers:
      - {type: color, color: "#808080"}
"""
KIT = """wordmark: DESK
ground: "#0f1216"
surface: "#171b21"
accent: "#ffb000"
positive: "#4fd18b"
negative: "#ff8a75"
text: "#f5f6f7"
outro: {clip: outro.mp4}
watermark: {corner: bottom-left}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    own = tmp_path_factory.mktemp("own")
    for folder in ("storyboards", "brands"):
        (own / folder).mkdir()
    (own / "storyboards" / "one.yaml.j2").write_text(KIND, encoding="utf-8")
    (own / "brands" / "desk.yaml").write_text(KIT, encoding="utf-8")
    numbered_clip(own / "brands" / "outro.mp4", size="640x360", frames=60)
    (own / "brands" / "broken.mp4").write_bytes(b"no clip")
    return parts(Settings(home=own / "home", voice="silent", templates=own))


@pytest.mark.parametrize("intro", ["yes", "no"])
def test_a_video_opens_and_closes_with_the_brand_exactly(intro: str, house: Parts, tmp_path: Path) -> None:
    brief = Brief(template="one", locale="en-US", brand="desk", draft=True, set={"intro": intro})
    record = make(brief, house, tmp_path, on_progress=lambda _share, _what: None)
    before = 60 if intro == "yes" else 0
    timeline = from_json(Path(record["timeline"]).read_text(encoding="utf-8"))
    assert [scene.frames for scene in timeline.scenes] == [60, 30, 60][0 if before else 1 :]
    assert timeline.poster_frame == before + 15
    pictures = lumas(Path(record["video"]))
    assert len(pictures) == timeline.frames == before + 30 + 60
    ends = pictures[before + 30 :]
    assert [number_in(picture) for picture in ends] == list(range(60))
    assert all(abs(float(np.median(p)) - 126) < 4 for p in pictures[before : before + 30])
    if before:
        white = [int((picture > 180).sum()) for picture in pictures[:60]]
        assert white[0] < white[15] <= white[40]  # the word is uncovered, then rests
        assert white[30:] == pytest.approx([white[59]] * 30, rel=0.02)
    mark = [picture[-27:, :160].std() for picture in pictures[before : before + 30]]
    assert min(mark) > 5  # the watermark
    sound = sound_in(Path(record["video"]))
    closing = round((before + 30) / 30 * 48_000)
    assert np.abs(sound[closing + 4800 :]).max() > 20 * np.abs(sound[: closing - 4800]).max()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"clip": "gone.mp4"}, r"there is no file gone\.mp4"),
        ({"clip": "broken.mp4"}, r"broken\.mp4"),
        ({"clip": "outro.mp4", "seconds": 3.0}, r"outro\.mp4 lasts 2\.0 s, and 3\.0 s are shown"),
    ],
)
def test_a_clip_that_does_not_fit_is_refused_by_name(changes: dict[str, object], says: str, house: Parts) -> None:
    brand = house.templates.brand("desk")
    with pytest.raises(BrandRefused, match=says):
        ident_of(brand, brand.intro.model_copy(update=changes), house)


def test_without_a_clip_the_word_opens_on_the_brands_ground(house: Parts) -> None:
    brand = house.templates.brand("circuit")
    ident = ident_of(brand, brand.outro, house)
    assert (float(ident.seconds), ident.card, ident.asset, ident.to) == (2.5, "ident", "", brand.ground)
