"""One film with every kind of layer and every transition, held against stored figures and a sheet of its frames.

`FACTORY_WRITE_GOLDEN=1` writes them anew: look at the sheet before it is committed. What is shown is drawn; frames are
compared at half the size, so that another machine's rounding does not count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image

from factory.brief_set.delivery import watch
from factory.plan.timeline import (
    Canvas,
    CardLayer,
    ClipLayer,
    ColorLayer,
    Cue,
    CueWord,
    ImageLayer,
    Inset,
    Layer,
    Music,
    Speech,
    SpokenLine,
    TimedScene,
    Timeline,
    Transition,
    Watermark,
)
from factory.render.film import Film, render_film
from factory.render.music import write_music
from factory.render.templates import Templates
from factory.render.transitions import XFADE
from tests.render_kit import Store, complaints, ffmpeg, lumas, metered, ssim

pytestmark = pytest.mark.slow
GOLDEN = Path(__file__).parent / "golden" / "films"
CANVAS = Canvas(256, 144)
BODY, OVERLAP = 20, 8
NAMES = sorted(set(XFADE) - {"crossfade"})
COLUMNS = 6
PICTURES = {
    "wide": "testsrc2=s=320x180:r=30",
    "tall": "testsrc2=s=180x320:r=25,negate",
    "grey": "testsrc2=s=320x240:r=24,hue=s=0,hflip",
}
RANK = {
    **{"rank": 3, "name": "北风 X5", "value": "12345", "unit": "辆", "scale": "20000", "leader": "20000"},
    **{"metric": "销量", "change": "up", "moved": "上升 2 位", "source": "AutoReel 示例数据", "date": "2026-11-01"},
    "sample": True,
}
CHART = {
    **{"title": "销量", "unit": "辆", "source": "AutoReel 示例数据", "date": "2026-11-01", "sample": True},
    "points": [{"label": name, "value": value} for name, value in (("08", "9120"), ("09", "12044"), ("10", "15210"))],
}
LAYERS: dict[str, tuple[Layer, ...]] = {
    "covered": (ClipLayer("wide", 1, Fraction(1), 0, 36),),
    "blurred behind": (ClipLayer("tall", 1, Fraction(1), 0, 36, fit="contain-blur"),),
    "contained": (ColorLayer("#204060", 0, 36, "#a06020"), ClipLayer("grey", 1, Fraction(1), 0, 36, fit="contain")),
    "fast": (ClipLayer("wide", 1, Fraction(1), 0, 36, speed=Fraction(8, 5)),),
    "a window": (ClipLayer("wide", 1, Fraction(2), 0, 36, window=(0.25, 0.25, 0.75, 0.75)),),
    "two shots": (ClipLayer("wide", 1, Fraction(1), 0, 18), ClipLayer("grey", 1, Fraction(2), 18, 18, sound_db=0.0)),
    "lower third": (
        ClipLayer("grey", 1, Fraction(1), 0, 36),
        CardLayer("lower_third", {"name": "Sand", "line": "Dunes"}, 0, 36, "lower_third", enter=10, leave=5),
    ),
    "counting": (ColorLayer("#102030", 0, 36), CardLayer("rank_card", RANK, 0, 36, enter=15, leave=0, counts=True)),
    "title": (
        ClipLayer("wide", 1, Fraction(3), 0, 36),
        CardLayer("title", {"title": "Where the Road Ends", "kicker": "Off-road"}, 0, 36, "title", enter=8, leave=0),
        CardLayer("ai_label", {}, 0, 36, "label", enter=0, leave=0),
    ),
    "a picture glides": (ImageLayer("picture", 0, 36, "cover", (0.0, 0.0, 0.67, 1.0), (0.33, 0.0, 1.0, 1.0)),),
    "insets": (
        ClipLayer("wide", 1, Fraction(2), 0, 36),
        ClipLayer("grey", 1, Fraction(1), 4, 32, Fraction(1, 2), inset=Inset("bottom-right", 0.4, rounded=True)),
        ImageLayer("picture", 0, 36, inset=Inset("top-left", 0.3)),
    ),
    "free text": (
        ClipLayer("grey", 1, Fraction(3), 0, 36),
        CardLayer("text", {"lines": ["慢一点", "Slowly now"], "place": "top-right"}, 0, 36, enter=6, leave=6),
    ),
    "bars": (ColorLayer("#102030", 0, 36), CardLayer("bar_chart", CHART, 0, 36, enter=15, leave=0, counts=True)),
    "a line": (ColorLayer("#102030", 0, 36), CardLayer("line_chart", CHART, 0, 36, enter=15, leave=0, counts=True)),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    sound = ("-f", "lavfi", "-i", "sine=frequency=400:sample_rate=48000")
    for name, picture in PICTURES.items():
        store.shelf[name] = store.folder / f"{name}.mp4"
        fine = ("-t", "5", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "6", "-pix_fmt", "yuv420p")
        ffmpeg("-f", "lavfi", "-i", picture, *sound, *fine, "-c:a", "aac", str(store.shelf[name]))
    store.shelf["voice"] = store.folder / "voice.wav"
    store.shelf["picture"] = store.folder / "picture.png"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360,hue=h=60", "-frames:v", "1", str(store.shelf["picture"]))
    soundfile.write(store.shelf["voice"], 0.3 * np.sin(0.2 * np.arange(24_000) ** 1.02), 24_000)
    return store


def timeline() -> Timeline:
    """As many scenes as there are transitions, each with the next set of layers; then a black and a still one."""
    scenes = [_scene(number, name) for number, name in enumerate(NAMES)]
    credits = CardLayer("credits", {"music": ["AutoReel"], "data": [], "footage": []}, 0, 45, "credits", leave=0)
    scenes += [
        TimedScene("black", 45, (ColorLayer("#000000", 0, 45),)),
        TimedScene("credits", 45, (ColorLayer("#305070", 0, 45, "#101820"), credits), still=True),
    ]
    music = Music("calm", 5, gain_db=-12.0)
    look: dict[str, Any] = {"caption_style": "spoken", "watermark": Watermark()}
    return Timeline("Golden", "zh-CN", "golden", "autoreel", CANVAS, tuple(scenes), music, **look)


def _scene(number: int, transition: str) -> TimedScene:
    kind = list(LAYERS)[number % len(LAYERS)]
    cue = Cue(0, 30, ("mud 泥地",), (CueWord(0, 0, 3, 2), CueWord(0, 4, 6, 18)))
    said = number % 3 == 0
    return TimedScene(
        f"{transition} after {kind}",
        2 * OVERLAP + BODY,
        LAYERS[kind],
        Transition(transition, OVERLAP),
        (SpokenLine(Speech("mud", "voice", Fraction(1)), 2),) if said else (),
        (cue,) if said else (),
    )


@pytest.fixture(scope="module")
def film(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Film:
    return render_film(
        timeline(),
        source=store.source,
        cached=store.cached,
        templates=Templates(),
        write_music=write_music,
        out=tmp_path_factory.mktemp("out") / "film.mp4",
        jobs=2,
    )


def moments() -> Iterator[int]:
    """Yield the frames that are kept: the middle of each joint, and of the body before it for each set of layers."""
    plan = timeline()
    for number, (scene, start) in enumerate(zip(plan.scenes, plan.scene_starts(), strict=True)):
        if number < len(LAYERS) or scene.still:
            yield start + scene.frames // 2
        if scene.transition:
            yield start + scene.frames - OVERLAP // 2


def halved(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = luma.shape
    small = luma.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return np.asarray(np.rint(small), np.uint8)


def sheet(frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Lay frames out in rows, as a person looks at them."""
    empty = np.zeros_like(frames[0])
    filled = [*frames, *[empty] * (-len(frames) % COLUMNS)]
    return np.vstack([np.hstack(filled[row : row + COLUMNS]) for row in range(0, len(filled), COLUMNS)])


def frames_of(picture: NDArray[np.uint8], count: int) -> list[NDArray[np.uint8]]:
    height, width = CANVAS.height // 2, CANVAS.width // 2
    corners = [(n // COLUMNS * height, n % COLUMNS * width) for n in range(count)]
    return [picture[top : top + height, left : left + width] for top, left in corners]


def figures(film: Film) -> dict[str, Any]:
    seen, end = watch(film.video), float(film.seconds)
    lufs, _ = metered(film.video)
    return {
        "frames": len(lumas(film.video)),
        "lufs": lufs,
        "black": [list(stretch) for stretch in seen.black],
        "frozen": [[start, min(stop, end)] for start, stop in seen.frozen],
    }


def test_figures_are_golden(film: Film) -> None:
    found, golden = figures(film), GOLDEN / "every-layer.json"
    if os.environ.get("FACTORY_WRITE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(json.dumps(found, indent=1) + "\n")
    kept = json.loads(golden.read_text())
    assert found["frames"] == kept["frames"] == timeline().frames
    assert found["lufs"] == pytest.approx(kept["lufs"], abs=0.3)
    frame = float(1 / CANVAS.fps)
    for what in ("black", "frozen"):
        assert found[what] == [pytest.approx(stretch, abs=1.5 * frame) for stretch in kept[what]]
    assert complaints(film.video) == []


def test_frames_are_golden(film: Film) -> None:
    pictures, golden = lumas(film.video), GOLDEN / "every-layer.png"
    found = [halved(pictures[moment]) for moment in moments()]
    if os.environ.get("FACTORY_WRITE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sheet(found)).save(golden, optimize=True)
    kept = frames_of(np.asarray(Image.open(golden), np.uint8), len(found))
    alike = {moment: ssim(*pair) for moment, pair in zip(moments(), zip(found, kept, strict=True), strict=True)}
    assert min(alike.values()) >= 0.99, {moment: round(value, 4) for moment, value in alike.items() if value < 0.99}


def test_a_film_that_is_off_by_one_frame_is_not_golden(film: Film) -> None:
    pictures = lumas(film.video)
    joints = [moment for moment in moments() if ssim(halved(pictures[moment]), halved(pictures[moment + 1])) < 0.99]
    assert len(joints) > 0.8 * len(list(moments()))
