"""Storyboard, voice and chosen shots become a timeline; before that, the storyboard says which shots it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from factory.plan.captions import Measure, cut_cues
from factory.plan.framing import Window, clear_window
from factory.plan.idents import Ident, between
from factory.plan.insets import standing
from factory.plan.layer_parts import ChartPart, ImagePart, TextPart
from factory.plan.pictures import Picture, image_layers
from factory.plan.query import And, Compare, Query, Resolve, all_of, format_query
from factory.plan.scoring import fit_for, follows, seen_share, speed_for
from factory.plan.selection import Choice, Pick, Slot
from factory.plan.sentences import Segment
from factory.plan.storyboard import CardPart, ClipPart, ColorPart, Scene, Storyboard
from factory.plan.timeline import (
    Canvas,
    CardLayer,
    ClipLayer,
    ColorLayer,
    Fit,
    Layer,
    Music,
    TimedScene,
    Timeline,
    TimelineInvalid,
    Transition,
    Watermark,
    check,
)
from factory.plan.timing import SceneTiming, Spoken, frames_of, time_scenes
from factory.plan.wants import Nearest, preferences, storyboard_query


@dataclass(frozen=True, slots=True)
class Look:
    """What assembling needs beside the plan: the brand, the seed, how text is measured, kept whole and parted,
    what the brand lays over the video, opens and closes it with, the still pictures by the names that the storyboard
    calls them, and the frames of a beat where cuts fall on beats (else 0)."""

    brand: str = "autoreel"
    seed: int = 0
    measure: Measure | None = None
    names: Sequence[str] = ()
    segment: Segment | None = None
    watermark: Watermark | None = None
    intro: Ident | None = None
    outro: Ident | None = None
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    beat: int = 0


def slots(
    storyboard: Storyboard,
    spoken: Spoken,
    *,
    fps: Fraction,
    resolve: Resolve,
    nearest: Nearest | None = None,
    beat: int = 0,
) -> tuple[Slot, ...]:
    """Return a slot for every shot that the storyboard needs, in the order in which they are shown.

    Raises `UnknownTag` and `QuerySyntax` where a query asks for what the taxonomy or the grammar does not know.
    """
    found: list[Slot] = []
    for timing in time_scenes(storyboard, spoken, fps, beat):
        for number, bounds in timing.shots.items():
            wanted = _layer_slot(timing.scene, number, resolve, nearest)
            found.extend(
                replace(wanted, id=slot_id(timing.scene.id, number, shot), seconds=Fraction(end - start) / fps)
                for shot, (start, end) in enumerate(pairwise(bounds))
            )
    return tuple(found)


def slot_id(scene: str, layer: int, shot: int) -> str:
    return f"{scene}.{layer}.{shot}"


def assemble(
    storyboard: Storyboard, spoken: Spoken, choices: Sequence[Choice], *, canvas: Canvas, look: Look | None = None
) -> Timeline:
    """Return the finished timeline on one canvas. The same choices serve every canvas of the same frame rate.

    An optional scene that lacks a shot is left out whole and named in the notes. Raises `TimelineInvalid` where a scene
    that must be shown lacks one.
    """
    look = look or Look()
    chosen = {choice.slot.id: choice for choice in choices}
    shown, omitted = _shown(time_scenes(storyboard, spoken, canvas.fps, look.beat), chosen)
    scenes = tuple(
        _timed_scene(timing, chosen, canvas, look, last=number == len(shown) - 1) for number, timing in enumerate(shown)
    )
    if storyboard.blur_faces:
        scenes = _with_blurred_faces(scenes)
    music = storyboard.audio.music
    timeline = Timeline(
        title=storyboard.title,
        locale=storyboard.locale,
        template=storyboard.template,
        brand=look.brand,
        canvas=canvas,
        scenes=between(
            look.intro,
            look.outro,
            canvas.fps,
            _with_credits(scenes, choices, _picture_credits([timing.scene for timing in shown])),
            beat=look.beat,
        ),
        music=Music(music.style, look.seed, music.gain_db, music.duck_db, music.duck_in, music.duck_out, look.beat)
        if music
        else None,
        loudness_lufs=storyboard.audio.loudness_lufs,
        caption_style=storyboard.captions.drawn,
        notes={"seed": look.seed, "omitted": list(omitted), "burn_captions": storyboard.captions.burn},
        watermark=look.watermark,
    )
    timeline = _with_poster(timeline, [timing.scene.poster for timing in shown], first=1 if look.intro else 0)
    check(timeline)
    return timeline


# --- which shots are needed ------------------------------------------------------------------------------------------


def _layer_slot(scene: Scene, number: int, resolve: Resolve, nearest: Nearest | None) -> Slot:
    """Return what every shot of a clip layer has to be; which one it is and how long comes later."""
    layer = scene.layers[number]
    assert isinstance(layer, ClipPart)
    query = storyboard_query(layer.query, resolve, nearest)
    return Slot(
        id=slot_id(scene.id, number, 0),
        scene=scene.id,
        query=query,
        query_text=_wanted(query),
        seconds=Fraction(1),
        pick=Pick(**layer.pick.model_dump(exclude={"shots"})),
        prefer=preferences(layer.query, resolve),
        optional=scene.optional,
        car=layer.query.car,
        speed=Fraction(str(layer.speed)),
    )


def _wanted(query: Query) -> str:
    """Return the query as a person reads it: without the confidence that every storyboard asks for."""
    terms = query.terms if isinstance(query, And) else (query,)
    return format_query(all_of(t for t in terms if not (isinstance(t, Compare) and t.key == "confidence")))


# --- scenes ----------------------------------------------------------------------------------------------------------


def _shown(timings: Sequence[SceneTiming], chosen: Mapping[str, Choice]) -> tuple[list[SceneTiming], tuple[str, ...]]:
    """Part the scenes into those that have all their shots and the optional ones that have not."""
    shown, omitted = list[SceneTiming](), list[str]()
    for timing in timings:
        missing = [slot for slot in _slot_ids(timing) if slot not in chosen]
        if not missing:
            shown.append(timing)
        elif timing.scene.optional:
            omitted.append(timing.scene.id)
        else:
            raise TimelineInvalid(f"scene {timing.scene.id!r} has no shot for {missing[0]}")
    return shown, tuple(omitted)


def _slot_ids(timing: SceneTiming) -> list[str]:
    return [
        slot_id(timing.scene.id, layer, shot)
        for layer, bounds in timing.shots.items()
        for shot in range(len(bounds) - 1)
    ]


def _timed_scene(
    timing: SceneTiming, chosen: Mapping[str, Choice], canvas: Canvas, look: Look, *, last: bool
) -> TimedScene:
    scene = timing.scene
    return TimedScene(
        id=scene.id,
        frames=timing.frames,
        layers=tuple(
            layer for number in range(len(scene.layers)) for layer in _layers(timing, number, chosen, canvas, look)
        ),
        transition=Transition(scene.transition.name, timing.transition) if scene.transition and not last else None,
        lines=timing.lines,
        cues=cut_cues(
            timing.lines,
            canvas=canvas,
            scene_frames=timing.frames,
            measure=look.measure,
            keep=look.names,
            segment=look.segment,
        ),
        still=scene.still,
    )


def _layers(timing: SceneTiming, number: int, chosen: Mapping[str, Choice], canvas: Canvas, look: Look) -> list[Layer]:
    part = timing.scene.layers[number]
    match part:
        case ClipPart():
            clips = [
                _clip(part, chosen[slot_id(timing.scene.id, number, shot)], start, end, canvas)
                for shot, (start, end) in enumerate(pairwise(timing.shots[number]))
            ]
            return list(standing(clips, part.inset, canvas.fps))
        case ImagePart():
            return list(image_layers(part, timing, canvas, look.pictures))
        case CardPart() | TextPart() | ChartPart():
            return _card(part, timing.frames, canvas.fps)
        case ColorPart():
            return [ColorLayer(part.color, 0, timing.frames, part.to)]


def _clip(part: ClipPart, choice: Choice, start: int, end: int, canvas: Canvas) -> ClipLayer:
    candidate = choice.candidate
    speed = speed_for(choice.slot, candidate)
    if speed is None or choice.slot.seconds != Fraction(end - start) / canvas.fps:
        raise TimelineInvalid(
            f"shot {candidate.shot} was chosen for another length than scene {choice.slot.scene!r} has"
        )
    fit = _fit(part, choice, canvas)
    window = _window(choice, canvas) if fit == "cover" else None
    if part.fit == "auto" and window is None and follows(candidate, canvas):
        fit = "track"
    return ClipLayer(
        asset=candidate.asset,
        shot=candidate.shot,
        source_start=candidate.start + choice.offset,
        start=start,
        frames=end - start,
        speed=speed,
        fit=fit,
        sound_db=part.sound_db if candidate.has_sound else None,
        window=window,
    )


def _window(choice: Choice, canvas: Canvas) -> Window | None:
    """Return the part of the picture that leaves out what is burnt in, where the usual crop does not anyway."""
    shot, shape = choice.candidate, Fraction(canvas.width, canvas.height)
    seen = [region for region in shot.regions if seen_share(region, shot.width, shot.height, shape) > 0]
    return clear_window(shot.regions, shot.width, shot.height, shape) if seen else None


def _fit(part: ClipPart, choice: Choice, canvas: Canvas) -> Fit:
    if part.fit != "auto":
        return part.fit
    return fit_for(choice.candidate.width, choice.candidate.height, canvas)


def _card(part: CardPart | TextPart | ChartPart, scene_frames: int, fps: Fraction) -> list[Layer]:
    """Return the card as it fits the scene; nothing where it would start after the scene's end."""
    start = frames_of(part.start, fps)
    wanted = frames_of(part.duration, fps) if part.duration else scene_frames
    frames = min(max(1, wanted), scene_frames - start)
    if frames <= 0:
        return []
    enter = min(frames_of(part.enter, fps), frames)
    leave = min(frames_of(part.leave, fps), frames - enter)
    role = part.type if isinstance(part, CardPart) else "card"
    return [CardLayer(part.card, part.data, start, frames, role, enter, leave, part.counts)]


# --- the whole -------------------------------------------------------------------------------------------------------


def credits_of(choices: Sequence[Choice]) -> tuple[str, ...]:
    """Return one line for each source of footage that wants to be named, in the order of showing."""
    lines = []
    for choice in choices:
        credit, licence = choice.candidate.credit.strip(), choice.candidate.licence.strip()
        if credit:
            lines.append(f"{credit} ({licence})" if licence and licence not in credit else credit)
    return tuple(dict.fromkeys(lines))


def _picture_credits(scenes: Sequence[Scene]) -> tuple[str, ...]:
    images = [part for scene in scenes for part in scene.layers if isinstance(part, ImagePart)]
    return tuple(part.credit.strip() for part in images if part.credit.strip())


def _with_credits(
    scenes: Sequence[TimedScene], choices: Sequence[Choice], pictures: Sequence[str]
) -> tuple[TimedScene, ...]:
    """Fill the footage of credit cards that leave it open (an empty list)."""
    ids = {scene.id for scene in scenes}
    footage = credits_of([choice for choice in choices if choice.slot.scene in ids])
    lines = list(dict.fromkeys((*footage, *pictures)))

    def filled(layer: Layer) -> Layer:
        if isinstance(layer, CardLayer) and layer.role == "credits" and layer.data.get("footage") == []:
            data: dict[str, Any] = {**layer.data, "footage": lines}
            return replace(layer, data=data)
        return layer

    return tuple(replace(scene, layers=tuple(filled(layer) for layer in scene.layers)) for scene in scenes)


def _with_blurred_faces(scenes: Sequence[TimedScene]) -> tuple[TimedScene, ...]:
    def blurred(layer: Layer) -> Layer:
        return replace(layer, blur_faces=True) if isinstance(layer, ClipLayer) else layer

    return tuple(replace(scene, layers=tuple(blurred(layer) for layer in scene.layers)) for scene in scenes)


def _with_poster(timeline: Timeline, posters: Sequence[bool], first: int) -> Timeline:
    """Take the poster from the middle of the scene that is marked, else of the first one; the storyboard's own scenes
    begin with scene number `first`."""
    if not posters:
        return timeline
    number = first + (posters.index(True) if True in posters else 0)
    return replace(timeline, poster_frame=timeline.scene_starts()[number] + timeline.scenes[number].frames // 2)
