"""The nets by name: every number of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

Temporal = Literal["nextvlad", "gru", "cnn", "mean"]
Classifier = Literal["linear", "graph", "residual", "outputs", "attention", "regularised"]


@dataclass(frozen=True, slots=True)
class Size:
    """Every number of a net. The sound stream has half the clusters, groups and row width of the picture stream."""

    picture: int  # features of a picture row
    sound: int  # features of a sound row
    hidden: int  # of one fused group
    reduction: int  # of the SE gate
    temporal: Temporal = "nextvlad"
    clusters: int = 0  # of NeXtVLAD
    groups: int = 0  # of NeXtVLAD
    expansion: int = 2  # of NeXtVLAD
    width: int = 0  # of a mean's projection (0: none), or hidden of a GRU or CNN (0: a quarter of the features)
    fused_groups: int = 1
    dropout: float = 0.5  # before the fusion
    rectified: bool = False  # a ReLU and `late_dropout` after the SE gate; the paper has neither
    late_dropout: float = 0.0
    standardised: bool = False  # rows are first brought to the training set's mean and spread
    skip: bool = False  # the head reads the unfused streams too
    classes: int | None = None  # None: as many as the data, or the taxonomy, has
    words: int = 0  # width of each word branch; 0: the net reads no words
    told: int = 0  # labels that the net reads as an input (0: none), as only a teacher may
    told_width: int = 128
    head: Classifier = "linear"
    graph_hidden: int = 0  # inner width of a graph or attention head


@dataclass(frozen=True, slots=True)
class Mix:
    """Several nets over the same inputs and classes, mixed by weights from the mean input."""

    branches: tuple[Size, ...]


def first_branch(size: Size | Mix) -> Size:
    """Return the size itself, or the first of a mix, whose branches all read the same inputs."""
    return size.branches[0] if isinstance(size, Mix) else size


_PAPER: Final = Size(
    picture=1024, sound=128, clusters=128, groups=8, expansion=2, hidden=2048, reduction=8, classes=3862
)
_PAPER_SMALLER: Final = replace(_PAPER, clusters=112, reduction=16)
_VIDEO: Final = Size(
    picture=1024,
    sound=128,
    temporal="mean",
    width=512,
    hidden=512,
    reduction=8,
    fused_groups=2,
    rectified=True,
    late_dropout=0.3,
    skip=True,
)
_FRAME: Final = Size(picture=1024, sound=128, clusters=32, groups=16, hidden=512, reduction=8, fused_groups=2)

SIZES: Final[Mapping[str, Size | Mix]] = {
    # the YouTube-8M configurations of the NeXtVLAD paper
    "paper-k128": _PAPER,
    "paper-k112": _PAPER_SMALLER,
    "paper-mix3": Mix((_PAPER_SMALLER,) * 3),
    # YouTube-8M records of one row a video, on a laptop
    "video-small": _VIDEO,
    "video-mix3": Mix(
        (
            replace(_VIDEO, hidden=768),
            replace(_VIDEO, hidden=896, reduction=16),
            replace(_VIDEO, hidden=640, reduction=4),
        )
    ),
    # a teacher of the first that is told the 24 coarse labels (learning using privileged information)
    "video-told": replace(_VIDEO, told=24),
    # YouTube-8M records of one row a second, on a laptop: ours, and the named baselines
    "frame-small": _FRAME,
    "frame-gru": replace(_FRAME, temporal="gru", width=256),
    "frame-cnn": replace(_FRAME, temporal="cnn", width=256),
    "frame-mean": replace(_FRAME, temporal="mean", width=512),
    # the tagger's own: all modalities, small enough for any processor
    "desk-small": Size(
        picture=1280,
        sound=128,
        clusters=16,
        groups=16,
        hidden=256,
        reduction=8,
        fused_groups=2,
        rectified=True,
        late_dropout=0.5,
        standardised=True,
        words=128,
        head="outputs",
    ),
}
