"""What is known of the moments of a shot: told from the small grey pictures that near-duplicates are found by."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.plan.moments import Moment
from factory.store.schema import Shot, ShotGlances
from understanding.glances import GLANCES_A_SECOND, Glances, unpack


def moments_of(session: Session, shots: Iterable[int]) -> dict[int, tuple[Moment, ...]]:
    """Return the moments of each shot, in order; those of which no pictures are kept are left out."""
    rows = session.execute(
        sa.select(Shot.id, Shot.start, ShotGlances.glances)
        .join(ShotGlances, ShotGlances.shot_id == Shot.id)
        .where(Shot.id.in_(list(shots)))
    )
    return {row.id: moments(unpack(row.glances), row.start) for row in rows}


def moments(glances: Glances, start: Fraction) -> tuple[Moment, ...]:
    """Return the moments that glances (G, 18, 32) of a shot tell which starts at `start` seconds of its file."""
    if not len(glances):
        return ()
    grey = glances.reshape(len(glances), -1).astype(np.float32)
    steps = np.abs(np.diff(grey, axis=0)).mean(axis=1)
    change = np.concatenate([steps[:1], steps]) if len(steps) else np.zeros(1, np.float32)
    first = Fraction(ceil(start * GLANCES_A_SECOND), GLANCES_A_SECOND) - start
    return tuple(
        Moment(first + Fraction(number, GLANCES_A_SECOND), float(light), float(changed))
        for number, (light, changed) in enumerate(zip(grey.mean(axis=1) / 255, change, strict=True))
    )
