"""The sandbox: limits hold, whole groups die, crashes become refusals, nothing is left behind."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from understanding import sandbox
from understanding.errors import MediaRefused
from understanding.sandbox import Cancelled, ChildRaised, Limits, run_limited, run_program


def _echo(value: object) -> object:
    return value


def _segfault() -> None:
    ctypes.string_at(0)


def _leak() -> int:
    return len(bytearray(8 << 30))


def _spin() -> None:
    while True:
        pass


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


def _start_grandchild(note: str) -> None:
    child = subprocess.Popen(["sleep", "60"])
    Path(note).write_text(str(child.pid))
    time.sleep(60)


def _fail() -> None:
    raise KeyError("no such wheel")


def _refuse() -> None:
    raise MediaRefused("no-video", "no picture", next_step="give one")


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch exploded",)


def _answer_with_object() -> object:
    return _Bomb()


def _forge_answer() -> None:
    """What a child could do once a decoder was taken over: write what it likes as its answer."""
    text = b'["value", {"array": [16, "|O", [4]]}]'
    os.pwrite(3, (16).to_bytes(8, "little") + len(text).to_bytes(8, "little") + text, 0)
    os._exit(0)


def _pickle_answer() -> None:
    text = pickle.dumps(_Bomb())
    os.pwrite(3, (16).to_bytes(8, "little") + len(text).to_bytes(8, "little") + text, 0)
    os._exit(0)


def _many_rows() -> object:
    def blocks() -> Iterator[NDArray[np.uint8]]:
        for value in range(40):
            yield np.full((10, 1 << 20), value, dtype=np.uint8)

    return {"rows": sandbox.keep_rows(blocks()), "after": np.arange(3.0)}


def _write_much(path: str) -> None:
    with Path(path).open("wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))


def _connect(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


def _surroundings() -> dict[str, object]:
    return {
        "env": sorted(os.environ),
        "files": [file.name for file in Path("/proc/self/fd").iterdir()],
        "session": os.getsid(0) == os.getpid(),
    }


def _gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and ") Z " in Path(f"/proc/{pid}/stat").read_text():
            return True
        time.sleep(0.05)
    return False


def test_plain_answers_come_back_equal_and_exact() -> None:
    value = {"a": [1, 2.5, None, True, "赛车"], "b": (Fraction(1001, 30000), ("x",)), "c": {}}
    assert run_limited(_echo, value) == value


@pytest.mark.parametrize("dtype", ["u1", "<f4", "<i8", "?"])
@pytest.mark.parametrize("shape", [(), (0, 7), (3,), (2, 3, 4)])
def test_arrays_come_back_equal(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.asarray(np.arange(int(np.prod(shape))).reshape(shape) % 2, dtype=dtype)
    back = run_limited(_echo, [array, array])[1]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert np.array_equal(back, array)


def test_long_answers_are_written_block_by_block() -> None:
    rows = run_limited(_many_rows, limits=Limits(memory_bytes=3 << 30))["rows"]
    assert rows.shape == (400, 1 << 20)
    assert list(rows[::10, 5]) == list(range(40))


def test_a_crash_costs_only_its_child() -> None:
    with pytest.raises(MediaRefused) as caught:
        run_limited(_segfault, path=Path("bad.mp4"))
    assert caught.value.code == "decoder-crashed"
    assert "bad.mp4" in caught.value.cause
    assert run_limited(_echo, 1) == 1


def test_memory_is_limited() -> None:
    with pytest.raises(MediaRefused) as caught:
        run_limited(_leak)
    assert caught.value.code == "too-large"


def test_processor_time_is_limited() -> None:
    with pytest.raises(MediaRefused) as caught:
        run_limited(_spin, limits=Limits(cpu_seconds=1))
    assert caught.value.code == "too-slow"


def test_files_are_limited(tmp_path: Path) -> None:
    with pytest.raises(MediaRefused) as caught:
        run_limited(_write_much, str(tmp_path / "big"), limits=Limits(output_bytes=1 << 20))
    assert caught.value.code == "too-large"
    assert (tmp_path / "big").stat().st_size <= 1 << 20


def _find_the_disk_full() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")


def test_a_disk_that_a_child_finds_full_is_told_as_such() -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        run_limited(_find_the_disk_full)
    assert caught.value.errno == errno.ENOSPC


def test_time_is_limited_and_the_whole_group_dies(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(MediaRefused) as caught:
        run_limited(_start_grandchild, str(note), limits=Limits(wall_seconds=2))
    assert caught.value.code == "too-slow"
    assert _gone(int(note.read_text()))


def test_cancelling_ends_the_child_soon() -> None:
    start = time.monotonic()
    with pytest.raises(Cancelled):
        run_limited(_sleep, 30, cancelled=lambda: time.monotonic() - start > 0.3)
    assert time.monotonic() - start < 5


def test_errors_of_the_function_come_back_by_name() -> None:
    with pytest.raises(ChildRaised, match=r"KeyError.*no such wheel"):
        run_limited(_fail)
    with pytest.raises(MediaRefused) as caught:
        run_limited(_refuse)
    assert (caught.value.code, caught.value.next_step) == ("no-video", "give one")


@pytest.mark.parametrize("hostile", [_forge_answer, _pickle_answer])
def test_a_hostile_answer_is_refused_and_never_unpickled(hostile: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MediaRefused) as caught:
        run_limited(hostile)
    assert caught.value.code == "decoder-crashed"
    assert not list(tmp_path.iterdir())


def test_answers_that_are_not_plain_are_an_error() -> None:
    with pytest.raises(ChildRaised, match="plain data"):
        run_limited(_answer_with_object)


def test_children_have_no_network_where_the_system_lets_us() -> None:
    if sandbox.has_network():
        pytest.skip("this system does not let a process leave the network")
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert run_limited(_connect, server.getsockname()[1]) is False


def test_children_see_no_secrets_and_no_files_of_ours(monkeypatch: Any) -> None:
    monkeypatch.setenv("FACTORY_DATABASE_URL", "postgresql://user:secret@host/db")
    sandbox._close()
    seen = run_limited(_surroundings)
    assert not [name for name in seen["env"] if name.startswith("FACTORY")]
    assert len(seen["files"]) <= 5  # three silent streams, the answer, the listing itself
    assert seen["session"]


def test_many_threads_share_the_warm_process() -> None:
    answers: list[int] = []
    threads = [threading.Thread(target=lambda n=n: answers.append(run_limited(_echo, n))) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(24))


def test_the_warm_process_is_started_again_when_it_died() -> None:
    run_limited(_echo, 1)
    assert sandbox._running is not None
    sandbox._running._process.kill()
    sandbox._running._process.wait()
    assert run_limited(_echo, 2) == 2


def test_children_die_with_their_owner(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    text = "import sys; from tests.test_sandbox import _start_grandchild as f; from understanding import sandbox as s"
    owner = subprocess.Popen([sys.executable, "-c", f"{text}; s.run_limited(f, sys.argv[1])", str(note)])
    try:
        for _ in range(200):
            if note.exists() and note.read_text():
                break
            time.sleep(0.1)
    finally:
        owner.kill()
        owner.wait()
    assert _gone(int(note.read_text()))


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run_limited(_echo, np.zeros(1000))
    with pytest.raises(MediaRefused):
        run_limited(_segfault)
    assert not list(tmp_path.iterdir())


def test_programs_report_lines_status_and_the_end_of_their_errors() -> None:
    lines: list[str] = []
    ended = run_program(["sh", "-c", "printf 'a\\nb'; seq 200 >&2; exit 3"], on_line=lines.append, kept_lines=5)
    assert lines == ["a", "b"]
    assert ended.returncode == 3
    assert ended.errors == ("196", "197", "198", "199", "200")


def test_a_program_that_is_not_there_says_so() -> None:
    ended = run_program(["no-such-program-here"])
    assert ended.returncode == 127
    assert "no-such-program-here" in ended.errors[0]


def test_programs_take_text_as_it_is_and_run_in_their_folder(tmp_path: Path) -> None:
    lines: list[str] = []
    run_program(
        ["sh", "-c", 'pwd; echo "$1" "$V"', "x", "$(touch y)"],
        folder=tmp_path,
        environment={"V": "`z`"},
        on_line=lines.append,
    )
    assert lines == [str(tmp_path), "$(touch y) `z`"]
    assert not list(tmp_path.iterdir())


def test_programs_are_stopped_with_their_group(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(MediaRefused) as caught:
        run_program(["sh", "-c", 'sleep 60 & echo $! > "$0"; wait', str(note)], limits=Limits(wall_seconds=1))
    assert caught.value.code == "too-slow"
    assert _gone(int(note.read_text()))


def test_a_program_past_its_processor_time_is_too_slow() -> None:
    with pytest.raises(MediaRefused) as caught:
        run_program(["sh", "-c", "while :; do :; done"], limits=Limits(cpu_seconds=1))
    assert caught.value.code == "too-slow"


def test_a_program_can_be_cancelled() -> None:
    start = time.monotonic()
    with pytest.raises(Cancelled):
        run_program(["sleep", "30"], cancelled=lambda: time.monotonic() - start > 0.3)
    assert time.monotonic() - start < 5
