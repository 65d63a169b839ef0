"""What a command costs: CPU seconds and memory of its whole process tree."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

import psutil

LOOK_EVERY = 0.25  # seconds


@dataclass(frozen=True, slots=True)
class Cost:
    cpu: float
    wall: float
    peak_mb: float = 0.0
    child_mb: float = 0.0


def measured(
    line: Sequence[str], *, environment: Mapping[str, str] | None = None, answer: IO[str] | None = None
) -> Cost:
    """Run a command to its end; its output goes to `answer`."""
    began = time.perf_counter()
    child = subprocess.Popen(line, stdout=answer or subprocess.DEVNULL, env=environment)
    peak = Peak(child.pid)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    peak.ended.set()
    peak.join()
    if child.returncode:
        sys.exit(f"{' '.join(line)[:400]} ended with {child.returncode}")
    return Cost(used.ru_utime + used.ru_stime, wall, peak.bytes / 1e6, peak.largest / 1e6)


class Peak(threading.Thread):
    """Watches the memory of a process and all that it starts."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root, self.ended = psutil.Process(pid), threading.Event()
        self.bytes = self.largest = 0  # of all processes at once, and of one of those that the root started
        self.start()

    def run(self) -> None:
        while not self.ended.wait(LOOK_EVERY):
            sizes = list(self._sizes())
            self.bytes = max(self.bytes, sum(sizes))
            self.largest = max(self.largest, *sizes[1:], 0)

    def _sizes(self) -> Iterator[int]:
        try:
            family = [self.root, *self.root.children(recursive=True)]
        except psutil.Error:
            return
        for process in family:
            try:
                yield int(process.memory_full_info().pss)
            except psutil.Error:
                continue


def cpu_of_tree() -> float:
    """Return the CPU seconds of this process, of those that it has started, and of their children that have ended."""
    own = psutil.Process()
    return float(sum(sum(process.cpu_times()[:4]) for process in [own, *own.children(recursive=True)]))
