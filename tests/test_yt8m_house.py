"""Our own features written as YouTube-8M records and read back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from understanding.features import FeatureExtractor, ShotFeatures
from understanding.sound_rows import sound_rows
from understanding.tagged import ShotQuality
from understanding.yt8m import house
from understanding.yt8m.examples import Segment, encode_frames
from understanding.yt8m.records import write_records
from understanding.yt8m.shards import read_frames


def a_shot(picture: np.ndarray, sound: np.ndarray) -> ShotFeatures:
    scores = np.zeros((len(picture), 1000), np.float32)
    quality = ShotQuality(luma=0.5, sharpness=0.5, motion=0.0, text_area=0.0, loudness_db=-20.0)
    return ShotFeatures(Fraction(0), Fraction(len(picture)), picture, scores, sound, "", "", quality)


def written_and_read(shot: ShotFeatures, folder: Path, **more: object) -> tuple[np.ndarray, np.ndarray]:
    record = house.example("clip-1", shot, (3, 1), **more)  # type: ignore[arg-type]  # passed on by name
    write_records(folder / "own.tfrecord", [encode_frames(record)])
    (found,) = read_frames(folder / "own.tfrecord")
    assert found.labels.tolist() == [1, 3]
    return house.rows(found)


def sounds() -> dict[str, np.ndarray]:
    """Five seconds of the loudest and the faintest that there are."""
    rng, time = np.random.default_rng(0), np.arange(80_000) / 16_000
    return {
        "noise": rng.uniform(-1, 1, 80_000).astype(np.float32),
        "tone": np.sin(2 * np.pi * 440 * time).astype(np.float32),
        "square": np.sign(np.sin(2 * np.pi * 3000 * time)).astype(np.float32),
        "faint": (rng.uniform(-1, 1, 80_000) * 2e-4).astype(np.float32),
        "clicks": np.where(np.arange(80_000) % 8000 == 0, 1, 0).astype(np.float32),
    }


@pytest.mark.parametrize("kind", sounds())
def test_sounds_come_back_within_half_a_step(kind: str, tmp_path: Path) -> None:
    sound = sound_rows(sounds()[kind])
    picture = np.random.default_rng(1).uniform(0, 6, (5, 1280)).astype(np.float32)
    shown, heard = written_and_read(a_shot(picture, sound), tmp_path)
    assert np.abs(shown - picture).max() <= 6 / 255 / 2 + 1e-5
    assert np.abs(heard - sound).max() <= 10.7 / 255 / 2


def test_the_shorter_stream_says_how_many_seconds(tmp_path: Path) -> None:
    picture, sound = np.ones((400, 1280), np.float32), np.ones((299, 128), np.float32)
    assert [len(stream) for stream in written_and_read(a_shot(picture, sound), tmp_path)] == [299, 299]
    assert [len(stream) for stream in written_and_read(a_shot(picture, sound[:0]), tmp_path)] == [300, 0]


def test_ratings_are_kept(tmp_path: Path) -> None:
    record = house.example("x", a_shot(np.ones((6, 1280), np.float32), np.ones((6, 128), np.float32)), ())
    rated = house.example("x", a_shot(*house.rows(record)), (), [Segment(7, 0, 5, 1.0)])
    write_records(tmp_path / "own.tfrecord", [encode_frames(rated)])
    assert next(read_frames(tmp_path / "own.tfrecord")).segments == (Segment(7, 0, 5, 1.0),)


def test_a_real_clip_comes_back(media: Path, tmp_path: Path) -> None:
    extractor = FeatureExtractor(tmp_path / "cache")
    clip = sorted((media / "public").glob("accident*.mp4"))[0]
    for shot in extractor.read(clip).shots:
        shown, heard = written_and_read(shot, tmp_path)
        assert np.abs(shown - shot.picture[: len(shown)]).max() <= 6 / 255
        assert len(heard) == 0 or np.abs(heard - shot.sound[: len(heard)]).max() <= 10.7 / 255
