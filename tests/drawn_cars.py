"""The truth about drawn clips: where the car of a scene is, measured on the drawing itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from factory.samples import scenes
from factory.samples.cars import SideCar
from factory.samples.faces import FacingCar
from factory.samples.stage import Canvas, Sprite
from factory.samples.stage import Stage as DrawnStage
from understanding.tagged import Box

HEIGHT = 360
STEMS = {scene.stem: scene for scene in scenes()}
CLEAR = Sprite(np.zeros((2, 2, 4), np.uint8))
LEAST = 24  # levels by which a place changes where the car is drawn


def car_boxes(stem: str, times: Sequence[float]) -> list[Box | None]:
    """Return the box of the car that a scene draws last, without its shadow, at each time in seconds; None where it
    is not in the picture."""
    canvas = DrawnStage(HEIGHT).canvas()
    paint = STEMS[stem].setting(canvas.stage)
    boxes: list[Box | None] = []
    with _watched() as drawn:
        for at in times:
            drawn.clear()
            paint(canvas, at)
            boxes.append(_box(drawn[-1]))
    return boxes


@contextmanager
def _watched() -> Iterator[list[np.ndarray[Any, Any]]]:
    """Note the pixels of each car as it is drawn; a camera that looks closer moves them with the picture."""
    drawn: list[np.ndarray[Any, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        for kind in (SideCar, FacingCar):
            patch.setattr(kind, "put", _noting(kind.put, drawn))
        camera = Canvas.camera

        def looked(self: Canvas, *args: float, **more: float) -> None:
            camera(self, *args, **more)
            for number, mask in enumerate(drawn):
                seen = Canvas(self.stage, mask)
                camera(seen, *args, **more)
                drawn[number] = seen.pixels

        patch.setattr(Canvas, "camera", looked)
        yield drawn


def _noting(put: Any, drawn: list[np.ndarray[Any, Any]]) -> Any:
    def noting(self: Any, canvas: Canvas, *args: float, **more: Any) -> None:
        alone = Canvas(canvas.stage, canvas.pixels.copy())
        put(replace(self, shadow=CLEAR), alone, *args, **more)
        changed = np.abs(alone.pixels.astype(int) - canvas.pixels).max(axis=2) >= LEAST
        drawn.append(np.repeat(np.where(changed, 255, 0).astype(np.uint8)[..., None], 4, axis=2))
        put(self, canvas, *args, **more)

    return noting


def _box(mask: np.ndarray[Any, Any]) -> Box | None:
    height, width = mask.shape[:2]
    across, down = np.flatnonzero(mask[..., 0].max(axis=0) > 127), np.flatnonzero(mask[..., 0].max(axis=1) > 127)
    if not len(across):
        return None
    return Box(across[0] / width, down[0] / height, (across[-1] + 1) / width, (down[-1] + 1) / height)
