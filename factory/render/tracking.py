"""The car of a shot found and followed, so that a narrow canvas shows it: looked for on demand, kept by content.

What is looked at is a few small pictures a second, decoded in the limited child. What was seen in them serves every
canvas; the path of the window is worked out from it for each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import astuple
from fractions import Fraction
from functools import partial
from math import ceil
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from factory.plan.following import Axis, Follow, Sight, follow
from factory.plan.timeline import Canvas, ClipLayer
from factory.render.command import digest_of
from factory.render.errors import RenderFailed
from factory.render.overlays import Cached
from factory.render.source import Source
from understanding import media, vehicles
from understanding.errors import MediaRefused
from understanding.subject import Sighting, Subject, grey_of, sightings, subject_of
from understanding.tagged import Box
from understanding.vehicles import Map, VehicleNet

VERSION: Final = 1  # raise it when the same shot would be seen in another way
STEP: Final = Fraction(1, 4)  # seconds of footage between two looks
BLOCK: Final = 40  # looks that are decoded at once
LINES: Final = 360
ROOMIER: Final = 0.75  # of the picture's side: the window over a blur, where the car is too wide for the canvas
ALIKE: Final = Fraction(2, 100)  # shapes that differ by less need no crop


class Eye(Protocol):
    """Says how sure each place of an RGB picture (H, W, 3) is of a vehicle, as log odds on a map (h, w) of its shape.

    `name` stands in the key of what was seen. A better detector is given to `render_film` as one of these.
    """

    name: str

    def evidence(self, picture: NDArray[np.uint8]) -> Map: ...


def default_eye(cached: Cached, cancelled: Callable[[], bool] | None = None) -> VehicleNet:
    """Return the eye that needs no further weights; its network is exported into the cache on first use."""
    export = partial(vehicles.export, cancelled=cancelled)
    return VehicleNet(lambda: cached(vehicles.model_key(), ".onnx", export))


def track(
    layer: ClipLayer,
    source: Source,
    canvas: Canvas,
    cached: Cached,
    *,
    eye: Eye,
    check_stopped: Callable[[], None] = lambda: None,
) -> Follow | None:
    """Return the path of the window that follows the layer's car.

    None where the picture has the canvas's shape, or shows no car, or none more than the others: it is then shown as
    footage is that nobody tracks. Raises `RenderFailed`.
    """
    across, down = _shown_size(layer, source)
    narrow = Fraction(canvas.width, canvas.height) / Fraction(across / down)
    if abs(narrow - 1) < ALIKE:
        return None
    seconds = layer.frames / canvas.fps * layer.speed
    key = digest_of([VERSION, eye.name, source.asset, str(layer.source_start), str(seconds)])

    def look(target: Path) -> None:
        count = ceil(seconds / STEP) + 1
        seen = _looked_at(source, [layer.source_start + number * STEP for number in range(count)], eye, check_stopped)
        target.write_text(json.dumps([[_plain(one) for one in here] for here in seen]), encoding="utf-8")

    subject = subject_of(_read(cached(f"vehicles-seen-{key}", ".json", look)))
    if subject is None:
        return None
    axis: Axis = "x" if narrow < 1 else "y"
    sights = _sights(subject, axis, layer)
    filling = float(narrow if narrow < 1 else 1 / narrow)
    for window in dict.fromkeys((filling, max(filling, ROOMIER), 1.0)):
        if (path := follow(sights, axis, window, layer.frames, canvas.fps)) is not None:
            return path
    return None


def _shown_size(layer: ClipLayer, source: Source) -> tuple[float, float]:
    left, top, right, bottom = layer.window or (0.0, 0.0, 1.0, 1.0)
    return source.width * (right - left), source.height * (bottom - top)


def _sights(subject: Subject, axis: Axis, layer: ClipLayer) -> list[Sight]:
    """Return where the car is along the axis, in shares of what the layer shows of the picture."""
    left, top, right, bottom = layer.window or (0.0, 0.0, 1.0, 1.0)
    near, far = (left, right) if axis == "x" else (top, bottom)
    sights = []
    for look, box in zip(subject.looks, subject.boxes, strict=True):
        low, high = (box.left, box.right) if axis == "x" else (box.top, box.bottom)
        low, high = (min(max((side - near) / (far - near), 0.0), 1.0) for side in (low, high))
        if high > low:
            sights.append(Sight(float(look * STEP / layer.speed), low, high))
    return sights


def _looked_at(
    source: Source, times: Sequence[Fraction], eye: Eye, check_stopped: Callable[[], None]
) -> list[list[Sighting]]:
    lines = max(2, round(LINES * max(1.0, source.height / source.width)))
    maps: list[Map] = []
    greys: list[NDArray[np.uint8]] = []
    try:
        for start in range(0, len(times), BLOCK):
            block = times[start : start + BLOCK]
            for picture in media.read_frames(source.path, times=block, height=min(lines, source.height)).rgb:
                check_stopped()
                maps.append(eye.evidence(picture))
                greys.append(grey_of(picture))
    except MediaRefused as refused:
        raise RenderFailed(
            f"the footage {source.asset[:12]} cannot be searched for a car: {refused}", next_step=refused.next_step
        ) from refused
    return sightings(maps, greys)


def _plain(sighting: Sighting) -> list[float]:
    return [round(value, 5) for value in (*astuple(sighting.box), sighting.score, sighting.worth)]


def _read(seen: Path) -> list[list[Sighting]]:
    looks = json.loads(seen.read_text(encoding="utf-8"))
    return [[Sighting(Box(*one[:4]), one[4], one[5]) for one in here] for here in looks]
