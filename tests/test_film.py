"""Whole films of tiny clips: exact frames, exact sound, the same result every time, nothing half-written."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from factory.plan.brief import Codec
from factory.plan.timeline import (
    Canvas,
    CardLayer,
    ClipLayer,
    ColorLayer,
    Cue,
    ImageLayer,
    Inset,
    Music,
    Speech,
    SpokenLine,
    TimedScene,
    Timeline,
    Transition,
    Watermark,
)
from factory.render.errors import RenderCancelled, RenderFailed, TimelineImpossible
from factory.render.film import Film, render_film
from factory.render.fonts import GlyphMissing
from factory.render.inlay import box_of
from factory.render.loudness import loudness
from factory.render.probe import choose_encoder
from factory.render.templates import Templates
from tests.render_kit import (
    PlainCards,
    Store,
    frame_times,
    frames_digest,
    hum,
    lumas,
    metered,
    number_in,
    numbered_clip,
    sound_in,
)
from understanding.faces import is_installed

CANVAS = Canvas(320, 180)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    clip = numbered_clip(store.folder / "clip.mp4", frames=200)
    store.shelf["clip"] = clip
    talk = store.folder / "talk.wav"
    rate = 24_000
    time_ = np.arange(rate * 3 // 2) / rate
    soundfile.write(talk, 0.3 * np.sin(2 * np.pi * 3000 * time_), rate)
    store.shelf["talk"] = talk
    return store


def clip(start: int, frames: int, *, at: int = 0, sound_db: float | None = None) -> ClipLayer:
    return ClipLayer("clip", 1, Fraction(start, 30), at, frames, sound_db=sound_db)


def timeline() -> Timeline:
    card = CardLayer("plate", {"text": "北风 X5", "box": (20, 110, 120, 40)}, 5, 50, "lower_third", counts=True)
    spoken = SpokenLine(Speech("hello", "talk", Fraction(3, 2)), 15)
    scenes = (
        TimedScene("one", 75, (clip(10, 75), card), Transition("fade", 12), (spoken,), (Cue(15, 60, ("Hello",)),)),
        TimedScene("two", 60, (clip(100, 25), clip(150, 35, at=25))),
        TimedScene("end", 30, (ColorLayer("#102030", 0, 30, "#805010"),), still=True),
    )
    return Timeline(
        "A & B", "zh-CN", "test", "plain", CANVAS, scenes, Music("hum", 1), poster_frame=20, caption_style="plain"
    )


def render(timeline: Timeline, store: Store, out: Path, **options: object) -> Film:
    parts = {"templates": PlainCards(), "write_music": hum, "jobs": 2, **options}
    return render_film(timeline, source=store.source, cached=store.cached, out=out, **parts)  # type: ignore[arg-type]  # parts of a call, given by name


@pytest.fixture(scope="module")
def film(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Film:
    return render(timeline(), store, tmp_path_factory.mktemp("out") / "film.mp4")


def test_has_exactly_the_planned_frames(film: Film) -> None:
    assert film.frames == timeline().frames == 153
    assert len(lumas(film.video)) == 153


def test_shows_each_frame_of_the_footage_once_and_in_its_place(film: Film) -> None:
    numbers = [number_in(luma[:90]) for luma in lumas(film.video)]
    assert numbers[:63] == list(range(10, 73))
    assert numbers[75:88] == list(range(112, 125))
    assert numbers[88:123] == list(range(150, 185))


def test_is_eight_bit_bt709_with_square_pixels_and_its_index_in_front(film: Film) -> None:
    check_tags(film.video)
    with av.open(str(film.video)) as container:
        assert container.metadata["title"] == "A & B"
        assert "AutoReel" in container.metadata["comment"]


def check_tags(video: Path) -> None:
    with av.open(str(video)) as container:
        picture = container.streams.video[0]
        assert (picture.format.name, picture.width, picture.height) == ("yuv420p", 320, 180)
        assert picture.average_rate == 30
        assert picture.sample_aspect_ratio in (None, 1)
        context = picture.codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
    data = video.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_picture_and_sound_end_within_one_frame(film: Film) -> None:
    assert abs(len(sound_in(film.video)) / 48_000 - 153 / 30) < 1 / 30


def test_loudness_and_peak_are_as_ordered(film: Film) -> None:
    assert loudness(sound_in(film.video), 48_000) == pytest.approx(-14.0, abs=0.5)
    lufs, peak = metered(film.video)
    assert lufs == pytest.approx(-14.0, abs=0.5)
    assert peak <= -1.0


def test_writes_subtitles_and_poster(film: Film) -> None:
    assert film.srt.read_text() == "1\n00:00:00,500 --> 00:00:02,000\nHello\n"
    assert film.vtt.read_text() == "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nHello\n"
    with av.open(str(film.poster)) as container:
        poster = next(container.decode(video=0))
    assert (poster.width, poster.height) == (320, 180)
    assert number_in(np.asarray(poster.to_ndarray(format="gray"), dtype=np.uint8)[:90]) == 30


def test_second_render_reuses_every_chunk(film: Film, store: Store, tmp_path: Path) -> None:
    again = render(timeline(), store, tmp_path / "again.mp4")
    assert again.chunks_made == 0
    assert again.chunks_reused == film.chunks_made + film.chunks_reused
    assert frames_digest(again.video) == frames_digest(film.video)


def test_same_frames_from_an_empty_cache_with_another_number_of_jobs(film: Film, store: Store, tmp_path: Path) -> None:
    fresh = Store(tmp_path / "fresh")
    fresh.shelf = store.shelf
    again = render(timeline(), fresh, tmp_path / "again.mp4", jobs=1)
    assert again.chunks_reused == 0
    assert frames_digest(again.video) == frames_digest(film.video)
    assert np.array_equal(sound_in(again.video), sound_in(film.video))


@pytest.mark.skipif(not is_installed(), reason="the face detector's weights are not installed")
def test_footage_that_was_searched_for_faces_and_has_none_is_the_same(film: Film, store: Store, tmp_path: Path) -> None:
    whole = timeline()
    searched = [
        replace(s, layers=tuple(replace(c, blur_faces=True) if isinstance(c, ClipLayer) else c for c in s.layers))
        for s in whole.scenes
    ]
    again = render(replace(whole, scenes=tuple(searched)), store, tmp_path / "searched.mp4")
    assert again.chunks_made == 0
    assert sum(key.startswith("faces-") for key in store.made) == 3


def test_an_edit_repeats_only_what_it_changes(film: Film, store: Store, tmp_path: Path) -> None:
    whole = timeline()
    last = replace(whole.scenes[2], layers=(ColorLayer("#ff0000", 0, 30),))
    edited = render(replace(whole, scenes=(*whole.scenes[:2], last)), store, tmp_path / "edited.mp4")
    assert edited.chunks_made == 1


@pytest.mark.parametrize(("codec", "tag"), [("h265", "hvc1"), ("av1", "av01")])
def test_other_codecs_show_the_same_frames_joined_without_a_seam(
    codec: Codec, tag: str, store: Store, tmp_path: Path
) -> None:
    film = render(timeline(), store, tmp_path / "film.mp4", encoder=choose_encoder(codec))
    assert film.encoder == choose_encoder(codec).name
    with av.logging.Capture() as said:
        times = frame_times(film.video)
        numbers = [number_in(luma[:90]) for luma in lumas(film.video)]
    assert not [line for line in said if line[0] <= av.logging.WARNING]
    check_tags(film.video)
    assert times == [Fraction(k, 30) for k in range(153)]
    assert numbers[:63] == list(range(10, 73))
    assert numbers[88:123] == list(range(150, 185))
    with av.open(str(film.video)) as container:
        assert container.streams.video[0].codec_context.codec_tag == tag


def test_draft_is_half_the_size(store: Store, tmp_path: Path) -> None:
    film = render(timeline(), store, tmp_path / "draft.mp4", draft=True)
    assert (film.width, film.height) == (160, 90)
    assert [luma.shape for luma in lumas(film.video)] == [(90, 160)] * 153


def test_progress_never_falls_and_ends_at_one(store: Store, tmp_path: Path) -> None:
    shares: list[float] = []
    fresh = Store(tmp_path / "fresh")
    fresh.shelf = store.shelf
    render(timeline(), fresh, tmp_path / "x.mp4", on_progress=lambda share, _what: shares.append(share))
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert len({share for share in shares if 0.06 < share < 0.8}) >= 3


def test_cancel_is_quick_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    long = replace(timeline(), canvas=Canvas(1920, 1080))
    fresh = Store(tmp_path / "fresh")
    fresh.shelf = store.shelf
    stop = threading.Event()
    asked: list[float] = []

    def watch(share: float, what: str) -> None:
        if what == "rendering" and share > 0.06 and not stop.is_set():
            stop.set()
            asked.append(time.monotonic())

    with pytest.raises(RenderCancelled):
        render(long, fresh, tmp_path / "x.mp4", on_progress=watch, cancelled=stop.is_set)
    assert time.monotonic() - asked[0] < 5
    assert list(tmp_path.iterdir()) == [fresh.folder]
    assert not [path for path in fresh.folder.iterdir() if path.name.startswith("scratch")]


def test_a_watermark_stands_still_while_pictures_slide_and_leaves_chunks_reusable(store: Store, tmp_path: Path) -> None:
    class Marks(PlainCards):
        def card(self, name: str, **look: object) -> str:
            data = {"text": "", "box": (240, 10, 40, 20), "fill": "#ffffff"}
            return super().card(name, **{**look, "data": data})  # type: ignore[arg-type]  # handed on as it came

    grey, dark = ColorLayer("#505050", 0, 45), ColorLayer("#303030", 0, 45)
    scenes = (
        TimedScene("a", 45, (grey,), Transition("slideleft", 15)),
        TimedScene("b", 45, (dark,), Transition("wipeup", 15)),
        TimedScene("c", 45, (grey,)),
        TimedScene("own", 15, (grey,), bare=True),
    )
    marked = Timeline("t", "en-US", "x", "plain", CANVAS, scenes, watermark=Watermark())
    film = render(marked, store, tmp_path / "film.mp4", templates=Marks())
    pictures = lumas(film.video)
    assert len(pictures) == 120
    assert min(float(p[12:18, 244:276].mean()) for p in pictures[:105]) > 225
    assert max(float(p.max()) for p in pictures[105:]) < 110
    assert max(float(p[40:].max()) for p in pictures) < 110
    edited = replace(marked, scenes=(*scenes[:2], replace(scenes[2], layers=(dark,)), scenes[3]))
    assert render(edited, store, tmp_path / "edited.mp4", templates=Marks()).chunks_made == 2


def test_charts_text_pictures_and_insets_stand_in_one_film(store: Store, tmp_path: Path) -> None:
    picture = tmp_path / "wide.png"
    Image.fromarray(np.tile(np.linspace(60, 220, 960).astype(np.uint8), (360, 1))).save(picture)
    store.shelf["picture"] = picture
    points = [{"label": name, "value": value} for name, value in (("A", "100"), ("B", "50"))]
    chart = {"title": "Sales", "unit": "units", "points": points, "source": "Desk", "date": "2026-11-01"}
    words = {"lines": ["Slowly now"], "plate": False, "place": "top-left", "size": "title"}
    pan = ImageLayer("picture", 0, 60, "cover", (0.0, 0.0, 0.67, 1.0), (0.33, 0.0, 1.0, 1.0))
    corner = ClipLayer("clip", 1, Fraction(1), 10, 50, Fraction(1, 2), inset=Inset("top-right", 0.5))
    over = Transition("slideleft", 10)
    scenes = (
        TimedScene("picture", 60, (pan, corner, CardLayer("text", words, 0, 60, enter=0, leave=0)), over),
        TimedScene("chart", 45, (clip(0, 45), CardLayer("bar_chart", chart, 0, 45, enter=30, leave=0, counts=True))),
    )
    made = Timeline("All", "en-US", "x", "circuit", Canvas(640, 360), scenes)
    pictures = lumas(render(made, store, tmp_path / "film.mp4", templates=Templates()).video)
    assert len(pictures) == made.frames == 95
    middle = [float(p[200:330, 300:340].mean()) for p in pictures[:50]]
    assert min(np.diff(middle)) > -0.3  # the view goes to the brighter side
    assert middle[-1] > middle[0] + 25
    left, top, width, height = box_of(Inset("top-right", 0.5), made.canvas)
    shown = [number_in(p[top : top + height, left : left + width]) for p in pictures[10:50]]
    assert shown == pytest.approx([30 + n / 2 for n in range(40)], abs=0.61)
    assert (pictures[30][20:70, 32:200] > 210).sum() > 150  # letters
    bars = [(p[160:260, 100:500] > 150).sum() for p in (pictures[60], pictures[92])]
    assert bars[0] < bars[1]


def test_a_film_that_fails_leaves_nothing_and_says_where(store: Store, tmp_path: Path) -> None:
    whole = timeline()
    short = replace(whole.scenes[1], layers=(clip(100, 25), clip(190, 35, at=25)))  # the footage ends before
    fresh = Store(tmp_path / "fresh")
    fresh.shelf = store.shelf
    shares: list[float] = []
    with pytest.raises(RenderFailed, match="scene two came out with"):
        render(
            replace(whole, scenes=(whole.scenes[0], short, whole.scenes[2])),
            fresh,
            tmp_path / "x.mp4",
            on_progress=lambda share, _what: shares.append(share),
        )
    assert shares == sorted(shares)
    assert shares[-1] < 1
    assert list(tmp_path.iterdir()) == [fresh.folder]
    assert not [path for path in fresh.folder.iterdir() if path.name.startswith("scratch")]


def test_a_missing_glyph_stops_before_anything_is_rendered(store: Store, tmp_path: Path) -> None:
    whole = timeline()
    first = replace(whole.scenes[0], cues=(Cue(0, 30, ("fast \U0001f697",)),))
    with pytest.raises(GlyphMissing, match=r"U\+1F697.*caption of scene one"):
        render(replace(whole, scenes=(first, *whole.scenes[1:])), store, tmp_path / "x.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("scene", "cause"),
    [
        (TimedScene("end", 30, (), Transition("fade", 5)), "last scene 'end'"),
        (TimedScene("end", 0, ()), "'end' has 0 frames"),
    ],
)
def test_an_impossible_timeline_is_refused(scene: TimedScene, cause: str, store: Store, tmp_path: Path) -> None:
    whole = timeline()
    with pytest.raises(TimelineImpossible, match=cause):
        render(replace(whole, scenes=(*whole.scenes[:2], scene)), store, tmp_path / "x.mp4")
