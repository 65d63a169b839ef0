"""The warm process behind `sandbox`: it imports the decoders once and forks one short-lived child for each file.

Why a fork server of our own: a fresh interpreter pays about half a CPU second of imports for each clip, a child that
is reused carries what one hostile file did to it into the next, and `multiprocessing`'s server imports the caller's
main module and unpickles what the child sends. Here a child lives for one call, starts in milliseconds, and a crash
costs only that child. This process never touches an untrusted byte. When its owner dies, it kills every child and ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import gc
import importlib
import json
import os
import pickle
import resource
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from understanding.errors import MediaRefused

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
HEADER = 16  # bytes: offset and length of the JSON answer, both 0 until it is complete
ALIGN = 64


@dataclass(frozen=True, slots=True)
class Request:
    """What a child is to do: call `function(*args)` (pickled in `call`) or, with `argv`, become that program."""

    limits: tuple[tuple[int, int, int], ...]  # (resource.RLIMIT_*, soft, hard)
    path: tuple[str, ...] = ()  # sys.path of the caller
    call: bytes = b""
    argv: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    folder: str = "/"


@dataclass(frozen=True, slots=True)
class Kept:
    """An array that already lies in the answer's file."""

    offset: int
    dtype: str
    shape: tuple[int, ...]


class Answer:
    """The unlinked file through which a child answers: arrays as raw bytes, the rest as JSON. Nothing is unpickled."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.seek(0)
        file.truncate()
        file.write(bytes(HEADER))

    def keep_rows(self, blocks: Iterable[NDArray[Any]]) -> Kept:
        """Write blocks of rows behind one another as they come: a long array never lies in memory as a whole."""
        self._file.write(bytes(-self._file.tell() % ALIGN))
        start, rows, first = self._file.tell(), 0, np.empty((0,))
        for place, block in enumerate(blocks):
            first = block if place == 0 else first
            if block.dtype.hasobject or (block.dtype, block.shape[1:]) != (first.dtype, first.shape[1:]):
                raise TypeError("an answer's blocks are plain numbers of one kind and row shape")
            self._file.write(np.ascontiguousarray(block).data.cast("B") if block.size else b"")
            rows += len(block)
        return Kept(start, first.dtype.str, (rows, *first.shape[1:]))

    def close(self, kind: str, value: object) -> None:
        """Write the JSON, then the header that says the answer is complete."""
        text = json.dumps([kind, self._plain(value) if kind == "value" else value]).encode()
        start = self._file.tell()
        self._file.write(text)
        self._file.seek(0)
        self._file.write(start.to_bytes(8, "little") + len(text).to_bytes(8, "little"))
        self._file.flush()

    def _plain(self, value: object) -> object:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, np.generic):
            return self._plain(value.item())
        if isinstance(value, Fraction):
            return {"fraction": [value.numerator, value.denominator]}
        if isinstance(value, np.ndarray):
            kept = self.keep_rows([value.reshape(1, *value.shape)])
            value = Kept(kept.offset, kept.dtype, kept.shape[1:])
        if isinstance(value, Kept):
            return {"array": [value.offset, value.dtype, list(value.shape)]}
        if isinstance(value, (list, tuple)):
            name = "tuple" if isinstance(value, tuple) else "list"
            return {name: [self._plain(item) for item in value]}
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {"dict": {key: self._plain(item) for key, item in value.items()}}
        raise TypeError(f"an answer is plain data and arrays, not {type(value).__name__}")


_answer: Answer | None = None


def keep_rows(blocks: Iterable[NDArray[Any]]) -> NDArray[Any] | Kept:
    """Join blocks of rows to one array: in a limited child straight into the answer, elsewhere in memory."""
    if _answer is not None:
        return _answer.keep_rows(blocks)
    held = list(blocks)
    return np.concatenate(held) if held else np.empty((0,))


def serve(control: socket.socket) -> None:
    """Fork a child for each message until the owner closes `control`. A message is one byte and the child's files."""
    wake = _child_bell()
    running: dict[socket.socket, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is control:
                    if not _start(control, running, selector):
                        _kill(running.values())
                        return
                elif key.fileobj is wake:
                    with contextlib.suppress(BlockingIOError):
                        wake.recv(4096)
                    _reap(running, selector)
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in running:
                    selector.unregister(key.fileobj)  # a byte or the end of the line both mean: kill it
                    _kill([running[key.fileobj]])


def _child_bell() -> socket.socket:
    """Return a socket that becomes readable when a child has ended."""
    wake, writer = socket.socketpair()
    for end in (wake, writer):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    return wake


def _start(control: socket.socket, running: dict[socket.socket, int], selector: selectors.BaseSelector) -> bool:
    message, files, _, _ = socket.recv_fds(control, 1, 8)
    if not message:
        return False
    if len(files) not in (2, 5):
        raise RuntimeError(f"a request carries 2 or 5 files, not {len(files)}")
    pid = os.fork()
    if pid == 0:
        _child(files)
    call = socket.socket(fileno=files[0])
    for file in files[1:]:
        os.close(file)
    running[call] = pid
    selector.register(call, selectors.EVENT_READ)
    return True


def _reap(running: dict[socket.socket, int], selector: selectors.BaseSelector) -> None:
    for call, pid in list(running.items()):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            continue
        _kill([pid])  # before the reaping frees its number: whatever it started goes with it
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(KeyError):
            selector.unregister(call)
        with contextlib.suppress(OSError):
            call.send(os.waitstatus_to_exitcode(status).to_bytes(4, "little", signed=True))
        call.close()
        del running[call]


def _kill(pids: Any) -> None:
    for pid in pids:
        for kill in (os.killpg, os.kill):  # the group may not exist yet, or no longer
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)


def _child(files: list[int]) -> NoReturn:
    """Become the limited child: own session, own few files, limits, then the work. Never returns."""
    status = 70
    try:
        os.setsid()
        _die_with_server()
        with os.fdopen(_only(files), "r+b") as exchange:
            request: Request = pickle.load(exchange)  # noqa: S301 - written by our own parent process
            _limit(request.limits)
            status = _become(request) if request.argv else _call(request, exchange)
    except BaseException:  # a child must never climb back into the server's loop
        with contextlib.suppress(OSError):
            os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(status)


def _die_with_server() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _only(files: list[int]) -> int:
    """Keep the exchange file as 3 and, for a program, its three streams as 0, 1, 2; close everything else."""
    high = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 64) for file in files[1:]]
    silent = fcntl.fcntl(os.open(os.devnull, os.O_RDWR), fcntl.F_DUPFD_CLOEXEC, 64)
    for place in range(3):
        os.dup2(high[1 + place] if len(high) == 4 else silent, place)
    os.dup2(high[0], 3, inheritable=False)
    os.closerange(4, 1 << 16)
    return 3


def _limit(limits: tuple[tuple[int, int, int], ...]) -> None:
    for number, *wanted in limits:
        _, ours = resource.getrlimit(number)
        soft, hard = (value if ours == resource.RLIM_INFINITY else min(value, ours) for value in wanted)
        with contextlib.suppress(ValueError, OSError):  # a system that lacks the limit
            resource.setrlimit(number, (soft, hard))


def _become(request: Request) -> int:
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.chdir(request.folder)
        os.execvpe(request.argv[0], list(request.argv), dict(request.env))  # noqa: S606 - no shell is wanted
    except OSError as error:
        os.write(2, f"cannot start {request.argv[0]}: {error.strerror}\n".encode())
        return 127


def _call(request: Request, exchange: BinaryIO) -> int:
    global _answer  # noqa: PLW0603 - one child, one call
    sys.path[:] = request.path
    _answer = answer = Answer(exchange)
    try:
        function, args = pickle.loads(request.call)  # noqa: S301 - as above
        answer.close("value", function(*args))
    except MediaRefused as refused:
        answer.close("refused", [refused.code, refused.cause, refused.next_step])
    except MemoryError:
        answer.close("memory", "")
    except OSError as error:
        kind = {errno.ENOMEM: "memory", errno.EFBIG: "memory", errno.ENOSPC: "full"}.get(error.errno or 0, "raised")
        answer.close(kind, _story(error))
    except Exception as error:
        answer.close("raised", _story(error))
    return 0


def _story(error: BaseException) -> list[str]:
    return [type(error).__name__, str(error)[:2000], "".join(traceback.format_exception(error))[-8000:]]


def _leave_network() -> None:
    """Move into a network namespace without a way out, as root or through a user namespace, where that is allowed."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def main() -> None:
    """Entry of the warm process: argv holds the control socket's number and the modules to import before forking."""
    control = socket.socket(fileno=int(sys.argv[1]))
    _leave_network()
    for name in sys.argv[2:]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()
    control.send(b"+")
    serve(control)
