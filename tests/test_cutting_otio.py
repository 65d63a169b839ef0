"""Exchange formats read back by the real library: as many clips as were written, where they were, to one frame."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import opentimelineio as otio
import pytest

from factory.plan.cutting import Item, Tracks, lay
from factory.plan.timeline import Timeline
from factory.render.cutting_edl import as_edl
from factory.render.cutting_otio import as_fcp7, as_otio
from tests.cut_timelines import NAMES, every_kind, media_of

Written = tuple[Timeline, Tracks, str]


def read(text: str, adapter: str, **how: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the adapters, not us
        return otio.adapters.read_from_string(text, adapter, **how)


def written(write: Callable[..., str], fps: Fraction = Fraction(30)) -> Written:
    timeline = every_kind(fps)
    tracks = lay(timeline)
    return timeline, tracks, write(timeline, tracks, media_of(timeline, tracks))


def clips(track: Any) -> list[Any]:
    return [one for one in track if isinstance(one, otio.schema.Clip)]


def spans(track: Any) -> list[tuple[int, int]]:
    """Return where each clip of a track lies in the program, transitions taken half from either side."""
    found = [track.range_of_child(clip) for clip in clips(track)]
    return [(round(one.start_time.value), round(one.end_time_exclusive().value)) for one in found]


def wanted(items: tuple[Item, ...]) -> list[tuple[int, int]]:
    return [(item.start, item.end) for item in items]


def speed_of(clip: Any) -> float:
    return next((one.time_scalar for one in clip.effects if isinstance(one, otio.schema.LinearTimeWarp)), 1.0)


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(25), Fraction(30000, 1001)], ids=str)
def test_otio_keeps_tracks_clips_ranges_speeds_and_transitions(fps: Fraction) -> None:
    timeline, tracks, text = written(as_otio, fps)
    program = read(text, "otio_json")
    assert [t.name for t in program.video_tracks()] == [f"V{n}" for n in range(1, len(tracks.pictures) + 1)]
    for track, items in zip(program.tracks, (*tracks.pictures, *tracks.heard), strict=True):
        assert spans(track) == wanted(items)
        for clip, item in zip(clips(track), items, strict=True):
            start = clip.source_range.start_time.value / clip.source_range.start_time.rate
            assert abs(start - float(item.source_start)) <= 0.5 / float(fps) + 1e-9
            assert speed_of(clip) == pytest.approx(float(item.speed))
            assert clip.media_reference.target_url == media_of(timeline, tracks)[item.medium].path
    found = [one for one in program.video_tracks()[0] if isinstance(one, otio.schema.Transition)]
    assert [one.name for one in found] == list(NAMES)
    assert [(one.in_offset.value, one.out_offset.value) for one in found] == [
        (one.before, one.after) for one in tracks.crossings
    ]
    assert program.duration().value == timeline.frames
    assert [mark.name for mark in program.tracks.markers] == [scene.id for scene in timeline.scenes]


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(25), Fraction(30000, 1001)], ids=str)
def test_fcp7_keeps_tracks_clips_ranges_and_transitions(fps: Fraction) -> None:
    _, tracks, text = written(as_fcp7, fps)
    program = read(text, "fcp_xml")
    for track, items in zip(program.tracks, (*tracks.pictures, *tracks.heard), strict=True):
        assert spans(track) == wanted(items)
        for clip, item in zip(clips(track), items, strict=True):
            shown = item.source_start / item.speed * fps  # frames of the medium as it plays
            assert abs(clip.source_range.start_time.value - float(shown)) <= 1
    found = [one for one in program.video_tracks()[0] if isinstance(one, otio.schema.Transition)]
    assert len(found) == len(NAMES)
    assert text.count("effectid>timeremap<") == sum(
        item.speed != 1 for track in (*tracks.pictures, *tracks.heard) for item in track
    )
    assert "<width>320</width>" in text


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(25)], ids=str)
def test_edl_keeps_one_picture_track_and_three_of_sound(fps: Fraction) -> None:
    _, tracks, text = written(as_edl, fps)
    program = read(text, "cmx_3600", rate=float(fps))
    read_back = {track.name: track for track in program.tracks}
    assert list(read_back) == ["V", "A1", "A2", "A3"]
    lists = dict(zip(("A1", "A2", "A3"), tracks.heard, strict=False))
    for name, items in lists.items():
        offset = items[0].start  # the reader lets a track begin with its first event
        assert [(a + offset, b + offset) for a, b in spans(read_back[name])] == wanted(items)
    picture = read_back["V"]
    items = tracks.pictures[0]
    crossings = {one.at: one for one in tracks.crossings}
    wanted_picture = [
        (
            item.start - (crossings[item.start].before if item.start in crossings else 0),
            item.end - (crossings[item.end].before if item.end in crossings else 0),
        )
        for item in items
    ]
    assert spans(picture) == wanted_picture
    for clip, item, (start, _) in zip(clips(picture), items, wanted_picture, strict=True):
        place = max(item.read_from(start, fps), Fraction(0))
        assert abs(clip.source_range.start_time.value - float(place * fps)) <= 1
        assert speed_of(clip) == pytest.approx(float(item.speed), abs=0.1 / float(fps))
    dissolves = [one for one in picture if isinstance(one, otio.schema.Transition)]
    assert [one.in_offset.value + one.out_offset.value for one in dissolves] == [
        one.before + one.after for one in tracks.crossings
    ]
    assert len(text.splitlines()[0]) <= 80


def test_an_edl_says_how_much_of_the_medium_a_speed_takes() -> None:
    """The source range of a clip at double speed is twice as long as it is shown."""
    _, _, text = written(as_edl)
    lines = text.splitlines()
    seen = 0
    for event, motion in zip(lines, lines[2:], strict=False):
        found = re.match(r"M2 +AR\d+ +([\d.]+)", motion)
        edit = re.match(r"\d{3}  AR\d+ +\S+ +C +(\S+) (\S+) (\S+) (\S+)$", event)
        if found and edit:
            seen += 1
            source_in, source_out, record_in, record_out = (frames(clock) for clock in edit.groups())
            shown = record_out - record_in
            assert abs((source_out - source_in) - shown * float(found[1]) / 30) <= 0.5 + 0.05 * shown / 30
    assert seen > 10


def frames(clock: str) -> int:
    hours, minutes, seconds, rest = map(int, clock.split(":"))
    return (hours * 3600 + minutes * 60 + seconds) * 30 + rest


@pytest.mark.parametrize("write", [as_otio, as_fcp7, as_edl])
def test_media_are_named_relative_to_the_list(write: Callable[..., str]) -> None:
    _, _, text = written(write)
    assert "media/" in text
    assert not re.search(r"(file://|[\"> ]/)(media|sound|home|tmp|work)", text)
    assert written(write)[2] == text
