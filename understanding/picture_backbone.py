"""Any image net behind one interface: the embedded EfficientNet-lite0 (`picture_rows`), or one of a hub by its name.

CLIP, Chinese-CLIP, SigLIP and SigLIP 2 read pictures and texts into one space, so tags can be told from their names
(`open_vocabulary`); DINOv2, DINOv3, ViT and their like read pictures only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from understanding.hub import Source

DEFAULT: Final = "efficientnet-lite0"
SETTING: Final = "FACTORY_PICTURE"
BATCH: Final = 16
MOST_TOKENS: Final = 64

Rows = NDArray[np.float32]


class PictureBackbone(Protocol):
    """Turns pictures into rows. `name` changes with the weights, `width` is D of an embedding."""

    @property
    def name(self) -> str: ...
    @property
    def width(self) -> int: ...

    def read(self, rows: NDArray[np.uint8]) -> tuple[Rows, Rows]:
        """Return embeddings (N, D) and ImageNet-1k probabilities (N, 1000), or (N, 0) of a net that knows no classes,
        of RGB pictures (N, 224, 224, 3)."""
        ...


class HubPicture:
    """A vision or image-text net of `transformers`. Loads at once, so that a wrong name is refused before any work."""

    def __init__(self, name: str) -> None:
        source = Source(name, SETTING)
        self._model = source.model()
        self.name = source.identity(self._model.config)
        self._prepare = _processor(source)
        self.reads_text = hasattr(self._model, "get_image_features") and hasattr(self._model, "get_text_features")
        self._tokeniser = _tokeniser(source) if self.reads_text else None
        with source.reading():  # a net that wants something else than pictures is found out here
            self.width = self._embed(np.zeros((1, 224, 224, 3), np.uint8)).shape[1]

    def read(self, rows: NDArray[np.uint8]) -> tuple[Rows, Rows]:
        parts = [self._embed(rows[at : at + BATCH]) for at in range(0, len(rows), BATCH)]
        return np.concatenate([np.empty((0, self.width), np.float32), *parts]), np.empty((len(rows), 0), np.float32)

    def texts(self, texts: Sequence[str]) -> Rows:
        """Return (M, D) unit vectors in the pictures' space; only where `reads_text`."""
        import torch  # noqa: PLC0415  brings torch

        assert self._tokeniser is not None
        # SigLIP learned from padded texts: its last position is read whatever stands there
        padding = "max_length" if "siglip" in self._model.config.model_type else True
        config = getattr(self._model.config, "text_config", None)
        longest = min(MOST_TOKENS, getattr(config, "max_position_embeddings", MOST_TOKENS))
        given = self._tokeniser(list(texts), padding=padding, truncation=True, max_length=longest, return_tensors="pt")
        given = given.to(self._model.device)
        with torch.inference_mode():
            return _unit(_pooled(self._model.get_text_features(**given)))

    @property
    def scale(self) -> float:
        """How much a cosine counts in the net's own logits."""
        scale = getattr(self._model, "logit_scale", None)
        return float(scale.detach().exp()) if scale is not None else 100.0

    @property
    def languages(self) -> tuple[str, ...]:
        """Those that the text side learned: told by its kind and the size of its vocabulary."""
        if self._model.config.model_type == "chinese_clip":
            return ("zh",)
        vocabulary = getattr(getattr(self._model.config, "text_config", None), "vocab_size", 0)
        return ("zh", "en") if vocabulary >= 100_000 else ("en",)

    def _embed(self, rows: NDArray[np.uint8]) -> Rows:
        import torch  # noqa: PLC0415  brings torch

        given = self._prepare(images=list(rows), return_tensors="pt").to(self._model.device)
        with torch.inference_mode():
            if self.reads_text:
                return _pooled(self._model.get_image_features(**given))
            return _pooled(self._model(**given))


def picture_backbone(name: str, cache_dir: Path) -> PictureBackbone:
    """Return the net of this name; `cache_dir` keeps what the default derives. Raises BackboneUnavailable."""
    from understanding.picture_rows import PictureNet  # noqa: PLC0415  needed for the default only

    return PictureNet(cache_dir) if name in ("", DEFAULT) else HubPicture(name)


def _processor(source: Source) -> Any:
    """The net's own preparation by PIL; where it needs torchvision, ViT's with the same numbers."""
    from transformers import AutoImageProcessor, ImageProcessingMixin  # noqa: PLC0415  takes seconds to import
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil  # noqa: PLC0415  as above

    with source.reading() as options:
        auto: Any = AutoImageProcessor
        try:
            return auto.from_pretrained(source.place, backend="pil", **options)
        except ImportError:
            asked = {"local_files_only": options["local_files_only"]}
            values, _ = ImageProcessingMixin.get_image_processor_dict(source.place, **asked)
            known = ("size", "resample", "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std")
            return ViTImageProcessorPil(**{key: values[key] for key in known if values.get(key) is not None})


def _tokeniser(source: Source) -> Any:
    from transformers import AutoTokenizer  # noqa: PLC0415  takes seconds to import

    with source.reading() as options:
        return AutoTokenizer.from_pretrained(source.place, **options)


def _pooled(answer: Any) -> Rows:
    """One vector a picture or text: what the net pools, else the mean over its places."""
    vectors = getattr(answer, "pooler_output", answer)
    if vectors is None:
        vectors = answer.last_hidden_state
    if not hasattr(vectors, "flatten"):
        raise TypeError("the net gives no vector of a picture")
    if vectors.ndim > 2:
        vectors = vectors.flatten(2).mean(2) if vectors.ndim == 4 else vectors.mean(1)
    rows: Rows = vectors.float().cpu().numpy()
    return rows


def _unit(rows: Rows) -> Rows:
    unit: Rows = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    return unit
