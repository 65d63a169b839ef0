# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""Dust, mud, water, snow and rain: particles whose place is a pure function of time, so any frame can be drawn alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from factory.samples.outline import radial
from factory.samples.stage import Canvas, Pixels, Sprite, Stage, clear

DICE = 509
FAINT = 0.03
Source = Callable[[float], tuple[float, float]]


def puff(stage: Stage, colour: str, radius: float, *, opacity: float = 0.5) -> Sprite:
    """A soft round cloud of dust or smoke."""
    svg = (
        f"<defs>{radial('p', [(0, colour, opacity), (0.5, colour, opacity * 0.55), (1, colour, 0)])}</defs>"
        f'<circle cx="{radius}" cy="{radius}" r="{radius}" fill="url(#p)"/>'
    )
    return stage.draw(svg, 2 * radius, 2 * radius, anchor=(radius, radius))


def blob(stage: Stage, colour: str, radius: float) -> Sprite:
    """A drop of mud or water with a light edge."""
    svg = (
        f'<path d="M{radius} {radius * 0.2} Q{radius * 1.9} {radius * 0.7} {radius * 1.6} {radius * 1.4} Q{radius} {radius * 2} {radius * 0.4} {radius * 1.4} '
        f'Q{radius * 0.2} {radius * 0.6} {radius} {radius * 0.2}Z" fill="{colour}"/><circle cx="{radius * 0.8}" cy="{radius * 0.75}" r="{radius * 0.22}" fill="#fff" opacity="0.16"/>'
    )
    return stage.draw(svg, 2 * radius, 2 * radius, anchor=(radius, radius))


@dataclass(frozen=True, slots=True)
class _Place:
    """What a particle meets: the ground's y, the wind, and how hard it was thrown."""

    floor: float
    wind: float
    strength: float


@dataclass(frozen=True, slots=True)
class Plume:
    """Particles born at `rate` a second, thrown with a speed in units a second, pulled by `gravity`, growing as they age."""

    sprites: tuple[Sprite, ...]
    rate: float
    life: float
    throw_x: tuple[float, float]
    throw_y: tuple[float, float]
    gravity: float = 0
    grow: tuple[float, float] = (0.5, 1.6)
    gain: float = 1
    spread: tuple[float, float] = (10, 4)
    seed: int = 1
    drag: float = 0

    def paint(
        self,
        canvas: Canvas,
        t: float,
        source: Source,
        *,
        floor: float = 2000,
        wind: float = 0,
        when: Callable[[float], float] | None = None,
    ) -> None:
        """`source` gives the birthplace at a time; `wind` is the speed at which the world passes; `when` scales strength at birth."""
        first = math.ceil((t - self.life) * self.rate)
        for number in range(first, math.floor(t * self.rate) + 1):
            born = number / self.rate
            strength = 1.0 if when is None else when(born)
            if strength <= 0:
                continue
            self._one(canvas, number, t - born, source(born), _Place(floor, wind, strength))

    def _one(self, canvas: Canvas, number: int, age: float, start: tuple[float, float], place: _Place) -> None:
        r = _dice(self.seed)[number % DICE]
        share = age / (self.life * (0.55 + 0.45 * r[0]))
        if share >= 1:
            return
        flown = (1 - math.exp(-self.drag * age)) / self.drag if self.drag else age
        vx = self.throw_x[0] + (self.throw_x[1] - self.throw_x[0]) * r[1]
        vy = self.throw_y[0] + (self.throw_y[1] - self.throw_y[0]) * r[2]
        x = start[0] + (r[3] - 0.5) * 2 * self.spread[0] + vx * place.strength * flown + place.wind * age
        y = start[1] + (r[4] - 0.5) * 2 * self.spread[1] + vy * place.strength * flown + self.gravity * age * age / 2
        if y > place.floor:
            return
        size = (self.grow[0] + (self.grow[1] - self.grow[0]) * share) * (0.6 + 0.8 * r[5])
        fade = min(1.0, share * 8) * (1 - share) ** 0.8 if self.gravity < 400 else min(1.0, (1 - share) * 4)
        shown = self.gain * fade * min(1.0, place.strength)
        if shown > FAINT:
            canvas.put(self.sprites[number % len(self.sprites)], x, y, scale=size, gain=shown)


@cache
def _dice(seed: int) -> list[list[float]]:
    """Six throws for each of `DICE` particles."""
    throws: list[list[float]] = np.random.default_rng(seed).random((DICE, 6)).tolist()
    return throws


@dataclass(frozen=True, slots=True)
class Streaks:
    """Falling rain or snow as a sheet that repeats both ways and moves along its own slant."""

    sheet: Pixels
    through: Pixels
    size: tuple[int, int]
    speed: tuple[float, float]

    @classmethod
    def rain(
        cls,
        stage: Stage,
        *,
        count: int,
        length: float,
        slant: float,
        speed: float,
        opacity: float,
        seed: int,
        colour: tuple[int, int, int] = (214, 226, 240),
    ) -> Streaks:
        rng = np.random.default_rng(seed)
        rows, columns = stage.height, stage.width
        sheet = np.zeros((rows, columns), dtype=np.uint8)
        for _ in range(count):
            x, y, k = rng.uniform(0, columns), rng.uniform(0, rows), rng.uniform(0.5, 1)
            dx, dy = slant * length * k * stage.scale, length * k * stage.scale
            for sx in (0, -columns, columns):
                for sy in (0, -rows, rows):
                    ends = (
                        [round((x + sx) * 16), round((y + sy) * 16)],
                        [round((x + sx + dx) * 16), round((y + sy + dy) * 16)],
                    )
                    cv2.line(
                        sheet,
                        ends[0],
                        ends[1],
                        round(255 * opacity * k),
                        max(1, round(1.4 * stage.scale)),
                        cv2.LINE_AA,
                        4,
                    )
        return cls(*_tiled(sheet, colour), (rows, columns), (slant * speed, speed))

    @classmethod
    def snow(
        cls, stage: Stage, *, count: int, radius: float, speed: float, drift: float, opacity: float, seed: int
    ) -> Streaks:
        rng = np.random.default_rng(seed)
        rows, columns = stage.height, stage.width
        sheet = np.zeros((rows, columns), dtype=np.uint8)
        for _ in range(count):
            x, y, r = rng.uniform(0, columns), rng.uniform(0, rows), radius * rng.uniform(0.4, 1) * stage.scale
            for sx in (0, -columns, columns):
                for sy in (0, -rows, rows):
                    cv2.circle(
                        sheet,
                        [round((x + sx) * 16), round((y + sy) * 16)],
                        max(8, round(r * 16)),
                        round(255 * opacity),
                        -1,
                        cv2.LINE_AA,
                        4,
                    )
        soft = np.asarray(cv2.GaussianBlur(sheet, (0, 0), max(0.4, radius * 0.25 * stage.scale)), dtype=np.uint8)
        return cls(*_tiled(soft, (255, 255, 255)), (rows, columns), (drift, speed))

    def paint(self, canvas: Canvas, t: float) -> None:
        rows, columns = self.size
        scale = canvas.stage.scale
        left = round(-self.speed[0] * t * scale) % columns
        top = round(-self.speed[1] * t * scale) % rows
        window = (slice(top, top + rows), slice(left, left + columns))
        canvas.cover(self.sheet[window], self.through[window])


def _tiled(alpha: Pixels, colour: tuple[int, int, int]) -> tuple[Pixels, Pixels]:
    """A sheet of one colour twice as wide and high as its pattern, and what shows through it."""
    share = alpha.astype(np.float32)[..., None] / 255
    sheet = np.concatenate([share * np.array(colour, dtype=np.float32), alpha[..., None].astype(np.float32)], axis=2)
    twice = np.ascontiguousarray(np.tile(sheet.round().astype(np.uint8), (2, 2, 1)))
    return twice, clear(twice)
