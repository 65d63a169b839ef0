"""How well tags agree with hand labels of real clips: Protocol B's figures (docs/tagger.md).

Titles, file and folder names are never looked at: they often tell the label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understanding import tagger
from understanding.clip_labels import LabelledClip, LabelTable, read_labels
from understanding.errors import MediaRefused
from understanding.features import ClipFeatures, ShotFeatures
from understanding.labels import COARSE, Taxonomy
from understanding.learning.metrics import average_precision
from understanding.tagged import Modality

SENSES: Final[frozenset[Modality]] = frozenset({"picture", "motion", "sound", "words"})
LEAST_SOURCES: Final = 2  # of a coarse label whose average precision counts
LEAST_POSITIVES: Final = 5  # of a fine tag whose average precision counts

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClipScores:
    """Agreement with hand labels, all in 0..1. `coarse_ap` and `fine_ap` hold the labels that their means are over."""

    clips: int
    coarse_top1: float
    coarse_balanced: float  # mean over the coarse labels of the share of their clips that got them
    coarse_map: float
    fine_map: float
    fine_tags: int
    coarse_ap: Mapping[str, float]
    fine_ap: Mapping[str, float]


def clip_logits(logits: NDArray[np.float32], seconds: Sequence[float]) -> Floats:
    """Return (C,) of a clip from its shots' (S, C): their mean, each weighed by its length."""
    mean: Floats = np.average(logits.astype(np.float64), axis=0, weights=np.asarray(seconds) + 1e-9)
    return mean


def nameless(clip: tagger.ClipFeatures, senses: frozenset[Modality] = SENSES) -> ClipFeatures:
    """Return the features without the clip's title, and without what `senses` leaves out; the picture always stays."""
    return ClipFeatures(clip.probe, "", tuple(_sensed(shot, senses) for shot in clip.shots))


def _sensed(shot: tagger.ShotFeatures, senses: frozenset[Modality]) -> ShotFeatures:
    return ShotFeatures(
        start=shot.start,
        end=shot.end,
        picture=shot.picture,
        scores=shot.scores,
        sound=shot.sound if "sound" in senses else shot.sound[:0],
        burnt_in=shot.burnt_in if "words" in senses else "",
        speech=shot.speech if "words" in senses else "",
        quality=shot.quality,
        warnings=shot.warnings,
        camera=shot.camera if "motion" in senses else None,
        face=shot.face,
        regions=shot.regions if "words" in senses else (),
    )


def clip_answer(by: tagger.Tagger, path: Path) -> Floats:
    """Return the tagger's logits (C,) of a file whose names it does not see. Raises MediaRefused."""
    clip = nameless(by.features.read(path))
    return clip_logits(by.logits(clip), [float(shot.end - shot.start) for shot in clip.shots])


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The scores of a folder, and the rows, words and files that could not be used."""

    scores: ClipScores
    refused: tuple[str, ...]
    unknown: Mapping[str, int]


def evaluate_clips(
    folder: Path, table: Path, by: tagger.Tagger, seen: Callable[[int, int], None] = lambda _done, _all: None
) -> Evaluated:
    """Tag every clip of a table and score the tags. Raises LabelsRefused where the table holds nothing to score."""
    labels = read_labels(table, folder, by.taxonomy)
    answers, clips, refused = answers_of(labels, lambda clip: clip_answer(by, clip.path), seen)
    return Evaluated(score_clips(answers, clips, by.taxonomy), (*labels.refused, *refused), labels.unknown)


def answers_of(
    labels: LabelTable, answer: Callable[[LabelledClip], Floats], seen: Callable[[int, int], None]
) -> tuple[Floats, list[LabelledClip], list[str]]:
    """Return the answers (N, C), the clips that gave them, and why the others did not."""
    rows: list[Floats] = []
    clips: list[LabelledClip] = []
    refused: list[str] = []
    for done, clip in enumerate(labels.clips, start=1):
        try:
            rows.append(answer(clip))
            clips.append(clip)
        except MediaRefused as refusal:
            refused.append(f"{clip.path.name!r}: {refusal.code}: {refusal.cause}")
        seen(done, len(labels.clips))
    return np.array(rows), clips, refused


def score_clips(answers: Floats, clips: Sequence[LabelledClip], taxonomy: Taxonomy) -> ClipScores:
    """Score logits (N, C) of clips against their labels. Ties go to the label that stands first in the taxonomy."""
    coarse = taxonomy.facet(COARSE)
    columns = answers[:, [taxonomy.index(label) for label in coarse]] if len(clips) else np.zeros((0, len(coarse)))
    truth = np.array([coarse.index(clip.coarse) for clip in clips], dtype=int)
    right = columns.argmax(axis=1) == truth
    shares = [float(right[truth == label].mean()) for label in np.unique(truth)]
    coarse_ap = {
        label: _precision(columns[:, place], truth == place)
        for place, label in enumerate(coarse)
        if len({clip.source for clip in clips if clip.coarse == label}) >= LEAST_SOURCES
    }
    fine_ap = {
        label.name: _precision(answers[:, i], positive)
        for i, label in enumerate(taxonomy)
        if (positive := np.array([label.name in clip.tags for clip in clips], dtype=bool)).sum() >= LEAST_POSITIVES
    }
    return ClipScores(
        clips=len(clips),
        coarse_top1=float(right.mean()) if len(clips) else 0.0,
        coarse_balanced=float(np.mean(shares)) if shares else 0.0,
        coarse_map=_mean(coarse_ap),
        fine_map=_mean(fine_ap),
        fine_tags=len(fine_ap),
        coarse_ap=coarse_ap,
        fine_ap=fine_ap,
    )


def _precision(values: Floats, positive: NDArray[np.bool_]) -> float:
    return average_precision(values, positive, int(positive.sum()))


def _mean(values: Mapping[str, float]) -> float:
    return float(np.mean(list(values.values()))) if values else 0.0
