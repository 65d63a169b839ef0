"""What the library offers for a place: only what may stand there, and each condition counted where it is too little."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from factory import offering
from factory.plan.query import HasTag
from factory.plan.scoring import unfit
from factory.plan.selection import Pick, Slot
from factory.store import assets, uses
from factory.store.db import Sessions
from factory.store.schema import Shot
from tests.library import a_clip, a_shot, put

SLOT = Slot("a.0.0", "a", HasTag("mud"), "mud", Fraction(3), pick=Pick(cooldown_days=0))
NO_SERIES = uses.Issue(None)


@pytest.fixture
def library(sessions: Sessions) -> Sessions:
    with sessions.write() as session:
        put(session, "good.mp4", a_shot(["mud"]))
        put(session, "short.mp4", a_shot(["mud"], seconds=Fraction(2)))
        put(session, "restricted.mp4", a_shot(["mud"]), rights="restricted")
        put(session, "black.mp4", a_shot(["mud"]))
        session.get_one(Shot, 4).quality = 0.01
        put(session, "low.mp4", clip=a_clip(a_shot(["mud"]), width=640, height=360))
        put(session, "other.mp4", a_shot(["dune"]))
    return sessions


def test_only_what_fits_is_offered_and_the_rest_is_counted_by_name(library: Sessions) -> None:
    wanted = replace(SLOT, pick=replace(SLOT.pick, min_height=480))
    with library.read() as session:
        assert [shot.title for shot in offering.offered(session, wanted, NO_SERIES)] == ["good"]
        assert offering.removed(session, wanted, NO_SERIES) == {
            "rights": 1,
            "quality below 0.05": 1,
            "shorter than 2.4 s": 1,
            "lower than 480 lines": 1,
            "mud": 1,
        }
        assert len(offering.offered(session, SLOT, NO_SERIES)) == 2  # size is a score where nobody asks for lines


def test_the_unfit_do_not_crowd_out_the_fit(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offering, "CANDIDATES", 3)
    with sessions.write() as session:
        for number in range(5):
            put(session, f"short{number}.mp4", a_shot({"mud": 0.9}, seconds=Fraction(1)))
        put(session, "long.mp4", a_shot({"mud": 0.4}))
    with sessions.read() as session:
        assert [shot.title for shot in offering.offered(session, SLOT, NO_SERIES)] == ["long"]


def test_what_is_asked_of_the_index_and_of_a_candidate_is_the_same(library: Sessions) -> None:
    for pick in (Pick(), Pick(min_height=480), Pick(min_quality=0.7), Pick(min_quality=0)):
        for seconds, speed in ((3, 1), (2, 1), (8, Fraction(1, 2)), (1, 3)):
            wanted = replace(SLOT, pick=pick, seconds=Fraction(seconds), speed=Fraction(speed))
            with library.read() as session:
                shots = assets.find_shots(session, wanted.query).shots
                fit = {shot.shot for shot in shots if unfit(wanted, shot) is None}
                asked = {shot.shot for shot in offering.offered(session, wanted, NO_SERIES)}
            assert fit <= asked
            edges = {shot.shot for shot in shots if shot.seconds - wanted.seconds * wanted.speed * Fraction(4, 5) < 0.1}
            assert asked - fit <= edges  # the two frames that are kept clear are known to the candidate alone
