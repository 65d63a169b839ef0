"""What is packed beside finished videos: covers, the words for each platform, credits and licences of all material."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from factory.plan.brief import Brief
from factory.plan.covers import ALWAYS
from factory.plan.material import Shelf, as_text, material
from factory.plan.package import Told, package
from factory.plan.platforms import Platform, read_platforms
from factory.plan.timeline import CardLayer, Timeline
from factory.planning import Plan
from factory.render.covers import make_covers
from factory.store import assets
from factory.store.files import safe_name
from factory.store.job import Output
from factory.wiring import Parts

UNFIT_FOR_COVERS = frozenset({"accident"})  # tags: what happened is no bait


def covers(
    brief: Brief, planned: Plan, work: Path, parts: Parts, cancelled: Callable[[], bool] = lambda: False
) -> list[Output]:
    """Make the covers of a plan, one for each shape, and put them into the store."""
    aspect = max(brief.aspects, key=lambda one: one == "16:9")  # the widest picture holds the other shapes
    timeline, kind = planned.timelines[aspect], _kind(brief, parts)
    made = make_covers(
        timeline,
        dict.fromkeys((*brief.aspects, *ALWAYS)),
        work,
        kicker="" if kind.casefold() == timeline.title.casefold() else kind,
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


def sidecars(brief: Brief, planned: Plan, timeline: Timeline, aspect: str, parts: Parts) -> list[Output]:
    """Write what goes to platforms with a video, and the credits of what it is made of, as JSON and to be read."""
    told = Told(_kind(brief, parts), planned.facts, _credited(timeline))
    words = package(timeline, told, load_platforms())
    with parts.sessions.read() as session:
        addresses = assets.addresses(session, {shot["asset"] for shot in planned.trace["shots"]})
    found = material(timeline, planned.trace, Shelf(_packaged("material.yaml"), addresses))
    texts = {
        ("package", "package.json"): _json({**words, "aspect": aspect}),
        ("credits", "credits.json"): _json(found),
        ("credits-text", "credits.txt"): as_text(found, brief.locale),
    }
    stem = safe_name(f"{timeline.title}-{aspect.replace(':', 'x')}")
    outputs = []
    for (role, suffix), text in texts.items():
        kept = parts.files.put_bytes(text.encode())
        outputs.append(Output(aspect, role, kept.digest, f"{stem}.{suffix}", kept.size))
    return outputs


def load_platforms() -> Mapping[str, Platform]:
    """Return the packaged rules of the platforms."""
    text = (files("factory.plan") / "data" / "platforms.yaml").read_text(encoding="utf-8")
    return read_platforms(text, "platforms.yaml")


def _packaged(name: str) -> Any:
    return yaml.safe_load((files("factory.plan") / "data" / name).read_text(encoding="utf-8"))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _kind(brief: Brief, parts: Parts) -> str:
    return parts.templates.describe(brief.template).title.of(brief.locale)


def _credited(timeline: Timeline) -> tuple[str, ...]:
    """Return the lines that the credits of the video show for its footage and pictures."""
    cards = [layer for scene in timeline.scenes for layer in scene.layers if isinstance(layer, CardLayer)]
    lines = [line for card in cards if card.role == "credits" for line in card.data.get("footage", [])]
    return tuple(dict.fromkeys(lines))


def _unfit(planned: Plan) -> frozenset[int]:
    shots = planned.trace["shots"]
    return frozenset(shot["shot"] for shot in shots if UNFIT_FOR_COVERS & {tag["tag"] for tag in shot["tags"]})
