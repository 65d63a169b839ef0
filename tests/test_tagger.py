"""The tagger end to end: real net, real BERT and sentence weights, hand-made features; and its face."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

import understanding
from understanding.build import build_net, load_bert, load_tagger, save_checkpoint
from understanding.calibration import Calibration
from understanding.features import ClipFeatures, ShotFeatures
from understanding.labels import LabelGraph, load_taxonomy
from understanding.modeling.inputs import Batch
from understanding.modeling.net import Net
from understanding.sentences import SentenceEncoder, name_vectors
from understanding.tagged import Probe, ShotQuality, TaggedClip
from understanding.tagger import Tagger, _batches, _spread
from understanding.words import Words

TAXONOMY = load_taxonomy()
LIGHT = ShotQuality(luma=0.45, sharpness=0.6, motion=0.1, text_area=0.0, loudness_db=-30)


class Library:
    """Features that were read before, by file name."""

    version = "hand-made"

    def __init__(self, clips: dict[str, ClipFeatures]) -> None:
        self.clips = clips

    def read(self, path: Path) -> ClipFeatures:
        return self.clips[path.name]


def shot(seconds: int, classes: dict[int, float], *, start: int = 0, sound: bool = True) -> ShotFeatures:
    rng = np.random.default_rng(seconds)
    scores = np.full((seconds, 1000), (1 - sum(classes.values())) / 1000, np.float32)
    for index, share in classes.items():
        scores[:, index] += share
    return ShotFeatures(
        start=Fraction(start),
        end=Fraction(start + seconds),
        picture=rng.random((seconds, 1280), np.float32),
        scores=scores,
        sound=rng.normal(size=(seconds if sound else 0, 128)).astype(np.float32),
        burnt_in="",
        speech="",
        quality=LIGHT,
    )


def clip(*shots: ShotFeatures, title: str = "", warnings: tuple[str, ...] = ()) -> ClipFeatures:
    end = shots[-1].end
    probe = Probe(
        container="mp4", codec="h264", width=1280, height=720, fps=Fraction(25), frames=int(25 * end), seconds=end,
        rotation=0, pixel_format="yuv420p", interlaced=False, variable_rate=False, sound_codec="aac", sound_rate=48000,
        sound_channels=2, sound_start=Fraction(0), title=title, warnings=warnings,
    )  # fmt: skip
    return ClipFeatures(probe, title, shots)


SPORTS_CAR, TABBY = 817, 281
CLIPS = Library(
    {
        "a.mp4": clip(shot(4, {SPORTS_CAR: 0.8}), shot(3, {TABBY: 0.9}, start=4, sound=False), title="红隼 GT 漂移"),
        "black.mp4": clip(
            replace(shot(2, {}), quality=replace(LIGHT, luma=0.0, sharpness=0.0)), warnings=("low-light",)
        ),
        "long.mp4": clip(
            *(shot(1 + i % 7, {SPORTS_CAR: 0.5}, start=8 * i) for i in range(120)), title="A car in the mud"
        ),
    }
)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    return load_tagger(tmp_path_factory.mktemp("cache"), features=CLIPS)


def tags(said: TaggedClip, index: int = 0) -> dict[str, str]:
    return {tag.name: tag.modality for tag in said.shots[index].tags}


def test_a_clip_becomes_tagged_shots(tagger: Tagger) -> None:
    said = tagger.read(Path("folder/a.mp4"))
    assert [(int(s.start), int(s.end)) for s in said.shots] == [(0, 4), (4, 7)]
    assert tags(said)["sports-car"] == "picture"
    assert tags(said)["drift"] == "words"
    assert tags(said, 1)["animal"] == "picture"
    assert "car" not in {tag.name for tag in said.shots[1].tags if tag.modality == "picture"}
    assert said.version == tagger.version
    assert said.language == "zh"


def test_tags_are_sorted_canonical_and_probable(tagger: Tagger) -> None:
    for tagged in tagger.read(Path("a.mp4")).shots:
        confidences = [tag.confidence for tag in tagged.tags]
        assert confidences == sorted(confidences, reverse=True)
        assert all(0.3 <= c <= 1 for c in confidences)
        assert all(tag.name in TAXONOMY for tag in tagged.tags)


def test_the_face_detector_decides_the_tag_of_faces(tagger: Tagger) -> None:
    seen, unsure, none = (replace(shot(3, {834: 0.9}), face=face) for face in (0.82, 0.4, 0.0))
    tagged = tagger.tag(clip(seen, title="portrait shot")).shots[0]
    (face,) = (tag for tag in tagged.tags if tag.name == "face-visible")
    assert (face.confidence, face.modality) == (0.82, "picture")
    for unseen in (unsure, none):
        assert "face-visible" not in tags(tagger.tag(clip(unseen, title="portrait shot")))
    ranked = tagger.logits(clip(seen, unsure, none))[:, TAXONOMY.index("face-visible")]
    assert ranked[0] > ranked[1] > ranked[2]
    asked = tagger.tag(clip(shot(3, {834: 0.9}), title="portrait shot"))  # no detector: the name tells
    assert "face-visible" in tags(asked)


def test_vectors_are_unit_means_of_the_picture(tagger: Tagger) -> None:
    tagged = tagger.read(Path("a.mp4")).shots[0]
    mean = CLIPS.clips["a.mp4"].shots[0].picture.mean(axis=0)
    assert tagged.vector.dtype == np.float32
    assert tagged.vector.shape == (1280,)
    np.testing.assert_allclose(tagged.vector, mean / np.linalg.norm(mean), atol=1e-6)


def test_untrained_the_net_leaves_the_belief_as_it_is(tagger: Tagger) -> None:
    read = CLIPS.clips["a.mp4"]
    said = tagger.tag(read, file_name="a.mp4")
    belief = tagger._matcher.believe(read.shots[0].scores, LIGHT, Words(read.title, "a.mp4"), shots=2)
    for tag in said.shots[0].tags:
        assert tag.confidence == pytest.approx(belief.probability[TAXONOMY.index(tag.name)], abs=1e-4)


def test_a_black_clip_has_no_tags_and_says_so(tagger: Tagger) -> None:
    said = tagger.read(Path("black.mp4"))
    assert said.shots[0].tags == ()
    assert said.warnings == ("low-light", "no-tags")
    assert said.language == ""


def test_a_broken_row_does_not_poison_the_answer(tagger: Tagger) -> None:
    one = shot(3, {SPORTS_CAR: 0.8})
    one.picture[1, 5] = np.nan
    said = tagger.tag(clip(one))
    assert "car" in tags(said)
    assert np.isfinite(said.shots[0].vector).all()
    zero = replace(one, picture=np.zeros((2, 1280), np.float32), scores=one.scores[:2])
    assert np.linalg.norm(tagger.tag(clip(zero)).shots[0].vector) == pytest.approx(1, abs=1e-5)


def test_many_shots_cost_little(tagger: Tagger) -> None:
    tagger.read(Path("long.mp4"))
    started = time.process_time()
    said = tagger.read(Path("long.mp4"))
    assert len(said.shots) == 120
    assert [s.start for s in said.shots] == sorted(s.start for s in said.shots)
    assert time.process_time() - started < 10  # about one second on an idle core


def trained_on_snow(path: Path, tags: tuple[str, ...] = TAXONOMY.tags) -> Path:
    """A checkpoint that believes in snow wherever it hears something."""
    vectors = name_vectors(TAXONOMY, SentenceEncoder())[: len(tags)]
    graph = LabelGraph(np.zeros((len(tags), len(tags))))
    net = build_net("desk-small", classes=len(tags), graph=graph, label_vectors=vectors, bert=load_bert()[0])
    net.start_at_zero()
    with torch.no_grad():
        net.head.linear.logistic.bias[tags.index("snow")] = 12.0  # type: ignore[union-attr,operator]  # torch types attributes of modules as tensor or module
    save_checkpoint(path, net, size="desk-small", tags=tags)
    return path


def test_a_trained_net_changes_tags_and_version(tagger: Tagger, tmp_path: Path) -> None:
    trained = load_tagger(tmp_path, checkpoint=trained_on_snow(tmp_path / "snow.safetensors"), features=CLIPS)
    assert "snow" in tags(trained.read(Path("a.mp4")))
    assert trained.read(Path("black.mp4")).shots[0].tags == ()  # what shows nothing is not asked about
    assert trained.version != tagger.version


def test_a_taxonomy_may_grow_and_shrink_after_training(tagger: Tagger, tmp_path: Path) -> None:
    known = (*(tag for tag in reversed(TAXONOMY.tags) if tag != "drift"), "forgotten")
    trained = load_tagger(tmp_path, checkpoint=trained_on_snow(tmp_path / "snow.safetensors", known), features=CLIPS)
    said = tags(trained.read(Path("a.mp4")))
    assert {"snow", "drift", "sports-car"} <= said.keys()
    assert said["drift"] == "words"  # untrained, its name stands
    assert said["sports-car"] == "picture"


class Ears(Net):
    """Believes in rain where it hears anything."""

    def forward(self, batch: Batch) -> torch.Tensor:
        assert batch.prior is not None
        logits = batch.prior.clone()
        logits[:, TAXONOMY.index("rain")] += 9.0 * batch.sound_mask.any(dim=1)
        return logits

    def start_at_zero(self) -> None: ...

    def penalty(self) -> torch.Tensor:
        return torch.zeros(())


def test_a_tag_names_the_modality_that_carried_it_through_the_net(tagger: Tagger) -> None:
    listener = Tagger(
        features=CLIPS, net=Ears(), taxonomy=TAXONOMY, matcher=tagger._matcher, words=tagger._words, weights="ears"
    )
    said = listener.read(Path("a.mp4"))
    assert tags(said)["rain"] == "sound"
    assert tags(said)["drift"] == "words"
    assert "rain" not in tags(said, 1)  # which has no sound


def test_of_tags_that_exclude_each_other_the_surer_one_is_said(tmp_path: Path) -> None:
    loud = Library({"x.mp4": clip(shot(3, {}), title="night drive in sunny weather, daylight")})
    tagger = load_tagger(tmp_path, features=loud)
    said = tags(tagger.read(Path("x.mp4")))
    assert len({"night", "daylight"} & said.keys()) == 1


@pytest.mark.parametrize(
    ("sure", "said"), [({"race": 0.3, "night": 0.25}, ["race"]), ({"race": 0.1}, []), ({"accident": 0.4}, [])]
)
def test_a_shot_says_its_likeliest_scene_where_none_is_sure(
    tagger: Tagger, monkeypatch: pytest.MonkeyPatch, sure: dict[str, float], said: list[str]
) -> None:
    monkeypatch.setattr(tagger, "calibration", Calibration(thresholds=dict.fromkeys(TAXONOMY.tags, 0.5)))
    confidence = np.full(len(TAXONOMY), 0.05)
    for tag, value in sure.items():
        confidence[TAXONOMY.index(tag)] = value
    assert [TAXONOMY.tags[i] for i in np.flatnonzero(tagger._says(confidence))] == said


def test_the_version_is_stable_and_follows_the_taxonomy(tagger: Tagger, tmp_path: Path) -> None:
    assert load_tagger(tmp_path, features=CLIPS).version == tagger.version
    path = tmp_path / "taxonomy.yaml"
    path.write_text("scene:\n  night: {zh: 夜, en: night}\n  day: {zh: 日, en: day}\n", encoding="utf-8")
    other = load_tagger(tmp_path, load_taxonomy(path), features=CLIPS)
    assert other.version != tagger.version
    assert [s.tags for s in other.read(Path("black.mp4")).shots] == [()]


def test_batches_bound_the_padded_rows() -> None:
    lengths = [300, 1, 5, 300, 299, 2, 300, 300]
    batches = list(_batches(lengths))
    assert sorted(i for batch in batches for i in batch) == list(range(8))
    assert all(max(lengths[i] for i in batch) * len(batch) <= 1024 for batch in batches)
    assert list(_batches([])) == []


def test_long_shots_are_read_evenly() -> None:
    rows = np.arange(1000, dtype=np.float32)[:, None]
    spread = _spread(rows)
    assert len(spread) == 300
    assert spread[0] == 0
    assert spread[-1] == 999


def test_the_face_names_the_tagger() -> None:
    assert understanding.Tagger is Tagger
    with pytest.raises(AttributeError, match="has no attribute 'Tagged'"):
        understanding.Tagged  # noqa: B018  the access itself is tested
