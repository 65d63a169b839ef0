"""The words that a storyboard may use here: the taxonomy's, and the names of what lies in the template folders."""

from __future__ import annotations

from factory.plan.vocabulary import Vocabulary
from factory.render.music_styles import STYLES
from factory.render.templates import Templates
from factory.wiring import Parts


def vocabulary_of(parts: Parts, templates: Templates | None = None) -> Vocabulary:
    """Return what is there now: a folder of one's own may have changed since."""
    held = templates or parts.templates
    return Vocabulary(
        resolve=parts.taxonomy.resolve,
        nearest=lambda word: next(iter(parts.taxonomy.nearest(word)), None),
        cards=held.cards(),
        music=tuple(STYLES),
        captions=held.captions(),
        pictures=held.pictures(),
    )
