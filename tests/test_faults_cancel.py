"""Renders that are cancelled at any moment leave no process and no file behind."""

from __future__ import annotations

import contextlib
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from factory.produce import produce
from factory.store import jobs
from factory.store.job import State
from factory.wiring import Parts
from tests.test_lease import wait_for
from tests.tiny_house import forget_chunks, order, ordered, seen, tiny_house, whole_film
from tests.working import Tell, short_or_long
from understanding import sandbox, vehicles

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(900)]
WITHIN = 5.0  # seconds, of the contract
SCENES = 3


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eye: Path) -> Iterator[Parts]:
    """A house whose temporary files all lie in one folder, in the children too."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with contextlib.closing(sandbox._server()):  # the next one is told of the folder
        built = tiny_house(tmp_path, eye=eye)
    yield built
    built.sessions.close()


def render_of(house: Parts, job: str) -> threading.Thread:
    thread = threading.Thread(target=produce, args=(job, house))
    thread.start()
    return thread


def left_running() -> list[str]:
    """Return what runs below this process and is no warm process that waits for work."""
    below = psutil.Process().children(recursive=True)
    found = []
    for process in below:
        with contextlib.suppress(psutil.NoSuchProcess):
            name = " ".join(process.cmdline()) or process.status()
            if "ffmpeg" in process.name() or process.status() == psutil.STATUS_ZOMBIE:
                found.append(name)
    return found


def test_a_render_that_is_cancelled_at_any_moment_leaves_nothing_behind(
    house: Parts, tmp_path: Path, record_property: Tell
) -> None:
    count, dice = short_or_long(20, 100), random.Random(11)
    for _ in range(2):  # the second knows how long a render takes, once all is loaded
        forget_chunks(house)
        job, began = ordered(house, order(scenes=SCENES)), time.monotonic()
        render_of(house, job).join()
        takes = time.monotonic() - began
        whole_film(house, job)
    assert list((tmp_path / "tmp").iterdir()) == []
    caught, slowest = list[State](), 0.0
    for number in range(count):
        forget_chunks(house)
        job = ordered(house, order(number, scenes=SCENES))
        thread = render_of(house, job)
        time.sleep(dice.uniform(0.0, takes))
        asked = time.monotonic()
        with house.sessions.write() as session:
            caught.append(jobs.cancel(session, job))
        wait_for(lambda job=job: seen(house, job).state == "cancelled", WITHIN)  # type: ignore[misc]
        slowest = max(slowest, time.monotonic() - asked)
        thread.join(WITHIN)
        assert not thread.is_alive()
        assert left_running() == []
        assert list(house.files.partial.iterdir()) == []
        assert list((tmp_path / "tmp").iterdir()) == []
    working = sum(state in ("planning", "rendering") for state in caught)
    assert working >= count // 2  # the others had not begun, or had just ended
    record_property("cancelled", count)
    record_property("of these while working", working)
    record_property("slowest, s", round(slowest, 2))


def test_the_first_render_of_a_house_is_cancelled_while_it_exports_its_eye(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The net that sees cars is exported once in the life of a house, and that takes its time."""
    house, exporting, export = tiny_house(tmp_path), threading.Event(), vehicles.export_here
    run_limited = sandbox.run_limited

    def told(function: Callable[..., object], *arguments: Any, **options: Any) -> Any:
        if function is export:
            exporting.set()
        return run_limited(function, *arguments, **options)

    monkeypatch.setattr(sandbox, "run_limited", told)
    job = ordered(house, order())
    thread = render_of(house, job)
    assert exporting.wait(60)
    with house.sessions.write() as session:
        jobs.cancel(session, job)
    wait_for(lambda: seen(house, job).state == "cancelled", WITHIN)
    thread.join(WITHIN)
    house.sessions.close()
    assert list(house.files.cache.rglob("*.onnx")) == []
    assert list(house.files.partial.iterdir()) == []
