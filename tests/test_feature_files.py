"""Features are measured once for each content, come back as they were, and damage costs only time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.test_tagger import clip, shot
from understanding.errors import MediaRefused
from understanding.feature_files import KeptFeatures, load, save
from understanding.features import ClipFeatures
from understanding.picture_rows import PictureNet
from understanding.sound_backbone import LogMel
from understanding.tagged import Box, CameraMotion, Region

MARKS = (Region("logo", Box(0.1, 0.05, 0.2, 0.125)),)
MOVES = CameraMotion(forward=0.5, static=0.0, pan=-0.25, shake=1.0)


class Counting:
    """A reader that counts what it is asked."""

    version = "7"
    picture = PictureNet(Path())
    sound = LogMel()

    def __init__(self) -> None:
        self.read_files: list[str] = []

    def read(self, path: Path, *, title: str = "") -> ClipFeatures:
        if not path.is_file():
            raise MediaRefused("not-a-file", "there is no such file", next_step="name one")
        self.read_files.append(path.name)
        return sample()


def sample() -> ClipFeatures:
    seen = {"camera": MOVES, "face": 0.75, "regions": MARKS, "burnt_in": "京A·12345", "warnings": ("blurred",)}
    first = replace(shot(3, {5: 0.5}), **seen, start=Fraction(1, 3))  # type: ignore[arg-type]  # fields by name
    first = replace(first, glances=np.arange(2 * 18 * 32, dtype=np.uint8).reshape(2, 18, 32))
    return clip(first, shot(2, {}, start=3, sound=False), title="标题", warnings=("low-res",))


def test_what_is_saved_comes_back_in_halves(tmp_path: Path) -> None:
    made = sample()
    save(tmp_path / "a.npz", made)
    back = load(tmp_path / "a.npz")
    assert (back.probe, back.title) == (made.probe, made.title)
    for one, two in zip(back.shots, made.shots, strict=True):
        for name in ("start", "end", "burnt_in", "speech", "quality", "warnings", "camera", "face", "regions"):
            assert getattr(one, name) == getattr(two, name)
        np.testing.assert_array_equal(one.glances, two.glances)
        for name in ("picture", "scores", "sound"):
            kept, whole = getattr(one, name), getattr(two, name)
            assert kept.dtype == np.float32
            assert kept.shape == whole.shape
            np.testing.assert_allclose(kept, whole, rtol=1e-3, atol=1e-5)


def test_equal_bytes_are_read_once_under_any_name(tmp_path: Path) -> None:
    for name, content in (("a.mp4", b"one"), ("b.mp4", b"one"), ("c.mp4", b"two")):
        (tmp_path / name).write_bytes(content)
    reader = Counting()
    kept = KeptFeatures(reader, tmp_path / "kept")
    answers = [kept.read(tmp_path / name) for name in ("a.mp4", "b.mp4", "a.mp4", "c.mp4")]
    assert reader.read_files == ["a.mp4", "c.mp4"]
    np.testing.assert_array_equal(answers[0].shots[0].picture, answers[2].shots[0].picture)  # fresh and kept are equal
    assert kept.version == "7"


def test_a_new_version_reads_again_and_damage_is_mended(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"one")
    reader = Counting()
    KeptFeatures(reader, tmp_path / "kept").read(tmp_path / "a.mp4")
    reader.version = "8"
    kept = KeptFeatures(reader, tmp_path / "kept")
    kept.read(tmp_path / "a.mp4")
    assert len(reader.read_files) == 2
    (file,) = (tmp_path / "kept" / "8").rglob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    kept.read(tmp_path / "a.mp4")
    kept.read(tmp_path / "a.mp4")
    assert len(reader.read_files) == 4  # damaged: once for the answer, once to keep it again


def test_refusals_and_links_go_to_the_reader(tmp_path: Path) -> None:
    kept = KeptFeatures(Counting(), tmp_path / "kept")
    with pytest.raises(MediaRefused, match="no such file"):
        kept.read(tmp_path / "none.mp4")
    assert not list((tmp_path / "kept").rglob("*.npz"))
