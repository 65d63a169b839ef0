"""Timelines for the cutting room: every transition, speeds, insets, cards, sound, in one program of plain colours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fractions import Fraction
from typing import get_args

from factory.plan.cutting import MUSIC, Tracks
from factory.plan.timeline import (
    Canvas,
    CardLayer,
    ClipLayer,
    ColorLayer,
    Cue,
    Inset,
    Layer,
    Music,
    Speech,
    SpokenLine,
    TimedScene,
    Timeline,
    Transition,
    TransitionName,
    Watermark,
)
from factory.render.cutting_otio import Medium

SPEEDS = tuple(map(Fraction, ("1", "1/4", "1/2", "4", "5/4", "1", "4/5", "2", "3")))
NAMES: tuple[str, ...] = get_args(TransitionName)


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def clip(name: str, start: int, frames: int, **values: object) -> ClipLayer:
    values = {"source_start": Fraction(7, 3), **values}
    return ClipLayer(asset=digest(name), shot=1, start=start, frames=frames, **values)  # type: ignore[arg-type]


def every_kind(fps: Fraction = Fraction(30)) -> Timeline:
    """A scene for every transition, each with two shots of other speeds, one with sound; then the credits."""
    scenes = []
    for number, name in enumerate(NAMES):
        first, second = (SPEEDS[(number + shift) % len(SPEEDS)] for shift in (0, 4))
        layers: list[Layer] = [
            clip(f"a{number % 5}", 0, 40, speed=first, sound_db=-3.0, source_start=Fraction(number, 7)),
            clip(f"b{number % 3}", 40, 53 + number, speed=second, source_start=Fraction(number, 11)),
            CardLayer("lower_third", {"name": f"N{number}", "line": ""}, 5, 60, "lower_third"),
        ]
        if number % 4 == 1:
            layers.append(clip("inset", 20, 50, inset=Inset(), sound_db=-9.0))
        line = SpokenLine(Speech(f"line {number}", digest(f"voice{number}"), Fraction(3, 2)), 10)
        cues = (Cue(10, 50, (f"line {number}",)),)
        transition = Transition(name, 9 + number % 5)
        scenes.append(TimedScene(f"s{number}", 93 + number, tuple(layers), transition, (line,), cues))
    credits = CardLayer("credits", {"footage": ["A"], "music": [], "data": [], "sample": False}, 0, 60, "credits")
    scenes.append(TimedScene("credits", 60, (ColorLayer("#101010", 0, 60, "#202020"), credits), still=True, bare=True))
    music, mark = Music("drive", 3, gain_db=-16.0), Watermark()
    canvas = Canvas(320, 180, fps)
    return Timeline("试片 & more", "zh-CN", "t", "autoreel", canvas, tuple(scenes), music, watermark=mark)


def media_of(timeline: Timeline, tracks: Tracks) -> Mapping[str, Medium]:
    """Stand for the files: a minute of footage at 25 frames a second, stills without a length."""
    found = {}
    for track in tracks.pictures:
        for item in track:
            footage = isinstance(item.layer, ClipLayer)
            length = (Fraction(60), Fraction(25)) if footage else (None, None)
            found[item.medium] = Medium(f"media/{item.medium[:20]}.{'mp4' if footage else 'png'}", "shot", *length)
    for item in tracks.voice:
        found[item.medium] = Medium(f"sound/{item.medium[:20]}.wav", "voice", has_sound=True)
    found[MUSIC] = Medium("sound/music.wav", "music", timeline.seconds, has_sound=True)
    return found
