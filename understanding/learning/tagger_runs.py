"""A tagger's checkpoint from a folder of labelled clips: lessons, confidences, weights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from understanding.build import TAGGER_SIZE, load_bert, load_tagger, rows_of, save_checkpoint, size_for
from understanding.clip_labels import LabelledClip, LabelsRefused, read_labels
from understanding.clip_scores import SENSES, ClipScores, nameless, score_clips
from understanding.errors import MediaRefused
from understanding.labels import Taxonomy
from understanding.learning.calibrate import calibrated
from understanding.learning.clips import RECIPE, Lesson, Recipe, fit, held_out_answers, states_of
from understanding.tagged import Modality
from understanding.tagger import Features, Tagger

SEED: Final = 2026
LEAST_SOURCES: Final = 3  # of clips; with fewer nothing can be held out

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Taught:
    """What training on a table came to: scores of nets that had not seen the source of the clip they answered for."""

    checkpoint: Path
    scores: ClipScores
    refused: tuple[str, ...]
    left_out: int  # clips whose licence was not asked for


def train_tagger(
    table: Path,
    folder: Path,
    out: Path,
    cache_dir: Path,
    *,
    taxonomy: Taxonomy,
    features: Features,
    licences: Sequence[str] = (),
    desk: Sequence[Lesson] = (),
    kept_apart: frozenset[str] = frozenset(),
    recipe: Recipe = RECIPE,
    seed: int = SEED,
    say: Say = lambda _line: None,
) -> Taught:
    """Train the tagger's net on the clips of a table and write its checkpoint to `out`, whole or not at all.

    With `licences` only clips under one of them, as the table's column `licence` names it, are learned from; clips
    whose sha256 is in `kept_apart` never are. `desk` are further lessons, of which the scores say nothing. Raises
    LabelsRefused where too little is left.
    """
    labels = read_labels(table, folder, taxonomy)
    wanted = [clip for clip in labels.clips if not licences or clip.licence in licences]
    wanted = [clip for clip in wanted if not kept_apart or _digest(clip.path) not in kept_apart]
    _check(wanted, table)
    tagger = load_tagger(cache_dir, taxonomy, None, features=features)
    clips, labelled, refused = lessons_of(wanted, tagger, say)
    _check(clips, table)
    lessons = [*labelled, *desk]
    size, (bert, _) = size_for(features), load_bert()
    held_out = held_out_answers(
        size, lessons, taxonomy, bert, seed=seed, recipe=recipe, said=lambda source: say(f"{source} held out")
    )
    scores = score_clips(held_out[: len(clips)], clips, taxonomy)
    states = np.stack([one.states for one in lessons])
    net = fit(size, lessons, taxonomy, bert, seed=seed, recipe=recipe)
    more: dict[str, Any] = {
        "calibration": asdict(calibrated(held_out, states, taxonomy.tags)),
        "rows": rows_of(features),
        "recipe": {**asdict(recipe), "seed": seed},
        "clips": sorted(clip.path.name for clip in clips),
        "held_out": asdict(scores),
        "desk": len(desk),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(out, net, size=TAGGER_SIZE, tags=taxonomy.tags, more=more)
    return Taught(out, scores, (*labels.refused, *refused), len(labels.clips) - len(wanted))


def lessons_of(
    wanted: Sequence[LabelledClip], tagger: Tagger, say: Say = lambda _line: None, senses: frozenset[Modality] = SENSES
) -> tuple[list[LabelledClip], list[Lesson], list[str]]:
    """Return the clips that can be read, a lesson for each, and why the others cannot. No file's name is looked at, and
    only what the `senses` give."""
    clips: list[LabelledClip] = []
    lessons: list[Lesson] = []
    refused: list[str] = []
    states = states_of(wanted, tagger.taxonomy)
    for done, (clip, known) in enumerate(zip(wanted, states, strict=True), start=1):
        say(f"{done} of {len(wanted)}: {clip.path.name}")
        try:
            read = nameless(tagger.features.read(clip.path), senses)
        except MediaRefused as refusal:
            refused.append(f"{clip.path.name!r}: {refusal.code}: {refusal.cause}")
            continue
        seconds = tuple(float(shot.end - shot.start) for shot in read.shots)
        clips.append(clip)
        lessons.append(Lesson(tuple(tagger.inputs(read)), seconds, known, clip.source))
    return clips, lessons, refused


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(clips: Sequence[LabelledClip], table: Path) -> None:
    sources = len({clip.source for clip in clips})
    if sources < LEAST_SOURCES:
        raise LabelsRefused(
            f"{table}: its usable clips are from {sources} sources, and one is held out at a time",
            next_step=f"label clips from at least {LEAST_SOURCES} sources",
        )
