"""Faces hidden in what is rendered: at the place where they are, in every frame, the same each time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from factory.plan.timeline import Canvas, ClipLayer, Fit
from factory.render.face_blur import FacesNotFindable, face_mask
from factory.render.footage import Footage
from factory.render.source import read_source
from tests.render_kit import Store, ffmpeg, numbered_clip
from tests.test_graph import shown
from understanding import faces
from understanding.faces import Face, FaceFinder
from understanding.tagged import Box

needs_weights = pytest.mark.skipif(not faces.is_installed(), reason="the face detector's weights are not installed")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


class At(FaceFinder):
    """Says that there is a face in the same place of every picture."""

    def __init__(self, *boxes: Box) -> None:
        super().__init__()
        self.boxes, self.asked = boxes, 0

    def find(self, picture: NDArray[np.uint8], *, least: float = 0.3) -> tuple[Face, ...]:
        self.asked += 1
        return tuple(Face(box, 0.9) for box in self.boxes)


def frames(video: Path) -> NDArray[np.uint8]:
    with av.open(str(video)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_only_the_place_of_the_face_is_a_mosaic(store: Store) -> None:
    path = store.folder / "plain.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=2", "-crf", "1", str(path))
    layer = ClipLayer("plain", 1, Fraction(1, 2), 0, 30, blur_faces=True)
    source = read_source("plain", path)
    finder = At(Box(0.6, 0.5, 0.7, 0.7))
    mask = face_mask(layer, source, Canvas(320, 180), store.cached, finder=finder)
    assert mask is not None
    asked = finder.asked
    assert asked == 6  # a second at five looks a second, and its end
    assert face_mask(layer, source, Canvas(320, 180), store.cached, finder=finder) == mask
    assert finder.asked == asked  # what was found is kept
    clear = frames(shown(store, Footage(layer, source), 30, "clear"))
    hidden = frames(shown(store, Footage(layer, source, mask), 30, "hidden"))
    change = np.abs(clear.astype(int) - hidden).max(3).mean(0)
    noise = max(change[:60].mean(), change[:, :150].mean())  # the encoder's
    assert noise < 3
    assert change[90:126, 196:220].mean() > 20
    assert len(hidden) == 30


def test_no_face_is_no_mask_and_no_other_command(store: Store) -> None:
    path = numbered_clip(store.folder / "none.mp4", frames=30)
    layer = ClipLayer("none", 1, Fraction(0), 0, 20, blur_faces=True)
    assert face_mask(layer, read_source("none", path), Canvas(320, 180), store.cached, finder=At()) is None


def test_a_missing_detector_stops_the_render(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "CARRIER", "no_such_package_of_ours")
    path = numbered_clip(store.folder / "missing.mp4", frames=30)
    layer = ClipLayer("missing", 1, Fraction(0), 0, 20, blur_faces=True)
    with pytest.raises(FacesNotFindable, match="face detector"):
        face_mask(layer, read_source("missing", path), Canvas(320, 180), store.cached, finder=FaceFinder())


@needs_weights
@pytest.mark.parametrize("fit", ["cover", "contain-blur", "contain"])
def test_a_real_face_is_no_longer_found(media: Path, store: Store, fit: Fit) -> None:
    canvas = Canvas(320, 180) if fit == "cover" else Canvas(360, 640)
    path = media / "public" / "interior-man-talking-in-moving-car.mp4"
    source, finder = read_source("talk", path), FaceFinder(threads=1)
    layer = ClipLayer("talk", 1, Fraction(1), 0, 30, Fraction(9, 10), fit, blur_faces=True)
    mask = face_mask(layer, source, canvas, store.cached, finder=finder)
    assert mask is not None
    clear = frames(shown(store, Footage(layer, source), 30, f"f-clear-{fit}", canvas=canvas))[::6]
    hidden = frames(shown(store, Footage(layer, source, mask), 30, f"f-hidden-{fit}", canvas=canvas))[::6]
    assert all(finder.find(picture, least=0.5) for picture in clear)
    assert not any(finder.find(picture, least=0.5) for picture in hidden)
