"""What is told of a shot's moments, from pictures whose brightness and change are known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sqlalchemy as sa

from factory.store import looks
from factory.store.db import Sessions
from factory.store.schema import Shot
from tests.library import a_shot, put
from understanding.glances import HEIGHT, WIDTH, no_glances


def grey(*levels: int) -> np.ndarray:
    return np.stack([np.full((HEIGHT, WIDTH), level, np.uint8) for level in levels])


def test_brightness_change_and_place_are_told() -> None:
    found = looks.moments(grey(0, 0, 51, 255), Fraction("10.1"))
    assert [moment.at for moment in found] == [Fraction("0.15") + Fraction(n, 4) for n in range(4)]
    assert [moment.light for moment in found] == pytest.approx([0, 0, 0.2, 1])
    assert [moment.change for moment in found] == [0, 0, 51, 204]
    assert [moment.change for moment in looks.moments(grey(9), Fraction(0))] == [0]
    assert looks.moments(no_glances(), Fraction(0)) == ()


def test_they_are_read_from_what_the_library_keeps(sqlite: Sessions) -> None:
    with sqlite.write() as session:
        lively = replace(a_shot(["mud"]), glances=grey(*[10, 200] * 8))
        put(session, "a.mp4", lively, a_shot(["mud"]))
        one, two = session.scalars(sa.select(Shot.id).order_by(Shot.id))
        found = looks.moments_of(session, [one, two])
    assert set(found) == {one}
    assert len(found[one]) == 16
    assert found[one][5].change == 190
