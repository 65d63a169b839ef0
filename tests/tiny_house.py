"""A real house that makes a real film in a second or two: two clips, a template, and a narrator who is silent.

`FACTORY_HOME` and `FACTORY_TEMPLATES` lead worker processes to it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from factory.plan.brief import Brief
from factory.settings import Settings
from factory.store.assets import add_clip
from factory.wiring import Parts, parts
from tests.library import TAXONOMY, a_clip, a_shot
from tests.render_kit import ffmpeg

STORYBOARD = """{#
title: {zh: 短片, en: Tiny film}
description: {zh: 两个镜头。, en: Two shots.}
needs: nothing
seconds: 10
inputs: {scenes: {type: integer, default: 2, maximum: 40, about: how many}}
#}
version: 1
template: tiny
title: Tiny film
locale: {{ locale }}
audio:
  music: {style: calm}
scenes:
{% for number in range(inputs.scenes) %}
  - id: shot-{{ number }}
    poster: {{ number == 0 }}
    duration: 0.5
    layers:
      - {type: clip, query: {tags_any: [{{ "mud" if number % 2 else "dune" }}]}, sound_db: -9}
{% endfor %}
"""


def tiny_house(folder: Path, database_url: str = "") -> Parts:
    """Build it in an empty folder."""
    own = folder / "templates"
    (own / "storyboards").mkdir(parents=True)
    (own / "storyboards" / "tiny.yaml.j2").write_text(STORYBOARD, encoding="utf-8")
    house = parts(Settings(home=folder / "home", templates=own, voice="silent", database_url=database_url))
    for number, tag in enumerate(["mud", "dune"]):
        clip = folder / f"{tag}.mp4"
        sources = (f"testsrc2=s=320x180:r=30:d=20,hue=h={number * 90}", f"sine=f={300 + 200 * number}:d=20")
        ffmpeg(
            *(part for source in sources for part in ("-f", "lavfi", "-i", source)),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-c:a", "aac", str(clip)),
        )
        shots = [a_shot([tag], seconds=Fraction(1)) for _ in range(20)]
        with house.sessions.write() as session:
            add_clip(session, house.files.adopt(clip), a_clip(*shots), original=clip.name, taxonomy=TAXONOMY)
    return house


def order(seed: int = 0, *, scenes: int = 2) -> Brief:
    return Brief(template="tiny", locale="en-US", draft=True, seed=seed, set={"scenes": str(scenes)})


def told_to_workers(house: Parts) -> Mapping[str, str]:
    """Return the environment of a process that works for the house."""
    return {
        **os.environ,
        "FACTORY_HOME": str(house.settings.home),
        "FACTORY_TEMPLATES": str(house.settings.templates),
        "FACTORY_VOICE": "silent",
        "FACTORY_DATABASE_URL": house.settings.database_url,
    }
