"""Protocol B from folders to a page: every method and every ablation on the same splits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from understanding.build import load_bert, load_tagger, size_for
from understanding.clip_labels import read_labels
from understanding.clip_scores import SENSES, ClipScores, score_clips
from understanding.labels import Taxonomy
from understanding.learning.clips import RECIPE, Lesson, Recipe, held_out_answers
from understanding.learning.experiment import ExperimentRefused
from understanding.learning.protocol_b import DRAWS, FIGURES, Floats, Method, baselines, compared
from understanding.learning.tagger_runs import SEED, lessons_of
from understanding.sizes import Size
from understanding.tagged import Modality
from understanding.tagger import Features

BEGIN: Final = "<!-- protocol-b: made by factory evaluate -->"
END: Final = "<!-- /protocol-b -->"
TABLE: Final = "labels.csv"
TAGGER: Final = "tagger"
WHOLE: Final = "+ words: the tagger"
ZERO_SHOT: Final = "class names and ImageNet classes, untrained"
GROWING: Final[tuple[tuple[str, frozenset[Modality]], ...]] = (
    ("picture", frozenset({"picture"})),
    ("+ motion", frozenset({"picture", "motion"})),
    ("+ sound", frozenset({"picture", "motion", "sound"})),
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """The page's figures: the tagger and its baselines, then the tagger with less, each on the same clips."""

    methods: tuple[Method, ...]
    ablations: dict[str, ClipScores]
    refused: tuple[str, ...]


def protocol_b(
    trained: Path,
    tested: Sequence[Path],
    cache_dir: Path,
    *,
    taxonomy: Taxonomy,
    features: Features,
    recipe: Recipe = RECIPE,
    seed: int = SEED,
    draws: int = DRAWS,
    only: Collection[str] = (),
    say: Say = lambda _line: None,
) -> Compared:
    """Run the protocol: clips of `trained` are learned from, one source held out at a time, those of `tested` never.

    Each folder has its `labels.csv`. `only` names the ablations that are run beside the tagger, all of them if it is
    empty: each is as much work as the tagger itself. Raises LabelsRefused and ExperimentRefused.
    """
    less = _lessened(size_for(features), recipe)
    for name in {*only} - {TAGGER, *less}:
        raise ExperimentRefused(f"the tagger is not measured {name!r}", next_step=f"name one of {', '.join(less)}")
    size, (bert, _) = size_for(features), load_bert()
    tables = [read_labels(folder / TABLE, folder, taxonomy) for folder in (trained, *tested)]
    tagger = load_tagger(cache_dir, taxonomy, None, features=features)
    wanted = [clip for table in tables for clip in table.clips]
    clips, lessons, refused = lessons_of(wanted, tagger, say)
    sensed = {senses: lessons_of(clips, tagger, senses=senses)[1] for _, senses in GROWING}
    sensed[SENSES] = lessons
    still = lessons_of(clips, tagger, senses=SENSES - {"motion"})[1]
    never = frozenset(clip.source for table in tables[1:] for clip in table.clips)

    def answers(name: str, of: Size, by: Recipe, senses: frozenset[Modality] = SENSES) -> Floats:
        say(f"{name}: each source held out in turn")
        return held_out_answers(of, sensed[senses], taxonomy, bert, seed=seed, always_held_out=never, recipe=by)

    whole = answers(TAGGER, size, recipe)
    others = {ZERO_SHOT: _prior(still), **baselines(lessons, clips, taxonomy, always_held_out=never)}
    ablations = {"prior alone": score_clips(_prior(lessons), clips, taxonomy)}
    for name, (of, by, senses) in less.items():
        if name == WHOLE:
            ablations[name] = score_clips(whole, clips, taxonomy)
        elif not only or name in only:
            ablations[name] = score_clips(answers(name, of, by, senses), clips, taxonomy)
    methods = compared(whole, others, clips, taxonomy, draws=draws)
    return Compared(tuple(methods), ablations, (*(line for table in tables for line in table.refused), *refused))


def _lessened(size: Size, recipe: Recipe) -> dict[str, tuple[Size, Recipe, frozenset[Modality]]]:
    """Return the tagger with less, by name: its net, how it is trained, and what it senses."""
    grown = {name: (size, recipe, senses) for name, senses in GROWING}
    return grown | {
        WHOLE: (size, recipe, SENSES),
        "without the label graph": (replace(size, head="linear"), recipe, SENSES),
        "without masking of modalities": (size, replace(recipe, masking=0.0), SENSES),
        "without the hold on the prior": (size, replace(recipe, hold=0.0), SENSES),
        "mean rows instead of NeXtVLAD": (replace(size, temporal="mean", skip=True), recipe, SENSES),
    }


def _prior(lessons: Sequence[Lesson]) -> Floats:
    """What is believed of each clip before the net, (N, C)."""
    believed = [[np.asarray(shot.prior, np.float64) for shot in one.shots] for one in lessons]
    weights = [one.shares() for one in lessons]
    return np.array([np.average(rows, axis=0, weights=share) for rows, share in zip(believed, weights, strict=True)])


def markdown(found: Compared) -> str:
    """Return both tables; figures in brackets are the 95 % interval."""
    first = found.methods[0].scores
    heads = (
        "coarse top-1",
        "balanced",
        f"coarse mAP, {len(first.coarse_ap)} labels",
        f"fine mAP, {first.fine_tags} tags",
    )
    lines = [f"| {first.clips} clips | {' | '.join(heads)} | tagger ahead |", f"|---|{'---|' * (len(heads) + 1)}"]
    for method in found.methods:
        cells = [
            f"{getattr(method.scores, figure):.3f} ({method.interval[figure][0]:.2f}–{method.interval[figure][1]:.2f})"
            for figure in FIGURES
        ]
        ahead = " / ".join(f"{method.ahead[figure]:.0%}" for figure in FIGURES) if method.ahead else ""
        lines.append(f"| {method.name} | {' | '.join(cells)} | {ahead} |")
    lines += ["", f"| with less | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for name, scores in found.ablations.items():
        lines.append(f"| {name} | {' | '.join(f'{getattr(scores, figure):.3f}' for figure in FIGURES)} |")
    return "\n".join(lines) + "\n"


def write_page(found: Compared, page: Path) -> None:
    """Put the tables between their marks in a Markdown file, at the end where it has none."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, mark, rest = text.partition(BEGIN)
    after = rest.partition(END)[2] if mark else "\n"
    page.write_text(f"{before}{BEGIN}\n{markdown(found)}{END}{after}", encoding="utf-8")
