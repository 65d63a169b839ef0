"""The car of a shot: looked for once, followed on every canvas, kept in the crop of drawn and of real clips."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from factory.plan.following import MOST_ACCELERATION, MOST_SPEED
from factory.plan.timeline import Canvas, CardLayer, ClipLayer, TimedScene, Timeline, Transition
from factory.render.errors import RenderFailed
from factory.render.film import render_film
from factory.render.source import read_source
from factory.render.tracking import Eye, default_eye, track
from factory.samples import draw_library
from tests.render_kit import PlainCards, Store, ffmpeg, frames_digest, hum, lumas
from tests.tracked import PORTRAIT, SQUARE, Truth, drawn_truth, measured, real_truths
from understanding.vehicles import COLUMNS, Map

TALL = Canvas(180, 320)
TRUTHS = real_truths()


class Spot:
    """Takes what is bright for a vehicle."""

    name = "spot"

    def __init__(self) -> None:
        self.asked = 0

    def evidence(self, picture: NDArray[np.uint8]) -> Map:
        self.asked += 1
        lines = round(COLUMNS * picture.shape[0] / picture.shape[1])
        small = cv2.resize(picture[..., 1], (COLUMNS, lines), interpolation=cv2.INTER_AREA)
        return np.where(cv2.dilate(small, np.ones((9, 9), np.uint8)) > 180, 5.0, -5.0).astype(np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def eye(store: Store) -> Eye:
    return default_eye(store.cached)


@pytest.fixture(scope="module")
def spot(store: Store) -> Path:
    """A bright plate, 0.15 of the picture wide, that goes from 0.1 to 0.6 in four seconds."""
    path = store.folder / "spot.mp4"
    graph = "color=0x303030:s=640x360:r=30:d=4[a];color=white:s=96x60:r=30:d=4[b];[a][b]overlay=x='64+80*t':y=200"
    ffmpeg("-filter_complex", graph, "-c:v", "libx264", "-preset", "ultrafast", str(path))
    return path


def layer(**changes: object) -> ClipLayer:
    return replace(ClipLayer("spot", 1, Fraction(0), 0, 110, fit="track"), **changes)  # type: ignore[arg-type]


def test_what_was_looked_at_serves_every_canvas(store: Store, spot: Path) -> None:
    source, seeing = read_source("spot", spot), Spot()
    narrow = track(layer(), source, TALL, store.cached, eye=seeing)
    assert narrow is not None
    assert narrow.window == pytest.approx(0.3164, abs=1e-3)
    for frame in range(0, 110, 10):
        middle = (64 + 48 + 80 * frame / 30) / 640
        assert abs(narrow.at(frame) + narrow.window / 2 - middle) < 0.09
    asked = seeing.asked
    assert asked == 16  # four looks a second, and the end
    square = track(layer(), source, Canvas(180, 180), store.cached, eye=seeing)
    assert square is not None
    assert square.window == pytest.approx(0.5625)
    assert track(layer(), source, TALL, store.cached, eye=seeing) == narrow
    assert seeing.asked == asked


def test_a_canvas_of_the_same_shape_needs_no_look(store: Store, spot: Path) -> None:
    seeing = Spot()
    assert track(layer(), read_source("spot", spot), Canvas(320, 180), store.cached, eye=seeing) is None
    assert seeing.asked == 0


def test_a_flat_canvas_is_followed_up_and_down(store: Store, spot: Path) -> None:
    path = track(layer(), read_source("spot", spot), Canvas(360, 100), store.cached, eye=Spot())
    assert path is not None
    assert path.axis == "y"
    assert path.at(50) < 200 / 360
    assert path.at(50) + path.window > 260 / 360


def test_speed_and_window_are_minded(store: Store, spot: Path) -> None:
    source = read_source("spot", spot)
    slow = track(layer(frames=200, speed=Fraction(1, 2)), source, TALL, store.cached, eye=Spot())
    assert slow is not None
    assert abs(slow.at(180) + slow.window / 2 - (64 + 48 + 80 * 3) / 640) < 0.09
    left = track(layer(frames=60, window=(0.0, 0.0, 0.5, 1.0)), source, TALL, store.cached, eye=Spot())
    assert left is not None
    assert left.window == pytest.approx(2 * 0.3164, abs=1e-3)
    assert abs(left.at(30) + left.window / 2 - (64 + 48 + 80) / 320) < 0.2


def test_without_a_car_there_is_no_path(store: Store) -> None:
    path = store.folder / "bare.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=2,eq=brightness=-0.6", "-c:v", "libx264", str(path))
    assert track(layer(asset="bare", frames=40), read_source("bare", path), TALL, store.cached, eye=Spot()) is None


def test_footage_that_breaks_is_named(store: Store, spot: Path) -> None:
    source = read_source("spot", spot)
    gone = replace(source, asset="gone", path=store.folder / "gone.mp4")
    with pytest.raises(RenderFailed, match="the footage gone cannot be searched for a car"):
        track(layer(asset="gone"), gone, TALL, store.cached, eye=Spot())


def test_a_film_of_a_followed_shot_is_the_same_with_any_cache_and_any_number_of_workers(
    store: Store, spot: Path, tmp_path: Path
) -> None:
    card = CardLayer("plate", {"text": "x", "box": (10, 20, 80, 30)}, 20, 30)
    scenes = (
        TimedScene("one", 70, (layer(asset="spot", frames=70), card), Transition("fade", 10)),
        TimedScene("two", 50, (layer(asset="spot", frames=50, source_start=Fraction(2)),)),
    )
    canvas = Canvas(360, 640)  # on a third of that, x264 does not always write the same for a picture that moves
    timeline = Timeline("followed", "en-US", "test", "plain", canvas, scenes)
    digests = set[str]()
    for jobs in (1, 2):
        fresh = Store(tmp_path / f"store-{jobs}")
        fresh.shelf["spot"] = spot
        for number in range(2):
            film = render_film(
                timeline,
                source=fresh.source,
                cached=fresh.cached,
                templates=PlainCards(),
                write_music=hum,
                out=tmp_path / f"film-{jobs}-{number}.mp4",
                jobs=jobs,
                eye=Spot(),
            )
            digests.add(frames_digest(film.video))
    assert len(digests) == 1
    plate = 0.15 / 0.3164 * canvas.width * 60 / 360 * canvas.height  # bright pixels when it is whole
    assert min((picture > 200).sum() for picture in lumas(film.video)[:60]) > 0.9 * plate


# the default eye on clips whose truth is known


def kept(truth: Truth, path: Path, canvas: Canvas, store: Store, eye: Eye, share: float) -> bool:
    """Check a clip's figures; return whether the crop fills the canvas."""
    found = measured(truth, path, canvas, store.cached, eye)
    assert found.inside >= share * found.narrow
    assert found.speed <= MOST_SPEED + 1e-3
    assert found.acceleration <= MOST_ACCELERATION + 1e-2
    return found.fills


@pytest.mark.parametrize(
    ("stem", "fills"),
    {
        "exterior-kestrel-gt-coupe-desert-dusk": (True, True),
        "exterior-kestrel-gt-coupe-bridge-dusk": (False, True),  # wider than an upright crop
        "off-road-northwind-x5-suv-mud-front": (True, True),
        "off-road-suv-snow-forest": (True, True),
    }.items(),
)
def test_a_drawn_car_stays_in_the_crop(stem: str, fills: tuple[bool, bool], store: Store, eye: Eye) -> None:
    (path,) = draw_library(store.folder / "drawn", only=[stem], height=360)
    truth = drawn_truth(stem)
    assert tuple(kept(truth, path, canvas, store, eye, 1.0) for canvas in (PORTRAIT, SQUARE)) == fills


@pytest.mark.media
@pytest.mark.parametrize("truth", TRUTHS, ids=[Path(truth.name).stem for truth in TRUTHS])
def test_a_real_car_stays_in_the_crop(truth: Truth, media: Path, store: Store, eye: Eye) -> None:
    for canvas in (PORTRAIT, SQUARE):
        kept(truth, media / truth.name, canvas, store, eye, 0.95)


@pytest.mark.media
@pytest.mark.parametrize(
    "name", ["neg-cow-on-muddy-meadow", "neg-tennis-clay", "neg-breakdance-street", "neg-fishing-boat"]
)
def test_what_is_no_car_is_not_followed(name: str, media: Path, store: Store, eye: Eye) -> None:
    path = media / "measure-only" / f"{name}.mp4"
    whole = ClipLayer(name, 1, Fraction(0), 0, 150, fit="track")
    assert track(whole, read_source(name, path), PORTRAIT, store.cached, eye=eye) is None
