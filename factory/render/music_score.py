"""Composing: a style, a seed and a length become notes in time. No sound is made here.

Time is counted in beats from the start. The tempo is bent by a few per cent so that the last bar ends where the tail of
the final chord begins, or, where the beat is given, the tail; the piece is exactly as long as it was asked to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from factory.render.music_styles import STYLES, Instrument, Style

BAR = 4  # beats
BLOCK = 8  # bars after which the pattern varies


@dataclass(frozen=True, slots=True)
class Note:
    """One sound: beats for `start` and `length`, MIDI pitches (a chord has several), `force` 0..1, `pan` -1..1."""

    instrument: Instrument
    start: float
    length: float
    pitches: tuple[int, ...] = ()
    force: float = 1.0
    pan: float = 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """A piece: `beat` in seconds, as many as `beats` before the final chord, which rings for `tail` seconds."""

    style: Style
    beat: float
    beats: int
    tail: float
    notes: tuple[Note, ...]

    @property
    def seconds(self) -> float:
        return self.beats * self.beat + self.tail


@dataclass(frozen=True, slots=True)
class Bar:
    """What is played in one bar: its chord, and how full the band is (0 to 4)."""

    number: int
    chord: tuple[int, ...]
    root: int
    level: int
    block: int
    fill: bool
    opens: bool


def tempo(style: Style, seed: int) -> float:
    """Return the beats a minute that a seed picks for a style."""
    return style.tempo[0] + (style.tempo[1] - style.tempo[0]) * float(_random(seed, "tempo").random())


def meter(style: Style, seed: int, seconds: float, beat: float = 0.0) -> tuple[float, int, float]:
    """Return the seconds of a beat, the beats before the final chord and the seconds of its tail.

    Where `beat` is given, it stays as it is, and the tail takes what whole bars leave: half as long as usual at least.
    """
    tail = min(style.tail, 0.35 * seconds)
    body = seconds - tail
    if beat:
        step = BAR if body >= 4 * BAR * beat else 1
        whole = max(1, round(body / beat / step) * step)
        while whole > 1 and seconds - whole * beat < tail / 2:
            whole -= min(step, whole - 1)
        return beat, whole, seconds - whole * beat
    beats = body * tempo(style, seed) / 60
    whole = round(beats / BAR) * BAR if beats >= 4 * BAR else max(1, round(beats))
    return body / whole, whole, tail


def compose(style_name: str, seed: int, seconds: float, beat: float = 0.0) -> Score:
    """Return the piece, with a beat of `beat` seconds where one is given. The same arguments give the same notes."""
    style = STYLES[style_name]
    beat, beats, tail = meter(style, seed, seconds, beat)
    bars = plan_bars(style, seed, -(-beats // BAR))
    notes = [note for bar in bars for note in play_bar(style, seed, bar)]
    kept = [_cut(note, beats) for note in notes if note.start < beats - 1e-6]
    final = _final(style, bars, beats, tail / beat, _tonic(seed))
    return Score(style, beat, beats, tail, (*kept, *final))


def _cut(note: Note, beats: int) -> Note:
    length = min(note.length, beats - note.start)
    return Note(note.instrument, note.start, length, note.pitches, note.force, note.pan)


def plan_bars(style: Style, seed: int, count: int) -> list[Bar]:
    """Lay out chords and fullness: an intro, blocks of eight bars that grow and breathe, a cadence."""
    progressions = [style.progressions[i] for i in _random(seed, "form").permutation(len(style.progressions))]
    intro = 4 if count >= 20 else 2 if count >= 10 else 0
    blocks = max(1, round((count - intro) / BLOCK))
    voicing: tuple[int, ...] = ()
    bars: list[Bar] = []
    for number in range(count):
        block = 0 if number < intro else 1 + min((number - intro) // BLOCK, blocks - 1)
        after = 1 + min((number + 1 - intro) // BLOCK, blocks - 1) if number + 1 >= intro else 0
        degrees = progressions[(max(0, block - 1) // 2) % len(progressions)]
        degree = style.cadence if number == count - 1 > 0 else degrees[(number - intro) % len(degrees)]
        voicing = voice_chord(style, _tonic(seed), degree, voicing)
        level = _fullness(style, block, (number - intro) / max(1, count - intro), short=not intro)
        last = after != block or number == count - 1
        opens = bool(bars) and bars[-1].fill
        bars.append(
            Bar(number, voicing, _bass_pitch(_tonic(seed) + style.scale[degree % 7]), level, block, last, opens)
        )
    return bars


def _bass_pitch(pitch: int) -> int:
    return pitch - 12 if pitch > 45 else pitch


def _fullness(style: Style, block: int, progress: float, *, short: bool) -> int:
    """Return how full the band plays: thin in the intro, then by the style's plan; a short piece starts fuller."""
    if block == 0:
        return 1
    if style.builds:
        return min(4, 2 + int(3 * progress))
    return style.levels[(block - 1 + short) % len(style.levels)]


def voice_chord(style: Style, tonic: int, degree: int, before: tuple[int, ...]) -> tuple[int, ...]:
    """Return the chord's pitches around middle C, moving as little as may be from the chord before."""
    classes = [(tonic + _degree(style, degree + step)) % 12 for step in style.chord]
    center = sum(before) / len(before) if before else 60.0
    center = 0.7 * center + 0.3 * 60.0
    near = sorted(min((p for p in range(48, 76) if p % 12 == c), key=lambda p: abs(p - center)) for c in classes)
    return tuple(dict.fromkeys(near))


def _degree(style: Style, degree: int) -> int:
    octave, step = divmod(degree, 7)
    return 12 * octave + style.scale[step]


def _tonic(seed: int) -> int:
    """The tonic of the bass, A1 to G#2: low, but not below what a small loudspeaker gives."""
    return 33 + int(_random(seed, "key").integers(0, 12))


def play_bar(style: Style, seed: int, bar: Bar) -> list[Note]:
    """Return the notes of one bar at its place in the piece."""
    at = float(bar.number * BAR)
    notes: list[Note] = []
    notes += _drums(style, seed, bar, at)
    notes += _bass(style, seed, bar, at)
    if bar.level >= 1:
        notes.append(Note("pad", at, BAR + style.overlap, bar.chord, 0.75 + 0.08 * bar.level))
    notes += _arp(style, seed, bar, at)
    notes += _lead(style, seed, bar, at)
    notes += _chugs(style, seed, bar, at)
    return notes


def _drums(style: Style, seed: int, bar: Bar, at: float) -> list[Note]:
    random = _random(seed, f"drums {bar.block}")
    kit = style.kits[int(random.integers(len(style.kits)))]
    notes = []
    for line in kit:
        if bar.level < line.level:
            continue
        for step, force in enumerate(line.steps):
            if force and not (bar.fill and style.fills and line.instrument == "snare" and step >= 12):
                pan = line.pan * (1 if step % 4 < 2 else -1)
                notes.append(Note(line.instrument, at + _swung(style, step), 0.25, (), force / 9, pan))
    if bar.opens and bar.level >= 2 and style.fills:
        notes.append(Note("crash", at, 3.0, (), 0.6, 0.2))
    if bar.fill and style.fills and bar.level >= 2:
        notes += _fill(random, at)
    if bar.fill and style.rises and bar.level >= 1:
        notes.append(Note("rise", at, BAR, (), 0.7))
    return notes


def _fill(random: np.random.Generator, at: float) -> list[Note]:
    """Toms or snare through the last beat, falling and growing."""
    shape = [(3.0, 0.5), (3.25, 0.6), (3.5, 0.75), (3.75, 0.9)]
    if random.random() < 0.5:
        return [Note("tom", at + b, 0.5, (50 - 3 * i,), f, -0.4 + 0.25 * i) for i, (b, f) in enumerate(shape)]
    return [Note("snare", at + b, 0.25, (), f * 0.8) for b, f in shape]


def _swung(style: Style, step: int) -> float:
    """Return the beat of a sixteenth, the odd ones late by the style's swing."""
    return step / 4 + (style.swing / 4 if step % 2 else 0.0)


def _bass(style: Style, seed: int, bar: Bar, at: float) -> list[Note]:
    if bar.level < style.bass_level:
        return []
    random = _random(seed, f"bass {bar.block}")
    pattern = style.bass[int(random.integers(len(style.bass)))]
    notes = []
    for start, length, step in pattern:
        pitch = bar.root + step
        notes.append(Note("bass", at + start, length, (pitch,), 1.0 if start % 1 == 0 else 0.85))
    return notes


def _arp(style: Style, seed: int, bar: Bar, at: float) -> list[Note]:
    """Broken chords over two octaves, one pattern a block, with rests where the pattern has them."""
    if bar.level < style.arp_level or not style.arps:
        return []
    random = _random(seed, f"arp {bar.block}")
    pattern = style.arps[int(random.integers(len(style.arps)))]
    tones = [*bar.chord, *(pitch + 12 for pitch in bar.chord)]
    step = BAR / len(pattern)
    notes = []
    for i, tone in enumerate(pattern):
        if tone is None:
            continue
        force = 0.9 if i % 4 == 0 else 0.62
        pitch = tones[tone % len(tones)] + style.arp_octave * 12
        start = i * step + (style.swing / 4 if i % 2 and step <= 0.25 else 0.0)
        notes.append(Note("arp", at + start, step * style.arp_length, (pitch,), force, 0.45 * (-1) ** i))
    return notes


def _lead(style: Style, seed: int, bar: Bar, at: float) -> list[Note]:
    """A sparse line: two bars sung, two bars of rest, always on tones of the chord where it lands."""
    if bar.level < style.lead_level or bar.number % 4 in (2, 3):
        return []
    random = _random(seed, f"lead {bar.block} {bar.number % 2}")
    rhythm = style.leads[int(random.integers(len(style.leads)))]
    pitch = bar.chord[-1] + 12
    notes = []
    for start, length in rhythm:
        tones = sorted({p + 12 * o for p in bar.chord for o in (0, 1, 2)} & set(range(62, 80)))
        near = sorted(tones, key=lambda tone: (abs(tone - pitch), tone))[:3]
        pitch = near[int(random.integers(len(near)))]
        notes.append(Note("lead", at + start, length, (pitch,), 0.8, -0.12))
    return notes


def _chugs(style: Style, seed: int, bar: Bar, at: float) -> list[Note]:
    """Power chords, muted and open."""
    if not style.chugs or bar.level < 2:
        return []
    random = _random(seed, f"chug {bar.block}")
    pattern = style.chugs[int(random.integers(len(style.chugs)))]
    root = bar.root + 12
    return [Note("chug", at + start, length, (root, root + 7, root + 12), 0.9) for start, length in pattern]


def _final(style: Style, bars: list[Bar], beats: int, ring: float, tonic: int) -> list[Note]:
    """The last chord, on the tonic, with everybody who played before."""
    chord = voice_chord(style, tonic, 0, bars[-1].chord)
    at = float(beats)
    notes = [Note("pad", at, ring, chord, 1.0), Note("bass", at, ring * 0.7, (tonic,), 1.0)]
    if any(line.instrument == "kick" for kit in style.kits for line in kit):
        notes += [Note("kick", at, 1.0), Note("crash", at, ring, (), 0.7, 0.15)]
    if style.arps:
        rising = [*chord, *(pitch + 12 for pitch in chord)]
        spread = [p + style.arp_octave * 12 for p in rising][:5]
        notes += [
            Note("arp", at + 0.125 * i, ring * 0.6, (p,), 0.7 - 0.08 * i, 0.3 * (-1) ** i) for i, p in enumerate(spread)
        ]
    if style.chugs:
        notes.append(Note("chug", at, ring * 0.6, (tonic + 12, tonic + 19, tonic + 24), 0.9))
    return notes


def _random(seed: int, part: str) -> np.random.Generator:
    """A generator of its own for each part, so that one part's choices do not move another's."""
    return np.random.default_rng([abs(seed), *part.encode()])
