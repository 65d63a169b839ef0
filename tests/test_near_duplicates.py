"""Copies are told from look-alikes by what moves: on moving pictures drawn here, and on real clips."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as drawn
from numpy.typing import NDArray

from understanding import media as reading
from understanding import scanning
from understanding.glances import GLANCES_A_SECOND, HEIGHT, WIDTH, Glances, no_glances, pack, unpack
from understanding.near_duplicates import SKETCH, Moves, Same, compare, moves_of, sketch

Film = NDArray[np.uint8]  # (G, 180, 320) grey, four a second


def street(seed: int, seconds: float = 8, *, background: int = 0) -> Film:
    """Cars (blocks of one grey) that pass at their own times, lanes and speeds before a still background."""
    still = np.random.default_rng(background).integers(60, 180, (9, 16), dtype=np.uint8).repeat(20, 0).repeat(20, 1)
    random = np.random.default_rng(1000 + seed)
    film = np.repeat(still[None], round(seconds * GLANCES_A_SECOND), axis=0)
    for lane in range(8):
        begins, speed, grey = random.uniform(-8, 4), random.uniform(15, 45), random.choice((5, 250))
        top, size = 20 * lane + 15, int(random.integers(15, 50))
        for k, picture in enumerate(film):
            left = int(speed * (k / 2 - begins)) % 420 - size
            picture[top : top + 18, max(0, left) : max(0, left + size)] = grey
    return film


def glances(film: Film) -> Glances:
    return np.stack([cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for picture in film])


def moves(film: Film) -> Moves:
    return moves_of(glances(film))


def cropped(film: Film, share: float, across: float, down: float) -> Film:
    high, wide = (round(side * share) for side in film.shape[1:])
    top, left = round(down * (film.shape[1] - high)), round(across * (film.shape[2] - wide))
    return film[:, top : top + high, left : left + wide]


def brightened(film: Film) -> Film:
    return np.clip(255 * (film / 255) ** 0.8 * 1.15 + 10, 0, 255).astype(np.uint8)


def noisy(film: Film) -> Film:
    noise = np.random.default_rng(5).normal(0, 12, film.shape)
    return np.clip(film + noise, 0, 255).astype(np.uint8)


def with_logo(film: Film) -> Film:
    marked = film.copy()
    marked[:, 10:40, 20:90] = 240
    return marked


@pytest.mark.parametrize(
    "copied",
    [
        pytest.param(noisy, id="re-encoded"),
        pytest.param(brightened, id="brightened"),
        pytest.param(with_logo, id="with a logo"),
        pytest.param(lambda film: cropped(film, 0.9, 0.5, 0.5), id="cropped by 10 %"),
        pytest.param(lambda film: cropped(film, 0.85, 0.8, 0.2), id="cropped by 15 %"),
        pytest.param(lambda film: cropped(brightened(noisy(film)), 0.88, 0.0, 1.0), id="all at once"),
    ],
)
def test_a_copy_is_found_from_both_sides(copied: object) -> None:
    film = street(1)
    assert callable(copied)
    one, two = moves(film), moves(copied(film))
    for same in (compare(one, two), compare(two, one)):
        assert same is not None
        assert same == Same(same.likeness, Fraction(8), Fraction(0), mirrored=False)


def test_a_shortened_copy_is_found_at_its_place() -> None:
    film = street(2)
    same = compare(moves(film), moves(noisy(film[14:26])))
    assert same is not None
    assert (same.shift, same.seconds) == (Fraction(14, 4), Fraction(3))
    assert compare(moves(film[14:26]), moves(film)) == Same(1.0, Fraction(3), Fraction(-14, 4))


def test_two_parts_of_one_take_are_the_same_only_where_they_overlap() -> None:
    film = street(3, 16)
    overlapping = compare(moves(film[:40]), moves(film[28:]))
    assert overlapping is not None
    assert (overlapping.shift, overlapping.seconds) == (Fraction(7), Fraction(3))
    assert compare(moves(film[:32]), moves(film[32:])) is None


def test_a_mirrored_copy_is_found_and_named() -> None:
    film = street(4)
    same = compare(moves(film), moves(film[:, :, ::-1]))
    assert same is not None
    assert same.mirrored


@pytest.mark.parametrize("pair", [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12)])
def test_a_fixed_camera_at_another_time_is_another_shot(pair: tuple[int, int]) -> None:
    one, two = (street(seed, background=7) for seed in pair)
    assert np.corrcoef(one.mean(0).ravel(), two.mean(0).ravel())[0, 1] > 0.8  # the background is equal
    assert compare(moves(one), moves(two)) is None


def test_black_blank_and_frozen_pictures_say_nothing() -> None:
    black, blank = np.full((24, 180, 320), 3, np.uint8), np.full((24, 180, 320), 128, np.uint8)
    frozen = np.repeat(street(1)[:1], 24, axis=0)
    for still in (black, blank, frozen, noisy(frozen)):
        assert compare(moves(still), moves(still)) is None


def test_a_black_start_is_no_duplicate_and_hides_none() -> None:
    black = np.full((12, 180, 320), 2, np.uint8)
    one, two = (np.concatenate([black, street(seed)]) for seed in (5, 6))
    assert compare(moves(one), moves(two)) is None
    same = compare(moves(one), moves(street(5)))
    assert same is not None
    assert same.shift == 3


def test_a_fade_from_black_over_the_same_background_is_no_duplicate() -> None:
    rise = np.linspace(0, 1, 12)[:, None, None]
    one, two = street(7), street(8)
    for film in (one, two):
        film[:12] = (film[:12] * rise).astype(np.uint8)
    assert compare(moves(one), moves(two)) is None


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_too_little_to_be_sure_is_no_duplicate(count: int) -> None:
    film = street(1)[:count] if count else no_glances()
    few = moves_of(glances(film)) if count else moves_of(film)
    assert compare(few, few) is None


@settings(max_examples=50)
@given(drawn.arrays(np.uint8, st.tuples(st.integers(0, 9), st.just(HEIGHT), st.just(WIDTH))))
def test_glances_are_packed_without_loss(some: Glances) -> None:
    np.testing.assert_array_equal(unpack(pack(some)), some)


@settings(max_examples=25)
@given(drawn.arrays(np.uint8, st.tuples(st.integers(0, 12), st.just(HEIGHT), st.just(WIDTH))))
def test_any_glances_can_be_compared(some: Glances) -> None:
    one = moves_of(some)
    assert np.isfinite(one.changes).all()
    same = compare(one, moves_of(some[::-1]))
    assert same is None or 0 < same.likeness <= 1


def test_sketches_keep_the_cosine() -> None:
    random = np.random.default_rng(0)
    one = random.random(1280).astype(np.float32)
    for share in (0.0, 0.3, 1.0):
        two = (1 - share) * one + share * random.random(1280).astype(np.float32)
        first, second = (sketch(vector / np.linalg.norm(vector)).astype(float) for vector in (one, two))
        true = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
        assert first.shape == (SKETCH,)
        assert first @ second / np.linalg.norm(first) / np.linalg.norm(second) == pytest.approx(true, abs=0.12)
    assert not sketch(np.zeros(1280, np.float32)).any()


def seen(path: Path) -> Moves:
    """What moves in a real clip, as ingest sees it."""
    limits = reading.limits_for(reading.probe(path).seconds)
    return moves_of(reading.in_child(scanning.scan, path, limits=limits)["glances"])


def test_real_copies_are_told_from_other_cars_on_the_same_street(media: Path) -> None:
    clips = media / "public"
    clip, gif, hatchback = (
        seen(clips / f"parking-overhead-{name}")
        for name in ("two-cars-pass.mp4", "red-and-silver-near-duplicate.gif", "white-hatchback-in.mp4")
    )
    same = compare(gif, clip)
    assert same is not None
    assert same.likeness > 0.95
    assert same.seconds == Fraction(9, 2)
    assert compare(clip, hatchback) is None
    assert compare(gif, hatchback) is None
    dark, morning = (seen(clips / f"suburban-street-cctv-{name}.mp4") for name in ("dark-suv", "cars-morning"))
    assert compare(dark, morning) is None
