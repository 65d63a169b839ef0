"""The first thing that a newcomer sees: a sample library drawn and tagged, and four videos made from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from factory.ingest import Provenance, ingest
from factory.orders import load_table, make, table_of
from factory.plan.brief import Brief
from factory.samples import SAMPLE_CARS, SAMPLE_SALES, draw_library
from factory.wiring import Parts

CREDIT = Provenance("AutoReel drawn sample library", "Apache-2.0")


def demo(
    parts: Parts,
    out: Path,
    *,
    draft: bool,
    say: Callable[[str], None],
    on_progress: Callable[[float, str], None],
) -> Iterator[Path]:
    """Make the four videos into `out`, telling how long each step took. A second run finds everything known."""
    began = time.perf_counter()
    drawn = parts.settings.home / "samples" / "drawn"
    clips = draw_library(drawn, on_progress=lambda done, total, name: on_progress(done / total, f"drawing {name}"))
    say(f"sample library: {len(clips)} clips drawn in {time.perf_counter() - began:.0f} s")
    began = time.perf_counter()
    for number, clip in enumerate(clips):
        on_progress(number / len(clips), f"reading {clip.name}")
        ingest(clip, parts, CREDIT)
    for table in (SAMPLE_CARS, SAMPLE_SALES):
        load_table(table, parts, {})
    say(f"ingested in {time.perf_counter() - began:.0f} s")
    for brief in briefs(draft=draft):
        began = time.perf_counter()
        made = make(brief, parts, out, on_progress=on_progress)
        say(f"{brief.template}: {made['seconds']:.1f} s of video made in {time.perf_counter() - began:.0f} s")
        yield Path(made["video"])


def briefs(*, draft: bool) -> tuple[Brief, ...]:
    """Return the four orders, in both languages."""
    return (
        Brief(template="new_car_report", subject="northwind-x5", locale="zh-CN", draft=draft),
        Brief(template="ranking", data=table_of(SAMPLE_SALES), locale="zh-CN", draft=draft),
        Brief(template="off_road", locale="en-US", draft=draft),
        Brief(template="accident_compilation", locale="en-US", draft=draft),
    )
