"""Small tagged clips for tests of the store: what a tagger would say, without one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from factory.plan.brief import Brief
from factory.store.assets import Added, Rights, add_clip
from factory.store.files import Adopted
from factory.store.job import Job, Output
from understanding.labels import Taxonomy, load_taxonomy
from understanding.tagged import Modality, Probe, Region, ShotQuality, Tag, TaggedClip, TaggedShot

TAXONOMY: Taxonomy = load_taxonomy()


def a_shot(
    tags: dict[str, float] | Sequence[str] = (),
    *,
    start: Fraction = Fraction(0),
    seconds: Fraction = Fraction(4),
    burnt_in: str = "",
    speech: str = "",
    sharpness: float = 0.5,
    modality: Modality = "picture",
    regions: tuple[Region, ...] = (),
) -> TaggedShot:
    scored = tags if isinstance(tags, dict) else dict.fromkeys(tags, 0.8)
    said = sorted((Tag(name, confidence, modality) for name, confidence in scored.items()), key=lambda t: -t.confidence)
    vector = np.zeros(8, dtype=np.float32)
    vector[len(said) % 8] = 1.0
    quality = ShotQuality(luma=0.5, sharpness=sharpness, motion=0.2, text_area=0.0, loudness_db=-20.0)
    return TaggedShot(start, start + seconds, tuple(said), vector, quality, burnt_in, speech, regions=regions)


def in_a_row(*shots: TaggedShot) -> tuple[TaggedShot, ...]:
    """Lay shots one after another."""
    laid: list[TaggedShot] = []
    for shot in shots:
        start = laid[-1].end if laid else Fraction(0)
        length = shot.end - shot.start
        laid.append(replace(shot, start=start, end=start + length))
    return tuple(laid)


def a_clip(
    *shots: TaggedShot,
    title: str = "",
    width: int = 1280,
    height: int = 720,
    fps: Fraction = Fraction(30000, 1001),
    silent: bool = False,
    version: str = "test-tagger-1",
    warnings: tuple[str, ...] = (),
) -> TaggedClip:
    laid = in_a_row(*shots)
    seconds = laid[-1].end if laid else Fraction(2)
    probe = Probe(
        container="mov,mp4",
        codec="h264",
        width=width,
        height=height,
        fps=fps,
        frames=round(seconds * fps),
        seconds=seconds,
        rotation=0,
        pixel_format="yuv420p",
        interlaced=False,
        variable_rate=False,
        sound_codec=None if silent else "aac",
        sound_rate=None if silent else 48_000,
        sound_channels=None if silent else 2,
        sound_start=Fraction(0),
        title=title,
    )
    return TaggedClip(probe, laid, version, warnings=warnings)


def adopted(name: str) -> Adopted:
    """What `Files.adopt` would return for a file with this content."""
    return Adopted(hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest(), Path("media") / "x", len(name))


def put(
    session: Session, name: str, *shots: TaggedShot, rights: Rights = "unknown", clip: TaggedClip | None = None
) -> Added:
    """Add a clip named `name`; its content is its name."""
    tagged = clip or a_clip(*shots)
    return add_clip(session, adopted(name), tagged, original=f"clips/{name}", taxonomy=TAXONOMY, rights=rights)


def made_job(brief: Brief, *outputs: Output) -> Job:
    """A video that waits for its review, as the ledger tells of it."""
    now = datetime.now(UTC)
    return Job(
        "j1", "produce", "review", brief.canonical_json(), attempt=1, progress=1.0, step="", cancel_asked=False,
        error_code=None, error_text=None, next_step=None, submitted_by="make", created_at=now, started_at=now,
        ended_at=now, worker=None, outputs=outputs, embargo=None, queue="rendering", priority=5, deadline=None,
    )  # fmt: skip
