"""What came twice: in one video, in one series, by shot, by twin, by the same stretch of a file."""

from __future__ import annotations

from factory.brief_set.placements import Placed, placed_in, repeats, series_breaks


def shown(video: str, shot: int, *, asset: str = "", start: float = 0.0, series: str = "s") -> Placed:
    return Placed(video, series, f"scene-{shot}", shot, asset or f"file-{shot}", start, start + 3, "traffic")


def test_a_shot_that_comes_twice_in_a_video_is_found() -> None:
    one, other = shown("a", 1), shown("a", 1, start=5)
    assert repeats([one, shown("a", 2), other], {}) == ((one, other),)
    assert not series_breaks([one, other], {})


def test_twins_and_overlapping_stretches_are_the_same() -> None:
    assert repeats([shown("a", 1), shown("a", 2)], {1: 1, 2: 1})
    assert repeats([shown("a", 1, asset="f", start=0), shown("a", 2, asset="f", start=2)], {})
    assert not repeats([shown("a", 1, asset="f", start=0), shown("a", 2, asset="f", start=3)], {})


def test_a_series_shows_nothing_twice_and_two_series_may() -> None:
    one, same, elsewhere = shown("a", 1), shown("b", 1), shown("c", 1, series="t")
    assert series_breaks([one, same, elsewhere], {}) == ((one, same),)
    assert not repeats([one, same, elsewhere], {})


def test_placements_are_read_from_a_trace() -> None:
    shot = {"scene": "hook", "shot": 7, "asset": "f", "in": 1.5, "out": 4.0, "query": "traffic"}
    assert placed_in({"shots": [shot]}, "a", "s") == (Placed("a", "s", "hook", 7, "f", 1.5, 4.0, "traffic"),)
