from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.store.durable import DiskFull
from factory.store.files import (
    FileMissing,
    Files,
    NameTaken,
    NothingMade,
    UnsafeName,
    checked_name,
    safe_name,
)
from factory.store.object_url import open_objects
from tests.object_stores import KINDS
from understanding.errors import MediaRefused


@pytest.fixture(params=["home alone", *KINDS])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every promise of a home alone is one of a home with a store too."""
    if request.param == "s3":
        return str(request.getfixturevalue("bucket"))
    if request.param == "home alone":
        return ""
    (tmp_path / "store").mkdir()
    return (tmp_path / "store").as_uri()


@pytest.fixture
def files(address: str, tmp_path: Path) -> Files:
    return Files(tmp_path / "home", open_objects(address) if address else None)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def whole(path: Path) -> None:
    path.write_bytes(b"whole")


def everything_in(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


def test_a_file_is_kept_once_under_its_digest(files: Files, tmp_path: Path) -> None:
    data = os.urandom(3_000_001)
    first = files.adopt(written(tmp_path / "a.mp4", data))
    second = files.adopt(written(tmp_path / "b.mov", data))
    assert first == second
    assert first.digest == hashlib.sha256(data).hexdigest()
    assert (first.size, first.path.read_bytes()) == (len(data), data)
    assert files.path(first.digest) == first.path
    assert len(everything_in(files.media)) == 1
    assert everything_in(files.partial) == []


def test_bytes_are_kept_the_same_way(files: Files, tmp_path: Path) -> None:
    assert files.put_bytes(b"words") == files.adopt(written(tmp_path / "w", b"words"))
    assert files.has(hashlib.sha256(b"words").hexdigest())


@pytest.mark.parametrize(
    "hostile", ["-rf.mp4", "a\nb.mp4", "$(reboot).mp4", "%d.mp4", "'; DROP TABLE asset.mp4", "长" * 80]
)
def test_a_hostile_name_never_becomes_a_path(files: Files, tmp_path: Path, hostile: str) -> None:
    adopted = files.adopt(written(tmp_path / hostile, b"clip"))
    assert adopted.path.name == adopted.digest


def test_a_name_that_is_no_text_is_adopted_too(files: Files, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    assert files.adopt(written(path, b"latin")).size == 5


def test_what_is_no_plain_file_is_refused(files: Files, tmp_path: Path) -> None:
    (tmp_path / "link.mp4").symlink_to(written(tmp_path / "real.mp4", b"x"))
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    written(tmp_path / "empty.mp4", b"")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(tmp_path / "socket.mp4"))
        codes = {}
        for path in sorted(tmp_path.glob("*.mp4")):
            if path.name != "real.mp4":
                with pytest.raises(MediaRefused) as refusal:
                    files.adopt(path)
                codes[path.stem] = refusal.value.code
    with pytest.raises(MediaRefused, match="No such file"):
        files.adopt(tmp_path / "gone.mp4")
    assert codes == {
        "link": "link-refused",
        "folder": "not-a-file",
        "pipe": "not-a-file",
        "socket": "not-a-file",
        "empty": "empty-file",
    }
    assert everything_in(files.root) == []


def test_a_digest_that_is_none_is_no_path(files: Files) -> None:
    for digest in ("../../etc/passwd", "A" * 64, "ab", ""):
        with pytest.raises(ValueError, match="not a sha256"):
            files.path(digest)
    with pytest.raises(FileMissing, match="0000"):
        files.path("0" * 64)


def test_a_key_is_made_once(files: Files) -> None:
    calls: list[Path] = []

    def make(path: Path) -> None:
        calls.append(path)
        assert not path.exists()
        path.write_text("card")

    first = files.cached("card:1", ".png", make)
    assert files.cached("card:1", ".png", make) == first
    assert files.cached("card:2", ".png", make) != first
    assert len(calls) == 2
    assert all(path.suffix == ".png" for path in calls)
    assert first.read_text() == "card"
    assert files.in_cache("card:1", ".png")


def test_a_maker_that_fails_leaves_nothing(files: Files) -> None:
    def make(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        files.cached("k", ".mp4", make)
    with pytest.raises(NothingMade):
        files.cached("k", ".mp4", lambda path: None)
    with pytest.raises(NothingMade):
        files.cached("k", ".mp4", lambda path: path.touch())
    with pytest.raises(ValueError, match="suffix"):
        files.cached("k", "/../x", make)
    assert everything_in(files.root) == []


def test_makers_of_one_key_at_once_all_get_a_whole_file(files: Files) -> None:
    gate = threading.Barrier(8)
    seen: list[bytes] = []

    def make(path: Path) -> None:
        with path.open("wb") as file:
            for _ in range(64):
                file.write(b"0123456789abcdef" * 256)

    def ask() -> None:
        gate.wait()
        seen.append(files.cached("shared", ".bin", make).read_bytes())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert {len(data) for data in seen} == {64 * 4096}
    assert len(everything_in(files.cache)) == 1


KILLED = """
import sys, time
from pathlib import Path
from factory.store.files import Files
from factory.store.object_url import open_objects
def make(path):
    path.write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
objects = open_objects(sys.argv[2]) if sys.argv[2] else None
Files(Path(sys.argv[1]), objects).cached("k", ".mp4", make)
"""


def test_a_killed_maker_leaves_nothing_visible_and_is_swept(files: Files, address: str) -> None:
    command = [sys.executable, "-c", KILLED, str(files.root), address]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "writing\n"
        assert files.clean(min_age=0) == 0  # it lives: its folder is left alone
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert everything_in(files.cache) == []
    assert files.clean() == 0  # too young to be sure
    assert files.clean(min_age=0) == 1
    assert everything_in(files.root) == []
    assert files.cached("k", ".mp4", whole).read_bytes() == b"whole"


def test_a_scratch_folder_in_use_is_not_swept(files: Files) -> None:
    with files.scratch() as folder:
        (folder / "chunk").write_text("x")
        assert files.clean(min_age=0) == 0
        assert (folder / "chunk").exists()
    assert not folder.exists()


def test_results_are_published_by_name(files: Files, tmp_path: Path) -> None:
    video = written(tmp_path / "v", b"one")
    place = files.publish(video, "job-1/北风 X5.mp4")
    assert place == files.outputs / "job-1" / "北风 X5.mp4"
    assert files.publish(video, "job-1/北风 X5.mp4") == place  # again: nothing to do
    other = written(tmp_path / "w", b"two")
    with pytest.raises(NameTaken):
        files.publish(other, "job-1/北风 X5.mp4")
    assert place.read_bytes() == b"one"
    assert files.publish(other, "job-1/北风 X5.mp4", replace=True).read_bytes() == b"two"


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../b", ".hidden", "", "a//b", "a\0b", "a\nb", "-rf", "x" * 200]
)
def test_names_that_would_leave_the_folder_are_refused(files: Files, tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeName):
        files.publish(written(tmp_path / "v", b"1"), name)


@given(st.text(max_size=300))
def test_any_text_gives_a_safe_name(text: str) -> None:
    name = safe_name(text)
    assert checked_name(name) == (name,)
    assert 0 < len(name.encode()) <= 150
    assert name == safe_name(name)


def test_a_full_disk_names_the_place_and_the_bytes(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def onto_a_full_disk(path: Path) -> None:
        path.write_bytes(b"half")
        Path("/dev/full").write_bytes(b"rest")

    with pytest.raises(DiskFull, match="home") as refusal:
        files.cached("k", ".mp4", onto_a_full_disk)
    assert "free space" in refusal.value.next_step

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    source = written(tmp_path / "a.mp4", b"12345")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFull, match="5 bytes"):
            files.adopt(source)
    assert everything_in(files.root) == []
    assert files.adopt(source).size == 5


def test_a_library_that_hides_that_the_disk_is_full_is_seen_through(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: Path) -> None:
        raise RuntimeError("System error.")

    with pytest.raises(RuntimeError, match="System error"):
        files.cached("k", ".wav", fails)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=4096))
    with pytest.raises(DiskFull, match="4096 bytes free"):
        files.cached("k", ".wav", fails)


def test_sweeping_is_quick_with_many_leftovers(files: Files) -> None:
    for number in range(200):
        (files.partial / f"{number:016x}").mkdir()
    old = time.time() - 3600
    for folder in files.partial.iterdir():
        (folder / ".alive").touch()
        os.utime(folder, (old, old))
    assert files.clean() == 200
