"""The program's sound: every sound at its sample, voice clear above the rest, no click, a real ending."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from factory.plan.timeline import Canvas, ClipLayer, Music, Speech, SpokenLine, TimedScene, Timeline, Transition
from factory.render.loudness import Sound, loudness, true_peak
from factory.render.mix import Span, deliver, ducking, merged, mix_program, placed_clips
from factory.render.music import write_music
from factory.render.music_styles import STYLES
from factory.render.source import Source, read_source
from tests.render_kit import Store, ffmpeg, hum, metered, sound_in

RATE = 48_000
CANVAS = Canvas(320, 180)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    rate = 24_000
    seconds = np.arange(2 * rate) / rate
    soundfile.write(store.folder / "talk.wav", 0.2 * np.sin(2 * np.pi * 3000 * seconds), rate)
    store.shelf["talk"] = store.folder / "talk.wav"
    return store


def line(start: int) -> SpokenLine:
    return SpokenLine(Speech("x", "talk", Fraction(2)), start)


def program(
    *scenes: TimedScene, music: Music | None = None, loudness_lufs: float = -14.0, canvas: Canvas = CANVAS
) -> Timeline:
    return Timeline("t", "en-US", "x", "b", canvas, scenes, music, loudness_lufs)


def mixed(timeline: Timeline, store: Store, sources: dict[str, Source] | None = None) -> NDArray[np.float32]:
    made = mix_program(timeline, source=store.source, sources=sources or {}, cached=store.cached, write_music=hum)
    return sound_in(made)


def level(sound: NDArray[np.float32], start: float, end: float, hertz: float) -> float:
    """Return the power of one tone in a stretch, in dB."""
    part = sound[round(start * RATE) : round(end * RATE), 0].astype(np.float64)
    time = np.arange(len(part)) / RATE
    window = np.hanning(len(part))
    tone = np.sum(part * window * np.exp(-2j * np.pi * hertz * time)) / window.sum()
    return float(20 * np.log10(abs(tone) + 1e-9))


def test_music_goes_down_before_the_voice_and_comes_back_after_it(store: Store) -> None:
    timeline = program(TimedScene("s", 300, (), lines=(line(120),)), music=Music("hum", 1))
    sound = mixed(timeline, store)
    before, under, after = (level(sound, start, end, 200) for start, end in ((2, 3.5), (4.1, 5.9), (8, 9.5)))
    assert before - under == pytest.approx(12, abs=0.5)
    assert after == pytest.approx(before, abs=0.3)
    assert level(sound, 4.1, 5.9, 3000) - under >= 9
    assert level(sound, 3.0, 3.7, 200) == pytest.approx(before, abs=0.5)
    assert level(sound, 6.6, 6.9, 200) < before - 3  # it comes back slowly


def test_loud_music_goes_down_until_the_voice_is_clear(store: Store) -> None:
    timeline = program(TimedScene("s", 300, (), lines=(line(120),)), music=Music("hum", 1, gain_db=0.0, duck_db=3.0))
    sound = mixed(timeline, store)
    spoken = sound[round(4.1 * RATE) : round(5.9 * RATE), 0].astype(np.float64)
    assert level(sound, 4.1, 5.9, 3000) - level(sound, 4.1, 5.9, 200) >= 9
    assert np.sqrt((spoken**2).mean()) > 0.02


@pytest.mark.parametrize("target", [-14.0, -23.0])
def test_loudness_length_and_peak(target: float, store: Store) -> None:
    timeline = program(
        TimedScene("s", 217, (), lines=(line(10),)), music=Music("hum", 1, gain_db=-6.0), loudness_lufs=target
    )
    sound = mixed(timeline, store)
    assert loudness(sound, RATE) == pytest.approx(target, abs=0.5)
    assert abs(len(sound) - 217 * 1600) <= 1024
    assert 20 * np.log10(true_peak(sound).max()) <= -1.0


def test_the_voice_starts_at_its_sample(store: Store) -> None:
    first = TimedScene("a", 60, (), Transition("fade", 15), lines=(line(0),))
    timeline = program(first, TimedScene("b", 90, (), lines=(line(25),)))
    heard = np.abs(mixed(timeline, store)[:, 0]) > 0.02
    starts = [0, round((45 + 25) / 30 * RATE)]
    assert abs(int(np.argmax(heard)) - starts[0]) < 480
    quiet_before = heard[starts[1] - 4000 : starts[1] - 300]
    assert not quiet_before.any()
    assert heard[starts[1] + 100 : starts[1] + 2000].any()


def test_music_longer_than_the_program_ends_softly(store: Store) -> None:
    def longer(path: Path, *, style: str, seed: int, seconds: float, sample_rate: int, beat: float) -> None:
        hum(path, style=style, seed=seed, seconds=seconds + 5, sample_rate=sample_rate)

    timeline = program(TimedScene("s", 120, ()), music=Music("other", 2))
    sound = sound_in(mix_program(timeline, source=store.source, sources={}, cached=store.cached, write_music=longer))
    assert level(sound, 3.8, 3.95, 200) < level(sound, 1, 2.5, 200) - 6
    assert np.abs(sound[round(3.995 * RATE) : 4 * RATE]).max() < 0.02


def test_silence_stays_silent(store: Store) -> None:
    assert np.abs(mixed(program(TimedScene("s", 30, ())), store)).max() < 1e-4


def test_without_music_pauses_are_quiet_but_not_dead(store: Store) -> None:
    sound = mixed(program(TimedScene("s", 150, (), lines=(line(60),))), store)
    pause = sound[RATE // 4 : RATE]
    assert 1e-5 < np.sqrt((pause.astype(np.float64) ** 2).mean()) < 3e-3


# what is decoded, by another meter than ours


def noise(seconds: float = 6.0) -> Sound:
    return np.random.default_rng(0).standard_normal((round(seconds * RATE), 2)).astype(np.float32)


def in_bursts(sound: Sound) -> Sound:
    return np.asarray(sound * (np.arange(len(sound)) % (RATE // 2) < RATE * 0.06)[:, None], np.float32)


def clicks() -> Sound:
    sound = np.zeros((6 * RATE, 2), np.float32)
    for place in range(3):
        sound[place::4000] = (1.0, -1.0)
    return sound


LOUD = {"wind": noise(), "gravel": in_bursts(noise()), "hiss": np.diff(in_bursts(noise()), axis=0), "clicks": clicks()}


@pytest.mark.parametrize("kind", LOUD)
@pytest.mark.parametrize("target", [-14.0, -9.0])
def test_the_encoder_puts_no_peak_over_the_mark(kind: str, target: float, tmp_path: Path) -> None:
    timeline = program(TimedScene("s", 180, ()), loudness_lufs=target)
    deliver(LOUD[kind], timeline, tmp_path / "x.m4a")
    lufs, peak = metered(tmp_path / "x.m4a")
    assert peak <= -1.0
    assert lufs <= target + 0.5


def test_loudness_that_the_encoder_takes_away_is_given_back(tmp_path: Path) -> None:
    timeline = program(TimedScene("s", 180, ()))
    deliver(LOUD["wind"], timeline, tmp_path / "x.m4a")
    assert metered(tmp_path / "x.m4a")[0] == pytest.approx(-14.0, abs=0.3)


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("target", [-9.0, -14.0, -23.0])
def test_music_and_voice_are_delivered_as_ordered(style: str, target: float, store: Store) -> None:
    music = Music(style, 1, gain_db=0.0)
    timeline = program(TimedScene("s", 240, (), lines=(line(100),)), music=music, loudness_lufs=target)
    made = mix_program(timeline, source=store.source, sources={}, cached=store.cached, write_music=write_music)
    lufs, peak = metered(made)
    assert lufs == pytest.approx(target, abs=0.5)
    assert peak <= -1.0


# the clips' own sound


def clip_with(store: Store, name: str, sound: tuple[str, ...], codec: tuple[str, ...] = ("-c:a", "aac")) -> Source:
    path = store.folder / f"{name}.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "color=gray:s=160x90:r=30:d=4", *sound, "-c:v", "libx264", "-preset", "ultrafast"),
        *(*codec, str(path)),
    )
    return read_source(name, path)


def sine(hertz: int, *more: str) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"sine=frequency={hertz}:duration=4", *more)


def heard(asset: str, start: Fraction, at: int, frames: int, speed: Fraction = Fraction(1)) -> ClipLayer:
    return ClipLayer(asset, 1, start, at, frames, speed, sound_db=0.0)


@pytest.mark.parametrize(
    ("kind", "sound", "codec"),
    [
        ("plain", sine(1000), ("-c:a", "aac")),
        ("phone-8k", sine(1000, "-ar", "8000", "-ac", "1"), ("-c:a", "pcm_s16le", "-f", "mov")),
        ("surround", sine(1000, "-af", "pan=5.1|FL=c0|FR=c0|FC=c0|LFE=0*c0|BL=c0|BR=c0"), ("-c:a", "aac")),
        ("low-rate", sine(1000, "-ar", "22050"), ("-c:a", "aac")),
    ],
)
def test_any_sound_is_heard_in_its_place(
    kind: str, sound: tuple[str, ...], codec: tuple[str, ...], store: Store
) -> None:
    source = clip_with(store, kind, sound, codec)
    timeline = program(TimedScene("s", 90, (heard(kind, Fraction(1), 30, 30),)))
    out = mixed(timeline, store, {kind: source})
    assert level(out, 1.1, 1.9, 1000) > level(out, 0.1, 0.9, 1000) + 40
    assert level(out, 1.1, 1.9, 1000) > level(out, 2.1, 2.9, 1000) + 40
    assert abs(len(out) - 90 * 1600) <= 1024


def test_sound_that_starts_late_stays_in_step(store: Store) -> None:
    source = clip_with(store, "late", ("-itsoffset", "2", *sine(1000)), ("-c:a", "aac", "-t", "4"))
    timeline = program(TimedScene("s", 90, (heard("late", Fraction(1), 0, 90),)))
    out = mixed(timeline, store, {"late": source})
    assert level(out, 1.1, 2.5, 1000) > level(out, 0.1, 0.9, 1000) + 40


def test_a_clip_without_sound_is_silent(store: Store) -> None:
    source = clip_with(store, "mute", (), ())
    timeline = program(TimedScene("s", 60, (heard("mute", Fraction(1), 0, 60),)))
    assert np.abs(mixed(timeline, store, {"mute": source})).max() < 1e-4


@pytest.mark.parametrize("speed", [Fraction(5, 4), Fraction(1, 4), Fraction(3, 10)])
def test_footage_of_any_speed_keeps_its_pitch(speed: Fraction, store: Store) -> None:
    source = clip_with(store, "quick", sine(1000))
    timeline = program(TimedScene("s", 60, (heard("quick", Fraction(1, 2), 0, 60, speed),)))
    out = mixed(timeline, store, {"quick": source})
    assert level(out, 0.3, 1.7, 1000) > level(out, 0.3, 1.7, 1000 * float(speed)) + 20


def test_a_transition_crossfades_and_a_cut_does_not_click(store: Store) -> None:
    low, high = clip_with(store, "low", sine(500)), clip_with(store, "high", sine(1500))
    scenes = (
        TimedScene("a", 60, (heard("low", Fraction(0), 0, 60),), Transition("fade", 30)),
        TimedScene("b", 60, (heard("high", Fraction(0), 0, 40), heard("low", Fraction(1), 40, 20))),
    )
    out = mixed(program(*scenes), store, {"low": low, "high": high})
    assert level(out, 1.1, 1.3, 500) > level(out, 1.1, 1.3, 1500) + 3
    assert level(out, 1.7, 1.9, 1500) > level(out, 1.7, 1.9, 500) + 3
    steps = np.abs(np.diff(out[:, 0]))
    cut = round((30 + 40) / 30 * RATE)
    assert steps[cut - 2000 : cut + 2000].max() <= 1.1 * steps[cut - 8000 : cut - 4000].max()


def test_a_clips_sound_goes_down_under_the_voice_too(store: Store) -> None:
    source = clip_with(store, "engine", sine(500))
    scene = TimedScene("s", 120, (heard("engine", Fraction(0), 0, 110),), lines=(line(45),))
    out = mixed(program(scene), store, {"engine": source})
    assert level(out, 1.6, 3.4, 3000) - level(out, 1.6, 3.4, 500) >= 9


# placing and ducking, as numbers


def test_placed_clips_know_their_fades() -> None:
    first = TimedScene("a", 60, (heard("x", Fraction(0), 0, 60),), Transition("fade", 15))
    second = TimedScene("b", 60, (heard("x", Fraction(0), 0, 30), heard("x", Fraction(0), 30, 30)))
    placed = list(placed_clips(program(first, second)))
    assert [(p.start, p.end) for p in placed] == [(0, 96_000), (72_000, 120_000), (120_000, 168_000)]
    assert [(p.fade_in, p.fade_out) for p in placed] == [(480, 24_000), (24_000, 480), (480, 480)]


def test_short_pauses_do_not_bring_the_music_back() -> None:
    assert merged([Span(0, 100), Span(150, 300), Span(900, 1000)], 60) == [Span(0, 300), Span(900, 1000)]
    assert merged([Span(0, 500), Span(100, 200)], 60) == [Span(0, 500)]


def test_ducking_falls_before_and_rises_after() -> None:
    voice = np.zeros(10 * RATE, np.float32)
    voice[4 * RATE : 6 * RATE] = 0.5
    gain = ducking(np.full((10 * RATE, 2), 0.001, np.float32), voice, [Span(4 * RATE, 6 * RATE)], Music("", 0), RATE)
    decibels = 20 * np.log10(gain)
    assert decibels[round(3.7 * RATE)] == pytest.approx(0, abs=0.01)
    assert decibels[round(3.875 * RATE)] == pytest.approx(-6, abs=0.1)
    assert decibels[4 * RATE : 6 * RATE] == pytest.approx(-12, abs=0.01)
    assert decibels[round(6.75 * RATE)] == pytest.approx(-6, abs=0.1)
    assert decibels[round(7.6 * RATE)] == pytest.approx(0, abs=0.01)


def test_the_same_program_is_mixed_once(store: Store) -> None:
    timeline = program(TimedScene("s", 90, (), lines=(line(3),)), music=Music("hum", 5))
    mixed(timeline, store)
    made = len(store.made)
    mixed(replace(timeline, title="other", caption_style="bold"), store)
    assert len(store.made) == made
    mixed(replace(timeline, loudness_lufs=-16.0), store)
    assert len(store.made) == made + 1
