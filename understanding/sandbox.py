"""Run work on untrusted bytes in a child that cannot hurt us: limits, own session, no network, killed with its group.

`run_limited` calls a top-level function and returns its plain answer; `run_program` runs a program such as ffmpeg. Both
start from the warm process of `sandbox_server`. The child's answer is parsed as JSON and raw arrays, never unpickled,
and lies in an unlinked file, so that nothing is left behind however either side ends.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import json
import mmap
import os
import pickle
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from understanding.errors import MediaRefused
from understanding.sandbox_server import HEADER, Request, keep_rows

__all__ = ["Cancelled", "ChildRaised", "Finished", "Limits", "keep_rows", "release", "run_limited", "run_program"]

GIB = 1 << 30
WARM_MODULES = ("numpy", "av", "cv2", "scenedetect", "understanding.scanning")
KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME", "SYSTEMROOT")  # no credentials, no settings of ours
LOOK_SECONDS = 0.2  # how often `cancelled` is asked
MAX_ANSWER = 256 << 20  # bytes of JSON


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use; None lifts a limit. `memory_bytes` is address space, `output_bytes` each file's size."""

    memory_bytes: int | None = 3 * GIB
    cpu_seconds: int | None = 600
    wall_seconds: float = 900.0
    output_bytes: int | None = 8 * GIB

    def of_system(self) -> tuple[tuple[int, int, int], ...]:
        """Return (resource.RLIMIT_*, soft, hard); past the soft CPU limit comes a signal that tells itself apart."""
        wanted = [
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_AS, self.memory_bytes),
            (resource.RLIMIT_CPU, self.cpu_seconds),
            (resource.RLIMIT_FSIZE, self.output_bytes),
        ]
        return tuple(
            (number, value, value + 2 * (number == resource.RLIMIT_CPU))
            for number, value in wanted
            if value is not None
        )


class ChildRaised(Exception):
    """The function itself raised something other than `MediaRefused`: `kind` is the exception's name."""

    def __init__(self, kind: str, message: str, trace: str) -> None:
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind = kind
        self.trace = trace


class Cancelled(Exception):
    """The caller's `cancelled` said yes; the child and its group are gone."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ended by itself. A negative `returncode` is the signal that ended it."""

    returncode: int
    errors: tuple[str, ...]  # the last lines of its standard error


def run_limited(
    function: Callable[..., object],
    *args: object,
    limits: Limits | None = None,
    path: Path | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Any:
    """Call a top-level `function` in a limited child and return its answer.

    The answer is plain data: None, bool, int, float, str, Fraction, numpy arrays, and lists, tuples and dicts (text
    keys) of them. Arrays come back read-only, mapped from a file. `path` only names the file in messages. Raises
    MediaRefused (`too-slow`, `too-large`, `decoder-crashed`, or what the function raised), ChildRaised, Cancelled, and
    OSError (ENOSPC) where the child found a disk full.
    """
    limits = limits or Limits()
    request = Request(limits.of_system(), tuple(sys.path), call=pickle.dumps((function, args)))
    with tempfile.TemporaryFile() as exchange:
        _write(exchange, request)
        with contextlib.closing(_server().start([exchange.fileno()])) as call:
            status = _wait(call, limits, cancelled, path)
        if status != 0:
            raise _crash(status, limits, path)
        return _answer(exchange, limits, path)


def run_program(
    argv: Sequence[str],
    *,
    limits: Limits | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    kept_lines: int = 60,
) -> Finished:
    """Run a program under limits, without network where the system lets us, and wait for it.

    `on_line` receives each line of its standard output, as for `ffmpeg -progress pipe:1`; `environment` adds variables.
    Raises MediaRefused (`too-slow`) past the wall or CPU limit and Cancelled; any other end is in the result.
    """
    limits = limits or Limits()
    env = _environment() | dict(environment or {})
    start = str((folder or Path.cwd()).absolute())
    request = Request(limits.of_system(), argv=tuple(argv), env=tuple(env.items()), folder=start)
    with tempfile.TemporaryFile() as exchange, _Streams(on_line, kept_lines) as streams:
        _write(exchange, request)
        with contextlib.closing(_server().start([exchange.fileno(), *streams.given])) as call:
            streams.hand_over()
            status = _wait(call, limits, cancelled, None, streams)
    if status == -24:  # SIGXCPU
        raise _too_slow(None, f"{limits.cpu_seconds} CPU seconds")
    return Finished(status, tuple(streams.errors))


def release(array: np.ndarray[Any, Any]) -> None:
    """Let go of the memory behind an answer's array: its pages are read again from the file where they are wanted.

    What has been looked at of a mapped file counts as memory of ours, so a long array is worked off in blocks."""
    base: object = array
    while isinstance(base, np.ndarray | memoryview):
        base = base.base if isinstance(base, np.ndarray) else base.obj
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def has_network() -> bool:
    """Whether children can reach a network: false where the system let us leave it."""
    return bool(run_limited(_sees_network))


def _sees_network() -> bool:
    return any(name != "lo" for _, name in socket.if_nameindex())


class _Streams:
    """Standard output and error of a program, read as it runs."""

    def __init__(self, on_line: Callable[[str], None] | None, kept_lines: int) -> None:
        self.errors: deque[str] = deque(maxlen=kept_lines)
        self._readers: dict[int, Callable[[str], object]] = {}
        self._rest: dict[int, bytes] = {}
        self.given = [os.open(os.devnull, os.O_RDONLY)]
        for take in (on_line or (lambda _: None), self.errors.append):
            reader, writer = os.pipe()
            self.given.append(writer)
            self._readers[reader], self._rest[reader] = take, b""

    def __enter__(self) -> _Streams:
        return self

    def hand_over(self) -> None:
        """Close our ends of what the program now has."""
        for file in self.given:
            os.close(file)
        self.given = []

    def files(self) -> list[int]:
        return list(self._readers)

    def read(self, file: int) -> bool:
        """Pass on what has come; false at the end of the stream."""
        data = os.read(file, 65536)
        *lines, rest = (self._rest[file] + data).split(b"\n")
        if not data and rest:
            lines, rest = [rest], b""
        self._rest[file] = rest[-65536:]
        for line in lines:
            self._readers[file](line.decode("utf-8", errors="replace").rstrip("\r"))
        return bool(data)

    def __exit__(self, *_: object) -> None:
        self.hand_over()
        for file in self._readers:
            os.close(file)


def _wait(
    call: socket.socket,
    limits: Limits,
    cancelled: Callable[[], bool] | None,
    path: Path | None,
    streams: _Streams | None = None,
) -> int:
    """Return the child's exit status (negative: its signal), passing on its streams; kill it when time is up."""
    deadline = time.monotonic() + limits.wall_seconds
    with selectors.DefaultSelector() as selector:
        for file in (call, *(streams.files() if streams else ())):
            selector.register(file, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                _end(call)
                raise _too_slow(path, f"{limits.wall_seconds:g} seconds")
            if cancelled is not None and cancelled():
                _end(call)
                raise Cancelled("the work was cancelled; its child was ended")
            for key, _ in selector.select(left if cancelled is None else min(left, LOOK_SECONDS)):
                if key.fileobj is call:
                    return _status(call, selector, streams)
                if streams and not streams.read(key.fd):
                    selector.unregister(key.fileobj)
    raise RuntimeError("the child's line closed without a status")


def _status(call: socket.socket, selector: selectors.BaseSelector, streams: _Streams | None) -> int:
    """Read the status and what the streams still hold: their writers are dead, so each ends."""
    data = call.recv(4)
    selector.unregister(call)
    for key in list(selector.get_map().values()):
        while streams and streams.read(key.fd):
            pass
    return int.from_bytes(data, "little", signed=True) if data else -9


def _end(call: socket.socket) -> None:
    """Kill the child with its group and wait until it is gone."""
    with contextlib.suppress(OSError):
        call.settimeout(10)
        call.send(b"k")
        call.recv(4)


def _name(path: Path | None) -> str:
    return f"'{path.name}'" if path else "the work"


def _too_slow(path: Path | None, limit: str) -> MediaRefused:
    cause = f"{_name(path)} took longer than the limit of {limit} and was stopped"
    return MediaRefused("too-slow", cause, next_step="cut it shorter or make it smaller, or raise the limit")


def _too_large(path: Path | None, limits: Limits) -> MediaRefused:
    memory = f"{limits.memory_bytes / GIB:.1f} GiB" if limits.memory_bytes else "the machine"
    cause = f"{_name(path)} needs more memory or space than {memory}"
    return MediaRefused("too-large", cause, next_step="use a smaller picture size or a shorter file")


def _crash(status: int, limits: Limits, path: Path | None) -> MediaRefused:
    if status == -24:  # SIGXCPU
        return _too_slow(path, f"{limits.cpu_seconds} CPU seconds")
    if status == -9:  # not by us, so by the system: out of memory, or past the hard CPU limit
        return _too_large(path, limits)
    cause = f"the decoder crashed on {_name(path)} ({f'signal {-status}' if status < 0 else f'status {status}'})"
    return MediaRefused("decoder-crashed", cause, next_step="convert the file with another program and try again")


def _write(exchange: BinaryIO, request: Request) -> None:
    pickle.dump(request, exchange)
    exchange.flush()
    exchange.seek(0)


def _answer(exchange: BinaryIO, limits: Limits, path: Path | None) -> Any:
    """Read what the child answered, trusting nothing in it."""
    try:
        kind, value = _parse(exchange)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError) as error:
        cause = f"the decoder of {_name(path)} gave a broken answer"
        raise MediaRefused("decoder-crashed", cause, next_step="convert the file and try again") from error
    if kind == "value":
        return value
    if kind == "refused" and isinstance(value, list) and len(value) == 3:
        raise MediaRefused(str(value[0]), str(value[1]), next_step=str(value[2]))
    if kind == "memory":
        raise _too_large(path, limits)
    if kind == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # whoever asked knows where it was to be written
    raise ChildRaised(*(str(part) for part in list(value)[:3]))


def _parse(exchange: BinaryIO) -> tuple[str, Any]:
    exchange.seek(0)
    header = exchange.read(HEADER)
    start, length = int.from_bytes(header[:8], "little"), int.from_bytes(header[8:], "little")
    if start < HEADER or not 0 < length <= MAX_ANSWER:
        raise ValueError("the answer is incomplete")
    exchange.seek(start)
    kind, value = json.loads(exchange.read(length))
    whole = mmap.mmap(exchange.fileno(), 0, access=mmap.ACCESS_READ)
    return str(kind), _value(value, whole) if kind == "value" else value


def _value(plain: Any, whole: mmap.mmap) -> Any:
    if not isinstance(plain, dict):
        return plain
    ((kind, held),) = plain.items()
    if kind == "fraction":
        return Fraction(int(held[0]), int(held[1]))
    if kind == "array":
        return _array(whole, *held)
    if kind == "dict":
        return {str(key): _value(item, whole) for key, item in held.items()}
    values = [_value(item, whole) for item in held]
    return tuple(values) if kind == "tuple" else values


def _array(whole: mmap.mmap, offset: int, dtype: str, shape: list[int]) -> np.ndarray[Any, Any]:
    kind = np.dtype(dtype)
    count = int(np.prod(shape, dtype=object))
    if kind.hasobject or count < 0 or offset < HEADER or offset + count * kind.itemsize > len(whole):
        raise ValueError("an array lies outside the answer")
    return np.frombuffer(whole, kind, count, offset).reshape(shape) if count else np.empty(shape, kind)


class _Server:
    """Our end of the warm process."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        text = "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); "
        text += "from understanding.sandbox_server import main; main()"
        number = str(theirs.fileno())
        argv = [sys.executable, "-P", "-c", text, json.dumps(sys.path), number, *WARM_MODULES]
        with theirs:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_environment(),
                start_new_session=True,
            )
        self._control.settimeout(60)
        if self._control.recv(1) != b"+":
            self.close()
            raise RuntimeError("the sandbox's warm process did not start")
        self._control.settimeout(None)

    def start(self, files: Sequence[int]) -> socket.socket:
        """Start a child with these files; the returned socket yields its status, closing it early kills the child."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"r"], [theirs.fileno(), *files])
            except BaseException:
                ours.close()
                raise
        return ours

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """In a forked copy of the owner: the warm process is not ours."""
        self._control.close()
        self._process.returncode = 0


_lock = threading.Lock()
_running: _Server | None = None


def _server() -> _Server:
    """Return the warm process of this process, started on first use and again should it have died."""
    global _running  # noqa: PLW0603 - one warm process a process
    with _lock:
        if _running is not None and not _running.alive:
            _close()
        if _running is None:
            _running = _Server()
        return _running


def _close() -> None:
    global _running  # noqa: PLW0603  as above: one warm process a process
    if _running is not None:
        _running.close()
        _running = None


def _after_fork() -> None:
    global _running, _lock  # noqa: PLW0603  as above: one warm process a process
    _lock = threading.Lock()
    if _running is not None:
        _running.forget()
        _running = None


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    few = {"OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1", "OMP_NUM_THREADS": "2", "MALLOC_ARENA_MAX": "2"}
    return kept | few | {"PYTHONUTF8": "1"}


atexit.register(_close)
os.register_at_fork(after_in_child=_after_fork)
