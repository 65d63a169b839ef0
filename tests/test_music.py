"""Music: exact length, loudness, no clicks, no holes, room for a voice, an ending, and harmony by the book."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from factory.errors import WrongUsage
from factory.render.music import CEILING, LOUDNESS, beat_times, loudness, make_music, write_music
from factory.render.music_score import BAR, Score, compose
from factory.render.music_sounds import Sound
from factory.render.music_styles import STYLES

RATE = 48_000
NAMES = sorted(STYLES)


@lru_cache(maxsize=8)
def piece(style: str, seed: int = 1, seconds: float = 24.0) -> Sound:
    return make_music(style, seed, seconds, RATE)


def levels(sound: Sound, seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the level of each block in dBFS."""
    step = round(seconds * RATE)
    blocks = sound[: len(sound) // step * step].reshape(-1, step, 2)
    return np.asarray(20 * np.log10(np.sqrt((blocks.astype(np.float64) ** 2).mean(axis=(1, 2))) + 1e-9))


def share(sound: Sound, low: float, high: float) -> float:
    """Return how much of the energy lies in a band, in dB."""
    power = np.abs(np.fft.rfft(sound.mean(axis=1))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    return float(10 * np.log10(power[(hertz >= low) & (hertz < high)].sum() / power.sum()))


def tonic(score: Score) -> int:
    """Return the pitch class on which the bass ends."""
    return next(n.pitches[0] for n in score.notes if n.start >= score.beats and n.instrument == "bass") % 12


@pytest.mark.parametrize("style", NAMES)
def test_a_piece_is_what_an_editor_keeps_under_a_voice(style: str) -> None:
    sound = piece(style)
    assert sound.shape == (24 * RATE, 2)
    assert loudness(sound, RATE) == pytest.approx(LOUDNESS, abs=0.5)
    assert np.abs(sound).max() <= CEILING
    assert np.abs(np.diff(sound, axis=0)).max() < 0.25, "a click"
    assert levels(sound[: -round(1.0 * RATE)], 0.25).max() - levels(sound[: -round(1.0 * RATE)], 0.25).min() < 24
    assert share(sound, 1000, 4000) < -12, "it covers the voice"
    assert share(sound, 8000, 20_000) < -20, "it hisses"
    assert share(sound, 20, 120) < -2.5, "it booms"
    assert 0.0 < np.corrcoef(sound[:, 0], sound[:, 1])[0, 1] < 0.95, "it is mono, or its sides cancel"


@pytest.mark.parametrize("style", NAMES)
def test_a_piece_ends_on_its_tonic_and_dies_away(style: str) -> None:
    score = compose(style, 1, 24.0)
    assert score.seconds == pytest.approx(24.0, abs=1e-9)
    last = [note for note in score.notes if note.start >= score.beats]
    assert tonic(score) in {pitch % 12 for note in last if note.instrument == "pad" for pitch in note.pitches}
    sound = piece(style)
    assert not sound[-16:].any()
    ending = levels(sound[round(score.beats * score.beat * RATE) :], score.tail / 5)
    assert ending[0] > -32
    assert np.diff(ending).max() < 1.5, "the ending swells"
    assert np.diff(ending[:-1]).min() > -15, "the ending stops short"
    assert ending[-1] < ending[0] - 12


@pytest.mark.parametrize("style", NAMES)
def test_it_grows_and_varies_but_keeps_its_key(style: str) -> None:
    score = compose(style, 3, 90.0)
    bars: dict[int, set[tuple[str, float]]] = {}
    for note in score.notes:
        if note.start < score.beats:
            bars.setdefault(int(note.start // BAR), set()).add((note.instrument, round(note.start % BAR, 3)))
    sizes = [len(bars[number]) for number in sorted(bars)]
    assert max(sizes[len(sizes) // 3 :]) > sizes[0], "the intro is as full as the rest"
    assert len({frozenset(bar) for bar in bars.values()}) >= 4
    scale = {(tonic(score) + step) % 12 for step in score.style.scale}
    sung = [p for n in score.notes if n.instrument in ("pad", "arp", "lead") for p in n.pitches]
    assert {pitch % 12 for pitch in sung} <= scale


def test_the_same_seed_gives_the_same_bytes_and_another_another_piece(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_music(tmp_path / name, style="drive", seed=seed, seconds=6.0)
    files = {name: (tmp_path / name).read_bytes() for name in "abc"}
    assert files["a"] == files["b"] != files["c"]
    assert soundfile.info(tmp_path / "a").subtype == "PCM_24"
    assert len({tonic(compose("drive", seed, 60.0)) for seed in range(12)}) > 5


@pytest.mark.parametrize("seconds", [1.0, 4.96, 12.04])
@pytest.mark.parametrize("style", NAMES)
def test_short_pieces_are_whole_too(style: str, seconds: float) -> None:
    sound = make_music(style, 2, seconds, 24_000)
    assert sound.shape == (round(seconds * 24_000), 2)
    assert np.isfinite(sound).all()
    assert 0.05 < np.abs(sound).max() <= CEILING
    assert not sound[-8:].any()


def test_long_pieces_stay_near_their_tempo() -> None:
    for style in NAMES:
        for seconds in (20.0, 61.7, 180.0):
            score = compose(style, 5, seconds)
            low, high = score.style.tempo
            assert low * 0.88 < 60 / score.beat < high * 1.12
            assert score.beats % BAR == 0


def test_beats_are_where_the_kick_is() -> None:
    beats = beat_times("drive", 1, 24.0)
    score = compose("drive", 1, 24.0)
    assert len(beats) == score.beats + 1
    assert beats[-1] == pytest.approx(24.0 - score.tail, abs=1e-5)
    assert np.allclose(np.diff(beats), score.beat)
    sound = piece("drive").mean(axis=1)
    low = np.abs(np.convolve(sound, np.ones(96) / 96, "same"))
    on = np.mean([low[round(b * RATE) : round(b * RATE) + 2400].mean() for b in beats[:-1]])
    off = np.mean([low[round((b + score.beat / 2) * RATE) :][:2400].mean() for b in beats[:-1]])
    assert on > 1.3 * off


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="polka"):
        write_music(tmp_path / "a.wav", style="polka", seed=1, seconds=5)
    for seconds in (0.2, 7200.0, float("nan")):
        with pytest.raises(WrongUsage, match="cannot be made"):
            beat_times("drive", 1, seconds)
