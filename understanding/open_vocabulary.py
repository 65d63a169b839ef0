"""Tags told from their names alone by an image-text net: a picture lies nearer to the words that say what it shows.

After zero-shot classification with CLIP (Radford et al., 2021): each tag is a few sentences, and is compared with
sentences that say nothing. Scenes are compared with one another too, for a shot has one. It stays a sign among others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from understanding.labels import Taxonomy

Floats = NDArray[np.float64]

CEILING: Final = 0.7  # of a confidence; names alone prove nothing
SCENE: Final = "scene"  # the facet of which a shot has one tag
PROMPTS: Final = {
    "en": ("a photo of {}.", "a video frame showing {}."),
    "zh": ("一张{}的照片。", "视频画面：{}。"),
}
NOTHING: Final = {"en": ("a photo.", "a video frame.", "a picture of something."), "zh": ("一张照片。", "视频画面。")}


class ImageText(Protocol):
    """A net that reads pictures and texts into one space."""

    @property
    def scale(self) -> float: ...
    @property
    def languages(self) -> tuple[str, ...]: ...
    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class OpenVocabulary:
    """Every tag of a taxonomy as a vector of the net's space, made at the first picture."""

    def __init__(self, taxonomy: Taxonomy, net: ImageText) -> None:
        self._taxonomy, self._net = taxonomy, net
        self._scenes = [taxonomy.index(tag) for tag in taxonomy.facet(SCENE)]

    def see(self, picture: NDArray[np.float32]) -> Floats:
        """Return how surely the rows (T, D) of one shot show each tag, (C,) in [0, CEILING]."""
        mean = (picture / np.maximum(np.linalg.norm(picture, axis=1, keepdims=True), 1e-12)).mean(axis=0)
        logits = self._net.scale * (self._tags @ mean - float((self._nothing @ mean).max()))
        sure: Floats = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        rivals = np.exp(np.clip(np.append(logits[self._scenes], 0.0), -50, 50))
        sure[self._scenes] *= rivals[:-1] / rivals.sum()
        return CEILING * sure

    @cached_property
    def _tags(self) -> Floats:
        """(C, D) unit vectors: the mean of each tag's sentences."""
        said = [
            prompt.format(getattr(label, language))
            for label in self._taxonomy
            for language in self._net.languages
            for prompt in PROMPTS[language]
        ]
        vectors = np.concatenate([self._net.texts(said[at : at + 64]) for at in range(0, len(said), 64)])
        mean = vectors.reshape(len(self._taxonomy), -1, vectors.shape[1]).mean(axis=1, dtype=np.float64)
        unit: Floats = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        return unit

    @cached_property
    def _nothing(self) -> Floats:
        return self._net.texts([text for language in self._net.languages for text in NOTHING[language]]).astype(float)
