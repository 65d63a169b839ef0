"""A library of rows without pictures, as large as wanted: what a tagger would have said of takes of the sample scenes.

Each shot is a take of one of the drawn scenes with one of the catalogue's cars. Its tags are that scene's, some missed
and some wrong, with the confidences of a tagger; takes of one scene lie near each other in the embedding, cuts of one
clip nearer. The same seed gives the same library.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from factory.orders import load_table
from factory.samples import SAMPLE_CARS, SAMPLE_SALES, Scene, scenes
from factory.store import assets, catalog
from factory.store.mentions import note_mentions
from factory.store.schema import Shot
from factory.wiring import Parts
from tests.library import TAXONOMY, a_clip, adopted
from understanding.tagged import Box, Region, ShotQuality, Tag, TaggedShot

SIZE = 64  # of an embedding
MOST_SHOTS = 6  # of a clip
MISSED, WRONG = 0.12, 0.04  # shares of tags
OF_SCENE, OF_TAKE, OF_CUT = 1.0, 0.55, 0.13  # what of a shot's embedding its scene, its clip and itself give
TWIN_OF_BEFORE = 0.04  # share of clips of which a shot shows the moments of an earlier one
RIGHTS = (("ok", 0.55), ("unknown", 0.42), ("restricted", 0.03))
SIZES = (((1920, 1080), 0.6), ((1280, 720), 0.25), ((1080, 1920), 0.1), ((640, 360), 0.05))
CAR_SCENES = ("exterior", "interior", "detail", "driving-view")


def fill(parts: Parts, shots: int, *, seed: int = 1) -> None:
    """Put the sample tables and `shots` shots into an empty library."""
    for table in (SAMPLE_CARS, SAMPLE_SALES):
        load_table(table, parts, {})
    chance = np.random.default_rng(seed)
    with parts.sessions.write() as session:
        cars = catalog.all_cars(session)
        names = [(car.slug, car.body, f"{car.name_zh} {car.name_en}") for car in cars]
        left, number = shots, 0
        while left:
            clip = list(_shots(chance, min(left, 1 + int(chance.integers(MOST_SHOTS))), names))
            _add(session, number, clip, chance)
            left, number = left - len(clip), number + 1
        note_mentions(session, cars)
        _make_twins(session, chance)
    with parts.sessions.write() as session:
        session.execute(sa.text("ANALYZE"))


def _add(session: Session, number: int, clip: list[tuple[TaggedShot, str]], chance: np.random.Generator) -> None:
    (width, height), title = _drawn(chance, SIZES), clip[0][1]
    tagged = a_clip(*(shot for shot, _ in clip), title=title, width=width, height=height, version="rows-1")
    known = adopted(f"row clip {number}")
    rights = _drawn(chance, RIGHTS)
    assets.add_clip(session, known, tagged, original=f"rows/{number}.mp4", taxonomy=TAXONOMY, rights=rights)


def _shots(
    chance: np.random.Generator, count: int, cars: list[tuple[str, str, str]]
) -> Iterator[tuple[TaggedShot, str]]:
    """Yield the shots of one clip, with its title."""
    every = scenes()
    scene = every[int(chance.integers(len(every)))]
    _, body, name = cars[int(chance.integers(len(cars)))]
    title = f"{name} {scene.coarse}" if scene.coarse in CAR_SCENES or scene.car else scene.title_en
    bodies = {car[1] for car in cars}
    shown = [scene.coarse, *(body if tag in bodies else tag for tag in scene.tags)]
    place = OF_SCENE * _place_of(scene) + OF_TAKE * chance.normal(size=SIZE)
    for _ in range(count):
        yield _shot(chance, shown, place + OF_CUT * chance.normal(size=SIZE)), title


def _shot(chance: np.random.Generator, shown: list[str], place: NDArray[np.float64]) -> TaggedShot:
    kept = [tag for tag in shown if tag == shown[0] or chance.random() > MISSED]
    if chance.random() < WRONG * len(shown):
        kept.append(TAXONOMY.tags[int(chance.integers(len(TAXONOMY.tags)))])
    tags = [Tag(tag, round(float(chance.beta(6, 1.6)), 4), "picture") for tag in dict.fromkeys(kept)]
    seconds = Fraction(int(np.clip(chance.lognormal(1.5, 0.5), 1.2, 16) * 25), 25)
    quality = ShotQuality(float(chance.beta(4, 4)), float(chance.beta(5, 2)), float(chance.beta(2, 6)), 0.0, -20.0)
    region = (Region("logo", Box(0.84, 0.04, 0.96, 0.1)),) if chance.random() < 0.08 else ()
    vector = (place / np.linalg.norm(place)).astype(np.float32)
    ordered = tuple(sorted(tags, key=lambda tag: -tag.confidence))
    return TaggedShot(Fraction(0), seconds, ordered, vector, quality, regions=region)


def _place_of(scene: Scene) -> NDArray[np.float64]:
    return np.random.default_rng(int.from_bytes(scene.stem.encode()[-8:], "big")).normal(size=SIZE)


def _make_twins(session: Session, chance: np.random.Generator) -> None:
    """Let some shots show the moments of another."""
    ids = list(session.scalars(sa.select(Shot.id).order_by(Shot.id)))
    for _ in range(int(TWIN_OF_BEFORE * len(ids))):
        pair = sorted(int(ids[at]) for at in chance.choice(len(ids), 2, replace=False))
        session.execute(sa.update(Shot).where(Shot.id.in_(pair)).values(twins=pair[0]))


def _drawn(chance: np.random.Generator, parts: tuple[tuple[Any, float], ...]) -> Any:
    return parts[int(chance.choice(len(parts), p=[share for _, share in parts]))][0]
