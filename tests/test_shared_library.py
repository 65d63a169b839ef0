"""A film made by a worker that has nothing but the settings: its library lies in a store."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from factory.ingest import ingest
from factory.orders import make
from factory.plan.brief import Brief
from factory.samples import draw_library, scenes
from factory.settings import Settings
from factory.store.copies import copy_home
from factory.store.object_url import open_objects
from factory.wiring import Parts, parts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.server]

BRIEF = Brief(template="off_road", locale="en-US", seconds=15, draft=True, seed=3)


def house(home: Path, **more: str) -> Parts:
    return parts(Settings(home=home, voice="silent", **more))  # type: ignore[arg-type]


def film(parts: Parts, folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Order the film and return its files by name and what is told of its render."""
    made = make(BRIEF, parts, folder, on_progress=lambda _share, _what: None)
    trace = json.loads(Path(made["trace"]).read_text(encoding="utf-8"))
    files = {kind: Path(made[kind]).read_bytes() for kind in ("video", "poster", "srt", "timeline", "cover")}
    return files, trace["render"]


def test_an_empty_home_makes_the_same_film_from_a_store(bucket: str, tmp_path: Path) -> None:
    stems = [scene.stem for scene in scenes() if scene.coarse == "off-road"]
    alone = house(tmp_path / "alone")
    for clip in draw_library(tmp_path / "clips", only=stems, height=360):
        assert ingest(clip, alone).status == "added"
    expected, _ = film(alone, tmp_path / "out-alone")

    store = open_objects(bucket)
    assert {moved.state for moved in copy_home(alone.files.root, store)} == {"copied"}
    database = alone.settings.database
    shutil.rmtree(alone.files.media)

    first = house(tmp_path / "first", store=bucket, database_url=database)
    made, told = film(first, tmp_path / "out-first")
    assert made == expected
    assert told["chunks_made"] > 0
    second = house(tmp_path / "second", store=bucket, database_url=database)
    again, told = film(second, tmp_path / "out-second")
    assert again == expected
    assert (told["chunks_made"], told["chunks_reused"] > 0) == (0, True)  # the first host's work

    kinds = Counter(found.name.partition("/")[0] for kind in ("media", "cache") for found in store.listed(kind))
    assert kinds["media"] > len(stems)
    assert kinds["cache"] > told["chunks_reused"]
    assert not list(store.listed("incoming"))
