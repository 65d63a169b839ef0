"""A file in, tagged shots out: features, what is believed of them, what the net adds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from understanding.calibration import CAREFUL, Calibration
from understanding.glances import Glances
from understanding.labels import COARSE, Taxonomy
from understanding.matching import BLACK_LUMA, NOTHING, Belief, Matcher
from understanding.modeling.inputs import ShotInputs, collate, without
from understanding.modeling.net import Net
from understanding.tagged import CameraMotion, Modality, Probe, Region, ShotQuality, Tag, TaggedClip, TaggedShot
from understanding.words import WordEncoder, Words, language

CODE_VERSION: Final = "5"  # raise it when the same weights and taxonomy would tag differently
WITHOUT: Final[tuple[Modality, ...]] = ("picture", "sound", "words")  # what the net may have to do without
FACE: Final = "face-visible"  # the tag that a detector decides
SURE_FACE: Final = 0.5  # score of a face from which the tag is said
LIKELY_SCENE: Final = 0.2  # confidence from which the likeliest scene is said where none reaches its threshold
MAX_ROWS: Final = 300  # rows of one shot that the net reads, as in YouTube-8M
ROWS_AT_ONCE: Final = 512  # padded rows of one batch: bounds memory, whatever the shots' lengths


class ShotFeatures(Protocol):
    """What the tagger reads of a shot: one row a second, half-open span in seconds of the file."""

    @property
    def start(self) -> Fraction: ...
    @property
    def end(self) -> Fraction: ...
    @property
    def picture(self) -> NDArray[np.float32]: ...  # (T, Dp), T >= 1
    @property
    def scores(self) -> NDArray[np.float32]: ...  # (T, 1000) ImageNet-1k probabilities, or (T, 0)
    @property
    def sound(self) -> NDArray[np.float32]: ...  # (S, Ds), S = 0 where silent
    @property
    def burnt_in(self) -> str: ...
    @property
    def speech(self) -> str: ...
    @property
    def quality(self) -> ShotQuality: ...
    @property
    def camera(self) -> CameraMotion | None: ...
    @property
    def face(self) -> float | None: ...
    @property
    def regions(self) -> tuple[Region, ...]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    @property
    def glances(self) -> Glances: ...


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


@dataclass(frozen=True, slots=True)
class _Answer:
    """Logits (C,) of a shot, and how many of them each modality gave to the net: what is lost without it, (C,)."""

    logits: NDArray[np.float32]
    by_modality: dict[Modality, NDArray[np.float32]]


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
        tags: Sequence[str] | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        """`weights` names the net's weights: a checkpoint's digest, or size and seed where it is untrained. `tags` name
        the net's outputs, all tags in their order if left out; of those that it does not know the belief stands."""
        self.taxonomy, self.calibration = taxonomy, calibration or Calibration()
        places = [(taxonomy.index(tag), at) for at, tag in enumerate(tags or taxonomy.tags) if tag in taxonomy]
        self._known = np.array([place for place, _ in places], dtype=int)  # of the taxonomy's classes
        self._answers = np.array([at for _, at in places], dtype=int)  # of the net's outputs, in the same order
        self._outputs = len(tags or taxonomy.tags)
        self.features = features
        self._net, self._matcher, self._words = net.eval(), matcher, words
        said_by = "\n".join((CODE_VERSION, weights, taxonomy.digest, str(getattr(features, "version", ""))))
        self.version = hashlib.sha256(said_by.encode()).hexdigest()[:16]

    def read(self, path: Path) -> TaggedClip:
        """Tag a file, or raise MediaRefused."""
        return self.read_as(path, path.name)

    def read_as(self, path: Path, file_name: str) -> TaggedClip:
        """Tag a file that stands under another name than the one it was given, as in a content-addressed store."""
        return self.tag(self.features.read(path), file_name=file_name)

    def tag(self, clip: ClipFeatures, *, file_name: str = "") -> TaggedClip:
        """Tag features that were read before, e.g. with new weights."""
        words = [Words(clip.title, file_name, shot.burnt_in, shot.speech) for shot in clip.shots]
        beliefs = self._beliefs(clip.shots, words)
        shots = tuple(map(self._tagged, clip.shots, beliefs, self._correct(clip.shots, words, beliefs)))
        nothing = () if any(shot.tags for shot in shots) else ("no-tags",)
        warnings = dict.fromkeys((*clip.probe.warnings, *(w for shot in clip.shots for w in shot.warnings), *nothing))
        said = "\n".join(dict.fromkeys(said.spoken_or_shown() for said in words))
        return TaggedClip(clip.probe, shots, self.version, language(said), tuple(warnings))

    def logits(self, clip: ClipFeatures, *, file_name: str = "") -> NDArray[np.float32]:
        """Return (S, C) of the clip's shots: what `tag` turns into tags."""
        words = [Words(clip.title, file_name, shot.burnt_in, shot.speech) for shot in clip.shots]
        answers = self._correct(clip.shots, words, self._beliefs(clip.shots, words))
        return np.stack([answer.logits for answer in answers])

    def inputs(self, clip: ClipFeatures, *, file_name: str = "") -> list[ShotInputs]:
        """Return what the net reads of each shot."""
        words = [Words(clip.title, file_name, shot.burnt_in, shot.speech) for shot in clip.shots]
        return [self._inputs(*parts) for parts in zip(clip.shots, words, self._beliefs(clip.shots, words), strict=True)]

    def _beliefs(self, shots: Sequence[ShotFeatures], words: Sequence[Words]) -> list[Belief]:
        return [
            self._matcher.believe(
                shot.scores,
                shot.quality,
                said,
                picture=shot.picture,
                camera=shot.camera,
                regions=shot.regions,
                shots=len(shots),
            )
            for shot, said in zip(shots, words, strict=True)
        ]

    def _correct(
        self, shots: Sequence[ShotFeatures], words: Sequence[Words], beliefs: Sequence[Belief]
    ) -> list[_Answer]:
        """Ask the net about every shot that shows something: the belief plus the net's residual."""
        inputs = [self._inputs(*parts) for parts in zip(shots, words, beliefs, strict=True)]
        answers = [_Answer(belief.logits, {}) for belief in beliefs]
        seen = [i for i, shot in enumerate(shots) if shot.quality.luma >= BLACK_LUMA]
        with torch.inference_mode():
            for batch in _batches([len(inputs[i].picture) for i in seen]):
                asked = [seen[place] for place in batch]
                whole = collate([inputs[i] for i in asked])
                rows = self._net(whole).numpy()
                lost = {name: rows - self._net(without(whole, name)).numpy() for name in WITHOUT}
                for place, i in enumerate(asked):
                    answers[i].logits[self._known] = rows[place, self._answers]
                    for name, less in lost.items():
                        answers[i].by_modality[name] = self._placed(less[place])
        self._know_faces(shots, answers)
        return answers

    def _know_faces(self, shots: Sequence[ShotFeatures], answers: Sequence[_Answer]) -> None:
        """What the face detector saw, or did not see, stands: the net learned from a few faces only."""
        if FACE not in self.taxonomy:
            return
        for shot, answer in zip(shots, answers, strict=True):
            if shot.face is not None:
                answer.logits[self.taxonomy.index(FACE)] = self.calibration.logit(shot.face)

    def _placed(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """The net's outputs (N,) at their classes of the taxonomy (C,), 0 for those that it does not know."""
        placed = np.zeros(len(self.taxonomy), np.float32)
        placed[self._known] = row[self._answers]
        return placed

    def _inputs(self, shot: ShotFeatures, words: Words, belief: Belief) -> ShotInputs:
        """What the net reads; names of files and clips it does not: the belief has them, and clips that it learned from
        were shown without."""
        tokens, sentence = self._words.encode(replace(words, title="", file_name="").text())
        prior = np.full(self._outputs, NOTHING, np.float32)
        prior[self._answers] = belief.logits[self._known]
        return ShotInputs(_spread(shot.picture), _spread(shot.sound), tokens, sentence, prior)

    def _tagged(self, shot: ShotFeatures, belief: Belief, answer: _Answer) -> TaggedShot:
        return TaggedShot(
            start=shot.start,
            end=shot.end,
            tags=self._tags(shot, belief, answer),
            vector=_unit(shot.picture.mean(axis=0)),
            quality=shot.quality,
            burnt_in=shot.burnt_in,
            speech=shot.speech,
            glances=shot.glances,
            regions=shot.regions,
        )

    def _tags(self, shot: ShotFeatures, belief: Belief, answer: _Answer) -> tuple[Tag, ...]:
        """Tags above their thresholds, surest first."""
        confidence = self.calibration.confidence(answer.logits)
        says = self._says(confidence)
        tags = [
            Tag(tag, round(float(confidence[i]), 4), belief.loudest(i, answer.by_modality))
            for i, tag in enumerate(self.taxonomy.tags)
            if says[i] and not (tag == FACE and shot.face is not None)
        ]
        if shot.face is not None and shot.face >= SURE_FACE and FACE in self.taxonomy:
            tags.append(Tag(FACE, round(shot.face, 4), "picture"))
        return self._without_contradiction(sorted(tags, key=lambda tag: -tag.confidence))

    def _says(self, confidence: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which tags (C,) are said: those above their thresholds; where no scene is, the likeliest from
        LIKELY_SCENE on, but none that asks for care."""
        says = confidence >= np.array([self.calibration.threshold(tag) for tag in self.taxonomy.tags])
        scenes = [self.taxonomy.index(tag) for tag in self.taxonomy.facet(COARSE)]
        if scenes and not says[scenes].any():
            likeliest = scenes[int(confidence[scenes].argmax())]
            careful = self.taxonomy.tags[likeliest] in CAREFUL
            says[likeliest] = confidence[likeliest] >= LIKELY_SCENE and not careful
        return says

    def _without_contradiction(self, tags: Sequence[Tag]) -> tuple[Tag, ...]:
        """Of two tags that exclude each other the surer one stays."""
        kept: list[Tag] = []
        for tag in tags:
            if self.taxonomy.excluded(tag.name).isdisjoint(other.name for other in kept):
                kept.append(tag)
        return tuple(kept)


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
