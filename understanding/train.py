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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from understanding.errors import Refused
from understanding.learning import losses
from understanding.learning.augment import add_noise, mask_rows
from understanding.learning.curves import Curves
from understanding.learning.experiment import (
    Experiment,
    ExperimentRefused,
    draw_seed,
    experiment_names,
    load_experiment,
    named_experiment,
    to_json,
)
from understanding.learning.partial import UNKNOWN
from understanding.learning.state import TrainingState, load_state, save_state
from understanding.modeling.inputs import Batch
from understanding.modeling.mix import MixedNet, distillation
from understanding.modeling.net import Net


@dataclass(frozen=True, slots=True)
class Cells:
    """What is known of one batch, see `Lesson`."""

    states: Tensor
    certified: Tensor
    weights: Tensor
    propensity: Tensor
    posterior: Tensor | None


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is trained on: rows (N, Dp) and (N, Ds), states (N, C), ruled out cells (N, C), weights of the classes (C,).

    `posterior` (N, C) is what teachers believe, probabilities; `propensity` the share of open cells that is known, one
    number for each class; `told` (N, V) the labels that a teacher reads.
    """

    picture: Tensor
    sound: Tensor
    states: Tensor
    certified: Tensor
    weights: Tensor
    propensity: Tensor
    posterior: Tensor | None = None
    told: Tensor | None = None

    def __len__(self) -> int:
        return len(self.states)

    def cells(self, rows: Tensor, device: torch.device) -> Cells:
        """Return what is known of these videos."""
        posterior = None if self.posterior is None else self.posterior[rows].to(device).float()
        states, certified = self.states[rows].to(device), self.certified[rows].to(device)
        return Cells(states, certified, self.weights.to(device), self.propensity.to(device), posterior)


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
    lesson: Lesson,
    folder: Path,
    *,
    validate: Callable[[Net], dict[str, float]],
    report: Callable[[Progress], None] = lambda _: None,
    chosen_by: str = "gap",
) -> Net:
    """Train `net` and return it at its best epoch by `chosen_by` (its last where the experiment has no patience).

    `folder` keeps the state after every epoch (a run that is there already is taken up), `curves.png`, `log.jsonl` and
    TensorBoard events.
    """
    rank, world = _place()
    device = torch.device(f"cuda:{rank % torch.cuda.device_count()}" if torch.cuda.is_available() else "cpu")
    net = net.to(device)
    learner: nn.Module = _Learner(experiment, net)
    learner = DistributedDataParallel(learner) if world > 1 else learner
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.0, weight_decay=experiment.weight_decay, fused=True)
    state = load_state(folder, to_json(experiment), net, optimizer) or TrainingState()
    spread = tuple(stream.std(dim=0, correction=0) for stream in (lesson.picture, lesson.sound))
    per_epoch = len(lesson) // experiment.batch
    if per_epoch == 0:
        cause = f"{len(lesson)} videos are fewer than one batch of {experiment.batch}"
        raise ExperimentRefused(cause, next_step="lower `batch`, or train on more videos")
    steps, began, done = per_epoch * experiment.epochs, time.monotonic(), 0
    with Curves(folder, enabled=rank == 0) as curves:
        for epoch in range(state.epoch, experiment.epochs):
            if state.is_over(experiment.patience):
                break
            net.train()
            mean_loss = 0.0
            for number, rows in enumerate(_batches(experiment, len(lesson), epoch)):
                step = epoch * per_epoch + number
                generator = _seeded(draw_seed(experiment), step, rank)
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(experiment, step, steps)
                own = rows[rank::world]
                batch = _augmented(experiment, lesson, own, spread, generator).to(device)
                with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                    loss: Tensor = learner(batch, lesson.cells(own, device))
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
                optimizer.step()
                mean_loss += float(loss.detach()) / per_epoch
                done += 1
                rate = done * experiment.batch / max(time.monotonic() - began, 1e-9)
                left = (steps - step - 1) * experiment.batch / rate
                report(Progress(epoch, experiment.epochs, step + 1, steps, float(loss.detach()), rate, left))
            net.eval()
            scores = validate(net)
            state = state.after(epoch, scores[chosen_by], net, keep=experiment.patience > 0)
            curves.add(epoch, {"loss": mean_loss, **scores})
            report(Progress(epoch, experiment.epochs, (epoch + 1) * per_epoch, steps, mean_loss, rate, left, scores))
            if rank == 0:
                save_state(folder, to_json(experiment), net, optimizer, state)
    if state.best is not None:
        net.load_state_dict(state.best)
    return net.eval()


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
            net(_rows(picture[part], sound[part], None if told is None else told[part]).to(device)).float().cpu()
            for part in (slice(at, at + chunk) for at in range(0, len(picture), chunk))
        ]
    return torch.cat(parts)


def _rows(picture: Tensor, sound: Tensor, told: Tensor | None = None) -> Batch:
    """One row a video as a batch, (B, D) each; a row of zeros has no mask."""
    streams = [stream.unsqueeze(1) for stream in (picture, sound)]
    masks = [stream.any(dim=2) for stream in streams]
    return replace(Batch.of_rows(streams[0], masks[0], streams[1], masks[1]), told=told)


def _batches(experiment: Experiment, count: int, epoch: int) -> Iterator[Tensor]:
    """Yield the rows of each batch; what does not fill one is left for another epoch's order."""
    order = torch.randperm(count, generator=_seeded(draw_seed(experiment), epoch, -1))
    for at in range(0, count - experiment.batch + 1, experiment.batch):
        yield order[at : at + experiment.batch]


def _seeded(seed: int, number: int, rank: int) -> torch.Generator:
    """A generator of its own for each step and rank; the global one, which dropout draws from, starts there too."""
    value = (seed * 1_000_003 + number) * 4_099 + rank + 1
    torch.manual_seed(value)
    return torch.Generator().manual_seed(value)


def _augmented(
    experiment: Experiment, lesson: Lesson, rows: Tensor, spread: tuple[Tensor, ...], generator: torch.Generator
) -> Batch:
    streams = (lesson.picture[rows], lesson.sound[rows])
    if experiment.noise:
        noisy = [add_noise(s, experiment.noise, generator, spread=d) for s, d in zip(streams, spread, strict=True)]
        streams = (noisy[0], noisy[1])
    if experiment.masking:
        masked = mask_rows(streams, experiment.masking, generator)
        streams = (masked[0], masked[1])
    return _rows(*streams, None if lesson.told is None else lesson.told[rows])


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
            loss = losses.class_selective(logits, told, None, weights, **options)
        case "self-training":
            assert cells.posterior is not None
            loss = losses.self_training(logits, states, cells.posterior, certified, weights, **options)
    return loss * logits.shape[1]


def _place() -> tuple[int, int]:
    """Return this process's rank and how many there are; torchrun's environment is joined where there is one."""
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        return 0, 1
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return distributed.get_rank(), distributed.get_world_size()


def main(arguments: Sequence[str] | None = None) -> None:
    """Train one experiment of Protocol A from the command line."""
    from understanding.learning.protocol_a import load_protocol  # noqa: PLC0415  with runs: trainings know no protocol
    from understanding.learning.runs import run  # noqa: PLC0415  runs are made of trainings

    parser = argparse.ArgumentParser(prog="python -m understanding.train", description=main.__doc__)
    parser.add_argument("config", help="YAML file of the experiment, or the name of one of the house's own")
    parser.add_argument("--data", type=Path, required=True, help="folder of YouTube-8M: train/, tune/, vocabulary.csv")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of runs; one that was begun goes on")
    parser.add_argument("--seed", type=int, help="instead of the experiment's own")
    parser.add_argument("--hidden-share", type=float, help="instead of the experiment's own")
    given = parser.parse_args(arguments)
    changes = {"seed": given.seed, "hidden_share": given.hidden_share}
    changes = {key: value for key, value in changes.items() if value is not None}
    try:
        named = given.config in experiment_names()
        experiment = (
            named_experiment(given.config, **changes) if named else load_experiment(Path(given.config), **changes)
        )
        rank, _ = _place()
        with tqdm(unit="step", disable=None if rank == 0 else True, file=sys.stderr) as bar:
            head = run(experiment, load_protocol(given.data), given.out, lambda name, at: _show(bar, name, at))
    except Refused as refusal:
        sys.exit(f"{refusal.code}: {refusal}. Next: {refusal.next_step}")
    if rank == 0:
        sys.stdout.write(json.dumps({"checkpoint": str(head.path), **head.about["scores"]}) + "\n")


def _show(bar: Any, name: str, at: Progress) -> None:
    bar.total = at.steps
    bar.update(at.step - bar.n)
    scores = " ".join(f"{key} {value:.3f}" for key, value in at.scores.items() if "gap" in key or key == "map")
    if scores:
        bar.write(f"{name} epoch {at.epoch + 1} of {at.epochs}: loss {at.loss:.3f} {scores}", file=sys.stderr)
    bar.set_description(name)
    bar.set_postfix_str(f"loss {at.loss:.3f}, {at.videos_per_second:.0f} videos/s")


if __name__ == "__main__":
    main()
