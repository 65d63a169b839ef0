"""Sizes hold their published counts, weights are seeded, checkpoints fit or are refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from understanding.build import CheckpointRefused, build_net, load_checkpoint, save_checkpoint
from understanding.labels import Taxonomy, load_taxonomy
from understanding.modeling.gru import AttentiveGRU
from understanding.modeling.inputs import ShotInputs, collate
from understanding.modeling.net import MultimodalNet
from understanding.sizes import Size, Temporal

TAXONOMY = load_taxonomy()


BERT = BertModel(
    BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
)


def desk(seed: int = 1, taxonomy: Taxonomy = TAXONOMY) -> MultimodalNet:
    vectors = np.ones((len(taxonomy), 512), np.float32)
    net = build_net("desk-small", taxonomy=taxonomy, label_vectors=vectors, bert=BERT, seed=seed)
    assert isinstance(net, MultimodalNet)
    return net


def trainable(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


@pytest.mark.parametrize(
    ("name", "count"), [("paper-k128", 88_889_378), ("paper-k112", 78_643_170), ("paper-mix3", 235_935_273)]
)
def test_the_papers_sizes_have_the_papers_counts(name: str, count: int) -> None:
    with torch.device("meta"):
        assert trainable(build_net(name)) == count


def test_each_layer_of_the_first_size_has_its_count() -> None:
    with torch.device("meta"):
        net = build_net("paper-k128")
    counts = {name: p.numel() for name, p in net.named_parameters()}

    def total(prefix: str) -> int:
        return sum(n for name, n in counts.items() if name.startswith(prefix))

    picture = [
        total(f"picture.{part}") for part in ("expand", "attention", "assign.", "assign_norm", "centres", "vlad")
    ]
    assert picture == [2_099_200, 16_392, 2_097_152, 2_048, 32_768, 65_536]
    sound = [total(f"sound.{part}") for part in ("expand", "attention", "assign.", "assign_norm", "centres", "vlad")]
    assert sound == [33_024, 1_028, 65_536, 512, 4_096, 8_192]
    group = [total(f"fusion.groups.0.{p}") for p in ("hidden", "norm", "gate.squeeze", "gate.norm", "gate.excite")]
    assert group == [75_497_472, 4_096, 524_288, 512, 524_288]
    assert total("head.") == 7_913_238


def test_the_desk_net_is_small() -> None:
    assert trainable(desk()) < 8_000_000


def test_equal_seeds_give_equal_weights_and_leave_the_generator_alone() -> None:
    before = torch.random.get_rng_state()
    one, two, other = (desk(seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(value, two[key]) for key, value in one.items())
    assert not torch.equal(one["picture.part.expand.weight"], other["picture.part.expand.weight"])


def test_the_gru_drops_in_for_nextvlad() -> None:
    small = Size(picture=16, sound=8, clusters=4, groups=2, hidden=8, reduction=2, classes=3, temporal="gru")
    net = build_net(small)
    assert isinstance(net, MultimodalNet)
    assert isinstance(net.picture, AttentiveGRU)
    streams = net.picture.out_features + net.sound.out_features  # type: ignore[operator]  # torch types attributes of modules as tensor or module
    assert net.fusion.groups[0].hidden.in_features == streams  # type: ignore[index,union-attr]  # torch types attributes of modules as tensor or module


@pytest.mark.parametrize("temporal", ["nextvlad", "gru", "cnn", "mean"])
def test_a_tiny_net_has_right_gradients(temporal: Temporal) -> None:
    size = Size(picture=8, sound=4, clusters=4, groups=2, hidden=4, reduction=2, fused_groups=2, classes=3)
    net = build_net(replace(size, temporal=temporal)).double()
    shots = [
        ShotInputs(np.ones((t, 8), np.float32), np.ones((s, 4), np.float32), np.zeros(0, np.int64))
        for t, s in ((3, 2), (1, 0))
    ]
    batch = collate(shots).to(torch.float64)
    rows = torch.randn(2, 3, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda picture: net(replace(batch, picture=picture)), (rows,))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("paper-k1", {}, "no size 'paper-k1'; there are paper-k128"),
        ("desk-small", {"taxonomy": TAXONOMY}, "reads words"),
        ("desk-small", {"bert": BERT}, "needs a taxonomy"),
    ],
)
def test_what_a_size_needs_is_said(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_net(name, **options)


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, desk(seed=1), size="desk-small")
    assert not any(key.startswith("text.bert.") for key in load_file(path))
    net = desk(seed=2)
    load_checkpoint(path, net, size="desk-small")
    kept, whole = (one.picture.state_dict()["part.centres"] for one in (net, desk(seed=1)))
    assert torch.equal(kept, whole.half().float())


def test_checkpoints_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, desk(), size="desk-small")
    with pytest.raises(CheckpointRefused, match="its size is 'desk-small', this net's is 'paper-k128'"):
        load_checkpoint(path, desk(), size="paper-k128")
    fewer = Taxonomy(TAXONOMY.labels[:-1])
    with pytest.raises(CheckpointRefused, match="layers do not fit, first head"):
        load_checkpoint(path, desk(taxonomy=fewer), size="desk-small")


def test_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, desk(), size="desk-small")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointRefused, match="not a checkpoint"):
        load_checkpoint(path, desk(), size="desk-small")
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(CheckpointRefused, match="not a checkpoint"):
        load_checkpoint(path, desk(), size="desk-small")
    with pytest.raises(CheckpointRefused, match="not a checkpoint"):
        load_checkpoint(tmp_path / "none.safetensors", desk(), size="desk-small")


def test_missing_layers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, desk(), size="desk-small")
    weights = load_file(path)
    del weights["picture.part.centres"]
    save_file(weights, path, metadata={"autoreel": '{"size": "desk-small"}'})
    with pytest.raises(CheckpointRefused, match="1 layers do not fit, first picture"):
        load_checkpoint(path, desk(), size="desk-small")


def test_the_face_and_the_builder_load_no_torch() -> None:
    code = "import sys, understanding, understanding.build; assert 'torch' not in sys.modules; understanding.TaggedClip"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
