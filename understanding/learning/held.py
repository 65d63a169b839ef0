"""Which of two taggers agrees better with the desk, on clips that neither was taught.

Editors correct what is wrong, so that on corrections alone every present tagger looks bad and any change good. Hence
the tags that the machine said of a corrected shot and the desk let stand count too, and cells that are there weigh as
much in all as those that are not: a tagger that says more, or less, of everything gains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understanding.learning.partial import NEGATIVE, POSITIVE, UNKNOWN, States

FOLDS: Final = 5  # one in so many clips is held out
LEAST_CLIPS: Final = 5  # held out, for a verdict
LEAST_CELLS: Final = 5  # known to be there, and as many known not to be
SURE: Final = 0.9  # share of the resampled sets of clips in which the better one must be better
RESAMPLED: Final = 2000

Floats = NDArray[np.float64]


def held_out(digest: str) -> bool:
    """Is the clip with these bytes (sha256 in hex) kept for the comparison? Always the same answer, a fifth of the
    time yes."""
    return int(digest[:8], 16) % FOLDS == 0


@dataclass(frozen=True, slots=True)
class HeldCells:
    """What is known of held-out shots, (M, C) states, and the clip of each shot."""

    states: States
    clips: Sequence[str]

    def counts(self) -> tuple[int, int, int]:
        """Clips, cells that are there, cells that are not."""
        return len(set(self.clips)), int((self.states == POSITIVE).sum()), int((self.states == NEGATIVE).sum())


@dataclass(frozen=True, slots=True)
class HeldScores:
    """Agreement of a tagger with the desk.

    `brier` is the mean squared error of its confidences (Brier, Verification of Forecasts Expressed in Terms of
    Probability, 1950), half of cells that are there and half of those that are not; `right` the share of cells that it
    says or leaves out as the desk does.
    """

    brier: float
    right: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate beats the present tagger, and why, for a person to read."""

    better: bool
    why: str


def score(held: HeldCells, confidence: Floats, thresholds: Floats) -> HeldScores:
    """Score confidences (M, C) with their thresholds (C,) on the known cells; zeros where none is known."""
    known = held.states != UNKNOWN
    right = (confidence >= thresholds) == (held.states == POSITIVE)
    sums = _clip_sums(held, confidence)
    return HeldScores(
        brier=round(float(_balanced(sums.sum(axis=0))), 4),
        right=round(float(right[known].mean()) if known.any() else 0.0, 4),
    )


def verdict(held: HeldCells, present: Floats, candidate: Floats, seed: int = 0) -> Verdict:
    """Compare confidences (M, C) of two taggers by their balanced Brier scores; a tie is no victory.

    The candidate must be better on the whole and, so that luck with a clip promotes nothing, in SURE of the sets that
    are drawn from the clips with replacement (paired bootstrap, Efron 1979).
    """
    clips, there, absent = held.counts()
    if clips < LEAST_CLIPS or min(there, absent) < LEAST_CELLS:
        why = f"{clips} clips are held out, {there} tags known to be there and {absent} known not to be"
        return Verdict(False, f"{why}; a verdict takes {LEAST_CLIPS} clips and {LEAST_CELLS} of either")
    before, after = _clip_sums(held, present), _clip_sums(held, candidate)
    was, now = float(_balanced(before.sum(axis=0))), float(_balanced(after.sum(axis=0)))
    draws = np.random.default_rng(seed).multinomial(len(before), np.full(len(before), 1 / len(before)), RESAMPLED)
    share = float((_balanced(draws @ after) < _balanced(draws @ before)).mean())
    told = f"Brier score {now:.4f}, of the present one {was:.4f}, on {clips} clips; lower in {share:.0%} of resamplings"
    return Verdict(now < was and share >= SURE, f"{told}; it takes {SURE:.0%}")


def _clip_sums(held: HeldCells, confidence: Floats) -> Floats:
    """Squared errors and their number where the tag is there, and both where it is not, of each clip: (clips, 4)."""
    rows = []
    names = np.array(held.clips)
    for clip in sorted(set(held.clips)):
        states, told = held.states[names == clip], confidence[names == clip]
        there, absent = states == POSITIVE, states == NEGATIVE
        rows.append((((1 - told[there]) ** 2).sum(), there.sum(), (told[absent] ** 2).sum(), absent.sum()))
    return np.array(rows, np.float64).reshape(-1, 4)


def _balanced(sums: Floats) -> Floats:
    """(..., 4) -> (...): the mean over the kinds of cells that occur, 0 where none does."""
    errors, counts = sums[..., 0::2], sums[..., 1::2]
    means = errors / np.maximum(counts, 1)
    balanced: Floats = means.sum(axis=-1) / np.maximum((counts > 0).sum(axis=-1), 1)
    return balanced
