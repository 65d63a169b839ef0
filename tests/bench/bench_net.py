"""Videos per CPU second of each named net: `python -m tests.bench.bench_net [NAME...] [--batch N] [--runs N]`.

Ours beside a plain PyTorch port of the same net with the same weights, on one thread, turn by turn in one run; medians.
Training is forward, loss, backward and a step of descent on whole 300-row records (1 row for the video nets). Then, for
paper-k112, a profile of where the time of a training step goes. Figures, never asserted; that both answer alike is.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from tests.bench.plain_nets import plain_net
from understanding.build import build_net, load_bert
from understanding.describe import PARTLY_LABELLED, ROWS
from understanding.labels import load_taxonomy
from understanding.modeling.inputs import SENTENCE_DIM, Batch
from understanding.modeling.text import BertBranch
from understanding.sizes import SIZES, first_branch

PIECES = 64  # word pieces of a text


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("names", nargs="*", default=list(SIZES), metavar="NAME")
    asked.add_argument("--batch", type=int, default=0, help="videos at once; 0: 16 of 300 rows, 256 of one row")
    asked.add_argument("--runs", type=int, default=5)
    given = asked.parse_args()
    torch.set_num_threads(1)
    heads = " | ".join(f"{what:>9} {'plain':>9} {'gain':>6}" for what in ("training", "answering"))
    print(f"{'net':12} {'batch':>5} | {heads}")
    for name in given.names:
        print(measure(name, given.batch, given.runs), flush=True)
    print(where_the_time_goes("paper-k112", given.batch or 16))


def measure(name: str, videos: int, runs: int) -> str:
    """One line: videos per CPU second in training and in answering, ours and plain."""
    batch, target = records(name, videos)
    bert = load_bert()[0] if first_branch(SIZES[name]).words else None
    ours = build_net(name, classes=target.shape[1], taxonomy=load_taxonomy(), bert=bert)
    plain = plain_net(SIZES[name], target.shape[1], bert).eval()
    plain.load_state_dict(ours.state_dict())
    runs_of: dict[nn.Module, Callable[[], Tensor]] = {net: partial(answer, net, batch) for net in (ours, plain)}
    with torch.no_grad():
        torch.testing.assert_close(*(run() for run in runs_of.values()), rtol=1e-3, atol=1e-3)
        answering = medians(list(runs_of.values()), runs)
    trained = medians([training(net.train(), run, target) for net, run in runs_of.items()], runs)
    cells = [
        f"{len(batch) / mine:9.1f} {len(batch) / other:9.1f} {other / mine:5.2f}x"
        for mine, other in (trained, answering)
    ]
    return f"{name:12} {len(batch):5} | " + " | ".join(cells)


def answer(net: nn.Module, batch: Batch) -> Tensor:
    """Answer as for words that were never read: ours would remember those of the last turn."""
    for part in net.modules():
        if isinstance(part, BertBranch):
            part.forget()
    logits: Tensor = net(batch)
    return logits


def records(name: str, videos: int) -> tuple[Batch, Tensor]:
    """Whole records of the net's shape, and one label in a hundred; words of 64 pieces where the net reads words."""
    size, rows = first_branch(SIZES[name]), 1 if name.startswith("video-") else ROWS
    classes = size.classes or (len(load_taxonomy()) if size.words else PARTLY_LABELLED)
    videos = videos or (256 if rows == 1 else 16)
    source = torch.Generator().manual_seed(0)
    picture, sound = (torch.randn(videos, rows, n, generator=source) for n in (size.picture, size.sound))
    mask = torch.ones(videos, rows, dtype=torch.bool)
    target = torch.rand(videos, classes, generator=source) < 0.01
    batch = Batch.of_rows(picture, mask, sound, mask)
    if size.told:
        batch = replace(batch, told=(torch.rand(videos, size.told, generator=source) < 0.5).float())
    if size.words:
        tokens = torch.randint(1000, 20_000, (videos, PIECES), generator=source)
        sentence = torch.randn(videos, SENTENCE_DIM, generator=source)
        batch = replace(batch, tokens=tokens, token_mask=torch.ones_like(tokens, dtype=torch.bool), sentence=sentence)
    return batch, target.float()


def training(net: nn.Module, run: Callable[[], Tensor], target: Tensor) -> Callable[[], None]:
    """A step of training; plain descent, whose own cost is small beside the net's."""
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(run(), target).backward()  # type: ignore[no-untyped-call]  # torch does not type it
        optimiser.step()

    return step


def medians(works: Sequence[Callable[[], object]], runs: int) -> list[float]:
    """CPU seconds of each, taken in turns so that a busy machine is busy for all; the first turn warms up."""
    seconds: list[list[float]] = [[] for _ in works]
    for turn in range(runs + 1):
        for work, taken in zip(works, seconds, strict=True):
            began = time.process_time()
            work()
            if turn:
                taken.append(time.process_time() - began)
    return [statistics.median(taken) for taken in seconds]


def where_the_time_goes(name: str, videos: int) -> str:
    """PyTorch's own table of the dearest operations of one training step."""
    batch, target = records(name, videos)
    net = build_net(name).train()
    step = training(net, lambda: net(batch), target)
    step()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        step()
    table = seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=14, max_name_column_width=32)
    return f"\nwhere a training step of {name} with {videos} videos spends its time\n{table}"


if __name__ == "__main__":
    main()
