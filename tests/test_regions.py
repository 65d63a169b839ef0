"""Burnt-in regions: subtitles, clocks and logos by their words, marks by outlines that stay, and what is none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.drawn_video import scene
from understanding.burnt_in import Line
from understanding.features import FeatureExtractor
from understanding.regions import Look, is_subtitle, regions_of, steady_marks
from understanding.tagged import Box, Region

LOW, LOWER_RIGHT, TOP = Box(0.3, 0.85, 0.7, 0.92), Box(0.8, 0.88, 0.95, 0.93), Box(0.05, 0.04, 0.2, 0.1)
NO_ROWS = np.zeros((1, 224, 224, 3), np.uint8)


def looks(*said: tuple[int, str, Box]) -> list[Look]:
    return [Look(shot, (Line(text, box),)) for shot, text, box in said]


def kinds(found: list[tuple[Region, ...]]) -> list[list[str]]:
    return [[region.kind for region in regions] for regions in found]


def test_words_that_change_in_one_place_are_a_subtitle_of_the_whole_clip() -> None:
    wider = Box(0.2, 0.86, 0.8, 0.93)
    read = looks((0, "Take the second road.", LOW), (2, "It never rains here, they say.", wider))
    found = regions_of(read, NO_ROWS, 3)
    assert found == [(Region("subtitle", Box(0.2, 0.85, 0.8, 0.93)),)] * 3


def test_one_line_is_a_subtitle_of_its_shot() -> None:
    assert kinds(regions_of(looks((1, "省去了许多胡思乱想", LOW)), NO_ROWS, 2)) == [[], ["subtitle"]]


@pytest.mark.parametrize(
    ("text", "box"),
    [("LS15 EBC", LOW), ("京A12345", LOW), ("Take the second road.", TOP), ("Take the second road.", LOWER_RIGHT)],
)
def test_plates_and_signs_are_no_subtitles(text: str, box: Box) -> None:
    assert not is_subtitle(Line(text, box))


def test_a_clock_at_the_edge_is_a_timestamp_of_the_whole_clip() -> None:
    read = looks((0, "2016-05-05 05:19:19", LOWER_RIGHT), (1, "", TOP))
    assert kinds(regions_of(read, NO_ROWS, 2)) == [["timestamp"], ["timestamp"]]
    assert regions_of(looks((0, "12:30", Box(0.4, 0.45, 0.6, 0.55))), NO_ROWS, 1) == [()]


def test_words_that_stay_at_an_edge_are_a_logo() -> None:
    agency, other = "Ministerio de", "Minlsterio de"
    assert kinds(regions_of(looks((0, agency, TOP), (0, other, TOP), (1, "", LOW)), NO_ROWS, 2)) == [["logo"]] * 2
    assert regions_of(looks((0, agency, TOP), (0, "", TOP)), NO_ROWS, 1) == [()]
    moved = Box(0.5, 0.04, 0.65, 0.1)
    assert regions_of(looks((0, agency, TOP), (0, agency, moved)), NO_ROWS, 1) == [()]


def drifting(count: int, *, mark: bool, step: int = 12) -> NDArray[np.uint8]:
    """Pictures of a camera that pans, with or without letters in the lower left corner."""
    wide = np.concatenate([scene(k, size=(224, 224)) for k in range(3)], axis=1)
    rows = np.stack([wide[:, step * k : step * k + 224].copy() for k in range(count)])
    for row in rows if mark else ():
        cv2.putText(row, "TERRA", (10, 208), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
    return rows


def test_a_mark_that_stays_while_all_else_moves_is_a_logo() -> None:
    (region,) = steady_marks(drifting(12, mark=True))
    assert region.kind == "logo"
    assert 0.0 <= region.box.left < 0.1
    assert 0.2 < region.box.right < 0.4
    assert region.box.top > 0.8
    assert steady_marks(drifting(12, mark=False)) == []


def test_a_still_camera_and_a_short_clip_tell_no_marks() -> None:
    assert steady_marks(drifting(12, mark=True, step=0)) == []
    assert steady_marks(drifting(3, mark=True)) == []


def test_a_real_clock_caption_and_watermark_are_found(media: Path, tmp_path: Path) -> None:
    extractor = FeatureExtractor(tmp_path)
    wanted = {
        "dusty-junction-cctv-bus-motorbikes.mp4": ["timestamp", "logo"],
        "mesa-country-road-pov.mp4": ["logo"],
        "neg-text-cards-chinese-portrait.mp4": ["subtitle", "logo", "logo"],
        "exterior-dark-coupe-front-approach.mp4": [],
    }
    for name, kinds_wanted in wanted.items():
        shot = extractor.read(media / "public" / name).shots[0]
        assert [region.kind for region in shot.regions] == kinds_wanted, name
        assert all(0 <= region.box.left < region.box.right <= 1 for region in shot.regions)
