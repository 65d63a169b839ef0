"""Where exactly a cut stands that was seen between two pictures with others, not decoded, between them.

The first pass leaves out pictures that no other is built on (`decoding.decode_sparsely`). An encoder that notices a
cut puts a key frame there, and then nothing is left to find. For the other cuts the file is decoded once more from the
key frame before, again sparsely but for the few pictures in doubt; the cut is the largest step among them.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, Final

import av.error
import numpy as np
from numpy.typing import NDArray

from understanding import decoding
from understanding.decoding import Health, Scalers

SIZE: Final = (36, 64)  # height and width of what is compared

Gap = tuple[Fraction, Fraction]  # seconds of the picture before a cut and of the first one seen after it


def exact_cuts(path: str, gaps: Sequence[Gap], keys: Sequence[Fraction], origin: Fraction) -> dict[Fraction, Fraction]:
    """Return the exact time for each gap's end. `keys` are the key frames' times, `origin` is the first stamp."""
    exact: dict[Fraction, Fraction] = {}
    with decoding.opened(path) as container:
        stream = decoding.video_of(container, threads=1)
        stream.codec_context.options |= {"skip_loop_filter": "all"}  # edges of blocks are no matter at 64 pixels
        for key, group in itertools.groupby(sorted(gaps), key=lambda gap: keys[max(0, bisect_right(keys, gap[0]) - 1)]):
            with suppress(av.error.FFmpegError, OSError):  # what cannot be found again stays where it was seen
                container.seek(int((origin + key) / stream.time_base), stream=stream, backward=True)
                exact |= _largest_steps(_small(container, stream, list(group), origin))
    return exact


def _small(
    container: Any, stream: Any, gaps: Sequence[Gap], origin: Fraction
) -> Iterator[tuple[Gap, Fraction, NDArray[np.int16]]]:
    """Decode up to the last gap; yield the pictures that lie in one, bounds included."""
    scalers = Scalers()
    for packet in decoding.packets_of(container, stream, Health()):
        at = None if packet.pts is None else packet.pts * stream.time_base - origin
        doubted = at is not None and any(low < at < high for low, high in gaps)
        stream.codec_context.skip_frame = "DEFAULT" if doubted else "NONREF"
        for frame in packet.decode():
            at = frame.pts * frame.time_base - origin
            for gap in gaps:
                if gap[0] <= at <= gap[1]:
                    yield gap, at, decoding.Picture(at, at, frame, scalers).raw(*SIZE).astype(np.int16)
            if at >= gaps[-1][1]:
                return


def _largest_steps(pictures: Iterator[tuple[Gap, Fraction, NDArray[np.int16]]]) -> dict[Fraction, Fraction]:
    held: dict[Gap, NDArray[np.int16]] = {}
    best: dict[Fraction, tuple[float, Fraction]] = {}
    for gap, at, picture in pictures:
        if gap in held:
            step = float(np.abs(picture - held[gap]).mean())
            best[gap[1]] = max(best.get(gap[1], (-1.0, at)), (step, at))
        held[gap] = picture
    return {end: at for end, (_, at) in best.items()}
