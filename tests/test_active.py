"""What to ask an editor: doubt, rarity, the desk's word on alike shots, and no two looks for one lesson."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understanding.learning.active import ALIKE, Library, Seen, Settled, review_queue

HALF = Library(
    thresholds={"night": 0.3, "mud": 0.3, "suv": 0.3},
    excluded={"night": frozenset({"daylight"}), "daylight": frozenset({"night"})},
    scenes=frozenset({"night", "parking"}),
    carriers={"night": 400, "mud": 400, "suv": 400, "daylight": 400, "drift": 2},
    shots=1000,
)


def axis(number: int, *, beside: float = 0.0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A unit vector along one of eight axes, turned a little towards the next."""
    vector = np.zeros(8, np.float32)
    vector[number], vector[(number + 1) % 8] = np.sqrt(1 - beside**2), beside
    return vector


def seen(
    shot: int, said: Mapping[str, float], *, clip: str = "", settled: Mapping[str, bool] | None = None, at: int = -1
) -> Seen:
    scene = {"parking": 0.99} if "night" not in said else {}
    return Seen(shot, clip or f"clip{shot}", scene | dict(said), settled or {}, axis(at if at >= 0 else shot % 8))


def test_the_nearer_a_threshold_the_sooner_it_is_asked() -> None:
    pool = [seen(1, {"mud": 0.45}), seen(2, {"mud": 0.31}), seen(3, {"mud": 0.95})]
    asked = review_queue(pool, HALF, 10)
    assert [one.shot for one in asked] == [2, 1]  # of the third there is no doubt
    assert [(q.tag, q.confidence, q.why) for q in asked[0].questions] == [("mud", 0.31, ("unsure",))]


def test_a_rare_tag_counts_more_than_a_common_one() -> None:
    asked = review_queue([seen(1, {"mud": 0.4}), seen(2, {"drift": 0.1})], HALF, 2)
    assert [one.shot for one in asked] == [2, 1]
    assert asked[0].questions[0].why == ("unsure", "rare")


def test_what_the_desk_has_settled_is_not_asked_nor_what_it_rules_out() -> None:
    pool = [
        seen(1, {"mud": 0.31}, settled={"mud": True}),
        seen(2, {"mud": 0.31}, settled={"mud": False}),
        seen(3, {"daylight": 0.1}, settled={"night": True}),
        seen(4, {"daylight": 0.1}, settled={"night": False}),
    ]
    assert [one.shot for one in review_queue(pool, HALF, 10)] == [4]


@pytest.mark.parametrize(("present", "said", "asked"), [(False, 0.9, True), (True, 0.9, False), (True, None, True)])
def test_a_shot_that_looks_like_one_on_which_the_desk_differs_is_asked(
    present: bool, said: float | None, asked: bool
) -> None:
    library = replace(HALF, desk=[Settled("mud", present, axis(1, beside=0.2))])
    pool = [seen(1, {} if said is None else {"mud": said}), seen(2, {"mud": 0.9})]
    found = review_queue(pool, library, 10)
    assert [(one.shot, one.questions[0].why) for one in found] == ([(1, ("desk-differs",))] if asked else [])


def test_the_nearest_of_the_desks_words_counts() -> None:
    near, far = Settled("mud", True, axis(1)), Settled("mud", False, axis(1, beside=0.3))
    assert far.vector @ near.vector > ALIKE
    assert review_queue([seen(1, {"mud": 0.9})], replace(HALF, desk=[near, far]), 1) == ()


def test_a_shot_without_a_scene_is_asked_for_that_of_the_most_alike_shot() -> None:
    bare = Seen(7, "clip7", {"suv": 0.9}, {}, axis(3, beside=0.3))
    asked = review_queue([bare, seen(1, {"night": 0.95}, at=3), seen(2, {}, at=5)], HALF, 10)
    assert [(one.shot, one.questions[0].tag, one.questions[0].why) for one in asked] == [(7, "night", ("no-scene",))]
    named = replace(bare, settled={"parking": True})
    assert review_queue([named, seen(1, {"night": 0.95}, at=3)], HALF, 10) == ()


def test_the_next_shot_is_unlike_those_before_it() -> None:
    twins = [seen(k, {"mud": 0.31, "suv": 0.35}, at=0) for k in range(5)]
    other = seen(9, {"mud": 0.4}, at=4)
    assert [one.shot for one in review_queue([*twins, other], HALF, 2)] == [0, 9]


def test_clips_and_tags_take_turns() -> None:
    pool = [seen(k, {"mud": 0.30 + k / 1000}, clip="long", at=k % 4) for k in range(40)]
    pool += [seen(100 + k, {"suv": 0.40}, clip=f"short{k}", at=4 + k) for k in range(3)]
    first = review_queue(pool, HALF, 5)
    assert {one.shot for one in first} >= {100, 101, 102}


def test_nothing_is_asked_of_nothing() -> None:
    assert review_queue([], HALF, 5) == ()
    assert review_queue([Seen(1, "c", {}, {}, axis(0))], HALF, 5) == ()  # no shot near it has a scene either


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(["night", "mud", "suv", "drift"]), st.floats(0, 1)), st.integers(0, 3)
        ),
        max_size=12,
    ),
    st.integers(1, 6),
)
def test_a_queue_asks_each_shot_once_and_nothing_above_one(
    shots: list[tuple[dict[str, float], int]], limit: int
) -> None:
    pool = [Seen(k, f"clip{clip}", said, {}, axis(k % 8)) for k, (said, clip) in enumerate(shots)]
    asked = review_queue(pool, HALF, limit)
    assert len({one.shot for one in asked}) == len(asked) <= min(limit, len(pool))
    assert all(0 < q.worth <= 1 for one in asked for q in one.questions)
    assert all(0 <= one.worth <= 1 for one in asked)
