"""What is packed beside finished videos: their covers, in the ordered shapes and in those that feeds cut to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from factory.plan.brief import Brief
from factory.plan.covers import ALWAYS
from factory.planning import Plan
from factory.render.covers import make_covers
from factory.store.files import safe_name
from factory.store.job import Output
from factory.wiring import Parts

UNFIT_FOR_COVERS = frozenset({"accident"})  # tags: what happened is no bait


def covers(
    brief: Brief, planned: Plan, work: Path, parts: Parts, cancelled: Callable[[], bool] = lambda: False
) -> list[Output]:
    """Make the covers of a plan, one for each shape, and put them into the store."""
    aspect = max(brief.aspects, key=lambda one: one == "16:9")  # the widest picture holds the other shapes
    timeline = planned.timelines[aspect]
    made = make_covers(
        timeline,
        dict.fromkeys((*brief.aspects, *ALWAYS)),
        work,
        kicker=parts.templates.describe(brief.template).title.of(brief.locale),
        brand=parts.templates.brand(brief.brand),
        source=parts.files.path,
        cached=parts.files.cached,
        templates=parts.templates,
        avoid=_unfit(planned),
        cancelled=cancelled,
    )
    outputs = []
    for cover in made:
        kept = parts.files.adopt(cover.path)
        name = safe_name(f"{timeline.title}-{cover.aspect.replace(':', 'x')}") + ".cover.jpg"
        outputs.append(Output(cover.aspect, "cover", kept.digest, name, kept.size))
    return outputs


def _unfit(planned: Plan) -> frozenset[int]:
    shots = planned.trace["shots"]
    return frozenset(shot["shot"] for shot in shots if UNFIT_FOR_COVERS & {tag["tag"] for tag in shot["tags"]})
