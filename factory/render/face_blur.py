"""Faces of a shot made unrecognisable: found on demand at a few pictures a second, hidden by a mosaic under a mask.

The mask is a small grey picture for each output frame of the layer, as PNGs behind one another. Both what was found and
the mask are kept by content, so that another render of the same shot looks for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from factory.errors import FactoryError
from factory.plan.timeline import Canvas, ClipLayer
from factory.render.command import digest_of
from factory.render.errors import RenderFailed
from factory.render.overlays import Cached
from factory.render.source import Source
from understanding import media
from understanding.errors import MediaRefused, PartMissing
from understanding.face_tracks import Track, tracked
from understanding.faces import Face, FaceFinder
from understanding.tagged import Box

VERSION = 1  # raise it when the same shot would get another mask
STEP = Fraction(1, 5)  # seconds of footage between two looks
LINES = 360  # of the shorter side of a picture that is looked at
MASK_SIDE = 320  # pixels of the mask's longer side
GROWN = 1.6  # the ellipse around a face, in sizes of its box: it reaches past the corners
BLOCKS = 5  # of the mosaic across the largest face: too few to know anybody by
LEAST_BLOCK, MOST_BLOCK = 8, 256  # pixels of the footage


class FacesNotFindable(FactoryError):
    """Faces are to be blurred and the part that finds them is missing."""

    code = "part-missing"


@dataclass(frozen=True, slots=True)
class Mask:
    """Where a layer's faces are: a PNG for each of its frames, white where the mosaic of `block` pixels shows."""

    content: str
    file: Path
    block: int


def face_mask(
    layer: ClipLayer,
    source: Source,
    canvas: Canvas,
    cached: Cached,
    *,
    finder: FaceFinder,
    check_stopped: Callable[[], None] = lambda: None,
) -> Mask | None:
    """Return the mask of a layer, None where its footage shows no face. Raises `FacesNotFindable`, `RenderFailed`."""
    seconds = layer.frames / canvas.fps * layer.speed
    looked = digest_of([VERSION, source.asset, str(layer.source_start), str(seconds)])

    def look(target: Path) -> None:
        times = [layer.source_start + place * STEP for place in range(ceil(seconds / STEP) + 1)]
        target.write_text(json.dumps(_looked_at(source, times, finder, check_stopped)), encoding="utf-8")

    found = cached(f"faces-{looked}", ".json", look)
    tracks = tracked(_read(found))
    if not tracks:
        return None
    step = layer.speed / canvas.fps / STEP
    boxes = [_boxes(tracks, float(frame * step)) for frame in range(layer.frames)]
    content = digest_of([looked, layer.frames, [[asdict(box) for box in frame] for frame in boxes]])
    file = cached(f"mask-{content}", ".png", lambda target: _write(target, boxes, source))
    return Mask(content, file, _block(tracks, source))


def _looked_at(
    source: Source, times: Sequence[Fraction], finder: FaceFinder, check_stopped: Callable[[], None]
) -> list[list[list[float]]]:
    """Return the faces of the pictures at `times`, each as the sides of its box and its score."""
    lines = max(2, round(LINES * max(1.0, source.height / source.width)))
    samples = []
    try:
        for picture in media.read_frames(source.path, times=times, height=min(lines, source.height)).rgb:
            check_stopped()
            samples.append([[*asdict(face.box).values(), face.score] for face in finder.find(picture)])
    except PartMissing as missing:
        raise FacesNotFindable(
            f"faces are to be blurred: {missing}", next_step=f"{missing.next_step}, or order the video without"
        ) from missing
    except MediaRefused as refused:
        raise RenderFailed(
            f"the footage {source.asset[:12]} cannot be searched for faces: {refused}", next_step=refused.next_step
        ) from refused
    return samples


def _read(found: Path) -> list[list[Face]]:
    samples = json.loads(found.read_text(encoding="utf-8"))
    return [[Face(Box(*face[:4]), face[4]) for face in faces] for faces in samples]


def _boxes(tracks: Sequence[Track], sample: float) -> list[Box]:
    return [box for track in tracks if (box := track.box_at(sample)) is not None]


def _block(tracks: Sequence[Track], source: Source) -> int:
    """Return the side of a mosaic stone: so large that the largest face has few of them."""
    largest = max(
        max((face.box.right - face.box.left) * source.width, (face.box.bottom - face.box.top) * source.height)
        for track in tracks
        for face in track.faces
    )
    return min(MOST_BLOCK, max(LEAST_BLOCK, ceil(largest / BLOCKS / 2) * 2))


def _write(target: Path, boxes: Sequence[Sequence[Box]], source: Source) -> None:
    with target.open("wb") as file:
        for picture in _pictures(boxes, source):
            _, encoded = cv2.imencode(".png", picture)
            file.write(encoded.tobytes())


def _pictures(boxes: Sequence[Sequence[Box]], source: Source) -> Iterator[NDArray[np.uint8]]:
    """Yield a grey picture for each frame, white ellipses on black."""
    scale = MASK_SIDE / max(source.width, source.height)
    width, height = max(2, round(source.width * scale)), max(2, round(source.height * scale))
    for frame in boxes:
        picture = np.zeros((height, width), np.uint8)
        for box in frame:
            middle = (box.left + box.right) / 2 * width, (box.top + box.bottom) / 2 * height
            size = (box.right - box.left) * width * GROWN, (box.bottom - box.top) * height * GROWN
            cv2.ellipse(picture, (middle, (size[0] + 2, size[1] + 2), 0.0), 255, thickness=cv2.FILLED)
        yield picture
