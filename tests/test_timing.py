"""Cuts on beats: whole beats from scene to scene whatever is left out, and the drum is heard where shots change."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from factory.plan.assemble import Look, assemble, slots
from factory.plan.storyboard import Storyboard, read_storyboard
from factory.plan.timeline import Canvas, Timeline
from factory.plan.timeline_json import from_json, to_json
from factory.plan.timing import moved_to_beats, on_beats, time_scenes
from factory.render.music import beat_times, frames_a_beat, write_music
from factory.render.music_styles import STYLES
from tests.test_assemble import LIBRARY, TAGS, choose, voice

FPS = Fraction(30)
CANVAS = Canvas(320, 180)
STORY = """
version: 1
template: test
title: Beats
locale: en-US
audio: {music: {style: drive, cut: beats}}
scenes:
  - id: hook
    duration: 2.6
    layers: [{type: clip, query: {tags_all: [exterior]}}]
    transition: {name: fade, duration: 0.5}
  - id: spoken
    voice: {text: "This is the first sentence. And here is the second one."}
    layers: [{type: clip, query: {tags_all: [exterior]}, pick: {shots: 2}}]
  - id: perhaps
    optional: true
    duration: 4.5
    layers: [{type: clip, query: {tags_all: [interior]}}]
    transition: {name: wipeleft, duration: 0.4}
  - id: long
    duration: 14
    layers: [{type: clip, query: {tags_all: [exterior]}}]
  - id: closing
    duration: 3
    layers: [{type: color, color: "#101418"}]
"""


def story() -> Storyboard:
    return read_storyboard(STORY, "test")


def made(beat: int, without: frozenset[str] = frozenset(), seconds: str = "1.7") -> Timeline:
    spoken = voice(story(), seconds)
    choices = choose(slots(story(), spoken, fps=FPS, resolve=TAGS.get, beat=beat), LIBRARY)
    kept = [choice for choice in choices if choice.slot.scene not in without]
    return assemble(story(), spoken, kept, canvas=CANVAS, look=Look(beat=beat))


def cuts(timeline: Timeline) -> list[int]:
    """Return the program frames at which another shot begins."""
    starts = timeline.scene_starts()
    return sorted(
        {begins + layer.start for scene, begins in zip(timeline.scenes, starts, strict=True) for layer in scene.layers}
    )


@pytest.mark.parametrize(
    ("frames", "overlap", "least", "expected"),
    [(78, 0, 0, 75), (78, 15, 30, 75), (60, 0, 60, 60), (61, 0, 61, 75), (67, 0, 67, 75), (5, 0, 0, 15)],
)
def test_a_length_goes_to_the_nearest_beat_but_never_under_its_least(
    frames: int, overlap: int, least: int, expected: int
) -> None:
    assert on_beats(frames, overlap, least, 15) == expected


@pytest.mark.parametrize("beat", [11, 14, 15, 16, 22, 26])
@pytest.mark.parametrize("seconds", ["1.13", "1.7", "2.9"])
def test_every_shot_begins_on_a_beat_whatever_is_left_out(beat: int, seconds: str) -> None:
    for without in (frozenset[str](), frozenset({"perhaps"})):
        timeline = made(beat, without, seconds)
        assert all(cut % beat == 0 for cut in cuts(timeline))
        for start, end in pairwise(cuts(timeline)):
            assert 30 <= end - start <= 6 * 30 + beat
    free = made(0, seconds=seconds)
    for plain, cut in zip(free.scenes, made(beat, seconds=seconds).scenes, strict=True):
        spoken = max((line.start + line.speech.seconds * FPS for line in cut.lines), default=0)
        assert cut.frames >= spoken
        assert cut.lines == plain.lines
        assert abs(cut.frames - plain.frames) <= beat


def test_free_cuts_keep_the_lengths_that_are_asked_for() -> None:
    frames = {timing.scene.id: timing.frames for timing in time_scenes(story(), voice(story()), FPS)}
    assert (frames["hook"], frames["perhaps"], frames["long"], frames["closing"]) == (78, 135, 420, 90)
    music = made(0).music
    assert music
    assert music.beat == 0


def test_the_trace_says_what_was_moved() -> None:
    told = moved_to_beats(story(), voice(story()), FPS, 16)
    assert (told["frames_a_beat"], told["beats_a_minute"]) == (16, 112.5)
    moved = {scene["scene"]: scene for scene in told["scenes"]}
    assert moved["hook"]["without"] == {"seconds": 2.6, "cuts": []}
    assert moved["hook"]["with"]["seconds"] == pytest.approx((15 + 4 * 16) / 30, abs=0.001)
    assert len(moved["long"]["with"]["cuts"]) == 2


def test_a_timeline_keeps_its_beat_and_an_older_one_has_none() -> None:
    timeline = made(16)
    assert from_json(to_json(timeline)) == timeline
    older = to_json(timeline).replace(',\n  "beat": 16', "")
    assert "beat" not in older
    music = from_json(older).music
    assert music
    assert music.beat == 0


# heard


@pytest.mark.parametrize("style", sorted(STYLES))
def test_the_music_keeps_the_beat_and_still_ends_itself(style: str) -> None:
    for seed, seconds in ((1, 24.0), (2, 41.7), (3, 9.3)):
        frames = frames_a_beat(style, seed, FPS)
        low, high = STYLES[style].tempo
        assert low * 0.97 <= 60 * FPS / frames <= high * 1.03
        beats = beat_times(style, seed, seconds, frames / 30)
        assert np.allclose(np.diff(beats), frames / 30, atol=2e-6)
        assert 0.5 * min(STYLES[style].tail, 0.35 * seconds) <= seconds - beats[-1] <= STYLES[style].tail + 4


def kicks(path: Path) -> NDArray[np.float64]:
    """Return the seconds at which the level below 120 Hz jumps: a drum's attack, to two milliseconds."""
    sound, rate = soundfile.read(path)
    low = sosfilt(butter(4, 120, fs=rate, output="sos"), sound.mean(axis=1))
    step = rate // 500
    level = np.sqrt((low[: len(low) // step * step].reshape(-1, step) ** 2).mean(axis=1))
    rise = np.maximum(level[5:] - level[:-5], 0)
    peaks = [n for n in range(10, len(rise) - 10) if rise[n] == rise[n - 10 : n + 11].max() > 0.25 * rise.max()]
    seconds: NDArray[np.float64] = np.array(peaks) * (step / rate)
    return seconds


def test_shots_change_where_the_drum_is_heard(tmp_path: Path) -> None:
    beat = frames_a_beat("drive", 1, FPS)
    timeline = made(beat)
    seconds = float(timeline.seconds)
    write_music(tmp_path / "x.wav", style="drive", seed=1, seconds=seconds, beat=beat / 30)
    heard = kicks(tmp_path / "x.wav")
    places = [cut / 30 for cut in cuts(timeline) if 0 < cut / 30 < seconds - 3]
    off = [float(np.abs(heard - place).min()) for place in places]
    assert len(places) >= 5
    assert np.median(off) < 0.5 / 30
    free = [float(np.abs(heard - cut / 30).min()) for cut in cuts(made(0)) if 0 < cut / 30 < seconds - 3]
    assert np.median(free) > 0.5 / 30
