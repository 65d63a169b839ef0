"""What can go wrong while a video is made, each with the values that a person needs to act."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from factory.errors import FactoryError


class RenderFailed(FactoryError):
    """ffmpeg ended badly, or gave something else than was planned. It may have been killed: a second try may do."""

    code = "render-failed"
    transient = True


class RenderCancelled(FactoryError):
    """Somebody asked to stop."""

    code = "render-cancelled"

    def __init__(self) -> None:
        super().__init__("the render was cancelled", next_step="start it again: finished pieces are kept in the cache")


class RenderTooSlow(RenderFailed):
    """ffmpeg ran past its wall-clock limit and was killed."""

    code = "render-too-slow"
    transient = False  # as long again


class DiskFull(RenderFailed):
    """No room for the output."""

    code = "disk-full"
    transient = False  # until somebody makes room

    def __init__(self, path: Path, written: int) -> None:
        free = _free(path)
        super().__init__(
            f"no space left while writing {path}: {written} bytes written, {free} bytes free",
            next_step="free some space on that disk, or set FACTORY_HOME to a larger one, and start again",
        )


class TimelineImpossible(FactoryError):
    """A timeline that cannot be shown as it stands."""

    code = "timeline-impossible"


@contextmanager
def disk_full_named(path: Path) -> Iterator[None]:
    """Turn "no space left" of any write to `path` inside into `DiskFull`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(path, size_of(path)) from error


def size_of(path: Path) -> int:
    """Return the bytes that `path` holds, 0 where there is no such file."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _free(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return 0
