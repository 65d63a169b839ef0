"""A timeline as tracks: what stands at each frame of the program is what the timeline shows there."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from factory.plan.cutting import Item, Tracks, drawn_name, lay
from factory.plan.cutting_losses import losses
from factory.plan.timeline import (
    Canvas,
    CardLayer,
    ClipLayer,
    ColorLayer,
    Speech,
    SpokenLine,
    TimedScene,
    Timeline,
    Transition,
    scene_at,
)
from tests.cut_timelines import NAMES, clip, digest, every_kind

FPS = Fraction(30)


def at(track: tuple[Item, ...], frame: int) -> Item | None:
    return next((item for item in track if item.start <= frame < item.end), None)


def test_each_frame_outside_a_transition_shows_what_the_timeline_shows() -> None:
    timeline = every_kind()
    tracks = lay(timeline)
    blended = {f for one in tracks.crossings for f in range(one.at - one.before, one.at + one.after)}
    for frame in set(range(timeline.frames)) - blended:
        number, within = scene_at(timeline, frame)
        scene = timeline.scenes[number]
        shown = [layer for layer in scene.layers if layer.start <= within < layer.start + layer.frames]
        found = [item for track in tracks.pictures[:-1] if (item := at(track, frame))]  # the watermark aside
        assert [item.layer for item in found] == shown
        for item, layer in zip(found, shown, strict=True):
            if isinstance(layer, ClipLayer):
                wanted = layer.source_start + (within - layer.start) / FPS * layer.speed
                assert item.read_from(frame, FPS) == wanted
        assert (at(tracks.pictures[-1], frame) is not None) != scene.bare


def test_tracks_hold_no_overlap_and_the_lowest_no_hole() -> None:
    timeline = every_kind()
    tracks = lay(timeline)
    for track in (*tracks.pictures, *tracks.heard):
        assert all(one.end <= two.start for one, two in pairwise(track))
        assert all(0 <= item.start < item.end <= timeline.frames for item in track)
    assert sum(item.frames for item in tracks.pictures[0]) == timeline.frames
    assert tracks.left_out == ()


def test_every_transition_lies_over_the_frames_that_scenes_share() -> None:
    timeline = every_kind()
    crossings = lay(timeline).crossings
    assert [one.name for one in crossings] == list(NAMES)
    for one, scene, starts in zip(crossings, timeline.scenes, timeline.scene_starts()[1:], strict=False):
        assert scene.transition
        assert (one.at - one.before, one.before + one.after) == (starts, scene.transition.frames)


def test_the_voice_starts_on_its_frame_and_sounds_of_clips_get_as_many_tracks_as_sound_at_once() -> None:
    timeline = every_kind()
    tracks = lay(timeline)
    wanted = [start + 10 for start in timeline.scene_starts()[:-1]]
    assert [item.start for item in tracks.voice] == wanted
    assert {item.frames for item in tracks.voice} == {45}
    heard = [layer for s in timeline.scenes for layer in s.layers if isinstance(layer, ClipLayer) and layer.sound_db]
    assert sum(len(lane) for lane in tracks.natural) == len(heard)
    assert len(tracks.natural) == 2
    assert tracks.heard[2] == tracks.music
    assert tracks.music[0].gain_db == -16.0


def scenes_of(*scenes: TimedScene) -> Timeline:
    return Timeline("t", "en-US", "t", "autoreel", Canvas(320, 180), scenes)


def test_a_transition_without_pictures_on_both_sides_is_said_to_be_lost() -> None:
    card = CardLayer("title", {"title": "A"}, 0, 30)
    timeline = scenes_of(
        TimedScene("a", 60, (clip("a", 0, 40),), Transition("fade", 10)), TimedScene("b", 30, (card,), None)
    )
    tracks = lay(timeline)
    assert tracks.crossings == ()
    assert tracks.left_out == ("the transition fade after scene 'a'",)
    assert tracks.pictures[0] == (replace(tracks.pictures[0][0], start=0, frames=40),)
    assert [loss.count for loss in losses(timeline, tracks, "otio") if "transition fade" in loss.what] == [1]


def test_a_shot_that_is_shorter_than_the_transition_into_it_has_none() -> None:
    timeline = scenes_of(
        TimedScene("a", 60, (clip("a", 0, 60),), Transition("fade", 20)),
        TimedScene("b", 60, (clip("b", 0, 15), clip("c", 15, 45))),
    )
    tracks = lay(timeline)
    assert tracks.crossings == ()
    assert [item.frames for item in tracks.pictures[0]] == [50, 5, 45]


def test_lines_that_overlap_are_not_both_on_the_voice_track() -> None:
    one, two = (SpokenLine(Speech(name, digest(name), Fraction(2)), start) for name, start in (("x", 0), ("y", 30)))
    timeline = scenes_of(TimedScene("a", 90, (ColorLayer("#000000", 0, 90),), lines=(one, two)))
    tracks = lay(timeline)
    assert [item.medium for item in tracks.voice] == [digest("x")]
    assert tracks.left_out == ("the voice of scene 'a', which another one covers",)


@pytest.mark.parametrize("target", ["otio", "fcp7", "edl"])
def test_what_is_lost_is_counted(target: str) -> None:
    timeline = every_kind()
    faces = replace(timeline.scenes[0], layers=(replace(clip("a", 0, 93), blur_faces=True, fit="track"),))
    timeline = replace(timeline, scenes=(faces, *timeline.scenes[1:]))
    tracks = lay(timeline)
    found = {loss.what: loss.count for loss in losses(timeline, tracks, target, {"a": Fraction(25)})}  # type: ignore[arg-type]
    assert found["faces hidden by a mosaic"] == found["crops that follow a car"] == 1
    assert found["cards that move"] == len(NAMES)
    assert found["pictures in pictures"] == 5
    assert found["transitions of another kind"] == len(NAMES) - 3
    assert found["footage at another frame rate"] == 1
    assert ("upper picture tracks" in found) == ("levels of sounds" in found) == (target == "edl")


def test_nothing_is_said_of_what_is_not_there() -> None:
    timeline = scenes_of(TimedScene("a", 30, (clip("a", 0, 30),)))
    assert losses(timeline, lay(timeline), "otio") == ()
    assert isinstance(lay(timeline), Tracks)


def test_a_card_of_the_same_content_has_the_same_name() -> None:
    one, two = (CardLayer("title", {"title": "A", "kicker": "B"}, start, 30) for start in (0, 9))
    assert drawn_name(one) == drawn_name(two) == drawn_name(replace(one, data={"kicker": "B", "title": "A"}))
    assert drawn_name(one) != drawn_name(replace(one, data={"title": "C", "kicker": "B"}))
