"""Verb 2: an order becomes a finished video: claim, plan to a saved timeline, render to files, finish."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from factory import picture_files
from factory.brand_idents import ident_of
from factory.errors import WrongUsage
from factory.plan.assemble import Look, assemble, slots
from factory.plan.brief import CANVASES, FPS, Aspect, Brief
from factory.plan.captions import Measure
from factory.plan.cars_table import read_cars
from factory.plan.choosing import NoShotForScene, choose_shots
from factory.plan.facts import Car, Facts
from factory.plan.query import Query
from factory.plan.ranking_table import rank_table
from factory.plan.selection import Candidate, Choice, Slot
from factory.plan.storyboard import Storyboard, read_storyboard
from factory.plan.timeline import Canvas, Speech, Timeline, Watermark
from factory.plan.timeline_json import to_json
from factory.plan.timing import Spoken, moved_to_beats, narration
from factory.plan.trace import trace
from factory.render.captions_ass import EM_SHARE
from factory.render.errors import RenderCancelled
from factory.render.film import Film, render_film
from factory.render.layout import layout_for
from factory.render.lettering import text_width
from factory.render.music import frames_a_beat, write_music
from factory.render.narrator import Narrator
from factory.render.probe import choose_encoder
from factory.store import assets, catalog, index, jobs, lease
from factory.store.files import safe_name
from factory.store.job import LEASE, Output, State
from factory.wiring import Parts

CANDIDATES = 120  # shots that a slot chooses among
PLANNED = 0.25  # share of the work that is done when the timeline is saved


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be shown: a timeline for each aspect, and why each shot was chosen."""

    timelines: Mapping[Aspect, Timeline]
    trace: Mapping[str, Any]
    shots: tuple[int, ...]


def produce(job: str, parts: Parts, *, lease_for: timedelta = LEASE) -> State | None:
    """Claim the job and make its video. Returns the state it is left in, or None where there was nothing to claim."""
    return lease.work(parts.sessions, job, lambda holding: _make(holding, parts), lease=lease_for)


def _make(holding: lease.Holding, parts: Parts) -> lease.Made:
    brief, claim = holding.claim.brief(), holding.claim
    planned = plan(brief, parts, holding)
    bodies: dict[str, str] = {aspect: to_json(timeline) for aspect, timeline in planned.timelines.items()}
    with parts.sessions.write() as session:
        jobs.save_timelines(session, claim, bodies)
        jobs.start_rendering(session, claim)
    outputs = list[Output]()
    with parts.files.scratch() as work:
        for number, (aspect, timeline) in enumerate(planned.timelines.items()):
            turn = (number, len(bodies))
            out = work / f"{number}.mp4"
            film = _render(timeline, out, brief=brief, parts=parts, holding=holding, turn=turn)
            told = {**planned.trace, "render": _told(film)}
            beside = {"timeline": bodies[aspect], "trace": json.dumps(told, ensure_ascii=False, indent=1)}
            outputs.extend(_kept(parts, timeline, aspect, film, beside))
    return lease.Made(outputs, planned.shots)


# --- planning --------------------------------------------------------------------------------------------------------


def plan(brief: Brief, parts: Parts, holding: lease.Holding | None = None) -> Plan:
    """Return what will be shown for an order, or raise the refusal that a person can act on."""
    facts = facts_of(brief, parts)
    storyboard = read_storyboard(
        parts.templates.storyboard(brief.template, {"brief": brief, "facts": facts}), f"template {brief.template}"
    )
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


def facts_of(brief: Brief, parts: Parts) -> Facts:
    """Return what may be said: from the order's own table, else from the catalogue by the subject's name."""
    needs = parts.templates.describe(brief.template).needs
    with parts.sessions.read() as session:
        if brief.data is not None:
            return _facts_of_table(session, brief, needs, parts)
        if brief.subject:
            return catalog.facts_for(session, brief.subject) if needs != "nothing" else Facts(brief.subject)
    if needs != "nothing":
        what = "a car of the catalogue" if needs == "car" else "a table"
        raise WrongUsage(
            f"{brief.template} needs {what}",
            next_step="name one with --subject, or give a table with --data",
        )
    return Facts("")


def _facts_of_table(session: Any, brief: Brief, needs: str, parts: Parts) -> Facts:
    assert brief.data is not None
    if needs == "ranking":
        ranking, _bad = rank_table(brief.data, brief.set)
        return catalog.facts_of(catalog.with_cars(session, ranking), brief.subject or ranking.title)
    if needs == "car":
        cars, _bad = read_cars(brief.data, {}, body=parts.taxonomy.resolve)
        car = _named(cars, brief.subject)
        return Facts(car.name(brief.locale), (car,), None, (car.source,))
    raise WrongUsage(f"{brief.template} takes no table", next_step="leave --data out")


def _named(cars: Sequence[Car], subject: str | None) -> Car:
    """Return the car of this name; the first where none is named."""
    if not subject:
        return cars[0]
    for car in cars:
        if subject.casefold() in {name.casefold() for name in (car.slug, *car.names())}:
            return car
    raise WrongUsage(
        f"the table holds no car {subject!r}", next_step=f"use one of {', '.join(car.slug for car in cars[:8])}"
    )


def speak(storyboard: Storyboard, narrator: Narrator, holding: lease.Holding | None) -> Spoken:
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


# --- rendering -------------------------------------------------------------------------------------------------------


def _render(
    timeline: Timeline, out: Path, *, brief: Brief, parts: Parts, holding: lease.Holding, turn: tuple[int, int]
) -> Film:
    """Render one aspect. `turn` says which of how many it is, for one figure of progress over all."""
    number, of = turn

    def told(share: float, what: str) -> None:
        holding.report(PLANNED + (1 - PLANNED) * (number + share) / of, what)

    return render_film(
        timeline,
        source=parts.files.path,
        cached=parts.files.cached,
        templates=parts.templates,
        write_music=write_music,
        out=out,
        draft=brief.draft,
        producer=parts.settings.producer,
        encoder=choose_encoder(brief.codec, hardware=parts.settings.encoder == "hardware"),
        copy_shots=timeline.canvas in [CANVASES[aspect] for aspect in parts.settings.mezzanines],
        on_progress=told,
        cancelled=holding.stopped,
    )


def _told(film: Film) -> dict[str, Any]:
    """Return what a person asks of a render: who encoded it, and how much of it was new."""
    return {
        "encoder": film.encoder,
        "frames": film.frames,
        "frames_copied": film.frames_copied,
        "chunks_made": film.chunks_made,
        "chunks_reused": film.chunks_reused,
    }


def _kept(parts: Parts, timeline: Timeline, aspect: Aspect, film: Film, beside: Mapping[str, str]) -> list[Output]:
    """Put a film and what stands beside it into the store."""
    stem = safe_name(f"{timeline.title}-{aspect.replace(':', 'x')}")
    files = {"video": film.video, "poster": film.poster, "srt": film.srt, "vtt": film.vtt}
    outputs = list[Output]()
    for role, path in files.items():
        if not path.stat().st_size:
            continue  # the SRT of a video in which nobody speaks
        kept = parts.files.adopt(path)
        outputs.append(Output(aspect, role, kept.digest, f"{stem}{path.suffix}", kept.size, film.frames, film.fps))
    for role, text in beside.items():
        kept = parts.files.put_bytes(text.encode())
        outputs.append(Output(aspect, role, kept.digest, f"{stem}.{role}.json", kept.size))
    return outputs


def _go_on(holding: lease.Holding | None, share: float, what: str) -> None:
    """Tell progress, and stop where the job was cancelled or lost."""
    if holding is None:
        return
    holding.report(share, what)
    if holding.stopped():
        raise RenderCancelled
