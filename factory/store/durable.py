"""Writing to a disk so that what can be seen is whole and stays, and a full disk says so."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from factory.errors import FactoryError
from understanding.errors import Refused

NO_ROOM = 1 << 16  # bytes: with no more than these a write fails, whatever a library says of why


class DiskFull(FactoryError):
    code = "disk-full"


@contextlib.contextmanager
def room_for(folder: Path, size: int | None, *, larger: str = "move FACTORY_HOME to a larger one") -> Iterator[None]:
    """Turn a full disk into an error that names the place and the bytes. `larger` says how to get a larger one."""
    try:
        yield
    except (FactoryError, Refused):
        raise
    except Exception as error:
        free = shutil.disk_usage(folder).free
        told = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not told and free > NO_ROOM:
            raise
        wanted = "more bytes" if size is None else f"{size} bytes"
        raise DiskFull(
            f"{folder} has no room for {wanted} ({free} bytes free)",
            next_step=f"free space on that disk or {larger}, then try again",
        ) from error


def fsync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
