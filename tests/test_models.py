"""Who speaks: promotions over the shipped tagger, one step back each, and nothing lost where a file is."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest

from factory import models as verbs
from factory.settings import Settings
from factory.store import models
from factory.store.db import Sessions
from factory.wiring import Parts, parts
from understanding.build import SHIPPED_TAGGER, read_calibration

pytestmark = pytest.mark.usefixtures("one_thread")

A, B = "a" * 64, "ab" * 32


def keep(sessions: Sessions, *digests: str) -> None:
    with sessions.write() as session:
        for digest in digests:
            models.keep(session, digest, began_with=None, trained_on={"corrections": 3}, scores={"candidate": {}})


def states(sessions: Sessions) -> dict[str, str]:
    with sessions.read() as session:
        return {row.digest: row.state for row in models.kept(session)}


def test_promotions_are_a_stack_over_the_shipped_tagger(sessions: Sessions) -> None:
    keep(sessions, A, B)
    assert states(sessions) == {B: "candidate", A: "candidate"}
    with sessions.write() as session:
        assert models.present(session) is None
        assert models.promote(session, A) == A
        assert models.promote(session, B) == B
    assert states(sessions) == {B: "present", A: "retired"}
    with sessions.write() as session:
        assert models.promote(session, A) == A  # back to one that spoke before
        assert [models.roll_back(session) for _ in range(3)] == [B, A, None]
        assert models.present(session) is None
        with pytest.raises(models.NothingToRollBack):
            models.roll_back(session)
    assert states(sessions) == {B: "retired", A: "retired"}


def test_the_shipped_tagger_can_be_promoted_and_rolled_back_like_any(sessions: Sessions) -> None:
    keep(sessions, A)
    with sessions.write() as session:
        models.promote(session, A)
        assert models.promote(session, models.SHIPPED) is None
        assert models.present(session) is None
        assert models.roll_back(session) == A


def test_promoting_who_speaks_already_is_one_promotion(sessions: Sessions) -> None:
    keep(sessions, A)
    with sessions.write() as session:
        models.promote(session, models.SHIPPED)
        models.promote(session, A)
        models.promote(session, A)
        assert models.roll_back(session) is None
        with pytest.raises(models.NothingToRollBack):
            models.roll_back(session)


@pytest.mark.parametrize("name", ["ab", "abc", "ffff", "", "%", "a_"])
def test_a_name_that_is_not_one_checkpoint_is_refused(sessions: Sessions, name: str) -> None:
    keep(sessions, A, B)
    with sessions.write() as session, pytest.raises(models.UnknownCheckpoint):
        models.promote(session, name)


def test_a_beginning_names_its_checkpoint_and_what_was_kept_comes_back(sessions: Sessions) -> None:
    keep(sessions, A, B)
    with sessions.write() as session:
        assert models.promote(session, "abab") == B
        models.keep(session, A, began_with=B, trained_on={"corrections": 9}, scores={})
    with sessions.read() as session:
        newest, older = models.kept(session)
    assert (newest.digest, newest.promoted_at is not None, newest.trained_on) == (B, True, {"corrections": 3})
    assert (older.digest, older.promoted_at, older.began_with, older.trained_on) == (A, None, B, {"corrections": 9})


# --- the tagger of the house -----------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path) -> Parts:
    return parts(Settings(home=tmp_path / "home"))


def a_checkpoint(house: Parts, more: bytes = b"") -> str:
    """Keep a checkpoint of this house: the shipped one, or with `more` one that no one can read."""
    data = SHIPPED_TAGGER.read_bytes() + more
    digest = hashlib.sha256(data).hexdigest()
    house.trained.mkdir(exist_ok=True)
    (house.trained / f"{digest}.safetensors").write_bytes(data)
    keep(house.sessions, digest)
    return digest


def test_the_promoted_checkpoint_speaks_and_after_a_rollback_the_shipped_one(house: Parts) -> None:
    assert house.checkpoint == SHIPPED_TAGGER
    digest = a_checkpoint(house)
    assert verbs.promote(house, digest[:8]) == digest
    assert house.checkpoint == house.trained / f"{digest}.safetensors"
    assert house.calibration == read_calibration(house.checkpoint)
    assert [(row["checkpoint"], row["state"]) for row in verbs.listed(house)] == [
        (digest, "present"), ("shipped", "retired")
    ]  # fmt: skip
    assert verbs.roll_back(house) is None
    assert house.checkpoint == SHIPPED_TAGGER


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_where_the_promoted_file_is_lost_the_shipped_tagger_speaks_with_a_warning(
    house: Parts, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    digest = a_checkpoint(house)
    verbs.promote(house, digest)
    file = house.trained / f"{digest}.safetensors"
    data = bytearray(file.read_bytes())
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes(bytes(data[:-7] + b"\0" * 7))
    with caplog.at_level(logging.WARNING):
        assert house.checkpoint == SHIPPED_TAGGER
    assert "factory model rollback" in caplog.text
    assert digest[:12] in caplog.text
    verbs.promote(house, "shipped")
    with pytest.raises(verbs.CheckpointMissing):
        verbs.promote(house, digest)
    file.write_bytes(bytes(data))
    assert verbs.promote(house, digest) == digest


def test_a_refused_promotion_leaves_who_speaks(house: Parts) -> None:
    digest = a_checkpoint(house)
    (house.trained / f"{digest}.safetensors").unlink()
    with pytest.raises(verbs.CheckpointMissing):
        verbs.promote(house, digest)
    assert house.checkpoint == SHIPPED_TAGGER
    assert [row["state"] for row in verbs.listed(house)] == ["candidate", "present"]


def test_a_tagger_that_is_loaded_gives_way_to_the_one_that_is_promoted(
    house: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    house.__dict__["_tagger"] = "the shipped one, loaded"
    assert house.tagger == "the shipped one, loaded"  # type: ignore[comparison-overlap]
    broken = a_checkpoint(house, b"more")
    verbs.promote(house, broken)
    with caplog.at_level(logging.WARNING):
        loaded = house.tagger  # the bytes are as they were kept, but no checkpoint: the shipped one is loaded
    assert "cannot be used" in caplog.text
    assert loaded is house.tagger
    assert loaded.calibration == read_calibration(SHIPPED_TAGGER)
