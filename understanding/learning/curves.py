"""The curves of a training run: a line of JSON an epoch, TensorBoard events, and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

LOG = "log.jsonl"


class Curves:
    """Use as a context; `enabled` is False on all but one of several processes. A run that goes on keeps its log."""

    def __init__(self, folder: Path, *, enabled: bool = True) -> None:
        self.folder, self.enabled = folder, enabled
        self._events: Any = None

    def __enter__(self) -> Curves:
        if self.enabled:
            from tensorboardX import SummaryWriter  # noqa: PLC0415  wanted by the one process that writes

            self.folder.mkdir(parents=True, exist_ok=True)
            self._events = SummaryWriter(str(self.folder / "events"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.enabled:
            self._events.close()
            if rows := read_log(self.folder):
                draw(rows, self.folder / "curves.png")

    def add(self, epoch: int, values: Mapping[str, float]) -> None:
        """Note one epoch."""
        if not self.enabled:
            return
        rows = [row for row in read_log(self.folder) if row["epoch"] < epoch] + [{"epoch": epoch, **values}]
        beside = self.folder / f".{LOG}"
        beside.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        beside.replace(self.folder / LOG)  # a kill while it is written leaves the old one
        for name, value in values.items():
            self._events.add_scalar(name, value, epoch)
        self._events.flush()


def read_log(folder: Path) -> list[dict[str, float]]:
    """Return what was noted, epoch by epoch."""
    path = folder / LOG
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def draw(rows: list[dict[str, float]], target: Path) -> None:
    """Draw the loss above, the scores below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  matplotlib is wanted only where something is drawn
    from matplotlib.figure import Figure  # noqa: PLC0415  matplotlib is wanted only where something is drawn

    figure = Figure(figsize=(8, 7), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    epochs = [row["epoch"] + 1 for row in rows]
    above.plot(epochs, [row["loss"] for row in rows], color="#222222")
    above.set_ylabel("loss")
    for name in rows[0]:
        if name not in ("epoch", "loss"):
            below.plot(epochs, [row.get(name, float("nan")) for row in rows], label=name)
    below.set_xlabel("epoch")
    below.set_ylabel("tune split")
    below.set_ylim(0, 1)
    below.grid(alpha=0.3)
    below.legend(loc="lower right")
    figure.savefig(target, dpi=120)
