"""A file in, measures out: spans, rows, quality, words and warnings."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.drawn_video import draw_video, scene
from understanding import scanning
from understanding.errors import MediaRefused
from understanding.features import ClipFeatures, FeatureExtractor


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> FeatureExtractor:
    return FeatureExtractor(tmp_path_factory.mktemp("cache"))


def _check_shape(clip: ClipFeatures) -> None:
    assert clip.shots[0].start == 0
    assert clip.shots[-1].end == clip.probe.seconds
    assert all(a.end == b.start for a, b in itertools.pairwise(clip.shots))
    for shot in clip.shots:
        assert len(shot.picture) == len(shot.scores) >= 1
        assert shot.picture.shape[1:] == (1280,)
        assert shot.scores.shape[1:] == (1000,)
        assert shot.sound.shape[1:] == (128,)
        assert {shot.picture.dtype, shot.scores.dtype, shot.sound.dtype} == {np.dtype(np.float32)}
        assert np.isfinite(shot.picture).all()
        assert 0 <= shot.quality.score <= 1
        assert -120 <= shot.quality.loudness_db <= 0.1


def test_a_drawn_clip_is_measured_shot_by_shot(extractor: FeatureExtractor, tmp_path: Path) -> None:
    tone = 0.5 * np.sin(np.arange(32000, dtype=np.float32) * 0.2)
    sound = np.concatenate([tone, np.zeros(48000, np.float32)]).astype(np.float32)
    frames = [scene(1) if k < 50 else scene(2) // 16 for k in range(125)]
    clip = extractor.read(draw_video(tmp_path / "v.mkv", frames, sound=sound), title="北风 X5")
    _check_shape(clip)
    light, dark = clip.shots
    assert clip.title == "北风 X5"
    assert (light.start, light.end, dark.end) == (Fraction(0), Fraction(2), Fraction(5))
    assert len(light.sound) == 2
    assert (light.glances.shape, dark.glances.shape) == ((8, 18, 32), (12, 18, 32))
    assert len(dark.sound) == 0
    assert light.quality.luma > 10 * dark.quality.luma
    assert light.quality.loudness_db == pytest.approx(-9, abs=1)
    assert "low-light" in dark.warnings
    assert {"silent", "frozen"} <= set(dark.warnings)
    assert light.warnings == ("frozen",)  # it stands still too, but is neither dark nor silent


def test_motion_is_told_from_stillness(extractor: FeatureExtractor, tmp_path: Path) -> None:
    wide = np.concatenate([scene(k) for k in range(4)], axis=1)
    moving = [np.ascontiguousarray(wide[:, 4 * k : 4 * k + 320]) for k in range(75)]
    moves = extractor.read(draw_video(tmp_path / "moving.mp4", moving)).shots[0]
    still = extractor.read(draw_video(tmp_path / "still.mp4", [scene(1)] * 75)).shots[0]
    assert still.quality.motion < 0.002 < 0.05 < moves.quality.motion
    assert "frozen" in still.warnings
    assert "frozen" not in moves.warnings


def test_blur_is_told_from_sharpness() -> None:
    sharp = scene(3, size=(360, 640))[..., 0]
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 8), np.uint8)
    assert scanning.sharpness(soft) < 0.1 < 0.8 < scanning.sharpness(sharp)


def test_long_clips_keep_few_frames_to_read(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "long.mp4", (scene(k // 40, size=(40, 60)) for k in range(400)), rate=4)
    found = scanning.scan(str(path))
    assert found["rows"].shape == (100, 224, 224, 3)
    assert len(found["luma"]) == 100
    seconds = sorted(second for second, _ in found["looks"])
    assert 6 <= len(seconds) <= scanning.MAX_LOOKS
    assert max(b - a for a, b in itertools.pairwise(seconds)) <= 40


def test_rows_are_the_pictures_in_the_middle_of_each_second(tmp_path: Path) -> None:
    grey = [np.full((48, 64, 3), 10 * (k // 10) + 5 * (k % 10 >= 5), np.uint8) for k in range(35)]
    rows = scanning.scan(str(draw_video(tmp_path / "v.mp4", grey, rate=10)))["rows"]
    assert [round(float(row.mean()) / 5) for row in rows] == [1, 3, 5]


@pytest.mark.media
@pytest.mark.parametrize(
    "name",
    [
        "motorway-tiny-grey-48px-original.avi",
        "parking-overhead-car-and-cyclist.gif",
        "motorway-bend-raw-h264-stream.h264",
        "neg-lamp-rotated-hevc-original.mov",
        "detail-motorbike-plates-in-garage.mp4",
        "motorway-gantry-overhead-original.avi",
    ],
)
def test_odd_real_clips_give_features(media: Path, extractor: FeatureExtractor, name: str) -> None:
    clip = extractor.read(media / "public" / name)
    _check_shape(clip)
    assert sum(len(shot.picture) for shot in clip.shots) >= int(clip.probe.seconds)
    assert not {"decode-errors", "truncated"} & set(clip.probe.warnings)


@pytest.mark.media
def test_words_are_read_and_heard(media: Path, extractor: FeatureExtractor) -> None:
    clip = extractor.read(media / "public" / "neg-text-cards-chinese-portrait.mp4")
    assert "FFCreator" in "".join(shot.burnt_in for shot in clip.shots)
    assert len("".join(shot.speech for shot in clip.shots)) > 20
    assert clip.shots[0].quality.text_area > 0.01


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "warnings"),
    [
        ("bit-errors-scattered.mp4", {"decode-errors"}),
        ("truncated-with-moov.mp4", {"truncated"}),
        ("all-black-and-silent.mp4", {"all-black", "silent"}),
        ("one-frame.mp4", {"no-sound", "short"}),
        ("huge-declared-size.mp4", set()),
        ("interlaced.mp4", {"interlaced", "no-sound"}),
        ("variable-frame-rate.mp4", {"variable-frame-rate", "no-sound"}),
    ],
)
def test_damaged_clips_are_usable_and_say_so(
    media: Path, extractor: FeatureExtractor, name: str, warnings: set[str]
) -> None:
    clip = extractor.read(media / "broken" / name)
    _check_shape(clip)
    assert warnings == {*clip.probe.warnings, *(warning for shot in clip.shots for warning in shot.warnings)}
    if "all-black" in warnings:
        assert clip.shots[0].quality.score == 0


@pytest.mark.media
def test_a_truncated_clip_ends_where_its_pictures_end(media: Path, extractor: FeatureExtractor) -> None:
    clip = extractor.read(media / "broken" / "truncated-with-moov.mp4")
    assert clip.probe.seconds < Fraction(14, 3)
    assert clip.shots[-1].end == clip.probe.seconds


def test_refusals_pass_through(extractor: FeatureExtractor, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(MediaRefused) as caught:
        extractor.read(tmp_path / "empty.mp4")
    assert caught.value.code == "empty-file"
