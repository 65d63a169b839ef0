"""A file in, tagged shots out: features, what is believed of them, what the net adds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from understanding.labels import Taxonomy
from understanding.matching import Belief, Matcher
from understanding.modeling.inputs import ShotInputs, collate
from understanding.modeling.net import Net
from understanding.tagged import Modality, Probe, ShotQuality, Tag, TaggedClip, TaggedShot
from understanding.words import WordEncoder, Words, language

CODE_VERSION: Final = "1"  # raise it when the same weights and taxonomy would tag differently
THRESHOLD: Final = 0.3
THRESHOLDS: Final = {"non-automotive": 0.4, "accident": 0.5, "crash": 0.5}  # wrong is worse than silent
NET_SPOKE: Final = 1.0  # logits that the net must add before a tag counts as its own
MAX_ROWS: Final = 300  # rows of one shot that the net reads, as in YouTube-8M
ROWS_AT_ONCE: Final = 1024  # padded rows of one batch: bounds memory, whatever the shots' lengths


class ShotFeatures(Protocol):
    """What the tagger reads of a shot: one row a second, half-open span in seconds of the file."""

    @property
    def start(self) -> Fraction: ...
    @property
    def end(self) -> Fraction: ...
    @property
    def picture(self) -> NDArray[np.float32]: ...  # (T, 1280), T >= 1
    @property
    def scores(self) -> NDArray[np.float32]: ...  # (T, 1000) ImageNet-1k probabilities
    @property
    def sound(self) -> NDArray[np.float32]: ...  # (S, 128), S = 0 where silent
    @property
    def burnt_in(self) -> str: ...
    @property
    def speech(self) -> str: ...
    @property
    def quality(self) -> ShotQuality: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...


class ClipFeatures(Protocol):
    @property
    def probe(self) -> Probe: ...
    @property
    def title(self) -> str: ...
    @property
    def shots(self) -> Sequence[ShotFeatures]: ...


class Features(Protocol):
    """Reads a file in its own limited process; raises MediaRefused."""

    def read(self, path: Path) -> ClipFeatures: ...


class Tagger:
    """Says of each shot of a file which tags it shows, how surely, and which modality spoke."""

    def __init__(
        self,
        *,
        features: Features,
        net: Net,
        taxonomy: Taxonomy,
        matcher: Matcher,
        words: WordEncoder,
        weights: str,
    ) -> None:
        """`weights` names the net's weights: a checkpoint's digest, or size and seed where it is untrained."""
        self.taxonomy = taxonomy
        self._features, self._net, self._matcher, self._words = features, net.eval(), matcher, words
        said_by = "\n".join((CODE_VERSION, weights, taxonomy.digest, str(getattr(features, "version", ""))))
        self.version = hashlib.sha256(said_by.encode()).hexdigest()[:16]

    def read(self, path: Path) -> TaggedClip:
        """Tag a file, or raise MediaRefused."""
        return self.read_as(path, path.name)

    def read_as(self, path: Path, file_name: str) -> TaggedClip:
        """Tag a file that stands under another name than the one it was given, as in a content-addressed store."""
        return self.tag(self._features.read(path), file_name=file_name)

    def tag(self, clip: ClipFeatures, *, file_name: str = "") -> TaggedClip:
        """Tag features that were read before, e.g. with new weights."""
        words = [Words(clip.title, file_name, shot.burnt_in, shot.speech) for shot in clip.shots]
        beliefs = [
            self._matcher.believe(shot.scores, shot.quality, said, shots=len(clip.shots))
            for shot, said in zip(clip.shots, words, strict=True)
        ]
        logits = self._correct(clip.shots, words, beliefs)
        shots = tuple(map(self._tagged, clip.shots, beliefs, logits))
        nothing = () if any(shot.tags for shot in shots) else ("no-tags",)
        warnings = dict.fromkeys((*clip.probe.warnings, *(w for shot in clip.shots for w in shot.warnings), *nothing))
        said = "\n".join(dict.fromkeys(said.spoken_or_shown() for said in words))
        return TaggedClip(clip.probe, shots, self.version, language(said), tuple(warnings))

    def _correct(
        self, shots: Sequence[ShotFeatures], words: Sequence[Words], beliefs: Sequence[Belief]
    ) -> list[NDArray[np.float32]]:
        """Run the net: logits (C,) of each shot, the belief plus the net's residual."""
        inputs = [self._inputs(*parts) for parts in zip(shots, words, beliefs, strict=True)]
        logits: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(inputs)
        with torch.inference_mode():
            for batch in _batches([len(shot.picture) for shot in inputs]):
                rows = self._net(collate([inputs[i] for i in batch])).numpy()
                for i, row in zip(batch, rows, strict=True):
                    logits[i] = row
        return logits

    def _inputs(self, shot: ShotFeatures, words: Words, belief: Belief) -> ShotInputs:
        tokens, sentence = self._words.encode(words.text())
        return ShotInputs(_spread(shot.picture), _spread(shot.sound), tokens, sentence, belief.logits)

    def _tagged(self, shot: ShotFeatures, belief: Belief, logits: NDArray[np.float32]) -> TaggedShot:
        return TaggedShot(
            start=shot.start,
            end=shot.end,
            tags=self._tags(belief, logits),
            vector=_unit(shot.picture.mean(axis=0)),
            quality=shot.quality,
            burnt_in=shot.burnt_in,
            speech=shot.speech,
        )

    def _tags(self, belief: Belief, logits: NDArray[np.float32]) -> tuple[Tag, ...]:
        """Tags above their thresholds, surest first."""
        confidence = 1 / (1 + np.exp(-logits.astype(np.float64)))
        added = logits - belief.logits
        tags = [
            Tag(tag, round(float(confidence[i]), 4), _modality(belief, i, float(added[i])))
            for i, tag in enumerate(self.taxonomy.tags)
            if confidence[i] >= THRESHOLDS.get(tag, THRESHOLD)
        ]
        return tuple(sorted(tags, key=lambda tag: -tag.confidence))


def _modality(belief: Belief, index: int, added: float) -> Modality:
    return "net" if added >= NET_SPOKE else belief.loudest(index)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices in groups of near length, each padded to ROWS_AT_ONCE rows at most."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and lengths[i] * (len(batch) + 1) > ROWS_AT_ONCE:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _spread(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """At most MAX_ROWS finite rows, evenly spread over the shot."""
    if len(rows) > MAX_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MAX_ROWS).round().astype(int)]
    finite: NDArray[np.float32] = np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32, copy=False)
    return finite


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    finite = np.nan_to_num(vector.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    length = float(np.linalg.norm(finite))
    return finite / np.float32(length) if length > 0 else np.full_like(finite, len(finite) ** -0.5)
