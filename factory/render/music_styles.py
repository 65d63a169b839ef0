"""The styles: tempo, scale, chords, patterns and the fullness of the band over time. All of it is ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Instrument = Literal[
    "kick", "snare", "hat", "open", "shaker", "tom", "tick", "crash", "rise", "bass", "pad", "arp", "lead", "chug"
]  # fmt: skip

MINOR = (0, 2, 3, 5, 7, 8, 10)
MAJOR = (0, 2, 4, 5, 7, 9, 11)
DORIAN = (0, 2, 3, 5, 7, 9, 10)
TRIAD, NINTH = (0, 2, 4), (0, 2, 4, 8)

Beats = tuple[tuple[float, float], ...]  # (start, length) in beats of the bar
BassLine = tuple[tuple[float, float, int], ...]  # and semitones above the root of the chord


@dataclass(frozen=True, slots=True)
class Line:
    """One drum in sixteenths, forces 0 to 9; it joins when the band is as full as `level`."""

    instrument: Instrument
    pattern: str
    level: int = 1
    pan: float = 0.0

    @property
    def steps(self) -> tuple[int, ...]:
        return tuple(int(letter) for letter in self.pattern.replace(" ", "").replace(".", "0"))


@dataclass(frozen=True, slots=True)
class Style:
    """Everything that a style decides. `levels` is how full the band plays (0 to 4), block after block; where a style
    `builds`, the whole piece grows instead."""

    tempo: tuple[float, float]
    tail: float
    scale: tuple[int, ...]
    chord: tuple[int, ...]
    progressions: tuple[tuple[int, ...], ...]
    cadence: int
    levels: tuple[int, ...]
    kits: tuple[tuple[Line, ...], ...]
    bass: tuple[BassLine, ...]
    bass_level: int
    arps: tuple[tuple[int | None, ...], ...]
    arp_level: int
    leads: tuple[Beats, ...]
    lead_level: int
    gains: dict[str, float]
    builds: bool = False
    arp_octave: int = 0
    arp_length: float = 1.6
    chugs: tuple[Beats, ...] = ()
    overlap: float = 0.25  # beats that a chord rings on into the next
    swing: float = 0.0
    pump: float = 0.0
    fills: bool = True
    rises: bool = False
    reverb: float = 0.2
    room: float = 1.4


REST: None = None
EIGHTHS = tuple(i / 2 for i in range(8))

DRIVE = Style(
    tempo=(114, 122),
    tail=2.8,
    scale=MAJOR,
    chord=TRIAD,
    progressions=((5, 3, 0, 4), (0, 4, 5, 3), (3, 0, 4, 5), (0, 5, 3, 4)),
    cadence=4,
    levels=(2, 3, 4, 2, 4, 3),
    kits=(
        (
            Line("kick", "9... 9... 9... 9..."),
            Line("snare", ".... 8... .... 8...", 2),
            Line("hat", "..6. ..6. ..6. ..6.", 2, 0.25),
            Line("shaker", "3253 3253 3253 3253", 3, -0.3),
        ),
        (
            Line("kick", "9... 9... 9... 9.5."),
            Line("snare", ".... 8... .... 8..3", 2),
            Line("hat", "2.6. 2.6. 2.6. 2.6.", 2, 0.25),
            Line("shaker", "4242 4242 4242 4243", 3, -0.3),
        ),
        (
            Line("kick", "9..5 ..9. .5.. 9..."),
            Line("snare", ".... 8... .... 8...", 2),
            Line("hat", "4.5. 4.5. 4.5. 4.5.", 2, 0.25),
            Line("shaker", "2343 2343 2343 2343", 3, -0.3),
        ),
    ),
    bass=(
        tuple((s, 0.42, 0) for s in EIGHTHS),
        ((0.5, 0.4, 0), (1.5, 0.4, 0), (2.5, 0.4, 0), (3.25, 0.2, 0), (3.5, 0.4, 12)),
        ((0.0, 0.7, 0), (0.75, 0.4, 0), (1.5, 0.45, 12), (2.0, 0.7, 0), (2.75, 0.4, 0), (3.5, 0.4, 7)),
    ),
    bass_level=2,
    arps=(
        (0, 2, 4, 2, 1, 2, 5, 2, 0, 2, 4, 2, 1, 5, 4, 2),
        (0, REST, 2, 4, REST, 2, 5, REST, 4, REST, 2, 1, REST, 2, 4, REST),
        (5, 4, 2, 1, 5, 4, 2, 1, 4, 2, 1, 0, 4, 2, 1, 2),
    ),
    arp_level=1,
    leads=(
        ((0.0, 1.0), (1.5, 0.5), (2.0, 1.5)),
        ((0.5, 0.5), (1.0, 1.0), (2.5, 1.4)),
        ((0.0, 0.5), (0.75, 0.5), (1.5, 2.0)),
    ),
    lead_level=4,
    gains={"kick": 0.62, "snare": 0.5, "hat": 0.34, "shaker": 0.26, "tom": 0.5, "crash": 0.22, "rise": 0.12,
           "bass": 0.36, "pad": 0.5, "arp": 0.44, "lead": 0.3},
    pump=0.55,
    rises=True,
    reverb=0.22,
)  # fmt: skip

COUNTDOWN = Style(
    tempo=(100, 108),
    tail=3.0,
    scale=MINOR,
    chord=TRIAD,
    progressions=((0, 0, 5, 6), (0, 5, 2, 6), (0, 3, 5, 6), (0, 6, 5, 6)),
    cadence=6,
    levels=(2, 3, 4),
    builds=True,
    kits=(
        (
            Line("kick", "9... .... 9... ...."),
            Line("tick", "7353 5353 7353 5353", 1, 0.3),
            Line("tom", ".... ..6. .... .76.", 3, -0.3),
            Line("snare", ".... 7... .... 7...", 4),
            Line("kick", ".... 6... .... 6.4.", 4),
        ),
        (
            Line("kick", "9..6 .... 9..6 ...."),
            Line("tick", "7.53 5.53 7.53 5553", 1, 0.3),
            Line("tom", "...5 ..6. ...5 ..76", 3, -0.3),
            Line("snare", ".... 7... .... 7..4", 4),
            Line("shaker", "3232 3232 3232 3232", 4, -0.35),
        ),
    ),
    bass=(
        tuple((s, 0.38, 0) for s in EIGHTHS),
        tuple((i / 4, 0.2, 0) for i in (0, 1, 2, 4, 6, 7, 8, 9, 10, 12, 14)),
        tuple((i / 4, 0.2, 12 if i in (6, 14) else 0) for i in (0, 2, 3, 6, 8, 10, 11, 14)),
    ),
    bass_level=1,
    arps=(
        (0, 0, 1, 0, 2, 0, 1, 0, 0, 0, 1, 0, 2, 0, 3, 2),
        (0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 3, 2),
        (2, 1, 0, REST, 2, 1, 0, REST, 2, 1, 0, REST, 3, 2, 1, 0),
    ),
    arp_level=2,
    arp_length=0.9,
    leads=(((0.0, 2.0), (2.0, 1.0), (3.0, 1.0)), ((0.0, 3.0), (3.0, 1.0)), ((0.0, 1.5), (1.5, 2.5))),
    lead_level=4,
    gains={"kick": 0.66, "snare": 0.42, "tick": 0.42, "shaker": 0.24, "tom": 0.55, "crash": 0.24, "rise": 0.16,
           "bass": 0.34, "pad": 0.46, "arp": 0.42, "lead": 0.3},
    pump=0.25,
    rises=True,
    reverb=0.28,
    room=1.8,
)  # fmt: skip

DIRT = Style(
    tempo=(92, 99),
    tail=2.6,
    scale=DORIAN,
    chord=TRIAD,
    progressions=((0, 0, 6, 3), (0, 6, 3, 0), (0, 2, 6, 0), (0, 0, 3, 6)),
    cadence=6,
    levels=(2, 3, 4, 2, 4, 3),
    kits=(
        (
            Line("kick", "9..6 ..9. ..8. ...."),
            Line("snare", ".... 9... .... 9..."),
            Line("hat", "5.3. 5.3. 5.3. 5.35", 1, 0.25),
            Line("tom", ".... .... ...6 ..65", 4, -0.35),
        ),
        (
            Line("kick", "9... ..6. 9.7. ...."),
            Line("snare", ".... 9..2 .2.. 9..."),
            Line("hat", "5353 5353 5353 5353", 2, 0.25),
            Line("shaker", "4..4 4..4 4..4 4..4", 1, -0.3),
        ),
        (
            Line("kick", "9.6. ...6 ..9. 6..."),
            Line("snare", ".... 9... .... 9.4."),
            Line("open", "..4. ..4. ..4. ..4.", 3, 0.25),
            Line("hat", "5... 5... 5... 5...", 1, 0.25),
        ),
    ),
    bass=(
        ((0.0, 0.6, 0), (0.75, 0.3, 0), (1.5, 0.4, 10), (2.0, 0.3, 12), (2.5, 0.6, 0), (3.5, 0.4, 7)),
        ((0.0, 1.0, 0), (1.25, 0.25, 0), (1.5, 0.5, 3), (2.0, 0.5, 5), (2.5, 0.5, 3), (3.0, 0.9, 0)),
        ((0.0, 0.4, 0), (0.5, 0.4, 0), (1.5, 0.4, 0), (2.25, 0.5, 12), (2.75, 0.25, 10), (3.0, 0.8, 7)),
    ),
    bass_level=1,
    arps=(),
    arp_level=9,
    leads=(
        ((0.0, 0.5), (0.75, 0.5), (1.5, 1.5)),
        ((0.5, 0.5), (1.0, 0.5), (1.5, 0.5), (2.0, 1.5)),
        ((0.0, 2.0), (2.5, 1.0)),
    ),
    lead_level=4,
    chugs=(
        ((0.0, 0.9), (1.5, 0.3), (2.0, 0.3), (2.5, 1.2)),
        ((0.0, 0.3), (0.5, 0.3), (0.75, 0.6), (2.0, 0.3), (2.5, 0.3), (2.75, 1.0)),
        ((0.0, 1.8), (2.0, 0.3), (2.5, 0.3), (3.0, 0.9)),
    ),
    gains={"kick": 0.7, "snare": 0.55, "hat": 0.32, "open": 0.24, "shaker": 0.26, "tom": 0.6, "crash": 0.22,
           "bass": 0.38, "pad": 0.26, "lead": 0.26, "chug": 0.42},
    swing=0.14,
    reverb=0.12,
    room=0.9,
)  # fmt: skip

CALM = Style(
    tempo=(66, 74),
    tail=5.0,
    scale=MAJOR,
    chord=NINTH,
    progressions=((5, 3, 0, 0), (3, 0, 5, 1), (0, 5, 3, 3), (5, 1, 3, 0)),
    cadence=3,
    levels=(2, 3, 2, 3),
    kits=((), (Line("shaker", "2.1. 2.1. 2.1. 2.1.", 3, 0.3),)),
    bass=(((0.0, 3.8, 0),), ((0.0, 2.4, 0), (2.5, 1.4, 0)), ((0.0, 1.9, 0), (2.0, 1.9, 7))),
    bass_level=1,
    arps=(
        (0, REST, 2, REST, 4, REST, 2, REST),
        (0, 2, REST, 4, REST, 3, REST, 2),
        (4, REST, 2, REST, 1, REST, REST, 2),
        (0, REST, REST, 2, REST, 4, REST, REST),
    ),
    arp_level=1,
    arp_length=4.0,
    leads=(((0.0, 3.5),), ((1.0, 2.8),), ((0.0, 1.8), (2.0, 1.8))),
    lead_level=3,
    gains={"shaker": 0.12, "bass": 0.3, "pad": 0.6, "arp": 0.46, "lead": 0.16},
    fills=False,
    overlap=1.2,
    reverb=0.4,
    room=2.6,
)  # fmt: skip

STYLES = {"drive": DRIVE, "countdown": COUNTDOWN, "dirt": DIRT, "calm": CALM}
