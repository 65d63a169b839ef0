"""Which shots an editor should look at next: those whose label would teach most (active learning).

Uncertainty sampling by margin: a tag that was said just above its threshold is nearly a coin's toss (Settles, Active
Learning Literature Survey, Univ. of Wisconsin-Madison TR 1648, 2009, section 2.1). A label of a rare tag counts more,
and so does one where the desk said otherwise of a shot that looks alike. The batch is chosen greedily, each next shot
unlike those before it (maximal marginal relevance, Carbonell & Goldstein, SIGIR 1998), so that twenty looks teach
twenty things.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Why = Literal["unsure", "rare", "desk-differs", "no-scene"]
Floats = NDArray[np.float32]

UNSURE: Final = 0.6  # doubt from which a tag is asked about: its margin is 0.4 of the way from threshold to certainty
ALIKE: Final = 0.9  # cosine of two shots that show nearly the same
DIFFERS: Final = 0.9  # doubt of a tag where the desk said otherwise of an alike shot
NO_SCENE: Final = 0.8  # doubt of the scene where no scene was said
AGAIN: Final = 0.5  # what a further shot of the same clip, or question of the same tag, is still worth


@dataclass(frozen=True, slots=True)
class Seen:
    """A shot as the index knows it: confidences of the tags that the machine said, and what the desk said is there or
    not."""

    shot: int
    clip: str
    said: Mapping[str, float]
    settled: Mapping[str, bool]
    vector: Floats  # (D,) unit length


@dataclass(frozen=True, slots=True)
class Settled:
    """The desk's word on one tag of a shot that looks like `vector` (D,)."""

    tag: str
    present: bool
    vector: Floats


@dataclass(frozen=True, slots=True)
class Question:
    """Does the shot show the tag? `confidence` is the machine's, None where it said nothing; `worth` lies in 0..1."""

    tag: str
    confidence: float | None
    worth: float
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A shot to look at and what to settle there, the most telling question first."""

    shot: int
    worth: float
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Library:
    """What a question is weighed against: thresholds of tags, their exclusions, the scenes, how often each tag is said
    in how many shots, and the desk's word on shots so far."""

    thresholds: Mapping[str, float]
    excluded: Mapping[str, frozenset[str]]
    scenes: frozenset[str]
    carriers: Mapping[str, int]
    shots: int
    desk: Sequence[Settled] = ()

    def rarity(self, tag: str) -> float:
        """0 for a tag of every shot, 1 for one that no shot carries, on a scale of logarithms."""
        return 1 - math.log1p(min(self.carriers.get(tag, 0), self.shots)) / math.log1p(max(self.shots, 1))


def review_queue(pool: Sequence[Seen], library: Library, limit: int) -> tuple[Asked, ...]:
    """Return at most `limit` shots of the pool in the order in which an editor should look at them.

    O(limit * pool) after one comparison of the pool with the desk's shots; a shot without a question is left out.
    """
    if not pool:
        return ()
    vectors = _stacked([seen.vector for seen in pool])
    questions = _questions(pool, vectors, library)
    return tuple(
        Asked(pool[at].shot, round(worth, 4), tuple(sorted(questions[at], key=lambda one: (-one.worth, one.tag))))
        for at, worth in _spread(pool, vectors, questions, limit)
    )


def _questions(pool: Sequence[Seen], vectors: Floats, library: Library) -> list[list[Question]]:
    desk = _stacked([one.vector for one in library.desk], vectors.shape[1])
    told = [_told(library, np.flatnonzero(row >= ALIKE), row) for row in vectors @ desk.T]
    scenes = [[tag for tag in seen.said if tag in library.scenes] for seen in pool]
    asked = []
    for at, seen in enumerate(pool):
        found = [_of_said(tag, value, told[at].get(tag), library) for tag, value in seen.said.items()]
        found += [_of_unsaid(tag, library) for tag, present in told[at].items() if present and tag not in seen.said]
        if not scenes[at]:
            found.append(_of_scene(seen, vectors @ vectors[at], scenes, library))
        best = {one.tag: one for one in sorted((q for q in found if q), key=lambda q: q.worth)}
        asked.append([one for one in best.values() if _open(one.tag, seen, library)])
    return asked


def _told(library: Library, alike: NDArray[np.intp], cosines: Floats) -> dict[str, bool]:
    """What the desk said of each tag on the shot that looks most like this one."""
    return {library.desk[i].tag: library.desk[i].present for i in sorted(alike, key=lambda i: float(cosines[i]))}


def _open(tag: str, seen: Seen, library: Library) -> bool:
    """The desk has settled neither this tag of the shot nor, by one that it saw, that it cannot be there."""
    there = {settled for settled, present in seen.settled.items() if present}
    return tag not in seen.settled and library.excluded.get(tag, frozenset()).isdisjoint(there)


def _of_said(tag: str, confidence: float, desk: bool | None, library: Library) -> Question | None:
    threshold = library.thresholds.get(tag, 0.0)
    margin = min(1.0, max(0.0, (confidence - threshold) / max(1 - threshold, 1e-6)))
    unsure, differs = 1 - margin, DIFFERS if desk is False else 0.0
    if max(unsure, differs) < UNSURE:
        return None
    reasons: dict[Why, float] = {"unsure": unsure, "desk-differs": differs}
    why = [reason for reason, doubt in reasons.items() if doubt >= UNSURE]
    return _weighed(tag, confidence, max(unsure, differs), why, library)


def _of_unsaid(tag: str, library: Library) -> Question:
    return _weighed(tag, None, DIFFERS, ["desk-differs"], library)


def _of_scene(seen: Seen, cosines: Floats, scenes: Sequence[Sequence[str]], library: Library) -> Question | None:
    """Ask for the scene that the most alike shot of the pool has; nothing where the desk has named one."""
    if any(present and tag in library.scenes for tag, present in seen.settled.items()):
        return None
    near = (tag for i in np.argsort(-cosines, kind="stable") for tag in scenes[i] if tag not in seen.settled)
    guess = next(near, None)
    return _weighed(guess, None, NO_SCENE, ["no-scene"], library) if guess else None


def _weighed(tag: str, confidence: float | None, doubt: float, why: list[Why], library: Library) -> Question:
    rarity = library.rarity(tag)
    worth = doubt * (1 + rarity) / 2
    return Question(tag, confidence, round(worth, 4), (*why, *(("rare",) if rarity >= 0.5 else ())))


def _spread(
    pool: Sequence[Seen], vectors: Floats, questions: Sequence[Sequence[Question]], limit: int
) -> list[tuple[int, float]]:
    """Choose places of the pool one by one, with the worth that each has where it is chosen."""
    tags = sorted({one.tag for asked in questions for one in asked})
    worths = np.zeros((len(pool), len(tags)))
    for at, asked in enumerate(questions):
        for one in asked:
            worths[at, tags.index(one.tag)] = one.worth
    clips, taken, repeated = [seen.clip for seen in pool], Counter[str](), np.ones(len(tags))
    likeness, left, chosen = np.zeros(len(pool)), worths.max(axis=1, initial=0) > 0, list[tuple[int, float]]()
    while len(chosen) < limit and left.any():
        worth = 1 - np.prod(1 - worths * repeated, axis=1)  # one look settles all questions of a shot
        worth *= (1 - likeness) * np.array([AGAIN ** taken[clip] for clip in clips])
        best = int(np.where(left, worth, -1.0).argmax())
        chosen.append((best, float(worth[best])))
        left[best] = False
        taken[clips[best]] += 1
        repeated[worths[best] > 0] *= AGAIN
        likeness = np.maximum(likeness, np.clip(vectors @ vectors[best], 0, 1))
    return chosen


def _stacked(vectors: Sequence[Floats], width: int = 0) -> Floats:
    """(N, D), shorter vectors filled up with zeros: while a library is tagged anew it holds those of two extractors."""
    stacked = np.zeros((len(vectors), max([width, *(len(v) for v in vectors)])), np.float32)
    for row, vector in zip(stacked, vectors, strict=True):
        row[: len(vector)] = vector
    return stacked[:, :width] if width else stacked
