"""The picture network: the exported graph says what torch says, is made once, and knows a vehicle."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from understanding import picture_rows
from understanding.media import read_frames
from understanding.picture_rows import PictureNet, export_once, prepared, torch_net

VEHICLES = [
    407,
    436,
    468,
    511,
    555,
    569,
    573,
    581,
    609,
    627,
    654,
    656,
    661,
    665,
    675,
    717,
    734,
    751,
    757,
    779,
    817,
    864,
    867,
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_onnx_equals_torch(cache: Path) -> None:
    import torch

    pictures = np.random.default_rng(3).integers(0, 256, (17, 224, 224, 3), dtype=np.uint8)
    pictures[1:] = (
        cv2.GaussianBlur(pictures[1:].transpose(1, 2, 3, 0).reshape(224, 224, -1), (0, 0), 9)
        .reshape(224, 224, 3, 16)
        .transpose(3, 0, 1, 2)
    )
    embeddings, scores = PictureNet(cache).read(pictures)
    with torch.inference_mode():
        wanted = [part.numpy() for part in torch_net()(torch.from_numpy(prepared(pictures)))]
    assert embeddings.shape == (17, 1280)
    assert np.abs(embeddings - wanted[0]).max() < 1e-4
    assert np.abs(scores - wanted[1]).max() < 1e-4
    assert np.allclose(scores.sum(1), 1, atol=1e-5)


def test_the_graph_is_exported_once(cache: Path) -> None:
    path = export_once(cache)
    before = path.stat()
    assert export_once(cache) == path
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert [entry.name for entry in cache.iterdir()] == [path.name]


def test_no_pictures_give_no_rows(cache: Path) -> None:
    embeddings, scores = PictureNet(cache).read(np.empty((0, 224, 224, 3), np.uint8))
    assert (embeddings.shape, scores.shape) == ((0, 1280), (0, 1000))


def test_input_is_scaled_as_the_weights_were_trained() -> None:
    grey = np.full((1, 2, 2, 3), 127, np.uint8)
    assert prepared(grey).shape == (1, 3, 2, 2)
    assert not prepared(grey).any()
    assert prepared(np.full_like(grey, 255)).max() == 1.0


@pytest.mark.media
def test_a_car_is_seen_as_a_vehicle_and_a_cat_is_not(media: Path, cache: Path) -> None:
    def vehicle_mass(name: str) -> float:
        frame = read_frames(media / "public" / name, times=[Fraction(2)], height=224).rgb[0]
        _, scores = PictureNet(cache).read(cv2.resize(frame, (picture_side, picture_side))[None])
        return float(scores[0, VEHICLES].sum())

    picture_side = 224
    assert vehicle_mass("exterior-classic-beetle-front-photo-zoom.mp4") > 0.5
    assert vehicle_mass("neg-kitten-playing.mp4") < 0.1
    assert picture_rows.CLASSES == 1000
