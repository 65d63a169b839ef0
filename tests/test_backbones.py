"""Pictures and sound by nets of a hub: the real loading code of transformers on tiny nets saved to disk, no network."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from factory.ingest import Provenance, ingest
from factory.plan.choosing import choose_shots
from factory.plan.query import EVERYTHING
from factory.settings import Settings
from factory.store import assets
from factory.wiring import BackboneUnavailable, Parts, parts
from tests import tiny_backbones
from tests.drawn_video import draw_video, scene
from tests.test_choosing import shot, slot
from understanding import hub
from understanding.build import SHIPPED_TAGGER, CheckpointRefused, rows_of, size_for
from understanding.labels import load_taxonomy
from understanding.open_vocabulary import CEILING, OpenVocabulary
from understanding.picture_backbone import HubPicture, picture_backbone
from understanding.picture_rows import PictureNet
from understanding.sound_backbone import HubSound, LogMel, sound_backbone
from understanding.sound_rows import RATE

PICTURES = ("clip", "siglip", "dinov2", "dinov3")
SOUNDS = ("clap", "ast")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tiny")
    return {kind: tiny_backbones.save(folder / kind, kind) for kind in (*PICTURES, *SOUNDS)}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a network was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def pictures(count: int) -> NDArray[np.uint8]:
    return np.stack([scene(seed, size=(224, 224))[:224, :224] for seed in range(count)] or [scene(0)[:0]])


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_net_gives_a_row_for_each_picture(tiny: dict[str, Path], kind: str) -> None:
    net = HubPicture(str(tiny[kind]))
    rows, classes = net.read(pictures(19))
    assert rows.shape == (19, net.width)
    assert rows.dtype == np.float32
    assert classes.shape == (19, 0)
    assert np.isfinite(rows).all()
    assert len({row.tobytes() for row in rows}) == 19  # each picture another row
    again, _ = net.read(pictures(19)[17:])
    assert np.allclose(again, rows[17:], atol=1e-5)  # whatever stands beside it in a batch
    assert net.read(np.empty((0, 224, 224, 3), np.uint8))[0].shape == (0, net.width)
    assert net.reads_text is (kind in ("clip", "siglip"))


def test_numbers_of_a_processor_that_wants_torchvision_are_kept(tiny: dict[str, Path], tmp_path: Path) -> None:
    before, _ = HubPicture(str(tiny["dinov3"])).read(pictures(1))
    other = tiny_backbones.save(tmp_path / "other", "dinov3")
    about = json.loads((other / "preprocessor_config.json").read_text())
    (other / "preprocessor_config.json").write_text(json.dumps({**about, "image_std": [0.4] * 3}))
    after, _ = HubPicture(str(other)).read(pictures(1))
    assert not np.allclose(before, after)


@pytest.mark.parametrize("kind", SOUNDS)
@pytest.mark.parametrize("seconds", [0.2, 1.0, 3.4, 9.6])
def test_a_sound_net_gives_rows_in_step_with_the_default(tiny: dict[str, Path], kind: str, seconds: float) -> None:
    net = HubSound(str(tiny[kind]))
    noise = np.random.default_rng(1).normal(0, 0.1, int(seconds * RATE)).astype(np.float32)
    rows = net.read(noise)
    assert rows.shape == (len(LogMel().read(noise)), net.width)
    assert np.isfinite(rows).all()
    if seconds > 2:  # a row is its own second's
        changed = noise.copy()
        changed[RATE : 2 * RATE] = np.sin(np.arange(RATE))
        differs = np.abs(net.read(changed) - rows).max(axis=1) > 1e-6
        assert np.flatnonzero(differs).tolist() == [1]
    assert net.read(np.zeros(RATE, np.float32)).shape == (0, net.width)


def test_the_default_loads_nothing_of_a_hub(tmp_path: Path) -> None:
    assert isinstance(picture_backbone("efficientnet-lite0", tmp_path), PictureNet)
    assert isinstance(sound_backbone("log-mel"), LogMel)
    assert LogMel.width == 128


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["resnet50", "../nowhere", "/no/such/folder", "a/b/c", "https://example.org/x", "a b/c"]
)
def test_what_is_no_name_is_refused_without_a_network(name: str) -> None:
    with pytest.raises(hub.BackboneUnavailable, match="no folder here and no owner/name") as refused:
        picture_backbone(name, Path())
    assert "FACTORY_PICTURE" in refused.value.next_step


def test_a_folder_that_holds_no_net_is_refused(tiny: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(hub.BackboneUnavailable):
        HubPicture(str(tmp_path))
    broken = tiny_backbones.save(tmp_path / "broken", "clip")
    (broken / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(hub.BackboneUnavailable):
        HubPicture(str(broken))
    with pytest.raises(hub.BackboneUnavailable, match="FACTORY_SOUND"):
        HubSound(str(tiny["dinov2"]))
    with pytest.raises(hub.BackboneUnavailable, match="FACTORY_PICTURE"):
        HubPicture(str(tiny["ast"]))


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    folder = tiny_backbones.save(tmp_path / "clip", "clip")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(hub.BackboneUnavailable):
        HubPicture(str(folder))


def test_other_weights_are_another_name(tmp_path: Path) -> None:
    one, same = (tiny_backbones.save(tmp_path / place / "clip", "clip") for place in ("one", "same"))
    assert HubPicture(str(one)).name == HubPicture(str(same)).name
    weights = bytearray((same / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (same / "model.safetensors").write_bytes(weights)
    assert HubPicture(str(one)).name != HubPicture(str(same)).name
    assert HubPicture(str(one)).name.startswith("clip-")


def test_nothing_brings_torchvision_or_torchaudio(tiny: dict[str, Path]) -> None:
    program = (
        "import sys; from understanding.picture_backbone import HubPicture; from understanding.sound_backbone import "
        f"HubSound; HubPicture({str(tiny['clip'])!r}); HubSound({str(tiny['ast'])!r}); "
        "print([name for name in sys.modules if name.split('.')[0] in ('torchvision', 'torchaudio')])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.strip() == "[]"
    assert told.stderr == ""


# --- tags from names --------------------------------------------------------------------------------------------------


class Axes:
    """A space in which each tag's English name has an axis of its own and sentences of nothing share the last one."""

    scale, languages = 20.0, ("en",)

    def __init__(self) -> None:
        self.names = [label.en for label in load_taxonomy()]

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), len(self.names) + 1), np.float32)
        for row, text in zip(rows, texts, strict=True):
            fitting = [at for at, name in enumerate(self.names) if text.endswith((f" of {name}.", f" showing {name}."))]
            row[fitting[0] if fitting else -1] = 1
        return rows


def test_a_picture_shows_what_it_lies_nearest_to() -> None:
    taxonomy, space = load_taxonomy(), Axes()
    names = OpenVocabulary(taxonomy, space)
    picture = space.texts([f"a photo of {taxonomy['mud'].en}.", f"a photo of {taxonomy['interior'].en}."])
    sure = dict(zip(taxonomy.tags, names.see(picture), strict=True))
    assert sorted(sure, key=lambda tag: -sure[tag])[:2] == ["mud", "interior"]
    assert 0.5 < sure["interior"] <= sure["mud"] <= CEILING
    assert sure["night"] < 0.4
    nothing = names.see(space.texts(["a photo."]))
    assert nothing.max() < 0.01


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_names_and_pictures_meet_in_the_space_of_a_real_net(tiny: dict[str, Path], kind: str) -> None:
    net, taxonomy = HubPicture(str(tiny[kind])), load_taxonomy()
    assert net.languages == (("zh", "en") if kind == "siglip" else ("en",))
    texts = net.texts(["a photo of car", "a photo of mud", "a photo of car"])
    assert texts.shape == (3, net.width)
    assert np.allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)
    assert np.allclose(texts[0], texts[2], atol=1e-6)
    assert not np.allclose(texts[0], texts[1], atol=1e-4)
    sure = OpenVocabulary(taxonomy, net).see(net.read(pictures(2))[0])
    assert sure.shape == (len(taxonomy),)
    assert ((sure >= 0) & (sure <= CEILING)).all()


# --- the house over them ----------------------------------------------------------------------------------------------


@pytest.fixture
def house(tiny: dict[str, Path], tmp_path: Path) -> Iterator[Parts]:
    home = tmp_path / "home"
    built = parts(Settings(home=home, database_url="", picture=str(tiny["clip"]), sound=str(tiny["ast"])))
    yield built
    built.sessions.close()


def test_a_clip_is_tagged_by_the_nets_that_were_named(
    house: Parts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sound = np.random.default_rng(3).normal(0, 0.05, 2 * RATE).astype(np.float32)
    clip = draw_video(tmp_path / "SUV in the mud.avi", [scene(1)] * 50, sound=sound)
    with caplog.at_level(logging.WARNING, "factory"):
        outcome = ingest(clip, house, Provenance())
    assert outcome.status == "added", outcome
    assert "factory train tagger" in caplog.text
    with house.sessions.read() as session:
        found = assets.find_shots(session, EVERYTHING, vectors=True).shots
    assert {"mud", "suv"} <= {tag.tag for tag in found[0].tags}
    assert len(found[0].vector) == 12
    (kept,) = (tmp_path / "home" / "cache" / "features").iterdir()
    assert kept.name == house.features.version
    assert house.features.picture.name in kept.name
    assert house.features.sound.name in kept.name


def test_shots_of_different_nets_are_chosen_from_together() -> None:
    vectors = [(1.0, 0.0), (1.0, 0.0, 0.0), (), (0.0, 1.0, 0.0)]
    shots = [shot(number, vector=vector) for number, vector in enumerate(vectors)]
    slots = [slot("a"), slot("b"), slot("c"), slot("d")]
    choices = choose_shots(slots, {one.id: shots for one in slots}, seed=1)
    assert {choice.candidate.shot for choice in choices} == {0, 1, 2, 3}


def test_a_net_that_learned_from_other_rows_is_refused(house: Parts, tmp_path: Path) -> None:
    with pytest.raises(CheckpointRefused, match="learned from rows of the house") as refused:
        house.tagger_of(SHIPPED_TAGGER)
    assert "factory train tagger" in refused.value.next_step
    size = size_for(house.features)
    assert (size.picture, size.sound) == (12, 16)
    assert set(rows_of(house.features)) == {"picture", "sound"}


def test_a_wrong_name_ends_an_ingest_before_anything_is_kept(tmp_path: Path) -> None:
    built = parts(Settings(home=tmp_path / "home", database_url="", picture="nowhere"))
    clip = draw_video(tmp_path / "a.avi", [scene(1)] * 5)
    with pytest.raises(BackboneUnavailable, match="FACTORY_PICTURE=nowhere") as refused:
        ingest(clip, built)
    assert refused.value.sentence().startswith("backbone-unavailable: ")
    assert not [path for path in (tmp_path / "home").rglob("*") if path.suffix == ".avi"]
    assert clip.exists()
    built.sessions.close()


@pytest.mark.parametrize("kind", ["clip", "clap"])
def test_a_net_goes_to_the_device_where_there_is_one(
    tiny: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a device, and every other test here uses it")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises((AssertionError, hub.BackboneUnavailable), match=r"CUDA|NVIDIA"):
        HubPicture(str(tiny[kind])) if kind == "clip" else HubSound(str(tiny[kind]))
