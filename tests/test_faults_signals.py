"""A worker that is told to end in the middle of a real render hands the job back, and another finishes it."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from factory.wiring import Parts
from tests.test_lease import wait_for
from tests.tiny_house import (
    cached_chunks,
    chunks_of,
    order,
    ordered,
    seen,
    tiny_house,
    told_to_workers,
    unfinished,
    whole_film,
)
from tests.working import STARTS, Tell, celery

pytestmark = [pytest.mark.fault, pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]
WITHIN = 10.0  # seconds, of the contract
SCENES = 24


@pytest.fixture
def house(tmp_path: Path, eye: Path, redis_url: str) -> Iterator[Parts]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    built = tiny_house(tmp_path, eye=eye)
    yield built
    built.sessions.close()


def test_a_worker_that_is_told_to_end_while_it_renders_hands_the_film_back(
    house: Parts, redis_url: str, tmp_path: Path, record_property: Tell
) -> None:
    told = told_to_workers(house, tmp_path) | {"FACTORY_BROKER_URL": redis_url}
    job = ordered(house, order(scenes=SCENES))
    with celery(told, "worker", "-n", "first@test", app="workers.app") as first:
        wait_for(lambda: cached_chunks(house) >= 4, STARTS)
        family = list[psutil.Process]()
        wait_for(lambda: encodes(first.pid, family), STARTS)
        asked = time.monotonic()
        first.send_signal(signal.SIGTERM)
        wait_for(lambda: seen(house, job).state == "queued", WITHIN)
        handed_back = time.monotonic() - asked
        assert first.wait(20) == 0
    assert (seen(house, job).attempt, seen(house, job).outputs) == (0, ())
    assert [process for process in family if process.is_running()] == []
    assert unfinished(house) == []
    kept = cached_chunks(house)
    assert 4 <= kept < SCENES
    with celery(told, "worker", "-n", "second@test", app="workers.app"):
        wait_for(lambda: seen(house, job).state == "review", STARTS)
    assert seen(house, job).attempt == 1
    assert chunks_of(house, job) == (SCENES - kept, kept)
    whole_film(house, job)
    record_property("handed back after, s", round(handed_back, 2))
    record_property("chunks made, reused", f"{SCENES - kept}, {kept}")


def encodes(worker: int, family: list[psutil.Process]) -> bool:
    """Say whether ffmpeg works for this worker right now; `family` is all that runs below it then."""
    family[:] = psutil.Process(worker).children(recursive=True)
    return any("ffmpeg" in name_of(process) for process in family)


def name_of(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.NoSuchProcess):
        return str(process.name())
    return ""
