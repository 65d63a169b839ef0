"""Nets of a few thousand weights, saved as `save_pretrained` saves the real ones. Their answers are noise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from understanding.hub import quiet

SIDE: dict[str, Any] = {"height": 32, "width": 32}
LAYERS: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
PICTURE: dict[str, Any] = {**LAYERS, "image_size": 32, "patch_size": 16}
TEXT: dict[str, Any] = {
    **LAYERS,
    "max_position_embeddings": 24,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
WORDS = ("[UNK]", "[PAD]", "[EOS]", "a", "photo", "of", "video", "frame", "showing", "car", "mud", "night")


def save(folder: Path, kind: str) -> Path:
    """Save a net of this kind: clip, siglip, dinov2, dinov3, clap or ast."""
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        globals()[f"_{kind}"](folder)
    return folder


def _clip(folder: Path) -> None:
    text = {**TEXT, "vocab_size": len(WORDS)}
    config = transformers.CLIPConfig(text_config=text, vision_config=PICTURE, projection_dim=12)
    transformers.CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SIDE).save_pretrained(folder)
    _tokeniser(folder)


def _siglip(folder: Path) -> None:
    text = {**TEXT, "vocab_size": 100_000, "projection_size": 16}
    config = transformers.SiglipConfig(text_config=text, vision_config=PICTURE)
    transformers.SiglipModel(config).save_pretrained(folder)
    SiglipImageProcessorPil(size=SIDE).save_pretrained(folder)
    _tokeniser(folder)


def _dinov2(folder: Path) -> None:
    config = transformers.Dinov2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=16
    )
    transformers.Dinov2Model(config).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SIDE).save_pretrained(folder)


def _dinov3(folder: Path) -> None:
    transformers.DINOv3ViTModel(transformers.DINOv3ViTConfig(**PICTURE)).save_pretrained(folder)
    numbers = {"size": SIDE, "image_mean": [0.5] * 3, "image_std": [0.2] * 3, "do_resize": True, "do_normalize": True}
    about = {"image_processor_type": "DINOv3ViTImageProcessorFast", **numbers}
    (folder / "preprocessor_config.json").write_text(json.dumps(about))


def _clap(folder: Path) -> None:
    heard = {"hidden_size": 16, "patch_embeds_hidden_size": 8, "depths": [1, 1], "num_attention_heads": [2, 2]}
    small = {"num_hidden_layers": 2, "spec_size": 64, "window_size": 4, "num_mel_bins": 16, "projection_dim": 12}
    text = {**TEXT, "vocab_size": len(WORDS), "projection_dim": 12}
    config = transformers.ClapConfig(
        text_config=text, audio_config={**heard, **small, "enable_fusion": False}, projection_dim=12
    )
    transformers.ClapModel(config).save_pretrained(folder)
    transformers.ClapFeatureExtractor(feature_size=16, max_length_s=1, truncation="rand_trunc").save_pretrained(folder)


def _ast(folder: Path) -> None:
    config = transformers.ASTConfig(**LAYERS, max_length=100, num_mel_bins=32, patch_size=16)
    transformers.ASTModel(config).save_pretrained(folder)
    extractor: Any = transformers.ASTFeatureExtractor
    extractor(max_length=100, num_mel_bins=32).save_pretrained(folder)


def _tokeniser(folder: Path) -> None:
    words = Tokenizer(WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    fast: Any = transformers.PreTrainedTokenizerFast
    fast(tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]", eos_token="[EOS]").save_pretrained(folder)
