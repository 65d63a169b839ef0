"""Any sound net behind one interface: the house's log-mel statistics (`sound_rows`), or CLAP or AST by name."""

from __future__ import annotations

from math import gcd
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from understanding.hub import Source
from understanding.sound_rows import DIMENSIONS, RATE, seconds_of, sound_rows

DEFAULT: Final = "log-mel"
SETTING: Final = "FACTORY_SOUND"
BATCH: Final = 8

Rows = NDArray[np.float32]


class SoundBackbone(Protocol):
    """Turns sound into rows, one a second. `name` changes with the weights, `width` is D of a row."""

    @property
    def name(self) -> str: ...
    @property
    def width(self) -> int: ...

    def read(self, samples: Rows) -> Rows:
        """Return (S, D) of 16 kHz mono samples: no row for silence, a last half second or more counts as a second."""
        ...


class LogMel:
    """Mean and spread of 64 log-mel bands: needs no weights."""

    name, width = DEFAULT, DIMENSIONS

    def read(self, samples: Rows) -> Rows:
        return sound_rows(samples)


class HubSound:
    """CLAP (its audio side), AST or their like, of `transformers`. Each row hears its own second and nothing else."""

    def __init__(self, name: str) -> None:
        source = Source(name, SETTING)
        self._model = source.model()
        self.name = source.identity(self._model.config)
        self._prepare = _extractor(source)
        self._rate = int(getattr(self._prepare, "sampling_rate", RATE))
        with source.reading():  # a net that wants something else than sound is found out here
            self.width = self._embed([np.zeros(RATE, np.float32)]).shape[1]

    def read(self, samples: Rows) -> Rows:
        seconds = seconds_of(samples)
        parts = [self._embed(seconds[at : at + BATCH]) for at in range(0, len(seconds), BATCH)]
        return np.concatenate([np.empty((0, self.width), np.float32), *parts])

    def _embed(self, seconds: list[Rows]) -> Rows:
        import torch  # noqa: PLC0415  brings torch

        heard = [_at_rate(np.pad(second, (0, RATE - len(second))), self._rate) for second in seconds]
        given = self._prepare(heard, sampling_rate=self._rate, return_tensors="pt").to(self._model.device)
        with torch.inference_mode():
            ask = getattr(self._model, "get_audio_features", self._model)
            answer = ask(**given)
        vectors = getattr(answer, "pooler_output", answer)
        if not isinstance(vectors, torch.Tensor) or vectors.ndim != 2:
            raise TypeError("the net gives no vector of a sound")
        rows: Rows = vectors.float().cpu().numpy()
        return rows


def sound_backbone(name: str) -> SoundBackbone:
    """Return the part of this name. Raises BackboneUnavailable."""
    return LogMel() if name in ("", DEFAULT) else HubSound(name)


def _extractor(source: Source) -> Any:
    from transformers import AutoFeatureExtractor  # noqa: PLC0415  takes seconds to import

    with source.reading() as options:
        auto: Any = AutoFeatureExtractor
        return auto.from_pretrained(source.place, **options)


def _at_rate(samples: Rows, rate: int) -> Rows:
    if rate == RATE:
        return samples
    from scipy.signal import resample_poly  # noqa: PLC0415  needed for such nets only

    common = gcd(rate, RATE)
    return np.asarray(resample_poly(samples, rate // common, RATE // common), np.float32)
