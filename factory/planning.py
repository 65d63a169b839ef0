"""The first half of making a video: an order becomes a plan, timelines of whole frames and why each shot was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from factory import offering, picture_files, traces
from factory.brand_idents import ident_of
from factory.order_facts import facts_of
from factory.plan.assemble import Look, assemble, slots
from factory.plan.brief import CANVASES, FPS, Aspect, Brief
from factory.plan.captions import Measure
from factory.plan.choosing import NoShotForScene, choose_shots
from factory.plan.cooldown import rest_days, video_key
from factory.plan.facts import Facts
from factory.plan.labels import labelled
from factory.plan.length import LEAST, FilmTooShort, film_seconds, length_record
from factory.plan.moments import at_best_moment
from factory.plan.selection import Choice, Slot
from factory.plan.storyboard import Storyboard
from factory.plan.timeline import Canvas, Speech, Timeline, Watermark
from factory.plan.timing import Spoken, moved_to_beats, narration
from factory.plan.trace import trace
from factory.plan.vocabulary import read_known
from factory.proofreading import proofread
from factory.render.captions_ass import EM_SHARE
from factory.render.errors import RenderCancelled
from factory.render.layout import layout_for
from factory.render.lettering import text_width
from factory.render.music import frames_a_beat
from factory.render.narrator import Narrator, voices_told
from factory.rewording import reworded
from factory.store import job_lookup, looks, uses
from factory.store.lease import Holding
from factory.storyboarding import asked_seconds, storyboard_for
from factory.vocabularies import vocabulary_of
from factory.wiring import Parts

PLANNED = 0.25  # share of the work that is done when the timeline is saved


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be shown: a timeline for each aspect, why each shot was chosen, and what was said from."""

    timelines: Mapping[Aspect, Timeline]
    trace: Mapping[str, Any]
    shots: Mapping[int, int]  # each shot that is shown, and for how many days it must have rested in the series
    issue: uses.Issue
    facts: Facts


def plan(brief: Brief, parts: Parts, holding: Holding | None = None) -> Plan:
    """Return what will be shown for an order, or raise the refusal that a person can act on."""
    with traces.span("plan", template=brief.template):
        return _plan(brief, parts, holding)


def _plan(brief: Brief, parts: Parts, holding: Holding | None) -> Plan:
    facts = facts_of(brief, parts)
    narrator = parts.narrator()
    storyboard, spoken = storyboard_for(
        brief,
        {"facts": facts, "place": place_in_series(brief, parts, holding)},
        parts.templates,
        read=lambda filled: read_filled(filled, facts, brief, parts),
        speak=lambda written: speak(written, narrator, holding),
        beat=lambda written: beat_of(written, brief),
    )
    storyboard, offered = reworded(storyboard, facts, brief, parts)
    if offered:
        spoken = speak(storyboard, narrator, holding)
    beat = beat_of(storyboard, brief)
    wanted = slots(storyboard, spoken, fps=FPS, resolve=parts.taxonomy.resolve, nearest=nearest_of(parts), beat=beat)
    issue = uses.Issue(brief.series, video_key(brief, facts), holding.claim.job if holding else None)
    choices = choose(wanted, brief, parts, issue)
    asked = asked_seconds(brief, parts.templates)
    open_places = [slot for slot in wanted if slot.id not in {choice.slot.id for choice in choices}]
    omitted = list(dict.fromkeys(slot.scene for slot in open_places))
    seconds = film_seconds(storyboard, spoken, FPS, beat, without=omitted)
    whole = film_seconds(storyboard, spoken, FPS, beat)
    if seconds < LEAST * min(whole, Fraction(asked)):
        raise FilmTooShort(asked, seconds, _lacking(open_places[0], choices, brief, issue, parts))
    look = _look(storyboard, brief, facts, parts, beat)
    timelines = {aspect: _assembled(storyboard, spoken, choices, aspect=aspect, look=look) for aspect in brief.aspects}
    due = parts.templates.brand(brief.brand).ai_label.when == "always" or narrator.synthetic
    timelines = {aspect: labelled(timeline, due=due) for aspect, timeline in timelines.items()}
    shown = {slot.scene for slot in wanted} & {choice.slot.scene for choice in choices}
    record = trace(choices, storyboard, families=parts.families) | {
        "sources": [_source_record(source) for source in facts.sources],
        "rows_refused": list(facts.refused),
        **voices_told(narrator.notes),
        "pictures": picture_files.told(look.pictures, storyboard),
    }
    record["length"] = length_record(asked, seconds, omitted)
    record |= {"draft": offered} if offered else {}
    record |= {"beats": moved_to_beats(storyboard, spoken, FPS, beat)} if beat else {}
    days = {c.candidate.shot: c.slot.pick.cooldown_days or 0 for c in choices if c.slot.scene in shown}
    return Plan(timelines, record, days, issue, facts)


def read_filled(filled: str, facts: Facts, brief: Brief, parts: Parts) -> Storyboard:
    """Return the storyboard that a filled template says, all its words known and none without a ground."""
    storyboard = read_known(filled, f"template {brief.template}", vocabulary_of(parts))
    proofread(storyboard, facts, brief, parts)
    return storyboard


def place_in_series(brief: Brief, parts: Parts, holding: Holding | None = None) -> int:
    """Return how many jobs of the same series, kind and language were ordered before this one, or so far."""
    if brief.series is None:
        return 0
    with parts.sessions.read() as session:
        return job_lookup.place_in_series(session, brief, holding.claim.job if holding else None)


def speak(storyboard: Storyboard, narrator: Narrator, holding: Holding | None) -> Spoken:
    """Return every sentence as sound, by scene."""
    spoken: dict[str, list[Speech]] = {}
    sentences = narration(storyboard)
    with traces.span("speak", sentences=len(sentences)):
        for number, sentence in enumerate(sentences):
            _go_on(holding, PLANNED * number / len(sentences), "speaking")
            speech = narrator.speak(sentence.text, storyboard.locale, sentence.rate)
            spoken.setdefault(sentence.scene, []).append(speech)
    return spoken


def choose(wanted: Sequence[Slot], brief: Brief, parts: Parts, issue: uses.Issue | None = None) -> tuple[Choice, ...]:
    """Return a shot for every slot, none of them twice, none that rests in the series of `issue`.

    A refusal names the condition that took most shots away, and the cooldown where it took any.
    """
    issue = issue or uses.Issue(brief.series)
    wanted = [_resting(slot, brief) for slot in wanted]
    with parts.sessions.read() as session:
        offered = {slot.id: offering.offered(session, slot, issue) for slot in wanted}
        try:
            canvas = CANVASES[brief.aspects[0]]
            shape = Fraction(canvas.width, canvas.height)
            found = choose_shots(wanted, offered, seed=brief.seed, shape=shape, families=parts.families)
        except NoShotForScene as refusal:
            raise refusal.explained(offering.removed(session, refusal.slot, issue)) from refusal
        moments = looks.moments_of(session, [choice.candidate.shot for choice in found])
    return tuple(at_best_moment(choice, moments.get(choice.candidate.shot, ())) for choice in found)


def _lacking(slot: Slot, choices: Sequence[Choice], brief: Brief, issue: uses.Issue, parts: Parts) -> NoShotForScene:
    """Return the refusal that an optional place would be, were it needed."""
    slot = _resting(slot, brief)
    with parts.sessions.read() as session:
        found = {candidate.shot for candidate in offering.offered(session, slot, issue)}
        used = found & {choice.candidate.shot for choice in choices}
        return NoShotForScene(slot, len(found), offering.removed(session, slot, issue), used=len(used))


def _resting(slot: Slot, brief: Brief) -> Slot:
    """Return the place with the days that its shot must have rested in the series of this order."""
    return replace(slot, pick=replace(slot.pick, cooldown_days=rest_days(slot.pick.cooldown_days, brief)))


def beat_of(storyboard: Storyboard, brief: Brief) -> int:
    """Return the frames of a beat where the storyboard wants its cuts on beats, else 0."""
    music = storyboard.audio.music
    return frames_a_beat(music.style, brief.seed, FPS) if music and music.cut == "beats" else 0


def nearest_of(parts: Parts) -> Callable[[str], str | None]:
    """Return what tells the tag of the taxonomy that a word was meant for."""
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
    known = {"name": source.name, "date": source.date, "url": source.url, "licence": source.licence}
    return {**known, "sample": source.sample}


def _go_on(holding: Holding | None, share: float, what: str) -> None:
    """Tell progress, and stop where the job was cancelled or lost."""
    if holding is None:
        return
    holding.report(share, what)
    if holding.stopped():
        raise RenderCancelled
