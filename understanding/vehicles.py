"""Where vehicles are in a picture: the image net of the tagger, asked at every place instead of once.

EfficientNet-lite0 averages its features over the picture before it names one of ImageNet-1k's classes. Without the
average, its last layer names a class for each cell of 32 pixels (class activation maps, Zhou et al. 2016,
arXiv:1512.04150), and the probabilities of the classes that are vehicles add up to how sure a cell is. No further
weights are wanted: those of `picture_rows` are exported a second time, with this output.
"""

from __future__ import annotations

import hashlib
import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from understanding import sandbox
from understanding.onnx_session import session_of
from understanding.picture_rows import prepared, torch_net, weights_file
from understanding.sandbox import Limits

EXPORT_VERSION: Final = "1"  # raise it when the exported graph changes
CELL: Final = 32  # pixels of a picture for a cell
LINES: Final = 320  # of the shorter side of a picture that is looked at: 25 ms of a core
COLUMNS: Final = 128  # of a map, whatever the picture's size
SURE: Final = 6.0  # log odds beyond which nothing is told apart
MOST_ASPECT: Final = 3
# ImageNet-1k: ambulance, amphibian, wagon, cab, convertible, fire engine, garbage truck, go-kart, golf cart, grille,
# half-track, jeep, limousine, minibus, minivan, Model T, moped, scooter, moving van, pickup, police van, racer, camper,
# school bus, snowplough, sports car, tram, tank, tow truck, tractor, trailer truck, trolleybus, wheel.
CLASSES: Final = (
    *(407, 408, 436, 468, 511, 555, 569, 573, 575, 581, 586, 609, 627, 654, 656, 661, 665, 670, 675, 717, 734, 751),
    *(757, 779, 803, 817, 829, 847, 864, 866, 867, 874, 479),
)

Map = NDArray[np.float32]


class VehicleNet:
    """Says how sure each place of a picture is of a vehicle. `model` gives the exported file; it is loaded on first
    use."""

    name = "efficientnet-lite0"

    def __init__(self, model: Callable[[], Path], *, threads: int = 1) -> None:
        self._model, self._threads = model, threads
        self._session: Any = None
        self._lock = threading.Lock()

    def evidence(self, picture: NDArray[np.uint8]) -> Map:
        """Return log odds in [-SURE, SURE] of an RGB picture (H, W, 3) as a map (h, COLUMNS) of its shape."""
        height, width = picture.shape[:2]
        shaped = cv2.resize(picture, looked_size(width, height), interpolation=cv2.INTER_AREA)
        (odds,) = self._loaded().run(None, {"picture": prepared(np.asarray(shaped, np.uint8)[None])})
        lines = max(1, round(COLUMNS * height / width))
        cells = np.clip(odds[0], -SURE, SURE)
        return np.asarray(cv2.resize(cells, (COLUMNS, lines), interpolation=cv2.INTER_LINEAR), np.float32)

    def _loaded(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = session_of(self._model(), threads=self._threads)
            return self._session


def looked_size(width: int, height: int) -> tuple[int, int]:
    """Return the size (width, height) in which a picture is looked at: whole cells, its shape nearly kept."""
    aspect = min(MOST_ASPECT, max(1 / MOST_ASPECT, width / height))
    across, down = LINES * max(1.0, aspect), LINES * max(1.0, 1 / aspect)
    return round(across / CELL) * CELL, round(down / CELL) * CELL


def model_key() -> str:
    """Name the exported file by what decides it."""
    digest = hashlib.sha256(weights_file().read_bytes()).hexdigest()[:12]
    return f"vehicles-{digest}-{EXPORT_VERSION}"


def export(path: Path, cancelled: Callable[[], bool] | None = None) -> None:
    """Write the ONNX file, in a child: torch is wanted once and for nothing else, and stays for long."""
    sandbox.run_limited(export_here, os.fspath(path.absolute()), limits=Limits(memory_bytes=None), cancelled=cancelled)


def export_here(path: str) -> None:
    """Write the ONNX file; runs in the child."""
    import torch  # noqa: PLC0415  brings torch, for the conversion alone

    class Places(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net: Any = torch_net().net

        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            features = self.net.extract_features(picture)  # (N, 1280, h, w)
            named = torch.nn.functional.conv2d(features, self.net._fc.weight[:, :, None, None], self.net._fc.bias)
            sure = named.softmax(1)[:, list(CLASSES)].sum(1).clamp(1e-6, 1 - 1e-6)
            return torch.log(sure) - torch.log1p(-sure)  # (N, h, w)

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracing exporter needs no further package
        torch.onnx.export(
            Places().eval(),
            (torch.zeros(1, 3, LINES, 2 * LINES),),
            path,
            input_names=["picture"],
            output_names=["odds"],
            dynamic_axes={"picture": {0: "n", 2: "h", 3: "w"}, "odds": {0: "n", 1: "h", 2: "w"}},
            dynamo=False,
        )
