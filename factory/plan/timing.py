"""How long everything in a storyboard lasts, in whole frames: its sentences, its scenes, and the shots within them.

A scene's length never depends on whether an optional scene before it is shown: shots chosen for it keep fitting. Where
cuts fall on beats a beat is a whole number of frames, and each scene takes whole beats up to where the next one begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Any

from factory.plan.layer_parts import InsetPart
from factory.plan.sentences import sentences
from factory.plan.storyboard import ClipPart, Scene, Storyboard
from factory.plan.timeline import Speech, SpokenLine

BEFORE_VOICE = Fraction(1, 5)  # seconds of picture before the first word of a scene
AFTER_VOICE = Fraction(3, 10)  # and after its last
BETWEEN_SENTENCES = Fraction(3, 20)
SHORTEST_SCENE = Fraction(2)
SHORTEST_SHOT = Fraction(1)
LONGEST_SHOT = Fraction(6)  # a longer stretch is given a further shot

Spoken = Mapping[str, Sequence[Speech]]  # scene id -> its sentences as sound, in order


@dataclass(frozen=True, slots=True)
class Sentence:
    """What the voice has to say: one sentence of a scene, by which voice, how fast (1.0 is its own pace)."""

    scene: str
    text: str
    voice: str
    rate: float


@dataclass(frozen=True, slots=True)
class SceneTiming:
    """A scene in frames: its lines, its transition at the end, and for each clip layer (by number) the bounds of its
    shots (n shots have n + 1 bounds, from 0 to `frames`, or over the span of its inset)."""

    scene: Scene
    frames: int
    lines: tuple[SpokenLine, ...]
    transition: int
    shots: Mapping[int, tuple[int, ...]]


def narration(storyboard: Storyboard) -> tuple[Sentence, ...]:
    """Return every sentence that the voice has to say, in order."""
    return tuple(
        Sentence(scene.id, text, scene.voice.voice, scene.voice.rate)
        for scene in storyboard.scenes
        if scene.voice
        for text in sentences(scene.voice.text, storyboard.locale)
    )


def time_scenes(storyboard: Storyboard, spoken: Spoken, fps: Fraction, beat: int = 0) -> tuple[SceneTiming, ...]:
    """Return the timing of every scene, optional ones included; with `beat` frames to a beat, cuts fall on beats."""
    return tuple(
        _time_scene(scene, spoken.get(scene.id, ()), fps, _transition_into(storyboard.scenes, number, fps), beat)
        for number, scene in enumerate(storyboard.scenes)
    )


def moved_to_beats(storyboard: Storyboard, spoken: Spoken, fps: Fraction, beat: int) -> dict[str, Any]:
    """Return what cutting on beats changes, as plain JSON: each scene's seconds and cuts without it and with it."""
    pairs = zip(time_scenes(storyboard, spoken, fps), time_scenes(storyboard, spoken, fps, beat), strict=True)
    return {
        "frames_a_beat": beat,
        "beats_a_minute": round(float(60 * fps / beat), 2),
        "scenes": [
            {"scene": free.scene.id, "without": _told(free, fps), "with": _told(cut, fps)}
            for free, cut in pairs
            if _told(free, fps) != _told(cut, fps)
        ],
    }


def _told(timing: SceneTiming, fps: Fraction) -> dict[str, Any]:
    cuts = sorted({at for bounds in timing.shots.values() for at in bounds[1:-1]})
    return {"seconds": round(float(timing.frames / fps), 3), "cuts": [round(float(at / fps), 3) for at in cuts]}


def on_beats(frames: int, overlap: int, least: int, beat: int) -> int:
    """Return a scene's length so that the next begins on a beat: the nearest to `frames` that is not under `least`."""
    beats = max(round((frames - overlap) / beat), ceil((least - overlap) / beat), 1)
    return overlap + beats * beat


def place_lines(speeches: Sequence[Speech], fps: Fraction, transition_in: int = 0) -> tuple[SpokenLine, ...]:
    """Return where each sentence starts: the first on the first fully visible frame, a short breath between them."""
    lines, at = list[SpokenLine](), max(ceil(BEFORE_VOICE * fps), transition_in)
    for speech in speeches:
        lines.append(SpokenLine(speech, at))
        at += ceil((speech.seconds + BETWEEN_SENTENCES) * fps)
    return tuple(lines)


def scene_frames(
    scene: Scene, lines: Sequence[SpokenLine], fps: Fraction, transition_in: int = 0, beat: int = 0
) -> int:
    """Return how long a scene lasts: as said, or as long as its narration and margins take, and never less than these.

    Both transitions must fit: each takes at most half of the scene. With `beat`, it ends on one.
    """
    transition = frames_of(scene.transition.duration, fps) if scene.transition else 0
    least = max(2 * transition, 2 * transition_in, 1)
    if lines:
        spoken = lines[-1].start + ceil(lines[-1].speech.seconds * fps)
        least = max(least, spoken + max(ceil(AFTER_VOICE * fps), transition))
    if scene.duration == "auto":
        least = max(least, ceil(SHORTEST_SCENE * fps))
        wanted = least
    else:
        wanted = max(least, frames_of(scene.duration, fps))
    return on_beats(wanted, transition, least, beat) if beat else wanted


def shot_bounds(frames: int, shots: int, starts: Sequence[int], fps: Fraction, beat: int = 0) -> tuple[int, ...]:
    """Return where each of a scene's shots starts, and where the last one ends.

    Cuts fall on the starts of sentences (`starts`, the first one's left out) where there are enough, else evenly; a
    shot lasts at least a second, and what would last longer than `LONGEST_SHOT` is parted evenly. With `beat`, each
    cut moves to the nearest beat; one that would leave less than a second is left out.
    """
    shortest = ceil(SHORTEST_SHOT * fps)
    shots = max(1, min(shots, frames // shortest))
    bounds = _on_sentences(frames, shots, starts, shortest) or tuple(_even(0, frames, shots))
    longest = int(LONGEST_SHOT * fps)
    parted = [at for start, end in pairwise(bounds) for at in _even(start, end, ceil((end - start) / longest))[:-1]]
    if not beat:
        return (*parted, frames)
    cuts = [0]
    for at in parted[1:]:
        moved = round(at / beat) * beat
        if cuts[-1] + shortest <= moved <= frames - shortest:
            cuts.append(moved)
    return (*cuts, frames)


def inset_span(inset: InsetPart | None, frames: int, fps: Fraction) -> tuple[int, int]:
    """Return the frames [start, end) of a scene in which a layer is shown: all of them where it is no inset."""
    if inset is None:
        return 0, frames
    start = min(frames_of(inset.start, fps), frames)
    return start, frames if inset.duration is None else min(start + max(1, frames_of(inset.duration, fps)), frames)


def frames_of(seconds: float, fps: Fraction) -> int:
    """Return seconds as whole frames, to the nearest."""
    return round(Fraction(str(seconds)) * fps)


def _time_scene(scene: Scene, speeches: Sequence[Speech], fps: Fraction, transition_in: int, beat: int) -> SceneTiming:
    lines = place_lines(speeches, fps, transition_in)
    frames = scene_frames(scene, lines, fps, transition_in, beat)
    starts = [line.start for line in lines[1:]]
    shots = {
        number: _bounds(layer, frames, starts, fps, beat)
        for number, layer in enumerate(scene.layers)
        if isinstance(layer, ClipPart)
    }
    transition = max(1, frames_of(scene.transition.duration, fps)) if scene.transition else 0
    return SceneTiming(scene, frames, lines, transition, shots)


def _bounds(layer: ClipPart, frames: int, starts: Sequence[int], fps: Fraction, beat: int) -> tuple[int, ...]:
    first, end = inset_span(layer.inset, frames, fps)
    if first >= end:
        return (first,)
    inside = [at - first for at in starts if first < at < end]
    bounds = shot_bounds(end - first, layer.pick.shots, inside, fps, beat)
    return tuple(first + at for at in bounds)


def _transition_into(scenes: Sequence[Scene], number: int, fps: Fraction) -> int:
    """Return the longest transition that may lead into a scene, whichever optional scenes before it are shown."""
    longest = 0
    for before in reversed(scenes[:number]):
        longest = max(longest, frames_of(before.transition.duration, fps) if before.transition else 0)
        if not before.optional:
            break
    return longest


def _on_sentences(frames: int, shots: int, starts: Sequence[int], shortest: int) -> tuple[int, ...] | None:
    """Choose the cuts among the starts of sentences that come nearest to even lengths, or None where none do."""
    ways: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, (0,))}
    for number in range(1, shots):
        ideal = frames * number / shots
        further: dict[int, tuple[float, tuple[int, ...]]] = {}
        for start in starts:
            reached = [(cost, path) for at, (cost, path) in ways.items() if start - at >= shortest]
            if reached:
                cost, path = min(reached)
                further[start] = (cost + (start - ideal) ** 2, (*path, start))
        ways = further
    whole = [way for at, way in ways.items() if frames - at >= shortest]
    return (*min(whole)[1], frames) if whole else None


def _even(start: int, end: int, parts: int) -> list[int]:
    return [start + (end - start) * number // parts for number in range(parts + 1)]
