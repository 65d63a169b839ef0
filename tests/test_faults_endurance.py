"""Many renders in one process: open files, threads and zombies stay as they are, memory comes to rest."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from factory.produce import produce
from factory.wiring import Parts
from tests.tiny_house import forget_chunks, order, ordered, seen, tiny_house
from tests.working import Tell, short_or_long

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(1800)]
WARMING = 8  # renders in which caches fill and libraries load
MOST_KB_A_RENDER = 512  # while caches still fill; a thousand such renders are an eighth of FACTORY_WORKER_MEMORY


@pytest.fixture
def house(tmp_path: Path, eye: Path) -> Iterator[Parts]:
    built = tiny_house(tmp_path, eye=eye)
    yield built
    built.sessions.close()


def held(me: psutil.Process) -> float:
    """Return the KB that are in use, without what the C library keeps for later."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is None:
        pytest.skip("this C library cannot be asked to give back what it keeps for later")
    trim(0)
    return float(me.memory_info().rss) / 1024


def zombies(me: psutil.Process) -> int:
    return sum(child.status() == psutil.STATUS_ZOMBIE for child in me.children(recursive=True))


def test_many_renders_in_one_process_leave_it_as_it_was(house: Parts, record_property: Tell) -> None:
    me = psutil.Process()
    memory, files, threads, dead = list[float](), list[int](), list[int](), list[int]()
    for number in range(WARMING + short_or_long(16, 200)):
        forget_chunks(house)
        job = ordered(house, order(number))
        assert produce(job, house) == "review", seen(house, job).error_text
        if number >= WARMING:
            memory.append(held(me))
            files.append(me.num_fds())
            threads.append(me.num_threads())
            dead.append(zombies(me))
    slope, late = _slope(memory), _slope(memory[len(memory) // 2 :])
    record_property("renders", len(memory))
    record_property("KB a render, over all and over the last half", f"{slope:.0f}, {late:.0f}")
    record_property("open files, threads: first and last", f"{files[0]}, {files[-1]}; {threads[0]}, {threads[-1]}")
    assert set(dead) == {0}
    assert max(files) - min(files) <= 2
    assert max(threads) - min(threads) <= 2
    assert min(slope, late) < MOST_KB_A_RENDER  # what leaks is seen in both, caches that still fill in the first alone


def _slope(memory: list[float]) -> float:
    return float(np.polyfit(range(len(memory)), memory, 1)[0])
