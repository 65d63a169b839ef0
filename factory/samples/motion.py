"""How things move: eased shares of time, and a body on its springs."""

from __future__ import annotations

import math


def ease(share: float) -> float:
    """Slow in, slow out."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def bob(t: float, strength: float = 1.0) -> float:
    return strength * (0.9 * math.sin(t * 7.3) + 0.6 * math.sin(t * 12.1 + 1))
