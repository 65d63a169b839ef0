"""Training of a head on partly known labels, one loop from top to bottom: `python -m understanding.train CONFIG`.

Every random draw of a step follows from the seed and the number of the step, so that a run that was killed and taken up
again gives the losses of one that was not. On several GPUs or machines: `torchrun ... -m understanding.train CONFIG`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from understanding.errors import Refused
from understanding.learning import losses
from understanding.learning.curves import Curves
from understanding.learning.experiment import Experiment, find_experiment
from understanding.learning.lesson import Cells, Source, Start, one_row, step_seed
from understanding.learning.partial import UNKNOWN
from understanding.learning.ranks import gathered, own_place, share_buffers
from understanding.learning.state import TrainingState, agreed, load_state, save_state
from understanding.modeling.inputs import Batch
from understanding.modeling.mix import MixedNet, distillation
from understanding.modeling.net import Net


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands after a step: for whoever watches."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    videos_per_second: float
    seconds_left: float
    scores: dict[str, float] = field(default_factory=dict)


def train(
    experiment: Experiment,
    net: Net,
    source: Source,
    folder: Path,
    *,
    validate: Callable[[Net], dict[str, float]],
    report: Callable[[Progress], None] = lambda _: None,
    chosen_by: str = "gap",
) -> Net:
    """Train `net` and return it at its best epoch by `chosen_by` (its last where the experiment has no patience).

    `folder` keeps the state after every epoch, and every `save_every` steps where the experiment says so (a run that is
    there already is taken up), `curves.png`, `log.jsonl` and TensorBoard events.
    """
    place = own_place()
    per_epoch = source.steps(experiment, place)
    net = net.to(place.device)
    learner: nn.Module = _Learner(experiment, net)
    learner = DistributedDataParallel(learner) if place.world > 1 else learner
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.0, weight_decay=experiment.weight_decay, fused=True)
    state = agreed(load_state(folder, experiment, net, optimizer) or TrainingState())
    steps, began, done = per_epoch * experiment.epochs, time.monotonic(), 0
    with Curves(folder, enabled=place.rank == 0) as curves:
        for epoch in range(state.epoch, experiment.epochs):
            if state.is_over(experiment.patience):
                break
            net.train()
            mean_loss = state.loss
            start = Start(epoch, per_epoch, state.step, state.position(place.rank, place.world))
            for number, portion in enumerate(source.portions(experiment, start, place), state.step):
                step = epoch * per_epoch + number
                torch.manual_seed(step_seed(experiment, step, place.rank))  # dropout draws from the global generator
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(experiment, step, steps)
                with torch.autocast(place.device.type, torch.bfloat16, enabled=place.device.type == "cuda"):
                    loss: Tensor = learner(portion.batch, portion.cells)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
                optimizer.step()
                mean_loss += float(loss.detach()) / per_epoch
                done += 1
                rate = done * experiment.batch / max(time.monotonic() - began, 1e-9)
                left = (steps - step - 1) * experiment.batch / rate
                if _is_due(experiment, number + 1, per_epoch):
                    state = state.within(number + 1, mean_loss, gathered(portion.after))
                    if place.rank == 0:
                        save_state(folder, experiment, net, optimizer, state)
                report(Progress(epoch, experiment.epochs, step + 1, steps, float(loss.detach()), rate, left))
            net.eval()
            share_buffers(net)
            scores = gathered(validate(net))[0]  # one decides for all when it is over
            state = state.after(epoch, scores[chosen_by], net, keep=experiment.patience > 0)
            curves.add(epoch, {"loss": mean_loss, **scores})
            report(Progress(epoch, experiment.epochs, (epoch + 1) * per_epoch, steps, mean_loss, rate, left, scores))
            if place.rank == 0:
                save_state(folder, experiment, net, optimizer, state)
    if state.best is not None:
        net.load_state_dict(state.best)
    return net.eval()


def _is_due(experiment: Experiment, steps: int, per_epoch: int) -> bool:
    """Say whether the state is kept after so many steps of an epoch; its end keeps one in any case."""
    return bool(experiment.save_every) and steps % experiment.save_every == 0 and steps < per_epoch


def learning_rate(experiment: Experiment, step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to nothing (Loshchilov and Hutter, 2017, without restarts)."""
    warm = max(1, round(experiment.warm_up * steps))
    if step < warm:
        return experiment.learning_rate * (step + 1) / warm
    return experiment.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def predict(net: Net, picture: Tensor, sound: Tensor, told: Tensor | None = None, *, chunk: int = 2048) -> Tensor:
    """Return logits (N, C) on the CPU for one row a video; a row of zeros is a modality that is not there."""
    device = next(net.parameters()).device
    with torch.inference_mode():
        parts = [
            net(one_row(picture[part], sound[part], None if told is None else told[part]).to(device)).float().cpu()
            for part in (slice(at, at + chunk) for at in range(0, len(picture), chunk))
        ]
    return torch.cat(parts)


class _Learner(nn.Module):
    """Net and loss in one forward, so that every gradient passes the wrapper that shares it between processes."""

    def __init__(self, experiment: Experiment, net: Net) -> None:
        super().__init__()
        self.experiment, self.net = experiment, net

    def forward(self, batch: Batch, cells: Cells) -> Tensor:
        if isinstance(self.net, MixedNet):
            branches = self.net.branch_logits(batch)
            logits = self.net.mix(branches, batch)
            loss = self._of_branches(logits, branches, cells)
        else:
            logits = self.net(batch)
            loss = logits.new_zeros(())
        if self.experiment.penalty:
            loss = loss + self.experiment.penalty * self.net.penalty()
        return partial_loss(self.experiment, logits.float(), cells) + loss

    def _of_branches(self, logits: Tensor, branches: Tensor, cells: Cells) -> Tensor:
        loss = logits.new_zeros(())
        if self.experiment.distillation:
            loss = loss + self.experiment.distillation * distillation(logits, branches)
        if self.experiment.branches:
            alone = [partial_loss(self.experiment, branch.float(), cells) for branch in branches.unbind(dim=1)]
            loss = loss + self.experiment.branches * torch.stack(alone).mean()
        return loss


def partial_loss(experiment: Experiment, logits: Tensor, cells: Cells) -> Tensor:
    """Return the experiment's loss as a sum over classes, mean over videos; what is ruled out is a known negative."""
    states, certified, weights = cells.states, cells.certified, cells.weights
    options: dict[str, Any] = dict(experiment.loss_options)
    told = torch.where(certified & (states == UNKNOWN), 0, states)
    match experiment.loss:
        case "unknown-negative":
            loss = losses.unknown_negative(logits, told, weights)
        case "ignore-unknown":
            loss = losses.ignore_unknown(logits, told, weights)
        case "open-cells":
            loss = losses.open_cells(logits, states, certified, weights)
        case "weighted":
            loss = losses.weighted(logits, told, weights, **options)
        case "inverse-propensity":
            loss = losses.inverse_propensity(logits, states, cells.propensity, certified, weights)
        case "partial-asymmetric":
            loss = losses.partial_asymmetric(logits, told, weights, **options)
        case "class-selective":
            loss = losses.class_selective(logits, told, cells.prior, weights, **options)
        case "self-training":
            assert cells.posterior is not None
            loss = losses.self_training(logits, states, cells.posterior, certified, weights, **options)
    return loss * logits.shape[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Train one experiment on YouTube-8M: Protocol A, or shards of one row a second where it says so."""
    parser = argparse.ArgumentParser(prog="python -m understanding.train", description=main.__doc__)
    parser.add_argument("config", help="YAML file of the experiment, or the name of one of the house's own")
    parser.add_argument("--data", type=Path, required=True, help="folder of YouTube-8M: train/, tune/, vocabulary.csv")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of runs; one that was begun goes on")
    parser.add_argument("--seed", type=int, help="instead of the experiment's own")
    parser.add_argument("--hidden-share", type=float, help="instead of the experiment's own")
    given = parser.parse_args(arguments)
    try:
        train_named(given.config, given.data, given.out, seed=given.seed, hidden_share=given.hidden_share)
    except Refused as refusal:
        sys.stderr.write(f"{refusal.code}: {refusal.cause.rstrip('.')}. Next: {refusal.next_step}\n")
        sys.exit(2)  # as argparse and the factory end on wrong usage


def train_named(config: str, data: Path, out: Path, **changes: float | None) -> None:
    """Train an experiment by name or file; how it goes is told on stderr, its tune scores as JSON on stdout.

    `changes` that are not None replace the experiment's own values. Raises Refused.
    """
    from understanding.learning.runs import train_on  # noqa: PLC0415  runs are made of trainings

    experiment = find_experiment(config, **{key: value for key, value in changes.items() if value is not None})
    is_first = own_place().rank == 0
    with tqdm(unit="step", disable=None if is_first else True, file=sys.stderr) as bar:
        show = partial(_show, bar) if is_first else lambda _name, _at: None
        path, scores = train_on(experiment, data, out, show)
    if is_first:
        sys.stdout.write(json.dumps({"checkpoint": str(path), **scores}) + "\n")


def epoch_line(name: str, at: Progress) -> str:
    """Return what is said of a run at the end of an epoch, on a terminal or off it."""
    shown = {key: value for key, value in at.scores.items() if "gap" in key or key == "map"}
    scores = " ".join(f"{key} {value:.3f}" for key, value in {"loss": at.loss, **shown}.items())
    left = tqdm.format_interval(at.seconds_left)
    return f"{name} epoch {at.epoch + 1} of {at.epochs}: {scores}, {at.videos_per_second:.0f} videos/s, {left} left"


def _show(bar: Any, name: str, at: Progress) -> None:
    bar.total = at.steps
    bar.update(at.step - bar.n)
    if at.scores:
        bar.write(epoch_line(name, at), file=sys.stderr)
    bar.set_description(name)
    bar.set_postfix_str(f"loss {at.loss:.3f}, {at.videos_per_second:.0f} videos/s")


if __name__ == "__main__":
    main()
