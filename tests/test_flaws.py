"""Stretches with something wrong are found where they are, and only there."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.drawn_video import draw_video, scene
from understanding import flaws, scanning
from understanding.bars import Area
from understanding.features import Scan
from understanding.flaws import Flaw, mostly, stretches, within

SHIFT = 3  # pixels a picture that the camera pans


def _scan(path: Path) -> Scan:
    return Scan(**scanning.scan(str(path)))


def _pan(
    seconds: int, *, size: tuple[int, int] = (180, 320), shake: float = 0, seed: int = 0
) -> list[NDArray[np.uint8]]:
    """A steady pan over a wide scene at 25 pictures a second, jumping about by `shake` pixels (deviation)."""
    wide = scene(seed, size=(size[0] + 80, size[1] + SHIFT * 25 * seconds + 160))
    random = np.random.default_rng(seed)
    off = np.clip(random.normal(0, shake, (25 * seconds, 2)), -40, 40).astype(int) + 40
    return [
        np.ascontiguousarray(wide[y : y + size[0], SHIFT * k + x : SHIFT * k + x + size[1]])
        for k, (x, y) in enumerate(off)
    ]


def _named(scan: Scan) -> dict[str, list[tuple[float, float]]]:
    ordered = sorted(scan.flaws(), key=lambda flaw: flaw.name)
    return {
        name: [(float(flaw.start), float(flaw.end)) for flaw in group]
        for name, group in itertools.groupby(ordered, key=lambda flaw: flaw.name)
    }


def test_a_steady_pan_has_no_flaw(tmp_path: Path) -> None:
    assert _named(_scan(draw_video(tmp_path / "v.mp4", _pan(6)))) == {}


def test_a_shaking_hand_is_told_from_a_steady_pan(tmp_path: Path) -> None:
    frames = _pan(5) + _pan(6, shake=7)
    found = _named(_scan(draw_video(tmp_path / "v.mp4", frames)))["shaky"]
    assert found[0][0] >= 4
    assert sum(end - start for start, end in found) > 3


def test_black_and_frozen_stretches_inside_a_clip_are_found(tmp_path: Path) -> None:
    moving = _pan(3)
    frames = moving + [np.zeros_like(moving[0])] * 50 + moving + [moving[-1]] * 100
    found = _named(_scan(draw_video(tmp_path / "v.mp4", frames)))
    assert found["black"] == [pytest.approx((3, 5), abs=0.6)]
    assert found["frozen"] == [pytest.approx((8, 12), abs=0.6)]
    assert set(found) == {"black", "frozen"}


def test_dark_stretches_are_found(tmp_path: Path) -> None:
    frames = _pan(3) + [frame // 16 for frame in _pan(3)] + _pan(3)
    found = _named(_scan(draw_video(tmp_path / "v.mp4", frames)))
    assert found["low-light"] == [(3, 6)]


def test_woven_fields_are_found(tmp_path: Path) -> None:
    frames = _pan(8, size=(360, 640))
    woven = [frame.copy() for frame in frames[: 4 * 25]]
    for place, frame in enumerate(woven):
        frame[::2] = frames[place + 2][::2]
    path = draw_video(tmp_path / "v.mp4", woven + frames[4 * 25 :])
    assert _named(_scan(path))["interlaced"] == [(0, 4)]


def test_bars_are_measured_over_the_clip(tmp_path: Path) -> None:
    frames = [np.pad(frame, ((38, 38), (0, 0), (0, 0))) for frame in _pan(3)]
    assert _scan(draw_video(tmp_path / "v.mp4", frames)).shown_area == Area(0, 38, 320, 218)


def test_runs_shorter_than_an_editor_minds_are_left_out() -> None:
    wrong = np.array([0, 1, 1, 1, 0, 1, 1, 1, 1], bool)
    assert list(stretches("frozen", wrong, 2)) == [Flaw("frozen", Fraction(5, 2), Fraction(9, 2))]
    assert list(stretches("frozen", np.zeros(0, bool), 2)) == []


def test_flaws_are_cut_to_the_shot() -> None:
    flaw = Flaw("black", Fraction(2), Fraction(8))
    assert within([flaw], Fraction(5), Fraction(20)) == (Flaw("black", Fraction(5), Fraction(8)),)
    assert within([flaw], Fraction(15, 2), Fraction(20)) == ()
    assert mostly([flaw], "black", Fraction(10))
    assert not mostly([flaw], "black", Fraction(12))
    assert not mostly([flaw], "frozen", Fraction(1))


def test_slides_neither_freeze_nor_shake(tmp_path: Path) -> None:
    frames = [scene(k // 25) for k in range(250)]
    assert _named(_scan(draw_video(tmp_path / "v.mp4", frames))) == {}


def test_holes_in_the_cameras_rows_do_not_shake() -> None:
    rows = np.full((8, 5), np.nan, np.float32)
    assert not flaws.shaky(rows).any()
    for count in range(5):
        assert flaws.shaky(rows[:count]).shape == (count,)
