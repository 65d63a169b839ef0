"""A car on uneven ground."""

from __future__ import annotations

import math
from collections.abc import Callable

from factory.samples.cars import SideCar

Height = Callable[[float], float]


def seat(car: SideCar, x: float, ground: Height) -> tuple[float, float]:
    """Where a car whose middle is at x stands on uneven ground: (y, pitch in degrees)."""
    body = car.look.shape()
    rear, front = ((w - body.length / 2) * car.zoom for w in body.wheels)
    low, high = ground(x + rear), ground(x + front)
    pitch = math.degrees(math.atan2(high - low, front - rear))
    return low + (high - low) * (-rear) / (front - rear), pitch
