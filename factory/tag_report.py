"""A contact sheet of the library's shots and tags, for eyes that check what the tagger says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from factory.errors import FactoryError, WrongUsage
from factory.plan.query import parse_query
from factory.plan.selection import Candidate
from factory.render.tag_sheet import CELL, MOMENTS, MOST_SHOTS, Language, SheetShot, SheetTag, draw_sheet
from factory.store import assets
from factory.store.told import Told, told_of
from factory.wiring import Parts
from understanding import media
from understanding.errors import MediaRefused

SHOTS_A_PAGE = 12
MOST = 1000  # shots that are looked through for one of each clip


def report_tags(
    parts: Parts, out: Path, *, query: str = "", limit: int = 20, language: Language = "both"
) -> tuple[Path, ...]:
    """Draw up to `limit` shots and return the pictures: `out` itself where it ends in .png, else pages in that folder.

    With a query the best come first; without one the newest clips, each once before any gives a second shot.
    """
    single = out.suffix.lower() == ".png"
    if single and limit > MOST_SHOTS:
        raise WrongUsage(
            f"{limit} shots are too many for one picture, which takes {MOST_SHOTS}",
            next_step="name a folder as --out: it gets a page for every dozen",
        )
    shots = _chosen(parts, query, limit)
    if not shots:
        raise WrongUsage("there is no shot to show", next_step="ingest clips, or ask for less in --query")
    size = len(shots) if single else SHOTS_A_PAGE
    pages = [shots[at : at + size] for at in range(0, len(shots), size)]
    folder = out.parent if single else out
    folder.mkdir(parents=True, exist_ok=True)
    drawn = list[Path]()
    for number, page in enumerate(pages, start=1):
        path = out if single else folder / f"tags-{number:03}.png"
        title = "AutoReel tags" + (f", page {number} of {len(pages)}" if len(pages) > 1 else "")
        shown = [_shown(parts, shot, told) for shot, told in page]
        sheet = draw_sheet(shown, title, _about(query, shots), language=language)
        sheet.save(path, "PNG", optimize=True)
        drawn.append(path)
    return tuple(drawn)


def _chosen(parts: Parts, query: str, limit: int) -> list[tuple[Candidate, Told]]:
    wanted = parse_query(query, parts.taxonomy.resolve)
    with parts.sessions.read() as session:
        if query.strip():
            shots = list(assets.find_shots(session, wanted, limit=limit).shots)
        else:
            shots = _clip_by_clip(assets.find_shots(session, wanted, limit=MOST, order="newest").shots)[:limit]
        told = told_of(session, [shot.shot for shot in shots])
    return [(shot, told[shot.shot]) for shot in shots]


def _clip_by_clip(shots: Sequence[Candidate]) -> list[Candidate]:
    """Return the shots so that each clip gives one before any gives a second."""
    before: dict[str, int] = {}
    turns = []
    for shot in shots:
        before[shot.asset] = before.get(shot.asset, 0) + 1
        turns.append(before[shot.asset])
    return [shot for _, shot in sorted(zip(turns, shots, strict=True), key=lambda pair: pair[0])]


def _about(query: str, shots: Sequence[tuple[Candidate, Told]]) -> str:
    clips, versions = len({shot.asset for shot, _ in shots}), dict.fromkeys(shot.model_version for shot, _ in shots)
    asked = f"{query.strip()} | " if query.strip() else ""
    return f"{asked}{len(shots)} shots of {clips} clips | tagger {', '.join(versions)}"


def _shown(parts: Parts, shot: Candidate, told: Told) -> SheetShot:
    pictures, absent = _pictures(parts, shot)
    seconds = f"{float(shot.start):.2f}–{float(shot.end):.2f} s"
    rights = f" | {shot.rights}" if shot.rights != "unknown" else ""
    return SheetShot(
        heading=told.file_name,
        about=f"shot {shot.shot} | {seconds} | {shot.width}×{shot.height} | quality {shot.quality:.2f}{rights}",
        pictures=pictures,
        tags=tuple(_tag(parts, tag.tag, tag.confidence, tag.modality) for tag in shot.tags),
        warnings=tuple(warning for warning in told.warnings if warning != "no-tags"),
        title="" if told.title in Path(told.file_name).stem.replace("_", " ") else told.title,
        burnt_in=told.burnt_in,
        speech=told.speech,
        absent=absent,
    )


def _tag(parts: Parts, tag: str, confidence: float, modality: str) -> SheetTag:
    """A tag that has left the taxonomy keeps its bare name."""
    if tag not in parts.taxonomy:
        return SheetTag(tag, tag, confidence, modality, scene=False)
    label = parts.taxonomy[tag]
    return SheetTag(label.zh, label.en, confidence, modality, scene=label.facet == "scene")


def _pictures(parts: Parts, shot: Candidate) -> tuple[tuple[NDArray[np.uint8], ...], str]:
    """Return moments of the shot, evenly spaced; or none, and why. A clip that is gone is shown as gone."""
    step = shot.seconds / MOMENTS
    times = [shot.start + step * number + step / 2 for number in range(MOMENTS)]
    try:
        frames = media.read_frames(parts.files.path(shot.asset), times=times, height=CELL[1])
    except (MediaRefused, FactoryError) as refusal:
        return (), f"{refusal.code}: {refusal.cause}"
    return tuple(frames.rgb), ""
