"""Music for under a voice, computed: written for a length, it ends on its final chord and not by a fader.

`drive` is upbeat, for new cars; `countdown` ticks and builds, for rankings; `dirt` has drums and driven strings, for
off-road; `calm` is soft and neutral, for accidents and credits. Between 1 and 4 kHz there is room for the voice.
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyloudnorm
import soundfile
from scipy.signal import oaconvolve, sosfilt

from factory.errors import WrongUsage
from factory.render import music_sounds as sounds
from factory.render.music_score import Note, Score, compose, meter, tempo
from factory.render.music_sounds import Sound, filtered
from factory.render.music_styles import STYLES, Style

LOUDNESS = -18.0  # LUFS
CEILING = 0.72  # nothing is louder than this, -2.9 dBFS
SHORTEST, LONGEST = 1.0, 1800.0  # seconds
SENDS = {
    "snare": 0.35,
    "tom": 0.3,
    "tick": 0.5,
    "pad": 0.5,
    "arp": 0.9,
    "lead": 1.0,
    "chug": 0.25,
    "crash": 0.4,
    "rise": 0.4,
}


def write_music(
    path: Path, *, style: str, seed: int, seconds: float, sample_rate: int = 48_000, beat: float = 0.0
) -> None:
    """Write a stereo WAV (24 bit) of exactly `seconds`. The same arguments give the same bytes.

    A `beat` of so many seconds is kept to the sample; 0 leaves it to style, seed and length.
    """
    sound = make_music(style, seed, seconds, sample_rate, beat)
    soundfile.write(path, sound, sample_rate, subtype="PCM_24", format="WAV")


def make_music(style: str, seed: int, seconds: float, rate: int = 48_000, beat: float = 0.0) -> Sound:
    """Return the music, (samples, 2)."""
    _check(style, seconds)
    score = compose(style, seed, seconds, beat)
    return master(arrange(score, rate), score, round(seconds * rate), rate)


def beat_times(style: str, seed: int, seconds: float, beat: float = 0.0) -> tuple[float, ...]:
    """Return the seconds of every beat from 0 to the final chord, four to a bar, for cuts on the beat."""
    _check(style, seconds)
    beat, beats, _ = meter(STYLES[style], seed, seconds, beat)
    return tuple(round(number * beat, 6) for number in range(beats + 1))


def frames_a_beat(style: str, seed: int, fps: Fraction) -> int:
    """Return the whole number of frames that is nearest to a beat: what cuts on the beat are planned with."""
    _check_style(style)
    return round(60 * fps / Fraction(tempo(STYLES[style], seed)))


def _check(style: str, seconds: float) -> None:
    _check_style(style)
    if not SHORTEST <= seconds <= LONGEST:
        raise WrongUsage(
            f"music of {seconds:g} s cannot be made", next_step=f"ask for {SHORTEST:g} to {LONGEST:g} seconds"
        )


def _check_style(style: str) -> None:
    if style not in STYLES:
        raise WrongUsage(f"no music is called {style!r}", next_step=f"use one of {', '.join(STYLES)}")


def arrange(score: Score, rate: int) -> Sound:
    """Play every note into its bus, let the kick push the others aside, add the room."""
    length = round(score.seconds * rate) + rate
    dry, held, room = (np.zeros((length, 2), np.float32) for _ in range(3))
    for note in score.notes:
        sound = play(note, score, rate) * np.float32(score.style.gains.get(note.instrument, 0.0) * note.force)
        place = slice(round(note.start * score.beat * rate), None)
        bus = held if note.instrument in ("pad", "bass", "arp", "chug") else dry
        _add(bus[place], sound)
        if note.instrument in SENDS:
            _add(room[place], sound * np.float32(SENDS[note.instrument]))
    if score.style.pump:
        push = pump(score, length, rate)[:, None]
        held *= push
        room *= push
    return dry + held + reverb(room, score.style, rate)


def _add(bus: Sound, sound: Sound) -> None:
    count = min(len(bus), len(sound))
    bus[:count] += sound[:count]


def play(note: Note, score: Score, rate: int) -> Sound:
    """Return the sound of one note, (n, 2)."""
    if note.pitches and note.instrument != "tom":
        return _pitched(note, score, rate)
    if note.instrument == "crash":
        return sounds.crash(rate, max(0.6, _seconds(note, score)))
    if note.instrument == "rise":
        return sounds.rise(rate, _seconds(note, score))
    return panned(_drum(note, rough=bool(score.style.chugs), rate=rate), note.pan)


def _seconds(note: Note, score: Score) -> float:
    return round(note.length * score.beat, 3)


def _pitched(note: Note, score: Score, rate: int) -> Sound:
    seconds, slow = _seconds(note, score), score.style.tempo[1] < 80
    match note.instrument:
        case "pad":
            return sounds.pad(note.pitches, seconds, rate, slow)
        case "chug":
            return sounds.chug(note.pitches, seconds, rate)
        case "bass":
            return panned(sounds.bass(note.pitches[0], seconds, rate, 1.0 if score.style.chugs else 0.25), note.pan)
        case "arp":
            return panned(sounds.arp(note.pitches[0], seconds, rate, slow), note.pan)
        case _:
            return panned(sounds.lead(note.pitches[0], seconds, rate), note.pan)


def _drum(note: Note, *, rough: bool, rate: int) -> Sound:
    match note.instrument:
        case "kick":
            return sounds.kick(rate, rough)
        case "snare":
            return sounds.snare(rate, rough)
        case "tom":
            return sounds.tom(rate, note.pitches[0] if note.pitches else 45)
        case "tick":
            return sounds.tick(rate)
        case "shaker":
            return sounds.shaker(rate)
        case _:
            return sounds.hat(rate, 0.16 if note.instrument == "open" else 0.035)


def panned(mono: Sound, pan: float) -> Sound:
    """Place a sound between left (-1) and right (1) at constant power."""
    angle = (pan + 1) * np.pi / 4
    return mono[:, None] * np.array([np.cos(angle), np.sin(angle)], np.float32) * np.float32(2**0.5)


def pump(score: Score, length: int, rate: int) -> Sound:
    """Return the gain that dips at every kick and comes back within a beat."""
    gain = np.ones(length, np.float32)
    back = np.arange(round(score.beat * rate)) / rate
    dip = 1.0 - score.style.pump * np.exp(-back / (0.28 * score.beat)) * (1 - np.exp(-back / 0.004))
    for note in score.notes:
        if note.instrument == "kick":
            part = gain[round(note.start * score.beat * rate) :][: len(dip)]
            np.minimum(part, dip[: len(part)].astype(np.float32), out=part)
    return gain


def reverb(send: Sound, style: Style, rate: int) -> Sound:
    """Return the room's answer: noise that dies away, warmer the longer it lasts, left and right apart."""
    seconds = style.room
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(77).standard_normal((len(time), 2)).astype(np.float32)
    tail = noise * np.exp(-6.9 * time / seconds).astype(np.float32)[:, None]
    tail[: round(0.012 * rate)] = 0.0
    shaped = filtered(filtered(tail, "low", 3800.0, rate), "high", 260.0, rate)
    shaped /= np.sqrt((shaped**2).sum(axis=0))
    heard = oaconvolve(send, shaped, axes=0)[: len(send)]
    return np.asarray(heard * np.float32(style.reverb * 2), np.float32)


def master(mix: Sound, score: Score, count: int, rate: int) -> Sound:
    """Make room for a voice, bring the piece to its loudness, round off its peaks, let the end die away."""
    mix = filtered(mix, "high", 32.0, rate)
    mix = np.asarray(sosfilt(_voice_room(rate), mix, axis=0), np.float32)
    mix = mix[:count] if len(mix) >= count else np.pad(mix, ((0, count - len(mix)), (0, 0)))
    mix = mix * _ending(count, score.tail, rate)[:, None]
    for _ in range(2):  # rounding off the peaks takes a little loudness, given back once
        mix = rounded(mix * np.float32(10 ** ((LOUDNESS - loudness(mix, rate)) / 20)))
    return np.asarray(mix, np.float32)


def _voice_room(rate: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Second-order sections: -4 dB around 2.2 kHz, -2 dB above 8 kHz (Audio EQ Cookbook, R. Bristow-Johnson)."""
    sections = []
    turn = 2 * np.pi * 2200 / rate
    amplitude, alpha = 10 ** (-4 / 40), np.sin(turn) / (2 * 0.7)
    sections.append(
        [1 + alpha * amplitude, -2 * np.cos(turn), 1 - alpha * amplitude,
         1 + alpha / amplitude, -2 * np.cos(turn), 1 - alpha / amplitude]
    )  # fmt: skip
    turn, amplitude = 2 * np.pi * 8000 / rate, 10 ** (-2 / 40)
    cos, beta = np.cos(turn), 2 * np.sqrt(amplitude) * np.sin(turn) / 2 * np.sqrt(2)
    up, down = amplitude + 1, amplitude - 1
    sections.append(
        [amplitude * (up + down * cos + beta), -2 * amplitude * (down + up * cos), amplitude * (up + down * cos - beta),
         up - down * cos + beta, 2 * (down - up * cos), up - down * cos - beta]
    )  # fmt: skip
    table = np.array(sections)
    return np.asarray(table / table[:, 3:4])


def _ending(count: int, tail: float, rate: int) -> Sound:
    """A fade under the ringing chord that reaches silence with the last sample."""
    gain = np.ones(count, np.float32)
    fade = min(count, max(1, round(0.7 * tail * rate)))
    gain[count - fade :] = np.cos(np.linspace(0, np.pi / 2, fade)) ** 1.5
    gain[-min(count, 32) :] = 0.0
    start = min(count, round(0.004 * rate))
    gain[:start] *= np.linspace(0, 1, start, dtype=np.float32)
    return gain


def loudness(mix: Sound, rate: int) -> float:
    """Return the integrated loudness in LUFS (BS.1770)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(pyloudnorm.Meter(rate).integrated_loudness(mix.astype(np.float64)))


def rounded(mix: Sound) -> Sound:
    """Bend peaks over half of the ceiling so that none passes it."""
    knee = CEILING * 0.6
    over = np.abs(mix) > knee
    bent = mix.copy()
    bent[over] = np.sign(mix[over]) * (knee + (CEILING - knee) * np.tanh((np.abs(mix[over]) - knee) / (CEILING - knee)))
    return bent
