"""A brand's logo: read from beside its kit, drawn in its cards, refused where it would reach outside."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import resvg_py
from PIL import Image

from factory.plan.timeline import Canvas
from factory.render.logos import LogoRefused, read_logo
from factory.render.templates import Templates

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100"><rect width="150" height="100" fill="#ff00ff"/>'
    '<circle cx="250" cy="50" r="50" fill="#00ff00"/></svg>'
)
KIT = """wordmark: DESK
ground: "#0f1216"
surface: "#171b21"
accent: "#ffb000"
positive: "#4fd18b"
negative: "#ff8a75"
text: "#f5f6f7"
logo: {name}
"""


def brand(folder: Path, name: str, content: bytes) -> Templates:
    (folder / "brands").mkdir(exist_ok=True)
    (folder / "brands" / name).write_bytes(content)
    (folder / "brands" / "desk.yaml").write_text(KIT.format(name=name), encoding="utf-8")
    return Templates([folder])


def png(width: int = 120, height: int = 60) -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (width, height), (255, 0, 255, 255)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "ratio"), [("logo.svg", SVG.encode(), 3), ("logo.png", png(), 2)], ids=["svg", "png"]
)
@pytest.mark.parametrize(
    ("card", "data"),
    [
        ("title", {"title": "北风 X5"}),
        ("credits", {"footage": ["a"]}),
        ("ident", {"line": ""}),
        ("watermark", {"corner": "top-right", "opacity": 1.0, "share": 0.12}),
    ],
)
def test_a_logo_stands_in_the_place_of_the_word(
    name: str, content: bytes, ratio: float, card: str, data: dict[str, Any], tmp_path: Path
) -> None:
    templates = brand(tmp_path, name, content)
    art = templates.brand("desk").art
    assert art is not None
    assert art.ratio == pytest.approx(ratio)
    svg = templates.card(card, data=data, canvas=Canvas(1920, 1080), brand="desk", locale="zh-CN")
    assert "DESK" not in svg
    pixels = np.asarray(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert("RGBA"))
    assert ((pixels[..., :3] == (255, 0, 255)).all(axis=-1) & (pixels[..., 3] == 255)).sum() > 200


def test_a_brand_without_a_logo_shows_its_word() -> None:
    templates = Templates()
    assert templates.brand("circuit").art is None
    assert "AUTOREEL" in templates.card(
        "ident", data={}, canvas=Canvas(1080, 1080), brand="circuit", locale="en-US", progress=1
    )


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("a.svg", b"<svg", "it is no SVG"),
        ("b.svg", SVG.replace("<circle", '<image href="file:///etc/passwd"/><circle').encode(), "it holds <image>"),
        ("c.svg", SVG.replace("<circle", '<use href="http://x/y#z"/><circle').encode(), "it holds <use>"),
        ("d.svg", SVG.replace("<circle", "<text>hi</text><circle").encode(), "it holds <text>"),
        ("e.svg", b'<!DOCTYPE x [<!ENTITY a "b">]>' + SVG.encode(), "document type"),
        ("f.svg", SVG.replace('viewBox="0 0 300 100"', "").encode(), "it says no size"),
        ("g.svg", SVG.replace("300 100", "9000 10").encode(), "it is 9000 x 10"),
        ("h.png", b"not a picture", "neither a PNG"),
        ("i.png", b"\x89PNG\r\n\x1a\n" + b"x" * 300_000, "larger than 256 KiB"),
        ("j.svg", b"", "it is empty"),
    ],
)
def test_a_logo_that_cannot_be_drawn_is_refused_by_name(name: str, content: bytes, cause: str, tmp_path: Path) -> None:
    templates = brand(tmp_path, name, content)
    with pytest.raises(LogoRefused, match=f"the logo {name} cannot be used: .*{cause}"):
        templates.brand("desk")


def test_a_logo_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogoRefused, match=r"the logo gone\.svg cannot be used: No such file"):
        read_logo(tmp_path / "gone.svg")
