"""From logits to confidences that can be believed, and the confidence from which a tag is said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

USUAL: Final = 0.3  # threshold of a tag of which too little is known
# wrong is worse than silent
CAREFUL: Final[Mapping[str, float]] = {"non-automotive": 0.4, "accident": 0.5, "crash": 0.5}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """confidence = sigmoid(scale * logit + shift)."""

    scale: float = 1.0
    shift: float = 0.0
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def confidence(self, logits: NDArray[np.float32]) -> Floats:
        """Return probabilities of any shape."""
        odds: Floats = 1 / (1 + np.exp(-(self.scale * logits.astype(np.float64) + self.shift)))
        return odds

    def logit(self, confidence: float) -> float:
        """Return the logit that this confidence comes from."""
        within = min(1 - 1e-6, max(1e-6, confidence))
        return (math.log(within / (1 - within)) - self.shift) / self.scale

    def threshold(self, tag: str) -> float:
        """The confidence from which the tag is said."""
        return max(self.thresholds.get(tag, USUAL), CAREFUL.get(tag, 0.0))
