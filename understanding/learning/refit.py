"""Teaching a tagger further by what an editor said of single shots: some known tags each, everything else unknown.

The present net is where it starts, and its own answers hold it there: on the corrected shots for every other tag, and
on shots that nobody objected to (rehearsal: Robins, Catastrophic Forgetting, Rehearsal and Pseudorehearsal, Connection
Science 1995). So ten corrections change what they speak of and little else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from understanding.build import TAGGER_SIZE, build_net, load_checkpoint, read_about
from understanding.labels import LabelGraph, Taxonomy
from understanding.learning.clips import Lesson, Recipe, fit_further
from understanding.learning.partial import NEGATIVE, POSITIVE, UNKNOWN, States
from understanding.modeling.inputs import ShotInputs
from understanding.modeling.net import Net

FURTHER: Final = Recipe(epochs=60, rate=5e-4, hold=0.2)
MOST_ROWS: Final = 30  # of a corrected shot, evenly spread: thousands of them lie in memory at once


def states_told(told: Mapping[str, bool], taxonomy: Taxonomy) -> States:
    """Return what is known of every tag (C,) of a shot of which an editor `told` some.

    A tag that is there has its parents with it and rules out what it excludes; one that is not there takes along those
    below it. What was told outright stands over what follows from something else.
    """
    states = np.full(len(taxonomy), UNKNOWN, np.int8)
    known = {tag: present for tag, present in told.items() if tag in taxonomy}
    for tag in (tag for tag, present in known.items() if not present):
        _mark(states, taxonomy, taxonomy.children(tag), NEGATIVE)
    for tag in (tag for tag, present in known.items() if present):
        _mark(states, taxonomy, taxonomy.excluded(tag), NEGATIVE)
    for tag in (tag for tag, present in known.items() if present):
        _mark(states, taxonomy, taxonomy.ancestors(tag), POSITIVE)
    for tag, present in known.items():
        states[taxonomy.index(tag)] = POSITIVE if present else NEGATIVE
    return states


def _mark(states: States, taxonomy: Taxonomy, tags: Sequence[str] | frozenset[str], state: int) -> None:
    states[[taxonomy.index(tag) for tag in tags]] = state


def lesson_of(shot: ShotInputs, told: Mapping[str, bool], taxonomy: Taxonomy, source: str) -> Lesson:
    """Return one shot as a lesson; nothing is told of a shot that is only rehearsed."""
    return Lesson((thinned(shot),), (1.0,), states_told(told, taxonomy), source)


def thinned(shot: ShotInputs) -> ShotInputs:
    """Return the shot with at most MOST_ROWS rows of picture and sound."""
    return replace(shot, picture=_thin(shot.picture), sound=_thin(shot.sound))


def _thin(rows: Any) -> Any:
    if len(rows) <= MOST_ROWS:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST_ROWS).round().astype(int)]


def taught_further(
    checkpoint: Path,
    lessons: Sequence[Lesson],
    rehearsed: Sequence[Lesson],
    taxonomy: Taxonomy,
    bert: Any,
    *,
    seed: int,
    recipe: Recipe = FURTHER,
) -> Net:
    """Return the net of a checkpoint after more lessons; its classes are the taxonomy's. Raises CheckpointRefused.

    ValueError without a lesson.
    """
    if not lessons:
        raise ValueError("there is no lesson to learn from")
    net = net_for(checkpoint, taxonomy, bert)
    fit_further(net, [*lessons, *rehearsed], taxonomy, seed=seed, recipe=recipe)
    return net


def net_for(checkpoint: Path, taxonomy: Taxonomy, bert: Any) -> Net:
    """Return the net of a checkpoint with the taxonomy's classes; those that it did not know keep their prior."""
    tags = tuple(read_about(checkpoint).get("tags", ())) or taxonomy.tags
    known, net = _blank(len(tags), bert), _blank(len(taxonomy), bert)
    load_checkpoint(checkpoint, known, size=TAGGER_SIZE)
    if tags == taxonomy.tags:
        return known
    pairs = [(taxonomy.index(tag), at) for at, tag in enumerate(tags) if tag in taxonomy]
    new, old = torch.tensor([at for at, _ in pairs]), torch.tensor([at for _, at in pairs])
    state = net.state_dict()
    for name, value in known.state_dict().items():
        state[name] = _moved(name, state[name], value, new, old) if name.startswith("head.") else value
    net.load_state_dict(state)
    return net


def _blank(classes: int, bert: Any) -> Net:
    net = build_net(TAGGER_SIZE, classes=classes, graph=LabelGraph(np.zeros((classes, classes))), bert=bert)
    net.start_at_zero()
    return net


def _moved(name: str, into: Tensor, value: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """A head's weight with its classes at their new places: the first axis, and of the (C, C) graph the second too."""
    moved = into.clone()
    if name.endswith("adjacency"):
        moved[new.unsqueeze(1), new] = value[old.unsqueeze(1), old]
    else:
        moved[new] = value[old]
    return moved
