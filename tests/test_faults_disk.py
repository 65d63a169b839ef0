"""A disk that fills up during a render: the error names path and bytes, nothing half is shown, a retry finishes."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from factory.produce import produce
from factory.store import jobs, lease
from tests.test_lease import wait_for
from tests.tiny_house import forget_chunks, order, ordered, seen, tiny_house, unfinished, whole_film
from tests.working import STARTS, Tell, short_or_long

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(600)]
ROOMS = (0, 150, 450, 700, 1000)  # KiB that a render finds: it needs about 1,300 with its pieces


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def room(disk: Path, size: int) -> Iterator[None]:
    """Leave `size` bytes on the disk while the block runs."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    try:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):  # others may write meanwhile
            file.write(bytes(max(0, free.f_bavail * free.f_bsize - size)))
        yield
    finally:
        ballast.unlink()


def test_a_full_disk_fails_a_render_by_name_and_a_retry_finishes_it(
    small_disk: Path, tmp_path: Path, record_property: Tell
) -> None:
    house = tiny_house(small_disk / "house", database_url=f"sqlite:///{tmp_path / 'factory.db'}")
    ends = Counter[str]()
    for number, rest in enumerate(ROOMS * short_or_long(1, 4)):
        forget_chunks(house)
        job = ordered(house, order(number, scenes=3))
        with room(small_disk, rest * 1024):
            ended = produce(job, house)
            ends[str(ended)] += 1
            told = seen(house, job)
            assert unfinished(house) == []
        if ended == "failed":
            assert (told.error_code, told.outputs) == ("disk-full", ())
            assert str(small_disk) in str(told.error_text)
            assert "bytes" in str(told.error_text)
            with house.sessions.write() as session:
                jobs.retry(session, job)
            assert produce(job, house) == "review"
        whole_film(house, job)
    house.sessions.close()
    assert ends.keys() <= {"failed", "review"}
    assert ends["failed"] >= len(ROOMS) - 1
    record_property("disks that were full", ends["failed"])
    record_property("finished after room was made", ends["failed"])


def test_a_database_on_the_full_disk_loses_no_job(
    small_disk: Path, eye: Path, record_property: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be written of how the render ended; it is written as soon as there is room."""
    house = tiny_house(small_disk / "house", eye=eye)
    job = ordered(house, order(scenes=3))
    waiting = threading.Event()
    persist = lease._persist

    def told(*arguments: object) -> object:
        waiting.set()
        return persist(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(lease, "_persist", told)
    ends = list[object]()
    thread = threading.Thread(target=lambda: ends.append(produce(job, house)))
    thread.start()
    wait_for(lambda: seen(house, job).state == "rendering", STARTS)
    with room(small_disk, 0):
        assert waiting.wait(STARTS)
        assert seen(house, job).state == "rendering"
    thread.join(STARTS)
    assert ends == ["failed"]
    assert seen(house, job).error_code == "disk-full"
    with house.sessions.write() as session:
        jobs.retry(session, job)
    assert produce(job, house) == "review"
    whole_film(house, job)
    assert unfinished(house) == []
    house.sessions.close()
    record_property("outcomes written when there was room", 1)
