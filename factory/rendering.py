"""With what the film of a job is rendered: the same for the worker that holds the job and for those who help it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from factory.plan.brief import CANVASES, Brief
from factory.plan.timeline import Timeline
from factory.render.overlays import Cached, Cards
from factory.render.probe import Encoder, choose_encoder
from factory.wiring import Parts


class Means(TypedDict):
    """Arguments that `render_film` and `help_film` share."""

    source: Callable[[str], Path]
    cached: Cached
    templates: Cards
    draft: bool
    copy_shots: bool
    encoder: Encoder


def means(timeline: Timeline, brief: Brief, parts: Parts) -> Means:
    """Return with what a timeline of this order is rendered here."""
    return {
        "source": parts.files.path,
        "cached": parts.files.cached,
        "templates": parts.templates,
        "draft": brief.draft,
        "copy_shots": timeline.canvas in [CANVASES[aspect] for aspect in parts.settings.mezzanines],
        "encoder": choose_encoder(brief.codec, hardware=parts.settings.encoder == "hardware"),
    }
