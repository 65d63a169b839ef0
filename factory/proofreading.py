"""Reading a plan's words before anything is made of them: no number without its source, no praise without its table,
no letter that the font cannot draw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from factory.plan.absolutes import Absolutes, check_absolutes, packaged_absolutes, read_absolutes
from factory.plan.brief import Brief
from factory.plan.claims import check_claims, shown_texts
from factory.plan.facts import Facts, Locale
from factory.plan.storyboard import Storyboard
from factory.render.desk_text import desk_text
from factory.render.fonts import GlyphMissing, check_glyphs
from factory.render.lettering import drawable
from factory.render.speaking import metric_name
from factory.wiring import Parts


def proofread(storyboard: Storyboard, facts: Facts, brief: Brief, parts: Parts) -> None:
    """Raise the refusal of the first thing that must not be said or shown: ClaimUnsupported, AbsoluteRefused or
    GlyphMissing, each naming the scene."""
    metric = metric_words(facts, storyboard.locale)
    check_claims(storyboard, facts, typed=tuple(typed_words(brief, facts)), names=metric)
    check_absolutes(storyboard, facts, load_absolutes(parts.desk_file("absolutes.yaml")), names=metric)
    check_letters(storyboard)


def metric_words(facts: Facts, locale: Locale) -> tuple[str, ...]:
    """Return the name by which a storyboard of this language calls what the ranking counts: it may hold digits."""
    return (metric_name(facts.ranking.metric, locale),) if facts.ranking else ()


def typed_words(brief: Brief, facts: Facts) -> Iterator[str]:
    """Yield what a person wrote into the order. A table that is no source of facts (of incidents) counts as such."""
    yield from brief.set.values()
    if brief.data and not facts.ranking and not facts.cars:
        yield from (cell for row in brief.data.rows for cell in row if cell.strip())


def load_absolutes(own: Path | None = None) -> Absolutes:
    """Return the words that ship, those of a desk's own file laid over them. Raises AbsolutesWrong."""
    packaged = packaged_absolutes()
    return read_absolutes(desk_text(own), str(own), packaged) if own else packaged


def check_letters(storyboard: Storyboard) -> None:
    """Raise GlyphMissing for the first letter that captions or cards cannot draw.

    Captions show what is spoken letter by letter; cards leave pictographs out by themselves.
    """
    for scene in storyboard.scenes:
        if scene.voice:
            check_glyphs(scene.voice.text, f"the words of scene {scene.id}: {scene.voice.text[:80]!r}")
    for scene_id, text, _ in shown_texts(storyboard):
        try:
            drawable(text)
        except GlyphMissing as missing:
            raise GlyphMissing(missing.character, f"a text of scene {scene_id}: {text[:80]!r}") from missing
