"""Protocol B: the whole tagger on real clips, leave one source out, beside baselines that read the same features.

Every method answers for a clip from clips of other sources alone. Baselines: the commonest label; logistic regression
on the mean picture row, and on picture, words and sound together; and what the taxonomy's names and ImageNet classes
tell without training. Ahead means by a paired bootstrap over clips (Efron & Tibshirani, An Introduction to the
Bootstrap, 1993): both methods are scored on the same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from understanding.clip_labels import LabelledClip
from understanding.clip_scores import ClipScores, score_clips
from understanding.labels import COARSE, Taxonomy
from understanding.learning.clips import Lesson
from understanding.learning.partial import POSITIVE
from understanding.modeling.inputs import SENTENCE_DIM, SOUND_DIM

DRAWS: Final = 1000
FIGURES: Final = ("coarse_top1", "coarse_balanced", "coarse_map", "fine_map")
STRENGTHS: Final = (0.001, 0.01, 0.1, 1.0)  # inverse penalties of logistic regression; the best is told, as a courtesy
NEVER: Final = -30.0  # logit of a label that a baseline has not seen

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Method:
    """Answers (N, C) of one method and how they score, with 95 % intervals of the bootstrap."""

    name: str
    scores: ClipScores
    interval: Mapping[str, tuple[float, float]]
    ahead: Mapping[str, float]  # share of draws in which the tagger scores higher; empty for the tagger itself


def compared(
    tagger: Floats,
    baselines: Mapping[str, Floats],
    clips: Sequence[LabelledClip],
    taxonomy: Taxonomy,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Method]:
    """Score the tagger's answers (N, C) and those of the baselines on the same bootstrap draws of clips."""
    places = np.random.default_rng(seed).integers(0, len(clips), (draws, len(clips)))
    ours = _drawn(tagger, clips, taxonomy, places)
    methods = [Method("tagger", score_clips(tagger, clips, taxonomy), _intervals(ours), {})]
    for name, answers in baselines.items():
        theirs = _drawn(answers, clips, taxonomy, places)
        ahead = {figure: float((ours[figure] > theirs[figure]).mean()) for figure in FIGURES}
        methods.append(Method(name, score_clips(answers, clips, taxonomy), _intervals(theirs), ahead))
    return methods


def _drawn(
    answers: Floats, clips: Sequence[LabelledClip], taxonomy: Taxonomy, places: NDArray[np.int64]
) -> dict[str, Floats]:
    """Each figure on every draw, (draws,)."""
    scores = [score_clips(answers[draw], [clips[at] for at in draw], taxonomy) for draw in places]
    return {figure: np.array([getattr(one, figure) for one in scores]) for figure in FIGURES}


def _intervals(drawn: Mapping[str, Floats]) -> dict[str, tuple[float, float]]:
    return {
        figure: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975)))
        for figure, values in drawn.items()
    }


def baselines(
    lessons: Sequence[Lesson], clips: Sequence[LabelledClip], taxonomy: Taxonomy, *, always_held_out: frozenset[str]
) -> dict[str, Floats]:
    """Return each baseline's answers (N, C), a clip's from clips of other sources alone."""
    truth = np.stack([one.states for one in lessons]) == POSITIVE
    sources = np.array([one.source for one in lessons])
    trains = ~np.isin(sources, sorted(always_held_out))
    picture = np.stack([_mean(one, "picture", lessons[0].shots[0].picture.shape[1]) for one in lessons])
    sound = np.stack([_mean(one, "sound", SOUND_DIM) for one in lessons])
    words = np.stack([_sentence(one) for one in lessons])
    split = _Split(sources, trains, truth, [taxonomy.index(tag) for tag in taxonomy.facet(COARSE)])
    everything = np.concatenate([picture, words, sound], axis=1)
    return {
        "majority": split.answers(lambda known, asked: np.tile(known.mean(axis=0) - 1, (len(asked), 1)), picture),
        "logistic regression, picture": _best(split, picture, clips, taxonomy),
        "logistic regression, picture, words, sound": _best(split, everything, clips, taxonomy),
    }


@dataclass(frozen=True, slots=True)
class _Split:
    """Leave one source out."""

    sources: NDArray[Any]  # (N,)
    trains: NDArray[np.bool_]  # (N,) may be learned from
    truth: NDArray[np.bool_]  # (N, C)
    coarse: Sequence[int]

    def answers(self, answer: Callable[[NDArray[np.bool_], Floats], Floats], features: Floats) -> Floats:
        """Fill a table (N, C): `answer` takes the labels that may be seen and the features that are asked about."""
        table = np.zeros(self.truth.shape)
        for source in np.unique(self.sources):
            asked = self.sources == source
            table[asked] = answer(self.truth[self.trains & ~asked], features[asked])
        return table

    def regression(self, features: Floats, strength: float) -> Floats:
        """Multinomial over the coarse labels, and one for each fine tag that has been seen."""
        table = np.full(self.truth.shape, NEVER)
        for source in np.unique(self.sources):
            asked = self.sources == source
            seen = self.trains & ~asked
            scenes = self.truth[seen][:, self.coarse].argmax(axis=1)
            scene = _regression(strength).fit(features[seen], scenes)
            place = np.asarray(self.coarse)[scene[-1].classes_]
            table[np.ix_(asked, place)] = scene.predict_log_proba(features[asked])
            for tag in set(np.flatnonzero(self.truth[seen].any(axis=0))) - set(self.coarse):
                if not self.truth[seen, tag].all():
                    fine = _regression(strength).fit(features[seen], self.truth[seen, tag])
                    table[asked, tag] = fine.decision_function(features[asked])
        return table


def _best(split: _Split, features: Floats, clips: Sequence[LabelledClip], taxonomy: Taxonomy) -> Floats:
    """The answers at the penalty that scores best on the very clips: what a careful user could have got at most."""
    tried = [split.regression(features, strength) for strength in STRENGTHS]
    totals = [score_clips(answers, clips, taxonomy) for answers in tried]
    return tried[int(np.argmax([sum(getattr(one, figure) for figure in FIGURES) for one in totals]))]


def _regression(strength: float) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))


def _mean(one: Lesson, stream: str, width: int) -> Floats:
    """Mean row of a clip, its shots weighed by their length, (width,); zeros where it has none."""
    rows = [getattr(shot, stream) for shot in one.shots]
    means = np.stack([row.mean(axis=0) if len(row) else np.zeros(width) for row in rows])
    mean: Floats = np.average(means.astype(np.float64), axis=0, weights=one.shares())
    return mean


def _sentence(one: Lesson) -> Floats:
    """Mean sentence vector of a clip's words, (512,)."""
    vectors = [np.zeros(SENTENCE_DIM) if shot.sentence is None else shot.sentence for shot in one.shots]
    mean: Floats = np.average(np.stack(vectors).astype(np.float64), axis=0, weights=one.shares())
    return mean
