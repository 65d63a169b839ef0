"""Tracks as OpenTimelineIO, and through its adapter as the XML of Final Cut Pro 7, which Premiere and Resolve read.

OTIO counts a clip's range in frames that are shown, from the frame of the medium that is shown first. The XML counts in
frames of the medium as it plays at its speed, so that the same place has another number there.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import quote

import opentimelineio as otio

from factory.plan.cutting import Crossing, Item, Tracks
from factory.plan.cutting_losses import DISSOLVES
from factory.plan.timeline import Timeline

OURS, XML = "autoreel", "fcp_xml"  # namespaces of metadata
LONGEST_GAIN_DB = 12.0  # that the XML's levels hold
EFFECTS = {  # of Final Cut Pro 7: name and identifier
    "fadeblack": ("Dip to Color Dissolve", "Dip to Color Dissolve"),
    "fadewhite": ("Dip to Color Dissolve", "Dip to Color Dissolve"),
    "wipe": ("Edge Wipe", "Edge Wipe"),
    "smooth": ("Edge Wipe", "Edge Wipe"),
    "slide": ("Push Slide", "Push Slide"),
    "circle": ("Oval Iris", "Oval Iris"),
    "radial": ("Clock Wipe", "Clock Wipe"),
}


@dataclass(frozen=True, slots=True)
class Medium:
    """A file of the bundle: its path there, the name that people see, how long it lasts and at which rate it runs.

    A still picture has no length of its own.
    """

    path: str
    name: str
    seconds: Fraction | None = None
    fps: Fraction | None = None
    has_sound: bool = False


def as_otio(timeline: Timeline, tracks: Tracks, media: Mapping[str, Medium]) -> str:
    """Return the program as OTIO JSON; media are named by paths relative to the file."""
    return str(_built(timeline, tracks, media, xml=False).to_json_string(indent=1)) + "\n"


def as_fcp7(timeline: Timeline, tracks: Tracks, media: Mapping[str, Medium]) -> str:
    """Return the program as Final Cut Pro 7 XML; media are named by paths relative to the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the adapter asks XML elements whether they are true
        return str(otio.adapters.write_to_string(_built(timeline, tracks, media, xml=True), XML))


def _built(timeline: Timeline, tracks: Tracks, media: Mapping[str, Medium], *, xml: bool) -> Any:
    build = _Builder(timeline, media, xml)
    program = otio.schema.Timeline(timeline.title, global_start_time=build.at(0))
    canvas = timeline.canvas
    program.metadata[OURS] = {"template": timeline.template, "width": canvas.width, "height": canvas.height}
    size = {"width": str(canvas.width), "height": str(canvas.height), "pixelaspectratio": "square"}
    program.metadata[XML] = {"media": {"video": {"format": {"samplecharacteristics": size}}}}
    kinds = otio.schema.TrackKind
    for number, items in enumerate(tracks.pictures, 1):
        crossings = tracks.crossings if number == 1 else ()
        program.tracks.append(build.track(f"V{number}", kinds.Video, items, crossings))
    for number, items in enumerate(tracks.heard, 1):
        program.tracks.append(build.track(f"A{number}", kinds.Audio, items))
    program.tracks.markers.extend(
        otio.schema.Marker(name=scene, marked_range=build.span(start, frames)) for scene, start, frames in tracks.marks
    )
    return program


class _Builder:
    """Makes objects of OTIO at the rate of the program."""

    def __init__(self, timeline: Timeline, media: Mapping[str, Medium], xml: bool) -> None:
        self._fps, self._media, self._xml = timeline.canvas.fps, media, xml
        self._made = 0

    def at(self, frame: int) -> Any:
        return otio.opentime.RationalTime(frame, float(self._fps))

    def span(self, start: int, frames: int) -> Any:
        return otio.opentime.TimeRange(self.at(start), self.at(frames))

    def track(self, name: str, kind: str, items: Sequence[Item], crossings: Sequence[Crossing] = ()) -> Any:
        track = otio.schema.Track(name=name, kind=kind)
        across = {crossing.at: crossing for crossing in crossings}
        end = 0
        for item in items:
            if item.start > end:
                track.append(otio.schema.Gap(source_range=self.span(0, item.start - end)))
            elif item.start in across:
                track.append(self._transition(across[item.start]))
            track.append(self._clip(item, kind))
            end = item.end
        return track

    def _clip(self, item: Item, kind: str) -> Any:
        medium = self._media[item.medium]
        place = item.source_start / item.speed if self._xml else item.source_start
        clip = otio.schema.Clip(medium.name, self._reference(item, medium), self.span(self._frame(place), item.frames))
        self._made += 1
        # the adapter takes two clips that say the same for one and the same clip
        clip.metadata[OURS] = {"number": self._made, "scene": item.scene, "gain_db": item.gain_db}
        if item.speed != 1:
            clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=float(item.speed)))
        effects = [_speed_effect(item.speed, kind)] if item.speed != 1 else []
        effects += [_level_effect(item.gain_db)] if kind == otio.schema.TrackKind.Audio and item.gain_db else []
        if self._xml and effects:
            clip.metadata[XML] = {"filter": [{"effect": effect} for effect in effects]}
        return clip

    def _reference(self, item: Item, medium: Medium) -> Any:
        """Return what points to the file. A medium at a rate of its own keeps it: ranges are at the program's."""
        if medium.seconds is None:
            available = self.span(0, item.frames)
        else:
            rate = medium.fps or self._fps
            available = otio.opentime.TimeRange(
                otio.opentime.RationalTime(0, float(rate)),
                otio.opentime.RationalTime(round(medium.seconds * rate), float(rate)),
            )
        reference = otio.schema.ExternalReference(quote(medium.path), available)
        reference.name = medium.path.rpartition("/")[2]
        return reference

    def _frame(self, seconds: Fraction) -> int:
        return round(seconds * self._fps)

    def _transition(self, crossing: Crossing) -> Any:
        types = otio.schema.TransitionTypes
        kind = types.SMPTE_Dissolve if crossing.name in DISSOLVES else types.Custom
        name, effect = next(
            (EFFECTS[key] for key in EFFECTS if crossing.name.startswith(key)), ("Cross Dissolve", "Cross Dissolve")
        )
        return otio.schema.Transition(
            name=name if self._xml else crossing.name,
            transition_type=kind,
            in_offset=self.at(crossing.before),
            out_offset=self.at(crossing.after),
            metadata={OURS: {"name": crossing.name}, **({XML: {"effectid": effect}} if self._xml else {})},
        )


def _speed_effect(speed: Fraction, kind: str) -> dict[str, Any]:
    values = (("variablespeed", "0"), ("speed", f"{float(speed * 100):g}"), ("reverse", "FALSE"))
    return {
        "name": "Time Remap",
        "effectid": "timeremap",
        "effectcategory": "motion",
        "effecttype": "motion",
        "mediatype": "audio" if kind == otio.schema.TrackKind.Audio else "video",
        "parameter": [{"parameterid": name, "name": name, "value": value} for name, value in values],
    }


def _level_effect(gain_db: float) -> dict[str, Any]:
    level = 10 ** (min(gain_db, LONGEST_GAIN_DB) / 20)
    return {
        "name": "Audio Levels",
        "effectid": "audiolevels",
        "effectcategory": "audiolevels",
        "effecttype": "audiolevels",
        "mediatype": "audio",
        "parameter": {
            "parameterid": "level",
            "name": "Level",
            "valuemin": "0",
            "valuemax": "3.98109",
            "value": f"{level:.6f}",
        },
    }
