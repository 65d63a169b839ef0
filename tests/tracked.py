"""How well a car is kept in a crop: the truth of real clips (boxed by hand) and drawn ones, and what is measured."""

from __future__ import annotations

import csv
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from factory.plan.following import Follow
from factory.plan.scoring import fit_for
from factory.plan.timeline import Canvas, ClipLayer
from factory.render.overlays import Cached
from factory.render.source import Source, read_source
from factory.render.tracking import ROOMIER, Eye, track
from tests.drawn_cars import STEMS, car_boxes
from understanding.tagged import Box

BOXES = Path(__file__).parent / "golden" / "car_boxes.csv"
PORTRAIT, SQUARE = Canvas(1080, 1920), Canvas(1080, 1080)
# Drawn scenes about one car, and not so close that the car is never whole.
DRAWN = tuple(
    stem
    for stem in STEMS
    if stem.startswith(("exterior-", "off-road-", "race-kestrel", "night-city-street-lumen"))
    and stem not in ("off-road-mud-wheel-close", "off-road-northwind-x5-suv-dune-aerial-view")
)


@dataclass(frozen=True, slots=True)
class Truth:
    """A clip and where its car is at some times, ascending; `half` is `tuned` where thresholds were set on it."""

    name: str
    half: str
    seconds: tuple[float, ...]
    boxes: tuple[Box, ...]

    def at(self, seconds: float) -> tuple[float, float] | None:
        """Return the car's left and right between two boxes, None before the first and after the last."""
        if not self.seconds[0] <= seconds <= self.seconds[-1]:
            return None
        after = min(bisect_right(self.seconds, seconds), len(self.seconds) - 1)
        span = self.seconds[after] - self.seconds[after - 1]
        share = (seconds - self.seconds[after - 1]) / span
        one, other = self.boxes[after - 1], self.boxes[after]
        return one.left + share * (other.left - one.left), one.right + share * (other.right - one.right)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is measured of one clip on one canvas. `narrow` frames are those whose car is narrower than the crop, of
    which `inside` show nine tenths of it. Speed and acceleration are in picture widths a second (per second)."""

    found: bool
    fills: bool  # the window fills the canvas
    frames: int
    known: int  # frames whose truth is known
    narrow: int
    inside: int
    speed: float
    acceleration: float
    still: float  # share of the frames
    cpu: float  # seconds for each second of footage


def real_truths() -> list[Truth]:
    rows: dict[tuple[str, str], list[list[float]]] = {}
    with BOXES.open(encoding="utf-8", newline="") as file:
        for half, name, *values in list(csv.reader(file))[1:]:
            rows.setdefault((half, name), []).append([float(value) for value in values])
    return [
        Truth(name, half, tuple(row[0] for row in boxed), tuple(Box(*row[1:]) for row in boxed))
        for (half, name), boxed in rows.items()
    ]


def drawn_truth(stem: str) -> Truth:
    times = [float(at) for at in np.arange(0, STEMS[stem].seconds, 0.25)]
    seen = [(at, box) for at, box in zip(times, car_boxes(stem, times), strict=True) if box is not None]
    return Truth(stem, "drawn", tuple(at for at, _ in seen), tuple(box for _, box in seen))


def measured(truth: Truth, path: Path, canvas: Canvas, cached: Cached, eye: Eye) -> Figures:
    """Look for the car of a whole clip, and compare the window's path with the truth, frame by frame."""
    source = read_source(truth.name, path)
    frames = int((source.seconds - Fraction(1, 10)) * canvas.fps)
    layer = ClipLayer(truth.name, 1, Fraction(0), 0, frames, fit="track")
    begun = time.process_time()
    path_found = track(layer, source, canvas, cached, eye=eye)
    cpu = time.process_time() - begun
    crop = crop_of(source, canvas)
    known, narrow, inside = 0, 0, 0
    for car, shown in _frames(truth, path_found, source, canvas, frames):
        known += 1
        if car[1] - car[0] <= crop:
            narrow += 1
            inside += min(car[1], shown[1]) - max(car[0], shown[0]) >= 0.9 * (car[1] - car[0])
    edges = np.array([path_found.at(frame) for frame in range(frames)] if path_found else [0.0] * frames)
    moved = np.diff(edges)
    return Figures(
        found=path_found is not None,
        fills=path_found is not None and abs(path_found.window - crop) < 1e-3,
        frames=frames,
        known=known,
        narrow=narrow,
        inside=inside,
        speed=float(np.abs(moved).max() * canvas.fps),
        acceleration=float(np.abs(np.diff(moved)).max() * canvas.fps**2),
        still=float((np.abs(moved) < 1e-5).mean()),
        cpu=cpu / float(frames / canvas.fps),
    )


def crop_of(source: Source, canvas: Canvas) -> float:
    """Return the share of the picture's width that fills the canvas."""
    return min(1.0, canvas.width / canvas.height * source.height / source.width)


def _frames(
    truth: Truth, path: Follow | None, source: Source, canvas: Canvas, frames: int
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield the car's sides and the sides of what is shown, for each frame whose truth is known."""
    fit = fit_for(source.width, source.height, canvas)
    usual = crop_of(source, canvas) if fit == "cover" else max(ROOMIER, crop_of(source, canvas))
    for frame in range(frames):
        left, window = (path.at(frame), path.window) if path else ((1 - usual) / 2, usual)
        car = truth.at(float(frame / canvas.fps))
        if car is not None:
            yield car, (left, left + window)
