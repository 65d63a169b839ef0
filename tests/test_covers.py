"""Covers: the sharpest, best lit picture with the car whole in it, never a face that is hidden, the title beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from factory.plan.covers import ALWAYS, MOST_LOOKS, SHAPES, Look, Sight, best, looks
from factory.plan.framing import Window
from factory.plan.timeline import Canvas, ClipLayer, Inset, TimedScene, Timeline, Transition
from factory.render.covers import make_covers
from factory.render.overlays import read_sheet
from factory.render.templates import Templates
from tests.render_kit import Store, ffmpeg
from understanding.vehicles import COLUMNS, Map

PLATES: Mapping[str, Window] = {"bottom": (0.05, 0.7, 0.5, 0.95), "top": (0.05, 0.05, 0.5, 0.3)}
WIDE = SHAPES["16:9"]


def shot(asset: str = "a", start: int = 0, frames: int = 60, **values: Any) -> ClipLayer:
    return ClipLayer(
        asset=asset, shot=values.pop("shot", 1), source_start=Fraction(2), start=start, frames=frames, **values
    )


def film(*scenes: TimedScene) -> Timeline:
    return Timeline("北风 X5", "zh-CN", "t", "autoreel", Canvas(320, 180), scenes)


def sight(at: int = 0, **values: Any) -> Sight:
    usual: dict[str, Any] = {"sharpness": 0.6, "light": 0.45, "contrast": 0.2, "sure": 0.9, "car": (0.3, 0.4, 0.7, 0.7)}
    return Sight(Look("a", Fraction(at), "s"), **{**usual, **values})


# which moments


def test_moments_lie_outside_transitions_and_outside_the_brand_s_own_clips() -> None:
    timeline = film(
        TimedScene("ident", 30, (shot("brand", frames=30),), bare=True),
        TimedScene("one", 60, (shot("a"), shot("inset", inset=Inset())), Transition("fade", 20)),
        TimedScene("two", 60, (shot("b", speed=Fraction(2)),)),
    )
    found = looks(timeline)
    assert {look.asset for look in found} == {"a", "b"}
    at = {asset: [look.at - 2 for look in found if look.asset == asset] for asset in "ab"}
    assert all(0 <= moment < Fraction(40, 30) for moment in at["a"])
    assert all(Fraction(20, 30) * 2 <= moment < Fraction(60, 30) * 2 for moment in at["b"])


def test_long_films_are_looked_at_all_over_and_no_moment_twice() -> None:
    scenes = [TimedScene(f"s{n}", 60, (shot(f"a{n}"),)) for n in range(100)]
    found = looks(film(*scenes))
    assert len(found) == len(set(found)) == MOST_LOOKS
    assert (found[0].scene, int(found[-1].scene[1:]) > 90) == ("s0", True)
    assert len(looks(film(*(TimedScene(f"s{n}", 60, (shot(),)) for n in range(9))))) == 3


def test_shots_to_avoid_are_looked_at_only_where_there_are_no_others() -> None:
    crash, road = TimedScene("crash", 60, (shot("c", shot=9),)), TimedScene("road", 60, (shot("r", shot=1),))
    assert {look.asset for look in looks(film(crash, road), avoid={9})} == {"r"}
    assert {look.asset for look in looks(film(crash), avoid={9})} == {"c"}


# which of them


@pytest.mark.parametrize(
    "worse",
    [
        {"sharpness": 0.1},
        {"light": 0.8},
        {"sure": 0.3},
        {"car": None, "sure": 0.0},
        {"car": (0.45, 0.45, 0.55, 0.5)},
        {"car": (0.7, 0.4, 1.0, 0.7)},
    ],
    ids=["soft", "glaring", "unsure", "no-car", "small", "at-the-edge"],
)
def test_a_better_picture_wins(worse: dict[str, Any]) -> None:
    cover = best([sight(1, **worse), sight(2)], WIDE, PLATES)
    assert cover
    assert cover.sight.look.at == 2


@pytest.mark.parametrize("unfit", [{"light": 0.05}, {"light": 0.95}, {"contrast": 0.01}, {"face": True}])
def test_black_white_and_empty_pictures_and_faces_are_never_shown(unfit: dict[str, Any]) -> None:
    assert best([sight(**unfit)], WIDE, PLATES) is None


def test_of_equals_the_earlier_one_is_taken() -> None:
    cover = best([sight(1), sight(2)], WIDE, PLATES)
    assert cover
    assert cover.sight.look.at == 1


@pytest.mark.parametrize(("car", "place"), [((0.1, 0.6, 0.6, 0.9), "top"), ((0.1, 0.1, 0.6, 0.4), "bottom")])
def test_the_title_stands_where_the_car_is_not(car: Window, place: str) -> None:
    cover = best([sight(car=car)], WIDE, PLATES)
    assert cover
    assert cover.place == place


@pytest.mark.parametrize("aspect", ["9:16", "3:4", "1:1", "4:3"])
@pytest.mark.parametrize("left", [0.02, 0.4, 0.8])
def test_a_crop_keeps_the_car_and_stays_inside_what_is_free_of_burnt_in_text(aspect: str, left: float) -> None:
    canvas = SHAPES[aspect]
    within = (0.0, 0.0, 1.0, 0.9)
    seen = replace(sight(car=(left, 0.5, left + 0.18, 0.7)), look=Look("a", Fraction(0), "s", within))
    cover = best([seen], canvas, PLATES)
    assert cover
    x, y, right, bottom = cover.window
    assert x <= left + 1e-9
    assert left + 0.18 <= right + 1e-9
    assert -1e-9 <= x < right <= 1 + 1e-9
    assert 0 <= y < bottom <= 0.9 + 1e-9
    assert (right - x) * 16 / ((bottom - y) * 9) == pytest.approx(canvas.width / canvas.height)


# drawn


class Red:
    """Sees a car in what is red: the rest of the cover is the real thing."""

    name = "red"

    def evidence(self, picture: np.ndarray[Any, np.dtype[np.uint8]]) -> Map:
        lines = max(1, round(COLUMNS * picture.shape[0] / picture.shape[1]))
        small = np.asarray(Image.fromarray(picture).resize((COLUMNS, lines)), np.int16)
        return np.where(small[..., 0] - small[..., 1] > 80, 6.0, -6.0).astype(np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def footage(store: Store, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Four seconds of noise: dark, then with a red block at the right that is there from second 2 on."""
    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    noise = "nullsrc=s=640x360:r=10:d=4,geq=lum='if(lt(T,1),4,60+120*random(1))':cb=128:cr=128,format=yuv420p"
    car = "drawbox=x=400:y=180:w=180:h=90:color=red:t=fill:enable='gte(t,2)'"
    ffmpeg("-f", "lavfi", "-i", f"{noise},{car}", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", str(path))
    return store.adopt(path)


def made(
    store: Store,
    footage: str,
    folder: Path,
    *,
    frames: int = 120,
    kicker: str = "新车速报",
    shapes: tuple[str, ...] = (*SHAPES,),
    **values: Any,
) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    layer = ClipLayer(footage, 1, Fraction(0), 0, frames, **values)
    templates = Templates()
    covers = make_covers(
        film(TimedScene("s", frames, (layer,))),
        shapes,
        folder,
        kicker=kicker,
        brand=templates.brand("autoreel"),
        source=store.source,
        cached=store.cached,
        templates=templates,
        eye=Red(),
    )
    return {cover.aspect: cover for cover in covers}


def test_every_shape_shows_the_car_under_a_title_and_comes_out_the_same_twice(
    store: Store, footage: str, tmp_path: Path
) -> None:
    one, two = made(store, footage, tmp_path / "one"), made(store, footage, tmp_path / "two")
    assert set(one) == set(SHAPES) > set(ALWAYS)
    for aspect, cover in one.items():
        assert cover.path.read_bytes() == two[aspect].path.read_bytes()
        assert cover.shown.sight.look.at >= 2
        with Image.open(cover.path) as picture:
            assert picture.size == (SHAPES[aspect].width, SHAPES[aspect].height)
            pixels = np.asarray(picture.convert("RGB"), np.int16)
        red = (pixels[..., 0] > 150) & (pixels[..., 1] < 90) & (pixels[..., 2] < 90)
        assert red.mean() > 0.03
        assert (np.abs(pixels - (0x17, 0x1B, 0x21)).max(axis=2) < 16).mean() > 0.02  # the title's plate


def test_without_a_picture_that_may_be_shown_the_cover_is_the_brand_s_ground(
    store: Store, footage: str, tmp_path: Path
) -> None:
    (cover,) = made(store, footage, tmp_path, frames=27, kicker="", shapes=("1:1",)).values()
    assert cover.shown is None
    with Image.open(cover.path) as picture:
        assert (
            max(abs(a - b) for a, b in zip(picture.convert("RGB").getpixel((5, 5)), (0x0F, 0x12, 0x16), strict=True))
            < 4
        )


@pytest.mark.parametrize("aspect", SHAPES)
@pytest.mark.parametrize(
    "title", ["X5", "旷野 Pro 双排长轴距越野改装限定纪念版 " * 3, "Terra Pro Double Cab Long Wheelbase " * 4]
)
def test_a_title_of_any_length_stays_inside_the_cover(aspect: str, title: str) -> None:
    canvas, templates = SHAPES[aspect], Templates()
    for place in ("top", "bottom"):
        data = {"title": title, "kicker": "Off-road compilation", "place": place}
        svg = templates.card("cover", data=data, canvas=canvas, brand="daylight", locale="en-US")
        sheet = read_sheet(svg, "cover")
        assert 0.04 * canvas.width <= sheet.left < sheet.left + sheet.width <= 0.96 * canvas.width
        assert 0.04 * canvas.height <= sheet.top < sheet.top + sheet.height <= 0.96 * canvas.height
        if canvas.height > 1.6 * canvas.width:  # clear of what apps lay over it
            assert 0.11 * canvas.height <= sheet.top < sheet.top + sheet.height <= 0.81 * canvas.height


@pytest.mark.media
def test_of_real_clips_a_car_is_shown_and_no_face_that_is_hidden(store: Store, media: Path, tmp_path: Path) -> None:
    names = (
        *("exterior-dark-coupe-front-approach.mp4", "exterior-classic-beetle-front-photo-zoom.mp4"),
        *("neg-kitten-playing.mp4", "neg-pouring-coffee.mp4", "neg-hand-gestures-portrait.mp4"),
        *("interior-man-talking-in-moving-car.mp4",),
    )
    digests = {store.adopt(media / "public" / name): name for name in names}
    scenes = [
        TimedScene(name, 45, (ClipLayer(digest, 1, Fraction(1, 2), 0, 45, blur_faces=True),))
        for digest, name in digests.items()
    ]
    templates = Templates()
    covers = make_covers(
        film(*scenes),
        ("16:9", "9:16"),
        tmp_path,
        kicker="",
        brand=templates.brand("autoreel"),
        source=store.source,
        cached=store.cached,
        templates=templates,
    )
    assert all(cover.shown and digests[cover.shown.sight.look.asset].startswith("exterior") for cover in covers)
