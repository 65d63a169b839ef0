"""Shots of a library that an editor spoke of, as a net reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from understanding.build import read_calibration
from understanding.clip_scores import nameless
from understanding.errors import MediaRefused
from understanding.labels import Taxonomy
from understanding.learning.clips import Lesson
from understanding.learning.held import FOLDS, Floats, HeldCells
from understanding.learning.partial import POSITIVE, UNKNOWN
from understanding.learning.refit import lesson_of, net_for, states_told
from understanding.modeling.inputs import ShotInputs, collate
from understanding.tagger import Tagger


@dataclass(frozen=True, slots=True)
class DeskShot:
    """[start, end) seconds of a clip, named by the sha256 of its bytes: what an editor told of its tags, and the tags
    of the machine that were let stand. Nothing is told of a shot that is only rehearsed."""

    clip: str
    path: Path
    start: Fraction
    end: Fraction
    told: Mapping[str, bool] = field(default_factory=dict)
    standing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ReadShot:
    """The same with what a net reads of it; the prior is of the taxonomy's classes."""

    shot: DeskShot
    inputs: ShotInputs

    def lesson(self, taxonomy: Taxonomy) -> Lesson:
        """The shot alone as a lesson; clips in `FOLDS` groups are held out from one another."""
        return lesson_of(self.inputs, self.shot.told, taxonomy, f"library {int(self.shot.clip[8:16], 16) % FOLDS}")


def read_shots(
    shots: Sequence[DeskShot], tagger: Tagger, say: Callable[[str], None] = lambda _line: None
) -> tuple[list[ReadShot], list[str]]:
    """Return what an untrained tagger's net reads of each shot, and why clips or shots could not be read.

    Titles and file names are left out: a net is taught what it sees and hears.
    """
    clips: dict[str, list[DeskShot]] = {}
    for shot in shots:
        clips.setdefault(shot.clip, []).append(shot)
    read: list[ReadShot] = []
    refused: list[str] = []
    for done, wanted in enumerate(clips.values(), start=1):
        say(f"{done} of {len(clips)} clips: {wanted[0].clip[:12]}")
        try:
            features = nameless(tagger.features.read(wanted[0].path))
        except MediaRefused as refusal:
            refused.append(f"clip {wanted[0].clip[:12]}: {refusal.code}: {refusal.cause}")
            continue
        spans = {
            (one.start, one.end): inputs for one, inputs in zip(features.shots, tagger.inputs(features), strict=True)
        }
        for shot in wanted:
            if (shot.start, shot.end) in spans:
                read.append(ReadShot(shot, spans[shot.start, shot.end]))
            else:
                refused.append(f"clip {shot.clip[:12]}: it is cut into other shots now than {shot.start}-{shot.end}")
    return read, refused


def held_cells(read: Sequence[ReadShot], taxonomy: Taxonomy) -> HeldCells:
    """Return what is known of these shots: what was told, what follows from it, and the tags that were let stand."""
    states = np.full((len(read), len(taxonomy)), UNKNOWN, np.int8)
    for row, one in zip(states, read, strict=True):
        row[:] = states_told(one.shot.told, taxonomy)
        for tag in one.shot.standing:
            if tag in taxonomy and row[taxonomy.index(tag)] == UNKNOWN:
                row[taxonomy.index(tag)] = POSITIVE
    return HeldCells(states, [one.shot.clip for one in read])


def confidences(checkpoint: Path, read: Sequence[ReadShot], taxonomy: Taxonomy, bert: Any) -> tuple[Floats, Floats]:
    """Return a checkpoint's confidences (M, C) of these shots and its thresholds (C,). Raises CheckpointRefused."""
    calibration, net = read_calibration(checkpoint), net_for(checkpoint, taxonomy, bert)
    rows = np.zeros((len(read), len(taxonomy)))
    with torch.inference_mode():
        for row, one in zip(rows, read, strict=True):
            row[:] = calibration.confidence(net(collate([one.inputs])).numpy()[0])
    return rows, np.array([calibration.threshold(tag) for tag in taxonomy.tags])
