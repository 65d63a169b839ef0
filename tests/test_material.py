"""Credits and licences: every piece of material once, and what nobody stated said aloud."""

from __future__ import annotations

import re
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from factory.plan.material import KINDS, Shelf, as_text, material
from factory.plan.timeline import Canvas, ClipLayer, ImageLayer, Music, TimedScene, Timeline
from factory.render.voice_chinese import KokoroVoice
from factory.render.voice_english import HibariVoice
from factory.render.voice_silent import SilentVoice

OWN = yaml.safe_load((files("factory.plan") / "data" / "material.yaml").read_text(encoding="utf-8"))
ROOT = Path(__file__).parent.parent


def layer(asset: str, start: int = 0) -> ClipLayer:
    return ClipLayer(asset, 1, Fraction(3, 2), start, 30, Fraction(2))


def shot(asset: str, **values: str) -> dict[str, Any]:
    return {"asset": asset, "title": f"clip {asset}", "credit": "Ann", "licence": "CC-BY-4.0", "rights": "ok", **values}


TIMELINE = Timeline(
    "北风\nX5",
    "zh-CN",
    "t",
    "daylight",
    Canvas(320, 180),
    (
        TimedScene("ident", 30, (layer("brand"),), bare=True),
        TimedScene("one", 60, (layer("a"), layer("b", 30))),
        TimedScene("two", 30, (layer("a"), ImageLayer("p", 0, 30))),
    ),
    Music("drive", 4),
)
TRACE: dict[str, Any] = {
    "shots": [shot("a"), shot("b", licence="", credit=""), shot("left out")],
    "pictures": [{"file": "press.jpg", "asset": "p", "credit": "Photo: Bo"}],
    "voices": [KokoroVoice.name, "another 3"],
    "sources": [{"name": "Desk", "date": "2026-10", "url": "https://a.example", "licence": "CC0-1.0", "sample": True}],
}


def test_all_of_it_is_there_once_and_what_is_not_shown_is_not() -> None:
    found = material(TIMELINE, TRACE, Shelf(OWN, {"a": "https://clip.example"}))
    named = [(piece["kind"], piece["name"]) for piece in found["material"]]
    assert named == [
        ("footage", "opening or closing of daylight"),
        ("footage", "clip a"),
        ("footage", "clip b"),
        ("picture", "press.jpg"),
        ("music", "drive, seed 4"),
        ("voice", "Kokoro-82M"),
        ("voice", "another 3"),
        ("font", "Noto Sans CJK"),
        ("data", "Desk"),
    ]
    assert {kind for kind, _ in named} == set(KINDS)
    first = found["material"][1]
    assert (first["url"], first["licence"]) == ("https://clip.example", "CC-BY-4.0")
    assert first["seconds"] == [[1.5, 3.5], [1.5, 3.5]]
    assert found["unstated"] == ["footage: clip b", "picture: press.jpg", "voice: another 3"]


def test_the_page_says_the_same_in_both_languages() -> None:
    found = material(TIMELINE, TRACE, Shelf(OWN, {}))
    for locale, heads in (("zh-CN", 0), ("en-US", 1)):
        text = as_text(found, locale)
        assert all(names[heads] in text for names in KINDS.values())
        assert all(piece["name"] in text for piece in found["material"])
        assert "CC-BY-4.0" in text
        assert "footage: clip b" in text
    assert "sample data" in as_text(found, "en-US")


def test_every_voice_of_the_factory_and_its_licence_are_known_and_stand_in_the_notice() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for voice in (KokoroVoice, HibariVoice, SilentVoice):
        (own,) = (own for start, own in OWN["voices"].items() if voice.name.startswith(start))
        assert own["licence"]
    for own in (OWN["font"], OWN["voices"]["kokoro"], OWN["voices"]["hibari"]):
        assert own["name"] in notice
        assert all(word in notice for word in re.split(r"; export ", own["licence"]))
