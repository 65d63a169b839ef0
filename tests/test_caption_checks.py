"""Captions that a delivery check would send back are told, and those of the guides are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from factory.brief_set.caption_checks import Shown, caption_faults, read_srt
from factory.plan.brief import Aspect

GOOD = Shown(1.0, 3.0, ("Voyage W, 9,736 units.",))


def faults(*cues: Shown, aspect: Aspect = "16:9") -> list[str]:
    return list(caption_faults(cues, aspect))


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:03,000\nOne\nTwo\n\n2\n00:01:03,500 --> 00:01:05,000\n三\n", "utf-8")
    assert read_srt(path) == (Shown(1.0, 3.0, ("One", "Two")), Shown(63.5, 65.0, ("三",)))


def test_good_captions_have_no_faults() -> None:
    assert not faults(GOOD, Shown(3.1, 5.0, ("第3名，流明 S，", "销量一万四千辆。")))


@pytest.mark.parametrize(
    ("cue", "what"),
    [
        (Shown(1, 3, ("a", "b", "c")), "3 lines"),
        (Shown(1, 6, ("x" * 43,)), "too long"),
        (Shown(1, 6, ("字" * 17,)), "too long"),
        (Shown(1, 1.5, ("Mud.",)), "stands 0.50 s"),
        (Shown(1, 9, ("Mud.",)), "stands 8.00 s"),
        (Shown(1, 2, ("x" * 21,)), "too fast"),
    ],
)
def test_a_bad_caption_is_told(cue: Shown, what: str) -> None:
    assert [fault for fault in faults(cue) if what in fault]


def test_narrow_pictures_take_shorter_lines() -> None:
    assert faults(Shown(1, 4, ("x" * 30,)), aspect="9:16")
    assert not faults(Shown(1, 4, ("x" * 30,)))


def test_a_line_that_is_drawn_too_wide_leaves_the_safe_area() -> None:
    assert [fault for fault in caption_faults([GOOD], "16:9", lambda line: len(line) / 20) if "safe area" in fault]
    assert not list(caption_faults([GOOD], "16:9", lambda line: len(line) / 42))


def test_captions_keep_two_frames_apart() -> None:
    assert ["apart" in fault for fault in faults(GOOD, Shown(3.03, 5, ("Mud.",)))] == [True]
