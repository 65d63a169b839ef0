"""Trained weights as safetensors, with what they are beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from understanding.build import CheckpointRefused
from understanding.learning.experiment import ExperimentRefused
from understanding.learning.state import FILE as STATE

MODEL: Final = "model.safetensors"
DATA: Final = "data"  # beside it: a sign of what it was trained on


def write(path: Path, kind: str, about: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Write weights and what they are, whole or not at all."""
    beside = path.with_suffix(".part")
    save_file(dict(weights), beside, {"format": "1", kind: json.dumps(about)})
    beside.replace(path)


def claim(folder: Path, digest: str) -> None:
    """Make a run's folder one of this data, or refuse a folder in which a run on other data was begun."""
    folder.mkdir(parents=True, exist_ok=True)
    sign = folder / DATA
    begun = (folder / MODEL).is_file() or (folder / STATE).is_file()
    if begun and sign.is_file() and sign.read_text(encoding="utf-8") != digest:
        raise ExperimentRefused(f"{folder} holds a run on other data", next_step="name another folder with --out")
    beside = folder / f".{DATA}.{os.getpid()}"  # each process of a run writes the same
    beside.write_text(digest, encoding="utf-8")
    beside.replace(sign)


def is_kind(path: Path, kind: str) -> bool:
    """Say whether a file is a checkpoint of this kind."""
    try:
        with safe_open(path, framework="pt") as opened:
            return kind in (opened.metadata() or {})
    except (OSError, SafetensorError):
        return False


def read(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return what a checkpoint of this kind says of itself and its weights; OSError, SafetensorError, KeyError or
    ValueError where it is none."""
    with safe_open(path, framework="pt") as opened:
        about: dict[str, Any] = json.loads((opened.metadata() or {})[kind])
    return about, load_file(path)


def refused(path: Path, what: str, error: Exception) -> CheckpointRefused:
    """Return the refusal of a file that is not what was looked for."""
    return CheckpointRefused(
        f"{path}: not a checkpoint of {what}: {error}", next_step=f"name a {MODEL} that such a run left"
    )
