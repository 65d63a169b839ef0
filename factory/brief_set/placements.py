"""What finished videos show, read from their traces: which shots stand on tag, which come twice, in one video or one
series.

Two placements show the same where they name one shot, shots that the index holds for twins, or overlapping stretches
of one file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any


@dataclass(frozen=True, slots=True)
class Placed:
    """A shot in a finished video: [start, end) seconds of the file, and the query that its scene asked for."""

    video: str
    series: str
    scene: str
    shot: int
    asset: str
    start: float
    end: float
    query: str


def placed_in(trace: Mapping[str, Any], video: str, series: str) -> tuple[Placed, ...]:
    """Return the shots of a trace."""
    return tuple(
        Placed(video, series, one["scene"], one["shot"], one["asset"], one["in"], one["out"], one["query"])
        for one in trace["shots"]
    )


def repeats(placed: Sequence[Placed], moments: Mapping[int, int]) -> tuple[tuple[Placed, Placed], ...]:
    """Return the pairs of one video that show the same. `moments` says for a shot which moments it shows."""
    return tuple(pair for pair in _alike(placed, moments) if pair[0].video == pair[1].video)


def series_breaks(placed: Sequence[Placed], moments: Mapping[int, int]) -> tuple[tuple[Placed, Placed], ...]:
    """Return the pairs of two videos of one series that show the same."""
    return tuple(
        (one, other)
        for one, other in _alike(placed, moments)
        if one.video != other.video and one.series == other.series and one.series
    )


def _alike(placed: Sequence[Placed], moments: Mapping[int, int]) -> Iterator[tuple[Placed, Placed]]:
    for one, other in combinations(placed, 2):
        same = moments.get(one.shot, one.shot) == moments.get(other.shot, other.shot)
        if same or (one.asset == other.asset and one.start < other.end and other.start < one.end):
            yield one, other
