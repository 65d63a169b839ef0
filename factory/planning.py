"""The first half of making a video: an order becomes a plan, timelines of whole frames and why each shot was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from factory import picture_files
from factory.brand_idents import ident_of
from factory.order_facts import facts_of
from factory.plan.assemble import Look, assemble, slots
from factory.plan.brief import CANVASES, FPS, Aspect, Brief
from factory.plan.captions import Measure
from factory.plan.choosing import NoShotForScene, choose_shots
from factory.plan.facts import Facts
from factory.plan.query import Query
from factory.plan.selection import Candidate, Choice, Slot
from factory.plan.storyboard import Storyboard
from factory.plan.timeline import Canvas, Speech, Timeline, Watermark
from factory.plan.timing import Spoken, moved_to_beats, narration
from factory.plan.trace import trace
from factory.plan.vocabulary import read_known
from factory.render.captions_ass import EM_SHARE
from factory.render.errors import RenderCancelled
from factory.render.layout import layout_for
from factory.render.lettering import text_width
from factory.render.music import frames_a_beat
from factory.render.narrator import Narrator
from factory.store import assets, index
from factory.store.lease import Holding
from factory.vocabularies import vocabulary_of
from factory.wiring import Parts

CANDIDATES = 120  # shots that a slot chooses among
PLANNED = 0.25  # share of the work that is done when the timeline is saved


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be shown: a timeline for each aspect, and why each shot was chosen."""

    timelines: Mapping[Aspect, Timeline]
    trace: Mapping[str, Any]
    shots: tuple[int, ...]


def plan(brief: Brief, parts: Parts, holding: Holding | None = None) -> Plan:
    """Return what will be shown for an order, or raise the refusal that a person can act on."""
    facts = facts_of(brief, parts)
    filled = parts.templates.storyboard(brief.template, {"brief": brief, "facts": facts})
    storyboard = read_known(filled, f"template {brief.template}", vocabulary_of(parts))
    narrator = parts.narrator()
    spoken = speak(storyboard, narrator, holding)
    beat = _beat(storyboard, brief)
    wanted = slots(storyboard, spoken, fps=FPS, resolve=parts.taxonomy.resolve, nearest=_nearest(parts), beat=beat)
    choices = choose(wanted, brief, parts)
    look = _look(storyboard, brief, facts, parts, beat)
    timelines = {aspect: _assembled(storyboard, spoken, choices, aspect=aspect, look=look) for aspect in brief.aspects}
    shown = {slot.scene for slot in wanted} & {choice.slot.scene for choice in choices}
    record = trace(choices, storyboard, families=parts.families) | {
        "sources": [_source_record(source) for source in facts.sources],
        "voices": sorted({note.voice for note in narrator.notes}),
        "pictures": picture_files.told(look.pictures),
    }
    if beat:
        record["beats"] = moved_to_beats(storyboard, spoken, FPS, beat)
    return Plan(timelines, record, tuple(choice.candidate.shot for choice in choices if choice.slot.scene in shown))


def speak(storyboard: Storyboard, narrator: Narrator, holding: Holding | None) -> Spoken:
    """Return every sentence as sound, by scene."""
    spoken: dict[str, list[Speech]] = {}
    sentences = narration(storyboard)
    for number, sentence in enumerate(sentences):
        _go_on(holding, PLANNED * number / len(sentences), "speaking")
        speech = narrator.speak(sentence.text, storyboard.locale, sentence.rate)
        spoken.setdefault(sentence.scene, []).append(speech)
    return spoken


def choose(wanted: Sequence[Slot], brief: Brief, parts: Parts) -> tuple[Choice, ...]:
    """Return a shot for every slot, none of them twice; a refusal names the condition that took most shots away."""
    with parts.sessions.read() as session:
        offered = {slot.id: _offered(session, slot) for slot in wanted}
        try:
            canvas = CANVASES[brief.aspects[0]]
            shape = Fraction(canvas.width, canvas.height)
            return choose_shots(wanted, offered, seed=brief.seed, shape=shape, families=parts.families)
        except NoShotForScene as refusal:
            raise refusal.explained(_removed(session, refusal.slot.query, refusal.candidates)) from refusal


def _offered(session: Any, slot: Slot) -> tuple[Candidate, ...]:
    return assets.find_shots(session, slot.query, limit=CANDIDATES, vectors=True).shots


def _removed(session: Any, query: Query, matching: int) -> dict[str, int]:
    """Return how many shots each condition of a query takes away; the confidence that all queries ask for aside."""
    left = index.count_without(session, query)
    wishes = ((condition, count) for condition, count in left if not condition.startswith("confidence:"))
    return {condition: count - matching for condition, count in wishes if count > matching}


def _beat(storyboard: Storyboard, brief: Brief) -> int:
    """Return the frames of a beat where the storyboard wants its cuts on beats, else 0."""
    music = storyboard.audio.music
    return frames_a_beat(music.style, brief.seed, FPS) if music and music.cut == "beats" else 0


def _nearest(parts: Parts) -> Any:
    return lambda name: next(iter(parts.taxonomy.nearest(name)), None)


def _look(storyboard: Storyboard, brief: Brief, facts: Facts, parts: Parts, beat: int) -> Look:
    import jieba  # noqa: PLC0415  slow to import, and only planning needs it

    jieba.setLogLevel("WARNING")
    rows = facts.ranking.rows if facts.ranking else ()
    names = (*(name for car in facts.cars for name in car.names()), *(row.name for row in rows))
    kit = parts.templates.brand(brief.brand)
    return Look(
        brief.brand,
        brief.seed,
        names=names,
        segment=jieba.lcut,
        watermark=Watermark(**kit.watermark.model_dump()) if kit.watermark else None,
        intro=ident_of(kit, kit.intro, parts) if storyboard.intro else None,
        outro=ident_of(kit, kit.outro, parts) if storyboard.outro else None,
        pictures=picture_files.pictures_of(storyboard, parts),
        beat=beat,
    )


def _assembled(
    storyboard: Storyboard, spoken: Spoken, choices: Sequence[Choice], *, aspect: Aspect, look: Look
) -> Timeline:
    canvas = CANVASES[aspect]
    return assemble(storyboard, spoken, choices, canvas=canvas, look=replace(look, measure=_measure(canvas)))


def _measure(canvas: Canvas) -> Measure:
    """Return the share of the widest caption line that a text takes on this canvas."""
    layout = layout_for(canvas)
    em = EM_SHARE * min(canvas.width, canvas.height)
    return lambda text: text_width(text, em) / layout.span


def _source_record(source: Any) -> dict[str, Any]:
    return {"name": source.name, "date": source.date, "url": source.url, "sample": source.sample}


def _go_on(holding: Holding | None, share: float, what: str) -> None:
    """Tell progress, and stop where the job was cancelled or lost."""
    if holding is None:
        return
    holding.report(share, what)
    if holding.stopped():
        raise RenderCancelled
