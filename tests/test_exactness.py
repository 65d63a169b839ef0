"""Whole films of footage of every kind: each frame shows the picture that is due, and sound keeps with it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from factory.plan.timeline import Canvas, ClipLayer, Speech, SpokenLine, TimedScene, Timeline, Transition
from factory.render.film import Film, render_film
from factory.render.footage import NUDGE
from factory.render.source import read_source
from tests.render_kit import (
    PlainCards,
    Store,
    complaints,
    ffmpeg,
    frame_times,
    hum,
    lumas,
    number_in,
    numbered_clip,
    sound_in,
)

CANVAS = Canvas(64, 36)
SHORT = (45, 45)  # frames of the two scenes
OVERLAP = 9
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "8")
KEPT = ("-fps_mode", "passthrough")
HDR = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"

KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "plain": (".mp4", (*X264, "-c:a", "copy")),
    "variable-rate": (".mp4", ("-vf", "select='not(between(mod(n,7),2,3))'", *KEPT, *X264)),
    "jittery": (".mkv", ("-vf", "setpts='PTS+0.011*sin(N*1.7)/TB'", *KEPT, *X264)),
    "film": (".mp4", ("-vf", "fps=24000/1001", *X264)),
    "fast": (".mp4", ("-vf", "fps=60", *X264)),
    "odd-size": (".mp4", ("-vf", "scale=321:181,format=yuv444p", *X264)),
    "wide-pixels": (".mp4", ("-vf", "scale=240:180,setsar=4/3", *X264)),
    "ten-bit": (".mp4", ("-pix_fmt", "yuv420p10le", *X264)),
    "interlaced": (".mp4", ("-vf", "fps=60,interlace", "-flags", "+ildct+ilme", *X264)),
    "high-dynamic-range": (".mp4", ("-vf", f"format=yuv420p10le,{HDR}", "-c:v", "libx265", "-crf", "8")),
    "mono-8k": (".mov", ("-c:v", "copy", "-ar", "8000", "-ac", "1", "-c:a", "pcm_s16le")),
    "surround": (".mp4", ("-c:v", "copy", "-ac", "6", "-c:a", "aac")),
    "mute": (".mp4", ("-c:v", "copy", "-an")),
    "raw-h264": (".h264", ("-c:v", "copy", "-an")),
    "gif": (".gif", ("-vf", "fps=25", "-an")),
    "webm": (".webm", ("-c:v", "libvpx", "-b:v", "3M", "-deadline", "realtime", "-an")),
    "avi": (".avi", ("-c:v", "mpeg4", "-q:v", "2", "-c:a", "mp3")),
    "open-groups": (".mp4", ("-c:v", "libx265", "-x265-params", "open-gop=1:keyint=25:log-level=error")),
    "one-group": (".mp4", ("-c:v", "libx264", "-g", "500", "-bf", "3", "-c:a", "copy")),
    "transport-stream": (".ts", ("-c:v", "copy", "-c:a", "aac")),
    "long-groups-in-a-stream": (".m2ts", ("-c:v", "libx264", "-g", "500", "-bf", "3", "-c:a", "aac")),
    "program-stream": (".mpg", ("-c:v", "mpeg2video", "-q:v", "2", "-g", "50", "-c:a", "mp2")),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    store.shelf["numbers"] = numbered_clip(store.folder / "numbers.mp4", frames=240)
    return store


def of_kind(kind: str, store: Store) -> Path:
    """Make the numbered clip again as another kind of file."""
    suffix, arguments = KINDS[kind]
    path = store.folder / f"{kind}{suffix}"
    ffmpeg("-i", str(store.shelf["numbers"]), *arguments, str(path))
    return path


def turned(store: Store) -> Path:
    """The numbered clip lying on its side, with the note that it is to be turned upright."""
    flat, path = store.folder / "flat.mp4", store.folder / "turned.mp4"
    ffmpeg("-i", str(store.shelf["numbers"]), "-vf", "transpose=clock", *X264, "-an", str(flat))
    ffmpeg("-display_rotation", "90", "-i", str(flat), "-c", "copy", str(path))
    return path


def program(asset: str, *, speed: Fraction = Fraction(1), transition: str = "fade", starts: Sequence[int]) -> Timeline:
    """Two scenes of the clip that start at these pictures (of 30 a second) and pass over into one another."""
    clips = [
        ClipLayer(asset, 1, Fraction(start, 30), 0, frames, speed=speed, sound_db=0.0)
        for start, frames in zip(starts, SHORT, strict=True)
    ]
    scenes = (
        TimedScene("one", SHORT[0], (clips[0],), Transition(transition, OVERLAP)),
        TimedScene("two", SHORT[1], (clips[1],)),
    )
    return Timeline("x", "en-US", "x", "b", CANVAS, scenes)


def rendered(timeline: Timeline, store: Store, out: Path) -> Film:
    return render_film(
        timeline,
        source=store.source,
        cached=store.cached,
        templates=PlainCards(),
        write_music=hum,
        out=out,
        jobs=2,
    )


def alone(timeline: Timeline) -> Iterator[tuple[int, Fraction]]:
    """Yield the program frames that show one clip only, and the moment of the clip that is due there, in seconds."""
    fps, last = timeline.canvas.fps, len(timeline.scenes) - 1
    for number, (scene, begins) in enumerate(zip(timeline.scenes, timeline.scene_starts(), strict=True)):
        (layer,) = scene.layers
        assert isinstance(layer, ClipLayer)
        for frame in range(OVERLAP if number else 0, scene.frames - (OVERLAP if number < last else 0)):
            yield begins + frame, layer.source_start + frame / fps * layer.speed


def numbers_due(times: Sequence[Fraction], numbers: Sequence[int], moment: Fraction, speed: Fraction) -> set[int]:
    """Return what may be shown at a moment: the last picture up to half an output frame later.

    Half-way between two frames either is right: what is nearer to it than `NUDGE` (and the ticks of a file) counts so.
    """
    frame = speed / CANVAS.fps
    return {
        numbers[max(bisect_right(times, moment + (Fraction(1, 2) + give) * frame) - 1, 0)]
        for give in (-NUDGE - Fraction(1, 50), NUDGE + Fraction(1, 50))
    }


def check_exact(film: Film, timeline: Timeline, footage: Path, speed: Fraction, store: Store) -> None:
    pictures = lumas(film.video)
    assert len(pictures) == film.frames == timeline.frames
    assert frame_times(film.video) == [n / CANVAS.fps for n in range(timeline.frames)]
    assert complaints(film.video) == []
    times, numbers = pictures_of(footage, store)
    wrong = [
        (frame, number_in(pictures[frame]), due)
        for frame, moment in alone(timeline)
        if number_in(pictures[frame]) not in (due := numbers_due(times, numbers, moment, speed))
    ]
    assert wrong == []
    length = len(sound_in(film.video)) / 48_000
    assert abs(length - float(timeline.seconds)) < 1 / CANVAS.fps


def pictures_of(footage: Path, store: Store) -> tuple[list[Fraction], list[int]]:
    """Return when each picture of a file is shown, from its first, and the number that it carries."""
    source = read_source("x", footage)
    numbers = [number_in(luma) for luma in lumas(upright(footage, store))]
    if source.raw:
        return [n / source.fps for n in range(len(numbers))], numbers
    times = frame_times(footage)
    return [time - times[0] for time in times], numbers


def upright(footage: Path, store: Store) -> Path:
    """Return the file's pictures one by one as ffmpeg shows them to a viewer: turned, of square pixels, of 8 bit."""
    path = store.folder / f"seen-{footage.stem}.mkv"
    line = ("-i", str(footage), "-vf", "scale=320:180,format=yuv420p", "-an", *KEPT, "-enc_time_base", "1/90000")
    ffmpeg(*line, "-c:v", "ffv1", str(path))
    return path


@pytest.mark.parametrize("kind", [*KINDS, "turned"])
def test_footage_of_any_kind_shows_each_picture_when_it_is_due(kind: str, store: Store, tmp_path: Path) -> None:
    footage = turned(store) if kind == "turned" else of_kind(kind, store)
    store.shelf[kind] = footage
    timeline = program(kind, starts=(11, 90))
    check_exact(rendered(timeline, store, tmp_path / "x.mp4"), timeline, footage, Fraction(1), store)


@pytest.mark.parametrize(
    "speed", [Fraction(1, 2), Fraction(9, 10), Fraction(1), Fraction(3, 2), Fraction(8, 5), Fraction(2)], ids=str
)
def test_speed_shows_each_picture_when_it_is_due(speed: Fraction, store: Store, tmp_path: Path) -> None:
    timeline = program("numbers", speed=speed, starts=(10, 100))
    film = rendered(timeline, store, tmp_path / "x.mp4")
    check_exact(film, timeline, store.shelf["numbers"], speed, store)


# ten minutes

NTSC = Fraction(30_000, 1001)
PULSE = 300  # frames from one flash to the next, and from click to click
TEN_MINUTES = 10 * 6 * PULSE


def pulses(path: Path) -> Path:
    """Make a clip of 67 s that flashes for three frames and clicks for 20 ms, every 300 frames."""
    flash = f"color=black:s=64x36:r={NTSC},drawbox=t=fill:c=white:enable='lt(mod(n,{PULSE}),3)'"
    click = f"aevalsrc='0.8*sin(2*PI*2000*t)*lt(mod(t,{PULSE}*1001/30000),0.02)':s=48000"
    ffmpeg("-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", click, "-t", "67", *X264, "-c:a", "pcm_s16le", str(path))
    return path


@pytest.mark.slow
def test_picture_and_sound_stay_together_for_ten_minutes(store: Store, tmp_path: Path) -> None:
    store.shelf["pulses"] = pulses(store.folder / "pulses.mov")
    clip = ClipLayer("pulses", 1, 150 / NTSC, 0, 6 * PULSE, sound_db=0.0)
    voice = store.folder / "tick.wav"
    soundfile.write(voice, 0.5 * np.sin(2 * np.pi * 6000 * np.arange(4800) / 48_000), 48_000)
    store.shelf["tick"] = voice
    line = SpokenLine(Speech("tick", "tick", Fraction(1, 10)), 10)
    scenes = tuple(TimedScene(f"s{n}", 6 * PULSE, (clip,), lines=(line,)) for n in range(10))
    film = rendered(Timeline("x", "en-US", "x", "b", Canvas(64, 36, NTSC), scenes), store, tmp_path / "x.mp4")
    pictures = [float(luma.mean()) for luma in lumas(film.video)]
    sound = np.abs(sound_in(film.video)[:, 0])
    assert len(pictures) == TEN_MINUTES
    assert abs(len(sound) / 48_000 - float(TEN_MINUTES / NTSC)) < 1 / NTSC
    flashes = [n for n in range(1, TEN_MINUTES) if pictures[n] > 120 >= pictures[n - 1]]
    assert flashes == list(range(PULSE // 2, TEN_MINUTES, PULSE))
    late = [click_near(sound, flash / NTSC) for flash in flashes]
    frame = float(1 / NTSC)
    assert max(abs(seconds) for seconds in late) < frame / 4
    assert abs(late[-1] - late[0]) < 0.002, "it drifts"
    ticks = [click_near(sound, (scene * 6 * PULSE + 10) / NTSC) for scene in range(10)]
    assert max(abs(seconds) for seconds in ticks) < frame / 4


def click_near(sound: np.ndarray[tuple[int], np.dtype[np.float32]], moment: Fraction) -> float:
    """Return how many seconds after a moment a click begins, looked for from 0.2 s before it to 0.2 s after it."""
    first = max(round((moment - Fraction(1, 5)) * 48_000), 0)
    part = sound[first : first + 19_200]
    onset = int(np.argmax(part > 0.3 * part.max()))
    return (first + onset) / 48_000 - float(moment)
