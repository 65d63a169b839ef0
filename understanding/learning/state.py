"""Where a training run stands, as safetensors: weights, the optimiser's moments, and the best epoch so far."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from understanding.learning.experiment import Experiment, ExperimentRefused, is_same, to_json
from understanding.learning.ranks import gathered
from understanding.modeling.net import Net

FILE: Final = "state.safetensors"
MOMENTS: Final = ("exp_avg", "exp_avg_sq", "step")  # AdamW's own names


@dataclass(frozen=True, slots=True)
class TrainingState:
    """The epoch that comes next or goes on, the best score, when it was, and its weights where they are kept.

    In the middle of an epoch `step` steps of it are done, `loss` is their part of its mean, and `positions` tell where
    the source of each rank stands.
    """

    epoch: int = 0
    best_score: float = float("-inf")
    best_epoch: int = -1
    best: dict[str, Tensor] | None = None
    step: int = 0
    loss: float = 0.0
    positions: tuple[str, ...] = ()

    def within(self, step: int, loss: float, positions: Sequence[str]) -> TrainingState:
        """Return the state in the middle of its epoch."""
        return replace(self, step=step, loss=loss, positions=tuple(positions))

    def position(self, rank: int, world: int) -> str:
        """Return where a rank's source stands, empty at the beginning of an epoch."""
        if self.positions and len(self.positions) != world:
            raise ExperimentRefused(
                f"the run stopped inside an epoch of {len(self.positions)} processes, and now there are {world}",
                next_step=f"start it with {len(self.positions)} processes, or in another folder",
            )
        return self.positions[rank] if self.positions else ""

    def after(self, epoch: int, score: float, net: Net, *, keep: bool) -> TrainingState:
        """Return the state after an epoch that scored so."""
        if score <= self.best_score:
            return TrainingState(epoch + 1, self.best_score, self.best_epoch, self.best)
        weights = {key: value.detach().cpu().clone() for key, value in net.state_dict().items()} if keep else None
        return TrainingState(epoch + 1, score, epoch, weights)

    def is_over(self, patience: int) -> bool:
        """Say whether the best epoch lies longer back than patience allows."""
        return bool(patience) and self.epoch - 1 - self.best_epoch >= patience


def save_state(
    folder: Path, experiment: Experiment, net: Net, optimizer: torch.optim.Optimizer, state: TrainingState
) -> None:
    """Write the state, whole or not at all."""
    tensors = {f"net.{key}": value.detach().cpu() for key, value in net.state_dict().items()}
    for name, moments in _moments(net, optimizer).items():
        tensors |= {f"{moment}.{name}": value.detach().cpu() for moment, value in moments.items()}
    tensors |= {f"best.{key}": value for key, value in (state.best or {}).items()}
    about = {
        "experiment": to_json(experiment),
        "epoch": state.epoch,
        "score": state.best_score,
        "best": state.best_epoch,
        "step": state.step,
        "loss": state.loss,
        "positions": state.positions,
    }
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{FILE}.{os.getpid()}"
    save_file({key: value.contiguous() for key, value in tensors.items()}, beside, {"run": json.dumps(about)})
    beside.replace(folder / FILE)


def load_state(
    folder: Path, experiment: Experiment, net: Net, optimizer: torch.optim.Optimizer
) -> TrainingState | None:
    """Put a run's weights and moments back; None where there is no state, or one of another experiment or of damage."""
    try:
        with safe_open(folder / FILE, framework="pt") as opened:
            about = json.loads((opened.metadata() or {})["run"])
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118  (not a mapping)
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    if not is_same(json.loads(about["experiment"]), experiment):
        return None
    net.load_state_dict(_under(tensors, "net."))
    for name, parameter in net.named_parameters():
        if f"step.{name}" in tensors:
            moments = {moment: tensors[f"{moment}.{name}"] for moment in MOMENTS}
            optimizer.state[parameter] = {key: _like(key, value, parameter) for key, value in moments.items()}
    best = _under(tensors, "best.") or None
    inside = {key: about[key] for key in ("step", "loss") if key in about}
    return TrainingState(
        about["epoch"], about["score"], about["best"], best, **inside, positions=tuple(about.get("positions", ()))
    )


def agreed(state: TrainingState) -> TrainingState:
    """Return the state that every process found, or refuse to go on from different ones."""
    found = gathered((state.epoch, state.step))
    if len(set(found)) > 1:
        places = ", ".join(f"epoch {epoch} step {step}" for epoch, step in found)
        raise ExperimentRefused(
            f"the processes found different states: {places}", next_step="give --out on a disk that all of them share"
        )
    return state


def _like(key: str, value: Tensor, parameter: Tensor) -> Tensor:
    return value if key == "step" and parameter.device.type == "cpu" else value.to(parameter.device)


def _moments(net: Net, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Any]]:
    states = optimizer.state
    return {name: states[parameter] for name, parameter in net.named_parameters() if parameter in states}


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
