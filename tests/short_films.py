"""Real films of six shots, each made in seconds, and the library that they are made of."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Final

from factory.plan.brief import Brief
from factory.settings import Settings
from factory.store.assets import add_clip
from factory.wiring import parts
from tests.library import TAXONOMY, a_clip, a_shot
from tests.render_kit import ffmpeg

STORYBOARD: Final = """{#
title: {zh: 短片, en: Short film}
description: {zh: 六个镜头。, en: Six shots.}
needs: nothing
seconds: 10
inputs: {order: {type: text, maximum: 20, about: number of the order}}
#}
{% import "storyboards/_parts.yaml.j2" as parts with context %}
version: 1
template: short
title: {{ inputs.order }}
locale: {{ locale }}
audio:
  music: {style: calm}
scenes:
{% for number in range(6) %}
  - id: shot-{{ number }}
    poster: {{ number == 0 }}
    duration: 1
    layers:
      - {type: clip, query: {tags_any: [{{ "mud" if number % 2 else "dune" }}]}, sound_db: -9}
      - {{ parts.lower_third(inputs.order) }}
{% endfor %}
"""


def fill_home(folder: Path, settings: Settings) -> None:
    """Write a template, and make a library of two clips that its films can be made of. Every film says the number of
    its order in each shot, so that no two share a chunk."""
    assert settings.templates is not None
    (settings.templates / "storyboards").mkdir(parents=True)
    (settings.templates / "storyboards" / "short.yaml.j2").write_text(STORYBOARD, encoding="utf-8")
    house = parts(settings)
    for number, tag in enumerate(["mud", "dune"]):
        clip = folder / f"{tag}.mp4"
        sources = (f"testsrc2=s=640x360:r=30:d=30,hue=h={number * 90}", f"sine=f={300 + 200 * number}:d=30")
        inputs = (part for source in sources for part in ("-f", "lavfi", "-i", source))
        ffmpeg(*inputs, "-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-c:a", "aac", str(clip))
        shots = [a_shot([tag], seconds=Fraction(2)) for _ in range(15)]
        with house.sessions.write() as session:
            add_clip(session, house.files.adopt(clip), a_clip(*shots), original=clip.name, taxonomy=TAXONOMY)
    house.sessions.close()


def short_film(number: int) -> Brief:
    return Brief(template="short", locale="en-US", draft=True, seed=number, set={"order": f"Order {number}"})
