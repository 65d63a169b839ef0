"""The desk's corrections as lessons: what follows from a word, a net that is taught further and stays near itself, and
the whole walk from corrections to a promoted tagger and back."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
import torch

from factory import learning, models
from factory.retag import outdated
from factory.settings import Settings
from factory.store import desk, lessons
from factory.store import models as kept
from factory.store.assets import add_clip, retire
from factory.store.db import Sessions
from factory.store.schema import Shot
from factory.wiring import Parts, parts
from tests.library import TAXONOMY, a_clip, a_shot, adopted, put
from understanding.build import SHIPPED_TAGGER, TAGGER_SIZE, load_bert, read_about, save_checkpoint
from understanding.features import ClipFeatures, ShotFeatures
from understanding.labels import Taxonomy, load_taxonomy
from understanding.learning.clips import Lesson, Recipe, answers, fit, fit_further
from understanding.learning.held import Verdict, held_out
from understanding.learning.partial import UNKNOWN
from understanding.learning.refit import MOST_ROWS, lesson_of, net_for, states_told, thinned
from understanding.learning.tagger_runs import train_tagger
from understanding.modeling.inputs import ShotInputs
from understanding.sizes import Size
from understanding.tagged import ShotQuality

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = Size(
    picture=6, sound=4, clusters=4, groups=2, hidden=8, reduction=2, dropout=0.1, standardised=True, head="outputs"
)
FEW = Recipe(epochs=40, rate=2e-2, hold=0.1)

# --- what is known of a shot -----------------------------------------------------------------------------------------


def known(**told: bool) -> dict[str, int]:
    states = states_told({tag.replace("_", "-"): present for tag, present in told.items()}, TAXONOMY)
    return {tag: int(state) for tag, state in zip(TAXONOMY.tags, states, strict=True) if state != UNKNOWN}


def test_a_scene_that_is_there_rules_out_what_it_excludes_and_nothing_else() -> None:
    found = known(night=True)
    assert found == {"night": 1, **dict.fromkeys(TAXONOMY.excluded("night"), 0)}
    assert "daylight" in found
    assert "race" not in found  # a race may be at night


def test_a_tag_that_is_there_has_its_parents_and_one_that_is_not_takes_its_children() -> None:
    child = next(label for label in TAXONOMY if label.parent)
    parent = str(child.parent)
    assert known(**{child.name: True})[parent] == 1
    assert set(TAXONOMY.children(parent)) <= known(**{parent: False}).keys()
    assert known(**{child.name: False}) == dict.fromkeys((child.name, *TAXONOMY.children(child.name)), 0)


def test_what_was_told_outright_stands_over_what_follows() -> None:
    assert known(night=True, daylight=True) == {
        **dict.fromkeys(TAXONOMY.excluded("night") | TAXONOMY.excluded("daylight"), 0), "night": 1, "daylight": 1
    }  # fmt: skip
    assert known(no_such_tag=True) == {}


def test_long_shots_are_thinned_evenly() -> None:
    rows = np.arange(200, dtype=np.float32)[:, None]
    thin = thinned(ShotInputs(rows, rows[:5], np.zeros(0, np.int64)))
    assert (len(thin.picture), len(thin.sound)) == (MOST_ROWS, 5)
    assert (thin.picture[0, 0], thin.picture[-1, 0]) == (0, 199)


# --- teaching a net further ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Taxonomy:
    path = tmp_path_factory.mktemp("t") / "taxonomy.yaml"
    path.write_text(
        "scene:\n  day: {zh: 日, en: day}\n  night: {zh: 夜, en: night, excludes: [day]}\n"
        "thing:\n  car: {zh: 车, en: car}\n  moon: {zh: 月, en: moon}\n",
        encoding="utf-8",
    )
    return load_taxonomy(path)


def picture(seed: int, **axes: float) -> ShotInputs:
    """Noise of one unit with some of the six numbers raised."""
    rows = np.random.default_rng(seed).normal(0, 1, (3, 6)).astype(np.float32)
    for axis, value in axes.items():
        rows[:, int(axis[1:])] += value
    return ShotInputs(rows, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), None, np.full(4, -2.0, np.float32))


def taught(small: Taxonomy, seed: int, told: dict[str, bool], **axes: float) -> Lesson:
    return lesson_of(picture(seed, **axes), told, small, "s")


@pytest.fixture(scope="module")
def base(small: Taxonomy) -> list[Lesson]:
    """Night has its first number raised, day its second; cars and moons are told of too."""
    night, day = {"night": True, "car": False}, {"day": True, "night": False, "car": True}
    told = [taught(small, k, night, x0=4) for k in range(24)]
    return told + [taught(small, 100 + k, day, x1=4) for k in range(24)]


def test_partly_known_scenes_teach_what_is_known_alone(small: Taxonomy) -> None:
    """`not night` of every shot says nothing of the day."""
    told = [taught(small, k, {"night": False}, x0=4) for k in range(12)]
    net = fit(TINY, told, small, None, seed=1, recipe=replace(FEW, hold=0.0))
    moved = answers(net, told).mean(axis=0) + 2
    assert moved[small.index("night")] < -0.3
    assert abs(moved[small.index("day")]) < 0.3


def test_a_few_corrections_are_learned_and_the_rest_stays(small: Taxonomy, base: list[Lesson]) -> None:
    net = fit(TINY, base, small, None, seed=1, recipe=Recipe(epochs=40, rate=2e-2))
    fresh = [taught(small, 500 + k, {}, x0=4) for k in range(10)] + [
        taught(small, 600 + k, {}, x1=4) for k in range(10)
    ]
    moonlit = [taught(small, 700 + k, {}, x4=5) for k in range(10)]
    before, dark = answers(net, fresh), answers(net, moonlit)
    corrections = [taught(small, 800 + k, {"moon": True}, x4=5) for k in range(8)]
    fit_further(net, [*corrections, *(replace(one, states=one.states * 0 + UNKNOWN) for one in base)], small,
                seed=1, recipe=FEW)  # fmt: skip
    after, lit = answers(net, fresh), answers(net, moonlit)
    moon = small.index("moon")
    assert lit[:, moon].mean() > dark[:, moon].mean() + 1
    assert (after.argmax(axis=1) == before.argmax(axis=1)).all()
    assert np.abs(np.delete(after, moon, axis=1) - np.delete(before, moon, axis=1)).mean() < 0.5
    assert not net.training


def test_a_single_correction_is_enough_to_learn_from_and_none_is_not(small: Taxonomy, base: list[Lesson]) -> None:
    net = fit(TINY, base[:48] + base[:1], small, None, seed=1, recipe=Recipe(epochs=2))  # 49 leave one over in a batch
    fit_further(net, [taught(small, 9, {"moon": True}, x4=5)], small, seed=1, recipe=FEW)
    with pytest.raises(ValueError, match="no lesson"):
        fit_further(net, [], small, seed=1, recipe=FEW)


@pytest.fixture(scope="module")
def bert() -> Any:
    return load_bert()[0]


def test_a_net_takes_tags_that_it_did_not_know_and_answers_as_before(bert: Any, tmp_path: Path) -> None:
    """The checkpoint's tags stand in another order, one is missing and one has left the taxonomy."""
    whole = net_for(SHIPPED_TAGGER, TAXONOMY, bert)
    kept = ["gone-since", *reversed(TAXONOMY.tags[1:])]
    places = [0, *(TAXONOMY.index(tag) for tag in kept[1:])]
    part = net_for(SHIPPED_TAGGER, TAXONOMY, bert)
    part.load_state_dict({k: _chosen(k, v, places) for k, v in whole.state_dict().items()})
    save_checkpoint(tmp_path / "part.safetensors", part, size=TAGGER_SIZE, tags=kept)
    grown = net_for(tmp_path / "part.safetensors", TAXONOMY, bert)
    rng = np.random.default_rng(1)
    shot = ShotInputs(
        rng.random((4, 1280), np.float32), rng.normal(size=(4, 128)).astype(np.float32), np.zeros(0, np.int64), None,
        rng.normal(size=len(TAXONOMY)).astype(np.float32),
    )  # fmt: skip
    lesson = [lesson_of(shot, {}, TAXONOMY, "s")]
    before, after = answers(whole, lesson)[0], answers(grown, lesson)[0]
    assert shot.prior is not None
    assert after[0] == pytest.approx(shot.prior[0])  # the first tag is new to it
    linear = [at for at in range(1, len(TAXONOMY)) if not _hears(whole, at, 0)]
    assert len(linear) > len(TAXONOMY) / 2
    np.testing.assert_allclose(after[linear], before[linear], atol=2e-3)


def _chosen(name: str, value: torch.Tensor, places: list[int]) -> torch.Tensor:
    if not name.startswith("head."):
        return value
    return value[places][:, places] if name.endswith("adjacency") else value[places]


def _hears(net: torch.nn.Module, tag: int, other: int) -> bool:
    """Does the tag's answer hear the other's over the graph?"""
    return bool(net.state_dict()["head.adjacency"][tag, other])


# --- what the library teaches ----------------------------------------------------------------------------------------


def test_corrected_shots_come_with_the_desks_word_and_what_it_let_stand(sessions: Sessions) -> None:
    with sessions.write() as session:
        put(session, "a.mp4", a_shot({"mud": 0.9, "night": 0.6}), a_shot({"suv": 0.8}))
        put(session, "b.mp4", a_shot({"suv": 0.8}))
        put(session, "c.mp4", a_shot({"suv": 0.8}))
        retire(session, adopted("c.mp4").digest)
        first, *_ = session.scalars(sa.select(Shot.id).order_by(Shot.id))
        desk.correct(session, first, "mud", present=False)
        desk.correct(session, first, "snow", present=True)
    with sessions.read() as session:
        (shot,) = lessons.corrected(session)
        assert lessons.untouched(session, 9) == (lessons.TaughtShot(adopted("b.mp4").digest, Fraction(0), Fraction(4)),)
        assert lessons.untouched(session, 0) == ()
    assert (shot.digest, shot.start, shot.end) == (adopted("a.mp4").digest, Fraction(0), Fraction(4))
    assert (shot.told, shot.standing) == ({"mud": False, "snow": True}, frozenset({"night"}))


# --- the whole walk --------------------------------------------------------------------------------------------------

LIGHT = ShotQuality(luma=0.45, sharpness=0.6, motion=0.1, text_area=0.0, loudness_db=-30)
CLIPS = 44


class Drawn:
    """Features of clips whose bytes say what they show: of `muddy` ones forty of the numbers are raised."""

    version = "drawn"

    def read(self, path: Path) -> ClipFeatures:
        muddy, seed = path.read_text("utf-8").split()
        rng = np.random.default_rng(int(seed))
        rows = rng.random((2, 1280)).astype(np.float32)
        rows[:, :40] += 4 * (muddy == "muddy")
        span = ShotFeatures(
            start=Fraction(0), end=Fraction(4), picture=rows, scores=np.full((2, 1000), 1e-3, np.float32),
            sound=np.zeros((0, 128), np.float32), burnt_in="", speech="", quality=LIGHT,
        )  # fmt: skip
        return ClipFeatures(a_clip(a_shot()).probe, "", (span,))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """A library of muddy clips that the machine does not see as such, all of them looked at by the desk."""
    made = parts(Settings(home=tmp_path_factory.mktemp("walk")))
    made.__dict__["features"] = Drawn()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with made.sessions.write() as session:
        for k in range(CLIPS):
            file = made.files.put_bytes(f"{'muddy' if k % 2 else 'plain'} {k}".encode())
            add_clip(session, file, a_clip(a_shot({"car": 0.8})), original=f"{k}.mp4", taxonomy=TAXONOMY)
    yield made
    torch.set_num_threads(threads)


def settle(house: Parts, clips: range) -> None:
    with house.sessions.write() as session:
        shots = list(session.scalars(sa.select(Shot.id).order_by(Shot.id)))
        for k in clips:
            desk.correct(session, shots[k], "mud", present=bool(k % 2))


def test_nothing_is_learned_from_nothing(house: Parts) -> None:
    with pytest.raises(learning.NothingTaught, match="0 shots are corrected"):
        learning.learn(house)


def test_few_corrections_make_a_candidate_and_many_a_better_tagger_that_one_step_takes_back(house: Parts) -> None:
    settle(house, range(4))
    few = learning.learn(house)
    assert not few.promoted
    assert "a verdict takes 5 clips" in few.why
    assert house.checkpoint == SHIPPED_TAGGER

    settle(house, range(CLIPS))
    many = learning.learn(house)
    assert many.promoted, many.why
    assert many.scores["candidate"]["brier"] < many.scores["present"]["brier"]
    assert house.checkpoint == house.trained / f"{many.checkpoint}.safetensors"
    held = {digest for digest in digests(house) if held_out(digest)}
    assert many.scores["held_out"]["clips"] == len(held)
    assert many.trained_on["corrections"] == CLIPS - len(held)
    assert [row["state"] for row in models.listed(house)] == ["present", "candidate", "retired"]
    assert {hashlib.sha256(f.read_bytes()).hexdigest() for f in house.trained.iterdir()} == {
        few.checkpoint, many.checkpoint
    }  # fmt: skip

    assert len(outdated(house)) == CLIPS  # all of them were tagged by another
    assert models.roll_back(house) is None
    assert house.checkpoint == SHIPPED_TAGGER


def test_labelled_clips_and_corrections_are_learned_together(
    house: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(house, range(CLIPS))
    apart = next(digest for digest in digests(house) if held_out(digest))
    names = {f"{k}.mp4": f"{'muddy' if k % 2 else 'plain'} {k}".encode() for k in range(90, 96)}
    for name, content in {**names, "known.mp4": house.files.path(apart).read_bytes()}.items():
        (tmp_path / name).write_bytes(content)
    rows = [f"{name},off-road,{'mud' if int(name[:2]) % 2 else ''},o{int(name[:2]) % 3}/x" for name in names]
    rows += ["known.mp4,off-road,mud,o0/x", "gone.mp4,off-road,,o1/x"]
    (tmp_path / "labels.csv").write_text("\n".join(["file,coarse,tags,source_repo", *rows]), "utf-8")
    quick = functools.partial(train_tagger, recipe=Recipe(epochs=1, batch=64))
    monkeypatch.setattr(learning, "train_tagger", quick)

    learned = learning.learn(house, learning.Table(tmp_path / "labels.csv", tmp_path))
    assert learned.trained_on["labelled_clips"] == len(names)  # a clip that is held out in the library is not learned
    assert learned.trained_on["corrections"] == CLIPS - learned.scores["held_out"]["clips"]
    assert any("gone.mp4" in line for line in learned.refused)
    about = read_about(house.trained / f"{learned.checkpoint}.safetensors")
    assert about["clips"] == sorted(names)
    assert about["desk"] == learned.trained_on["shots"]


@pytest.mark.parametrize(
    ("better", "force", "meanwhile", "promoted"),
    [
        (True, False, False, True),
        (False, False, False, False),
        (False, True, False, True),
        (True, False, True, False),
        (True, True, True, True),
    ],
)
def test_only_a_victory_over_who_still_speaks_or_a_person_promotes(
    sqlite: Sessions, better: bool, force: bool, meanwhile: bool, promoted: bool
) -> None:
    with sqlite.write() as session:
        for digest in ("a" * 64, "b" * 64):
            kept.keep(session, digest, began_with=None, trained_on={}, scores={})
        if meanwhile:
            kept.promote(session, "bbbb")
        entered, _ = learning.enter(session, "a" * 64, Verdict(better, "so"), instead_of=None, force=force)
        assert entered == promoted
        assert (kept.present(session) == "a" * 64) == promoted


def digests(house: Parts) -> list[str]:
    with house.sessions.read() as session:
        return [shot.digest for shot in lessons.corrected(session)]
