"""Shots for slots: what fits, what it scores, that the best set is found, and what is refused."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.plan import choosing, scoring
from factory.plan.choosing import NoShotForScene, choose_shots
from factory.plan.query import EVERYTHING, And, HasTag, HasText, Or
from factory.plan.scoring import BURNT_POINTS, hits, kept_share, offset_for, score, seen_share, speed_for, unfit
from factory.plan.selection import BurntRegion, Candidate, CandidateTag, Pick, Slot


def shot(number: int, seconds: float = 4.0, tags: dict[str, float] | None = None, **changes: Any) -> Candidate:
    carried = tuple(CandidateTag(tag, confidence, "picture") for tag, confidence in (tags or {"exterior": 0.8}).items())
    made = Candidate(number, f"clip{number}", f"title {number}", Fraction(10), Fraction(10) + Fraction(str(seconds)),
                     1920, 1080, Fraction(30), True, carried)  # fmt: skip
    return replace(made, **changes)


def slot(name: str = "a", seconds: str = "3", **changes: Any) -> Slot:
    return replace(Slot(f"{name}-1", name, HasTag("exterior"), "exterior", Fraction(seconds)), **changes)


def chosen(slots: list[Slot], shots: list[Candidate], **options: Any) -> list[int]:
    found = choose_shots(slots, {s.id: shots for s in slots}, **{"seed": 0, **options})
    return [choice.candidate.shot for choice in found]


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (shot(1), None),
        (shot(1, 3.1), None),
        (shot(1, 2.5), None),
        (shot(1, 2.4), "shorter than 2.4 s"),
        (shot(1, quality=0.04), "quality below 0.05"),
        (shot(1, rights="blocked"), "rights blocked"),
        (shot(1, rights="restricted"), "rights restricted"),
        (shot(1, rights="expired"), "rights expired"),
        (shot(1, height=700), "lower than 720 lines"),
    ],
)
def test_what_fits(candidate: Candidate, why: str | None) -> None:
    assert unfit(slot(pick=Pick(min_height=720)), candidate) == why


@given(
    st.fractions(1, 10, max_denominator=30), st.fractions(1, 12, max_denominator=30), st.sampled_from([24, 25, 30, 60])
)
def test_what_is_read_lies_inside_the_shot(wanted: Fraction, length: Fraction, fps: int) -> None:
    candidate = shot(1, start=Fraction(5), end=5 + length, fps=Fraction(fps))
    place = slot(seconds=str(wanted))
    speed = speed_for(place, candidate)
    if speed is None:
        assert length < wanted
        return
    start = candidate.start + offset_for(place, candidate)
    assert candidate.start <= start
    assert start + wanted * speed < candidate.end
    assert Fraction(4, 5) <= speed <= 1
    assert speed == 1 or length < wanted + Fraction(3, fps)


def test_scores_say_which_modality_spoke() -> None:
    wants = And((HasTag("exterior"), Or((HasTag("mud"), HasTag("rock"))), HasText("X5")))
    candidate = shot(1, tags={"exterior": 0.9, "rock": 0.5}, title="Northwind  X5", quality=0.5)
    value, reasons = score(slot(query=wants, prefer=("rock", "dunes")), candidate, shape=Fraction(9, 16))
    assert value == pytest.approx(sum(reason.points for reason in reasons))
    said = {reason.why: (round(reason.points, 3), reason.modality) for reason in reasons}
    assert said["shows exterior (0.90)"] == (0.9, "picture")
    assert said["shows rock (0.50)"] == (0.5, "picture")
    assert said["names 'X5'"] == (0.5, "words")
    assert said["also shows rock"] == (0.2, "picture")
    assert said["32% of the picture fits the canvas"] == (round(0.4 * 81 / 256, 3), "picture")
    assert "also names 'dunes'" not in said


def test_an_exact_tag_stands_before_words_that_occur() -> None:
    either = slot(query=Or((HasTag("exterior"), HasText("exterior"))))
    seen, named = shot(1, tags={"exterior": 0.3}), shot(2, tags={"mud": 0.99}, title="exterior")
    assert score(either, seen)[0] > score(either, named)[0]
    assert chosen([either], [seen, named]) == [1]


def test_children_count_as_their_parent() -> None:
    candidate = shot(1, tags={"wheel": 0.7})
    assert not hits(HasTag("detail"), candidate)
    assert hits(HasTag("detail"), candidate, {"detail": ["wheel"]})[0].tag == "wheel"


def test_cropping_keeps_a_share() -> None:
    assert kept_share(1920, 1080, Fraction(16, 9)) == 1
    assert kept_share(1080, 1920, Fraction(16, 9)) == kept_share(1920, 1080, Fraction(9, 16)) == Fraction(81, 256)


def test_no_shot_stands_twice_and_the_best_set_is_found() -> None:
    both, only = shot(1, tags={"exterior": 0.9, "mud": 0.9}), shot(2, tags={"exterior": 0.8})
    first = slot("a")
    second = slot("b", query=HasTag("mud"), query_text="mud")
    found = choose_shots([first, second], {"a-1": [both, only], "b-1": [both]}, seed=0)
    assert [choice.candidate.shot for choice in found] == [2, 1]


def test_the_choice_keeps_reasons_and_the_next_best() -> None:
    shots = [shot(n, tags={"exterior": n / 10}) for n in range(1, 9)]
    (choice,) = choose_shots([slot()], {"a-1": shots}, seed=0)
    assert choice.candidate.shot == 8
    assert [number for number, _ in choice.next_best] == [7, 6, 5, 4, 3]
    assert choice.score > choice.next_best[0][1]
    assert choice.offset == Fraction(1, 2)
    assert {reason.modality for reason in choice.reasons} == {"picture"}


def test_neighbours_look_unlike() -> None:
    twin, other = (1.0, 0.0), (0.0, 1.0)
    shots = [shot(1, vector=twin), shot(2, vector=twin), shot(3, vector=other, tags={"exterior": 0.7})]
    order = chosen([slot("a"), slot("b"), slot("c")], shots)
    assert order[1] == 3
    assert sorted(order) == [1, 2, 3]
    assert chosen([slot("a"), slot("b")], shots).count(3) == 1


def test_neighbours_are_of_different_clips() -> None:
    shots = [shot(1, asset="x"), shot(2, asset="x"), shot(3, tags={"exterior": 0.7})]
    assert chosen([slot("a"), slot("b")], shots).count(3) == 1
    pair = choose_shots([slot("a"), slot("b")], {"a-1": shots[:2], "b-1": shots[:2]}, seed=0)
    assert pair[1].reasons[-1].why == "is of the same clip as the shot before it"


def test_a_shot_that_must_be_slowed_comes_last() -> None:
    assert chosen([slot()], [shot(1, 2.6, {"exterior": 0.9}), shot(2, tags={"exterior": 0.8})]) == [2]
    assert chosen([slot()], [shot(1, 2.6)]) == [1]


def test_equal_shots_are_decided_by_the_seed() -> None:
    shots = [shot(n) for n in range(1, 30)]
    assert chosen([slot()], shots, seed=3) == chosen([slot()], shots[::-1], seed=3)
    assert len({chosen([slot()], shots, seed=seed)[0] for seed in range(10)}) > 3


def test_too_little_material_is_refused_by_name() -> None:
    with pytest.raises(NoShotForScene) as refusal:
        choose_shots(
            [slot("intro"), slot("mud", query=And((HasTag("mud"), HasText("Terra"))), query_text="mud")],
            {"intro-1": [shot(1)], "mud-1": [shot(2, 1.0), shot(3, 1.0), shot(4, rights="blocked")]},
            seed=0,
            removed={"mud-1": {"mud": 41, "Terra": 3}},
        )
    error = refusal.value
    assert (
        str(error)
        == "scene 'mud' wants mud for 3.0 s: 3 candidates; 'mud' removed most (41), 'Terra' 3, 'shorter than 2.4 s' 2"
    )
    assert error.next_step == (
        "ingest clips showing mud named Terra of at least 3.0 s, or relax the query of scene 'mud'"
    )
    assert (error.code, error.exit_code, error.removed["shorter than 2.4 s"]) == ("no-material", 4, 2)
    assert "'night' removed most (99)" in str(error.explained({"night": 99}))


def test_a_shot_used_elsewhere_is_said_to_be() -> None:
    with pytest.raises(NoShotForScene, match="1 candidates, 1 of them shown elsewhere"):
        chosen([slot("a"), slot("b")], [shot(1)])


def test_optional_scenes_are_filled_whole_or_left_out() -> None:
    two = [slot("b", optional=True), replace(slot("b", optional=True), id="b-2")]
    assert chosen([slot("a"), *two], [shot(1), shot(2)]) in ([1], [2])
    assert len(chosen([slot("a"), *two], [shot(1), shot(2), shot(3)])) == 3
    assert chosen(two, []) == []
    needy = slot("z", query=HasTag("mud"))
    shots = [shot(1, tags={"mud": 0.1, "exterior": 0.99})]
    found = choose_shots([slot("a", optional=True), needy], {"a-1": shots, "z-1": shots}, seed=0)
    assert [choice.slot.scene for choice in found] == ["z"]


def test_nothing_to_fill_is_nothing_chosen() -> None:
    assert choose_shots([], {}, seed=0) == ()
    with pytest.raises(NoShotForScene, match="wants any shot"):
        choose_shots([slot(query=EVERYTHING, query_text="")], {}, seed=0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=3, max_size=3), st.integers(0, 9))
def test_the_assignment_is_as_good_as_trying_all(confidences: list[list[float]], seed: int) -> None:
    tags = ["exterior", "mud", "rock"]
    slots = [slot(tag, query=HasTag(tag)) for tag in tags]
    shots = [shot(n, tags={tag: row[n] for tag, row in zip(tags, confidences, strict=True)}) for n in range(4)]
    found = choose_shots(slots, {s.id: shots for s in slots}, seed=seed)
    weights = [1.15, 1.0, 1.15]
    every = (
        sum(w * score(s, c)[0] for w, s, c in zip(weights, slots, picked, strict=True))
        for picked in itertools.permutations(shots, 3)
    )
    got = sum(w * choice.score for w, choice in zip(weights, found, strict=True))
    assert got == pytest.approx(max(every), abs=1e-4)


def worth(slots: list[Slot], picked: list[Candidate]) -> float:
    """The total that choosing maximises, written plainly: scores, ends weighted, less what alike pairs cost."""
    ends = (0, len(slots) - 1)
    total = sum(score(s, c)[0] * (1.15 if n in ends else 1) for n, (s, c) in enumerate(zip(slots, picked, strict=True)))
    for (i, one), (j, other) in itertools.combinations(enumerate(picked), 2):
        near = abs(i - j) == 1
        dot = sum(a * b for a, b in zip(one.vector, other.vector, strict=True))
        if dot > 0.97:
            total -= 1.5 if near else 0.5
        if one.asset == other.asset:
            total -= 0.8 if near else 0.5 * 0.3
    return total


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(0, 2**31), st.randoms(use_true_random=False))
def test_it_never_repeats_and_is_no_worse_than_first_come(count: int, seed: int, random: Any) -> None:
    slots = [slot(f"s{n}") for n in range(count)]
    looks = [(1.0, 0.0), (0.0, 1.0), (0.6, 0.8), (0.8, 0.6)]
    shots = [
        shot(n, tags={"exterior": random.random()}, vector=random.choice(looks), asset=f"c{n % 3}")
        for n in range(count + 4)
    ]
    found = choose_shots(slots, {s.id: shots for s in slots}, seed=seed)
    picked = [choice.candidate for choice in found]
    assert len({c.shot for c in picked}) == count
    assert choose_shots(slots, {s.id: shots[::-1] for s in slots}, seed=seed) == found
    greedy = sorted(shots, key=lambda c: -score(slots[0], c)[0])[:count]
    assert worth(slots, picked) >= worth(slots, greedy) - 1e-3


def test_near_duplicates_are_never_shown_together() -> None:
    """The copies fit best in all slots, and better than anything else: still only one of them is shown."""
    copies = [shot(number, tags={"exterior": 0.9}, twins=1) for number in (1, 2, 3)]
    others = [shot(number, tags={"exterior": 0.5}) for number in (4, 5, 6)]
    slots = [slot(name) for name in "abcd"]
    for seed in range(10):
        found = chosen(slots, copies + others, seed=seed)
        assert sorted(found)[1:] == [4, 5, 6]
        assert sorted(found)[0] in (1, 2, 3)


def test_of_near_duplicates_the_one_that_fits_its_slot_is_shown() -> None:
    long, short = shot(1, 8, twins=1), shot(2, 3.1, tags={"exterior": 1.0}, twins=1)
    assert chosen([slot(seconds="6")], [short, long]) == [1]
    assert chosen([slot(seconds="3")], [short, long]) == [2]


def test_two_slots_and_only_copies_are_too_little_material() -> None:
    with pytest.raises(NoShotForScene, match="2 of them shown elsewhere"):
        chosen([slot("a"), slot("b")], [shot(1, twins=1), shot(2, twins=1)])


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0.3, 1), st.sampled_from([None, 1, 2])), min_size=1, max_size=9),
    st.integers(1, 4),
    st.integers(0, 3),
)
def test_no_video_shows_two_of_a_group(offered: list[tuple[float, int | None]], wanted: int, seed: int) -> None:
    shots = [shot(n, tags={"exterior": sure}, twins=twins) for n, (sure, twins) in enumerate(offered, 1)]
    moments = len({("twins", s.twins) if s.twins else ("shot", s.shot) for s in shots})
    slots = [slot(f"s{n}") for n in range(wanted)]
    if moments < wanted:
        with pytest.raises(NoShotForScene):
            chosen(slots, shots, seed=seed)
        return
    groups = {s.shot: s.twins for s in shots}
    shown = [groups[number] for number in chosen(slots, shots, seed=seed) if groups[number]]
    assert len(shown) == len(set(shown))


SUBTITLE = BurntRegion("subtitle", 0.2, 0.85, 0.8, 0.95)
CORNER = BurntRegion("logo", 0.02, 0.05, 0.14, 0.12)


def test_what_is_burnt_in_costs_points_and_says_so() -> None:
    clean, marked = shot(1), shot(2, regions=(SUBTITLE, CORNER, replace(CORNER, left=0.8, right=0.9)))
    worth, _ = score(slot(), clean)
    less, reasons = score(slot(), marked)  # no canvas is known: all is seen
    assert less == pytest.approx(worth + BURNT_POINTS["subtitle"] + BURNT_POINTS["logo"])  # each kind once
    assert {"carries a burnt-in subtitle", "carries a burnt-in logo"} <= {reason.why for reason in reasons}
    assert chosen([slot()], [marked, clean]) == [1]


def test_what_the_canvas_cuts_away_costs_nothing() -> None:
    square, tall = Fraction(1), Fraction(9, 16)
    assert seen_share(CORNER, 1920, 1080, None) == pytest.approx(1)
    assert seen_share(CORNER, 1920, 1080, Fraction(16, 9)) == pytest.approx(1)
    assert seen_share(CORNER, 1920, 1080, square) == 0  # the sides go
    assert seen_share(SUBTITLE, 1920, 1080, square) == pytest.approx(0.5625 / 0.6)
    assert seen_share(SUBTITLE, 1920, 1080, tall) > 0.2  # shown whole, on a blur: it stays
    _, reasons = score(slot(), shot(1, regions=(SUBTITLE,)), shape=Fraction(16, 9))
    assert "is cropped to leave out a burnt-in subtitle" in {reason.why for reason in reasons}
    assert score(slot(), shot(1, regions=(CORNER,)), shape=square) == score(slot(), shot(1), shape=square)


def test_the_page_of_weights_says_what_the_code_does() -> None:
    page = (Path(__file__).parent.parent / "docs" / "selection.md").read_text(encoding="utf-8")
    told = dict[str, list[float]]()
    for row in page.split("## What is scored")[1].split("## The best set")[0].splitlines():
        _, *cells = row.split("|") if row.startswith("| ") else [""]
        names = re.findall(r"`([A-Z_]+)`", cells[1]) if len(cells) > 2 else []
        numbers = [float(number) for number in re.findall(r"-?\d+\.\d+", cells[2])] if names else []
        told |= dict(zip(names, [numbers] if len(names) == 1 else [[n] for n in numbers], strict=True))
    weights = {
        name: list(value.values()) if isinstance(value, Mapping) else [value]
        for module, mark in ((scoring, "_POINTS"), (choosing, "_NEIGHBOURS"), (choosing, "_ANYWHERE"))
        for name, value in vars(module).items()
        if name.endswith(mark)
    }
    weights = {n: [-v for v in vs] if n.startswith(("ALIKE", "SAME")) else vs for n, vs in weights.items()}
    weights["ENDS_WEIGHT"] = [choosing.ENDS_WEIGHT]
    weights["BURNT_POINTS"] = [BURNT_POINTS[kind] for kind in ("subtitle", "timestamp", "logo")]
    assert told == weights
