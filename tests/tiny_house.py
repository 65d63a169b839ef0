"""A real house that makes a real film in a second or two: two clips, a template, and a narrator who is silent.

`FACTORY_HOME` and `FACTORY_TEMPLATES` lead worker processes to it.
"""

from __future__ import annotations

import hashlib
import json
import os
from fractions import Fraction
from pathlib import Path

import sqlalchemy as sa

from factory.plan.brief import Brief
from factory.settings import Settings
from factory.store import job_lookup, jobs
from factory.store.assets import add_clip
from factory.store.job import Job
from factory.store.schema import Asset, JobOutput
from factory.wiring import Parts, parts
from tests.library import TAXONOMY, a_clip, a_shot
from tests.render_kit import ffmpeg, lumas
from understanding import vehicles

FRAMES = 15  # of each scene
STORYBOARD = """{#
title: {zh: 短片, en: Tiny film}
description: {zh: 两个镜头。, en: Two shots.}
needs: nothing
seconds: 10
inputs:
  scenes: {type: integer, default: 2, maximum: 40, about: how many}
  shows: {type: text, choices: [both, mud, dune], default: both, about: which clip}
#}
version: 1
template: tiny
title: Tiny film
locale: {{ locale }}
audio:
  music: {style: calm}
scenes:
{% for number in range(inputs.scenes) %}
{% set shown = inputs.shows if inputs.shows != "both" else "mud" if number % 2 else "dune" %}
  - id: shot-{{ number }}
    poster: {{ number == 0 }}
    duration: 0.5
    layers:
      - {type: clip, query: {tags_any: [{{ shown }}]}, sound_db: -9}
{% endfor %}
"""


def tiny_house(folder: Path, *, eye: Path | None = None, database_url: str = "") -> Parts:
    """Build it in an empty folder, or in one to come. `eye` is the exported net that sees cars, else it is made."""
    own = folder / "templates"
    (own / "storyboards").mkdir(parents=True)
    (own / "storyboards" / "tiny.yaml.j2").write_text(STORYBOARD, encoding="utf-8")
    house = parts(Settings(home=folder / "home", templates=own, voice="silent", database_url=database_url))
    if eye is not None:
        data = eye.read_bytes()
        house.files.cached(vehicles.model_key(), ".onnx", lambda path: _write(path, data))
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


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def order(seed: int = 0, *, scenes: int = 2, shows: str = "both") -> Brief:
    return Brief(template="tiny", locale="en-US", draft=True, seed=seed, set={"scenes": str(scenes), "shows": shows})


def ordered(house: Parts, brief: Brief) -> str:
    with house.sessions.write() as session:
        return jobs.submit(session, brief).job


def seen(house: Parts, job: str) -> Job:
    with house.sessions.read() as session:
        return job_lookup.get(session, job)


def whole_film(house: Parts, job: str) -> Path:
    """Return the film of a job that is in review. Every file of it is what the ledger says, every frame is there."""
    outputs = {output.role: output for output in seen(house, job).outputs}
    for output in outputs.values():
        data = house.files.path(output.digest).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (output.digest, output.bytes)
    video = house.files.path(outputs["video"].digest)
    scenes = int(seen(house, job).brief().set["scenes"])
    assert len(lumas(video)) == outputs["video"].frames == scenes * FRAMES
    return video


def chunks_of(house: Parts, job: str) -> tuple[int, int]:
    """Return how many chunks the last attempt made, and how many it found in the cache."""
    (trace,) = (output.digest for output in seen(house, job).outputs if output.role == "trace")
    told = json.loads(house.files.path(trace).read_bytes())["render"]
    return told["chunks_made"], told["chunks_reused"]


def cached_chunks(house: Parts) -> int:
    return sum(1 for _ in house.files.cache.rglob("*.mp4"))


def unfinished(house: Parts) -> list[Path]:
    """Return what lies about half made, and finished films that no job names."""
    with house.sessions.read() as session:
        named = set(session.scalars(sa.select(JobOutput.digest))) | set(session.scalars(sa.select(Asset.digest)))
    kept = [path for path in house.files.media.rglob("*") if path.is_file() and path.name not in named]
    return [*house.files.partial.iterdir(), *kept]


def forget_chunks(house: Parts) -> None:
    """Let the next render find a cold cache; only the net that sees cars stays."""
    for file in house.files.cache.rglob("*.*"):
        if file.is_file() and file.suffix != ".onnx":
            file.unlink()


def told_to_workers(house: Parts, folder: Path) -> dict[str, str]:
    """Return the environment of a process that works for the house."""
    return {
        **os.environ,
        "FACTORY_HOME": str(house.settings.home),
        "FACTORY_TEMPLATES": str(house.settings.templates),
        "FACTORY_VOICE": "silent",
        "FACTORY_DATABASE_URL": house.settings.database,
        "STUB_LOG": str(folder / "log"),
    }
