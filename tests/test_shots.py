"""Shots cover a file exactly; cuts and fades are found where they are."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn_video import b_frames, draw_video, scene
from understanding.media import probe
from understanding.shots import LONGEST, SHORTEST, spans, split

seconds = st.fractions(min_value=Fraction(1, 30), max_value=200, max_denominator=30000)


@settings(max_examples=200, deadline=None)
@given(cuts=st.lists(seconds, max_size=30), length=seconds)
def test_spans_cover_the_file_without_gap_or_overlap(cuts: list[Fraction], length: Fraction) -> None:
    found = spans(cuts, length)
    assert found[0][0] == 0
    assert found[-1][1] == length
    assert all(a[1] == b[0] for a, b in itertools.pairwise(found))
    assert all(end - start <= LONGEST * 4 / 3 for start, end in found)
    if length >= SHORTEST:
        assert all(end - start >= SHORTEST for start, end in found)


def test_short_pieces_join_the_one_before() -> None:
    cuts = [Fraction(3), Fraction(7, 2), Fraction(6), Fraction(95, 10)]
    assert spans(cuts, Fraction(10)) == [
        (Fraction(0), Fraction(3)),
        (Fraction(3), Fraction(6)),
        (Fraction(6), Fraction(10)),
    ]


def test_a_long_still_shot_gives_several() -> None:
    assert spans([], Fraction(30)) == [(Fraction(10 * k), Fraction(10 * k + 10)) for k in range(3)]
    assert len(spans([], Fraction(14))) == 1


def test_cuts_are_found_to_the_frame(tmp_path: Path) -> None:
    frames = [scene(k // 50) for k in range(200)]
    found = split(draw_video(tmp_path / "v.mp4", frames))
    assert found == [(Fraction(2 * k), Fraction(2 * k + 2)) for k in range(4)]


def test_cut_times_stay_exact_at_a_varying_rate(tmp_path: Path) -> None:
    times = list(itertools.accumulate([0] + [30, 70] * 60))
    frames = [scene(0) if at < 3000 else scene(1) for at in times]
    path = draw_video(tmp_path / "v.mkv", frames, times=times)
    assert split(path) == [(Fraction(0), Fraction(3)), (Fraction(3), probe(path).seconds)]


def test_a_fade_through_black_parts_two_shots(tmp_path: Path) -> None:
    light = np.concatenate([np.ones(60), np.linspace(1, 0, 30), np.linspace(0, 1, 30), np.ones(60)])
    frames = [(scene(0 if k < 90 else 1) * level).astype(np.uint8) for k, level in enumerate(light)]
    found = split(draw_video(tmp_path / "v.mp4", frames))
    assert len(found) == 2
    assert abs(found[0][1] - Fraction(90, 25)) < Fraction(1, 2)


def test_a_night_drive_does_not_fade(tmp_path: Path) -> None:
    frames = [np.full((90, 160, 3), 2, np.uint8) for _ in range(100)]
    for k, frame in enumerate(frames):  # its mean crosses 12 of 255 again and again as a lamp passes
        frame[40:50, 80:90] = 250
        frame[60:90, :] = 30 if k // 20 % 2 else 10
    assert len(split(draw_video(tmp_path / "v.mp4", frames))) == 1


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_cut_among_pictures_that_are_passed_over_is_found_to_the_frame(tmp_path: Path, after: int) -> None:
    frames = [scene(0 if k < 50 + after else 1) for k in range(100)]
    path = b_frames(tmp_path / "v.mp4", frames)
    assert split(path)[0] == (Fraction(0), Fraction(50 + after, 25))
    assert split(path)[-1][1] == Fraction(4)


def test_fast_motion_is_no_cut(tmp_path: Path) -> None:
    wide = np.concatenate([scene(k) for k in range(6)], axis=1)
    frames = [np.ascontiguousarray(wide[:, 8 * k : 8 * k + 320]) for k in range(150)]
    assert len(split(draw_video(tmp_path / "v.mp4", frames))) == 1


@pytest.mark.media
def test_a_slide_show_is_cut_at_each_slide(media: Path) -> None:
    path = media / "public" / "neg-photo-slideshow-animals.mp4"
    found = split(path)
    assert len(found) == 10
    assert found[-1][1] == probe(path).seconds
