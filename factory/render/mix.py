"""The sound of the whole program, mixed once: voice, the clips' own sound, music ducked under the voice; then mastered.

Every sound starts at its exact sample: frame / fps * sample rate, rounded. Levels before mastering: the voice stands at
-22 LUFS, music at -14 LUFS plus its gain, a clip's own sound at -20 LUFS at most plus its gain.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from math import gcd
from pathlib import Path
from typing import Protocol

import av
import ffmpeg
import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from factory.plan.timeline import ClipLayer, Music, Timeline
from factory.render.command import FfmpegCommand, Input, digest_of
from factory.render.errors import disk_full_named
from factory.render.ffmpeg import run, version
from factory.render.loudness import CEILING_DB, Sound, from_db, loudness, master, measured
from factory.render.overlays import Cached
from factory.render.source import Source

PROGRAM = 2  # raised whenever the same timeline, its music included, would sound different
VOICE_LUFS, MUSIC_LUFS, CLIP_LUFS = -22.0, -14.0, -20.0
CLEAR_DB = 10.0  # the voice is at least this much louder than everything under it
CUT_SECONDS = 0.010  # fade at every cut
ENDING_SECONDS = 1.0
BREATH_SECONDS = 0.6  # a shorter pause between two lines does not bring the music back
ROOM_TONE_DB = -66.0  # where there is no music: quiet, but not dead
BITRATE = "192k"
PEAK_DB = -1.2  # true peak of what is decoded, in dBTP: meters differ by two tenths, and none is to read over -1
SPARE_DB = 0.1  # by which peaks are meant to stay below that after a further encoding
LOSS_DB, MOST_LOSS_DB = 0.15, 2.0  # loudness that AAC may take away unmended, and that is mended at most
ENCODINGS = 5
FRAMES_A_PIECE = 256  # of 1024 samples


class MusicWriter(Protocol):
    """Writes a stereo WAV: `music.write_music` in the factory. `beat` is in seconds, 0 for the style's own."""

    def __call__(self, path: Path, *, style: str, seed: int, seconds: float, sample_rate: int, beat: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Span:
    """Samples [start, end) in which somebody speaks."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A clip's own sound on the program: samples [start, end), with its fades in samples."""

    layer: ClipLayer
    start: int
    end: int
    fade_in: int
    fade_out: int


def mix_program(
    timeline: Timeline,
    *,
    source: Callable[[str], Path],
    sources: Mapping[str, Source],
    cached: Cached,
    write_music: MusicWriter,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """Return the program's sound as an M4A (AAC), as long as the picture. `source` finds speech by its digest."""
    rate = timeline.canvas.sample_rate
    clips = [
        (placed, sound_of(placed, sources[placed.layer.asset], rate))
        for placed in placed_clips(timeline)
        if sources[placed.layer.asset].has_sound
    ]

    def make(target: Path) -> None:
        total = sample_at(timeline, timeline.frames)
        voice, spans = _voice(timeline, source, total)
        bed = _clip_bus(clips, cached, total, rate, cancelled)
        if timeline.music:
            bed += _music(timeline, timeline.music, cached, write_music, total)
        elif spans or clips:
            bed += _room_tone(total)
        duck = timeline.music or Music("", 0)
        bed *= ducking(bed, voice, spans, duck, rate)[:, None]
        bed += voice[:, None]
        deliver(bed, timeline, target, cancelled)

    return cached(_key(timeline, clips), ".m4a", make)


def sample_at(timeline: Timeline, frame: int) -> int:
    """Return the sample at which a program frame begins."""
    return round(Fraction(frame) / timeline.canvas.fps * timeline.canvas.sample_rate)


def _key(timeline: Timeline, clips: Sequence[tuple[Placed, FfmpegCommand]]) -> str:
    lines = [
        (sample_at(timeline, begins + line.start), line.speech.file)
        for scene, begins in zip(timeline.scenes, timeline.scene_starts(), strict=True)
        for line in scene.lines
    ]
    heard = [(c.digest(), p.start, p.fade_in, p.fade_out, p.layer.sound_db) for p, c in clips]
    music = asdict(timeline.music) if timeline.music else None
    length = (timeline.frames, timeline.canvas.fps, timeline.canvas.sample_rate, timeline.loudness_lufs)
    return f"sound-{digest_of([PROGRAM, version(), lines, heard, music, length])}"


# voice


def _voice(timeline: Timeline, source: Callable[[str], Path], total: int) -> tuple[NDArray[np.float32], list[Span]]:
    rate = timeline.canvas.sample_rate
    bus, spans = np.zeros(total, np.float32), []
    for scene, begins in zip(timeline.scenes, timeline.scene_starts(), strict=True):
        for line in scene.lines:
            start = sample_at(timeline, begins + line.start)
            spoken = _read_mono(source(line.speech.file), rate)[: max(total - start, 0)]
            bus[start : start + len(spoken)] += faded(spoken, round(CUT_SECONDS * rate / 2), round(CUT_SECONDS * rate))
            spans.append(Span(start, start + len(spoken)))
    level = loudness(np.concatenate([bus[s.start : s.end] for s in spans])[:, None], rate) if spans else -np.inf
    if np.isfinite(level):
        bus *= np.float32(from_db(VOICE_LUFS - level))
    return bus, [span for span in spans if span.end > span.start]


def _read_mono(path: Path, sample_rate: int) -> NDArray[np.float32]:
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono: NDArray[np.float32] = sound.mean(axis=1)
    if rate == sample_rate:
        return mono
    common = gcd(rate, sample_rate)
    return np.asarray(resample_poly(mono, sample_rate // common, rate // common), dtype=np.float32)


# the clips' own sound


def placed_clips(timeline: Timeline) -> Iterator[Placed]:
    """Yield every clip layer that is to be heard. In a transition sounds cross-fade; at a cut they fade for 10 ms."""
    cut = round(CUT_SECONDS * timeline.canvas.sample_rate)
    before = 0
    for scene, begins in zip(timeline.scenes, timeline.scene_starts(), strict=True):
        after = scene.transition.frames if scene.transition else 0
        for layer in scene.layers:
            if isinstance(layer, ClipLayer) and layer.sound_db is not None:
                start, end = (sample_at(timeline, begins + f) for f in (layer.start, layer.start + layer.frames))
                fade_in = sample_at(timeline, before) if before and layer.start == 0 else cut
                at_end = layer.start + layer.frames >= scene.frames
                yield Placed(layer, start, end, fade_in, sample_at(timeline, after) if after and at_end else cut)
        before = after


def _clip_bus(
    clips: Sequence[tuple[Placed, FfmpegCommand]],
    cached: Cached,
    total: int,
    rate: int,
    cancelled: Callable[[], bool],
) -> Sound:
    bus = np.zeros((total, 2), np.float32)
    for clip, command in clips:
        path = cached(
            f"clip-{digest_of([PROGRAM, version(), command.digest()])}",
            ".f32",
            lambda target, command=command: run(command, output=target, cancelled=cancelled),  # type: ignore[misc]  # mypy cannot type a lambda with a default
        )
        heard = np.fromfile(path, np.float32).reshape(-1, 2)[: total - clip.start]
        level = loudness(heard, rate)
        gain = (clip.layer.sound_db or 0.0) + min(CLIP_LUFS - level, 0.0)
        heard = faded(heard, clip.fade_in, clip.fade_out) * np.float32(from_db(gain))
        bus[clip.start : clip.start + len(heard)] += heard
    return bus


def sound_of(clip: Placed, source: Source, sample_rate: int) -> FfmpegCommand:
    """Return the command that cuts a clip's own sound out of its file: stereo float samples, exactly as many as placed.

    Sound that starts late in the file or ends early is filled with silence.
    """
    layer, samples = clip.layer, clip.end - clip.start
    seconds = Fraction(samples, sample_rate) * layer.speed + Fraction(1, 10)
    options = ("-ss", f"{float(source.begins + layer.source_start):.6f}", "-t", f"{float(seconds):.6f}")
    heard = ffmpeg.input("0")["a:0"].filter("aresample", sample_rate, **{"async": 1, "first_pts": 0})
    for tempo in tempos(layer.speed):
        heard = heard.filter("atempo", float(tempo))
    heard = heard.filter("aformat", sample_fmts="flt", sample_rates=sample_rate, channel_layouts="stereo")
    heard = heard.filter("apad").filter("atrim", end_sample=samples)
    line = ffmpeg.get_args(heard.output("out"))
    graph, target = line[line.index("-filter_complex") + 1], line[line.index("-map") + 1]
    opened = Input(source.asset, source.path, options)
    return FfmpegCommand((opened,), graph, ("-map", target, "-c:a", "pcm_f32le", "-f", "f32le"), 0)


def tempos(speed: Fraction) -> Iterator[Fraction]:
    """Yield the tempos that make up a speed: the filter goes down to a half at once."""
    while speed < Fraction(1, 2):
        yield Fraction(1, 2)
        speed *= 2
    if speed != 1:
        yield speed


# music


def _music(timeline: Timeline, music: Music, cached: Cached, write_music: MusicWriter, total: int) -> Sound:
    rate = timeline.canvas.sample_rate
    seconds = total / rate
    beat = float(music.beat / timeline.canvas.fps)

    def make(target: Path) -> None:
        with disk_full_named(target):
            write_music(target, style=music.style, seed=music.seed, seconds=seconds, sample_rate=rate, beat=beat)

    key = digest_of([PROGRAM, music.style, music.seed, seconds, rate, beat])
    sound, found = soundfile.read(cached(f"music-{key}", ".wav", make), dtype="float32", always_2d=True)
    if found != rate:
        raise ValueError(f"music came at {found} samples a second instead of {rate}")
    sound = np.repeat(sound, 2, axis=1) if sound.shape[1] == 1 else sound[:, :2]
    longer = len(sound) > total
    sound = np.pad(sound[:total], ((0, max(total - len(sound), 0)), (0, 0)))
    level = loudness(sound, rate)
    if not np.isfinite(level):
        return sound
    sound = faded(sound, round(CUT_SECONDS * rate), round((ENDING_SECONDS if longer else CUT_SECONDS) * rate))
    return np.asarray(sound * np.float32(from_db(MUSIC_LUFS - level + music.gain_db)), dtype=np.float32)


def _room_tone(total: int) -> Sound:
    noise = np.random.default_rng(0).standard_normal((total, 2), dtype=np.float32)
    return noise * np.float32(from_db(ROOM_TONE_DB))


# ducking


def ducking(
    bed: Sound, voice: NDArray[np.float32], spans: Sequence[Span], duck: Music, sample_rate: int
) -> NDArray[np.float32]:
    """Return the gain of everything under the voice, one value a sample.

    It is down when a line begins (it went down in `duck_in` seconds before) and comes back in `duck_out` seconds after
    it. It goes down by `duck_db`, and further where the voice would not stand clear above.
    """
    gain = np.zeros(len(bed), np.float32)
    fall, rise = max(round(duck.duck_in * sample_rate), 1), max(round(duck.duck_out * sample_rate), 1)
    for span in merged(spans, round(BREATH_SECONDS * sample_rate)):
        depth = max(duck.duck_db, CLEAR_DB - _above(voice, bed, span))
        first, last = max(span.start - fall, 0), min(span.end + rise, len(bed))
        places = [span.start - fall, span.start, span.end, span.end + rise]
        here = np.interp(np.arange(first, last), places, [0.0, -depth, -depth, 0.0]).astype(np.float32)
        gain[first:last] = np.minimum(gain[first:last], here)
    return np.asarray(10.0 ** (gain / 20.0), dtype=np.float32)


def merged(spans: Sequence[Span], breath: int) -> list[Span]:
    """Join spans that lie closer together than a breath."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda s: s.start):
        if joined and span.start - joined[-1].end < breath:
            span = Span(joined[-1].start, max(joined.pop().end, span.end))  # noqa: PLW2901 - one span goes on
        joined.append(span)
    return joined


def _above(voice: NDArray[np.float32], bed: Sound, span: Span) -> float:
    """Return how many dB the voice is above the bed in a span, by mean power."""
    spoken = float(np.mean(np.square(voice[span.start : span.end], dtype=np.float64)))
    under = float(np.mean(np.square(bed[span.start : span.end], dtype=np.float64)))
    return 10.0 * float(np.log10((spoken + 1e-12) / (under + 1e-12)))


def faded(sound: NDArray[np.float32], fade_in: int, fade_out: int) -> NDArray[np.float32]:
    """Return the sound with both ends faded by a quarter sine: two sounds that cross-fade keep their power."""
    sound = sound.copy()
    for samples, end in ((min(fade_in, len(sound)), False), (min(fade_out, len(sound)), True)):
        if samples > 0:
            ramp = np.sin(np.linspace(0.0, np.pi / 2, samples, dtype=np.float32))
            part = slice(len(sound) - samples, None) if end else slice(samples)
            sound[part] *= (ramp[::-1] if end else ramp).reshape(-1, *([1] * (sound.ndim - 1)))
    return sound


# delivery


def deliver(mix: Sound, timeline: Timeline, target: Path, cancelled: Callable[[], bool] = lambda: False) -> None:
    """Master the mix and encode it so that what is decoded has the timeline's loudness and peaks of -1 dBTP at most.

    AAC puts up to 1.5 dB on the peaks of noise and takes up to 1.3 LU away with its highest tones: where it does, the
    mix is mastered anew for what was heard, and in the end turned down as a whole.
    """
    rate, lost, ceiling, down = timeline.canvas.sample_rate, 0.0, CEILING_DB, 0.0
    for left in reversed(range(ENCODINGS)):
        sound = master(mix, rate, timeline.loudness_lufs + lost, ceiling) * np.float32(from_db(down))
        _encode(sound, timeline, target, cancelled)
        level = loudness(sound, rate)
        del sound  # an hour of it is 1.4 GB
        heard, peak = measured(_decoded(target), rate)
        if not np.isfinite(level):
            return
        over = peak - PEAK_DB
        loss = min(max(level - heard, 0.0), MOST_LOSS_DB)
        if over <= 0.0 and abs(loss - lost) <= LOSS_DB:
            return
        lost = loss
        if over > 0.0 and left > ENCODINGS // 2:
            ceiling -= over + SPARE_DB
        elif over > 0.0:
            down -= over + SPARE_DB


def _encode(sound: Sound, timeline: Timeline, target: Path, cancelled: Callable[[], bool]) -> None:
    with disk_full_named(target), tempfile.TemporaryDirectory(dir=target.parent) as folder:
        wav = Path(folder) / "program.wav"
        soundfile.write(wav, sound, timeline.canvas.sample_rate, subtype="FLOAT")
        outputs = ("-map", "0:a:0", "-c:a", "aac", "-b:a", BITRATE, "-ac", "2", "-f", "mp4")
        opened = Input("program", wav, trusted=True)
        run(FfmpegCommand((opened,), "", outputs, timeline.frames), output=target, cancelled=cancelled)


def _decoded(sound: Path) -> Iterator[Sound]:
    """Yield what is decoded in pieces of some seconds."""
    with av.open(str(sound)) as container:
        frames = (np.asarray(frame.to_ndarray().T, np.float32) for frame in container.decode(audio=0))
        while blocks := list(islice(frames, FRAMES_A_PIECE)):
            yield np.concatenate(blocks)
