"""The processes of one training run: which one this is, and what all of them say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, cast

import torch
from torch import distributed, nn

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """This process among the `world` of a run, and the device that it trains on."""

    rank: int
    world: int
    device: torch.device

    def share(self, batch: int) -> int:
        """Return how many examples of a batch are this process's: every `world`-th, from its own rank on."""
        return len(range(self.rank, batch, self.world))


def own_place() -> Place:
    """Return where this process stands; torchrun's environment is joined where there is one."""
    rank, world = _joined()
    if not torch.cuda.is_available():
        return Place(rank, world, torch.device("cpu"))
    device = torch.device(f"cuda:{rank % torch.cuda.device_count()}")
    torch.cuda.set_device(device)
    return Place(rank, world, device)


def gathered(value: T) -> list[T]:
    """Return what each process says here, by rank; every process must come by."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return [value]
    said: list[T | None] = [None] * distributed.get_world_size()
    distributed.all_gather_object(said, value)
    return cast("list[T]", said)


def share_buffers(net: nn.Module) -> None:
    """Give every process the buffers of the first: batch norms have counted what each process saw by itself."""
    if distributed.is_available() and distributed.is_initialized():
        for buffer in net.buffers():
            distributed.broadcast(buffer, 0)


def _joined() -> tuple[int, int]:
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        return 0, 1
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return distributed.get_rank(), distributed.get_world_size()
