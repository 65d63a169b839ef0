"""Where a training run stands, as safetensors: weights, the optimiser's moments, and the best epoch so far."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from understanding.modeling.net import Net

FILE: Final = "state.safetensors"
MOMENTS: Final = ("exp_avg", "exp_avg_sq", "step")  # AdamW's own names


@dataclass(frozen=True, slots=True)
class TrainingState:
    """The epoch that comes next, the best score, when it was, and its weights where they are kept."""

    epoch: int = 0
    best_score: float = float("-inf")
    best_epoch: int = -1
    best: dict[str, Tensor] | None = None

    def after(self, epoch: int, score: float, net: Net, *, keep: bool) -> TrainingState:
        """Return the state after an epoch that scored so."""
        if score <= self.best_score:
            return TrainingState(epoch + 1, self.best_score, self.best_epoch, self.best)
        weights = {key: value.detach().cpu().clone() for key, value in net.state_dict().items()} if keep else None
        return TrainingState(epoch + 1, score, epoch, weights)

    def is_over(self, patience: int) -> bool:
        """Say whether the best epoch lies longer back than patience allows."""
        return bool(patience) and self.epoch - 1 - self.best_epoch >= patience


def save_state(folder: Path, experiment: str, net: Net, optimizer: torch.optim.Optimizer, state: TrainingState) -> None:
    """Write the state, whole or not at all."""
    tensors = {f"net.{key}": value.detach().cpu() for key, value in net.state_dict().items()}
    for name, moments in _moments(net, optimizer).items():
        tensors |= {f"{moment}.{name}": value.detach().cpu() for moment, value in moments.items()}
    tensors |= {f"best.{key}": value for key, value in (state.best or {}).items()}
    about = {"experiment": experiment, "epoch": state.epoch, "score": state.best_score, "best": state.best_epoch}
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{FILE}.{os.getpid()}"
    save_file({key: value.contiguous() for key, value in tensors.items()}, beside, {"run": json.dumps(about)})
    beside.replace(folder / FILE)


def load_state(folder: Path, experiment: str, net: Net, optimizer: torch.optim.Optimizer) -> TrainingState | None:
    """Put a run's weights and moments back; None where there is no state, or one of another experiment or of damage."""
    try:
        with safe_open(folder / FILE, framework="pt") as opened:
            about = json.loads((opened.metadata() or {})["run"])
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118  (not a mapping)
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    if about["experiment"] != experiment:
        return None
    net.load_state_dict(_under(tensors, "net."))
    for name, parameter in net.named_parameters():
        if f"step.{name}" in tensors:
            moments = {moment: tensors[f"{moment}.{name}"] for moment in MOMENTS}
            optimizer.state[parameter] = {key: _like(key, value, parameter) for key, value in moments.items()}
    best = _under(tensors, "best.") or None
    return TrainingState(about["epoch"], about["score"], about["best"], best)


def _like(key: str, value: Tensor, parameter: Tensor) -> Tensor:
    return value if key == "step" and parameter.device.type == "cpu" else value.to(parameter.device)


def _moments(net: Net, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Any]]:
    states = optimizer.state
    return {name: states[parameter] for name, parameter in net.named_parameters() if parameter in states}


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
