"""Compiled graphs: their text is held still by golden files, their frames are counted and read back."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from factory.plan.following import Follow
from factory.plan.timeline import Canvas, CardLayer, ClipLayer, ColorLayer, Fit, ImageLayer, Inset
from factory.render.chunks import count_frames
from factory.render.drawn import Drawn
from factory.render.face_blur import Mask
from factory.render.ffmpeg import run
from factory.render.footage import Footage
from factory.render.graph import Chunk, Part, Photo, Window, compile_chunk, ground_of
from factory.render.inlay import Standing
from factory.render.overlays import Drawing, draw_card, draw_color
from factory.render.probe import X264
from factory.render.source import Source, read_source
from factory.render.stills import View
from tests.render_kit import PlainCards, Store, ffmpeg, lumas, number_in, numbered_clip

GOLDEN = Path(__file__).parent / "golden" / "graphs"
CANVAS = Canvas(320, 180)
ENCODER = X264.arguments(CANVAS.fps, draft=True)
GROUND = Drawn(ColorLayer("#000000", 0, 90), Drawing(0, 0, "ground", Path("ground.png")))
HD = Source("a" * 64, Path("hd.mp4"), 1920, 1080, Fraction(30))
CARD = CardLayer("plate", {}, 10, 60, "lower_third", enter=12, leave=8)
MOVING = Drawing(40, 120, "still", Path("still.png"), "moving", Path("moving.mov"), 12)


def clip(
    source: Source, start: int = 0, frames: int = 90, fit: Fit = "cover", speed: Fraction = Fraction(1)
) -> Footage:
    return Footage(ClipLayer(source.asset, 1, Fraction(7, 3), start, frames, speed, fit), source)


def one(*parts: Part, start: int = 0, frames: int = 90, captions: str = "") -> Chunk:
    return Chunk("x", (Window((GROUND, *parts), start, frames),), frames, captions=captions)


PHONE = replace(HD, width=1080, height=1920, fps=Fraction(30_000, 1001), full_range=True)
BROADCAST = replace(HD, width=1024, height=576, fps=Fraction(25), matrix="bt601", interlaced=True)
CORNER = Standing(200, 20, 100, 56, Drawing(196, 16, "plate", Path("plate.png")), Drawing(0, 0, "m", Path("m.png")))
FADING = Inset(enter=9, leave=7)
GLIDING = View("stage", Path("stage.png"), 420, 236, (0, 0, 368, 207), (52, 29, 420, 236), 368, 206)
RESTING = replace(GLIDING, width=320, height=180, first=(0, 0, 320, 180), last=(0, 0, 320, 180))
FOLLOW = Follow("x", 0.316406, 12, (0.1, 0.1, 0.1, 0.15, 0.2, 0.25, 0.3, 0.3, 0.3, 0.3))
ROOMY = Follow("x", 0.75, 12, (0.2,) * 10)
CASES = {
    "clip-as-it-is": (Canvas(1920, 1080), one(clip(HD))),
    "clip-faster": (CANVAS, one(clip(BROADCAST, speed=Fraction(6, 5)))),
    "clip-wide-range": (CANVAS, one(clip(replace(HD, hdr=True, matrix="bt2020")))),
    "clip-from-a-key-frame": (CANVAS, one(clip(replace(HD, keys=(Fraction(0), Fraction(2), Fraction(4)))))),
    "clip-raw-stream": (CANVAS, one(clip(replace(HD, raw=True)))),
    "clip-in-portrait": (Canvas(1080, 1920), one(clip(HD, fit="contain-blur"))),
    "phone-contained-over-ground": (CANVAS, one(clip(PHONE, fit="contain"))),
    "two-clips-in-one-scene": (CANVAS, one(clip(HD, 0, 40), clip(BROADCAST, 40, 50))),
    "card-drawn-by-frame-enters": (CANVAS, one(clip(HD), Drawn(CARD, MOVING))),
    "card-goes-on-in-the-next-chunk": (CANVAS, one(clip(HD), Drawn(CARD, MOVING), start=40, frames=50)),
    "watermark": (CANVAS, replace(one(clip(HD)), mark=Drawing(220, 4, "mark", Path("mark.png")))),
    "captions": (CANVAS, one(clip(HD), captions="[Script Info]\n")),
    "faces-hidden": (
        CANVAS,
        one(replace(clip(replace(HD, width=1281)), faces=Mask("mask", Path("mask.png"), 24)), start=30, frames=60),
    ),
    "image-glides": (CANVAS, one(Photo(ImageLayer("i", 0, 90), GLIDING))),
    "image-goes-on-in-the-next-chunk": (CANVAS, one(Photo(ImageLayer("i", 10, 80), GLIDING), start=40, frames=50)),
    "image-rests": (CANVAS, one(Photo(ImageLayer("i", 0, 90), RESTING))),
    "clip-in-a-clip": (
        CANVAS,
        one(clip(HD), Footage(replace(clip(HD, 10, 60).layer, inset=FADING), HD, None, CORNER), start=30, frames=60),
    ),
    "image-in-a-clip-unframed": (
        CANVAS,
        one(clip(HD), Photo(ImageLayer("i", 5, 40, inset=Inset()), RESTING, replace(CORNER, plate=None, mask=None))),
    ),
    "clip-followed": (Canvas(1080, 1920), one(replace(clip(HD, fit="track"), follow=FOLLOW))),
    "clip-followed-in-the-next-chunk": (
        Canvas(1080, 1920),
        one(replace(clip(HD, 10, 90, "track"), follow=FOLLOW), start=60, frames=20),
    ),
    "clip-followed-over-blur": (Canvas(1080, 1920), one(replace(clip(HD, fit="track"), follow=ROOMY))),
    "joint": (
        CANVAS,
        Chunk("x", (Window((GROUND, clip(HD)), 75, 15), Window((GROUND, clip(PHONE)), 0, 15)), 15, "wipeleft"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_graph_text_is_golden(name: str) -> None:
    canvas, chunk = CASES[name]
    command = compile_chunk(chunk, canvas, ENCODER)
    inputs = [" ".join((*i.options, *i.seek, str(i.path))) for i in command.inputs]
    text = "\n".join([*inputs, "", *command.graph.split(";"), "", " ".join(command.outputs), ""])
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("FACTORY_WRITE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


def test_the_ground_is_the_topmost_clip_of_each_moment() -> None:
    below, above = clip(HD, 0, 90), clip(BROADCAST, 30, 20)
    spans, rest = ground_of(Window((GROUND, below, above, Drawn(CARD, MOVING)), 10, 80))
    assert spans == [(below, 10, 30), (above, 30, 50), (below, 50, 90)]
    assert rest == (Drawn(CARD, MOVING),)


def test_where_no_clip_is_the_ground_shows() -> None:
    spans, _ = ground_of(Window((GROUND, clip(HD, 20, 30)), 0, 90))
    assert [(start, end) for _, start, end in spans] == [(0, 20), (20, 50), (50, 90)]
    assert spans[0][0] is GROUND


# on real frames


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


def shown(store: Store, part: Footage, frames: int, name: str, *above: Part, canvas: Canvas = CANVAS) -> Path:
    """Render one chunk of one clip and return its file."""
    ground = Drawn(ColorLayer("#000000", 0, frames), draw_color(ColorLayer("#000000", 0, frames), canvas, store.cached))
    chunk = Chunk("x", (Window((ground, part, *above), 0, frames),), frames)
    out = store.folder / f"{name}.mp4"
    run(compile_chunk(chunk, canvas, ENCODER), output=out)
    return out


def footage(path: Path, at: Fraction, frames: int, speed: Fraction = Fraction(1), fit: Fit = "cover") -> Footage:
    return Footage(ClipLayer("a", 1, at, 0, frames, speed, fit), read_source("a", path))


RATES = {"2-fps": "2", "8-fps": "8", "film": "24000/1001", "pal": "25", "ntsc": "30000/1001", "60-fps": "60"}


@pytest.mark.parametrize("kind", RATES)
def test_each_output_frame_shows_the_picture_of_its_moment(kind: str, store: Store) -> None:
    rate = Fraction(RATES[kind])
    path = numbered_clip(store.folder / f"{kind}.mp4", rate=RATES[kind], frames=max(int(rate * 3), 6))
    numbers = [number_in(luma) for luma in lumas(shown(store, footage(path, Fraction(1, 2), 45), 45, f"o-{kind}"))]
    moments = [Fraction(1, 2) + Fraction(n, 30) for n in range(45)]
    late = [float(number / rate - moment) for number, moment in zip(numbers, moments, strict=True)]
    assert max(late) <= 0.6 / 30  # the nearest output frame, never a later picture
    assert min(late) >= -float(1 / rate) - 0.6 / 30


@pytest.mark.parametrize("speed", [Fraction(4, 5), Fraction(5, 4), Fraction(9, 10), Fraction(1, 4), Fraction(1, 2)])
def test_speed_changes_which_pictures_are_shown(speed: Fraction, store: Store) -> None:
    path = numbered_clip(store.folder / "speed.mp4", frames=120)
    out = shown(store, footage(path, Fraction(1), 60, speed), 60, f"o-speed-{float(speed)}")
    numbers = [number_in(luma) for luma in lumas(out)]
    held = max(0.61, 1.1 - float(speed))  # a picture is held until the next one is due
    assert numbers == pytest.approx([30 + float(n * speed) for n in range(60)], abs=held)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi", ".ts", ".mov", ".h264"])
def test_any_container_starts_at_the_exact_frame(suffix: str, store: Store) -> None:
    plain = numbered_clip(store.folder / "plain.mp4", rate="25", frames=100)
    path = store.folder / f"container{suffix}"
    codec = ("-c:v", "libvpx", "-b:v", "3M", "-deadline", "realtime") if suffix == ".webm" else ("-c:v", "copy")
    ffmpeg("-i", str(plain), *codec, "-an", str(path))
    canvas = replace(CANVAS, fps=Fraction(25))
    out = shown(store, footage(path, Fraction(51, 25), 30), 30, f"o{suffix}", canvas=canvas)
    assert [number_in(luma) for luma in lumas(out)] == list(range(51, 81))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("start", [24, 25, 26, 49, 50, 60])
def test_decoding_from_a_key_frame_starts_at_the_exact_frame(suffix: str, start: int, store: Store) -> None:
    plain = store.folder / f"groups{suffix}"
    if not plain.exists():  # groups of 25 pictures with B-frames, open at both ends
        coded = ("-c:v", "libx264", "-crf", "10", "-g", "25", "-bf", "3", "-x264-params", "open-gop=1:scenecut=0")
        ffmpeg("-i", str(numbered_clip(store.folder / "dense.mp4", frames=100)), *coded, "-an", str(plain))
    at = Fraction(start, 30)
    part = footage(plain, at, 20)
    part = replace(part, source=read_source("a", plain, shown=[(at, at + 1)]))
    assert [round(key * 30) for key in part.source.keys][-1] >= 50
    out = shown(store, part, 20, f"o-groups-{start}{suffix[1:]}")
    assert [number_in(luma) for luma in lumas(out)] == list(range(start, start + 20))


def test_times_count_from_the_first_picture(store: Store) -> None:
    plain = numbered_clip(store.folder / "prompt.mp4", frames=90)
    path = store.folder / "picture-late.mp4"
    late = ("-itsoffset", "0.7", "-i", str(plain), "-i", str(plain), "-map", "0:v", "-map", "1:a", "-c", "copy")
    ffmpeg(*late, str(path))
    out = shown(store, footage(path, Fraction(1), 30), 30, "o-picture-late")
    assert [number_in(luma) for luma in lumas(out)] == list(range(30, 60))


def test_gaps_between_pictures_keep_their_length(store: Store) -> None:
    plain = numbered_clip(store.folder / "even.mp4", frames=90)
    path = store.folder / "uneven.mp4"
    keep = "select='not(between(mod(n,10),3,6))'"
    ffmpeg("-i", str(plain), "-vf", keep, "-fps_mode", "passthrough", "-an", "-c:v", "libx264", "-crf", "10", str(path))
    out = shown(store, footage(path, Fraction(1), 30), 30, "o-uneven")
    wanted = [n - (n % 10 - 2) if 3 <= n % 10 <= 6 else n for n in range(30, 60)]
    assert [number_in(luma) for luma in lumas(out)] == wanted


def test_footage_that_ends_a_little_early_is_held(store: Store) -> None:
    path = numbered_clip(store.folder / "short.mp4", frames=60)
    numbers = [number_in(luma) for luma in lumas(shown(store, footage(path, Fraction(1), 36), 36, "o-short"))]
    assert numbers == [*range(30, 60), *[59] * 6]


def test_footage_that_ends_much_too_early_comes_out_short(store: Store) -> None:
    path = numbered_clip(store.folder / "stub.mp4", frames=20)
    assert count_frames(shown(store, footage(path, Fraction(0), 90), 90, "o-stub")) < 90


@pytest.mark.parametrize(
    ("kind", "arguments"),
    {
        "odd": ("-vf", "scale=321:181,format=yuv444p"),
        "tiny": ("-vf", "scale=48:48"),
        "ten-bit": ("-vf", "format=yuv420p10le"),
        "grey": ("-vf", "format=gray"),
        "full-range": ("-vf", "scale=out_range=pc,format=yuvj420p"),
        "interlaced": ("-vf", "interlace", "-flags", "+ildct+ilme"),
        "turned": ("-vf", "transpose=1"),
    }.items(),
)
def test_any_picture_becomes_the_canvas(kind: str, arguments: tuple[str, ...], store: Store) -> None:
    path = store.folder / f"kind-{kind}.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=2", *arguments, "-c:v", "libx264", "-crf", "15", str(path))
    for fit in ("cover", "contain", "contain-blur"):
        pictures = lumas(shown(store, footage(path, Fraction(1, 5), 20, fit=fit), 20, f"o-{kind}-{fit}"))
        assert [picture.shape for picture in pictures] == [(180, 320)] * 20
        assert all(picture.std() > 20 for picture in pictures)


def test_contain_blur_fills_a_portrait_with_more_than_the_picture(store: Store) -> None:
    path = store.folder / "white.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=white:s=320x180:r=30:d=1", "-c:v", "libx264", str(path))
    portrait = Canvas(180, 320)
    picture = lumas(shown(store, footage(path, Fraction(0), 5, fit="contain-blur"), 5, "o-tall", canvas=portrait))[2]
    bright = (picture[:, 90] > 200).mean()
    assert bright == pytest.approx(4 / 3 * (180 * 9 / 16) / 320, abs=0.02)
    assert 60 < picture[10, 90] < 160


def test_a_card_crosses_a_chunk_border_unchanged(store: Store) -> None:
    layer = CardLayer("plate", {"text": "x", "box": (20, 100, 160, 50)}, 5, 30, "lower_third", counts=True)
    drawing = draw_card(layer, PlainCards(), store.cached, canvas=CANVAS, brand="b", locale="en-US", where="here")
    ground = Drawn(ColorLayer("#808080", 0, 40), draw_color(ColorLayer("#808080", 0, 40), CANVAS, store.cached))
    parts = (ground, Drawn(layer, drawing))
    whole = _pictures(store, Window(parts, 0, 40), "whole")
    pieces = [_pictures(store, Window(parts, start, 10), f"piece-{start}") for start in (0, 10, 20, 30)]
    apart = np.abs(np.concatenate(pieces) - whole).max(axis=(1, 2))
    assert apart.max() < 30  # two encodings of the same pictures
    assert np.abs(whole[20] - whole[0]).max() > 60


def _pictures(store: Store, window: Window, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    out = store.folder / f"{name}.mp4"
    fine = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", "-threads", "1")
    run(compile_chunk(Chunk(name, (window,), window.frames), CANVAS, fine), output=out)
    return np.stack([luma.astype(np.float64) for luma in lumas(out)])


def test_a_card_fades_in_slides_to_its_place_and_fades_out(store: Store) -> None:
    layer = CardLayer("plate", {"text": "", "fill": "#ffffff", "box": (40, 60, 100, 60)}, 5, 30, enter=12, leave=8)
    drawing = draw_card(layer, PlainCards(), store.cached, canvas=CANVAS, brand="b", locale="en-US", where="here")
    ground = Drawn(ColorLayer("#000000", 0, 40), draw_color(ColorLayer("#000000", 0, 40), CANVAS, store.cached))
    pictures = _pictures(store, Window((ground, Drawn(layer, drawing)), 0, 40), "fade")
    middle = pictures[:, 85, 90]
    assert list(middle[:5]) == pytest.approx([16] * 5, abs=2)
    assert all(np.diff(middle[5:17]) > 0)
    assert list(middle[17:27]) == pytest.approx([235] * 10, abs=2)
    assert all(np.diff(middle[27:35]) < 0)
    assert list(middle[35:]) == pytest.approx([16] * 5, abs=2)
    tops = [int(np.argmax(picture[:, 90] > (picture.max() + 16) / 2)) for picture in pictures[8:18]]
    assert tops == sorted(tops, reverse=True)
    assert tops[-1] == 60
    assert tops[0] > 60


def test_colours_are_bt709(store: Store) -> None:
    red = ColorLayer("#c02030", 0, 5)
    ground = Drawn(red, draw_color(red, CANVAS, store.cached))
    out = store.folder / "red.mp4"
    run(compile_chunk(Chunk("x", (Window((ground,), 0, 5),), 5), CANVAS, ENCODER), output=out)
    r, g, b = 0xC0 / 255, 0x20 / 255, 0x30 / 255
    assert lumas(out)[2].mean() == pytest.approx(16 + 219 * (0.2126 * r + 0.7152 * g + 0.0722 * b), abs=1.5)


@pytest.mark.media
@pytest.mark.parametrize(
    "name",
    [
        "broken/variable-frame-rate.mp4",
        "broken/rotated-90-flag.mp4",
        "broken/odd-size-321x181.mp4",
        "broken/ten-bit.mp4",
        "broken/interlaced.mp4",
        "broken/huge-declared-size.mp4",
        "broken/declared-duration-zero.mp4",
        "broken/two-video-two-audio-tracks.mp4",
        "public/motorway-bend-raw-h264-stream.h264",
        "public/motorway-tiny-grey-48px-original.avi",
        "public/interior-pov-blurred-windscreen-original.webm",
        "public/parking-overhead-car-and-cyclist.gif",
        "public/detail-motorbike-plates-in-garage.mp4",
    ],
)
def test_real_footage_comes_out_exact(name: str, media: Path, store: Store) -> None:
    part = footage(media / name, Fraction(2, 5), 24, fit="contain-blur")
    pictures = lumas(shown(store, part, 24, "o-real"))
    assert [picture.shape for picture in pictures] == [(180, 320)] * 24
    assert all(picture.std() > 5 for picture in pictures)


def test_a_window_is_all_that_is_shown(store: Store) -> None:
    path = store.folder / "halves.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=white:size=320x180:rate=30:duration=1,drawbox=0:90:320:90:black:fill", str(path))
    part = footage(path, Fraction(0), 10)
    upper = replace(part, layer=replace(part.layer, window=(0.25, 0.0, 0.75, 0.5)))
    whole, cut = (lumas(shown(store, one, 10, name)) for one, name in ((part, "whole"), (upper, "upper")))
    assert np.mean(whole[5][100:]) < 30
    assert np.mean(cut[5]) > 220
